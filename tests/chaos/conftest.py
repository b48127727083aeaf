"""Fixtures of the chaos tests: a cluster on either database, and callers of it."""

import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.chaos.cluster import Cluster, Plan, cluster
from tests.chaos.stage import Stage, started

SetUp = Callable[..., contextlib.AbstractAsyncContextManager[Stage]]


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """Each database in turn."""
    name: str = request.param
    return name


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[..., Cluster]]:
    """Builds clusters that end with the test; nothing of them is started."""
    with contextlib.ExitStack() as stack:
        yield lambda **plan: stack.enter_context(cluster(tmp_path, Plan(**plan)))


@pytest.fixture
def set_up(build: Callable[..., Cluster]) -> SetUp:
    """Builds and starts a cluster with a caller in front of it."""

    @contextlib.asynccontextmanager
    async def begin(**plan: object) -> AsyncIterator[Stage]:
        async with started(build(**plan)) as made:
            yield made

    return begin
