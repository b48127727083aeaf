"""Model cards of the paid upstreams in a chaos run: cheap to serve, and said to be quick."""

_MODEL = """
[[models]]
id = "{upstream}/chaos"
upstream_id = "chaos-1"
name = "Chaos"
brand = "Mesh"
description = "A model of the fake upstream."
scenarios = ["text"]
durations = {{ min = 1, max = 10 }}
resolutions = ["480p"]
ratios = ["16:9"]
fps = [24]
audio = "never"
parameters = ["seed"]
defaults = {{ duration = 2, resolution = "480p", ratio = "16:9" }}
price_unknown = "It is a fake."
usual_seconds = 2.0
"""

PAID = ("byteplus", "volcengine", "openai-videos")
"""The upstreams behind the fake: two clouds of Ark, and an engine that keeps no idempotency promise."""

CARDS = {name: f'upstream = "{name}"\nname = "{name}"\n' + _MODEL.format(upstream=name) for name in PAID}
"""Card files by their names."""


def model_of(upstream: str) -> str:
    """The public id of the model that a paid upstream serves."""
    return f"{upstream}/chaos"
