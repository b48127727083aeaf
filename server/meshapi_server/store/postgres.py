"""The shared store: PostgreSQL, for any number of processes on any number of machines."""

import asyncio
import contextlib
import functools
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar, cast

import asyncpg
import structlog

from .faults import DatabaseDown
from .plan import Row
from .planned import Change, Look, PlannedStore, Purpose
from .postgres_clock import DatabaseClock
from .postgres_connections import Connections
from .postgres_hints import PostgresHints
from .postgres_lane import Connection, Lane, gone
from .postgres_migrate import migrate
from .postgres_plans import call, perform, rows_of

log = structlog.get_logger("meshapi.store")

Result = TypeVar("Result")

_READERS = 8
_SHARDS = 16  # of the tally, for each purpose
_LONGEST_PAUSE = 0.5  # s
_KEEP_TIME = 30.0  # s between two measurements of the database's clock
_MARK_KEPT = 7 * 24 * 3600 * 1000  # ms after which a lane that left its mark behind is certain to be gone
_PURPOSES: Final[tuple[Purpose, ...]] = ("accept", "move", "claim", "wake", "count", "other")
PATIENCE = (
    30.0  # s that a caller waits for a database that is away; it takes that long to recover from a crash
)
_ANSWER_PATIENCE = 600.0  # s; an upstream's answer must not be lost, and its worker has nothing better to do


class PostgresStore(PlannedStore):
    """The Store port on PostgreSQL 13 or later; ``clock`` is its own, ``hints`` tell other processes."""

    dialect = "postgres"

    def __init__(self, url: str, patience: float = PATIENCE) -> None:
        super().__init__()
        self._patience = patience
        self.clock = DatabaseClock()
        self._connections = Connections(url)
        self.hints = PostgresHints(self._connections.connect)
        waits = {**dict.fromkeys(_PURPOSES, patience), "move": max(patience, _ANSWER_PATIENCE)}
        self._lanes = {
            purpose: Lane(self._connections.connect, self.clock, waits[purpose]) for purpose in _PURPOSES
        }
        self._shards = {purpose: random.randrange(_SHARDS) for purpose in _PURPOSES}  # noqa: S311
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._upkeep: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect and bring the schema up to date. Raises DatabaseUnusable, SchemaTooNew."""
        try:
            await self._prepare()
            self._pool = await self._connections.pool(_READERS)
            await self.hints.open()
        except Exception as fault:
            await self.close()
            reason = self._connections.explain(fault)
            if reason is None:
                raise
            raise reason from None
        self._upkeep = asyncio.create_task(self._keep_up())

    async def close(self) -> None:
        """Finish what was begun, unless the database stays away, and close every connection."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                await self.settle()
        await self.hints.close()
        if self._upkeep is not None:
            self._upkeep.cancel()
            await asyncio.gather(self._upkeep, return_exceptions=True)
        await asyncio.gather(*(lane.close() for lane in self._lanes.values()))
        if self._pool is not None:
            await self._pool.close()

    async def change(self, begin: Change[Result], purpose: Purpose = "other") -> Result:
        """Perform a plan in a transaction of the lane of its purpose, again when the database undid it."""
        shard = self._shards[purpose]
        return await self._lanes[purpose].run(lambda connection: perform(connection, begin(shard)))

    async def fetch(self, name: str, /, **values: Any) -> Sequence[Row]:
        """The rows of one named statement."""
        text, arguments = call(name, values)
        return rows_of(await self._read(lambda connection: connection.fetch(text, *arguments)))

    async def look(self, begin: Look[Result]) -> Result:
        """Perform a plan of point reads, each at its own moment."""
        return await self._read(lambda connection: perform(connection, begin()))

    async def scan(self, begin: Look[Result]) -> Result:
        """Perform a plan of reads that see one moment of the database."""

        async def work(connection: Connection) -> Result:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return await perform(connection, begin())

        return await self._read(work)

    async def _read(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Read on a connection of the pool; again while the database is away, for a while."""
        if self._pool is None:
            raise RuntimeError("the store is not open")
        deadline = asyncio.get_running_loop().time() + self._patience
        pause = 0.01
        while True:
            lost = False
            try:
                async with self._pool.acquire() as connection:
                    try:
                        return await work(cast(Connection, connection))
                    finally:
                        lost = _is_lost(connection)
            except Exception as fault:
                if not (lost or gone(fault)):
                    raise
                if asyncio.get_running_loop().time() >= deadline:
                    raise DatabaseDown(f"the database does not answer ({type(fault).__name__})") from fault
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _prepare(self) -> None:
        connection = await self._connections.patient()
        try:
            await self._connections.check(connection)
            await migrate(connection)
            await self.clock.measure(connection)
        finally:
            await connection.close()

    async def _keep_up(self) -> None:
        """Measure the database's clock now and then, and forget the marks of lanes that are gone."""
        while True:
            await asyncio.sleep(_KEEP_TIME)
            try:
                await self._read(self.clock.measure)
                before = self.clock() - _MARK_KEPT
                await self._read(functools.partial(_forget_marks, before))
            except Exception:  # the database is away, or about to be
                log.debug("upkeep failed", exc_info=True)


def _is_lost(connection: Any) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:  # the pool has taken back what was left of it
        return True


async def _forget_marks(before: int, connection: Connection) -> None:
    await connection.execute("delete from commit_mark where at < $1", before)
