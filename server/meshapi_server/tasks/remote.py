"""Driving a remote upstream: submit once, look when due, fetch the result."""

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from meshapi_server.upstreams.contract import Deferred, Look, Progress, Rejected, RemoteUpstream, Unserved

from .adoption import adopt, drop_unwanted, workspace_name
from .changes import Changes
from .clock import Clock
from .jobs import Jobs
from .lease import Lease, LeaseGone
from .life import UNKNOWN_SUBMISSION
from .ports import Files, Store
from .saving import Saving
from .schedule import poll_delay, retry_delay
from .states import Event
from .task import Claim, Outcome, TaskError

log = structlog.get_logger("meshapi.worker")

CALL_SHARE = (
    0.7  # of the lease: what one call to an upstream may take, so that its answer is still ours to save
)
_SOON = 500  # ms after which a lost answer is first looked for


class RemoteDriver:
    """Submits, looks at and fetches claims of remote upstreams and saves what they answered."""

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

    async def submit(self, claim: Claim) -> None:
        """Ask the upstream, once. A lost answer makes the task `unknown`, never a second paid call."""
        upstream = self._upstreams[claim.schedule.upstream]
        job = await self._jobs.whole(claim)
        if claim.schedule.lease_until - self._clock() < self._call_seconds * 1000:
            # Nothing was sent yet. Sent now, the answer could come when the task is no longer ours.
            await self._saving.save(claim, Event.DEFERRED, due=self._clock(), note="the worker was too slow")
            return
        try:
            async with asyncio.timeout(self._call_seconds):
                accepted = await upstream.submit(job)
        except Rejected as rejection:
            await self._saving.fail(claim, rejection.error)
        except Unserved as unserved:
            await self._elsewhere(claim, unserved)
        except Deferred as wait:
            await self._later(claim, wait)
        except Exception as fault:  # noqa: BLE001 - anything else leaves it open whether it was accepted
            await self._unknown(claim, upstream, fault)
        else:
            await self._accepted(claim, upstream, accepted.reference, accepted.look_again_in)

    async def _elsewhere(self, claim: Claim, unserved: Unserved) -> None:
        """Ask the next upstream; certain, as this one is, that it took nothing."""
        log.warning("upstream does not serve", upstream=claim.schedule.upstream, reason=str(unserved))
        note = unserved.error.message
        if not await self._saving.save(claim, Event.REROUTED, due=self._clock(), note=note):
            await self._saving.fail(claim, unserved.error)

    async def _later(self, claim: Claim, wait: Deferred) -> None:
        now = self._clock()
        if wait.pause:
            until = now + retry_delay(0, wait.retry_after)
            await self._store.pause(f"upstream:{claim.schedule.upstream}", until)
        if await self._saving.save(claim, Event.REROUTED, due=now, note=str(wait)):
            return
        due = now + retry_delay(claim.schedule.attempt, wait.retry_after)
        await self._saving.save(claim, Event.DEFERRED, due=due, note=str(wait))

    async def _unknown(self, claim: Claim, upstream: RemoteUpstream, fault: Exception) -> None:
        log.warning("submission is unknown", task=claim.task.id, fault=repr(fault))
        if upstream.abilities.resends or upstream.abilities.finds:
            note = "the answer was lost"
            await self._saving.save(claim, Event.LEASE_LOST, due=self._clock() + _SOON, note=note)
        else:
            await self._saving.fail(claim, UNKNOWN_SUBMISSION)

    async def _accepted(
        self, claim: Claim, upstream: RemoteUpstream, reference: str, look_again_in: float | None
    ) -> None:
        due = self._clock() + self._poll_delay(claim, 0, look_again_in)
        moved = await self._saving.save(claim, Event.ACCEPTED, due=due, upstream_ref=reference)
        if moved is None:
            await self._disown(claim, upstream, reference)

    async def _disown(self, claim: Claim, upstream: RemoteUpstream, reference: str) -> None:
        """The answer came when the task had been given up: stop what nobody will fetch."""
        held = await self._store.schedule(claim.task.id)
        task = await self._store.get(claim.task.owner, claim.task.id)
        if held is not None or (task is not None and task.outcome.video is not None):
            return  # somebody else learned of it in time
        log.warning("upstream accepted a task that was given up", task=claim.task.id, reference=reference)
        if upstream.abilities.cancels:
            try:
                async with asyncio.timeout(self._call_seconds):
                    await upstream.cancel(reference, self._jobs.brief(claim))
            except Exception as fault:  # noqa: BLE001 - nothing more can be done; the log has the reference
                log.warning("it could not be stopped", task=claim.task.id, fault=repr(fault))

    async def reconcile(self, claim: Claim) -> None:
        """Find out what became of a submission whose answer was lost, without paying twice."""
        upstream = self._upstreams[claim.schedule.upstream]
        job = await self._jobs.whole(claim)
        try:
            async with asyncio.timeout(self._call_seconds):
                ask = upstream.submit if upstream.abilities.resends else upstream.find
                accepted = await ask(job)
        except Rejected as rejection:
            await self._saving.fail(claim, rejection.error)
            return
        except asyncio.CancelledError:
            await self._saving.save(claim, Event.RELEASED)
            raise
        except Exception as fault:  # noqa: BLE001 - it stays unknown; asked again until its deadline
            log.warning("reconciliation failed", task=claim.task.id, fault=repr(fault))
            accepted = None
        if accepted is not None:
            await self._accepted(claim, upstream, accepted.reference, accepted.look_again_in)
            return
        due = self._clock() + retry_delay(claim.schedule.attempt - claim.schedule.submission)
        await self._saving.save(claim, Event.PROGRESSED, due=due, note="not found yet")

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
            due = self._clock() + retry_delay(claim.schedule.attempt - claim.schedule.submission)
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
            async with asyncio.timeout(self._call_seconds):
                answers = await upstream.poll(looks)
        except asyncio.CancelledError:
            await asyncio.gather(*(self._saving.save(claim, Event.RELEASED) for claim in claims))
            raise
        except Exception as fault:  # noqa: BLE001 - a failed look changes nothing; look again later
            answers = [fault] * len(claims)
        await asyncio.gather(*map(self._save_look, claims, answers))

    async def _save_look(self, claim: Claim, answer: Progress | Exception) -> None:
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
            elapsed = now - (claim.schedule.accepted_at or now)
            await self._saving.save(
                claim,
                Event.PROGRESSED,
                due=now + self._poll_delay(claim, elapsed, answer.look_again_in),
                running=answer.state == "running",
                progress=answer.fraction,
            )

    def _poll_delay(self, claim: Claim, elapsed: int, look_again_in: float | None) -> int:
        routes = claim.task.routes
        usual = routes[claim.schedule.route].usual_seconds if routes else None
        calls_back = self._upstreams[claim.schedule.upstream].abilities.calls_back
        announced = calls_back and self._jobs.brief(claim).callback_url is not None
        return poll_delay(elapsed, usual, look_again_in, calls_back=announced)

    async def fetch(self, claim: Claim) -> None:
        """Copy the result into our storage; only then does the task succeed."""
        upstream = self._upstreams[claim.schedule.upstream]
        workspace = self._files.workspace(workspace_name(claim))
        lease = Lease(self._store, self._changes, self._clock, claim, self._lease_seconds)

        async def work() -> Outcome:
            job = self._jobs.brief(claim)
            rendered = await upstream.fetch(claim.schedule.upstream_ref or "", job, workspace)
            return await adopt(self._files, claim.task.id, rendered)

        try:
            outcome = await lease.hold(work)
        except LeaseGone:
            log.info("fetch stopped", task=claim.task.id)
            await drop_unwanted(self._store, self._files, claim)
        except Rejected as rejection:
            await self._saving.fail(claim, rejection.error)
        except asyncio.CancelledError:
            await self._saving.save(claim, Event.RELEASED)
            raise
        except Exception as fault:  # noqa: BLE001 - a failed fetch is tried again until the task expires
            log.warning("fetch failed", task=claim.task.id, fault=repr(fault))
            after = fault.retry_after if isinstance(fault, Deferred) else None
            # Every poll is an attempt, too; only the fetches among them make the next one wait longer.
            fetches = claim.schedule.attempt - claim.schedule.polls - claim.schedule.submission - 1
            due = self._clock() + retry_delay(fetches, after)
            await self._saving.save(claim, Event.RELEASED, due=due, note="the result could not be fetched")
        else:
            if await self._saving.save(claim, Event.STORED, outcome=outcome) is None:
                await drop_unwanted(self._store, self._files, claim)
        finally:
            await self._files.discard(workspace)
