"""How much of something may happen: tasks at once, calls in a time. Values and one pure rule.

A *pool* is what such limits are kept for: an upstream (``upstream:byteplus``), its polls
(``polls:byteplus``), or a key (``key:key_…``). The store holds one row for each, so that limits are exact
over any number of processes.
"""

import math

from msgspec import Struct
from msgspec.structs import replace

UNLIMITED = 1_000_000_000
_GRAIN = 1024  # parts of a millisecond: with intervals of whole grains, times since 1970 add up exactly


class Rate(Struct, frozen=True, kw_only=True):
    """At most ``count`` calls in any ``seconds``."""

    count: int
    seconds: float

    def __post_init__(self) -> None:
        if self.count < 1 or self.seconds <= 0:
            raise ValueError(f"a rate needs count >= 1 and seconds > 0, not {self.count} in {self.seconds} s")


class Limits(Struct, frozen=True, kw_only=True):
    """An upstream's limits. ``tasks`` counts those that occupy a slot, also while they sleep upstream."""

    tasks: int
    submits: Rate | None = None
    polls: Rate | None = None


class Pool(Struct, frozen=True, kw_only=True):
    """A pool's settings: ``capacity`` tasks at once, and the rate of its calls."""

    name: str
    capacity: int = UNLIMITED
    rate: Rate | None = None


class PoolState(Struct, frozen=True, kw_only=True):
    """A pool's row. ``interval`` (ms between calls) and ``burst`` follow from its rate; 0 is no rate.

    ``full_at`` is the theoretical arrival time of the generic cell rate algorithm (ITU-T I.371) in
    ms; ``paused_until`` (ms) holds everything back, when the upstream said that it is busy.
    """

    name: str
    capacity: int
    used: int = 0
    interval: float = 0.0
    burst: int = 0
    full_at: float = 0.0
    paused_until: int = 0


def gcra(rate: Rate | None) -> tuple[float, int]:
    """The interval (ms) and burst with which no window of ``rate.seconds`` ever sees more than ``count``.

    A cell rate of r with bursts of b lets b + r·T through in a window T, so r = (count - b) / T.
    """
    if rate is None:
        return 0.0, 0
    if rate.count == 1:
        return _grained(rate.seconds * 1000), 1
    burst = max(1, rate.count // 10)
    return _grained(rate.seconds * 1000 / (rate.count - burst)), burst


def room(pool: PoolState, now: int) -> int:
    """How many tasks or calls the pool lets through now."""
    if pool.paused_until > now:
        return 0
    free = max(0, pool.capacity - pool.used)
    if not pool.interval:
        return free
    slack = now + pool.burst * pool.interval - max(pool.full_at, float(now))
    return min(free, int(slack / pool.interval))


def passed(pool: PoolState, calls: int, now: int) -> PoolState:
    """The pool after ``calls`` of its rate were let through."""
    if not pool.interval or not calls:
        return pool
    return replace(pool, full_at=max(pool.full_at, float(now)) + calls * pool.interval)


def _grained(interval: float) -> float:
    """The next whole grain: a rate is never exceeded, not even by what rounding adds up to."""
    return math.ceil(interval * _GRAIN) / _GRAIN
