"""Writing down what came of a claim, and telling whoever waits."""

import asyncio

import structlog
from msgspec.structs import replace

from .changes import Changes
from .clock import Clock
from .life import RECONCILE_WITHIN, Step
from .ports import Store
from .schedule import retry_delay
from .states import Event
from .task import Claim, Outcome, Task, TaskError

log = structlog.get_logger("meshapi.worker")

# While the store is away: as long as the answer to a paid call may still be adopted by the task.
_PATIENCE = RECONCILE_WITHIN / 1000
_LONGEST_PAUSE = 2.0  # s between two tries


class Saving:
    """Saves steps of claims. Every save names its attempt, so that a stale worker changes nothing.

    What an upstream answered is known nowhere else: a save outlasts a store that is away for a minute, and
    the cancel of the coroutine that saves.
    """

    def __init__(self, store: Store, changes: Changes, clock: Clock) -> None:
        self._store = store
        self._changes = changes
        self._clock = clock

    async def save(
        self,
        claim: Claim,
        event: Event,
        *,
        due: int | None = None,
        give_up_at: int | None = None,
        upstream_ref: str | None = None,
        running: bool = False,
        progress: float | None = None,
        outcome: Outcome | None = None,
        note: str | None = None,
    ) -> Task | None:
        """Apply the step; the task as it is now, or None when the claim is no longer the row's."""
        step = Step(
            event=event,
            attempt=claim.schedule.attempt,
            submission=claim.schedule.submission,
            due=due,
            give_up_at=give_up_at,
            upstream_ref=upstream_ref,
            running=running,
            progress=progress,
            outcome=outcome,
            note=note,
        )
        saving = asyncio.ensure_future(self._save(claim, step))
        try:
            return await asyncio.shield(saving)
        except asyncio.CancelledError:
            await asyncio.wait({saving})
            raise

    async def fail(self, claim: Claim, error: TaskError) -> Task | None:
        """End the task by this error."""
        return await self.save(claim, Event.FAILED, outcome=replace(claim.task.outcome, error=error))

    async def pause(self, pool: str, seconds: float) -> None:
        """Let nothing through ``pool`` for so long: a courtesy to the upstream, so a fault is only logged."""
        try:
            await self._store.pause(pool, self._clock() + retry_delay(0, seconds))
        except Exception as fault:  # noqa: BLE001 - what the claim is waiting to save matters more
            log.warning("pause could not be written", pool=pool, fault=repr(fault))

    async def _save(self, claim: Claim, step: Step) -> Task | None:
        moved = await self._persist(claim, step)
        if moved is not None and moved.version != claim.task.version:
            self._changes.publish(moved)
            if moved.ended and not claim.task.ended:
                log.info("task ended", task=moved.id, status=moved.status, attempt=claim.schedule.attempt)
        return moved

    async def _persist(self, claim: Claim, step: Step) -> Task | None:
        time = asyncio.get_running_loop().time
        deadline, pause = time() + _PATIENCE, 0.05
        while True:
            try:
                return await self._store.step(claim.task.id, step, self._clock())
            except Exception as fault:
                if time() >= deadline:
                    raise
                log.warning("save is tried again", task=claim.task.id, step=step.event, fault=repr(fault))
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
