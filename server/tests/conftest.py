"""What the suites share: a store on a real file, a clock set by hand, a real server."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from meshapi_server.store.sqlite import SqliteStore

from .samples import HandClock
from .serving import Caller, ServerProcess, keys, serving


@pytest.fixture
def clock() -> HandClock:
    """A clock that only the test moves."""
    return HandClock()


@pytest.fixture
async def store(tmp_path: Path, clock: HandClock) -> AsyncIterator[SqliteStore]:
    """An open store on a file of its own."""
    opened = SqliteStore(tmp_path / "meshapi.db", clock)
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server process for a module."""
    with serving(tmp_path_factory.mktemp("server") / "data") as started:
        yield started


@pytest.fixture(scope="module")
def caller(server: ServerProcess) -> Caller:
    """A caller with the development key."""
    return server.caller()


@pytest.fixture
def stranger(server: ServerProcess) -> Caller:
    """A caller with a key of an owner of its own."""
    made = keys(server.data, "create", "--name", "stranger", "--json")
    return server.caller(json.loads(made.stdout)["key"])
