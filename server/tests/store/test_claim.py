"""Claims: order, slots, leases, attempt tokens."""

import asyncio

from meshapi_server.store.planned import PlannedStore
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.states import Event, State, Status
from meshapi_server.tasks.task import Attempt, Claim

from .. import samples
from ..samples import LOCAL, NOW, OWNER, REMOTE, HandClock
from .conftest import Accept, Take


def names(claims: list[Claim]) -> list[str]:
    return [claim.task.id for claim in claims]


async def accepted(store: PlannedStore, claim: Claim, due: int = NOW) -> None:
    step = Step(event=Event.ACCEPTED, attempt=claim.schedule.attempt, upstream_ref="up", due=due)
    assert await store.step(claim.task.id, step, NOW)


async def test_the_highest_priority_goes_first_and_then_the_oldest(
    store: PlannedStore, accept: Accept, take: Take
) -> None:
    await store.set_pools(samples.pools(REMOTE, 100))
    priorities = [None, 3, 9, 0, 3]
    tasks = [await accept(spec=samples.spec(priority=priority)) for priority in priorities]
    assert names(await take()) == [tasks[index].id for index in (2, 1, 4, 0, 3)]


async def test_no_more_are_taken_than_were_asked_for(store: PlannedStore, accept: Accept, take: Take) -> None:
    await store.set_pools(samples.pools(REMOTE, 100))
    tasks = [await accept() for _ in range(5)]
    assert names(await take(limit=2)) == [task.id for task in tasks[:2]]
    assert names(await take(limit=2)) == [task.id for task in tasks[2:4]]


async def test_an_upstream_without_a_capacity_takes_nothing(accept: Accept, take: Take) -> None:
    await accept()
    assert await take() == []


async def test_an_upstream_takes_only_its_own_tasks(store: PlannedStore, accept: Accept, take: Take) -> None:
    for upstream in (LOCAL, REMOTE):
        await store.set_pools(samples.pools(upstream, 5))
    mine = await accept(upstream=LOCAL)
    await accept(upstream=REMOTE)
    assert names(await take(Event.CLAIM_RENDER, upstream=LOCAL)) == [mine.id]


async def test_a_task_that_is_not_due_waits(
    store: PlannedStore, accept: Accept, take: Take, clock: HandClock
) -> None:
    await store.set_pools(samples.pools(REMOTE, 5))
    task = await accept(due=NOW + 1)
    assert await take() == []
    clock.now += 1
    assert names(await take()) == [task.id]


async def test_a_slot_stays_taken_while_the_task_sleeps_upstream_and_until_the_upstream_has_let_go(
    store: PlannedStore, accept: Accept, take: Take
) -> None:
    await store.set_pools(samples.pools(REMOTE, 2))
    tasks = [await accept() for _ in range(3)]
    claims = await take()
    assert names(claims) == [tasks[0].id, tasks[1].id]
    for claim in claims:
        await accepted(store, claim, due=NOW + 60_000)
    assert await take() == []
    await store.cancel(OWNER, tasks[0].id, NOW)
    assert await take() == []
    (stop,) = await take(Event.CLAIM_CANCEL)
    let_go = Step(event=Event.LET_GO, attempt=stop.schedule.attempt)
    assert await store.step(tasks[0].id, let_go, NOW) is not None
    assert names(await take()) == [tasks[2].id]


async def test_a_deferred_task_gives_its_slot_back(store: PlannedStore, accept: Accept, take: Take) -> None:
    await store.set_pools(samples.pools(REMOTE, 1))
    first, second = await accept(), await accept()
    (claim,) = await take()
    step = Step(event=Event.DEFERRED, attempt=claim.schedule.attempt, due=NOW + 5_000)
    await store.step(first.id, step, NOW)
    assert names(await take()) == [second.id]


async def test_less_capacity_than_is_used_stops_claims_and_breaks_nothing(
    store: PlannedStore, accept: Accept, take: Take
) -> None:
    await store.set_pools(samples.pools(REMOTE, 3))
    for _ in range(4):
        await accept()
    assert len(await take(limit=3)) == 3
    await store.set_pools(samples.pools(REMOTE, 1))
    assert await take() == []


async def test_a_claim_is_the_intent_written_down(store: PlannedStore, accept: Accept, take: Take) -> None:
    await store.set_pools(samples.pools(REMOTE, 1))
    task = await accept()
    (claim,) = await take(worker="w7")
    stored = await store.schedule(task.id)
    assert stored == claim.schedule
    assert stored is not None
    assert (stored.state, stored.attempt, stored.worker, stored.lease_until) == (
        State.SENDING,
        1,
        "w7",
        NOW + 30_000,
    )
    (line,) = await store.timeline(task.id)
    assert line == Attempt(
        task_id=task.id,
        attempt=1,
        kind="submit",
        upstream=REMOTE,
        model=task.model,
        worker="w7",
        started_at=NOW,
    )


async def test_several_workers_at_once_never_get_the_same_task(
    store: PlannedStore, accept: Accept, take: Take
) -> None:
    await store.set_pools(samples.pools(REMOTE, 100))
    tasks = [await accept() for _ in range(40)]
    groups = await asyncio.gather(*(take(worker=f"w{n}") for n in range(8)))
    taken = [name for group in groups for name in names(group)]
    assert sorted(taken) == sorted(task.id for task in tasks)


async def test_several_workers_at_once_never_exceed_the_slots(
    store: PlannedStore, accept: Accept, take: Take
) -> None:
    await store.set_pools(samples.pools(REMOTE, 5))
    for _ in range(40):
        await accept()
    groups = await asyncio.gather(*(take(worker=f"w{n}") for n in range(8)))
    assert sum(len(group) for group in groups) == 5


async def test_a_poll_is_claimed_when_it_is_due_and_by_one_worker_only(
    store: PlannedStore, accept: Accept, take: Take, clock: HandClock
) -> None:
    await store.set_pools(samples.pools(REMOTE, 5))
    task = await accept()
    (claim,) = await take()
    await accepted(store, claim, due=NOW + 1_000)
    assert await take(Event.CLAIM_POLL) == []
    clock.now += 1_000
    (poll,) = await take(Event.CLAIM_POLL)
    assert (poll.task.id, poll.schedule.polls, poll.schedule.attempt) == (task.id, 1, 2)
    assert poll.schedule.upstream_ref == "up"
    assert await take(Event.CLAIM_POLL) == []


async def test_a_fetch_is_claimed_after_the_upstream_is_done(
    store: PlannedStore, accept: Accept, take: Take
) -> None:
    await store.set_pools(samples.pools(REMOTE, 5))
    task = await accept()
    (claim,) = await take()
    await accepted(store, claim)
    (poll,) = await take(Event.CLAIM_POLL)
    assert await take(Event.CLAIM_FETCH) == []
    await store.step(task.id, Step(event=Event.READY, attempt=poll.schedule.attempt, due=NOW), NOW)
    (fetch,) = await take(Event.CLAIM_FETCH)
    assert fetch.task.status is Status.RUNNING


async def test_two_steps_of_one_attempt_at_once_end_the_task_once(
    store: PlannedStore, accept: Accept, take: Take
) -> None:
    await store.set_pools(samples.pools(LOCAL, 1))
    task = await accept(upstream=LOCAL)
    (claim,) = await take(Event.CLAIM_RENDER, upstream=LOCAL)
    stored = Step(event=Event.STORED, attempt=claim.schedule.attempt, outcome=samples.outcome())
    results = await asyncio.gather(
        store.step(task.id, stored, NOW), store.cancel(OWNER, task.id, NOW), store.step(task.id, stored, NOW)
    )
    assert sum(result is not None for result in results) == 1
    ended = await store.get(OWNER, task.id)
    assert ended == next(result for result in results if result is not None)
    await accept(upstream=LOCAL)
    assert len(await take(Event.CLAIM_RENDER, upstream=LOCAL)) == 1


async def test_queue_positions_count_what_is_served_before(store: PlannedStore, accept: Accept) -> None:
    first, second = await accept(), await accept()
    urgent = await accept(spec=samples.spec(priority=5))
    elsewhere = await accept(upstream=LOCAL)
    positions = await store.queue_positions([first, second, urgent, elsewhere])
    assert positions == {urgent.id: 0, first.id: 1, second.id: 2, elsewhere.id: 0}
    assert await store.queue_positions([second]) == {second.id: 2}
