"""The worker on a real store and real files, with upstreams that follow a script."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from meshapi_server.files.local import LocalFiles
from meshapi_server.store.sqlite import SqliteStore
from meshapi_server.tasks import ids
from meshapi_server.tasks.changes import Changes
from meshapi_server.tasks.clock import system_clock
from meshapi_server.tasks.errors import TaskEnded
from meshapi_server.tasks.jobs import Jobs
from meshapi_server.tasks.life import RECONCILE_WITHIN
from meshapi_server.tasks.service import TaskService
from meshapi_server.tasks.states import State, Status
from meshapi_server.tasks.task import Task, TaskError
from meshapi_server.tasks.worker import Worker, WorkerSettings
from meshapi_server.upstreams.contract import (
    Accepted,
    Deferred,
    Job,
    LocalUpstream,
    Progress,
    Rejected,
    RemoteUpstream,
    Rendered,
    Report,
)
from meshapi_server.upstreams.registry import Registry

from .. import samples
from ..samples import OWNER
from .scripted import ScriptedLocal, ScriptedRemote, accept, deliver, never

LOCAL_MODEL, REMOTE_MODEL = "mesh/diorama-1", "sandbox/instant"


class Bench:
    """One store, one service, and a worker that can be started, stopped and abandoned."""

    def __init__(self, store: SqliteStore, files: LocalFiles, registry: Registry) -> None:
        self.store, self.files, self.changes = store, files, Changes()
        self.service = TaskService(store, registry, files, self.changes, system_clock)

    async def create(self, model: str, **fields: int) -> Task:
        created = await self.service.create(
            OWNER, samples.spec(model, **fields), request_id=ids.request_id(), respond=lambda *_: b""
        )
        return await self.task(created.task_id)

    async def task(self, task_id: str) -> Task:
        return await self.service.get(OWNER, task_id)

    async def ended(self, task: Task) -> Task:
        found = await self.service.wait(OWNER, task.id, 10)
        assert found.ended, found
        return found

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(10):
            while not await holds():  # noqa: ASYNC110 - the store announces nothing to tests
                await asyncio.sleep(0.005)

    async def state(self, task: Task) -> State | None:
        schedule = await self.store.schedule(task.id)
        return schedule.state if schedule else None

    async def reaches(self, task: Task, state: State) -> None:
        async def there() -> bool:
            return await self.state(task) is state

        await self.until(there)

    def worker(self, *upstreams: ScriptedLocal | ScriptedRemote, lease: float = 5.0) -> Worker:
        local: Mapping[str, LocalUpstream] = {u.name: u for u in upstreams if isinstance(u, ScriptedLocal)}
        remote: Mapping[str, RemoteUpstream] = {u.name: u for u in upstreams if isinstance(u, ScriptedRemote)}
        settings = WorkerSettings(name=ids.ulid(), lease=lease, tick=0.02)
        jobs = Jobs(self.store, lambda upstream, task_id: None)
        return Worker(self.store, self.files, self.changes, system_clock, jobs, settings, local, remote)

    @asynccontextmanager
    async def working(
        self, *upstreams: ScriptedLocal | ScriptedRemote, lease: float = 5.0
    ) -> AsyncIterator[Worker]:
        worker = self.worker(*upstreams, lease=lease)
        await worker.prepare(alone=True)
        running = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            await asyncio.wait_for(worker.stop(), 10)
            await asyncio.wait_for(running, 10)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "meshapi.db", system_clock)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def bench(store: SqliteStore, files: LocalFiles, registry: Registry) -> Bench:
    return Bench(store, files, registry)


async def test_a_rendered_task_succeeds_with_its_file_in_storage_and_an_empty_workspace(
    bench: Bench, tmp_path: Path
) -> None:
    task = await bench.create(LOCAL_MODEL)
    async with bench.working(ScriptedLocal()):
        ended = await bench.ended(task)
    assert (ended.status, ended.progress, ended.outcome.facts.frames) == (Status.SUCCEEDED, 1.0, 48)
    stored = bench.files.path(task.id, "video.mp4")
    assert stored is not None
    assert stored.read_bytes() == b"a video"
    assert list((tmp_path / "work").iterdir()) == []


async def test_a_render_that_crashes_is_tried_three_times_and_then_fails_without_its_inside(
    bench: Bench,
) -> None:
    async def crash(workspace: Path, report: Report) -> Rendered:
        raise RuntimeError("secret path /var/lib/renderer")

    upstream = ScriptedLocal(crash)
    task = await bench.create(LOCAL_MODEL)
    async with bench.working(upstream):
        ended = await bench.ended(task)
    assert [job.attempt for job in upstream.begun] == [1, 2, 3]
    assert ended.outcome.error is not None
    assert ended.outcome.error.code == "internal_error"
    assert "secret" not in ended.outcome.error.message


async def test_a_rejected_render_fails_at_once_with_the_renderers_words(bench: Bench) -> None:
    async def reject(workspace: Path, report: Report) -> Rendered:
        raise Rejected(TaskError(code="invalid_input", message="content[1] is no image"))

    upstream = ScriptedLocal(reject)
    task = await bench.create(LOCAL_MODEL)
    async with bench.working(upstream):
        ended = await bench.ended(task)
    assert ended.outcome.error == TaskError(code="invalid_input", message="content[1] is no image")
    assert len(upstream.begun) == 1


async def test_cancelling_stops_the_render_and_frees_its_slot(bench: Bench) -> None:
    upstream = ScriptedLocal(never, capacity=1)
    task, following = await bench.create(LOCAL_MODEL), await bench.create(LOCAL_MODEL)
    async with bench.working(upstream):
        await bench.reaches(task, State.RENDERING)
        assert await bench.state(following) is State.QUEUED
        await bench.service.cancel(OWNER, task.id)
        await bench.reaches(following, State.RENDERING)

        async def stopped() -> bool:
            return upstream.stopped == 1

        await bench.until(stopped)


async def test_a_render_that_finishes_as_its_task_is_cancelled_leaves_no_file_behind(
    bench: Bench, tmp_path: Path
) -> None:
    gate = asyncio.Event()

    async def slow(workspace: Path, report: Report) -> Rendered:
        await gate.wait()
        return await deliver(workspace)

    task = await bench.create(LOCAL_MODEL)
    async with bench.working(ScriptedLocal(slow)):
        await bench.reaches(task, State.RENDERING)
        # Straight at the store, without an announcement: the worker learns of it when it saves.
        await bench.store.cancel(OWNER, task.id, system_clock())
        gate.set()
        await asyncio.sleep(0.1)
    assert (await bench.task(task.id)).status is Status.FAILED
    assert list((tmp_path / "files").iterdir()) == []


async def test_stopping_gives_renders_back_and_the_next_worker_finishes_them(bench: Bench) -> None:
    upstream = ScriptedLocal(never)
    task = await bench.create(LOCAL_MODEL)
    async with bench.working(upstream):
        await bench.reaches(task, State.RENDERING)
    assert upstream.stopped == 1
    assert await bench.state(task) is State.QUEUED
    assert (await bench.task(task.id)).status is Status.PENDING
    async with bench.working(ScriptedLocal()):
        assert (await bench.ended(task)).status is Status.SUCCEEDED


async def test_stopping_in_the_middle_of_a_claim_leaves_nothing_running_and_no_lease_held(
    bench: Bench,
) -> None:
    upstream = ScriptedLocal(never, capacity=50)
    tasks = [await bench.create(LOCAL_MODEL) for _ in range(40)]
    worker = bench.worker(upstream)
    await worker.prepare(alone=True)
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(0)
    await asyncio.wait_for(worker.stop(), 10)
    begun, stopped = len(upstream.begun), upstream.stopped
    await asyncio.sleep(0.1)
    assert (len(upstream.begun), upstream.stopped) == (begun, stopped)
    assert begun == stopped
    assert {await bench.state(task) for task in tasks} == {State.QUEUED}
    await asyncio.wait_for(running, 10)


async def test_stopping_waits_for_a_submission_so_that_its_answer_is_not_lost(bench: Bench) -> None:
    gate = asyncio.Event()

    async def slow(job: Job) -> Accepted:
        await gate.wait()
        return await accept(job)

    upstream = ScriptedRemote(submit=slow)
    task = await bench.create(REMOTE_MODEL)
    worker = bench.worker(upstream)
    await worker.prepare(alone=True)
    running = asyncio.create_task(worker.run())
    await bench.reaches(task, State.SENDING)
    stopping = asyncio.create_task(worker.stop())
    await asyncio.sleep(0.05)
    assert not stopping.done()
    gate.set()
    await asyncio.wait_for(stopping, 10)
    await asyncio.wait_for(running, 10)
    assert await bench.state(task) is State.POLLING


async def test_a_lease_is_extended_while_a_render_takes_longer_than_it(bench: Bench) -> None:
    async def slow(workspace: Path, report: Report) -> Rendered:
        await asyncio.sleep(1.0)
        return await deliver(workspace)

    upstream = ScriptedLocal(slow)
    task = await bench.create(LOCAL_MODEL)
    async with bench.working(upstream, lease=0.3):
        assert (await bench.ended(task)).status is Status.SUCCEEDED
    assert len(upstream.begun) == 1


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
    task = await bench.create(REMOTE_MODEL)
    async with bench.working(upstream):
        ended = await bench.ended(task)
    assert (ended.status, len(upstream.submits), upstream.polls) == (Status.SUCCEEDED, 1, 4)
    assert bench.files.path(task.id, "video.mp4") is not None


async def test_a_submission_whose_answer_is_lost_is_never_repeated(bench: Bench) -> None:
    async def lose(job: Job) -> Accepted:
        raise ConnectionResetError("in the middle")

    upstream = ScriptedRemote(submit=lose)
    task = await bench.create(REMOTE_MODEL)
    async with bench.working(upstream):
        await bench.reaches(task, State.UNKNOWN)
        later = system_clock() + 120_000
        assert [ended.id for ended in await bench.store.expire(later)] == [task.id]
    ended = await bench.task(task.id)
    assert ended.outcome.error is not None
    assert (ended.outcome.error.code, len(upstream.submits)) == ("submission_unknown", 1)


async def test_a_deferred_submission_is_asked_again(bench: Bench) -> None:
    async def busy_once(job: Job) -> Accepted:
        if job.attempt == 1:
            raise Deferred("busy", retry_after=0.01)
        return await accept(job)

    upstream = ScriptedRemote(submit=busy_once)
    task = await bench.create(REMOTE_MODEL)
    async with bench.working(upstream):
        assert (await bench.ended(task)).status is Status.SUCCEEDED
    assert len(upstream.submits) == 2


async def test_a_task_cancelled_while_it_is_sent_is_cancelled_upstream_when_it_was_accepted(
    bench: Bench,
) -> None:
    gate = asyncio.Event()

    async def slow(job: Job) -> Accepted:
        await gate.wait()
        return await accept(job)

    upstream = ScriptedRemote(submit=slow)
    task = await bench.create(REMOTE_MODEL)
    async with bench.working(upstream):
        await bench.reaches(task, State.SENDING)
        assert (await bench.service.cancel(OWNER, task.id)).status is Status.PENDING
        gate.set()
        ended = await bench.ended(task)
    assert ended.outcome.error is not None
    assert ended.outcome.error.code == "cancelled"
    assert upstream.cancelled == [f"up-{task.id}"]


async def test_a_task_cancelled_while_it_is_sent_ends_even_when_its_first_poll_comes_first(
    bench: Bench,
) -> None:
    gate = asyncio.Event()

    async def slow(job: Job) -> Accepted:
        await gate.wait()
        return await accept(job)

    async def running(reference: str, job: Job) -> Progress:
        return Progress(state="running", look_again_in=0)

    tasks = [await bench.create(REMOTE_MODEL) for _ in range(10)]
    async with bench.working(ScriptedRemote(submit=slow, poll=running)):
        await bench.reaches(tasks[-1], State.SENDING)
        for task in tasks:
            await bench.service.cancel(OWNER, task.id)
        gate.set()
        for task in tasks:
            assert (await bench.ended(task)).status is Status.FAILED


async def test_a_task_cancelled_while_it_is_sent_is_not_sent_again_after_a_refusal(bench: Bench) -> None:
    gate = asyncio.Event()

    async def busy(job: Job) -> Accepted:
        await gate.wait()
        raise Deferred("busy", retry_after=0.01)

    upstream = ScriptedRemote(submit=busy)
    task = await bench.create(REMOTE_MODEL)
    async with bench.working(upstream):
        await bench.reaches(task, State.SENDING)
        await bench.service.cancel(OWNER, task.id)
        gate.set()
        ended = await bench.ended(task)
    assert ended.outcome.error is not None
    assert ended.outcome.error.code == "cancelled"
    assert len(upstream.submits) == 1


async def test_a_rejection_by_the_upstream_reaches_the_caller(bench: Bench) -> None:
    error = TaskError(code="content_policy_violation", message="No.")

    async def reject(job: Job) -> Accepted:
        raise Rejected(error)

    task = await bench.create(REMOTE_MODEL)
    async with bench.working(ScriptedRemote(submit=reject)):
        assert (await bench.ended(task)).outcome.error == error


async def test_a_poll_that_breaks_is_repeated_and_a_failed_fetch_too(bench: Bench) -> None:
    broken = {"poll": True, "fetch": True}

    async def poll(reference: str, job: Job) -> Progress:
        if broken.pop("poll", False):
            raise TimeoutError
        return Progress(state="succeeded")

    async def fetch(workspace: Path) -> Rendered:
        if broken.pop("fetch", False):
            raise ConnectionError
        return await deliver(workspace)

    task = await bench.create(REMOTE_MODEL)
    async with bench.working(ScriptedRemote(poll=poll, fetch=fetch)):
        assert (await bench.ended(task)).status is Status.SUCCEEDED


async def test_a_failed_fetch_after_many_polls_is_repeated_within_seconds(bench: Bench) -> None:
    polls = 0

    async def poll(reference: str, job: Job) -> Progress:
        nonlocal polls
        polls += 1
        return Progress(state="running" if polls < 8 else "succeeded", look_again_in=0)

    async def fetch(workspace: Path) -> Rendered:
        raise ConnectionError

    task = await bench.create(REMOTE_MODEL)
    async with bench.working(ScriptedRemote(poll=poll, fetch=fetch)):

        async def waits() -> bool:
            schedule = await bench.store.schedule(task.id)
            return schedule is not None and schedule.due > system_clock() + 100 and polls == 8

        await bench.until(waits)
        schedule = await bench.store.schedule(task.id)
        assert schedule is not None
        assert schedule.due - system_clock() <= 1_000


async def test_tasks_that_sleep_upstream_occupy_the_upstreams_slots(bench: Bench) -> None:
    async def running(reference: str, job: Job) -> Progress:
        return Progress(state="running", look_again_in=60)

    upstream = ScriptedRemote(poll=running, capacity=2)
    tasks = [await bench.create(REMOTE_MODEL) for _ in range(4)]
    async with bench.working(upstream):
        await bench.reaches(tasks[1], State.POLLING)
        await asyncio.sleep(0.15)
        assert len(upstream.submits) == 2
        await bench.service.cancel(OWNER, tasks[0].id)
        await bench.reaches(tasks[2], State.POLLING)
    assert [job.task_id for job in upstream.submits] == [task.id for task in tasks[:3]]


async def test_the_highest_priority_is_rendered_first_and_then_the_oldest(bench: Bench) -> None:
    plain = await bench.create(LOCAL_MODEL)
    later = await bench.create(LOCAL_MODEL)
    urgent = await bench.create(LOCAL_MODEL, priority=9)
    upstream = ScriptedLocal(capacity=1)
    async with bench.working(upstream):
        for task in (plain, later, urgent):
            await bench.ended(task)
    assert [job.task_id for job in upstream.begun] == [urgent.id, plain.id, later.id]


async def test_a_render_whose_lease_was_taken_away_stops_and_its_successor_finishes_the_task(
    bench: Bench,
) -> None:
    first = asyncio.Event()

    async def slow_at_first(workspace: Path, report: Report) -> Rendered:
        if not first.is_set():
            first.set()
            while True:
                await asyncio.sleep(0.05)
                await report(0.9)
        return await deliver(workspace)

    upstream = ScriptedLocal(slow_at_first)
    task = await bench.create(LOCAL_MODEL)
    async with bench.working(upstream):
        await bench.reaches(task, State.RENDERING)
        await bench.store.reap(system_clock(), all_leases=True, reconcile_within=RECONCILE_WITHIN)
        ended = await bench.ended(task)

    assert (ended.status, [job.attempt for job in upstream.begun]) == (Status.SUCCEEDED, [1, 2])
    assert bench.files.path(task.id, "video.mp4") is not None


async def test_cancels_at_any_moment_leave_every_task_ended_every_slot_free_and_no_file_too_many(
    bench: Bench, tmp_path: Path
) -> None:
    chance = random.Random(7)

    async def submit(job: Job) -> Accepted:
        await asyncio.sleep(chance.random() / 50)
        if chance.random() < 0.2:
            raise Deferred("busy", retry_after=0)
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

    async def cancel(task: Task) -> None:
        await asyncio.sleep(chance.random() / 2)
        with contextlib.suppress(TaskEnded):
            await bench.service.cancel(OWNER, task.id)

    tasks = [await bench.create(chance.choice([LOCAL_MODEL, REMOTE_MODEL])) for _ in range(60)]
    remote = ScriptedRemote(submit=submit, poll=poll, fetch=fetch, capacity=8)
    async with bench.working(ScriptedLocal(paint, capacity=8), remote):
        await asyncio.gather(*(cancel(task) for task in tasks if chance.random() < 0.7))
        ended = [await bench.ended(task) for task in tasks]
    outcomes = {task.outcome.error.code if task.outcome.error else "succeeded" for task in ended}
    assert outcomes == {"cancelled", "succeeded"}
    for task in ended:
        stored = bench.files.path(task.id, "video.mp4")
        assert (stored is not None) == (task.status is Status.SUCCEEDED), task
    used = await bench.store.write(lambda database: database.execute("select used from slot").fetchall())
    assert used == [(0,), (0,)]
    assert await bench.store.count_states() == {}
    assert list((tmp_path / "work").iterdir()) == []


async def test_one_broken_task_does_not_stop_the_others(bench: Bench) -> None:
    async def poll(reference: str, job: Job) -> Progress:
        if job.spec.priority == 9:
            raise RuntimeError("only this one")
        return Progress(state="succeeded")

    bad = await bench.create(REMOTE_MODEL, priority=9)
    good = await bench.create(REMOTE_MODEL)
    async with bench.working(ScriptedRemote(poll=poll)):
        assert (await bench.ended(good)).status is Status.SUCCEEDED
        assert not (await bench.task(bad.id)).ended


async def test_a_worker_that_starts_alone_takes_over_what_a_killed_one_held(bench: Bench) -> None:
    task, sent = await bench.create(LOCAL_MODEL), await bench.create(REMOTE_MODEL)

    async def hang(job: Job) -> Accepted:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    abandoned = bench.worker(ScriptedLocal(never), ScriptedRemote(submit=hang))
    await abandoned.prepare(alone=True)
    running = asyncio.create_task(abandoned.run())
    await bench.reaches(task, State.RENDERING)
    await bench.reaches(sent, State.SENDING)
    running.cancel()
    remote = ScriptedRemote()
    async with bench.working(ScriptedLocal(), remote):
        assert (await bench.ended(task)).status is Status.SUCCEEDED
        assert await bench.state(sent) is State.UNKNOWN
    assert remote.submits == []
