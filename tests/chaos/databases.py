"""The two databases a cluster may run on: how they fail, and one consistent look into them."""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import asyncpg
from tests.postgres_server import PostgresServer

_PATIENCE = 20.0  # s for which a database that is being restarted is asked again
Rows = list[dict[str, Any]]


class Database(Protocol):
    """``shared``: several processes may work on it at once, and it can fail on its own."""

    name: str
    shared: bool
    options: tuple[str, ...]

    async def read(self, *statements: str) -> Sequence[Rows]:
        """The rows of each statement, all of one moment."""
        ...

    def restart(self) -> None:
        """Shut it down in order, cutting every connection, and start it again."""
        ...

    def crash(self) -> None:
        """SIGKILL to all of it, and start it again."""
        ...


class SqliteFile:
    """The embedded database. It lives and dies with the one process that has it open."""

    name = "sqlite"
    shared = False
    options: tuple[str, ...] = ()

    def __init__(self, data: Path) -> None:
        self._path = data / "meshapi.db"

    async def read(self, *statements: str) -> Sequence[Rows]:
        """One read transaction; a file that is being opened or recovered by its server is asked again."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return await asyncio.to_thread(self._read, statements)
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.1)

    def _read(self, statements: Sequence[str]) -> Sequence[Rows]:
        # Read-only: closing the last writable connection would tidy up what a killed server has left.
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None
        )
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("begin")
            found = [[dict(row) for row in connection.execute(statement)] for statement in statements]
            connection.execute("rollback")
            return found
        finally:
            connection.close()

    def restart(self) -> None:
        raise NotImplementedError("an embedded database has no process of its own")

    def crash(self) -> None:
        raise NotImplementedError("an embedded database has no process of its own")


class PostgresDatabase:
    """A database on a PostgreSQL server that belongs to this run."""

    name = "postgres"
    shared = True

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self.url = server.create_database()
        self.options: tuple[str, ...] = ("--database", self.url)

    async def read(self, *statements: str) -> Sequence[Rows]:
        """One snapshot; a server that is down for a moment is asked again."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return await self._read(statements)
            except (
                OSError,
                asyncpg.PostgresConnectionError,
                asyncpg.InterfaceError,
                asyncpg.OperatorInterventionError,
            ):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.1)

    async def _read(self, statements: Sequence[str]) -> Sequence[Rows]:
        connection = await asyncpg.connect(self.url)
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return [[dict(row) for row in await connection.fetch(statement)] for statement in statements]
        finally:
            connection.terminate()

    def restart(self) -> None:
        """Shut it down in order, cutting every connection, and start it again."""
        self._server.restart()

    def crash(self) -> None:
        """SIGKILL to all of it, and start it again."""
        self._server.kill()
        self._server.launch()
