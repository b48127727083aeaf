"""Point reads of SQLite that share a snapshot: all that are asked for in one turn of the event loop.

Why: every read of its own locks the log's index and lets it go again, and callers that come together ask for
the same rows, above all for their key. What a turn reads is never older than what the turn's callers know:
whatever they were told arrived before the turn began, and the snapshot is let go at the head of the next one,
before the news of any commit that it does not hold.

While nobody commits, a turn knows what the turns before it read: SQLite tells exactly whether another
connection has changed the file (https://www.sqlite.org/pragma.html#pragma_data_version).
"""

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from .plan import Row

_MOST_KNOWN = 2000  # answers that are kept, of a kilobyte or two each


class TurnReader:
    """Reads on one connection; belongs to the thread of the event loop."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[object, ...], list[Row]] = {}
        self._known_of: int | None = None  # SQLite's number of the state that the known rows are of
        self._end: asyncio.Handle | None = None

    def fetch(self, name: str, text: str, values: Mapping[str, Any]) -> Sequence[Row]:
        """The rows of a statement called ``name``; asked again while nothing changed, the same rows."""
        connection = self.snapshot()
        question = (name, *values.items())
        rows = self._known.get(question)
        if rows is None:
            rows = connection.execute(text, values).fetchall()
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[question] = rows
        return rows

    def snapshot(self) -> sqlite3.Connection:
        """The connection, in the transaction of this turn."""
        if self._end is None:
            self._connection.execute("begin")
            # First in line for the next turn: whoever hears of a later commit hears of it after this.
            self._end = asyncio.get_running_loop().call_soon(self._finish)
            state = self._connection.execute("pragma data_version").fetchone()[0]
            if state != self._known_of:
                self._known.clear()
                self._known_of = state
        return self._connection

    def close(self) -> None:
        """Close the connection, whatever it is in the middle of."""
        if self._end is not None:
            self._end.cancel()
            self._end = None
        self._connection.close()

    def _finish(self) -> None:
        self._end = None
        self._connection.execute("rollback")
