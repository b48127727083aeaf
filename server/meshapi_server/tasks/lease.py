"""Holding a claim while work goes on: extend the lease, report progress, stop when it is no longer ours."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from .changes import Changes, News
from .clock import Clock
from .life import Step
from .ports import Store
from .states import Event
from .task import Claim

log = structlog.get_logger("meshapi.worker")

_AGAIN = 1.0  # s at most until a store that failed is asked again

Result = TypeVar("Result")


class LeaseGone(Exception):
    """The task was cancelled, expired or taken over; whatever was made of it must be thrown away."""


class Lease:
    """One claim's lease. ``seconds`` is its length; it is extended after a third of that.

    A store that fails stops nothing: the row tells at the next save whose the task is.
    """

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
        self._extend_at = 0.0  # loop time
        self._version = claim.task.version

    async def report(self, fraction: float | None) -> None:
        """Note progress (0..1); written to the store at most every ``quiet`` seconds."""
        self._fraction = fraction
        now = asyncio.get_running_loop().time()
        if now - self._saved_at >= self._quiet:
            self._saved_at = now
            await self._extend()

    async def confirm(self) -> None:
        """Raise LeaseGone when somebody else has the task by now, or nobody."""
        claimed = self._claim.schedule
        try:
            row = await self._store.schedule(self._claim.task.id)
        except Exception as fault:  # noqa: BLE001 - the save at the end tells
            log.warning("lease could not be confirmed", task=self._claim.task.id, fault=repr(fault))
            return
        if row is None or (row.attempt, row.state) != (claimed.attempt, claimed.state):
            raise LeaseGone

    async def hold(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Run ``work`` under the lease. Raises LeaseGone, after stopping it, when the claim is lost."""
        with self._changes.subscribe(self._claim.task.id) as news:
            await self.confirm()  # what happened before we listened was announced to others
            job = asyncio.ensure_future(work())
            guard = asyncio.ensure_future(self._guard(news))
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

    async def _guard(self, news: asyncio.Queue[News]) -> None:
        self._extend_at = asyncio.get_running_loop().time() + self._seconds / 3
        while True:
            try:
                # Not wait_for: until Python 3.12 it swallows a cancel that comes together with the news.
                async with asyncio.timeout_at(self._extend_at):
                    snapshot = await news.get()
            except TimeoutError:
                await self._extend()
            else:
                if snapshot is None:  # another process changed it
                    await self.confirm()
                elif snapshot.ended:
                    raise LeaseGone

    async def _extend(self) -> None:
        now = self._clock()
        loop_time = asyncio.get_running_loop().time()
        self._extend_at = loop_time + min(_AGAIN, self._seconds / 10)
        step = Step(
            event=Event.PROGRESSED,
            attempt=self._claim.schedule.attempt,
            worker=self._claim.schedule.worker,
            lease_until=now + round(self._seconds * 1000),
            running=True,
            progress=self._fraction,
        )
        try:
            moved = await self._store.step(self._claim.task.id, step, now)
        except Exception as fault:  # noqa: BLE001 - asked again soon; the work goes on
            log.warning("lease could not be extended", task=self._claim.task.id, fault=repr(fault))
            return
        if moved is None:
            raise LeaseGone
        self._extend_at = loop_time + self._seconds / 3
        if moved.version != self._version:
            self._version = moved.version
            self._changes.publish(moved)
