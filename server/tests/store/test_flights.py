"""How many tasks a key has in flight: exact, over any number of processes."""

import asyncio
from collections.abc import Sequence

from meshapi_server.accounts.key import Key
from meshapi_server.accounts.keys import Keys
from meshapi_server.store.planned import PlannedStore
from meshapi_server.store.stored_keys import StoredKeys
from meshapi_server.tasks.errors import TooManyTasks
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.ports import Created, Idempotency, Query
from meshapi_server.tasks.states import Event, State
from meshapi_server.tasks.task import Outcome, TaskError

from .. import samples
from ..samples import NOW, OWNER, HandClock
from .conftest import Another, Sql, Take


async def make(store: PlannedStore, clock: HandClock, **terms: int) -> Key:
    _, key = await Keys(StoredKeys(store), clock).create("ci", OWNER, **terms)  # type: ignore[arg-type]
    return key


async def ask(store: PlannedStore, key: Key, idempotency: Idempotency | None = None) -> Created:
    task = samples.task(key_id=key.id)
    schedule = samples.schedule_of(task, lane=key.lane)
    return await store.create(task, schedule, b"{}", idempotency, most_in_flight=key.tasks_in_flight)


async def crowd(stores: Sequence[PlannedStore], key: Key, each: int) -> list[Created | BaseException]:
    return await asyncio.gather(
        *(ask(store, key) for _ in range(each) for store in stores), return_exceptions=True
    )


async def test_of_many_at_once_exactly_so_many_are_accepted(another: Another, clock: HandClock) -> None:
    stores = [await another(), await another()]
    key, free = await make(stores[0], clock, tasks_in_flight=7), await make(stores[0], clock)
    limited, unlimited = await asyncio.gather(crowd(stores, key, 20), crowd(stores, free, 20))
    assert sum(isinstance(answer, Created) for answer in limited) == 7
    assert sum(isinstance(answer, TooManyTasks) for answer in limited) == 33
    assert all(isinstance(answer, Created) for answer in unlimited)
    assert (await stores[1].page(OWNER, Query())).total == 7 + 40


async def test_a_task_that_ends_makes_room_for_one(store: PlannedStore, clock: HandClock, take: Take) -> None:
    key = await make(store, clock, tasks_in_flight=2)
    first, _ = await ask(store, key), await ask(store, key)
    for _ in range(2):
        assert isinstance((await crowd([store], key, 1))[0], TooManyTasks)
    assert await store.cancel(OWNER, first.task_id, NOW)
    answers = await crowd([store], key, 3)
    assert sum(isinstance(answer, Created) for answer in answers) == 1


async def test_a_running_task_is_in_flight_and_a_failed_one_is_not(
    store: PlannedStore, clock: HandClock, take: Take
) -> None:
    await store.set_pools(samples.pools(samples.REMOTE, 5))
    key = await make(store, clock, tasks_in_flight=1)
    made = await ask(store, key)
    (claim,) = await take(Event.CLAIM_SUBMIT)
    assert claim.schedule.state is State.SENDING
    assert isinstance((await crowd([store], key, 1))[0], TooManyTasks)
    error = TaskError(code="upstream_error", message="no")
    failed = Step(event=Event.FAILED, attempt=claim.schedule.attempt, outcome=Outcome(error=error))
    assert await store.step(made.task_id, failed, NOW)
    assert isinstance((await crowd([store], key, 1))[0], Created)


async def test_a_refused_call_leaves_its_idempotency_key_free(store: PlannedStore, clock: HandClock) -> None:
    key = await make(store, clock, tasks_in_flight=1)
    first = await ask(store, key, samples.idempotency("a"))
    refused = await asyncio.gather(
        *(ask(store, key, samples.idempotency("b")) for _ in range(3)), return_exceptions=True
    )
    assert all(isinstance(answer, TooManyTasks) for answer in refused)
    assert (await ask(store, key, samples.idempotency("a"))).replayed
    assert await store.cancel(OWNER, first.task_id, NOW)
    assert not (await ask(store, key, samples.idempotency("b"))).replayed


async def test_tasks_from_before_a_limit_was_set_are_counted_too(
    store: PlannedStore, clock: HandClock, take: Take, sql: Sql
) -> None:
    await store.set_pools(samples.pools(samples.REMOTE, 2))
    room = Keys(StoredKeys(store), clock)
    key, other = await make(store, clock), await make(store, clock)
    for each in (key, key, key, other):
        await ask(store, each)
    assert len(await take(Event.CLAIM_SUBMIT)) == 2
    limited = await room.update(key.id, tasks_in_flight=4, concurrency=1)
    assert limited is not None
    answers = await crowd([store], limited, 3)
    assert sum(isinstance(answer, Created) for answer in answers) == 1
    assert await sql("select capacity, used from pool where name = :name", name=limited.lane) == [(1, 2)]
    assert await sql("select count(*) from schedule where lane = :name", name=limited.lane) == [(4,)]
    await room.update(key.id, tasks_in_flight=None, concurrency=None)
    assert await sql("select capacity, used from pool where name = :name", name=limited.lane) == [
        (1_000_000_000, 2)
    ]
