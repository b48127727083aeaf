"""Settings of every suite."""

import os

from hypothesis import HealthCheck, settings

# No test may depend on how fast a machine is; in CI the examples are the same in every run.
settings.register_profile(
    "meshapi",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("meshapi")
