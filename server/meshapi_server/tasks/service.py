"""What a caller can do with tasks. Knows rules, not HTTP and not SQL."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from msgspec.structs import replace

from . import drafts, ids
from .changes import Changes
from .clock import Clock
from .errors import Detail, RequestInvalid, TaskEnded, TaskMissing
from .ports import Created, Files, Idempotency, Models, Page, Query, Store
from .spec import Spec
from .states import State, Status
from .task import Schedule, Task

DEFAULT_EXPIRY_SECONDS = 172_800
_SEEDS = 2**32
_UNSERVED = ("callback_url",)  # part of the wire that nothing here acts on yet; the answer says so

Respond = Callable[[Task, tuple[str, ...]], bytes]


class TaskService:
    """Create, look at, wait for, cancel and delete tasks, each for one owner."""

    def __init__(self, store: Store, models: Models, files: Files, changes: Changes, clock: Clock) -> None:
        self._store = store
        self._models = models
        self._files = files
        self._changes = changes
        self._clock = clock

    async def create(
        self,
        owner: str,
        spec: Spec,
        *,
        request_id: str,
        respond: Respond,
        unknown_fields: Sequence[str] = (),
        idempotency: Idempotency | None = None,
    ) -> Created:
        """Accept a task durably and return the answer's bytes.

        ``respond`` encodes the accepted task; the bytes are kept with the idempotency key so that a
        repeated call gets the first answer. Raises ModelUnknown, ProviderOff, RequestInvalid,
        IdempotencyMismatch.
        """
        if idempotency and (earlier := await self._store.replay(owner, idempotency)):
            return earlier
        spec, draft_id = await self._resolve_draft(owner, spec)
        prepared = self._models.prepare(spec)
        now = self._clock()
        expiry = spec.execution_expires_after or DEFAULT_EXPIRY_SECONDS
        task = Task(
            id=ids.task_id(),
            owner=owner,
            request_id=request_id,
            requested_model=spec.model,
            model=prepared.model,
            upstream=prepared.upstream,
            status=Status.PENDING,
            version=1,
            created_at=now,
            updated_at=now,
            expires_at=now + expiry * 1000,
            spec=_with_seed(prepared.spec, prepared.unsupported),
            draft_task_id=draft_id,
        )
        schedule = Schedule(state=State.QUEUED, due=now)
        unserved = [name for name in _UNSERVED if getattr(spec, name) is not None]
        unsupported = tuple(dict.fromkeys((*prepared.unsupported, *unserved, *unknown_fields)))
        created = await self._store.create(task, schedule, respond(task, unsupported), idempotency)
        self._changes.ring()
        return created

    async def _resolve_draft(self, owner: str, spec: Spec) -> tuple[Spec, str | None]:
        item = drafts.draft_item(spec)
        if item is None:
            return spec, None
        draft = await self._store.get(owner, item.task_id or "")
        return drafts.finalise(spec, item, draft), item.task_id

    async def find(self, owner: str, task_id: str) -> Task | None:
        """The owner's task, or None when there is none (any more)."""
        return await self._store.get(owner, task_id)

    async def get(self, owner: str, task_id: str, *, by_request: bool = False) -> Task:
        """The owner's task, also by its create call's request id if ``by_request``. Raises TaskMissing."""
        task = await self.find(owner, task_id)
        if task is None and by_request:
            task = await self._store.get_by_request(owner, task_id)
        if task is None:
            raise TaskMissing(f"No video generation task {task_id[:80]!r} was found.")
        return task

    async def wait(self, owner: str, task_id: str, seconds: float, *, by_request: bool = False) -> Task:
        """The task as it is when it has ended or ``seconds`` have passed, whichever comes first."""
        task = await self.get(owner, task_id, by_request=by_request)
        if seconds <= 0 or task.ended:
            return task
        deadline = asyncio.get_running_loop().time() + seconds
        async for snapshot in self.watch(owner, task.id, deadline=deadline):
            if snapshot is not None:
                task = snapshot
        return task

    async def watch(
        self, owner: str, task_id: str, *, deadline: float | None = None, idle: float | None = None
    ) -> AsyncIterator[Task | None]:
        """The task now and after each change, until it has ended or ``deadline`` (loop time) is over.

        Yields None whenever ``idle`` seconds passed without a change, so that a stream can say that it lives.
        After every silence the store is asked: an announcement is only a hint.
        """
        with self._changes.subscribe(task_id) as queue:
            task = await self.get(owner, task_id)
            yield task
            while not task.ended:
                announced = await _next(queue, deadline, idle)
                snapshot = announced or await self.get(owner, task_id)
                if snapshot.version > task.version:
                    task = snapshot
                    yield task
                elif announced is None:
                    if deadline is not None and asyncio.get_running_loop().time() >= deadline:
                        return
                    yield None

    async def list(self, owner: str, query: Query) -> Page:
        """A page of the owner's tasks. Raises RequestInvalid when the cursor is no task id.

        The task itself may be gone: who deletes while paging goes on from where it was.
        """
        if query.after is not None and not ids.is_task_id(query.after):
            message = f"{query.after[:80]!r} is no task id; send the id of the last task of the page before"
            raise RequestInvalid((Detail("value_error", ("query", "after"), message),))
        return await self._store.page(owner, query)

    async def queue_positions(self, tasks: Sequence[Task]) -> Mapping[str, int]:
        """How many tasks are served before each of these that still waits for a slot."""
        waiting = [task for task in tasks if task.status is Status.PENDING]
        return await self._store.queue_positions(waiting) if waiting else {}

    async def cancel(self, owner: str, task_id: str) -> Task:
        """End a task that has not ended; a cancelled one is returned as it is. Raises TaskEnded."""
        task = await self.get(owner, task_id)
        if not task.ended:
            moved = await self._store.cancel(owner, task_id, self._clock())
            if moved is not None:
                self._changes.publish(moved)
                self._changes.ring()
                return moved
            task = await self.get(owner, task_id)
        if task.ended and (task.outcome.error is None or task.outcome.error.code != "cancelled"):
            raise TaskEnded(f"Task {task_id} has already {task.status}; it cannot be cancelled.")
        return task

    async def delete(self, owner: str, task_id: str) -> Task | None:
        """Cancel a task that has not ended (and return it), or remove an ended one (and return None)."""
        task = await self.get(owner, task_id)
        if not task.ended:
            return await self.cancel(owner, task_id)
        await self._store.delete(owner, task_id)
        await self._files.remove(task_id)
        return None


def _with_seed(spec: Spec, unsupported: Sequence[str]) -> Spec:
    if spec.seed is not None and spec.seed >= 0:
        return spec
    if "seed" in unsupported:
        return replace(spec, seed=None)
    return replace(spec, seed=secrets.randbelow(_SEEDS))


async def _next(queue: asyncio.Queue[Task], deadline: float | None, idle: float | None) -> Task | None:
    limits = [] if idle is None else [idle]
    if deadline is not None:
        limits.append(max(0.0, deadline - asyncio.get_running_loop().time()))
    try:
        return await asyncio.wait_for(queue.get(), min(limits) if limits else None)
    except TimeoutError:
        return None
