"""The paid call: asked once, and, when its answer was lost, looked for without paying twice."""

import asyncio
from collections.abc import Mapping

import structlog

from meshapi_server.upstreams.contract import Accepted, Deferred, Rejected, RemoteUpstream, Unserved

from .changes import Changes
from .clock import Clock
from .health import Health
from .jobs import Jobs
from .life import RECONCILE_WITHIN, UNKNOWN_SUBMISSION
from .looks import next_look
from .ports import Store
from .saving import Saving
from .schedule import CALL_SHARE, retry_delay
from .states import Event
from .task import Claim

log = structlog.get_logger("meshapi.worker")

_SOON = 500  # ms after which a lost answer is first looked for


class SubmissionDriver:
    """Submits claims to remote upstreams, reconciles lost answers and saves what came of it.

    ``reconcile_within`` (ms) is how long a submission may stay unknown.
    """

    def __init__(
        self,
        store: Store,
        changes: Changes,
        clock: Clock,
        jobs: Jobs,
        upstreams: Mapping[str, RemoteUpstream],
        lease_seconds: float,
        reconcile_within: int = RECONCILE_WITHIN,
    ) -> None:
        self._store = store
        self._clock = clock
        self._jobs = jobs
        self._upstreams = upstreams
        self._call_seconds = lease_seconds * CALL_SHARE
        self._reconcile_within = reconcile_within
        self._saving = Saving(store, changes, clock)
        self._health = Health(clock)

    async def submit(self, claim: Claim) -> None:
        """Ask the upstream, once. A lost answer makes the task `unknown`, never a second paid call."""
        upstream = self._upstreams[claim.schedule.upstream]
        if _has_another_route(claim) and self._health.rests(upstream.name):
            note = "this upstream failed repeatedly and rests"
            if await self._saving.save(claim, Event.REROUTED, due=self._clock(), note=note):
                return
        try:
            job = await self._jobs.whole(claim)
        except Exception as fault:  # noqa: BLE001 - nothing was sent yet, so it may be sent later
            log.warning("inputs could not be read", task=claim.task.id, fault=repr(fault))
            due = self._clock() + retry_delay(claim.schedule.attempt)
            await self._saving.save(claim, Event.DEFERRED, due=due, note="the inputs could not be read")
            return
        if claim.schedule.lease_until - self._clock() < self._call_seconds * 1000:
            # Sent now, the answer could come when the task is no longer ours.
            await self._saving.save(claim, Event.DEFERRED, due=self._clock(), note="the worker was too slow")
            return
        try:
            async with asyncio.timeout(self._call_seconds):
                accepted = _named(await upstream.submit(job))
        except Rejected as rejection:
            self._health.answered(upstream.name)
            await self._saving.fail(claim, rejection.error)
        except Unserved as unserved:
            self._health.failed(upstream.name)
            await self._elsewhere(claim, unserved)
        except Deferred as wait:
            self._health.failed(upstream.name)
            await self._later(claim, wait)
        except Exception as fault:  # noqa: BLE001 - anything else leaves it open whether it was accepted
            self._health.failed(upstream.name)
            await self._unknown(claim, upstream, fault)
        else:
            self._health.answered(upstream.name)
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
            await self._saving.pause(f"upstream:{claim.schedule.upstream}", wait.retry_after)
        if await self._saving.save(claim, Event.REROUTED, due=now, note=str(wait)):
            return
        due = now + retry_delay(claim.schedule.attempt, wait.retry_after)
        await self._saving.save(claim, Event.DEFERRED, due=due, note=str(wait))

    async def _unknown(self, claim: Claim, upstream: RemoteUpstream, fault: Exception) -> None:
        log.warning("submission is unknown", task=claim.task.id, fault=repr(fault))
        if upstream.abilities.resends or upstream.abilities.finds:
            now = self._clock()
            await self._saving.save(
                claim,
                Event.LEASE_LOST,
                due=now + _SOON,
                give_up_at=now + self._reconcile_within,
                note="the answer was lost",
            )
        else:
            await self._saving.fail(claim, UNKNOWN_SUBMISSION)

    async def _accepted(
        self, claim: Claim, upstream: RemoteUpstream, reference: str, look_again_in: float | None
    ) -> None:
        job = self._jobs.brief(claim)
        due = self._clock() + next_look(
            claim, upstream.abilities, job, elapsed=0, look_again_in=look_again_in
        )
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
        if claim.task.ended and not upstream.abilities.cancels:
            note = "the task has ended, and this upstream cannot be told to stop"
            await self._saving.save(claim, Event.FAILED, note=note)
            return
        retry_after, note = None, "not found yet"
        try:
            accepted = await self._look_up(claim, upstream)
        except Rejected as rejection:
            await self._saving.fail(claim, rejection.error)
            return
        except asyncio.CancelledError:
            await self._saving.save(claim, Event.RELEASED)
            raise
        except Exception as fault:  # noqa: BLE001 - it stays unknown; asked again until its deadline
            log.warning("reconciliation failed", task=claim.task.id, fault=repr(fault))
            accepted, note = None, "the upstream did not say"
            retry_after = fault.retry_after if isinstance(fault, Deferred) else None
        if accepted is not None:
            await self._accepted(claim, upstream, accepted.reference, accepted.look_again_in)
            return
        due = self._clock() + retry_delay(claim.schedule.attempt - claim.schedule.submission, retry_after)
        await self._saving.save(claim, Event.PROGRESSED, due=due, note=note)

    async def _look_up(self, claim: Claim, upstream: RemoteUpstream) -> Accepted | None:
        """The answer to the paid call. Asking again is quicker; what nobody wants is only searched for."""
        abilities = upstream.abilities
        job = await self._jobs.whole(claim)
        async with asyncio.timeout(self._call_seconds):
            if abilities.resends and not (claim.task.ended and abilities.finds):
                return _named(await upstream.submit(job))
            found = await upstream.find(job)
            return _named(found) if found is not None else None


def _named(accepted: Accepted) -> Accepted:
    """An acceptance that says under which id. Without it nothing is known that helps."""
    if not accepted.reference:
        raise ValueError("the upstream accepted without telling its id")
    return accepted


def _has_another_route(claim: Claim) -> bool:
    return claim.schedule.route + 1 < len(claim.task.routes)
