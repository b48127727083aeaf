"""What a caller can do with tasks. Knows rules, not HTTP and not SQL."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from decimal import Decimal

from msgspec.structs import replace

from . import drafts, ids, inputs
from .adoption import drop_files, drop_unneeded
from .changes import Changes, News
from .clock import Clock
from .errors import Detail, OverBudget, RequestInvalid, TaskBusy, TaskEnded, TaskMissing, TooExpensive
from .ports import Created, Files, Idempotency, Models, Page, Prepared, Query, Store
from .price import UNLIMITED, Budget, Price
from .spec import Spec
from .states import State, Status
from .task import Attempt, Route, Schedule, Task

HIGHEST_PRIORITY = 9
DEFAULT_EXPIRY_SECONDS = 172_800
_SEEDS = 2**32
_REREAD = 5.0  # s after which a waiting caller's task is read again, should word of a change have been lost

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
        key_id: str | None = None,
        lane: str = "",
        max_cost_usd: Decimal | None = None,
        budget: Budget = UNLIMITED,
        most_in_flight: int | None = None,
        unknown_fields: Sequence[str] = (),
        idempotency: Idempotency | None = None,
    ) -> Created:
        """Accept a task durably and return the answer's bytes.

        ``respond`` encodes the accepted task; the bytes are kept with the idempotency key so that a
        repeated call gets the first answer. ``lane`` is the pool of the key's own limit, ``budget`` what it
        may spend. Raises ModelUnknown, ProviderOff, RequestInvalid, IdempotencyMismatch, and TooExpensive
        when the price is above ``max_cost_usd`` or does not fit into the budget, or when there is such a
        limit and the price is not known, and TooManyTasks when the key has ``most_in_flight`` already.
        """
        if idempotency and (earlier := await self._store.replay(owner, idempotency)):
            return earlier
        spec, draft_id = await self._resolve_draft(owner, spec)
        prepared = self._models.prepare(spec)
        _check_cost(prepared.price, max_cost_usd, budget)
        stored, inline = inputs.detach(_with_seed(prepared.spec, prepared.routes[0]))
        now = self._clock()
        expiry = spec.execution_expires_after or DEFAULT_EXPIRY_SECONDS
        task = Task(
            id=ids.task_id(),
            owner=owner,
            key_id=key_id,
            request_id=request_id,
            requested_model=spec.model,
            model=prepared.routes[0].model,
            upstream=prepared.routes[0].upstream,
            routes=tuple(_without_inputs(route, stored) for route in prepared.routes),
            status=Status.PENDING,
            version=1,
            created_at=now,
            updated_at=now,
            expires_at=now + expiry * 1000,
            spec=stored,
            draft_task_id=draft_id,
        )
        schedule = Schedule(
            state=State.QUEUED,
            due=now,
            upstream=task.upstream,
            expires_at=task.expires_at,
            lane=lane,
            rank=HIGHEST_PRIORITY - (spec.priority or 0),
        )
        unsupported = _unsupported(prepared, unknown_fields)
        response = respond(task, unsupported)
        created = await self._store.create(
            task, schedule, response, idempotency, inline, budget, most_in_flight
        )
        self._changes.ring()
        return created

    async def quote(
        self, owner: str, spec: Spec, *, unknown_fields: Sequence[str] = ()
    ) -> tuple[Prepared, tuple[str, ...]]:
        """What a create of ``spec`` would do and cost, and the parameters it would drop.

        Nothing is stored or spent. Raises as create does.
        """
        spec, _ = await self._resolve_draft(owner, spec)
        prepared = self._models.prepare(spec)
        return prepared, _unsupported(prepared, unknown_fields)

    async def _resolve_draft(self, owner: str, spec: Spec) -> tuple[Spec, str | None]:
        item = drafts.draft_item(spec)
        if item is None:
            return spec, None
        draft = await self._store.get(owner, item.task_id or "")
        if draft is not None and inputs.has_inline(draft.spec):
            kept = await self._store.inputs(draft.id)
            if not kept:
                raise RequestInvalid((drafts.inputs_gone(item, draft),))
            draft = replace(draft, spec=inputs.attach(draft.spec, kept))
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
        When the server stops it ends early: the caller comes back, and is answered by whoever serves then.
        After every silence the store is asked: an announcement is only a hint.
        """
        time = asyncio.get_running_loop().time
        with self._changes.subscribe(task_id) as queue:
            task = await self.get(owner, task_id)
            yield task
            told = time()
            while not (task.ended or self._changes.closed):
                limits = [time() + _REREAD, told + idle if idle is not None else None, deadline]
                news = await _next(queue, min(limit for limit in limits if limit is not None) - time())
                snapshot = news or await self.get(owner, task_id)
                if snapshot.version > task.version:
                    task = snapshot
                    yield task
                    told = time()
                elif deadline is not None and time() >= deadline:
                    return
                elif idle is not None and time() >= told + idle:
                    yield None
                    told = time()

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
                # A worker that died between storing the video and saying so has left it to nobody.
                await drop_unneeded(self._store, self._files, task_id)
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
        # The files first: a delete that a kill breaks off can be repeated, and leaves nothing for a sweep.
        await drop_files(self._store, self._files, task)
        gone = await self._store.delete(owner, task_id, self._clock())
        if gone is None and await self._store.get(owner, task_id):
            raise TaskBusy(f"Task {task_id} has ended but is still being stopped upstream; delete it later.")
        return None

    async def timeline(self, owner: str, task_id: str) -> tuple[Task, Sequence[Attempt]]:
        """The task and every attempt at it, oldest first. Raises TaskMissing."""
        task = await self.get(owner, task_id)
        lines = await self._store.timeline(task_id)
        # All the looks of a submission follow it, also when the first came in the same millisecond.
        return task, sorted(lines, key=lambda line: (line.started_at, line.attempt, line.kind == "poll"))

    async def wake(self, task_id: str) -> None:
        """The task's upstream announced a change: look at it now. It decides nothing, whoever sent it."""
        if ids.is_task_id(task_id) and await self._store.wake(task_id, self._clock()):
            self._changes.ring()


def _check_cost(price: Price, most: Decimal | None, budget: Budget) -> None:
    """Raise TooExpensive for what is certain before anything is stored; the store checks the budget."""
    if price.cost_usd is None:
        why = f" {price.reason}" if price.reason else ""
        if most is not None:
            raise TooExpensive(f"The price is not known, and max_cost_usd is {most}.{why}")
        if budget.limited:
            raise OverBudget(f"The price is not known, and this key has a budget.{why}")
    elif most is not None and price.cost_usd > most:
        raise TooExpensive(
            f"The request costs up to {price.cost_usd.normalize():f} USD; max_cost_usd is {most}."
        )


def _unsupported(prepared: Prepared, unknown_fields: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*prepared.unsupported, *unknown_fields)))


def _with_seed(spec: Spec, route: Route) -> Spec:
    if spec.seed is not None and spec.seed >= 0:
        return spec
    return replace(spec, seed=secrets.randbelow(_SEEDS) if route.takes_seed else None)


def _without_inputs(route: Route, stored: Spec) -> Route:
    """The route as it is stored: inline inputs are kept once, and every route asks for the same seed."""
    if route.spec is None:
        return route
    return replace(
        route, spec=replace(inputs.detach(route.spec)[0], seed=stored.seed if route.takes_seed else None)
    )


async def _next(queue: asyncio.Queue[News], seconds: float) -> News:
    try:
        # Not wait_for: until Python 3.12 it swallows a cancel that comes together with the news.
        async with asyncio.timeout(seconds):
            return await queue.get()
    except TimeoutError:
        return None
