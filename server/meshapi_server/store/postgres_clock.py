"""The database's clock, read without asking it: a clock of this machine and a measured offset.

Replicas on several machines must agree on when a lease ends; the one clock that they share is the database's.
"""

import time
from typing import Protocol

_PROBES = 4
_NOW = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint"


class Asks(Protocol):
    """What a measurement needs of a connection."""

    async def fetchval(self, query: str) -> int:
        """The only value of the only row."""
        ...


def local_microseconds() -> int:
    """A clock that never goes back and goes on while the machine sleeps, where the system has one."""
    kind = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(kind) // 1000


class DatabaseClock:
    """Milliseconds since the Unix epoch by the database. Off by half a round trip at most when measured."""

    def __init__(self) -> None:
        self._offset = time.time_ns() // 1000 - local_microseconds()
        self.uncertainty = 0  # microseconds, of the last measurement

    def __call__(self) -> int:
        """Now, in milliseconds."""
        return (local_microseconds() + self._offset) // 1000

    async def measure(self, connection: Asks) -> None:
        """Take the offset anew, from the quickest of a few round trips."""
        probes = [await _probe(connection) for _ in range(_PROBES)]
        self.uncertainty, self._offset = min(probes)


async def _probe(connection: Asks) -> tuple[int, int]:
    before = local_microseconds()
    now = await connection.fetchval(_NOW)
    after = local_microseconds()
    return (after - before) // 2, now - (before + after) // 2
