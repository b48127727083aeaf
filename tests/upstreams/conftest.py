"""What the fake upstream's own tests share."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))  # the repository

from tests.upstreams.dialects import every_dialect
from tests.upstreams.fake import Control, FakeUpstream

KEY = "key-of-the-fake"


@pytest.fixture
async def fake(tmp_path: Path) -> AsyncIterator[FakeUpstream]:
    """A fake whose clock stands still; a task waits for 10 s and runs for 20."""
    async with FakeUpstream(tmp_path / "accepted.jsonl", key=KEY, dialects=every_dialect()) as started:
        started.control(Control(speed=0, queued=10, running=20))
        yield started
