"""The databases of a run: a SQLite file, and a PostgreSQL that is started for it and ended with it.

``Bare`` is the database without any of ours around it: what it does by itself is the limit.
"""

import asyncio
import contextlib
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from meshapi_server.database import Database, open_database
from meshapi_server.store.postgres_plans import rows_of, storable
from meshapi_server.store.statements import Dialect, positional
from meshapi_server.store.writer import connect

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.postgres_server import PostgresServer

DIALECTS: tuple[Dialect, ...] = ("sqlite", "postgres")
# More than a test needs: a million rows are measured, and what they measure is not the cache of a toy.
_POSTGRES = ("shared_buffers=512MB", "max_wal_size=4GB", "checkpoint_timeout=15min")


@dataclass(frozen=True)
class Place:
    """One empty database with the current schema. ``server`` is PostgreSQL's first process."""

    dialect: Dialect
    url: str
    server: int | None = None

    @property
    def name(self) -> str:
        return {"sqlite": "SQLite", "postgres": "PostgreSQL"}[self.dialect]


@contextlib.contextmanager
def places(folder: Path, wanted: Sequence[Dialect] = DIALECTS) -> Iterator[list[Place]]:
    """A fresh place in each of the databases that are ``wanted``."""
    with contextlib.ExitStack() as stack:
        found = []
        if "sqlite" in wanted:
            found.append(_sqlite_place(folder))
        if "postgres" in wanted:
            server = PostgresServer(settings=_POSTGRES).start()
            stack.callback(server.stop)
            found.append(Place("postgres", server.fresh_database(), server.pid))
        yield found


@contextlib.asynccontextmanager
async def opened(place: Place) -> AsyncIterator[Database]:
    """The database as a server opens it."""
    database = await open_database(place.url)
    try:
        yield database
    finally:
        await database.close()


class Bare:
    """One connection; statements are ours, with ``:name`` parameters. Each transaction is begun by hand."""

    def __init__(self, dialect: Dialect, connection: Any) -> None:
        self.dialect = dialect
        self._connection = connection

    async def execute(self, sql: str, **values: Any) -> list[Sequence[Any]]:
        """Run one statement; its rows."""
        if self.dialect == "sqlite":
            found: list[Sequence[Any]] = self._connection.execute(sql, values).fetchall()
            return found
        statement = positional(sql)
        return list(rows_of(await self._connection.fetch(statement.text, *statement.arguments(values))))

    async def execute_many(self, sql: str, rows: Sequence[dict[str, Any]]) -> None:
        """Run one statement for each row."""
        if self.dialect == "sqlite":
            self._connection.executemany(sql, rows)
            return
        statement = positional(sql)
        arguments = [[storable(value) for value in statement.arguments(row)] for row in rows]
        await self._connection.executemany(statement.text, arguments)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Begin, and commit at the end of the block."""
        await self.execute("begin immediate" if self.dialect == "sqlite" else "begin")
        yield
        await self.execute("commit")


@contextlib.asynccontextmanager
async def bare(place: Place) -> AsyncIterator[Bare]:
    """A connection with the settings that the store gives its own."""
    if place.dialect == "sqlite":
        file = connect(_path(place))
        yield Bare(place.dialect, file)
        file.close()
        return
    connection = await asyncpg.connect(place.url)
    yield Bare(place.dialect, connection)
    await connection.close()


async def settle(place: Place) -> None:
    """After a great change: statistics, and the log written back, so that neither falls into what follows."""
    async with bare(place) as connection:
        if place.dialect == "sqlite":
            await connection.execute("pragma wal_checkpoint(truncate)")
        else:
            await connection.execute("vacuum (analyze)")
            await connection.execute("checkpoint")


async def size(place: Place) -> int:
    """Bytes on disk."""
    if place.dialect == "sqlite":
        parts = (_path(place), _path(place).with_name(f"{_path(place).name}-wal"))
        return sum(part.stat().st_size for part in parts if part.exists())
    async with bare(place) as connection:
        found: int = (await connection.execute("select pg_database_size(current_database())"))[0][0]
        return found


def _sqlite_place(folder: Path) -> Place:
    place = Place("sqlite", f"sqlite:///{folder / 'bench.db'}")

    async def migrate() -> None:
        async with opened(place):
            pass

    asyncio.run(migrate())
    return place


def _path(place: Place) -> Path:
    return Path(place.url.removeprefix("sqlite:///"))


async def sqlite_pragma(connection: Bare, pragma: str) -> None:
    """Change a setting of a SQLite connection; PostgreSQL has none of these."""
    if connection.dialect == "sqlite":
        with contextlib.suppress(sqlite3.OperationalError):
            await connection.execute(f"pragma {pragma}")
