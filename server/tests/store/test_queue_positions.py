"""Places in the queue: the same whether one task is asked for or a page, at the head or far behind."""

import asyncio

import pytest

from meshapi_server.store import looking
from meshapi_server.store.planned import PlannedStore
from meshapi_server.store.queue_heads import Head, QueueHeads

from .. import samples
from ..samples import LOCAL, REMOTE
from .conftest import Accept, Take


@pytest.mark.parametrize("exact", [2, 32])
async def test_a_page_is_told_what_each_of_its_tasks_is_told_alone(
    store: PlannedStore, accept: Accept, take: Take, monkeypatch: pytest.MonkeyPatch, exact: int
) -> None:
    monkeypatch.setattr(looking, "POSITIONS_COUNTED", 5)
    monkeypatch.setattr(looking, "POSITIONS_EXACT", exact)
    tasks = [await accept(spec=samples.spec(priority=number % 3)) for number in range(12)]
    tasks += [await accept(upstream=LOCAL) for _ in range(3)]
    await store.set_pools(samples.pools(REMOTE, 2))
    assert len(await take()) == 2
    alone: dict[str, int] = {}
    for task in tasks:
        alone |= await store.queue_positions([task])
    assert await store.queue_positions(tasks) == alone
    assert sorted(alone.values()) == [0, 0, 1, 1, 2, 2, 3, 4, 5, 5, 5, 5, 5]


async def test_far_from_the_head_a_place_may_be_a_second_old_and_near_it_never_is(
    store: PlannedStore, accept: Accept, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "POSITIONS_EXACT", 3)
    now = 0.0
    monkeypatch.setattr(
        store, "_heads", QueueHeads(lambda name: store.scan(lambda: looking.queue_head(name)), lambda: now)
    )

    async def places() -> list[int | None]:
        return [(await store.queue_positions([task])).get(task.id) for task in tasks]

    tasks = [await accept() for _ in range(7)]
    assert await places() == [0, 1, 2, 3, 4, 5, 6]
    await store.set_pools(samples.pools(REMOTE, 2))
    assert len(await take()) == 2
    tasks.append(await accept())
    assert await places() == [None, None, 0, 1, 2, 5, 6, 5], "the last one came after the head was read"
    now = 1.0
    assert await places() == [None, None, 0, 1, 2, 3, 4, 5]


async def test_many_who_ask_at_once_share_one_reading_of_a_head() -> None:
    read: list[str] = []

    async def head(upstream: str) -> Head:
        read.append(upstream)
        await asyncio.sleep(0)
        return Head({"task_1": 0}, full=False)

    heads = QueueHeads(head)
    found = await asyncio.gather(*(heads.get("a") for _ in range(5)), heads.get("b"))
    assert [each.places for each in found] == [{"task_1": 0}] * 6
    assert read == ["a", "b"]
