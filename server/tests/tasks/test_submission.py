"""The paid call: asked once, at the right moment, and its answer kept."""

import asyncio

import pytest

from meshapi_server.tasks.states import Event, State, Status
from meshapi_server.tasks.task import TaskError
from meshapi_server.upstreams.contract import (
    Abilities,
    Accepted,
    Deferred,
    Job,
    Progress,
    Rejected,
    Unserved,
)

from .bench import LEASE, REMOTE, Bench, Hand
from .faulty import FaultyStore
from .scripted import CANCELS, FINDS, RESENDS, Gate, ScriptedRemote, accept, lose, running, with_picture


async def test_a_remote_task_is_asked_for_once_polled_and_fetched_before_it_succeeds(bench: Bench) -> None:
    answers = iter(["queued", "running", "running"])

    async def poll(reference: str, job: Job) -> Progress:
        match next(answers, "succeeded"):
            case "queued":
                return Progress(state="queued", look_again_in=0)
            case "running":
                return Progress(state="running", fraction=0.5, look_again_in=0)
        return Progress(state="succeeded", fraction=1.0)

    upstream = ScriptedRemote(poll=poll)
    task = await bench.create()
    async with bench.working(upstream):
        ended = await bench.ended(task)
    assert (ended.status, len(upstream.submits), upstream.polls) == (Status.SUCCEEDED, 1, 4)
    assert bench.files.path(task.id, "video.mp4") is not None


async def test_a_rejection_by_the_upstream_reaches_the_caller(bench: Bench) -> None:
    error = TaskError(code="content_policy_violation", message="No.", charged="no")

    async def reject(job: Job) -> Accepted:
        raise Rejected(error)

    task = await bench.create()
    async with bench.working(ScriptedRemote(submit=reject)):
        await bench.ended(task)
    assert await bench.error(task) == error


async def test_a_deferred_submission_is_asked_again_as_another_submission(bench: Bench) -> None:
    async def busy_once(job: Job) -> Accepted:
        if job.attempt == 1:
            raise Deferred("busy", retry_after=7)
        return await accept(job)

    upstream = ScriptedRemote(submit=busy_once)
    task = await bench.create()
    async with bench.working(upstream):
        assert (await bench.ended(task)).status is Status.SUCCEEDED
    assert [job.token for job in upstream.submits] == [f"{task.id}.1", f"{task.id}.2"]


async def test_a_deferred_submission_waits_as_long_as_the_upstream_asked_for(bench: Bench) -> None:
    async def busy(job: Job) -> Accepted:
        raise Deferred("busy", retry_after=90)

    task = await bench.create()
    hand = await bench.hand(ScriptedRemote(submit=busy))
    await hand.submit()
    assert (await bench.schedule(task)).due == bench.clock() + 90_000


async def test_a_worker_whose_lease_no_longer_outlasts_the_call_does_not_send(bench: Bench) -> None:
    upstream = ScriptedRemote()
    task = await bench.create()
    hand = await bench.hand(upstream)
    claim = await hand.take(Event.CLAIM_SUBMIT)
    bench.pass_time(LEASE * 0.4)
    await hand.submissions.submit(claim)
    assert upstream.submits == []
    assert await bench.state(task) is State.QUEUED
    await hand.submit()
    assert await bench.state(task) is State.POLLING


async def test_a_call_that_hangs_is_given_up_before_its_lease_ends(bench: Bench) -> None:
    hangs = Gate()
    upstream = ScriptedRemote(submit=hangs, abilities=RESENDS)
    task = await bench.create()
    async with bench.working(upstream, lease=0.3):
        await bench.reaches(task, State.UNKNOWN)
        lines = await bench.lines(task)
    # The clock stands still, so that the lease itself was never lost.
    assert (lines[0].kind, lines[0].result) == ("submit", "lease_lost")
    assert lines[0].message == "the answer was lost"


async def test_what_cannot_be_read_from_the_store_is_not_sent_and_is_sent_later(bench: Bench) -> None:
    task = await bench.create(content=with_picture())
    upstream = ScriptedRemote()
    store = FaultyStore(bench.store)
    bench.store = store.port
    hand = await bench.hand(upstream)
    store.fail("inputs")
    await hand.submit()
    assert (upstream.submits, await bench.state(task)) == ([], State.QUEUED)
    store.mend()
    bench.pass_time(60)
    await hand.submit()
    assert await bench.state(task) is State.POLLING


async def test_a_refusal_stays_a_refusal_when_the_pause_cannot_be_written_down(bench: Bench) -> None:
    async def busy(job: Job) -> Accepted:
        raise Deferred("busy", retry_after=1, pause=True)

    task = await bench.create()
    store = FaultyStore(bench.store)
    bench.store = store.port
    hand = await bench.hand(ScriptedRemote(submit=busy))
    store.fail("pause")
    await hand.submit()
    assert await bench.state(task) is State.QUEUED


@pytest.mark.parametrize(
    "refusal", [Deferred("busy", retry_after=0), Unserved(TaskError(code="upstream_error", message="no"))]
)
async def test_a_refusal_is_never_taken_for_an_unknown_answer(bench: Bench, refusal: Exception) -> None:
    async def refuse(job: Job) -> Accepted:
        raise refusal

    task = await bench.create()
    hand = await bench.hand(ScriptedRemote(submit=refuse, abilities=RESENDS))
    await hand.submit()
    assert await bench.state(task) in {State.QUEUED, State.DONE}


async def test_an_answer_outlives_a_store_that_is_away_for_a_while(bench: Bench) -> None:
    upstream = ScriptedRemote(poll=running)
    task = await bench.create()
    store = FaultyStore(bench.store)
    bench.store = store.port
    hand = await bench.hand(upstream)
    claim = await hand.take(Event.CLAIM_SUBMIT)
    store.fail("step")
    saving = asyncio.create_task(hand.submissions.submit(claim))

    async def refused() -> bool:
        return store.failed >= 2

    await bench.until(refused)
    store.mend()
    await asyncio.wait_for(saving, 20)
    assert (await bench.schedule(task)).upstream_ref == f"up-{task.id}"
    assert len(upstream.submits) == 1


async def test_an_upstream_with_neither_ability_is_asked_once_and_a_lost_answer_ends_the_task(
    bench: Bench,
) -> None:
    upstream = ScriptedRemote(submit=lose)
    task = await bench.create(REMOTE)
    async with bench.working(upstream):
        await bench.ended(task)
    error = await bench.error(task)
    assert (error.code, error.charged, len(upstream.submits)) == ("submission_unknown", "unknown", 1)
    assert await bench.state(task) is State.DONE


@pytest.mark.parametrize("abilities", [CANCELS, FINDS])
async def test_an_acceptance_without_the_upstreams_id_is_a_lost_answer(
    bench: Bench, abilities: Abilities
) -> None:
    async def nameless(job: Job) -> Accepted:
        return Accepted(reference="")

    upstream = ScriptedRemote(submit=nameless, find=nameless, abilities=abilities)
    task = await bench.create()
    async with bench.working(upstream):
        await bench.ended(task)
    assert ((await bench.error(task)).code, len(upstream.submits)) == ("submission_unknown", 1)
    assert upstream.polls == 0


async def test_a_killed_worker_leaves_its_submission_unknown_and_nobody_repeats_it(bench: Bench) -> None:
    upstream = ScriptedRemote()
    task = await bench.create()
    hand: Hand = await bench.hand(upstream)
    await hand.take(Event.CLAIM_SUBMIT)  # and never heard of again
    async with bench.working(upstream):  # a fresh start: every lease is a dead worker's
        await bench.rests(task, State.UNKNOWN)
        bench.pass_time(61)
        await bench.ended(task)
    assert upstream.submits == []
    assert (await bench.error(task)).code == "submission_unknown"
