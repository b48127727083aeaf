"""Brings a PostgreSQL database's schema up to date."""

from .migrate import CREATE_HISTORY, missing
from .postgres_lane import Connection

_LOCK = 0x6D657368_6D696772  # "meshmigr": whoever migrates holds this advisory lock
_NOW = "(extract(epoch from clock_timestamp()) * 1000)::bigint"


async def migrate(connection: Connection) -> list[int]:
    """Apply what is missing; returns the numbers applied. All or nothing, and one process at a time."""
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        # Asked first: `create ... if not exists` needs the right to create even when there is nothing to do.
        if not await _has_history(connection):
            await connection.execute(CREATE_HISTORY.format(integer="bigint"))
        wanted = missing("postgres", await applied(connection))
        for migration in wanted:
            await connection.execute(migration.statements)
            await connection.execute(
                f"insert into schema_migration (number, name, applied_at) values ($1, $2, {_NOW})",  # noqa: S608
                migration.number,
                migration.name,
            )
    return [migration.number for migration in wanted]


async def applied(connection: Connection) -> set[int]:
    """The numbers of the migrations that the database has."""
    if not await _has_history(connection):
        return set()
    return {row[0] for row in await connection.fetch("select number from schema_migration")}


async def _has_history(connection: Connection) -> bool:
    found: bool = await connection.fetchval("select to_regclass('schema_migration') is not null")
    return found
