"""One connection that runs one transaction after another and survives the database's restart.

The hard case is a COMMIT whose answer is lost: it may have happened. Every transaction therefore counts up
a row of its lane (``commit_mark``). After a reconnect that row says whether the transaction is in, and only
if it is not is the work done again; to repeat it blindly would do it twice, to give up would lose a promise.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias, TypeVar

import asyncpg
import structlog
from asyncpg.exceptions import (
    AdminShutdownError,
    CannotConnectNowError,
    CrashShutdownError,
    DeadlockDetectedError,
    IdleInTransactionSessionTimeoutError,
    LockNotAvailableError,
    PostgresConnectionError,
    ReadOnlySQLTransactionError,
    SerializationError,
    TooManyConnectionsError,
)

from meshapi_server.tasks import ids
from meshapi_server.tasks.clock import Clock

from .faults import DatabaseDown

log = structlog.get_logger("meshapi.store")

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Connect = Callable[[], Awaitable[Connection]]
Result = TypeVar("Result")
Work = Callable[[Connection], Awaitable[Result]]

_LONGEST_PAUSE = 0.5  # s between attempts while the database is away
_MARK: Final = (
    "insert into commit_mark (lane, serial, at) values ('{lane}', {serial}, {at})"
    " on conflict (lane) do update set serial = excluded.serial, at = excluded.at"
)
# Waits for a transaction of the lost connection that is still under way, since that holds the row.
_ASK_MARK: Final = (
    "insert into commit_mark (lane, serial, at) values ($1, 0, $2)"
    " on conflict (lane) do update set at = excluded.at returning serial"
)
# Rolled back by the database, certain to have changed nothing; simply done again.
_LOST_RACES = (DeadlockDetectedError, SerializationError, LockNotAvailableError)
# The database went away, or is on its way back.
_GONE = (
    PostgresConnectionError,
    AdminShutdownError,
    CrashShutdownError,
    CannotConnectNowError,
    IdleInTransactionSessionTimeoutError,
    ReadOnlySQLTransactionError,  # connected to what has become a standby
    TooManyConnectionsError,
    OSError,
    TimeoutError,
)


class Lane:
    """Runs transactions one at a time; each is in exactly once when :meth:`run` returns.

    ``patience`` is how long a transaction may wait for the database to come back, in seconds.
    """

    def __init__(self, connect: Connect, clock: Clock, patience: float) -> None:
        self._connect = connect
        self._clock = clock
        self._patience = patience
        self._name = ids.ulid()
        self._serial = 0
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()
        self._closing = False

    async def run(self, work: Work[Result]) -> Result:
        """The result of ``work``, after its commit. ``work`` may be run again: it must change nothing else.

        Raises DatabaseDown, and whatever ``work`` raises by itself (nothing of it is stored then).
        """

        async def one() -> Result:
            async with self._turn:
                if self._closing:
                    raise RuntimeError("the database is closed")
                self._serial += 1
                return await self._persist(work)

        # Shielded: a caller that gives up in the middle of a commit would leave it open whether it happened.
        return await asyncio.shield(asyncio.ensure_future(one()))

    async def close(self) -> None:
        """Forget the lane's mark and close its connection; whoever still waits for the database is told."""
        self._closing = True
        async with self._turn:
            connection, self._connection = self._connection, None
            if connection is None:
                return
            with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                await connection.execute("delete from commit_mark where lane = $1", self._name)
                await connection.close(timeout=5)
            connection.terminate()

    async def _persist(self, work: Work[Result]) -> Result:
        deadline = asyncio.get_running_loop().time() + self._patience
        pause, tries = 0.01, 0
        unconfirmed: list[Result] = []  # of the attempt whose commit was sent and not answered
        while True:
            try:
                connection = await self._open()
                if unconfirmed and await self._committed(connection):
                    return unconfirmed[0]
                unconfirmed.clear()
                return await self._attempt(connection, work, unconfirmed)
            except Exception as fault:
                if not self._passes(fault):
                    raise
                if self._closing or asyncio.get_running_loop().time() >= deadline:
                    raise DatabaseDown(f"the database does not answer ({type(fault).__name__})") from fault
                if tries == 0:
                    log.info("transaction is tried again", fault=type(fault).__name__)
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads callers, hides nothing
            pause, tries = min(2 * pause, _LONGEST_PAUSE), tries + 1

    async def _attempt(self, connection: Connection, work: Work[Result], unconfirmed: list[Result]) -> Result:
        mark = _MARK.format(lane=self._name, serial=self._serial, at=self._clock())
        await connection.execute(f"begin; {mark}")  # one message, no values of a caller in it
        try:
            result = await work(connection)
        except BaseException:
            if not connection.is_closed():
                await connection.execute("rollback")
            raise
        unconfirmed.append(result)
        await connection.execute("commit")
        return result

    async def _committed(self, connection: Connection) -> bool:
        serial: int = await connection.fetchval(_ASK_MARK, self._name, self._clock())
        return serial == self._serial

    async def _open(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
        return self._connection

    def _passes(self, fault: Exception) -> bool:
        """Whether another attempt may succeed. A connection that is not certain to be sound is dropped."""
        if isinstance(fault, _LOST_RACES):
            return True
        if self._connection is not None and (self._connection.is_closed() or isinstance(fault, _GONE)):
            self._connection.terminate()
            self._connection = None
            return True
        return self._connection is None and isinstance(fault, _GONE)


def gone(fault: BaseException) -> bool:
    """Whether a fault means that the database cannot be reached now, rather than that it refused."""
    return isinstance(fault, _GONE)
