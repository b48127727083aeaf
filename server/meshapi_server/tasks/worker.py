"""The loop that drives tasks: reap, expire, claim, hand out, save. Any number may run on one store."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

import structlog
from msgspec import Struct

from meshapi_server.upstreams.contract import LocalUpstream, RemoteUpstream

from .adoption import drop_unneeded
from .changes import Changes
from .clock import Clock
from .detours import Detours
from .jobs import Jobs
from .life import RECONCILE_WITHIN
from .limits import Pool
from .places import Places
from .ports import ONE_BY_ONE, Files, Store
from .remote import RemoteDriver
from .rendering import RenderDriver
from .states import Event
from .submission import SubmissionDriver
from .task import Claim

log = structlog.get_logger("meshapi.worker")

_REAP_EVERY = 0.5  # s at most: a dead worker's tasks are taken over within its lease and a second
_DETOURS_EVERY = 1.0  # s
_BREATH = 0.01  # s between two turns at least, so that whatever rings or ends meanwhile shares the next one


class WorkerSettings(Struct, frozen=True, kw_only=True):
    """Times in seconds, ``reconcile_within`` in ms. ``lease`` must outlast the longest call to an upstream.

    The counts bound what one worker does at once; a kill in the middle leaves at most ``submits_at_once``
    submissions whose answer is unknown.
    """

    name: str
    lease: float = 30.0
    tick: float = 0.25
    submits_at_once: int = 16
    polls_at_once: int = 500
    fetches_at_once: int = 16
    reconcile_within: int = RECONCILE_WITHIN


class Worker:
    """Claims tasks and runs each in its own coroutine until told to stop."""

    def __init__(
        self,
        store: Store,
        files: Files,
        changes: Changes,
        clock: Clock,
        jobs: Jobs,
        settings: WorkerSettings,
        local: Mapping[str, LocalUpstream],
        remote: Mapping[str, RemoteUpstream],
    ) -> None:
        self._store = store
        self._files = files
        self._changes = changes
        self._clock = clock
        self._settings = settings
        self._local = local
        self._remote = remote
        self._running: dict[Event, set[asyncio.Task[None]]] = {}
        self._places = Places()  # for claims: one coroutine may look at several tasks
        self._stopping = False
        self._idle = asyncio.Event()  # set while the loop does not run: nothing is being claimed
        self._idle.set()
        self._next_reap = 0.0
        self._next_detours = 0.0
        self._detours = Detours(store, (*local, *remote))
        self._render = RenderDriver(store, files, changes, clock, jobs, local, settings.lease)
        self._submissions = SubmissionDriver(
            store, changes, clock, jobs, remote, settings.lease, settings.reconcile_within
        )
        self._drive = RemoteDriver(store, files, changes, clock, jobs, remote, settings.lease)
        self._looks_at_once = {name: max(1, each.abilities.looks_at_once) for name, each in remote.items()}
        reconcilable = (
            name for name, each in remote.items() if each.abilities.resends or each.abilities.finds
        )
        everyone = settings.submits_at_once
        self._duties: tuple[tuple[Event, tuple[str, ...], int], ...] = (
            (Event.CLAIM_RENDER, tuple(local), everyone),
            (Event.CLAIM_SUBMIT, tuple(remote), everyone),
            (Event.CLAIM_RECONCILE, tuple(reconcilable), everyone),
            (Event.CLAIM_CANCEL, tuple(remote), everyone),
            (Event.CLAIM_FETCH, tuple(remote), settings.fetches_at_once),
            (Event.CLAIM_POLL, tuple(remote), settings.polls_at_once),
        )

    async def prepare(self, *, alone: bool) -> None:
        """Set the pools; when ``alone`` (embedded), every lease is a dead worker's and is freed at once."""
        limits = {name: each.limits for name, each in self._local.items()}
        limits |= {name: each.limits for name, each in self._remote.items()}
        pools = [
            Pool(name=f"upstream:{name}", capacity=each.tasks, rate=each.submits)
            for name, each in limits.items()
        ]
        pools += [Pool(name=f"polls:{name}", rate=each.polls) for name, each in limits.items()]
        await self._store.set_pools(pools)
        if alone:
            freed = await self._store.reap(
                self._clock(), reconcile_within=self._settings.reconcile_within, all_leases=True
            )
            if freed:
                log.info("took over unfinished tasks", tasks=len(freed))

    async def run(self) -> None:
        """Work until :meth:`stop`. A failing store is retried; nothing in here ends the loop."""
        self._idle.clear()
        try:
            while not self._stopping:
                claimed = await self._guarded_turn()
                await asyncio.sleep(_BREATH)
                if not claimed:
                    await self._changes.wait(self._settings.tick)
        finally:
            self._idle.set()

    async def _guarded_turn(self) -> bool:
        try:
            return await self._turn()
        except Exception:
            log.exception("worker turn failed")
            await asyncio.sleep(1)
            return False

    async def stop(self) -> None:
        """Claim nothing more, give unfinished work back and return when all of it is given back.

        A submission is let finish: breaking it off would leave open whether the upstream accepted.
        """
        self._stopping = True
        self._changes.ring_here()
        await self._idle.wait()  # a claim under way is work of ours, too
        for event, tasks in self._running.items():
            if event is not Event.CLAIM_SUBMIT:
                for task in tasks:
                    task.cancel()
        everything = [task for tasks in self._running.values() for task in tasks]
        await asyncio.gather(*everything, return_exceptions=True)

    async def _turn(self) -> bool:
        await self._housekeep()
        await self._move_on()
        claims = 0
        for event, upstreams, most in self._duties:
            admitted, room = self._places.offer(event, upstreams, most)
            if self._stopping or not admitted or room <= 0:
                continue
            claims += await self._claim(event, admitted, room)
        return claims > 0

    async def _claim(self, event: Event, upstreams: tuple[str, ...], room: int) -> int:
        now = self._clock()
        taken = await self._store.claim(
            event,
            upstreams=upstreams,
            worker=self._settings.name,
            now=now,
            lease_until=now + round(self._settings.lease * 1000),
            limit=room,
            looks_at_once=self._looks_at_once if event is Event.CLAIM_POLL else ONE_BY_ONE,
        )
        if event is Event.CLAIM_POLL:
            for claims in self._looks(taken):
                self._start(event, claims, self._drive.poll(claims))
            return len(taken)
        work = {
            Event.CLAIM_RENDER: self._render.render,
            Event.CLAIM_SUBMIT: self._submissions.submit,
            Event.CLAIM_RECONCILE: self._submissions.reconcile,
            Event.CLAIM_CANCEL: self._drive.cancel,
            Event.CLAIM_FETCH: self._drive.fetch,
        }[event]
        for claim in taken:
            if event is Event.CLAIM_RENDER:  # the only claim that the caller sees
                self._changes.publish(claim.task)
            self._start(event, [claim], work(claim))
        return len(taken)

    def _looks(self, taken: Sequence[Claim]) -> list[list[Claim]]:
        """The claims in groups of one upstream, as large as one look of that upstream may be."""
        groups: dict[str, list[Claim]] = {}
        for claim in taken:
            groups.setdefault(claim.schedule.upstream, []).append(claim)
        looks = []
        for upstream, claims in groups.items():
            size = self._looks_at_once[upstream]
            looks += [claims[start : start + size] for start in range(0, len(claims), size)]
        return looks

    async def _housekeep(self) -> None:
        loop_time = asyncio.get_running_loop().time()
        if loop_time < self._next_reap:
            return
        self._next_reap = loop_time + min(_REAP_EVERY, self._settings.lease / 3)
        now = self._clock()
        for task in await self._store.reap(now, reconcile_within=self._settings.reconcile_within):
            self._changes.publish(task)
        for task in await self._store.expire(now):
            self._changes.publish(task)
            # A worker that died between storing the video and saying so has left it to nobody.
            await drop_unneeded(self._store, self._files, task.id)

    async def _move_on(self) -> None:
        loop_time = asyncio.get_running_loop().time()
        if loop_time < self._next_detours:
            return
        self._next_detours = loop_time + _DETOURS_EVERY
        moved = await self._detours.take(self._clock())
        for task in moved:
            self._changes.publish(task)
        if moved:
            log.info("tasks of a paused upstream move on", tasks=len(moved))
            self._changes.ring()

    def _start(self, event: Event, claims: Sequence[Claim], work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._guarded(work, claims))
        running = self._running.setdefault(event, set())
        running.add(task)
        upstream = claims[0].schedule.upstream
        self._places.take(event, upstream, len(claims))

        def finish(done: asyncio.Task[None]) -> None:
            running.discard(done)
            self._places.take(event, upstream, -len(claims))
            self._changes.ring_here()

        task.add_done_callback(finish)

    async def _guarded(self, work: Coroutine[Any, Any, None], claims: Sequence[Claim]) -> None:
        """A fault in one coroutine is logged and left to the lease; it never reaches the others."""
        try:
            await work
        except Exception:
            log.exception("attempt broke off", tasks=[claim.task.id for claim in claims])
