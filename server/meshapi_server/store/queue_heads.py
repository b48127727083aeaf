"""The first places of each upstream's queue, as they were a moment ago.

Why: to count a thousand places costs a few hundred microseconds, for every look at a task that waits. Far
from the head a place that is a second old says as much.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct

FRESH = 1.0  # s for which a head is told again


class Head(Struct, frozen=True):
    """Places by task id; ``full`` when there are more tasks behind."""

    places: Mapping[str, int]
    full: bool


class _Kept(Struct, frozen=True):
    head: Head
    until: float


class QueueHeads:
    """Reads each upstream's head at most once a second, however many ask."""

    def __init__(
        self, read: Callable[[str], Awaitable[Head]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._reading: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(self, upstream: str) -> Head:
        """The head of an upstream's queue, not older than FRESH when it was asked for."""
        kept = self._fresh(upstream)
        if kept is None:
            async with self._reading[upstream]:
                kept = self._fresh(upstream)
                if kept is None:
                    until = self._clock() + FRESH
                    kept = self._kept[upstream] = _Kept(await self._read(upstream), until)
        return kept.head

    def _fresh(self, upstream: str) -> _Kept | None:
        kept = self._kept.get(upstream)
        return kept if kept is not None and self._clock() < kept.until else None
