"""What the suites share: a store on a real file, a clock set by hand."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from meshapi_server.store.sqlite import SqliteStore

from .samples import HandClock


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
