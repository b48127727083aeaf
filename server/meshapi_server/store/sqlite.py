"""The embedded store: one SQLite file in WAL mode, one writer thread, readers beside it."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from meshapi_server.tasks.clock import Clock

from .plan import Row
from .planned import Change, Look, PlannedStore, Purpose
from .sqlite_migrate import migrate
from .sqlite_plans import SQL, perform
from .sqlite_turn import TurnReader
from .writer import Writer, connect

Result = TypeVar("Result")

_READERS = 4
_SHARD = 0  # one writer, one shard of the tally


class SqliteStore(PlannedStore):
    """The Store port on one file. Only one process may write to it (see datadir.py)."""

    dialect = "sqlite"

    def __init__(self, path: Path, clock: Clock) -> None:
        super().__init__()
        self._path = path
        self._clock = clock
        self._writer = Writer(path)
        self._pool = ThreadPoolExecutor(_READERS, thread_name_prefix="sqlite-reader")
        self._local = threading.local()
        self._scanners: list[sqlite3.Connection] = []  # one for each thread of the pool
        self._reader: TurnReader | None = None

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
        self._reader = TurnReader(connect(self._path, read_only=True))

    async def close(self) -> None:
        """Finish every queued write and close all connections."""
        await self.settle()
        await self._writer.stop()
        self._pool.shutdown()
        for connection in self._scanners:
            connection.close()
        if self._reader is not None:
            self._reader.close()

    async def write(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run ``work`` on the writing connection; returns after its commit."""
        return await self._writer.write(work)

    async def change(self, begin: Change[Result], purpose: Purpose = "other") -> Result:
        """Perform a plan that writes; it shares its commit with whatever else waits (see writer.py)."""
        return await self._writer.write(lambda connection: perform(connection, begin(_SHARD)))

    async def fetch(self, name: str, /, **values: Any) -> Sequence[Row]:
        """A point read on the caller's thread: some ten microseconds, cheaper than any hand-over."""
        return self._looker().fetch(name, SQL[name].looking, values)

    async def look(self, begin: Look[Result]) -> Result:
        """Perform point reads on the caller's thread."""
        return perform(self._looker().snapshot(), begin())

    def _looker(self) -> TurnReader:
        if self._reader is None:
            raise RuntimeError("the store is not open")
        return self._reader

    async def scan(self, begin: Look[Result]) -> Result:
        """Perform reads that may be long on a reader thread, with a connection of its own."""

        def run() -> Result:
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = self._local.connection = connect(self._path, read_only=True)
                self._scanners.append(connection)
            connection.execute("begin")
            try:
                return perform(connection, begin())
            finally:
                connection.execute("rollback")

        return await asyncio.get_running_loop().run_in_executor(self._pool, run)
