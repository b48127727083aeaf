"""A PostgreSQL database as tables."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from .postgres_connections import Connections
from .postgres_lane import Connection
from .postgres_migrate import applied, migrate
from .postgres_plans import storable
from .postgres_presence import is_alone
from .tables import CHUNK


class PostgresTables:
    """Implements Tables (tables.py)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._transaction = connection.transaction(isolation="repeatable_read")
        self._open = False

    @classmethod
    async def connect(cls, url: str) -> "PostgresTables":
        """Connect to the database. Raises DatabaseUnusable."""
        connections = Connections(url)
        try:
            connection = await connections.patient()
            await connections.check(connection)
        except Exception as fault:
            reason = connections.explain(fault)
            if reason is None:
                raise
            raise reason from None
        return cls(connection)

    async def alone(self) -> bool:
        """Keep servers away until this is closed; False when one works on the database."""
        return await is_alone(self._connection)

    async def migrate(self) -> list[int]:
        """Bring the schema up to date."""
        return await migrate(self._connection)

    async def applied(self) -> set[int]:
        """The numbers of the migrations that the database has."""
        return await applied(self._connection)

    async def begin(self) -> None:
        """See one moment of the database, and write in one transaction."""
        await self._transaction.start()
        self._open = True

    async def columns(self, table: str) -> list[str]:
        """The names of a table's columns."""
        rows = await self._connection.fetch(
            "select attname from pg_attribute where attrelid = to_regclass($1) and attnum > 0"
            " and not attisdropped order by attnum",
            table,
        )
        return [row[0] for row in rows]

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        count: int = await self._connection.fetchval(f"select count(*) from {table}")  # noqa: S608
        return count

    async def read(self, table: str, columns: Sequence[str]) -> AsyncIterator[list[Sequence[Any]]]:
        """The rows of a table, some at a time."""
        select = f"select {', '.join(columns)} from {table}"  # noqa: S608 - names of our own schema
        cursor = await self._connection.cursor(select)
        while rows := await cursor.fetch(CHUNK):
            yield [tuple(row) for row in rows]

    async def write(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Add rows to a table."""
        records = [tuple(storable(value) for value in row) for row in rows]
        await self._connection.copy_records_to_table(table, records=records, columns=list(columns))

    async def keep(self) -> None:
        """Commit what was written."""
        await self._transaction.commit()
        self._open = False
        await self._connection.execute("analyze")

    async def size(self) -> int:
        """The size of the whole database, in bytes."""
        size: int = await self._connection.fetchval("select pg_database_size(current_database())")
        return size

    async def close(self) -> None:
        """Undo what was not kept, and close."""
        if self._open:
            await self._transaction.rollback()
        await self._connection.close()
