"""The feed of events: complete, in order, for its owner only, in either dialect."""

import asyncio

import pytest

from meshapi_server.callbacks.courier import Courier
from meshapi_server.callbacks.ports import FAILED, SUCCEEDED
from meshapi_server.callbacks.service import KEPT, Webhooks
from meshapi_server.store import announcing
from meshapi_server.store.planned import PlannedStore
from meshapi_server.store.stored_callbacks import StoredCallbacks
from meshapi_server.tasks import ids
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.states import Event, State

from .. import samples
from ..samples import OWNER, HandClock
from ..store.conftest import Another, Sql
from .conftest import End, deliver, log_of
from .receiver import Receiver


async def test_the_feed_goes_on_behind_the_last_event_that_was_seen(webhooks: Webhooks, end: End) -> None:
    told = [(await end()).id for _ in range(5)]
    first, more = await webhooks.events(OWNER, "", 3)
    assert ([event.task_id for event in first], more) == (told[:3], True)
    second, more = await webhooks.events(OWNER, first[-1].id, 3)
    assert ([event.task_id for event in second], more) == (told[3:], False)
    assert await webhooks.events(OWNER, second[-1].id, 3) == ([], False)
    later = await end()
    third, _ = await webhooks.events(OWNER, second[-1].id, 3)
    assert [event.task_id for event in third] == [later.id]


async def test_a_feed_holds_its_owners_events_only(webhooks: Webhooks, end: End) -> None:
    mine, others = await end(), await end(owner="own_2")
    for owner, task in ((OWNER, mine), ("own_2", others)):
        events, _ = await webhooks.events(owner, "", 10)
        assert [event.task_id for event in events] == [task.id]


async def test_every_way_to_end_is_an_event_of_its_own(
    store: PlannedStore, webhooks: Webhooks, clock: HandClock
) -> None:
    async def accepted(state: State = State.QUEUED) -> str:
        task = samples.task()
        row = samples.schedule(state=state, expires_at=task.expires_at)
        await store.create(task, row, b"{}", None)
        return task.id

    cancelled, failed, stored, expired = (
        await accepted(),
        await accepted(State.FETCHING),
        await accepted(State.FETCHING),
        await accepted(),
    )
    await store.cancel(OWNER, cancelled, clock())
    await store.step(failed, Step(event=Event.FAILED), clock())
    await store.step(stored, Step(event=Event.STORED, outcome=samples.outcome()), clock())
    clock.now += samples.EXPIRY + 1
    await store.expire(clock())
    events, _ = await webhooks.events(OWNER, "", 10)
    assert [(event.task_id, event.type) for event in events] == [
        (cancelled, FAILED),
        (failed, FAILED),
        (stored, SUCCEEDED),
        (expired, FAILED),
    ]
    assert [event.created_at for event in events] == [event.task.completed_at for event in events]


async def test_a_reader_that_follows_the_feed_misses_nothing_while_processes_write_it_at_once(
    another: Another, webhooks: Webhooks, clock: HandClock, database: str
) -> None:
    shared = database.startswith("postgresql")
    stores = [await another() for _ in range(3 if shared else 1)]
    tasks = [samples.task() for _ in range(90)]
    for task in tasks:
        await stores[0].create(task, samples.schedule_of(task), b"{}", None)

    async def end_some(store: PlannedStore, some: list[str]) -> None:
        await asyncio.gather(*(store.cancel(OWNER, task_id, clock()) for task_id in some))

    shares = [[task.id for task in tasks[index :: len(stores)]] for index in range(len(stores))]
    writing = asyncio.gather(*map(end_some, stores, shares))
    seen: list[str] = []
    cursor = ""
    async with asyncio.timeout(30):
        while len(seen) < len(tasks):
            events, _ = await webhooks.events(OWNER, cursor, 7)
            seen += [event.task_id for event in events]
            cursor = events[-1].id if events else cursor
            await asyncio.sleep(0)
    await writing
    assert sorted(seen) == sorted(task.id for task in tasks)
    assert await webhooks.events(OWNER, cursor, 7) == ([], False)


async def test_ids_ascend_also_when_a_machines_clock_is_behind(
    webhooks: Webhooks, end: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [(await end()).id]
    behind = iter(range(1, 100))
    monkeypatch.setattr("meshapi_server.tasks.ids.ulid", lambda: f"{next(behind):026d}")
    told += [(await end()).id for _ in range(3)]
    monkeypatch.undo()
    told.append((await end()).id)
    events, _ = await webhooks.events(OWNER, "", 10)
    assert [event.task_id for event in events] == told
    numbers = [event.id for event in events]
    assert numbers == sorted(set(numbers))


async def test_what_is_older_than_thirty_days_is_forgotten_with_its_deliveries(
    webhooks: Webhooks,
    callbacks: StoredCallbacks,
    courier: Courier,
    receiver: Receiver,
    end: End,
    clock: HandClock,
    sql: Sql,
) -> None:
    await end(receiver.url())
    await deliver(courier)
    assert await webhooks.sweep() == 0, "ids tell the real time, and the hand clock is behind it"
    (event,), _ = await webhooks.events(OWNER, "", 10)
    clock.now = _made_at(event.id) + KEPT
    assert await webhooks.sweep() == 0
    clock.now += 1
    assert await webhooks.sweep() == 1
    assert await webhooks.events(OWNER, "", 10) == ([], False)
    assert await log_of(webhooks) == []
    assert await sql("select count(*) from delivery_attempt") == [(0,)]


def _made_at(event_id: str) -> int:
    return announcing._number(event_id.removeprefix("evt_")) >> 80


def test_ids_that_pass_over_earlier_ones_never_meet_those_of_another_owner() -> None:
    given: set[str] = set()
    for _ in range(300):
        plan = announcing._event_ids("own_late", 2)
        next(plan)
        earlier = f"evt_{ids.ulid()}"  # taken after this owner's, and stored before them
        plan.send([(earlier,)])
        with pytest.raises(StopIteration) as done:
            plan.send(None)
        mine = done.value.value
        assert earlier < mine[0] < mine[1]
        others = [f"evt_{ids.ulid()}" for _ in range(3)]
        assert set(mine).isdisjoint(others)
        assert given.isdisjoint([*mine, *others])
        given.update([*mine, *others, earlier])
