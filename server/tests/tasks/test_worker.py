"""The worker's loop as a whole: whatever happens, every task ends and nothing stays behind."""

import asyncio
import contextlib
import random
import sqlite3
from pathlib import Path

from meshapi_server.tasks.errors import TaskEnded
from meshapi_server.tasks.states import State, Status
from meshapi_server.tasks.task import Task
from meshapi_server.upstreams.contract import Accepted, Deferred, Job, Progress, Rendered, Report

from ..samples import OWNER
from .bench import LOCAL, PATIENCE, REMOTE, Bench
from .faulty import FaultyStore
from .scripted import RESENDS, Gate, ScriptedLocal, ScriptedRemote, accept, deliver, running


def slots_in_use(tmp_path: Path) -> dict[str, int]:
    """What the database counts as occupied, pool by pool."""
    with contextlib.closing(sqlite3.connect(tmp_path / "meshapi.db")) as database:
        return dict(database.execute("select name, used from pool where used <> 0").fetchall())


async def test_one_broken_task_does_not_stop_the_others(bench: Bench) -> None:
    async def poll(reference: str, job: Job) -> Progress:
        if job.task_id == bad.id:
            raise RuntimeError("only this one")
        return Progress(state="succeeded")

    bad, good = await bench.create(priority=9), await bench.create()
    async with bench.working(ScriptedRemote(poll=poll)):
        assert (await bench.ended(good)).status is Status.SUCCEEDED
        assert not (await bench.task(bad.id)).ended


async def test_tasks_cancelled_while_they_are_sent_end_even_when_their_first_look_comes_first(
    bench: Bench,
) -> None:
    gate = Gate()
    tasks = [await bench.create() for _ in range(10)]
    async with bench.working(ScriptedRemote(submit=gate, poll=running)):
        await bench.reaches(tasks[-1], State.SENDING)
        for task in tasks:
            await bench.service.cancel(OWNER, task.id)
        gate.open()
        for task in tasks:
            assert (await bench.ended(task)).status is Status.FAILED


async def test_a_store_that_fails_for_a_while_ends_no_worker(bench: Bench) -> None:
    store = FaultyStore(bench.store)
    bench.store = store.port
    task = await bench.create()
    async with bench.working(ScriptedRemote()):
        store.fail("claim")
        await bench.until(lambda: store.failed >= 1)
        store.mend()
        assert (await bench.ended(task)).status is Status.SUCCEEDED


async def test_two_workers_finish_everything_and_ask_for_each_task_once(bench: Bench) -> None:
    upstream = ScriptedRemote(capacity=7)
    tasks = [await bench.create() for _ in range(40)]
    async with bench.working(upstream):
        other = bench.worker(upstream)
        loop = asyncio.create_task(other.run())
        for task in tasks:
            assert (await bench.ended(task)).status is Status.SUCCEEDED
        await asyncio.wait_for(other.stop(), PATIENCE)
        await loop
    assert sorted(job.task_id for job in upstream.submits) == sorted(task.id for task in tasks)


async def test_cancels_at_any_moment_leave_every_task_ended_every_slot_free_and_no_file_too_many(
    bench: Bench, tmp_path: Path
) -> None:
    chance = random.Random(7)

    async def submit(job: Job) -> Accepted:
        await asyncio.sleep(chance.random() / 50)
        if chance.random() < 0.2:
            raise Deferred("busy", retry_after=0)
        if chance.random() < 0.1:
            raise ConnectionResetError
        return await accept(job)

    async def poll(reference: str, job: Job) -> Progress:
        await asyncio.sleep(chance.random() / 50)
        return Progress(state=chance.choice(["running", "succeeded"]), look_again_in=0)

    async def fetch(workspace: Path) -> Rendered:
        await asyncio.sleep(chance.random() / 50)
        return await deliver(workspace)

    async def paint(workspace: Path, report: Report) -> Rendered:
        await report(chance.random())
        await asyncio.sleep(chance.random() / 20)
        return await deliver(workspace)

    async def tell(reference: str) -> bool:
        await asyncio.sleep(chance.random() / 50)
        if chance.random() < 0.3:
            raise TimeoutError
        return True

    async def cancel(task: Task) -> None:
        await asyncio.sleep(chance.random() / 2)
        with contextlib.suppress(TaskEnded):
            await bench.service.cancel(OWNER, task.id)

    tasks = [await bench.create(chance.choice([LOCAL, REMOTE])) for _ in range(60)]
    remote = ScriptedRemote(submit=submit, poll=poll, fetch=fetch, cancel=tell, capacity=8, abilities=RESENDS)
    async with bench.working(ScriptedLocal(paint, capacity=8), remote):
        await asyncio.gather(*(cancel(task) for task in tasks if chance.random() < 0.7))
        ended = [await bench.ended(task) for task in tasks]
        for task in tasks:
            await bench.done(task)
    outcomes = {task.outcome.error.code if task.outcome.error else "succeeded" for task in ended}
    assert outcomes == {"cancelled", "succeeded"}
    for task in ended:
        assert await bench.task(task.id) == task  # what had ended stayed as it was
        stored = bench.files.path(task.id, "video.mp4")
        assert (stored is not None) == (task.status is Status.SUCCEEDED), task
    assert slots_in_use(tmp_path) == {}
    assert await bench.store.count_states() == {}
    assert list((tmp_path / "work").glob("*/*")) == []
