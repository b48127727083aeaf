"""Announcements of upstreams: many at once are little work, and hold up nobody."""

import asyncio

import asyncpg
import pytest

from meshapi_server.store.planned import PlannedStore
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.limits import Pool
from meshapi_server.tasks.states import Event

from ..samples import NOW, OWNER, REMOTE
from .conftest import Accept, Take


async def test_each_announcement_hears_whether_somebody_waited_for_it(
    store: PlannedStore, accept: Accept, take: Take
) -> None:
    await store.set_pools([Pool(name=f"upstream:{REMOTE}", capacity=10)])
    polled = [await accept(upstream=REMOTE) for _ in range(3)]
    for claim in await take():
        step = Step(event=Event.ACCEPTED, attempt=claim.schedule.attempt, upstream_ref="up", due=NOW + 60_000)
        await store.step(claim.task.id, step, NOW)
    queued = await accept()
    asked = [*polled, queued, polled[0]] * 10
    heard = await asyncio.gather(*(store.wake(task.id, NOW) for task in asked), store.wake("task_none", NOW))

    assert heard == [*[task is not queued for task in asked], False]
    rows = [await store.schedule(task.id) for task in polled]
    assert [(row.due, row.woken) for row in rows if row is not None] == [(NOW, True)] * len(polled)


async def test_an_announcement_that_overtakes_the_answer_to_the_submission_is_not_lost(
    store: PlannedStore, accept: Accept, take: Take
) -> None:
    await store.set_pools([Pool(name=f"upstream:{REMOTE}", capacity=10)])
    task = await accept(upstream=REMOTE)
    (claim,) = await take()
    assert await store.wake(task.id, NOW)
    step = Step(event=Event.ACCEPTED, attempt=claim.schedule.attempt, upstream_ref="up", due=NOW + 60_000)
    await store.step(task.id, step, NOW)
    row = await store.schedule(task.id)
    assert row is not None
    assert (row.due, row.woken) == (NOW, False)


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
async def test_announcements_that_wait_for_a_row_hold_up_no_cancel(
    store: PlannedStore, accept: Accept, database: str
) -> None:
    announced, wanted = await accept(), await accept()
    other = await asyncpg.connect(database)
    try:
        async with other.transaction():
            await other.execute("select 1 from schedule where id = $1 for update", announced.id)
            waiting = [asyncio.create_task(store.wake(announced.id, NOW)) for _ in range(20)]
            await asyncio.sleep(0)
            ended = await asyncio.wait_for(store.cancel(OWNER, wanted.id, NOW), 5)
            assert not any(each.done() for each in waiting)
        await asyncio.gather(*waiting)
    finally:
        await other.close()
    assert ended is not None
    assert ended.ended
