"""Moves everything from one database to another, in either direction: all of it, or nothing."""

from collections.abc import Callable

from .migrate import missing
from .statements import Dialect
from .tables import TABLES, Tables

Progress = Callable[[str, int, int], None]
"""Told the table, how many of its rows are done, and how many it has."""


class CopyRefused(Exception):
    """The copy cannot be made; the message says why and what would help."""


async def copy(source: Tables, dialect: Dialect, target: Tables, progress: Progress) -> dict[str, int]:
    """Copy every table into an empty database; returns the rows of each. Raises CopyRefused, SchemaTooNew.

    ``dialect`` is the source's. Both are used by nobody else meanwhile: the caller holds their locks.
    """
    if missing(dialect, await source.applied()):
        raise CopyRefused("the source has an older schema; bring it up to date with `meshapi db migrate`")
    await target.migrate()
    await source.begin()
    await target.begin()
    await _check_empty(target)
    for table in TABLES:
        await _copy_table(source, target, table, progress)
    counts = {table: await source.count(table) for table in TABLES}
    arrived = {table: await target.count(table) for table in TABLES}
    wrong = [
        f"{table}: {arrived[table]} of {counts[table]}" for table in TABLES if arrived[table] != counts[table]
    ]
    if wrong:
        raise CopyRefused(f"not every row arrived ({', '.join(wrong)}); the target was left empty")
    await target.keep()
    return counts


async def _check_empty(target: Tables) -> None:
    counts = {table: await target.count(table) for table in TABLES}
    filled = [f"{table} ({count})" for table, count in counts.items() if count]
    if filled:
        raise CopyRefused(f"the target is not empty: {', '.join(filled)}; name a fresh database")


async def _copy_table(source: Tables, target: Tables, table: str, progress: Progress) -> None:
    columns = await source.columns(table)
    unknown = sorted(set(columns) ^ set(await target.columns(table)))
    if unknown:
        raise CopyRefused(f"table {table} differs in {', '.join(unknown)}; both sides need the same schema")
    total, done = await source.count(table), 0
    progress(table, done, total)
    async for rows in source.read(table, columns):
        await target.write(table, columns, rows)
        done += len(rows)
        progress(table, done, total)
