"""The loop that drives tasks: reap, expire, claim, hand out, save. Any number may run on one store."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

import structlog
from msgspec import Struct

from meshapi_server.upstreams.contract import LocalUpstream, RemoteUpstream

from .changes import Changes
from .clock import Clock
from .ports import Files, Store
from .remote import RemoteDriver
from .rendering import RenderDriver
from .states import Event
from .task import Claim

log = structlog.get_logger("meshapi.worker")


class WorkerSettings(Struct, frozen=True, kw_only=True):
    """Times in seconds. ``lease`` must outlast the longest call to an upstream."""

    name: str
    lease: float = 30.0
    tick: float = 0.25
    submits_at_once: int = 16
    polls_at_once: int = 500


class Worker:
    """Claims tasks and runs each in its own coroutine until told to stop."""

    def __init__(
        self,
        store: Store,
        files: Files,
        changes: Changes,
        clock: Clock,
        settings: WorkerSettings,
        local: Mapping[str, LocalUpstream],
        remote: Mapping[str, RemoteUpstream],
    ) -> None:
        self._store = store
        self._changes = changes
        self._clock = clock
        self._settings = settings
        self._local = local
        self._remote = remote
        self._running: set[asyncio.Task[None]] = set()
        self._submitting: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._idle = asyncio.Event()  # set while the loop does not run: nothing is being claimed
        self._idle.set()
        self._next_reap = 0.0
        self._render = RenderDriver(store, files, changes, clock, local, settings.lease)
        self._drive = RemoteDriver(store, files, changes, clock, remote, settings.lease)

    async def prepare(self, *, alone: bool) -> None:
        """Set the slots; when ``alone`` (embedded), every lease is a dead worker's and is freed at once."""
        for local in self._local.values():
            await self._store.set_capacity(local.name, local.capacity)
        for remote in self._remote.values():
            await self._store.set_capacity(remote.name, remote.capacity)
        if alone:
            freed = await self._store.reap(self._clock(), all_leases=True)
            if freed:
                log.info("took over unfinished tasks", tasks=len(freed))

    async def run(self) -> None:
        """Work until :meth:`stop`. A failing store is retried; nothing in here ends the loop."""
        self._idle.clear()
        try:
            while not self._stopping:
                if not await self._guarded_turn():
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
        self._changes.ring()
        await self._idle.wait()  # a claim under way is work of ours, too
        for task in self._running - self._submitting:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _turn(self) -> bool:
        await self._housekeep()
        claims = 0
        for event, upstreams, limit in (
            (Event.CLAIM_RENDER, self._local, self._settings.submits_at_once),
            (Event.CLAIM_SUBMIT, self._remote, self._settings.submits_at_once),
            (Event.CLAIM_POLL, self._remote, self._settings.polls_at_once),
            (Event.CLAIM_FETCH, self._remote, self._settings.submits_at_once),
        ):
            if self._stopping:
                break
            now = self._clock()
            taken = await self._store.claim(
                event,
                upstreams=tuple(upstreams),
                worker=self._settings.name,
                now=now,
                lease_until=now + round(self._settings.lease * 1000),
                limit=limit,
            )
            claims += len(taken)
            for claim in taken:
                self._changes.publish(claim.task)
                self._start(event, claim)
        return claims > 0

    async def _housekeep(self) -> None:
        loop_time = asyncio.get_running_loop().time()
        if loop_time < self._next_reap:
            return
        self._next_reap = loop_time + min(1.0, self._settings.lease / 3)
        for task in (*await self._store.reap(self._clock()), *await self._store.expire(self._clock())):
            self._changes.publish(task)

    def _start(self, event: Event, claim: Claim) -> None:
        driver = {
            Event.CLAIM_RENDER: self._render.render,
            Event.CLAIM_SUBMIT: self._drive.submit,
            Event.CLAIM_POLL: self._drive.poll,
            Event.CLAIM_FETCH: self._drive.fetch,
        }[event]
        task = asyncio.create_task(self._guarded(driver(claim), claim))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        if event is Event.CLAIM_SUBMIT:
            self._submitting.add(task)
            task.add_done_callback(self._submitting.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None], claim: Claim) -> None:
        """A fault in one task's coroutine is logged and left to the lease; it never reaches the others."""
        try:
            await work
        except Exception:
            log.exception("task attempt broke off", task=claim.task.id, attempt=claim.schedule.attempt)
        finally:
            self._changes.ring()
