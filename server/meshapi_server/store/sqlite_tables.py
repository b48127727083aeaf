"""A SQLite file as tables."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from meshapi_server.tasks.clock import Clock

from .sqlite_migrate import applied, migrate
from .tables import CHUNK
from .writer import connect


class SqliteTables:
    """Implements Tables (tables.py). Used by commands, which have nothing else to do while it waits."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._connection = connect(path)
        path.chmod(0o600)

    async def migrate(self) -> list[int]:
        """Bring the schema up to date."""
        return migrate(self._connection, self._clock())

    async def applied(self) -> set[int]:
        """The numbers of the migrations that the file has."""
        return applied(self._connection)

    async def begin(self) -> None:
        """Take the write lock, so that nobody changes the file meanwhile."""
        self._connection.execute("begin immediate")

    async def columns(self, table: str) -> list[str]:
        """The names of a table's columns."""
        return [row[1] for row in self._connection.execute(f"pragma table_info({table})")]

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        (count,) = self._connection.execute(f"select count(*) from {table}").fetchone()  # noqa: S608
        return int(count)

    async def read(self, table: str, columns: Sequence[str]) -> AsyncIterator[list[Sequence[Any]]]:
        """The rows of a table, some at a time."""
        cursor: sqlite3.Cursor = self._connection.execute(
            f"select {', '.join(columns)} from {table}"  # noqa: S608 - names of our own schema
        )
        while rows := cursor.fetchmany(CHUNK):
            yield rows

    async def write(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Add rows to a table."""
        places = ", ".join("?" for _ in columns)
        insert = f"insert into {table} ({', '.join(columns)}) values ({places})"  # noqa: S608
        self._connection.executemany(insert, [tuple(row) for row in rows])

    async def keep(self) -> None:
        """Commit what was written."""
        self._connection.execute("commit")

    async def size(self) -> int:
        """The size of the file and of its log, in bytes."""
        parts = (self._path, self._path.with_name(f"{self._path.name}-wal"))
        return sum(part.stat().st_size for part in parts if part.exists())

    async def close(self) -> None:
        """Undo what was not kept, and close."""
        if self._connection.in_transaction:
            self._connection.execute("rollback")
        self._connection.close()
