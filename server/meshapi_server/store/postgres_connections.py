"""How a PostgreSQL database is reached, and what every connection is set to."""

import asyncpg
from asyncpg.exceptions import (
    InsufficientPrivilegeError,
    InvalidAuthorizationSpecificationError,
    InvalidCatalogNameError,
    InvalidPasswordError,
)

from .database_url import shown
from .faults import DatabaseUnusable
from .postgres_lane import Connection, gone

_CONNECT_SECONDS = 10.0
_COMMAND_SECONDS = 40.0  # longer than the database's own limit, so that its word comes first
_STATEMENTS = 256  # kept prepared on a connection
_OLDEST = 130_000  # as `server_version_num` has it
_SETTINGS = {
    "application_name": "meshapi",
    # A process that is stopped in the middle of a transaction must not hold its row locks against the others.
    "idle_in_transaction_session_timeout": "3s",
    "lock_timeout": "10s",
    "statement_timeout": "30s",
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "jit": "off",
}
# What a person can put right; said in their words instead of the driver's.
_REFUSALS: tuple[tuple[type[Exception], str], ...] = (
    (InvalidCatalogNameError, "there is no such database; create it first"),
    (InvalidPasswordError, "the password is wrong"),
    (InvalidAuthorizationSpecificationError, "this user may not connect"),
    (InsufficientPrivilegeError, "this user may not create tables in it; grant it `create` on its schema"),
    (ValueError, "the URL cannot be read"),
)


class Connections:
    """Makes connections to one database."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def connect(self) -> Connection:
        """A new connection."""
        connection: Connection = await asyncpg.connect(
            self._url,
            timeout=_CONNECT_SECONDS,
            command_timeout=_COMMAND_SECONDS,
            server_settings=_SETTINGS,
            statement_cache_size=_STATEMENTS,
        )
        return connection

    async def patient(self) -> Connection:
        """A new connection without limits of time, for migrations and copies."""
        connection: Connection = await asyncpg.connect(
            self._url, timeout=_CONNECT_SECONDS, server_settings={"application_name": "meshapi"}
        )
        return connection

    async def pool(self, most: int) -> "asyncpg.Pool[asyncpg.Record]":
        """Connections for readers, as many as are asked for at once, up to ``most``."""
        return await asyncpg.create_pool(
            self._url,
            min_size=0,  # what was lost is made anew when it is asked for
            max_size=most,
            reset=_leave_as_it_is,
            timeout=_CONNECT_SECONDS,
            command_timeout=_COMMAND_SECONDS,
            server_settings=_SETTINGS,
            statement_cache_size=_STATEMENTS,
        )

    async def check(self, connection: Connection) -> None:
        """Raise DatabaseUnusable when the server is too old, or holds text in another encoding."""
        version, name, encoding = await connection.fetchrow(
            "select current_setting('server_version_num')::int, current_setting('server_version'),"
            " current_setting('server_encoding')"
        ) or (0, "?", "?")
        if version < _OLDEST:
            raise self.unusable(f"it is PostgreSQL {name}; 13 or later is needed")
        if encoding != "UTF8":
            raise self.unusable(f"its encoding is {encoding}; create it with encoding UTF8")

    def unusable(self, reason: str) -> DatabaseUnusable:
        """The refusal to work with this database."""
        return DatabaseUnusable(f"database {shown(self._url)}: {reason}")

    def explain(self, fault: Exception) -> DatabaseUnusable | None:
        """What a person can do about a fault met while opening; None for a defect of ours."""
        for kind, reason in _REFUSALS:
            if isinstance(fault, kind):
                return self.unusable(reason)
        if gone(fault):
            return self.unusable(f"it cannot be reached ({str(fault) or type(fault).__name__})")
        return None


async def _leave_as_it_is(_: Connection) -> None:
    """Readers change nothing about their connection, so that nothing has to be asked of the server."""
