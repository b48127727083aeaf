"""Cancels and expiries: the caller's task ends at once, and the upstream hears of it for certain."""

import asyncio

import pytest

from meshapi_server.tasks.errors import TaskBusy, TaskEnded, TaskMissing
from meshapi_server.tasks.life import CANCEL_WITHIN
from meshapi_server.tasks.states import Event, State, Status
from meshapi_server.tasks.task import Task
from meshapi_server.upstreams.contract import Accepted, Deferred, Job, Progress, Unserved

from ..samples import OWNER
from .bench import LEASE, Bench, Hand
from .scripted import FINDS, NOTHING, REFUSAL, Gate, ScriptedRemote, lose, never, running

HOUR = 3_600  # s


async def asleep(bench: Bench, hand: Hand) -> Task:
    """A task that sleeps at ``hand``'s upstream."""
    task = await bench.create()
    await hand.submit()
    assert await bench.state(task) is State.POLLING
    return task


async def cancelled(bench: Bench, task: Task) -> None:
    """Cancel the task, and see that it has ended for its caller."""
    ended = await bench.service.cancel(OWNER, task.id)
    assert (ended.status, (await bench.error(task)).code) == (Status.FAILED, "cancelled")


async def test_a_task_that_waits_ends_at_once_with_nothing_left_to_do(bench: Bench) -> None:
    task = await bench.create()
    await cancelled(bench, task)
    assert await bench.state(task) is State.DONE


async def test_a_task_that_sleeps_upstream_is_stopped_there(bench: Bench) -> None:
    upstream = ScriptedRemote(poll=running)
    task = await bench.create()
    async with bench.working(upstream):
        await bench.rests(task, State.POLLING)
        await cancelled(bench, task)
        await bench.reaches(task, State.DONE)
    assert upstream.cancelled == [f"up-{task.id}"]


async def test_a_task_whose_result_is_being_fetched_ends_and_its_files_are_dropped(bench: Bench) -> None:
    upstream = ScriptedRemote(fetch=never)
    task = await bench.create()
    async with bench.working(upstream):
        await bench.reaches(task, State.FETCHING)
        await cancelled(bench, task)
        await bench.reaches(task, State.DONE)
    assert upstream.cancelled == []
    assert bench.files.path(task.id, "video.mp4") is None


async def test_a_task_cancelled_while_it_is_sent_is_stopped_upstream_once_it_was_accepted(
    bench: Bench,
) -> None:
    gate = Gate()
    upstream = ScriptedRemote(submit=gate)
    task = await bench.create()
    async with bench.working(upstream):
        await gate.asked()
        assert (await bench.service.cancel(OWNER, task.id)).status is Status.PENDING
        gate.open()
        await bench.ended(task)
        await bench.reaches(task, State.DONE)
    assert (await bench.error(task)).code == "cancelled"
    assert upstream.cancelled == [f"up-{task.id}"]


@pytest.mark.parametrize("refusal", [Deferred("busy", retry_after=0), Unserved(REFUSAL)])
async def test_a_task_cancelled_while_it_is_sent_is_not_sent_again_after_a_refusal(
    bench: Bench, refusal: Exception
) -> None:
    async def refuse(job: Job) -> Accepted:
        raise refusal

    gate = Gate(refuse)
    upstream = ScriptedRemote(submit=gate)
    task = await bench.create()
    async with bench.working(upstream):
        await gate.asked()
        await bench.service.cancel(OWNER, task.id)
        gate.open()
        await bench.ended(task)
        await bench.reaches(task, State.DONE)
    assert len(upstream.submits) == 1


async def test_a_task_cancelled_while_it_is_sent_ends_even_when_its_answer_is_lost(bench: Bench) -> None:
    gate = Gate(lose)
    upstream = ScriptedRemote(submit=gate, abilities=FINDS)
    task = await bench.create()
    async with bench.working(upstream):
        await gate.asked()
        await bench.service.cancel(OWNER, task.id)
        gate.open()
        await bench.ended(task)
        assert (await bench.error(task)).code == "cancelled"
        assert await bench.state(task) is State.UNKNOWN
        await bench.done(task)


async def test_a_task_whose_submission_is_unknown_ends_at_once_and_is_stopped_when_it_is_found(
    bench: Bench,
) -> None:
    async def find_late(job: Job) -> Accepted | None:
        return Accepted(reference="found") if len(upstream.finds) == 2 else None

    upstream = ScriptedRemote(submit=lose, find=find_late, abilities=FINDS)
    hand = await bench.hand(upstream)
    task = await bench.create()
    await hand.submit()
    await cancelled(bench, task)
    async with bench.working(upstream):
        await bench.done(task)
    assert upstream.cancelled == ["found"]


async def test_an_upstream_is_told_by_another_worker_when_the_first_dies_between_the_cancel_and_the_call(
    bench: Bench,
) -> None:
    upstream = ScriptedRemote(poll=running)
    hand = await bench.hand(upstream)
    task = await asleep(bench, hand)
    await cancelled(bench, task)
    await hand.take(Event.CLAIM_CANCEL)  # and dies
    assert upstream.cancelled == []
    bench.pass_time(LEASE + 1)
    await bench.reap()
    other = await bench.hand(upstream, "other")
    await other.cancel()
    assert (upstream.cancelled, await bench.state(task)) == ([f"up-{task.id}"], State.DONE)


async def test_an_upstream_that_fails_to_answer_a_cancel_is_told_again(bench: Bench) -> None:
    async def stumble(reference: str) -> bool:
        if len(upstream.cancelled) < 4:
            raise ConnectionResetError
        return True

    upstream = ScriptedRemote(poll=running, cancel=stumble)
    task = await bench.create()
    async with bench.working(upstream):
        await bench.rests(task, State.POLLING)
        await cancelled(bench, task)
        await bench.done(task)
    assert len(upstream.cancelled) == 4


async def test_an_upstream_that_hangs_on_a_cancel_is_told_again(bench: Bench) -> None:
    async def hang_once(reference: str) -> bool:
        if len(upstream.cancelled) == 1:
            await never()
        return True

    upstream = ScriptedRemote(poll=running, cancel=hang_once)
    task = await bench.create()
    async with bench.working(upstream, lease=0.3):
        await bench.rests(task, State.POLLING)
        await cancelled(bench, task)
        await bench.done(task)
    assert len(upstream.cancelled) == 2


async def test_the_second_cancel_comes_soon_however_often_the_task_was_looked_at(bench: Bench) -> None:
    async def broken(reference: str) -> bool:
        raise ConnectionError

    async def still(reference: str, job: Job) -> Progress:
        return Progress(state="running", look_again_in=0)

    hand = await bench.hand(ScriptedRemote(poll=still, cancel=broken))
    task = await asleep(bench, hand)
    for _ in range(9):
        await hand.poll()
    await cancelled(bench, task)
    await hand.cancel()
    assert (await bench.schedule(task)).due == bench.clock() + 1_000


async def test_a_busy_upstream_is_told_to_stop_when_it_asked_to_be(bench: Bench) -> None:
    async def busy(reference: str) -> bool:
        raise Deferred("busy", retry_after=40)

    hand = await bench.hand(ScriptedRemote(poll=running, cancel=busy))
    task = await asleep(bench, hand)
    await cancelled(bench, task)
    await hand.cancel()
    assert (await bench.schedule(task)).due == bench.clock() + 40_000


async def test_an_upstream_that_cannot_be_told_is_let_go_at_once(bench: Bench) -> None:
    upstream = ScriptedRemote(poll=running, abilities=NOTHING)
    task = await bench.create()
    async with bench.working(upstream):
        await bench.rests(task, State.POLLING)
        await cancelled(bench, task)
        await bench.reaches(task, State.DONE)
    assert upstream.cancelled == []


async def test_an_upstream_that_never_answers_a_cancel_is_let_go_at_the_deadline(bench: Bench) -> None:
    async def broken(reference: str) -> bool:
        raise ConnectionError

    upstream = ScriptedRemote(poll=running, cancel=broken)
    task = await bench.create()
    async with bench.working(upstream):
        await bench.rests(task, State.POLLING)
        begun = bench.clock()
        await cancelled(bench, task)
        await bench.done(task)
    assert bench.clock() > begun + CANCEL_WITHIN
    assert len(upstream.cancelled) >= 10


async def test_a_slot_is_free_only_when_the_upstream_was_told(bench: Bench) -> None:
    hand = await bench.hand(ScriptedRemote(poll=running, capacity=1))
    task = await asleep(bench, hand)
    following = await bench.create()
    await cancelled(bench, task)
    with pytest.raises(ValueError, match="not enough values"):
        await hand.take(Event.CLAIM_SUBMIT)
    await hand.cancel()
    await hand.submit()
    assert await bench.state(following) is State.POLLING


async def test_a_task_that_expires_upstream_is_stopped_there(bench: Bench) -> None:
    upstream = ScriptedRemote(poll=running)
    task = await bench.create(execution_expires_after=HOUR)
    async with bench.working(upstream):
        await bench.rests(task, State.POLLING)
        bench.pass_time(HOUR + 1)
        ended = await bench.ended(task)
        await bench.reaches(task, State.DONE)
    assert (ended.status, (await bench.error(task)).code) == (Status.FAILED, "expired")
    assert upstream.cancelled == [f"up-{task.id}"]


async def test_a_task_that_expires_while_it_is_looked_for_is_stopped_when_it_is_found(bench: Bench) -> None:
    async def find(job: Job) -> Accepted:
        return Accepted(reference="found")

    upstream = ScriptedRemote(submit=lose, find=find, abilities=FINDS)
    hand = await bench.hand(upstream)
    task = await bench.create(execution_expires_after=HOUR)
    bench.pass_time(HOUR - 1)
    await hand.submit()
    bench.pass_time(2)
    assert [ended.id for ended in await bench.store.expire(bench.clock())] == [task.id]
    await hand.reconcile()
    await hand.cancel()
    assert ((await bench.error(task)).code, upstream.cancelled) == ("expired", ["found"])


async def test_a_task_that_expires_while_it_is_sent_is_left_to_its_answer(bench: Bench) -> None:
    gate = Gate()
    hand = await bench.hand(ScriptedRemote(submit=gate))
    task = await bench.create(execution_expires_after=HOUR)
    sending = asyncio.create_task(hand.submit())
    await gate.asked()
    bench.pass_time(HOUR + 1)
    assert await bench.store.expire(bench.clock()) == []
    gate.open()
    await sending
    await bench.store.expire(bench.clock())
    assert (await bench.state(task), (await bench.error(task)).code) == (State.CANCELLING, "expired")


async def test_a_task_that_waits_too_long_in_the_queue_expires(bench: Bench) -> None:
    task = await bench.create(execution_expires_after=HOUR)
    bench.pass_time(HOUR + 1)
    await bench.store.expire(bench.clock())
    assert ((await bench.error(task)).code, await bench.state(task)) == ("expired", State.DONE)


async def test_a_task_that_is_being_stopped_cannot_be_removed_until_it_has_been(bench: Bench) -> None:
    hand = await bench.hand(ScriptedRemote(poll=running))
    task = await asleep(bench, hand)
    assert await bench.service.delete(OWNER, task.id) is not None
    with pytest.raises(TaskBusy, match="still being stopped"):
        await bench.service.delete(OWNER, task.id)
    await hand.cancel()
    assert await bench.service.delete(OWNER, task.id) is None
    with pytest.raises(TaskMissing):
        await bench.task(task.id)


async def test_cancelling_again_while_the_upstream_is_being_told_changes_nothing(bench: Bench) -> None:
    hand = await bench.hand(ScriptedRemote(poll=running))
    task = await asleep(bench, hand)
    first = await bench.service.cancel(OWNER, task.id)
    row = await bench.schedule(task)
    assert await bench.service.cancel(OWNER, task.id) == first
    assert await bench.schedule(task) == row


async def test_a_task_that_expired_cannot_be_cancelled(bench: Bench) -> None:
    task = await bench.create(execution_expires_after=HOUR)
    bench.pass_time(HOUR + 1)
    await bench.store.expire(bench.clock())
    with pytest.raises(TaskEnded):
        await bench.service.cancel(OWNER, task.id)


async def test_a_look_that_a_cancel_overtakes_says_nothing_any_more(bench: Bench) -> None:
    looking, answer = asyncio.Event(), asyncio.Event()

    async def slowly(reference: str, job: Job) -> Progress:
        looking.set()
        await answer.wait()
        return Progress(state="succeeded")

    hand = await bench.hand(ScriptedRemote(poll=slowly))
    task = await asleep(bench, hand)
    look = asyncio.create_task(hand.poll())
    await looking.wait()
    await cancelled(bench, task)
    answer.set()
    await look
    assert (await bench.state(task), (await bench.error(task)).code) == (State.CANCELLING, "cancelled")
