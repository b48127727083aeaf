"""Stopping a worker: submissions finish, everything else is given back, nothing is lost."""

import asyncio
from collections.abc import Sequence

from meshapi_server.tasks.states import State, Status
from meshapi_server.tasks.task import Task
from meshapi_server.upstreams.contract import Abilities, Accepted, Deferred, Job, Look, Progress

from ..samples import OWNER
from .bench import LOCAL, PATIENCE, Bench
from .faulty import FaultyStore
from .scripted import FINDS, Gate, ScriptedLocal, ScriptedRemote, lose, never, running, succeed


async def given_back(bench: Bench, task: Task, state: State) -> None:
    """The task is where it was, nobody's, and due now."""
    row = await bench.schedule(task)
    assert (row.state, row.worker, row.lease_until) == (state, None, 0)
    assert row.due <= bench.clock()


async def test_stopping_gives_renders_back_and_the_next_worker_finishes_them(bench: Bench) -> None:
    upstream = ScriptedLocal(never)
    task = await bench.create(LOCAL)
    async with bench.working(upstream):
        await bench.until(lambda: len(upstream.begun) == 1)
    assert upstream.stopped == 1
    await given_back(bench, task, State.QUEUED)
    assert (await bench.task(task.id)).status is Status.PENDING
    async with bench.working(ScriptedLocal()):
        assert (await bench.ended(task)).status is Status.SUCCEEDED


async def test_stopping_in_the_middle_of_a_claim_leaves_nothing_running_and_no_lease_held(
    bench: Bench,
) -> None:
    upstream = ScriptedLocal(never, capacity=50)
    tasks = [await bench.create(LOCAL) for _ in range(40)]
    worker = bench.worker(upstream)
    await worker.prepare(alone=True)
    loop = asyncio.create_task(worker.run())
    await asyncio.sleep(0)
    await asyncio.wait_for(worker.stop(), PATIENCE)
    begun = len(upstream.begun)
    await bench.turns()
    assert (len(upstream.begun), upstream.stopped) == (begun, begun)
    assert {await bench.state(task) for task in tasks} == {State.QUEUED}
    await asyncio.wait_for(loop, PATIENCE)


async def test_stopping_waits_for_a_submission_so_that_its_answer_is_not_lost(bench: Bench) -> None:
    gate = Gate()
    task = await bench.create()
    worker = bench.worker(ScriptedRemote(submit=gate, poll=running))
    await worker.prepare(alone=True)
    loop = asyncio.create_task(worker.run())
    await gate.asked()
    stopping = asyncio.create_task(worker.stop())
    await bench.turns()
    assert not stopping.done()
    gate.open()
    await asyncio.wait_for(stopping, PATIENCE)
    await asyncio.wait_for(loop, PATIENCE)
    assert await bench.state(task) is State.POLLING


async def test_a_stopped_worker_sends_nothing_more(bench: Bench) -> None:
    gate = Gate()
    upstream = ScriptedRemote(submit=gate, poll=running)
    await bench.create()
    worker = bench.worker(upstream)
    await worker.prepare(alone=True)
    loop = asyncio.create_task(worker.run())
    await gate.asked()
    stopping = asyncio.create_task(worker.stop())
    later = await bench.create()
    await bench.turns()
    gate.open()
    await asyncio.wait_for(stopping, PATIENCE)
    await loop
    assert (await bench.state(later), len(upstream.submits)) == (State.QUEUED, 1)


async def test_stopping_gives_looks_back(bench: Bench) -> None:
    async def hang(looks: Sequence[Look]) -> list[Progress | Exception]:
        await never()
        return []

    upstream = ScriptedRemote(looks=hang, abilities=Abilities(looks_at_once=10))
    hand = await bench.hand(upstream)
    tasks = [await bench.create() for _ in range(3)]
    for _ in tasks:
        await hand.submit()
    async with bench.working(upstream):
        await bench.until(lambda: upstream.polls == 3)
    for task in tasks:
        await given_back(bench, task, State.POLLING)


async def test_stopping_gives_fetches_back(bench: Bench) -> None:
    task = await bench.create()
    async with bench.working(ScriptedRemote(fetch=never)):
        await bench.reaches(task, State.FETCHING)
        await bench.turns()
    await given_back(bench, task, State.FETCHING)


async def test_stopping_gives_searches_back(bench: Bench) -> None:
    gate = Gate()
    upstream = ScriptedRemote(submit=lose, find=gate, abilities=FINDS)
    hand = await bench.hand(upstream)
    task = await bench.create()
    await hand.submit()
    bench.pass_time(1)
    async with bench.working(upstream):
        await gate.asked()
    await given_back(bench, task, State.UNKNOWN)


async def test_stopping_gives_cancels_back(bench: Bench) -> None:
    async def hang(reference: str) -> bool:
        await never()
        return True

    upstream = ScriptedRemote(poll=running, cancel=hang)
    hand = await bench.hand(upstream)
    task = await bench.create()
    await hand.submit()
    await bench.service.cancel(OWNER, task.id)
    async with bench.working(upstream):
        await bench.until(lambda: upstream.cancelled != [])
    await given_back(bench, task, State.CANCELLING)


async def test_what_is_being_saved_when_the_worker_stops_is_saved_and_told_to_whoever_waits(
    bench: Bench,
) -> None:
    hand = await bench.hand(ScriptedRemote(poll=running))
    task = await bench.create()
    await hand.submit()
    store = FaultyStore(bench.store)
    bench.store = store.port
    upstream = ScriptedRemote(poll=succeed, fetch=never)
    worker = bench.worker(upstream)
    loop = asyncio.create_task(worker.run())
    store.hold("step")
    await bench.until(lambda: store.waiting == 1)
    with bench.changes.subscribe(task.id) as heard:
        stopping = asyncio.create_task(worker.stop())
        await asyncio.sleep(0.05)
        store.release()
        await asyncio.wait_for(stopping, PATIENCE)
        await loop
        told = heard.get_nowait()
    assert told is not None
    assert told.status is Status.RUNNING
    assert await bench.state(task) is State.FETCHING


async def test_looks_whose_answers_are_not_saved_yet_are_given_back(bench: Bench) -> None:
    async def overloaded(reference: str, job: Job) -> Progress:
        raise Deferred("overloaded", retry_after=60, pause=True)

    store = FaultyStore(bench.store)
    upstream = ScriptedRemote(poll=overloaded)
    hand = await bench.hand(upstream)
    task = await bench.create()
    await hand.submit()
    bench.store = store.port
    worker = bench.worker(upstream)
    loop = asyncio.create_task(worker.run())
    store.hold("pause")
    await bench.until(lambda: store.waiting == 1)
    await asyncio.wait_for(worker.stop(), PATIENCE)
    await loop
    await given_back(bench, task, State.POLLING)


async def test_a_worker_told_to_stop_in_the_middle_of_its_turn_claims_nothing_more(bench: Bench) -> None:
    hand = await bench.hand(ScriptedRemote())
    task = await bench.create()
    await hand.submit()
    await hand.poll()
    row = await bench.schedule(task)
    store = FaultyStore(bench.store)
    bench.store = store.port
    worker = bench.worker(ScriptedRemote())
    store.hold("claim")
    loop = asyncio.create_task(worker.run())
    await bench.until(lambda: store.waiting == 1)  # for submissions, of which there are none
    stopping = asyncio.create_task(worker.stop())
    await asyncio.sleep(0)
    store.release()
    await asyncio.wait_for(stopping, PATIENCE)
    await loop
    assert await bench.schedule(task) == row


async def test_a_worker_that_never_ran_stops_at_once(bench: Bench) -> None:
    await asyncio.wait_for(bench.worker(ScriptedLocal()).stop(), PATIENCE)


async def test_every_task_is_finished_by_the_next_worker_whenever_the_last_one_stopped(
    bench: Bench,
) -> None:
    async def slowly(job: object) -> Accepted:
        await asyncio.sleep(0.01)
        return Accepted(reference="up", look_again_in=0)

    tasks = [await bench.create() for _ in range(30)]
    upstream = ScriptedRemote(submit=slowly)
    for number in range(10):
        async with bench.working(upstream, submits_at_once=4):
            await asyncio.sleep(0.01 * number)
    async with bench.working(upstream):
        for task in tasks:
            assert (await bench.ended(task)).status is Status.SUCCEEDED
    assert len(upstream.submits) == len(tasks)
