"""A workbench for the engine: one store, one service, workers that a test starts, stops and abandons."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from meshapi_server.tasks import ids
from meshapi_server.tasks.changes import Changes
from meshapi_server.tasks.jobs import Jobs
from meshapi_server.tasks.life import RECONCILE_WITHIN
from meshapi_server.tasks.limits import Pool
from meshapi_server.tasks.ports import Store
from meshapi_server.tasks.remote import RemoteDriver
from meshapi_server.tasks.service import TaskService
from meshapi_server.tasks.states import Event, State
from meshapi_server.tasks.submission import SubmissionDriver
from meshapi_server.tasks.task import Attempt, Claim, Schedule, Task, TaskError
from meshapi_server.tasks.worker import Worker, WorkerSettings
from meshapi_server.upstreams.contract import LocalUpstream, RemoteUpstream

from .. import samples
from ..samples import OWNER, HandClock
from ..stored import LocalFiles
from .scripted import ScriptedLocal, ScriptedModels, ScriptedRemote

LOCAL, REMOTE, BOTH = "mesh/any", "sandbox/any", "first+second/any"
LEASE = 30.0  # s on the hand clock: passes only when a test lets it
PATIENCE = 20  # s of real time, after which a wait for something is a failure


class Bench:
    """Tasks of one owner on one store, and the workers of a test. Time is the hand clock's."""

    def __init__(self, store: Store, files: LocalFiles, clock: HandClock) -> None:
        self.store, self.files, self.clock, self.changes = store, files, clock, Changes()
        self.models = ScriptedModels()
        self.service = TaskService(store, self.models, files, self.changes, clock)
        self._created: list[str] = []

    async def create(self, model: str = REMOTE, *, lane: str = "", **fields: Any) -> Task:
        created = await self.service.create(
            OWNER,
            samples.spec(model, **fields),
            request_id=ids.request_id(),
            respond=lambda *_: b"",
            lane=lane,
        )
        self._created.append(created.task_id)
        return await self.task(created.task_id)

    async def task(self, task_id: str) -> Task:
        return await self.service.get(OWNER, task_id)

    async def error(self, task: Task) -> TaskError:
        """Why the task failed."""
        found = (await self.task(task.id)).outcome.error
        assert found is not None
        return found

    async def schedule(self, task: Task) -> Schedule:
        """The row of a task that is in flight."""
        found = await self.store.schedule(task.id)
        assert found is not None
        return found

    async def state(self, task: Task) -> State:
        found = await self.store.schedule(task.id)
        return found.state if found else State.DONE

    async def lines(self, task: Task) -> list[Attempt]:
        """The task's timeline."""
        _, lines = await self.service.timeline(OWNER, task.id)
        return list(lines)

    async def until(self, holds: Callable[[], bool | Awaitable[bool]]) -> None:
        """Wait, in real time, until something is so."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = holds()
                if found if isinstance(found, bool) else await found:
                    return
                await asyncio.sleep(0.005)

    async def reaches(self, task: Task, *states: State) -> None:
        async def there() -> bool:
            return await self.state(task) in states

        await self.until(there)

    async def changed(self, task: Task) -> Task:
        """The task once it is no longer as it was."""

        async def other() -> bool:
            return (await self.task(task.id)).version > task.version

        await self.until(other)
        return await self.task(task.id)

    async def rests(self, task: Task, state: State) -> Schedule:
        """The row once the task is in ``state`` and nobody is at it."""

        async def there() -> bool:
            found = await self.store.schedule(task.id)
            return found is not None and found.state is state and found.worker is None

        await self.until(there)
        return await self.schedule(task)

    async def ended(self, task: Task) -> Task:
        """The task once it has ended. Whenever all tasks sleep, the clock is put to the next one's time.

        A task that is due but waits for a slot keeps the clock where it is.
        """

        async def over() -> bool:
            await self._sleep_over()
            return (await self.task(task.id)).ended

        await self.until(over)
        return await self.task(task.id)

    async def done(self, task: Task) -> None:
        """Wait until nothing is left to do for the task; the clock passes as in :meth:`ended`."""

        async def over() -> bool:
            await self._sleep_over()
            return await self.state(task) is State.DONE

        await self.until(over)

    async def _sleep_over(self) -> None:
        found = [await self.store.schedule(task_id) for task_id in self._created]
        rows = [row for row in found if row is not None]
        if rows and all(row.worker is None and row.due > self.clock() for row in rows):
            self.pass_time((min(row.due for row in rows) - self.clock()) / 1000)

    async def turns(self, count: int = 3) -> None:
        """Let every worker look ``count`` times whether there is something to do."""
        for _ in range(count):
            self.changes.ring_here()
            await asyncio.sleep(0.04)  # two of the workers' ticks

    def pass_time(self, seconds: float) -> None:
        """Put the clock on, and tell the workers to look."""
        self.clock.now += round(seconds * 1000)
        self.changes.ring_here()

    def worker(self, *upstreams: ScriptedLocal | ScriptedRemote, **settings: Any) -> Worker:
        local: Mapping[str, LocalUpstream] = {u.name: u for u in upstreams if isinstance(u, ScriptedLocal)}
        remote: Mapping[str, RemoteUpstream] = {u.name: u for u in upstreams if isinstance(u, ScriptedRemote)}
        chosen = WorkerSettings(**{"name": ids.ulid(), "lease": LEASE, "tick": 0.02, **settings})
        return Worker(self.store, self.files, self.changes, self.clock, self.jobs(), chosen, local, remote)

    def jobs(self) -> Jobs:
        return Jobs(self.store, lambda upstream, task_id: f"https://mesh.example/{upstream}/{task_id}")

    @asynccontextmanager
    async def working(
        self, *upstreams: ScriptedLocal | ScriptedRemote, **settings: Any
    ) -> AsyncIterator[Worker]:
        """A worker that runs while the block does, alone on its store."""
        worker = self.worker(*upstreams, **settings)
        await worker.prepare(alone=True)
        loop = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            await asyncio.wait_for(worker.stop(), PATIENCE)
            await asyncio.wait_for(loop, PATIENCE)

    async def hand(self, upstream: ScriptedRemote, name: str = "hand") -> "Hand":
        """A worker that does one thing at a time, when the test says so."""
        await self.store.set_pools([Pool(name=f"upstream:{upstream.name}", capacity=upstream.limits.tasks)])
        return Hand(self, upstream, name)

    async def reap(self, *, reconcile_within: int = RECONCILE_WITHIN) -> list[Task]:
        """What any living worker does about lost leases."""
        return await self.store.reap(self.clock(), reconcile_within=reconcile_within)


class Hand:
    """Claims and drives single tasks, so that a test decides what happens between the two.

    It hears nothing of what others do, as a worker in a process of its own that is frozen.
    """

    def __init__(self, bench: Bench, upstream: ScriptedRemote, name: str) -> None:
        self._bench, self._upstream, self._name = bench, upstream, name
        upstreams: Mapping[str, RemoteUpstream] = {upstream.name: upstream}
        parts = (bench.store, Changes(), bench.clock, bench.jobs(), upstreams, LEASE)
        self.submissions = SubmissionDriver(*parts)
        self.drive = RemoteDriver(bench.store, bench.files, *parts[1:])

    async def take(self, event: Event) -> Claim:
        """The one task that there is to take now."""
        now = self._bench.clock()
        (claim,) = await self._bench.store.claim(
            event,
            upstreams=(self._upstream.name,),
            worker=self._name,
            now=now,
            lease_until=now + round(LEASE * 1000),
            limit=1,
        )
        return claim

    async def submit(self) -> None:
        await self.submissions.submit(await self.take(Event.CLAIM_SUBMIT))

    async def reconcile(self) -> None:
        await self.submissions.reconcile(await self.take(Event.CLAIM_RECONCILE))

    async def poll(self) -> None:
        await self.drive.poll([await self.take(Event.CLAIM_POLL)])

    async def fetch(self) -> None:
        await self.drive.fetch(await self.take(Event.CLAIM_FETCH))

    async def cancel(self) -> None:
        await self.drive.cancel(await self.take(Event.CLAIM_CANCEL))
