"""The fake in a process of its own, for suites that kill and restart everything else."""

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
_START_SECONDS = 30.0


class FakeProcess:
    """Start with :meth:`start`, end with :meth:`stop`; the log is a file that outlives it."""

    def __init__(self, folder: Path, *, key: str | None = None) -> None:
        self.log = folder / "accepted.jsonl"
        self.url = ""
        self._ready = folder / "fake.json"
        self._key = key
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "FakeProcess":
        """Start and wait until it listens."""
        self._ready.unlink(missing_ok=True)
        command = [
            sys.executable,
            "-m",
            "tests.upstreams.fake",
            "--log",
            str(self.log),
            "--ready",
            str(self._ready),
        ]
        if self._key is not None:
            command += ["--key", self._key]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + _START_SECONDS
        while not self._ready.exists():
            assert self._process.poll() is None, "the fake upstream did not start"
            assert time.monotonic() < deadline, "the fake upstream did not get ready"
            time.sleep(0.02)
        self.url = json.loads(self._ready.read_text())["url"]
        return self

    def base_url(self, dialect: str) -> str:
        """What an adapter is given as its base URL."""
        bases: dict[str, str] = json.loads(self._ready.read_text())["base_urls"]
        return bases[dialect]

    def control(self, **changes: Any) -> dict[str, Any]:
        """``POST /control``; without changes, only the state."""
        request = urllib.request.Request(
            f"{self.url}/control", data=json.dumps(changes).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=10) as heard:
            state: dict[str, Any] = json.load(heard)
            return state

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """End it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(10)
