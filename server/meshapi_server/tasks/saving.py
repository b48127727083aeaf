"""Writing down what came of a claim, and telling whoever waits."""

import structlog
from msgspec.structs import replace

from .changes import Changes
from .clock import Clock
from .life import Step
from .ports import Store
from .states import Event
from .task import Claim, Outcome, Task, TaskError

log = structlog.get_logger("meshapi.worker")


class Saving:
    """Saves steps of claims. Every save names its attempt, so that a stale worker changes nothing."""

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
            upstream_ref=upstream_ref,
            running=running,
            progress=progress,
            outcome=outcome,
            note=note,
        )
        moved = await self._store.step(claim.task.id, step, self._clock())
        if moved is not None and moved.version != claim.task.version:
            self._changes.publish(moved)
            if moved.ended and not claim.task.ended:
                log.info("task ended", task=moved.id, status=moved.status, attempt=claim.schedule.attempt)
        return moved

    async def fail(self, claim: Claim, error: TaskError) -> Task | None:
        """End the task by this error."""
        return await self.save(claim, Event.FAILED, outcome=replace(claim.task.outcome, error=error))
