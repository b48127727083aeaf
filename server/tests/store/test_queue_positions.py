"""Places in the queue: the same whether one task is asked for or a page, at the head or far behind."""

import pytest

from meshapi_server.store import looking
from meshapi_server.store.planned import PlannedStore

from .. import samples
from ..samples import LOCAL, REMOTE
from .conftest import Accept, Take


async def test_a_page_is_told_what_each_of_its_tasks_is_told_alone(
    store: PlannedStore, accept: Accept, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "POSITIONS_COUNTED", 5)
    tasks = [await accept(spec=samples.spec(priority=number % 3)) for number in range(12)]
    tasks += [await accept(upstream=LOCAL) for _ in range(3)]
    await store.set_pools(samples.pools(REMOTE, 2))
    assert len(await take()) == 2
    alone: dict[str, int] = {}
    for task in tasks:
        alone |= await store.queue_positions([task])
    assert await store.queue_positions(tasks) == alone
    assert sorted(alone.values()) == [0, 0, 1, 1, 2, 2, 3, 4, 5, 5, 5, 5, 5]
