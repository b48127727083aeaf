"""Driving a local upstream: one claim, one render, under a lease that is extended while it runs."""

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from meshapi_server.upstreams.contract import LocalUpstream, Rejected

from .adoption import adopt, drop_unneeded, workspace_name
from .changes import Changes
from .clock import Clock
from .jobs import Jobs
from .lease import Lease, LeaseGone
from .ports import Files, Store
from .saving import Saving
from .schedule import retry_delay
from .states import Event
from .task import Attempt, Claim, Outcome, TaskError

log = structlog.get_logger("meshapi.worker")

ATTEMPTS = 3
_FAILED = "the renderer failed"
_GIVEN_BACK = (str(Event.RELEASED), None)  # by a worker that was told to stop


class RenderDriver:
    """Renders claims of local upstreams and saves what came of them."""

    def __init__(
        self,
        store: Store,
        files: Files,
        changes: Changes,
        clock: Clock,
        jobs: Jobs,
        upstreams: Mapping[str, LocalUpstream],
        lease_seconds: float,
    ) -> None:
        self._store = store
        self._files = files
        self._changes = changes
        self._clock = clock
        self._jobs = jobs
        self._upstreams = upstreams
        self._saving = Saving(store, changes, clock)
        self._lease_seconds = lease_seconds

    async def render(self, claim: Claim) -> None:
        """Make the video and end the task, or give it back when the server drains."""
        workspace = self._files.workspace(workspace_name(claim))
        lease = Lease(self._store, self._changes, self._clock, claim, self._lease_seconds)
        upstream = self._upstreams[claim.schedule.upstream]

        async def work() -> Outcome:
            rendered = await upstream.render(await self._jobs.whole(claim), workspace, lease.report)
            return await adopt(self._files, claim, rendered, lease.confirm)

        try:
            outcome = await lease.hold(work)
        except LeaseGone:
            log.info("render stopped", task=claim.task.id, attempt=claim.schedule.attempt)
            await drop_unneeded(self._store, self._files, claim.task.id)
        except Rejected as rejection:
            await self._fail(claim, rejection.error)
        except asyncio.CancelledError:
            await self._saving.save(claim, Event.RELEASED)
            raise
        except Exception as fault:  # noqa: BLE001 - whatever broke, the task must go on or end
            await self._retry(claim, fault)
        else:
            if await self._saving.save(claim, Event.STORED, outcome=outcome) is None:
                await drop_unneeded(self._store, self._files, claim.task.id)
        finally:
            await self._files.discard(workspace)

    async def _retry(self, claim: Claim, fault: Exception) -> None:
        tries = _tries(await self._store.timeline(claim.task.id))
        log.error("render failed", task=claim.task.id, attempt=claim.schedule.attempt, fault=repr(fault))
        if tries >= ATTEMPTS:
            message = "The renderer failed; the operator's log has the reason."
            await self._fail(claim, TaskError(code="internal_error", message=message))
            return
        due = self._clock() + retry_delay(tries)
        await self._saving.save(claim, Event.RELEASED, due=due, note=_FAILED)

    async def _fail(self, claim: Claim, error: TaskError) -> None:
        await self._saving.fail(claim, error)
        await drop_unneeded(self._store, self._files, claim.task.id)


def _tries(lines: Sequence[Attempt]) -> int:
    """How many renders were begun and not merely given back, with the one that goes on."""
    return sum(line.kind == "render" and (line.result, line.message) != _GIVEN_BACK for line in lines)
