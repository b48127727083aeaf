"""Driving a remote upstream: submit once, poll when due, fetch the result. One claim each."""

import asyncio
from collections.abc import Mapping

import structlog
from msgspec.structs import replace

from meshapi_server.upstreams.contract import Deferred, Progress, Rejected, RemoteUpstream

from .adoption import adopt, drop_unwanted, job_of, workspace_name
from .changes import Changes
from .clock import Clock
from .lease import Lease, LeaseGone
from .life import RECONCILE_WITHIN, Step
from .ports import Files, Store
from .schedule import poll_delay, retry_delay
from .states import Event
from .task import Claim, Outcome, Task, TaskError

log = structlog.get_logger("meshapi.worker")


class RemoteDriver:
    """Submits, polls and fetches claims of remote upstreams and saves what they answered."""

    def __init__(
        self,
        store: Store,
        files: Files,
        changes: Changes,
        clock: Clock,
        upstreams: Mapping[str, RemoteUpstream],
        lease_seconds: float,
    ) -> None:
        self._store = store
        self._files = files
        self._changes = changes
        self._clock = clock
        self._upstreams = upstreams
        self._lease_seconds = lease_seconds

    async def submit(self, claim: Claim) -> None:
        """Ask the upstream, once. An answer that got lost makes the task `unknown`, never a second call."""
        upstream = self._upstreams[claim.task.upstream]
        try:
            async with asyncio.timeout(self._lease_seconds * 0.8):
                accepted = await upstream.submit(job_of(claim))
        except Rejected as rejection:
            await self._fail(claim, rejection.error)
        except Deferred as wait:
            due = self._clock() + retry_delay(claim.schedule.attempt, wait.retry_after)
            await self._save(claim, Event.DEFERRED, due=due)
        except Exception as fault:  # noqa: BLE001 - anything else leaves it open whether it was accepted
            log.warning("submission is unknown", task=claim.task.id, fault=repr(fault))
            await self._save(claim, Event.LEASE_LOST, due=self._clock() + RECONCILE_WITHIN)
        else:
            due = self._clock() + poll_delay(0, accepted.look_again_in)
            moved = await self._save(claim, Event.ACCEPTED, due=due, upstream_ref=accepted.reference)
            if moved is not None and moved.ended:  # its caller cancelled it while it was being sent
                await upstream.cancel(accepted.reference, job_of(claim))

    async def poll(self, claim: Claim) -> None:
        """Look where the upstream is and save it."""
        upstream = self._upstreams[claim.task.upstream]
        try:
            async with asyncio.timeout(self._lease_seconds * 0.8):
                progress = await upstream.poll(claim.schedule.upstream_ref or "", job_of(claim))
        except asyncio.CancelledError:
            await self._save(claim, Event.RELEASED)
            raise
        except Deferred as wait:
            await self._save(
                claim,
                Event.PROGRESSED,
                due=self._clock() + retry_delay(claim.schedule.polls, wait.retry_after),
            )
        except Exception as fault:  # noqa: BLE001 - a failed look changes nothing; look again later
            log.warning("poll failed", task=claim.task.id, fault=repr(fault))
            await self._save(claim, Event.PROGRESSED, due=self._clock() + retry_delay(claim.schedule.polls))
        else:
            await self._save_progress(claim, progress)

    async def _save_progress(self, claim: Claim, progress: Progress) -> None:
        now = self._clock()
        if progress.state == "failed":
            error = progress.error or TaskError(code="upstream_error", message="The upstream gave no reason.")
            await self._fail(claim, error)
        elif progress.state == "succeeded":
            await self._save(claim, Event.READY, due=now, running=True, progress=progress.fraction)
        else:
            await self._save(
                claim,
                Event.PROGRESSED,
                due=now + poll_delay(claim.schedule.polls, progress.look_again_in),
                running=progress.state == "running",
                progress=progress.fraction,
            )

    async def fetch(self, claim: Claim) -> None:
        """Copy the result into our storage; only then does the task succeed."""
        upstream = self._upstreams[claim.task.upstream]
        workspace = self._files.workspace(workspace_name(claim))
        lease = Lease(self._store, self._changes, self._clock, claim, self._lease_seconds)

        async def work() -> Outcome:
            rendered = await upstream.fetch(claim.schedule.upstream_ref or "", job_of(claim), workspace)
            return await adopt(self._files, claim.task.id, rendered)

        try:
            outcome = await lease.hold(work)
        except LeaseGone:
            log.info("fetch stopped", task=claim.task.id)
            await drop_unwanted(self._store, self._files, claim)
        except Rejected as rejection:
            await self._fail(claim, rejection.error)
        except asyncio.CancelledError:
            await self._save(claim, Event.RELEASED)
            raise
        except Exception as fault:  # noqa: BLE001 - a failed fetch is tried again until the task expires
            log.warning("fetch failed", task=claim.task.id, fault=repr(fault))
            after = fault.retry_after if isinstance(fault, Deferred) else None
            # Every poll is an attempt, too; only the fetches among them make the next one wait longer.
            fetches = claim.schedule.attempt - claim.schedule.polls - 1
            due = self._clock() + retry_delay(fetches, after)
            await self._save(claim, Event.RELEASED, due=due)
        else:
            if await self._save(claim, Event.STORED, outcome=outcome) is None:
                await drop_unwanted(self._store, self._files, claim)
        finally:
            await self._files.discard(workspace)

    async def _fail(self, claim: Claim, error: TaskError) -> None:
        await self._save(claim, Event.FAILED, outcome=replace(claim.task.outcome, error=error))

    async def _save(
        self,
        claim: Claim,
        event: Event,
        *,
        due: int | None = None,
        upstream_ref: str | None = None,
        running: bool = False,
        progress: float | None = None,
        outcome: Outcome | None = None,
    ) -> Task | None:
        step = Step(
            event=event,
            attempt=claim.schedule.attempt,
            due=due,
            upstream_ref=upstream_ref,
            running=running,
            progress=progress,
            outcome=outcome,
        )
        moved = await self._store.step(claim.task.id, step, self._clock())
        if moved is not None:
            self._changes.publish(moved)
        return moved
