"""A real server in a process of its own, for the acceptance tests."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

# The command that is installed beside this interpreter.
MESHAPI = str(Path(sys.executable).with_name("meshapi"))

# No upstream key of the machine may reach a test's server: it would turn simulation off.
_KEPT = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "TMPDIR", "VIRTUAL_ENV")


class ServerProcess:
    """`meshapi serve` on a free port over one data directory; may be killed and started again."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self.data = data
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self.base_url = ""
        self.key = ""

    def start(self) -> "ServerProcess":
        """Start and wait until it is ready."""
        self.data.mkdir(parents=True, exist_ok=True)
        development = self.data / "development.json"
        before = development.stat().st_mtime_ns if development.exists() else None
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        with (self.data / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    MESHAPI,
                    "serve",
                    "--port",
                    "0",
                    "--data",
                    str(self.data),
                    *self._arguments,
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=environment,
            )
        deadline = time.monotonic() + 30
        while not development.exists() or development.stat().st_mtime_ns == before:
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.02)
        known = json.loads(development.read_text())
        self.base_url, self.key = known["base_url"], known["api_key"]
        while True:
            try:
                urllib.request.urlopen(f"{self.base_url}/readyz", timeout=5).close()
                return self
            except OSError:
                assert time.monotonic() < deadline, self.log()
                time.sleep(0.02)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def log(self) -> str:
        return (self.data / "server.log").read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up."""
        os.kill(self.pid, signal.SIGKILL)
        assert self._process is not None
        self._process.wait(10)

    def stop(self, seconds: float = 20) -> int:
        """SIGTERM, and wait; returns the exit status."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
        return self._process.wait(seconds)

    def call(self, method: str, path: str, body: Any = None, key: str | None = None) -> Any:
        """One JSON request with the development key; raises urllib's HTTPError for anything but 2xx."""
        request = urllib.request.Request(
            self.base_url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "authorization": f"Bearer {key or self.key}",
                "content-type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=90) as answer:
            return json.loads(answer.read())

    def wait(self, task_id: str, seconds: float = 120) -> Any:
        """The task when it has ended."""
        deadline = time.monotonic() + seconds
        while True:
            task = self.call("GET", f"/v1/video/generations/{task_id}?wait=20")
            if task["status"] in {"succeeded", "failed"}:
                return task
            assert time.monotonic() < deadline, (task, self.log())


def children(pid: int) -> list[int]:
    """The direct children of a process (proc(5))."""
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (thread / "children").read_text().split()]
    return found


def alive(pid: int) -> bool:
    """True while a process runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}
