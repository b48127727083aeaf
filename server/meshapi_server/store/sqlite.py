"""The embedded store: one SQLite file in WAL mode, one writer thread, readers beside it."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from meshapi_server.tasks.clock import Clock
from meshapi_server.tasks.errors import IdempotencyMismatch
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.limits import Pool, gcra
from meshapi_server.tasks.ports import EMPTY, Created, Idempotency, Page, Query
from meshapi_server.tasks.states import Event, State
from meshapi_server.tasks.task import Attempt, Claim, Schedule, Task

from . import filters, steps
from .migrate import migrate
from .rows import read_attempt, read_schedule, read_task, schedule_row, task_row
from .statements import SCHEDULE_COLUMNS, load
from .writer import Writer, connect

Result = TypeVar("Result")

SQL = load()
POSITIONS_COUNTED = 1000
_READERS = 4


class SqliteStore:
    """Implements the Store port (tasks/ports.py) and the key and secret ports on one file."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._writer = Writer(path)
        self._pool = ThreadPoolExecutor(_READERS, thread_name_prefix="sqlite-reader")
        self._local = threading.local()
        self._scanners: list[sqlite3.Connection] = []  # one for each thread of the pool
        self._reader: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Create the file if need be, bring its schema up to date and start the writer."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection = connect(self._path)
        try:
            migrate(connection, self._clock())
        finally:
            connection.close()
        self._path.chmod(0o600)
        self._writer.start()
        self._reader = connect(self._path, read_only=True)

    async def close(self) -> None:
        """Finish every queued write and close all connections."""
        await self._writer.stop()
        self._pool.shutdown()
        for connection in self._scanners:
            connection.close()
        if self._reader is not None:
            self._reader.close()

    async def write(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run ``work`` on the writing connection; returns after its commit."""
        return await self._writer.write(work)

    def read(self, statement: str, values: Mapping[str, Any]) -> list[Any]:
        """A point read on the caller's thread: some ten microseconds, cheaper than any hand-over."""
        if self._reader is None:
            raise RuntimeError("the store is not open")
        return self._reader.execute(statement, values).fetchall()

    async def _scan(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """A read that may be long, on a reader thread with a connection of its own."""

        def run() -> Result:
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = self._local.connection = connect(self._path, read_only=True)
                self._scanners.append(connection)
            return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._pool, run)

    async def create(
        self,
        task: Task,
        schedule: Schedule,
        response: bytes,
        idempotency: Idempotency | None,
        inputs: Mapping[int, str] = EMPTY,
    ) -> Created:
        """Task, schedule, inputs and idempotency record in one commit (see the port)."""
        fresh = Created(task_id=task.id, response=response, replayed=False)

        def work(connection: sqlite3.Connection) -> Created:
            if idempotency is not None:
                earlier = _find(connection.execute, task.owner, idempotency)
                if earlier is not None:
                    return earlier
            connection.execute(SQL["insert_task"], task_row(task))
            connection.execute(SQL["insert_schedule"], schedule_row(task.id, schedule))
            for item, data in inputs.items():
                connection.execute(SQL["insert_input"], {"task_id": task.id, "item": item, "data": data})
            if idempotency is not None:
                connection.execute(
                    SQL["insert_idempotency"],
                    {
                        "owner": task.owner,
                        "key": idempotency.key,
                        "fingerprint": idempotency.fingerprint,
                        "task_id": task.id,
                        "response": response,
                        "created_at": task.created_at,
                    },
                )
            return fresh

        return await self.write(work)

    async def replay(self, owner: str, idempotency: Idempotency) -> Created | None:
        """The first answer under this key (see the port)."""
        if self._reader is None:
            raise RuntimeError("the store is not open")
        return _find(self._reader.execute, owner, idempotency)

    async def get(self, owner: str, task_id: str) -> Task | None:
        """The owner's task."""
        rows = self.read(SQL["get_task"], {"id": task_id, "owner": owner})
        return read_task(rows[0]) if rows else None

    async def get_by_request(self, owner: str, request_id: str) -> Task | None:
        """The owner's newest task created under this request id."""
        rows = self.read(SQL["get_task_by_request"], {"request_id": request_id, "owner": owner})
        return read_task(rows[0]) if rows else None

    async def inputs(self, task_id: str) -> Mapping[int, str]:
        """The task's inline inputs (see the port)."""
        return await self._scan(
            lambda connection: dict(connection.execute(SQL["get_inputs"], {"task_id": task_id}).fetchall())
        )

    async def timeline(self, task_id: str) -> Sequence[Attempt]:
        """Every attempt at the task (see the port)."""
        lines = [read_attempt(row) for row in self.read(SQL["get_timeline"], {"task_id": task_id})]
        schedule = await self.schedule(task_id)
        if schedule is not None and schedule.state is State.POLLING:
            (model,) = self.read(SQL["get_model"], {"id": task_id})[0]
            lines.append(
                Attempt(
                    task_id=task_id,
                    attempt=schedule.attempt,
                    kind="poll",
                    upstream=schedule.upstream,
                    model=model,
                    started_at=schedule.accepted_at or schedule.due,
                    polls=schedule.polls,
                )
            )
        return lines

    async def queue_positions(self, tasks: Sequence[Task]) -> Mapping[str, int]:
        """Places in the queue, counted up to POSITIONS_COUNTED."""

        if len(tasks) == 1 and self._reader is not None:
            place = _queue_position(self._reader, tasks[0].id)
            return {} if place is None else {tasks[0].id: place}
        return await self._scan(lambda connection: _queue_positions(connection, tasks))

    async def page(self, owner: str, query: Query) -> Page:
        """A page of the owner's tasks, newest first, and how many there are."""
        clause, values = filters.where(owner, query)
        narrowed, cursor = filters.after(clause, values, query.after)

        def work(connection: sqlite3.Connection) -> Page:
            connection.execute("begin")
            try:
                total = connection.execute(SQL["count_tasks"].format(filters=clause), values).fetchone()[0]
                rows = connection.execute(
                    SQL["list_tasks"].format(filters=narrowed),
                    {**cursor, "limit": query.limit + 1, "offset": query.offset},
                ).fetchall()
            finally:
                connection.execute("rollback")
            tasks = tuple(read_task(row) for row in rows[: query.limit])
            return Page(tasks=tasks, total=total, has_more=len(rows) > query.limit)

        return await self._scan(work)

    async def delete(self, owner: str, task_id: str) -> Task | None:
        """Remove an ended task."""

        def work(connection: sqlite3.Connection) -> Task | None:
            row = connection.execute(
                SQL["delete_ended_task"].replace("task.", ""), {"id": task_id, "owner": owner}
            ).fetchone()
            return read_task(row) if row else None

        return await self.write(work)

    async def claim(
        self, event: Event, *, upstreams: Sequence[str], worker: str, now: int, lease_until: int, limit: int
    ) -> list[Claim]:
        """Take due tasks (see the port); asks for the write lock only when there is something to take."""
        ask = steps.Ask(
            event=event,
            upstreams=tuple(upstreams),
            worker=worker,
            now=now,
            lease_until=lease_until,
            limit=limit,
        )
        if self._reader is None or not steps.candidates(self._reader, ask):
            return []
        return await self.write(lambda connection: steps.claim(connection, ask))

    async def step(self, task_id: str, step: Step, now: int, *, owner: str | None = None) -> Task | None:
        """Apply a step (tasks/life.py) in a transaction."""
        return await self.write(lambda connection: steps.apply(connection, task_id, step, now, owner=owner))

    async def cancel(self, owner: str, task_id: str, now: int) -> Task | None:
        """End the task, or note the wish while it is being sent (see the port)."""
        return await self.write(lambda connection: steps.cancel(connection, owner, task_id, now))

    async def wake(self, task_id: str, now: int) -> bool:
        """Have the task looked at now (see the port)."""
        return await self.write(
            lambda connection: connection.execute(SQL["wake"], {"id": task_id, "now": now}).rowcount > 0
        )

    async def schedule(self, task_id: str) -> Schedule | None:
        """The schedule row, if the task is in flight."""
        rows = self.read(SQL["get_schedule"], {"id": task_id})
        return read_schedule(rows[0][: len(SCHEDULE_COLUMNS)]) if rows else None

    async def reap(self, now: int, *, reconcile_within: int, all_leases: bool = False) -> list[Task]:
        """Free lost leases (see the port)."""
        statement, values = ("all_leases", {}) if all_leases else ("expired_leases", {"now": now})
        if not all_leases and not self.read(SQL[statement], values):
            return []

        def work(connection: sqlite3.Connection) -> list[Task]:
            if all_leases:
                connection.execute(SQL["recount_pools"])
            return steps.reap(connection, SQL[statement], values, now, reconcile_within)

        return await self.write(work)

    async def expire(self, now: int) -> list[Task]:
        """End what is overdue (see the port)."""
        if not (self.read(SQL["expired_tasks"], {"now": now}) or self.read(SQL["given_up"], {"now": now})):
            return []
        return await self.write(lambda connection: steps.expire(connection, now))

    async def set_pools(self, pools: Sequence[Pool]) -> None:
        """Set the limits of pools (see the port)."""

        def work(connection: sqlite3.Connection) -> None:
            for pool in pools:
                interval, burst = gcra(pool.rate)
                values = {"name": pool.name, "capacity": pool.capacity, "interval": interval, "burst": burst}
                connection.execute(SQL["set_pool"], values)

        await self.write(work)

    async def pause(self, pool: str, until: int) -> None:
        """Let nothing through a pool for a while (see the port)."""
        await self.write(
            lambda connection: connection.execute(SQL["pause_pool"], {"name": pool, "until": until})
        )

    async def count_states(self) -> Mapping[State, int]:
        """How many tasks are in each state."""
        return {State(state): count for state, count in self.read(SQL["count_states"], {})}

    async def sweep_idempotency(self, before: int) -> int:
        """Forget old idempotency records."""
        return await self.write(
            lambda connection: connection.execute(SQL["sweep_idempotency"], {"before": before}).rowcount
        )


def _queue_positions(connection: sqlite3.Connection, tasks: Sequence[Task]) -> dict[str, int]:
    """The same for many tasks: each queue's head is read once instead of once for each task."""
    places: dict[str, int] = {}
    for upstream in sorted({task.upstream for task in tasks}):
        rows = connection.execute(SQL["queue_head"], {"upstream": upstream, "most": POSITIONS_COUNTED})
        head = {task_id: place for place, (task_id,) in enumerate(rows)}
        for task in (task for task in tasks if task.upstream == upstream):
            place = head.get(task.id)
            if place is None and len(head) == POSITIONS_COUNTED:
                queued = connection.execute(SQL["queue_place"], {"id": task.id}).fetchone()
                place = POSITIONS_COUNTED if queued else None
            if place is not None:
                places[task.id] = place
    return places


def _queue_position(connection: sqlite3.Connection, task_id: str) -> int | None:
    row = connection.execute(SQL["queue_place"], {"id": task_id}).fetchone()
    if row is None:
        return None
    values = {"id": task_id, "upstream": row[0], "rank": row[1], "most": POSITIONS_COUNTED}
    return int(connection.execute(SQL["queue_position"], values).fetchone()[0])


def _find(
    execute: Callable[[str, Mapping[str, Any]], sqlite3.Cursor], owner: str, idempotency: Idempotency
) -> Created | None:
    row = execute(SQL["find_idempotency"], {"owner": owner, "key": idempotency.key}).fetchone()
    if row is None:
        return None
    fingerprint, task_id, response = row
    if fingerprint != idempotency.fingerprint:
        raise IdempotencyMismatch(
            f"Idempotency-Key {idempotency.key!r} was used for task {task_id} with a different body."
        )
    return Created(task_id=task_id, response=response, replayed=True)
