"""Submissions whose answer was lost: looked for without paying twice, and given up in time."""

import asyncio
from typing import Any

import pytest

from meshapi_server.tasks.life import RECONCILE_WITHIN
from meshapi_server.tasks.states import Event, State, Status
from meshapi_server.tasks.task import Task, TaskError
from meshapi_server.upstreams.contract import Abilities, Accepted, Deferred, Job, Rejected, Unserved

from ..samples import OWNER
from .bench import LEASE, Bench, Hand
from .faulty import FaultyStore
from .scripted import (
    CANCELS,
    FINDS,
    NOTHING,
    REFUSAL,
    RESENDS,
    Gate,
    ScriptedRemote,
    accept,
    lose,
    running,
    with_picture,
)


async def lost_by(hand: Hand, bench: Bench, **fields: Any) -> Task:
    """A task whose submission, made by ``hand``, is unknown and due to be looked for."""
    task = await bench.create(**fields)
    await hand.submit()
    assert await bench.state(task) is State.UNKNOWN
    bench.pass_time(1)
    return task


async def test_an_upstream_that_resends_is_asked_again_with_the_same_token_and_the_task_goes_on(
    bench: Bench,
) -> None:
    async def lose_once(job: Job) -> Accepted:
        return await (lose(job) if len(upstream.submits) == 1 else accept(job))

    upstream = ScriptedRemote(submit=lose_once, abilities=RESENDS)
    task = await bench.create()
    async with bench.working(upstream):
        assert (await bench.ended(task)).status is Status.SUCCEEDED
    assert [job.token for job in upstream.submits] == [f"{task.id}.1", f"{task.id}.1"]


async def test_an_upstream_that_finds_is_searched_and_what_it_has_is_adopted(bench: Bench) -> None:
    async def find_late(job: Job) -> Accepted | None:
        return await accept(job) if len(upstream.finds) == 3 else None

    upstream = ScriptedRemote(submit=lose, find=find_late, abilities=FINDS)
    task = await bench.create()
    async with bench.working(upstream):
        assert (await bench.ended(task)).status is Status.SUCCEEDED
    assert (len(upstream.submits), len(upstream.finds)) == (1, 3)
    assert {job.token for job in upstream.finds} == {f"{task.id}.1"}


async def test_what_is_not_found_until_the_deadline_fails_as_possibly_charged(bench: Bench) -> None:
    upstream = ScriptedRemote(submit=lose, abilities=FINDS)
    task = await bench.create()
    begun = bench.clock()
    async with bench.working(upstream):
        await bench.rests(task, State.UNKNOWN)
        assert (await bench.schedule(task)).give_up_at == begun + RECONCILE_WITHIN
        ended = await bench.ended(task)
    error = await bench.error(task)
    assert (error.code, error.charged) == ("submission_unknown", "unknown")
    assert begun + RECONCILE_WITHIN < bench.clock()
    assert (ended.status, len(upstream.submits)) == (Status.FAILED, 1)
    assert len(upstream.finds) >= 5


async def test_the_deadline_is_the_operators(bench: Bench) -> None:
    upstream = ScriptedRemote(submit=lose, abilities=FINDS)
    task = await bench.create()
    async with bench.working(upstream, reconcile_within=5_000):
        row = await bench.rests(task, State.UNKNOWN)
        assert row.give_up_at == bench.clock() + 5_000


async def test_the_search_comes_ever_more_rarely(bench: Bench) -> None:
    hand = await bench.hand(ScriptedRemote(submit=lose, abilities=FINDS))
    task = await lost_by(hand, bench)
    waits = []
    for _ in range(4):
        await hand.reconcile()
        waits.append((await bench.schedule(task)).due - bench.clock())
        bench.pass_time(waits[-1] / 1000)
    assert waits == [1_000, 2_000, 4_000, 8_000]


async def test_a_search_waits_as_long_as_a_busy_upstream_asks_for(bench: Bench) -> None:
    async def busy(job: Job) -> Accepted | None:
        raise Deferred("busy", retry_after=17)

    hand = await bench.hand(ScriptedRemote(submit=lose, find=busy, abilities=FINDS))
    task = await lost_by(hand, bench)
    await hand.reconcile()
    assert (await bench.schedule(task)).due == bench.clock() + 17_000


async def test_a_resend_that_the_upstream_refuses_ends_the_task_with_its_words(bench: Bench) -> None:
    async def lose_then_refuse(job: Job) -> Accepted:
        if len(upstream.submits) == 1:
            return await lose(job)
        raise Rejected(REFUSAL)

    upstream = ScriptedRemote(submit=lose_then_refuse, abilities=RESENDS)
    task = await bench.create()
    async with bench.working(upstream):
        await bench.ended(task)
    assert await bench.error(task) == REFUSAL


@pytest.mark.parametrize(
    "answer",
    [Deferred("busy", retry_after=1), Unserved(TaskError(code="upstream_error", message="broke"))],
)
async def test_a_resend_that_is_only_put_off_says_nothing_of_the_first_call(
    bench: Bench, answer: Exception
) -> None:
    async def lose_then_put_off(job: Job) -> Accepted:
        if len(upstream.submits) == 1:
            return await lose(job)
        raise answer

    upstream = ScriptedRemote(submit=lose_then_put_off, abilities=RESENDS)
    hand = await bench.hand(upstream)
    task = await lost_by(hand, bench)
    await hand.reconcile()
    assert await bench.state(task) is State.UNKNOWN


async def test_the_late_answer_of_a_frozen_worker_is_adopted(bench: Bench) -> None:
    gate = Gate()
    frozen = await bench.hand(ScriptedRemote(submit=gate, abilities=FINDS), "frozen")
    other = await bench.hand(ScriptedRemote(abilities=FINDS), "other")
    task = await bench.create()
    asking = asyncio.create_task(frozen.submit())
    await gate.asked()
    bench.pass_time(LEASE + 1)
    await bench.reap()
    await other.reconcile()
    gate.open()
    await asking
    row = await bench.schedule(task)
    assert (row.state, row.upstream_ref) == (State.POLLING, f"up-{task.id}")


async def test_the_late_refusal_of_a_frozen_worker_ends_the_task_with_the_upstreams_words(
    bench: Bench,
) -> None:
    async def refuse(job: Job) -> Accepted:
        raise Rejected(REFUSAL)

    gate = Gate(refuse)
    frozen = await bench.hand(ScriptedRemote(submit=gate, abilities=FINDS), "frozen")
    other = await bench.hand(ScriptedRemote(abilities=FINDS), "other")
    task = await bench.create()
    asking = asyncio.create_task(frozen.submit())
    await gate.asked()
    bench.pass_time(LEASE + 1)
    await bench.reap()
    await other.reconcile()
    gate.open()
    await asking
    assert await bench.error(task) == REFUSAL


async def test_an_answer_that_comes_after_everything_was_given_up_stops_the_upstream(bench: Bench) -> None:
    gate = Gate()
    upstream = ScriptedRemote(submit=gate)
    frozen = await bench.hand(upstream)
    task = await bench.create()
    asking = asyncio.create_task(frozen.submit())
    await gate.asked()
    bench.pass_time(LEASE + 1)
    await bench.reap()
    bench.pass_time(RECONCILE_WITHIN / 1000 + 1)
    await bench.store.expire(bench.clock())
    gate.open()
    await asking
    assert upstream.cancelled == [f"up-{task.id}"]
    assert (await bench.error(task)).code == "submission_unknown"


async def test_an_answer_that_somebody_else_found_already_stops_nothing(bench: Bench) -> None:
    gate = Gate()
    upstream = ScriptedRemote(submit=gate, find=accept, abilities=FINDS)
    frozen, other = await bench.hand(upstream, "frozen"), await bench.hand(upstream, "other")
    task = await bench.create()
    asking = asyncio.create_task(frozen.submit())
    await gate.asked()
    bench.pass_time(LEASE + 1)
    await bench.reap()
    await other.reconcile()
    gate.open()
    await asking
    assert (await bench.state(task), upstream.cancelled) == (State.POLLING, [])


async def test_a_stopped_task_of_a_stale_answer_is_told_once_even_when_the_upstream_fails(
    bench: Bench,
) -> None:
    async def broken(reference: str) -> bool:
        raise ConnectionError

    gate = Gate()
    upstream = ScriptedRemote(submit=gate, cancel=broken)
    frozen = await bench.hand(upstream)
    task = await bench.create()
    asking = asyncio.create_task(frozen.submit())
    await gate.asked()
    bench.pass_time(LEASE + 1)
    await bench.reap()
    bench.pass_time(RECONCILE_WITHIN / 1000 + 1)
    await bench.store.expire(bench.clock())
    gate.open()
    await asking
    assert upstream.cancelled == [f"up-{task.id}"]


@pytest.mark.parametrize("abilities", [NOTHING, CANCELS, FINDS, RESENDS])
async def test_fifty_unknown_submissions_stall_an_upstream_of_fifty_slots_no_longer_than_their_deadline(
    bench: Bench, abilities: Abilities
) -> None:
    lost = [await bench.create() for _ in range(50)]
    waiting = await bench.create()
    hand = await bench.hand(ScriptedRemote(capacity=50, abilities=abilities))
    for _ in lost:
        await hand.take(Event.CLAIM_SUBMIT)  # by a worker that is killed before it hears an answer
    gone = bench.clock()

    async def lose_first(job: Job) -> Accepted:
        return await (accept(job) if job.task_id == waiting.id else lose(job))

    upstream = ScriptedRemote(submit=lose_first, poll=running, capacity=50, abilities=abilities)
    async with bench.working(upstream):
        await bench.reaches(lost[-1], State.UNKNOWN)
        bench.pass_time(RECONCILE_WITHIN / 1000 + 0.001)
        await bench.reaches(waiting, State.POLLING)
    assert bench.clock() - gone == RECONCILE_WITHIN + 1
    for task in lost:
        assert (await bench.task(task.id)).ended


async def test_what_was_cancelled_meanwhile_is_searched_for_rather_than_asked_for_again(
    bench: Bench,
) -> None:
    both = Abilities(cancels=True, finds=True, resends=True)
    upstream = ScriptedRemote(submit=lose, find=accept, abilities=both)
    hand = await bench.hand(upstream)
    task = await lost_by(hand, bench)
    await bench.service.cancel(OWNER, task.id)
    await hand.reconcile()
    assert (len(upstream.submits), len(upstream.finds)) == (1, 1)
    assert await bench.state(task) is State.CANCELLING


async def test_what_was_cancelled_is_not_looked_for_where_it_could_not_be_stopped(bench: Bench) -> None:
    upstream = ScriptedRemote(submit=lose, abilities=Abilities(resends=True))
    hand = await bench.hand(upstream)
    task = await lost_by(hand, bench)
    await bench.service.cancel(OWNER, task.id)
    await hand.reconcile()
    assert (len(upstream.submits), await bench.state(task)) == (1, State.DONE)
    assert (await bench.error(task)).code == "cancelled"


async def test_a_search_that_a_cancel_overtakes_goes_on_and_what_it_finds_is_stopped(bench: Bench) -> None:
    gate = Gate()
    upstream = ScriptedRemote(submit=lose, find=gate, abilities=FINDS)
    hand = await bench.hand(upstream)
    task = await lost_by(hand, bench)
    looking = asyncio.create_task(hand.reconcile())
    await gate.asked()
    cancelled = await bench.service.cancel(OWNER, task.id)
    assert cancelled.ended
    gate.open()
    await looking
    assert await bench.state(task) is State.CANCELLING
    await hand.cancel()
    assert (upstream.cancelled, await bench.state(task)) == ([f"up-{task.id}"], State.DONE)


async def test_a_search_whose_inputs_cannot_be_read_is_made_later(bench: Bench) -> None:
    store = FaultyStore(bench.store)
    bench.store = store.port
    upstream = ScriptedRemote(submit=lose, find=accept, abilities=FINDS)
    hand = await bench.hand(upstream)
    task = await lost_by(hand, bench, content=with_picture())
    store.fail("inputs")
    await hand.reconcile()
    assert (await bench.state(task), upstream.finds) == (State.UNKNOWN, [])
    store.mend()
    bench.pass_time(10)
    await hand.reconcile()
    assert await bench.state(task) is State.POLLING
