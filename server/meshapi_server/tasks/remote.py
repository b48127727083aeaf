"""Driving a remote upstream that took a task: look when due, fetch the result, stop what is not wanted."""

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from meshapi_server.upstreams.contract import Deferred, Look, Progress, Rejected, RemoteUpstream

from .adoption import adopt, drop_unneeded, workspace_name
from .changes import Changes
from .clock import Clock
from .jobs import Jobs
from .lease import Lease, LeaseGone
from .looks import next_look
from .ports import Files, Store
from .saving import Saving
from .schedule import CALL_SHARE, retry_delay
from .states import Event
from .task import Claim, Outcome, TaskError

log = structlog.get_logger("meshapi.worker")


class RemoteDriver:
    """Looks at, fetches and stops claims of remote upstreams and saves what they answered."""

    def __init__(
        self,
        store: Store,
        files: Files,
        changes: Changes,
        clock: Clock,
        jobs: Jobs,
        upstreams: Mapping[str, RemoteUpstream],
        lease_seconds: float,
    ) -> None:
        self._store = store
        self._files = files
        self._changes = changes
        self._clock = clock
        self._jobs = jobs
        self._upstreams = upstreams
        self._lease_seconds = lease_seconds
        self._call_seconds = lease_seconds * CALL_SHARE
        self._saving = Saving(store, changes, clock)

    async def cancel(self, claim: Claim) -> None:
        """Tell the upstream to stop a task that has ended for its caller."""
        upstream = self._upstreams[claim.schedule.upstream]
        if not upstream.abilities.cancels:
            await self._saving.save(claim, Event.LET_GO, note="this upstream cannot be told to stop")
            return
        try:
            async with asyncio.timeout(self._call_seconds):
                stopped = await upstream.cancel(claim.schedule.upstream_ref or "", self._jobs.brief(claim))
        except asyncio.CancelledError:
            await self._saving.save(claim, Event.RELEASED)
            raise
        except Exception as fault:  # noqa: BLE001 - told again until its deadline
            log.warning("cancel failed", task=claim.task.id, fault=repr(fault))
            after = fault.retry_after if isinstance(fault, Deferred) else None
            due = self._clock() + retry_delay(_tries(claim), after)
            await self._saving.save(claim, Event.RELEASED, due=due, note="the upstream did not answer")
        else:
            note = "the upstream stopped" if stopped else "it was too late to stop the upstream"
            await self._saving.save(claim, Event.LET_GO, note=note)

    async def poll(self, claims: Sequence[Claim]) -> None:
        """Look where the upstream is with these tasks of its, in one call, and save it."""
        upstream = self._upstreams[claims[0].schedule.upstream]
        looks = [
            Look(reference=claim.schedule.upstream_ref or "", job=self._jobs.brief(claim)) for claim in claims
        ]
        try:
            answers = await self._ask(upstream, looks)
            await self._pause_polls(upstream.name, answers)
            await asyncio.gather(*map(self._save_look, claims, looks, answers))
        except asyncio.CancelledError:
            # Of those that are saved already this changes nothing.
            await asyncio.gather(*(self._saving.save(claim, Event.RELEASED) for claim in claims))
            raise

    async def _ask(self, upstream: RemoteUpstream, looks: Sequence[Look]) -> Sequence[Progress | Exception]:
        try:
            async with asyncio.timeout(self._call_seconds):
                answers = await upstream.poll(looks)
        except Exception as fault:  # noqa: BLE001 - a failed look changes nothing; look again later
            return [fault] * len(looks)
        if len(answers) != len(looks):
            return [ValueError(f"{len(answers)} answers to {len(looks)} looks")] * len(looks)
        return answers

    async def _pause_polls(self, upstream: str, answers: Sequence[Progress | Exception]) -> None:
        pauses = [each.retry_after for each in answers if isinstance(each, Deferred) and each.pause]
        if pauses:
            await self._saving.pause(f"polls:{upstream}", max(pauses))

    async def _save_look(self, claim: Claim, look: Look, answer: Progress | Exception) -> None:
        now = self._clock()
        if isinstance(answer, Exception):
            after = answer.retry_after if isinstance(answer, Deferred) else None
            log.warning("poll failed", task=claim.task.id, fault=repr(answer))
            due = now + retry_delay(min(claim.schedule.polls, 5), after)
            await self._saving.save(claim, Event.PROGRESSED, due=due)
        elif answer.state == "failed":
            error = answer.error or TaskError(code="upstream_error", message="The upstream gave no reason.")
            await self._saving.fail(claim, error)
        elif answer.state == "succeeded":
            await self._saving.save(claim, Event.READY, due=now, running=True, progress=answer.fraction)
        else:
            wait = next_look(
                claim,
                self._upstreams[claim.schedule.upstream].abilities,
                look.job,
                elapsed=now - (claim.schedule.accepted_at or now),
                look_again_in=answer.look_again_in,
            )
            await self._saving.save(
                claim,
                Event.PROGRESSED,
                due=now + wait,
                running=answer.state == "running",
                progress=answer.fraction,
            )

    async def fetch(self, claim: Claim) -> None:
        """Copy the result into our storage; only then does the task succeed."""
        upstream = self._upstreams[claim.schedule.upstream]
        workspace = self._files.workspace(workspace_name(claim))
        lease = Lease(self._store, self._changes, self._clock, claim, self._lease_seconds)

        async def work() -> Outcome:
            job = self._jobs.brief(claim)
            rendered = await upstream.fetch(claim.schedule.upstream_ref or "", job, workspace)
            return await adopt(self._files, claim, rendered, lease.confirm)

        try:
            outcome = await lease.hold(work)
        except LeaseGone:
            log.info("fetch stopped", task=claim.task.id)
            await drop_unneeded(self._store, self._files, claim.task.id)
        except Rejected as rejection:
            await self._saving.fail(claim, rejection.error)
            await drop_unneeded(self._store, self._files, claim.task.id)
        except asyncio.CancelledError:
            await self._saving.save(claim, Event.RELEASED)
            raise
        except Exception as fault:  # noqa: BLE001 - a failed fetch is tried again until the task expires
            log.warning("fetch failed", task=claim.task.id, fault=repr(fault))
            after = fault.retry_after if isinstance(fault, Deferred) else None
            due = self._clock() + retry_delay(_tries(claim), after)
            await self._saving.save(claim, Event.RELEASED, due=due, note="the result could not be fetched")
        else:
            if await self._saving.save(claim, Event.STORED, outcome=outcome) is None:
                await drop_unneeded(self._store, self._files, claim.task.id)
        finally:
            await self._files.discard(workspace)


def _tries(claim: Claim) -> int:
    """How often the task was fetched or stopped before. Looks are attempts, too, but no reason to wait."""
    return claim.schedule.attempt - claim.schedule.polls - claim.schedule.submission - 1
