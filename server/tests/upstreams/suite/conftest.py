"""Fixtures of the shared suite: every test runs for every adapter, against a fake of its own."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[4]))  # the repository: the fake belongs to no distribution

from tests.upstreams.dialects import every_dialect
from tests.upstreams.fake import Control, FakeUpstream

from .bench import QUEUED, RUNNING, Bench
from .cases import CASES, SECRET, Case


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    """Each adapter in turn."""
    found: Case = request.param
    return found


@pytest.fixture
async def fake(tmp_path: Path) -> AsyncIterator[FakeUpstream]:
    """The fake upstream; its clock stands still until a test moves it."""
    async with FakeUpstream(tmp_path / "accepted.jsonl", key=SECRET, dialects=every_dialect()) as started:
        started.control(Control(speed=0, queued=QUEUED, running=RUNNING))
        yield started


@pytest.fixture
async def bench(case: Case, fake: FakeUpstream) -> AsyncIterator[Bench]:
    """The adapter beside its fake."""
    opened = Bench(case, fake)
    yield opened
    await opened.close()
