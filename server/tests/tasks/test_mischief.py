"""Many workers, frozen and thawed at random, over an upstream in every mood: what holds for all of it."""

import asyncio
import contextlib
import random
import sqlite3
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from meshapi_server.tasks.changes import Changes
from meshapi_server.tasks.errors import TaskEnded
from meshapi_server.tasks.states import Status
from meshapi_server.tasks.task import Task
from meshapi_server.tasks.worker import Worker, WorkerSettings
from meshapi_server.upstreams.contract import (
    Abilities,
    Accepted,
    Deferred,
    Job,
    Limits,
    Look,
    Progress,
    Rejected,
    Rendered,
)

from ..samples import OWNER
from .bench import LEASE, PATIENCE, REMOTE, Bench
from .faulty import FaultyStore
from .scripted import CANCELS, FINDS, REFUSAL, RESENDS, deliver

TASKS, STEPS, WORKERS = 30, 60, 3


class Account:
    """What the upstream has: one job for each token that it accepted, whatever was heard of it."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.moody = True
        self.jobs: dict[str, str] = {}  # token -> reference
        self.asked: Counter[str] = Counter()
        self.stopped: set[str] = set()
        self.finished: set[str] = set()

    def mood(self, share: float) -> bool:
        return self.moody and self.chance.random() < share

    def take(self, token: str) -> Accepted:
        return Accepted(reference=self.jobs.setdefault(token, f"job-{token}"), look_again_in=0.0)


class Moody:
    """The upstream as one worker's process reaches it; frozen together with that process."""

    name = "sandbox"
    limits = Limits(tasks=8)

    def __init__(self, account: Account, process: FaultyStore, abilities: Abilities) -> None:
        self._account, self._process, self.abilities = account, process, abilities

    async def _travel(self) -> None:
        await asyncio.sleep(self._account.chance.random() / 200)
        await self._process.awake()

    async def submit(self, job: Job) -> Accepted:
        account = self._account
        account.asked[job.token] += 1
        await self._travel()
        if job.token not in account.jobs:
            if account.mood(0.15):
                raise Deferred("busy", retry_after=1)
            if account.mood(0.05):
                raise Rejected(REFUSAL)
            if account.mood(0.1):
                raise ConnectionResetError("before it arrived")
        accepted = account.take(job.token)
        await self._travel()
        if account.mood(0.15):
            raise ConnectionResetError("after it was accepted")
        return accepted

    async def find(self, job: Job) -> Accepted | None:
        await self._travel()
        if self._account.mood(0.2):
            raise TimeoutError
        return self._account.take(job.token) if job.token in self._account.jobs else None

    async def poll(self, looks: Sequence[Look]) -> Sequence[Progress | Exception]:
        await self._travel()
        return [self._look(look.reference) for look in looks]

    def _look(self, reference: str) -> Progress | Exception:
        account = self._account
        if reference in account.stopped:
            return Progress(state="failed", error=REFUSAL)
        if account.mood(0.2):
            return ConnectionError()
        if account.mood(0.5):
            return Progress(state="running", look_again_in=0)
        account.finished.add(reference)
        return Progress(state="succeeded")

    async def fetch(self, reference: str, job: Job, workspace: Path) -> Rendered:
        await self._travel()
        if self._account.mood(0.2):
            raise ConnectionError
        return await deliver(workspace)

    async def cancel(self, reference: str, job: Job) -> bool:
        await self._travel()
        if self._account.mood(0.3):
            raise TimeoutError
        self._account.stopped.add(reference)
        return True


class World:
    """The workers of a test, each as in a process of its own, and what callers saw."""

    def __init__(self, bench: Bench, account: Account, abilities: Abilities) -> None:
        self._bench, self._account, self._chance = bench, account, account.chance
        self.ends: dict[str, Task] = {}
        self.processes: list[FaultyStore] = []
        self._workers: list[Worker] = []
        self._loops: list[asyncio.Task[None]] = []
        for number in range(WORKERS):
            process = FaultyStore(bench.store)
            settings = WorkerSettings(name=f"w{number}", lease=LEASE, tick=0.01)
            upstream = Moody(account, process, abilities)
            self._workers.append(
                Worker(
                    process.port,
                    bench.files,
                    Changes(),
                    bench.clock,
                    bench.jobs(),
                    settings,
                    {},
                    {"sandbox": upstream},
                )
            )
            self.processes.append(process)

    async def start(self) -> None:
        await self._workers[0].prepare(alone=True)
        self._loops = [asyncio.create_task(worker.run()) for worker in self._workers]

    async def step(self, tasks: Sequence[Task]) -> None:
        """Something happens to somebody."""
        chance, bench = self._chance, self._bench
        process, task = chance.choice(self.processes), chance.choice(tasks)
        match chance.randrange(6):
            case 0:
                process.freeze()
            case 1 | 2:
                process.thaw()
            case 3:
                bench.pass_time(chance.choice([0.5, 5, LEASE + 1]))
            case 4:
                await bench.service.wake(task.id)
            case 5 if chance.random() < 0.4:
                with contextlib.suppress(TaskEnded):
                    await bench.service.cancel(OWNER, task.id)
        await asyncio.sleep(chance.random() / 50)
        await self.look(tasks)

    async def finish(self, tasks: Sequence[Task]) -> None:
        """Everybody wakes, the upstream is in a good mood, and time passes until nothing is left to do."""
        self._account.moody = False
        for process in self.processes:
            process.thaw()
        async with asyncio.timeout(PATIENCE):
            while await self._bench.store.count_states():
                self._bench.pass_time(0.5)
                await asyncio.sleep(0.01)
        await self.look(tasks)
        for worker in self._workers:
            await asyncio.wait_for(worker.stop(), PATIENCE)
        await asyncio.gather(*self._loops)

    async def look(self, tasks: Sequence[Task]) -> None:
        """What has ended once must stay as it was."""
        for task in tasks:
            seen = await self._bench.task(task.id)
            if seen.ended:
                assert self.ends.setdefault(task.id, seen) == seen


@pytest.mark.parametrize("abilities", [CANCELS, FINDS, RESENDS], ids=["neither", "finds", "resends"])
@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_frozen_lost_or_cancelled_nothing_is_lost_paid_twice_or_left_behind(
    bench: Bench, tmp_path: Path, abilities: Abilities, seed: int
) -> None:
    account = Account(random.Random(seed))
    world = World(bench, account, abilities)
    tasks = [await bench.create(REMOTE) for _ in range(TASKS)]
    await world.start()
    for _ in range(STEPS):
        await world.step(tasks)
    await world.finish(tasks)

    assert set(world.ends) == {task.id for task in tasks}
    accepted = Counter(token.rpartition(".")[0] for token in account.jobs)
    assert set(accepted.values()) <= {1}, "the upstream accepted a task twice"
    if not abilities.resends:
        assert set(account.asked.values()) <= {1}, "a submission was repeated"
    for token, reference in account.jobs.items():
        await _settled(world.ends[token.rpartition(".")[0]], account, reference)
    for task in world.ends.values():
        stored = bench.files.path(task.id, "video.mp4") is not None
        assert stored == (task.status is Status.SUCCEEDED)
    assert await bench.store.count_states() == {}
    with contextlib.closing(sqlite3.connect(tmp_path / "meshapi.db")) as database:
        assert database.execute("select name, used from pool where used <> 0").fetchall() == []


async def _settled(task: Task, account: Account, reference: str) -> None:
    """What the upstream accepted was fetched, stopped, or said to be possibly charged."""
    if task.status is Status.SUCCEEDED or reference in account.finished | account.stopped:
        return
    assert task.outcome.error is not None
    assert task.outcome.error.code in {"submission_unknown", "cancelled"}, task
