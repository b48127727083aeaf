"""Performs plans on a PostgreSQL connection."""

from collections.abc import Mapping
from typing import Any, cast

import asyncpg

from .plan import NOTHING, Plan, Read, Relax, Result, Row, Write
from .postgres_lane import Connection
from .statements import load, positional

SQL = load("postgres")


async def perform(connection: Connection, plan: Plan[Result]) -> Result:
    """Run a plan to its end, inside the caller's transaction if it writes."""
    try:
        wish = next(plan)
        while True:
            wish = plan.send(await _answer(connection, wish))
    except StopIteration as end:
        result: Result = end.value
        return result


async def _answer(connection: Connection, wish: Read | Write | Relax) -> list[Row]:
    if isinstance(wish, Read):
        text, arguments = call(wish.name, wish.values, wish.words, lock=wish.lock)
        return rows_of(await connection.fetch(text, *arguments))
    if isinstance(wish, Write):
        statement = positional(SQL[wish.name].locking)
        rows = [[storable(value) for value in statement.arguments(row)] for row in wish.rows]
        if len(rows) == 1:
            await connection.execute(statement.text, *rows[0])
        else:
            await connection.executemany(statement.text, rows)
        return []
    await connection.execute("set local synchronous_commit = off")
    return []


def rows_of(records: list[asyncpg.Record]) -> list[Row]:
    """Records as the rows that they are."""
    return cast(list[Row], records)


def call(
    name: str, values: Mapping[str, Any], words: Mapping[str, str] = NOTHING, *, lock: bool = False
) -> tuple[str, list[Any]]:
    """The text of a named statement and its arguments."""
    text = SQL[name].locking if lock else SQL[name].looking
    statement = positional(text.format(**words) if words else text)
    return statement.text, [storable(value) for value in statement.arguments(values)]


def storable(value: Any) -> Any:
    """Text as PostgreSQL can hold it: without U+0000, and without halves of characters."""
    if type(value) is str and not (value.isascii() and "\0" not in value):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    return value
