"""Who works on a PostgreSQL database: servers hold a lock together, a copy needs it for itself."""

from .postgres_lane import Connection

_LOCK = 0x6D657368_68657265  # "meshhere"


async def is_present(connection: Connection) -> bool:
    """Note, for as long as this connection lives, that a server works here. False while a copy is made."""
    granted: bool = await connection.fetchval("select pg_try_advisory_lock_shared($1)", _LOCK)
    return granted


async def is_alone(connection: Connection) -> bool:
    """Keep servers away for as long as this connection lives. False when one works here."""
    granted: bool = await connection.fetchval("select pg_try_advisory_lock($1)", _LOCK)
    return granted
