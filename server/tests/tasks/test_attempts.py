"""The timeline: one line for each attempt, with what came of it."""

import asyncio

from meshapi_server.tasks.states import Event, State
from meshapi_server.tasks.task import Attempt, TaskError
from meshapi_server.upstreams.contract import Accepted, Deferred, Job, Progress, Rendered, Unserved

from ..samples import OWNER
from .bench import BOTH, LEASE, LOCAL, Bench
from .scripted import FINDS, REFUSAL, Gate, ScriptedLocal, ScriptedRemote, accept, lose, never, running

Short = tuple[str, int, str | None, str | None]


def short(lines: list[Attempt]) -> list[Short]:
    """Kind, attempt, result and message of each line."""
    return [(line.kind, line.attempt, line.result, line.message) for line in lines]


async def test_a_task_that_went_well_has_a_line_for_its_submission_its_looks_and_its_fetch(
    bench: Bench,
) -> None:
    async def poll(reference: str, job: Job) -> Progress:
        return Progress(state="running" if upstream.polls < 3 else "succeeded", look_again_in=7)

    upstream = ScriptedRemote(poll=poll)
    task = await bench.create()
    begun = bench.clock()
    async with bench.working(upstream):
        await bench.ended(task)
    lines = await bench.lines(task)
    assert short(lines) == [
        ("submit", 1, "accepted", None),
        ("poll", 4, "ready", None),
        ("fetch", 5, "stored", None),
    ]
    submit, poll_line, fetch = lines
    assert (submit.started_at, submit.ended_at) == (begun, begun)
    assert (poll_line.started_at, poll_line.ended_at, poll_line.polls) == (begun, begun + 14_000, 3)
    assert (fetch.upstream, fetch.model) == ("sandbox", "sandbox/any")
    assert fetch.worker is not None


async def test_a_refusal_stands_there_with_its_reason_and_the_next_upstream_below(bench: Bench) -> None:
    async def broke(job: Job) -> Accepted:
        raise Unserved(TaskError(code="upstream_error", message="no funds"))

    async def busy_once(job: Job) -> Accepted:
        if len(second.submits) == 1:
            raise Deferred("too many at once", retry_after=3)
        return await accept(job)

    first, second = ScriptedRemote("first", submit=broke), ScriptedRemote("second", submit=busy_once)
    task = await bench.create(BOTH)
    async with bench.working(first, second):
        await bench.ended(task)
    lines = await bench.lines(task)
    assert short(lines)[:4] == [
        ("submit", 1, "rerouted", "no funds"),
        ("submit", 2, "deferred", "too many at once"),
        ("submit", 3, "rerouted", "no funds"),
        ("submit", 4, "accepted", None),
    ]
    assert [(line.upstream, line.model) for line in lines[:4]] == [
        ("first", "first/any"),
        ("second", "second/any"),
    ] * 2


async def test_a_lost_answer_and_each_search_for_it_have_their_lines(bench: Bench) -> None:
    async def find_third(job: Job) -> Accepted | None:
        if len(upstream.finds) == 1:
            return None
        if len(upstream.finds) == 2:
            raise ConnectionError("secret host")
        return await accept(job)

    upstream = ScriptedRemote(submit=lose, find=find_third, poll=running, abilities=FINDS)
    task = await bench.create()
    async with bench.working(upstream):

        async def found() -> bool:
            await bench._sleep_over()
            return await bench.state(task) is State.POLLING

        await bench.until(found)
    assert short(await bench.lines(task))[:4] == [
        ("submit", 1, "lease_lost", "the answer was lost"),
        ("reconcile", 2, "progressed", "not found yet"),
        ("reconcile", 3, "progressed", "the upstream did not say"),
        ("reconcile", 4, "accepted", None),
    ]


async def test_a_lease_that_was_lost_is_told(bench: Bench) -> None:
    hand = await bench.hand(ScriptedRemote())
    task = await bench.create()
    await hand.take(Event.CLAIM_SUBMIT)
    begun = bench.clock()
    assert short(await bench.lines(task)) == [("submit", 1, None, None)]
    bench.pass_time(LEASE + 1)
    await bench.reap()
    (line,) = await bench.lines(task)
    assert (line.result, line.started_at, line.ended_at) == ("lease_lost", begun, bench.clock())


async def test_what_failed_upstream_has_the_reason_in_the_line_of_its_looks(bench: Bench) -> None:
    async def fail(reference: str, job: Job) -> Progress:
        return Progress(state="failed", error=REFUSAL)

    hand = await bench.hand(ScriptedRemote(poll=fail))
    task = await bench.create()
    await hand.submit()
    await hand.poll()
    assert short(await bench.lines(task))[1] == ("poll", 2, "failed", REFUSAL.message)


async def test_looks_so_far_are_counted_in_one_open_line(bench: Bench) -> None:
    async def poll(reference: str, job: Job) -> Progress:
        return Progress(state="running", look_again_in=0)

    hand = await bench.hand(ScriptedRemote(poll=poll))
    task = await bench.create()
    await hand.submit()
    for _ in range(5):
        await hand.poll()
    line = (await bench.lines(task))[-1]
    assert (line.kind, line.polls, line.ended_at, line.result) == ("poll", 5, None, None)


async def test_a_cancel_has_a_line_for_every_time_the_upstream_was_told(bench: Bench) -> None:
    async def stumble(reference: str) -> bool:
        if len(upstream.cancelled) == 1:
            raise ConnectionError
        return False

    upstream = ScriptedRemote(poll=running, cancel=stumble)
    task = await bench.create()
    async with bench.working(upstream):
        await bench.rests(task, State.POLLING)
        await bench.service.cancel(OWNER, task.id)
        await bench.done(task)
    lines = short(await bench.lines(task))
    assert [(kind, result, message) for kind, _, result, message in lines[1:]] == [
        ("poll", "cancelled", None),
        ("cancel", "released", "the upstream did not answer"),
        ("cancel", "let_go", "it was too late to stop the upstream"),
    ]


async def test_a_failed_fetch_has_its_line(bench: Bench) -> None:
    async def broken(workspace: object) -> Rendered:
        raise ConnectionError("secret host")

    hand = await bench.hand(ScriptedRemote(fetch=broken))
    task = await bench.create()
    await hand.submit()
    await hand.poll()
    await hand.fetch()
    assert short(await bench.lines(task))[-1] == (
        "fetch",
        3,
        "released",
        "the result could not be fetched",
    )


async def test_every_render_has_its_line(bench: Bench) -> None:
    async def crash_once(workspace: object, report: object) -> Rendered:
        if len(upstream.begun) == 1:
            raise RuntimeError("secret path")
        return await never()

    upstream = ScriptedLocal(crash_once)
    task = await bench.create(LOCAL)
    async with bench.working(upstream):

        async def again() -> bool:
            await bench._sleep_over()
            return len(upstream.begun) == 2

        await bench.until(again)
        await bench.service.cancel(OWNER, task.id)
        await bench.reaches(task, State.DONE)
    assert short(await bench.lines(task)) == [
        ("render", 1, "released", "the renderer failed"),
        ("render", 2, "cancelled", None),
    ]


async def test_a_late_answer_ends_the_line_of_whoever_was_searching(bench: Bench) -> None:
    gate, searching = Gate(), Gate()
    frozen = await bench.hand(ScriptedRemote(submit=gate, abilities=FINDS), "frozen")
    other = await bench.hand(ScriptedRemote(find=searching, abilities=FINDS), "other")
    task = await bench.create()
    sending = asyncio.create_task(frozen.submit())
    await gate.asked()
    bench.pass_time(LEASE + 1)
    await bench.reap()
    looking = asyncio.create_task(other.reconcile())
    await searching.asked()
    gate.open()
    await sending
    assert short(await bench.lines(task))[:2] == [
        ("submit", 1, "lease_lost", None),
        ("reconcile", 2, "accepted", None),
    ]
    searching.open()
    await looking
    assert await bench.state(task) is State.POLLING


async def test_a_task_shows_its_timeline_to_its_owner(bench: Bench) -> None:
    hand = await bench.hand(ScriptedRemote())
    task = await bench.create()
    await hand.submit()
    found, lines = await bench.service.timeline(OWNER, task.id)
    assert (found.id, [line.kind for line in lines]) == (task.id, ["submit", "poll"])
