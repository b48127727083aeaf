"""Driving a local upstream: one claim, one render, under a lease that is extended while it runs."""

import asyncio
from collections.abc import Mapping

import structlog
from msgspec.structs import replace

from meshapi_server.upstreams.contract import LocalUpstream, Rejected

from .adoption import adopt, drop_unwanted, job_of, workspace_name
from .changes import Changes
from .clock import Clock
from .lease import Lease, LeaseGone
from .life import Step
from .ports import Files, Store
from .schedule import retry_delay
from .states import Event
from .task import Claim, Outcome, TaskError

log = structlog.get_logger("meshapi.worker")

ATTEMPTS = 3


class RenderDriver:
    """Renders claims of local upstreams and saves what came of them."""

    def __init__(
        self,
        store: Store,
        files: Files,
        changes: Changes,
        clock: Clock,
        upstreams: Mapping[str, LocalUpstream],
        lease_seconds: float,
    ) -> None:
        self._store = store
        self._files = files
        self._changes = changes
        self._clock = clock
        self._upstreams = upstreams
        self._lease_seconds = lease_seconds

    async def render(self, claim: Claim) -> None:
        """Make the video and end the task, or give it back when the server drains."""
        workspace = self._files.workspace(workspace_name(claim))
        lease = Lease(self._store, self._changes, self._clock, claim, self._lease_seconds)
        upstream = self._upstreams[claim.task.upstream]

        async def work() -> Outcome:
            rendered = await upstream.render(job_of(claim), workspace, lease.report)
            return await adopt(self._files, claim.task.id, rendered)

        try:
            outcome = await lease.hold(work)
        except LeaseGone:
            log.info("render stopped", task=claim.task.id, attempt=claim.schedule.attempt)
            await drop_unwanted(self._store, self._files, claim)
        except Rejected as rejection:
            await self._save(claim, _failed(claim, rejection.error))
        except asyncio.CancelledError:
            await self._save(claim, Step(event=Event.RELEASED, attempt=claim.schedule.attempt))
            raise
        except Exception as fault:  # noqa: BLE001 - whatever broke, the task must go on or end
            await self._retry(claim, fault)
        else:
            step = Step(event=Event.STORED, attempt=claim.schedule.attempt, outcome=outcome)
            if not await self._save(claim, step):
                await drop_unwanted(self._store, self._files, claim)
        finally:
            await self._files.discard(workspace)

    async def _retry(self, claim: Claim, fault: Exception) -> None:
        attempt = claim.schedule.attempt
        log.error("render failed", task=claim.task.id, attempt=attempt, fault=repr(fault))
        if attempt >= ATTEMPTS:
            message = "The renderer failed; the operator's log has the reason."
            await self._save(claim, _failed(claim, TaskError(code="internal_error", message=message)))
            return
        due = self._clock() + retry_delay(attempt)
        await self._save(claim, Step(event=Event.RELEASED, attempt=attempt, due=due))

    async def _save(self, claim: Claim, step: Step) -> bool:
        moved = await self._store.step(claim.task.id, step, self._clock())
        if moved is None:
            return False
        self._changes.publish(moved)
        if moved.ended:
            log.info("task ended", task=moved.id, status=moved.status, attempt=claim.schedule.attempt)
        return True


def _failed(claim: Claim, error: TaskError) -> Step:
    outcome = replace(claim.task.outcome, error=error)
    return Step(event=Event.FAILED, attempt=claim.schedule.attempt, outcome=outcome)
