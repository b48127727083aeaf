"""Servers of ours as processes on one core: one for everything on SQLite, one for each role on PostgreSQL."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from databases import Place
from processes import free_port, running, wait_for

_MESHAPI = str(Path(sys.executable).with_name("meshapi"))
_READY = "Mesh API worker"
_START_SECONDS = 120.0  # with a million tasks in flight there is something to count

_CARD = """
upstream = "{upstream}"
name = "An upstream of this bench"
[[models]]
id = "{upstream}/sora-2"
upstream_id = "sora-2"
name = "Bench"
brand = "Bench"
description = "Whatever the fake upstream makes."
scenarios = ["text"]
durations = [4, 8, 12]
resolutions = ["720p"]
ratios = ["16:9"]
audio = "never"
defaults = {{ duration = 4, resolution = "720p", ratio = "16:9" }}
price_unknown = "It is a bench."
usual_seconds = {usual_seconds}
"""


@dataclass(frozen=True)
class Server:
    """A running server. ``worker`` and ``api`` are the processes that do these parts; on SQLite the same."""

    port: int
    key: str
    api: int
    worker: int


def write_cards(folder: Path, *upstreams: str, usual_seconds: float = 600) -> Path:
    """A folder with a card for each of the upstreams."""
    folder.mkdir(exist_ok=True)
    for upstream in upstreams:
        text = _CARD.format(upstream=upstream, usual_seconds=usual_seconds)
        (folder / f"{upstream}.toml").write_text(text)
    return folder


@contextlib.contextmanager
def serving(
    place: Place, folder: Path, core: int, variables: Mapping[str, str], *, api: bool = True
) -> Iterator[Server]:
    """A server on the place. Without ``api`` PostgreSQL gets a worker only: port and key are empty then."""
    data = folder / "data"
    log = folder / "server.log"
    log.unlink(missing_ok=True)  # an earlier server's word is no sign of this one
    common = {"MESHAPI_LOG_LEVEL": "error", "MESHAPI_DATABASE_URL": place.url, "MESHAPI_DATA_DIR": str(data)}
    common |= variables
    port = free_port()
    common["MESHAPI_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    listening = [_MESHAPI, "serve", "--port", str(port)]
    with contextlib.ExitStack() as stack:
        if place.dialect == "sqlite":
            process = stack.enter_context(running([*listening, "--role", "all"], core, common, log))
            _wait_until_ready(port, process, log)
            yield Server(port, _key(data), process.pid, process.pid)
            return
        answering = process.pid if api and (process := _api(stack, listening, core, common, log, port)) else 0
        worker = stack.enter_context(running([_MESHAPI, "serve", "--role", "worker"], core, common, log))
        _wait_for_word(log, worker)
        yield Server(port if api else 0, _key(data) if api else "", answering, worker.pid)


def _api(
    stack: contextlib.ExitStack,
    command: list[str],
    core: int,
    variables: Mapping[str, str],
    log: Path,
    port: int,
) -> subprocess.Popen[bytes]:
    process = stack.enter_context(running([*command, "--role", "api"], core, variables, log))
    _wait_until_ready(port, process, log)
    return process


def _wait_until_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    try:
        wait_for(f"http://127.0.0.1:{port}/readyz", _START_SECONDS)
    except AssertionError:
        raise AssertionError(f"the server does not start: {log.read_text()[-2000:]}") from None
    assert process.poll() is None, log.read_text()[-2000:]


def _wait_for_word(log: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not log.exists() or _READY not in log.read_text():
        assert process.poll() is None, log.read_text()[-2000:]
        assert time.monotonic() < deadline, "the worker does not start"
        time.sleep(0.05)


def _key(data: Path) -> str:
    key: str = json.loads((data / "development.json").read_text())["api_key"]
    return key
