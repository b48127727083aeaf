"""Point reads of SQLite that share a snapshot: all that are asked for in one turn of the event loop.

Why: every read of its own locks the log's index and lets it go again, and callers that come together ask for
the same rows, above all for their key. What a turn reads is never older than what the turn's callers know:
whatever they were told arrived before the turn began, and the snapshot is let go at the head of the next one,
before the news of any commit that it does not hold.
"""

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from .plan import Row


class TurnReader:
    """Reads on one connection; belongs to the thread of the event loop."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[object, ...], list[Row]] = {}
        self._end: asyncio.Handle | None = None

    def fetch(self, name: str, text: str, values: Mapping[str, Any]) -> Sequence[Row]:
        """The rows of a statement called ``name``; asked again in the same turn, the same rows."""
        question = (name, *values.items())
        rows = self._known.get(question) if self._end is not None else None
        if rows is None:
            rows = self.snapshot().execute(text, values).fetchall()
            self._known[question] = rows
        return rows

    def snapshot(self) -> sqlite3.Connection:
        """The connection, in the transaction of this turn."""
        if self._end is None:
            self._connection.execute("begin")
            # First in line for the next turn: whoever hears of a later commit hears of it after this.
            self._end = asyncio.get_running_loop().call_soon(self._finish)
        return self._connection

    def close(self) -> None:
        """Close the connection, whatever it is in the middle of."""
        if self._end is not None:
            self._end.cancel()
            self._end = None
        self._connection.close()

    def _finish(self) -> None:
        self._end = None
        self._known.clear()
        self._connection.execute("rollback")
