"""Performs plans on a SQLite connection."""

import sqlite3
from collections.abc import Mapping
from typing import Any

import msgspec

from .plan import Plan, Read, Relax, Result, Row, Write
from .statements import load

SQL = load("sqlite")


def perform(connection: sqlite3.Connection, plan: Plan[Result]) -> Result:
    """Run a plan to its end, inside the caller's transaction if it writes."""
    try:
        wish = next(plan)
        while True:
            wish = plan.send(_answer(connection, wish))
    except StopIteration as end:
        result: Result = end.value
        return result


def _answer(connection: sqlite3.Connection, wish: Read | Write | Relax) -> list[Row]:
    if isinstance(wish, Read):
        text = SQL[wish.name].locking
        if not text:
            return []
        if wish.words:
            text = text.format(**wish.words)
        return connection.execute(text, _plain(wish.values)).fetchall()
    if isinstance(wish, Write):
        text = SQL[wish.name].locking
        if len(wish.rows) == 1:
            connection.execute(text, wish.rows[0])
        else:
            connection.executemany(text, wish.rows)
    return []  # there is nothing to relax: the commit is shared with others, who may not


def _plain(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values with lists in the form that ``json_each`` takes."""
    if any(isinstance(value, list) for value in values.values()):
        return {
            name: msgspec.json.encode(value).decode() if isinstance(value, list) else value
            for name, value in values.items()
        }
    return values
