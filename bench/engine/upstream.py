"""The fake upstream of the tests as a process of its own core: what a server of these benches asks."""

import contextlib
import json
import os
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processes import running

ROOT = Path(__file__).parents[2]
UPSTREAMS = ("openai-videos", "byteplus")
"""One that is asked for each task by itself, and one that tells of many at once."""
_MANY = 10_000_000


@dataclass(frozen=True)
class Fake:
    """The running fake. ``log`` is its book of accepted orders."""

    url: str
    bases: Mapping[str, str]
    log: Path
    pid: int

    def base_url(self, upstream: str) -> str:
        """What a server is given as the upstream's base URL."""
        return self.bases[upstream]

    def control(self, **changes: Any) -> Mapping[str, Any]:
        """Change how it behaves; its state."""
        request = urllib.request.Request(f"{self.url}/control", json.dumps(changes).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            state: Mapping[str, Any] = json.load(answer)
            return state

    def variables(self) -> dict[str, str]:
        """The environment of a server that asks it, with room for any number of tasks."""
        found = {"ARK_API_KEY": "none", "MESHAPI_SIMULATE": "false"}
        for upstream in UPSTREAMS:
            prefix = f"MESHAPI_{upstream.upper().replace('-', '_')}"
            found |= {f"{prefix}_BASE_URL": self.base_url(upstream), f"{prefix}_TASKS": str(_MANY)}
        return found


@contextlib.contextmanager
def fake_upstream(folder: Path, core: int) -> Iterator[Fake]:
    """Run it while the block runs."""
    log, ready = folder / "accepted.jsonl", folder / "fake.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.upstreams.fake", "--log", str(log), "--ready", str(ready)]
    variables = {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    with running(command, core, variables) as process:
        deadline = time.monotonic() + 60
        while not ready.exists():
            assert process.poll() is None, "the fake upstream does not start"
            assert time.monotonic() < deadline, "the fake upstream does not get ready"
            time.sleep(0.02)
        known = json.loads(ready.read_text())
        yield Fake(known["url"], known["base_urls"], log, process.pid)
