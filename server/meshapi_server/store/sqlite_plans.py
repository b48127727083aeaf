"""Performs plans on a SQLite connection."""

import re
import sqlite3

import msgspec

from .plan import Plan, Read, Relax, Result, Row, Write
from .statements import load

SQL = load("sqlite")
# The parameters of each statement that are lists; the database reads them as JSON.
_LISTS = {name: re.findall(r"json_each\(:(\w+)\)", each.locking) for name, each in SQL.items()}


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
        if wish.words:
            text = text.format(**wish.words)
        values, lists = wish.values, _LISTS[wish.name]
        if lists:
            values = {**values, **{name: msgspec.json.encode(values[name]).decode() for name in lists}}
        return connection.execute(text, values).fetchall() if text else []
    if isinstance(wish, Write):
        text = SQL[wish.name].locking
        if len(wish.rows) == 1:
            connection.execute(text, wish.rows[0])
        else:
            connection.executemany(text, wish.rows)
    return []  # nothing to lock, and nothing to relax: the commit is shared with others, who may not
