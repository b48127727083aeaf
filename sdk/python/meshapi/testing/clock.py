"""A clock that stands still until somebody waits or moves it."""

from __future__ import annotations

import asyncio
import threading

from meshapi._exchange import Ambient

# 2026-08-01T12:00:00Z, so that times in tests are the same in every run.
BEGINNING = 1_785_585_600.0


class FakeClock:
    """Time in Unix seconds. A client over it does not sleep: its waits move the clock.

    Waits at the same time pass at the same time: two tasks of an event loop that each sleep 2 s move the
    clock by 2 s. Threads may share it.
    """

    def __init__(self, now: float = BEGINNING) -> None:
        self._beginning = now
        self._now = now
        self._mutex = threading.Lock()

    @property
    def now(self) -> float:
        """Unix seconds."""
        return self._now

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self._now - self._beginning

    def advance(self, seconds: float) -> None:
        """Let time pass. Raises ValueError for a step back."""
        if not seconds >= 0:
            raise ValueError(f"time goes forward: seconds must be at least 0, got {seconds!r}")
        with self._mutex:
            self._now += seconds

    def advance_to(self, moment: float) -> None:
        """Let time pass until ``moment`` (Unix seconds), if that is not over already."""
        with self._mutex:
            self._now = max(self._now, moment)

    def ambient(self) -> Ambient:
        """What the client's decisions are given: this time, and chance that never adds to a wait."""
        return Ambient(lambda: self.elapsed, lambda: self._now, lambda: 0.0)

    def pause(self, seconds: float) -> None:
        """What the synchronous client does instead of sleeping."""
        self.advance_to(self._now + seconds)

    async def pause_async(self, seconds: float) -> None:
        """What the asynchronous client does instead of sleeping; other tasks of the loop get their turn."""
        goal = self._now + seconds
        await asyncio.sleep(0)
        self.advance_to(goal)
