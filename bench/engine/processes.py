"""Processes that are measured, or measured against: started on one core, ended with the block."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path


def cores() -> tuple[int, int]:
    """The core of what is measured, and the core of everything else; the same one where there is no other."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


@contextlib.contextmanager
def running(
    command: list[str], core: int, variables: Mapping[str, str], log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``command`` on ``core``; its words go to ``log``. Settings of a server here do not reach it."""
    pinned = ["taskset", "-c", str(core), *command] if shutil.which("taskset") else command
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MESHAPI_")}
    with contextlib.ExitStack() as stack:
        words = stack.enter_context(log.open("ab")) if log is not None else subprocess.DEVNULL
        process = subprocess.Popen(pinned, env=environment | variables, stdout=words, stderr=words)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(url: str, seconds: float) -> None:
    """Until ``url`` answers."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.1)
        else:
            return
