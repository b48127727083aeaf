"""Several upstreams for one task: the next one is asked while it is certain that nothing was accepted."""

from meshapi_server.tasks.states import Event, State, Status
from meshapi_server.upstreams.contract import Accepted, Deferred, Job, Progress, Rejected, TaskError, Unserved

from .bench import BOTH, LEASE, Bench
from .scripted import FINDS, REFUSAL, ScriptedRemote, accept, lose, running


def refusing(refusal: Exception, name: str = "first", **options: object) -> ScriptedRemote:
    """An upstream that answers every submission with ``refusal``."""

    async def refuse(job: Job) -> Accepted:
        raise refusal

    return ScriptedRemote(name, submit=refuse, **options)  # type: ignore[arg-type]


def busy(name: str, seconds: float = 5) -> ScriptedRemote:
    return refusing(Deferred("busy", retry_after=seconds), name)


def without_funds(name: str, message: str = "no funds") -> ScriptedRemote:
    return refusing(Unserved(TaskError(code="upstream_error", message=message)), name)


async def test_an_upstream_that_does_not_serve_is_passed_over_at_once(bench: Bench) -> None:
    first, second = without_funds("first"), ScriptedRemote("second", poll=running)
    task = await bench.create(BOTH)
    begun = bench.clock()
    async with bench.working(first, second):
        await bench.rests(task, State.POLLING)
    found = await bench.task(task.id)
    assert (found.model, found.upstream, bench.clock()) == ("second/any", "second", begun)
    assert (len(first.submits), len(second.submits)) == (1, 1)


async def test_an_upstream_that_is_busy_is_passed_over_at_once(bench: Bench) -> None:
    first, second = busy("first", 600), ScriptedRemote("second", poll=running)
    task = await bench.create(BOTH)
    begun = bench.clock()
    async with bench.working(first, second):
        await bench.rests(task, State.POLLING)
    assert ((await bench.task(task.id)).upstream, bench.clock()) == ("second", begun)


async def test_the_next_upstream_is_asked_for_its_own_model_under_a_token_of_its_own(bench: Bench) -> None:
    first, second = busy("first"), ScriptedRemote("second")
    task = await bench.create(BOTH)
    async with bench.working(first, second):
        assert (await bench.ended(task)).status is Status.SUCCEEDED
    assert first.submits[0].token != second.submits[0].token
    assert second.submits[0].submission == second.submits[0].attempt == 2


async def test_when_all_are_busy_the_task_waits_and_begins_with_the_first_again(bench: Bench) -> None:
    asked: list[str] = []

    def busy_once(name: str) -> ScriptedRemote:
        async def answer(job: Job) -> Accepted:
            asked.append(name)
            if asked.count(name) == 1:
                raise Deferred("busy", retry_after=30)
            return await accept(job)

        return ScriptedRemote(name, submit=answer)

    task = await bench.create(BOTH)
    begun = bench.clock()
    async with bench.working(busy_once("first"), busy_once("second")):
        assert (await bench.ended(task)).status is Status.SUCCEEDED
    assert asked == ["first", "second", "first"]
    assert bench.clock() >= begun + 30_000


async def test_a_task_that_nobody_serves_fails_with_the_last_upstreams_reason(bench: Bench) -> None:
    task = await bench.create(BOTH)
    async with bench.working(without_funds("first", "no funds"), without_funds("second", "no such model")):
        await bench.ended(task)
    assert (await bench.error(task)).message == "no such model"


async def test_a_rejection_is_not_taken_to_another_upstream(bench: Bench) -> None:
    second = ScriptedRemote("second")
    task = await bench.create(BOTH)
    async with bench.working(refusing(Rejected(REFUSAL)), second):
        await bench.ended(task)
    assert (await bench.error(task), second.submits) == (REFUSAL, [])


async def test_no_other_upstream_is_asked_after_an_answer_that_was_lost(bench: Bench) -> None:
    first, second = ScriptedRemote("first", submit=lose), ScriptedRemote("second")
    task = await bench.create(BOTH)
    async with bench.working(first, second):
        await bench.ended(task)
    assert ((await bench.error(task)).code, second.submits) == ("submission_unknown", [])


async def test_no_other_upstream_is_asked_while_the_first_is_searched_nor_when_that_was_in_vain(
    bench: Bench,
) -> None:
    first = ScriptedRemote("first", submit=lose, abilities=FINDS)
    second = ScriptedRemote("second")
    task = await bench.create(BOTH)
    async with bench.working(first, second):
        await bench.ended(task)
    assert ((await bench.error(task)).code, second.submits) == ("submission_unknown", [])


async def test_no_other_upstream_is_asked_once_one_has_accepted(bench: Bench) -> None:
    async def fail(reference: str, job: Job) -> Progress:
        return Progress(state="failed", error=REFUSAL)

    first, second = ScriptedRemote("first", poll=fail), ScriptedRemote("second")
    task = await bench.create(BOTH)
    async with bench.working(first, second):
        await bench.ended(task)
    assert (await bench.error(task), second.submits) == (REFUSAL, [])


async def test_a_worker_that_was_too_slow_to_send_asks_nobody_else_instead(bench: Bench) -> None:
    first = ScriptedRemote("first")
    hand = await bench.hand(first)
    task = await bench.create(BOTH)
    claim = await hand.take(Event.CLAIM_SUBMIT)
    bench.pass_time(LEASE * 0.4)
    await hand.submissions.submit(claim)
    row = await bench.schedule(task)
    assert (row.state, row.upstream, first.submits) == (State.QUEUED, "first", [])


async def test_a_busy_upstream_that_asks_for_it_is_left_alone_by_everybody_and_then_asked_again(
    bench: Bench,
) -> None:
    async def overloaded(job: Job) -> Accepted:
        if bench.clock() < calm:
            raise Deferred("overloaded", retry_after=20, pause=True)
        return await accept(job)

    async def put_off() -> bool:
        return len(upstream.submits) == 1 and (await bench.schedule(first)).due > bench.clock()

    upstream = ScriptedRemote(submit=overloaded, poll=running)
    calm = bench.clock() + 20_000
    first = await bench.create()
    async with bench.working(upstream):
        await bench.until(put_off)
        later = [await bench.create() for _ in range(3)]
        bench.pass_time(19.9)
        await bench.turns()
        assert len(upstream.submits) == 1
        bench.pass_time(0.1)
        for task in (first, *later):
            await bench.rests(task, State.POLLING)
    assert len(upstream.submits) == 5


async def test_tasks_behind_a_refusal_that_pauses_an_upstream_go_elsewhere_at_once(bench: Bench) -> None:
    first = refusing(Deferred("overloaded", retry_after=600, pause=True), "first")
    second = ScriptedRemote("second", poll=running)
    begun = bench.clock()
    async with bench.working(first, second):
        refused = await bench.create(BOTH)
        await bench.rests(refused, State.POLLING)
        behind = [await bench.create(BOTH) for _ in range(3)]
        for task in behind:
            await bench.rests(task, State.POLLING)
    assert [(await bench.task(task.id)).upstream for task in behind] == ["second"] * 3
    assert (len(first.submits), len(second.submits), bench.clock()) == (1, 4, begun)


async def test_an_upstream_that_is_busy_for_one_task_only_is_asked_for_the_others(bench: Bench) -> None:
    async def busy_for_one(job: Job) -> Accepted:
        if job.task_id == one.id:
            raise Deferred("this account has too many", retry_after=600)
        return await accept(job)

    one, other = await bench.create(), await bench.create()
    async with bench.working(ScriptedRemote(submit=busy_for_one, poll=running)):
        await bench.rests(other, State.POLLING)
        await bench.rests(one, State.QUEUED)
