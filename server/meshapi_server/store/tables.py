"""A database as the tables that it consists of, whichever dialect: to count, to copy, to look after."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

# In an order in which every row finds what it refers to. What belongs to one database only is not among them:
# `schema_migration` and, in PostgreSQL, `commit_mark`.
TABLES = (
    "api_key",
    "request_window",
    "secret",
    "pool",
    "task",
    "deleted_task",
    "task_input",
    "schedule",
    "timeline",
    "idempotency",
    "tally",
    "event",
    "feed",
    "endpoint",
    "webhook_secret",
    "delivery",
    "delivery_attempt",
    "ledger",
    "spending",
    "daily_usage",
)
CHUNK = 500  # rows read and written at once


class Tables(Protocol):
    """One database, seen at one moment; what is written is kept by :meth:`keep` or was never there."""

    async def migrate(self) -> list[int]:
        """Bring the schema up to date, before anything else; returns the numbers applied."""
        ...

    async def applied(self) -> set[int]:
        """The numbers of the migrations that the database has."""
        ...

    async def begin(self) -> None:
        """From here on everything is of one moment, and in one transaction."""
        ...

    async def columns(self, table: str) -> list[str]:
        """The names of a table's columns."""
        ...

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        ...

    def read(self, table: str, columns: Sequence[str]) -> AsyncIterator[list[Sequence[Any]]]:
        """The rows of a table, some at a time."""
        ...

    async def write(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Add rows to a table."""
        ...

    async def keep(self) -> None:
        """Commit what was written."""
        ...

    async def size(self) -> int:
        """How much room the database takes, in bytes."""
        ...

    async def close(self) -> None:
        """Undo what was not kept, and close."""
        ...
