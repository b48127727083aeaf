"""Holding a claim while work goes on: extend the lease, report progress, stop when it is no longer ours."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from .changes import Changes
from .clock import Clock
from .life import Step
from .ports import Store
from .states import Event
from .task import Claim

Result = TypeVar("Result")


class LeaseGone(Exception):
    """The task was cancelled, expired or taken over; whatever was made of it must be thrown away."""


class Lease:
    """One claim's lease. ``seconds`` is its length; it is extended after a third of that."""

    def __init__(
        self, store: Store, changes: Changes, clock: Clock, claim: Claim, seconds: float, quiet: float = 0.4
    ) -> None:
        self._store = store
        self._changes = changes
        self._clock = clock
        self._claim = claim
        self._seconds = seconds
        self._quiet = quiet  # progress is written at most this often, in seconds
        self._fraction: float | None = None
        self._saved_at = 0.0

    async def report(self, fraction: float | None) -> None:
        """Note progress (0..1); written to the store at most every ``quiet`` seconds."""
        self._fraction = fraction
        now = asyncio.get_running_loop().time()
        if now - self._saved_at >= self._quiet:
            self._saved_at = now
            await self._extend()

    async def hold(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Run ``work`` under the lease. Raises LeaseGone, after stopping it, when the claim is lost."""
        job = asyncio.ensure_future(work())
        guard = asyncio.ensure_future(self._guard())
        try:
            await asyncio.wait({job, guard}, return_when=asyncio.FIRST_COMPLETED)
            if job.done():
                return job.result()
            guard.result()
            raise LeaseGone
        finally:
            for task in (job, guard):
                task.cancel()
            await asyncio.gather(job, guard, return_exceptions=True)

    async def _guard(self) -> None:
        with self._changes.subscribe(self._claim.task.id) as queue:
            while True:
                try:
                    snapshot = await asyncio.wait_for(queue.get(), self._seconds / 3)
                except TimeoutError:
                    await self._extend()
                else:
                    if (
                        snapshot is None
                    ):  # another process changed it: the store tells whether it is still ours
                        await self._extend()
                    elif snapshot.ended:
                        raise LeaseGone

    async def _extend(self) -> None:
        now = self._clock()
        step = Step(
            event=Event.PROGRESSED,
            attempt=self._claim.schedule.attempt,
            lease_until=now + round(self._seconds * 1000),
            running=True,
            progress=self._fraction,
        )
        moved = await self._store.step(self._claim.task.id, step, now)
        if moved is None:
            raise LeaseGone
        self._changes.publish(moved)
