"""The Store port in terms of plans: everything that both dialects do alike."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar

from meshapi_server.tasks.errors import TaskRefusal
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.limits import Pool, PoolState
from meshapi_server.tasks.ports import (
    EMPTY,
    ONE_BY_ONE,
    Created,
    Detour,
    Idempotency,
    Page,
    Query,
    Waiting,
)
from meshapi_server.tasks.price import UNLIMITED, Budget
from meshapi_server.tasks.states import Event, State
from meshapi_server.tasks.task import Attempt, Claim, Schedule, Task

from . import claiming, creating, looking, moving
from .coalescing import Coalescer
from .plan import Plan, Read, Row, read, write
from .queue_heads import QueueHeads
from .rows import pool_row, read_pool, read_schedule, read_task, read_waiting
from .statements import Dialect

Result = TypeVar("Result")
Look: TypeAlias = Callable[[], Plan[Result]]
"""Begins a plan that reads; called again when the database was away."""
Change: TypeAlias = Callable[[int], Plan[Result]]
"""Begins a plan that writes, given its shard of the tally; called again when its transaction was undone."""
Purpose = Literal["accept", "move", "claim", "wake", "count", "other"]
"""What a transaction is for: those of one purpose may wait for each other."""


class PlannedStore(ABC):
    """Implements the Store port (tasks/ports.py); a dialect says how plans are performed."""

    dialect: ClassVar[Dialect]

    def __init__(self) -> None:
        self._accepting = Coalescer(self._accept)
        self._moving = Coalescer(self._move)
        self._waking = Coalescer(self._wake)
        self._heads = QueueHeads(lambda upstream: self.scan(lambda: looking.queue_head(upstream)))

    async def settle(self) -> None:
        """Finish what was begun; nothing is accepted afterwards."""
        await self._accepting.close()
        await self._moving.close()
        await self._waking.close()

    async def _accept(self, entries: Sequence[creating.Entry]) -> Sequence[creating.Accepted]:
        return await self.change(lambda shard: creating.create(entries, shard), "accept")

    async def _move(self, moves: Sequence[moving.Move]) -> Sequence[Task | None]:
        return await self.change(lambda shard: moving.apply(moves, shard), "move")

    async def _wake(self, announced: Sequence[moving.Announced]) -> Sequence[bool]:
        return await self.change(lambda _: moving.wake(announced), "wake")

    @abstractmethod
    async def fetch(self, name: str, /, **values: Any) -> Sequence[Row]:
        """The rows of one named statement that only reads, at a point."""

    @abstractmethod
    async def look(self, begin: Look[Result]) -> Result:
        """Perform a plan of point reads."""

    @abstractmethod
    async def scan(self, begin: Look[Result]) -> Result:
        """Perform a plan of reads that may be long, and that see one moment of the database."""

    @abstractmethod
    async def change(self, begin: Change[Result], purpose: Purpose = "other") -> Result:
        """Perform a plan that writes, in one transaction; returns after its commit."""

    async def create(
        self,
        task: Task,
        schedule: Schedule,
        response: bytes,
        idempotency: Idempotency | None,
        inputs: Mapping[int, str] = EMPTY,
        budget: Budget = UNLIMITED,
        most_in_flight: int | None = None,
    ) -> Created:
        """Task, schedule, inputs, idempotency record and hold in one commit (see the port)."""
        entry = creating.Entry(
            task=task,
            schedule=schedule,
            response=response,
            idempotency=idempotency,
            inputs=inputs,
            budget=budget,
            most_in_flight=most_in_flight,
        )
        answer = await self._accepting.submit(entry)
        if isinstance(answer, TaskRefusal):
            raise answer
        return answer

    async def replay(self, owner: str, idempotency: Idempotency) -> Created | None:
        """The first answer under this key (see the port)."""
        return await self.look(lambda: creating.find(owner, idempotency))

    async def get(self, owner: str, task_id: str) -> Task | None:
        """The owner's task."""
        rows = await self.fetch("get_task", id=task_id, owner=owner)
        return read_task(rows[0]) if rows else None

    async def get_by_request(self, owner: str, request_id: str) -> Task | None:
        """The owner's newest task created under this request id."""
        rows = await self.fetch("get_task_by_request", request_id=request_id, owner=owner)
        return read_task(rows[0]) if rows else None

    async def inputs(self, task_id: str) -> Mapping[int, str]:
        """The task's inline inputs (see the port)."""
        rows = await self.scan(lambda: read("get_inputs", task_id=task_id))
        return {item: data for item, data in rows}  # noqa: C416 - a row of the database is no pair to dict()

    async def timeline(self, task_id: str) -> Sequence[Attempt]:
        """Every attempt at the task (see the port)."""
        return await self.look(lambda: looking.timeline(task_id))

    async def queue_positions(self, tasks: Sequence[Task]) -> Mapping[str, int]:
        """Places in the queue (see the port), counted up to POSITIONS_COUNTED."""
        if len(tasks) > 1:
            return await self.scan(lambda: looking.queue_positions(tasks))
        place = await self._queue_position(tasks[0])
        return {} if place is None else {tasks[0].id: place}

    async def _queue_position(self, task: Task) -> int | None:
        place = await self._count_ahead(task.id, min(looking.POSITIONS_EXACT, looking.POSITIONS_COUNTED))
        if place is None or place < looking.POSITIONS_EXACT:
            return place
        head = await self._heads.get(task.upstream)
        if task.id in head.places:
            return max(place, head.places[task.id])  # some ahead of it may have been served since
        if head.full:
            return looking.POSITIONS_COUNTED
        return await self._count_ahead(task.id, looking.POSITIONS_COUNTED)

    async def _count_ahead(self, task_id: str, most: int) -> int | None:
        """How many are served before one task, counted up to ``most``; None when it does not wait."""
        rows = await self.fetch("queue_position", id=task_id, most=most)
        return rows[0][0] if rows else None

    async def page(self, owner: str, query: Query) -> Page:
        """A page of the owner's tasks; ``total`` is counted up to TOTAL_COUNTED (see looking.py)."""
        return await self.scan(lambda: looking.page(owner, query, self.dialect))

    async def delete(self, owner: str, task_id: str, now: int) -> Task | None:
        """Remove an ended task (see the port)."""
        return await self.change(lambda shard: moving.delete(owner, task_id, now, shard))

    async def unneeded_files(self, task_ids: Sequence[str]) -> frozenset[str]:
        """Those of these tasks whose files may go (see the port)."""
        wanted = list(task_ids)
        rows = await self.scan(lambda: read("unneeded_files", ids=wanted))
        return frozenset(row[0] for row in rows)

    async def claim(
        self,
        event: Event,
        *,
        upstreams: Sequence[str],
        worker: str,
        now: int,
        lease_until: int,
        limit: int,
        looks_at_once: Mapping[str, int] = ONE_BY_ONE,
    ) -> list[Claim]:
        """Take due tasks (see the port); begins a transaction only when there is something to take."""
        ask = claiming.Ask(
            event=event,
            upstreams=tuple(upstreams),
            worker=worker,
            now=now,
            lease_until=lease_until,
            limit=limit,
            looks_at_once=looks_at_once,
        )
        choice = await self.look(lambda: claiming.choose(ask, lock=False))
        return await self.take(ask) if choice.taken else []

    async def take(self, ask: claiming.Ask) -> list[Claim]:
        """Claim what ``ask`` may take, in a transaction."""
        return await self.change(lambda shard: claiming.claim(ask, shard), "claim")

    async def step(self, task_id: str, step: Step, now: int, *, owner: str | None = None) -> Task | None:
        """Apply a step (tasks/life.py) in a transaction."""
        return await self._moving.submit(moving.Move(task_id=task_id, step=step, now=now, owner=owner))

    async def cancel(self, owner: str, task_id: str, now: int) -> Task | None:
        """End the task, or note the wish while it is being sent (see the port)."""
        return await self.change(lambda shard: moving.cancel(owner, task_id, now, shard))

    async def wake(self, task_id: str, now: int) -> bool:
        """Have the task looked at now (see the port)."""
        return await self._waking.submit(moving.Announced(task_id=task_id, now=now))

    async def schedule(self, task_id: str) -> Schedule | None:
        """The schedule row, if something is left to do for the task."""
        rows = await self.fetch("get_schedule", id=task_id)
        return read_schedule(rows[0]) if rows else None

    async def reap(self, now: int, *, reconcile_within: int, all_leases: bool = False) -> list[Task]:
        """Free lost leases (see the port)."""
        leases = moving.leases(now, every=all_leases)
        if all_leases:
            await self.change(lambda _: write("recount_pools", {}))
        return await self._rounds(leases, lambda shard: moving.reap(leases, now, reconcile_within, shard))

    async def expire(self, now: int) -> list[Task]:
        """End what is overdue (see the port)."""
        expired, given_up = moving.expired(now), moving.given_up(now)
        seen = await self._rounds(expired, lambda shard: moving.expire(expired, now, shard))
        return seen + await self._rounds(given_up, lambda shard: moving.give_up(given_up, now, shard))

    async def _rounds(self, query: Read, begin: Change[moving.Found]) -> list[Task]:
        """As many transactions as it takes; none when a look at ``query`` finds nothing."""
        if not await self.look(lambda: moving.peek(query)):
            return []
        seen: list[Task] = []
        while True:
            found = await self.change(begin)
            seen += found.seen
            if not found.more:
                return seen

    async def set_pools(self, pools: Sequence[Pool]) -> None:
        """Set the limits of pools (see the port)."""
        rows = [pool_row(pool) for pool in sorted(pools, key=lambda pool: pool.name)]
        if rows:
            await self.change(lambda _: write("set_pool", *rows))

    async def pause(self, pool: str, until: int) -> None:
        """Let nothing through a pool for a while (see the port)."""
        await self.change(lambda _: write("pause_pool", {"name": pool, "until": until}))

    async def pools(self, names: Sequence[str]) -> Mapping[str, PoolState]:
        """Pools by their names (see the port)."""
        wanted = list(names)
        rows = await self.look(lambda: read("get_pools", names=wanted))
        return {pool.name: pool for pool in map(read_pool, rows)}

    async def waiting(self, upstream: str, after: tuple[int, str], now: int, most: int) -> Sequence[Waiting]:
        """What waits for an upstream (see the port)."""
        rank, task_id = after
        rows = await self.scan(
            lambda: read(
                "queue_behind", upstream=upstream, after_rank=rank, after_id=task_id, now=now, most=most
            )
        )
        return [read_waiting(row) for row in rows]

    async def detour(self, wishes: Sequence[Detour], now: int) -> Sequence[Task]:
        """Move queued tasks on (see the port)."""
        return await self.change(lambda shard: moving.detour(wishes, now, shard))

    async def ping(self) -> None:
        """Ask the database for as little as possible."""
        await self.scan(lambda: read("ping"))

    async def count_states(self) -> Mapping[State, int]:
        """How many tasks are in each state."""
        rows = await self.scan(lambda: read("count_states"))
        return {State(state): count for state, count in rows}

    async def sweep_idempotency(self, before: int) -> int:
        """Forget old idempotency records."""
        return len(await self.change(lambda _: read("sweep_idempotency", before=before)))
