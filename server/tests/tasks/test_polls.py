"""Looking at tasks that sleep upstream: when, how many at once, and what is made of the answers."""

import asyncio
from collections.abc import Sequence

import pytest

from meshapi_server.tasks.states import Event, State, Status
from meshapi_server.tasks.task import Task
from meshapi_server.upstreams.contract import Abilities, Accepted, Deferred, Job, Look, Progress

from .bench import Bench, Hand
from .scripted import REFUSAL, ScriptedRemote, running

BULK = Abilities(cancels=True, looks_at_once=4)
Answers = Sequence[Progress | Exception]


async def asleep(bench: Bench, hand: Hand, count: int) -> list[Task]:
    """So many tasks that are due to be looked at."""
    tasks = []
    for _ in range(count):
        tasks.append(await bench.create())
        await hand.submit()
    return tasks


async def test_one_look_covers_as_many_tasks_as_the_upstream_allows_and_no_more(bench: Bench) -> None:
    upstream = ScriptedRemote(poll=running, abilities=BULK)
    tasks = await asleep(bench, await bench.hand(upstream), 9)
    async with bench.working(upstream):
        await bench.until(lambda: upstream.polls == 9)
    assert sorted(map(len, upstream.looks)) == [1, 4, 4]
    assert sorted(name for look in upstream.looks for name in look) == sorted(f"up-{t.id}" for t in tasks)


async def test_a_look_never_mixes_upstreams(bench: Bench) -> None:
    upstreams = [ScriptedRemote(name, poll=running, abilities=BULK) for name in ("first", "second")]
    wanted: dict[str, set[str]] = {"first": set(), "second": set()}
    hands = {upstream.name: await bench.hand(upstream) for upstream in upstreams}
    for name in ("first", "second") * 3:
        task = await bench.create(f"{name}/any")
        await hands[name].submit()
        wanted[name].add(f"up-{task.id}")
    async with bench.working(*upstreams):
        await bench.until(lambda: all(upstream.polls == 3 for upstream in upstreams))
    for upstream in upstreams:
        assert {name for look in upstream.looks for name in look} == wanted[upstream.name]


async def test_each_answer_of_a_look_goes_to_the_task_in_its_place(bench: Bench) -> None:
    async def by_place(looks: Sequence[Look]) -> Answers:
        return [
            Progress(state="running", fraction=(place + 1) / 10, look_again_in=60)
            for place, _ in enumerate(looks)
        ]

    upstream = ScriptedRemote(looks=by_place, abilities=BULK)
    tasks = await asleep(bench, await bench.hand(upstream), 4)
    async with bench.working(upstream):
        for task in tasks:
            await bench.changed(task)
    by_reference = {f"up-{task.id}": (await bench.task(task.id)).progress for task in tasks}
    assert [by_reference[name] for name in upstream.looks[0]] == [0.1, 0.2, 0.3, 0.4]


async def test_an_exception_in_one_place_touches_only_the_task_in_that_place(bench: Bench) -> None:
    async def one_broken(looks: Sequence[Look]) -> Answers:
        return [
            RuntimeError("only this one") if look.job.task_id == tasks[1].id else Progress(state="succeeded")
            for look in looks
        ]

    upstream = ScriptedRemote(looks=one_broken, abilities=BULK)
    tasks = await asleep(bench, await bench.hand(upstream), 4)
    async with bench.working(upstream):
        for task in (tasks[0], *tasks[2:]):
            await bench.ended(task)
        assert await bench.state(tasks[1]) is State.POLLING


@pytest.mark.parametrize("answers", [[], [Progress(state="succeeded")] * 2])
async def test_answers_that_do_not_fit_the_question_are_believed_of_nobody(
    bench: Bench, answers: list[Progress | Exception]
) -> None:
    async def too_few(looks: Sequence[Look]) -> Answers:
        return answers

    upstream = ScriptedRemote(looks=too_few, abilities=BULK)
    hand = await bench.hand(upstream)
    tasks = await asleep(bench, hand, 3)
    claims = [await hand.take(Event.CLAIM_POLL) for _ in tasks]
    await hand.drive.poll(claims)
    for task in tasks:
        row = await bench.schedule(task)
        assert (row.state, row.worker) == (State.POLLING, None)
        assert row.due > bench.clock()


async def test_looks_in_flight_never_exceed_the_workers_number_even_when_the_upstream_hangs(
    bench: Bench,
) -> None:
    under_way, most = 0, 0

    async def hang(looks: Sequence[Look]) -> Answers:
        nonlocal under_way, most
        under_way += len(looks)
        most = max(most, under_way)
        try:
            await asyncio.Event().wait()
        finally:
            under_way -= len(looks)
        raise AssertionError("unreachable")

    upstream = ScriptedRemote(looks=hang, abilities=BULK, capacity=60)
    await asleep(bench, await bench.hand(upstream), 50)
    async with bench.working(upstream, polls_at_once=10):
        await bench.until(lambda: upstream.polls == 10)
        await bench.turns(5)
        assert (under_way, most) == (10, 10)
    assert under_way == 0


async def test_a_look_that_breaks_is_repeated_ever_more_slowly_and_changes_nothing(bench: Bench) -> None:
    async def broken(reference: str, job: Job) -> Progress:
        raise TimeoutError

    hand = await bench.hand(ScriptedRemote(poll=broken))
    (task,) = await asleep(bench, hand, 1)
    before = await bench.task(task.id)
    waits = []
    for _ in range(3):
        await hand.poll()
        waits.append((await bench.schedule(task)).due - bench.clock())
        bench.pass_time(waits[-1] / 1000)
    assert waits == [1_000, 2_000, 4_000]
    assert await bench.task(task.id) == before


async def test_an_upstream_that_asks_to_be_looked_at_later_is(bench: Bench) -> None:
    async def busy(reference: str, job: Job) -> Progress:
        raise Deferred("busy", retry_after=33)

    hand = await bench.hand(ScriptedRemote(poll=busy))
    (task,) = await asleep(bench, hand, 1)
    await hand.poll()
    assert (await bench.schedule(task)).due == bench.clock() + 33_000


async def test_an_upstream_that_is_busy_as_a_whole_is_not_looked_at_for_any_task(bench: Bench) -> None:
    async def overloaded(reference: str, job: Job) -> Progress:
        raise Deferred("overloaded", retry_after=33, pause=True)

    upstream = ScriptedRemote(poll=overloaded)
    hand = await bench.hand(upstream)
    await asleep(bench, hand, 2)
    await hand.poll()
    with pytest.raises(ValueError, match="not enough values"):
        await hand.poll()
    bench.pass_time(33)
    await hand.poll()
    assert upstream.polls == 2


async def test_what_failed_upstream_fails_with_the_upstreams_reason(bench: Bench) -> None:
    async def fail(reference: str, job: Job) -> Progress:
        return Progress(state="failed", error=REFUSAL)

    hand = await bench.hand(ScriptedRemote(poll=fail))
    (task,) = await asleep(bench, hand, 1)
    await hand.poll()
    assert await bench.error(task) == REFUSAL


async def test_what_failed_upstream_without_a_reason_says_so(bench: Bench) -> None:
    async def fail(reference: str, job: Job) -> Progress:
        return Progress(state="failed")

    hand = await bench.hand(ScriptedRemote(poll=fail))
    (task,) = await asleep(bench, hand, 1)
    await hand.poll()
    error = await bench.error(task)
    assert (error.code, error.message) == ("upstream_error", "The upstream gave no reason.")


async def test_a_task_is_shown_running_when_its_upstream_says_so(bench: Bench) -> None:
    hand = await bench.hand(ScriptedRemote(poll=running))
    (task,) = await asleep(bench, hand, 1)
    assert (await bench.task(task.id)).status is Status.PENDING
    await hand.poll()
    shown = await bench.task(task.id)
    assert (shown.status, shown.progress) == (Status.RUNNING, 0.5)


async def test_the_upstreams_advice_when_to_look_wins(bench: Bench) -> None:
    hand = await bench.hand(ScriptedRemote(poll=running))
    (task,) = await asleep(bench, hand, 1)
    await hand.poll()
    assert (await bench.schedule(task)).due == bench.clock() + 60_000


@pytest.mark.parametrize(("usual", "first", "next_"), [(50.0, 20_000, 2_500), (None, 24_000, 3_000)])
async def test_without_advice_looking_follows_the_usual_duration_of_the_route(
    bench: Bench, usual: float | None, first: int, next_: int
) -> None:
    async def accept(job: Job) -> Accepted:
        return Accepted(reference="up")

    async def running(reference: str, job: Job) -> Progress:
        return Progress(state="running")

    bench.models.usual_seconds = usual
    hand = await bench.hand(ScriptedRemote(submit=accept, poll=running))
    task = await bench.create()
    await hand.submit()
    assert (await bench.schedule(task)).due == bench.clock() + first
    bench.pass_time(first / 1000)
    await hand.poll()
    assert (await bench.schedule(task)).due == bench.clock() + next_


async def test_an_upstream_that_announces_changes_is_looked_at_more_rarely(bench: Bench) -> None:
    async def accept(job: Job) -> Accepted:
        return Accepted(reference="up")

    bench.models.usual_seconds = 10.0
    hand = await bench.hand(ScriptedRemote(submit=accept, abilities=Abilities(calls_back=True)))
    task = await bench.create()
    await hand.submit()
    assert (await bench.schedule(task)).due == bench.clock() + 3 * 4_000


async def test_a_job_that_waited_here_is_as_old_as_its_acceptance(bench: Bench) -> None:
    """What an upstream does not show yet is forgiven from the acceptance on, however long a task waited."""
    seen: list[int] = []

    async def look(looks: Sequence[Look]) -> Answers:
        seen.extend(each.job.submitted_at for each in looks)
        return [Progress(state="running", look_again_in=60) for _ in looks]

    hand = await bench.hand(ScriptedRemote(looks=look))
    task = await bench.create()
    bench.pass_time(600)
    accepted_at = bench.clock()
    await hand.submit()
    bench.pass_time(20)
    await hand.poll()
    assert (seen, task.created_at) == ([accepted_at], accepted_at - 600_000)
