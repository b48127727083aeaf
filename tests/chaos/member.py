"""One server process of a cluster: it can be killed, frozen, drained and started again."""

import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from tests.server_process import MESHAPI, alive, children

Role = Literal["all", "api", "worker"]
_START_SECONDS = 60.0
_WORKER_READY = "Mesh API worker"


class StartFailed(Exception):
    """The process ended before it was ready: its database was away, say."""


class DrainFailed(Exception):
    """The process did not end well after SIGTERM, or not in time."""


class Member:
    """`meshapi serve` in one role, in the process group ``group``. Its words go to a log that outlives it."""

    def __init__(
        self,
        name: str,
        role: Role,
        folder: Path,
        options: Sequence[str],
        environment: Mapping[str, str],
        group: int,
        port: int | None = None,
    ) -> None:
        self.name = name
        self.role = role
        self.log = folder / f"{name}.log"
        self.base_url = f"http://127.0.0.1:{port}" if port else ""
        self.renderers: set[tuple[int, str]] = set()  # of processes that were killed: they must end, too
        self._command = [MESHAPI, "serve", "--role", role, *options]
        if port:
            self._command += ["--port", str(port)]
        self._environment = dict(environment)
        self._group = group
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def fallen(self) -> int | None:
        """The exit status of a process that ended though nobody told it to."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start, and return when it is ready. Raises StartFailed."""
        begins = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                process_group=self._group,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._ready(begins):
            if (status := self._process.poll()) is not None:
                self._process = None
                raise StartFailed(f"{self.name} ended with {status}: {self._said(begins)[-2000:]}")
            assert time.monotonic() < deadline, (
                f"{self.name} does not get ready: {self._said(begins)[-2000:]}"
            )
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL in the middle of whatever it does."""
        assert self._process is not None
        # Stopped first, so that it cannot start a renderer between our look and its end.
        self.freeze()
        self.renderers |= {(pid, _born(pid)) for pid in children(self.pid)}
        self._process.kill()
        self._process.wait(20)
        self._process = None

    def freeze(self) -> None:
        """SIGSTOP: it is there and does nothing, like a machine that swaps or a paused virtual one."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT: it goes on as if no time had passed."""
        os.kill(self.pid, signal.SIGCONT)

    def drain(self, seconds: float = 40.0) -> None:
        """SIGTERM, as at a deployment. Raises DrainFailed, after ending it the hard way."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.terminate()
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)
            raise DrainFailed(f"{self.name} did not drain within {seconds} s") from None
        if status != 0:
            raise DrainFailed(f"{self.name} drained with exit status {status}")

    def end(self) -> None:
        """End it whatever its state, at the end of a run that failed."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)
            self._process = None

    def orphans(self) -> list[int]:
        """Renderers of killed processes that still run."""
        return [pid for pid, born in self.renderers if alive(pid) and _born(pid) == born]

    def _ready(self, begins: int) -> bool:
        if self.role == "worker":
            return _WORKER_READY in self._said(begins)
        try:
            urllib.request.urlopen(f"{self.base_url}/readyz", timeout=5).close()
        except OSError:
            return False
        return True

    def _said(self, begins: int) -> str:
        with self.log.open("rb") as log:
            log.seek(begins)
            return log.read().decode(errors="replace")


def _born(pid: int) -> str:
    """When a process began (proc(5), field 22): a number that is used again names another process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return ""
