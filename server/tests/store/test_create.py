"""Accepting a task: one commit, one task for one idempotency key."""

import asyncio
import sqlite3

import asyncpg
import pytest

from meshapi_server.store.planned import PlannedStore
from meshapi_server.tasks.errors import IdempotencyMismatch
from meshapi_server.tasks.ports import Query
from meshapi_server.tasks.spec import ContentItem
from meshapi_server.tasks.states import State
from meshapi_server.tasks.task import Facts, Outcome

from .. import samples
from ..samples import NOW, OWNER
from .conftest import Accept, Another


async def test_a_task_comes_back_as_it_was_stored(store: PlannedStore, accept: Accept) -> None:
    content = (
        ContentItem(kind="text", index=0, text='Ünïcode \U0001f30a \x00 " \\ 山'),
        ContentItem(kind="image", index=1, url="https://a.example/1.png", role="first_frame"),
    )
    spec = samples.spec(content=content, seed=2**32 - 1, metadata={'a"b\\c': "é\n"}, guidance_scale=7.5)
    outcome = Outcome(facts=Facts(seed=1, plan={"scene": ["lake", 1, None]}))
    task = await accept(spec=spec, outcome=outcome, draft_task_id="task_d", request_id="req_x")
    assert await store.get(OWNER, task.id) == task
    assert await store.get_by_request(OWNER, "req_x") == task


async def test_a_fresh_task_waits_in_the_queue_and_holds_no_lease(
    store: PlannedStore, accept: Accept
) -> None:
    task = await accept()
    assert await store.schedule(task.id) == samples.schedule()
    assert await store.count_states() == {State.QUEUED: 1}


async def test_of_two_tasks_with_one_request_id_the_newest_is_found(
    store: PlannedStore, accept: Accept
) -> None:
    await accept(request_id="req_x")
    newest = await accept(request_id="req_x")
    assert await store.get_by_request(OWNER, "req_x") == newest


async def test_the_same_key_and_body_give_the_first_answer(store: PlannedStore, accept: Accept) -> None:
    key = samples.idempotency()
    first = await accept(key=key, response=b"first")
    again = await store.create(samples.task(), samples.schedule(), b"second", key)
    assert (again.task_id, again.response, again.replayed) == (first.id, b"first", True)
    assert await store.replay(OWNER, key) == again
    assert (await store.page(OWNER, Query())).total == 1


async def test_the_same_key_with_another_body_is_refused_and_stores_nothing(
    store: PlannedStore, accept: Accept
) -> None:
    await accept(key=samples.idempotency())
    other = samples.idempotency(body=b"other")
    with pytest.raises(IdempotencyMismatch):
        await store.create(samples.task(), samples.schedule(), b"{}", other)
    with pytest.raises(IdempotencyMismatch):
        await store.replay(OWNER, other)
    assert (await store.page(OWNER, Query())).total == 1


async def test_a_key_belongs_to_its_owner(store: PlannedStore, accept: Accept) -> None:
    key = samples.idempotency()
    await accept(key=key)
    assert await store.replay("own_2", key) is None
    theirs = await store.create(samples.task(owner="own_2"), samples.schedule(), b"{}", key)
    assert not theirs.replayed


async def test_twenty_calls_at_once_under_one_key_give_one_task(store: PlannedStore) -> None:
    key = samples.idempotency()
    made = await asyncio.gather(
        *(store.create(samples.task(), samples.schedule(), b"%d" % n, key) for n in range(20))
    )
    assert len({(each.task_id, each.response) for each in made}) == 1
    assert [each.replayed for each in made].count(False) == 1
    assert (await store.page(OWNER, Query())).total == 1


async def test_a_create_that_breaks_leaves_neither_task_nor_schedule_nor_key(
    store: PlannedStore, accept: Accept
) -> None:
    task = await accept()
    with pytest.raises((sqlite3.IntegrityError, asyncpg.UniqueViolationError)):
        await store.create(task, samples.schedule(), b"{}", samples.idempotency("other"))
    assert await store.replay(OWNER, samples.idempotency("other")) is None
    assert (await store.page(OWNER, Query())).total == 1


async def test_old_keys_are_forgotten_and_young_ones_kept(store: PlannedStore, accept: Accept) -> None:
    old, young = samples.idempotency("old"), samples.idempotency("young")
    await accept(key=old, created_at=NOW - 10)
    await accept(key=young, created_at=NOW)
    assert await store.sweep_idempotency(NOW) == 1
    assert await store.replay(OWNER, old) is None
    assert await store.replay(OWNER, young) is not None


async def test_another_process_sees_the_task_when_create_returns(
    store: PlannedStore, accept: Accept, another: Another
) -> None:
    task = await accept()
    other = await another()
    assert await other.get(OWNER, task.id) == task
    assert await other.schedule(task.id) == await store.schedule(task.id)
