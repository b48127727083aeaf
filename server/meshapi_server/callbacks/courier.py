"""The loop that delivers callbacks. Deliveries are rows of the engine: any number of these may run."""

import asyncio
import contextlib
import random
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

import structlog
from msgspec import Struct

from meshapi_server.tasks.clock import Clock
from meshapi_server.tasks.task import Task

from . import signing
from .ports import Claiming, CourierStore, Parcel, Result
from .schedule import retry_delay, wished_delay
from .sender import Answer

log = structlog.get_logger("meshapi.callbacks")

Send = Callable[[str, Mapping[str, str], bytes], Awaitable[Answer]]
"""Post a body with headers to a URL."""
Encode = Callable[[Task], bytes]
"""The body that tells of a task."""

_REAP_EVERY = 1.0  # s
_LAST_WORDS = 2.0  # s that deliveries under way are given when the server stops
_BREATH = 0.01  # s between two turns
_GONE = 410  # "I am not here any more, and will not be" (RFC 9110 section 15.5.11)


class CourierSettings(Struct, frozen=True, kw_only=True):
    """Bounds of one worker. ``lease`` (s) must outlast a POST; a hanging host holds ``per_host`` places."""

    name: str
    at_once: int = 256
    per_host: int = 8
    per_owner: int = 64
    lease: float = 20.0
    tick: float = 0.25


class Courier:
    """Claims due deliveries, signs and posts them, and stores how it went, until told to stop."""

    def __init__(
        self,
        store: CourierStore,
        send: Send,
        encode: Encode,
        clock: Clock,
        settings: CourierSettings,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._send = send
        self._encode = encode
        self._clock = clock
        self._settings = settings
        self._chance = chance
        self._running: dict[asyncio.Task[None], Parcel] = {}
        self._bell = asyncio.Event()
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._next_reap = 0.0

    async def prepare(self, *, alone: bool) -> None:
        """When ``alone`` on the store, every lease is a dead worker's and is freed at once."""
        if alone:
            await self._store.free_lost(None)

    def ring(self) -> None:
        """There may be something to deliver."""
        self._bell.set()

    async def run(self) -> None:
        """Work until :meth:`stop`. A failing store is retried; nothing in here ends the loop."""
        self._idle.clear()
        try:
            while not self._stopping:
                claimed = await self._guarded_turn()
                await asyncio.sleep(_BREATH)
                if not claimed:
                    await self._wait()
        finally:
            self._idle.set()

    async def stop(self) -> None:
        """Claim nothing more, let POSTs under way end for a moment, and give back those that did not."""
        self._stopping = True
        self._bell.set()
        await self._idle.wait()
        if not self._running:
            return
        _, late = await asyncio.wait(list(self._running), timeout=_LAST_WORDS)
        given_up = [self._running[task].delivery for task in late]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        with contextlib.suppress(Exception):  # the lease tells, if the store does not
            await self._store.free(given_up)

    async def turn(self) -> bool:
        """Free lost leases, claim and begin; True when something was claimed."""
        await self._reap()
        room = self._settings.at_once - len(self._running)
        if room <= 0 or self._stopping:
            return False
        now = self._clock()
        under_way = [parcel.delivery for parcel in self._running.values()]
        parcels = await self._store.claim(
            Claiming(
                worker=self._settings.name,
                now=now,
                lease_until=now + round(self._settings.lease * 1000),
                limit=room,
                per_host=self._settings.per_host,
                per_owner=self._settings.per_owner,
                hosts=Counter(each.host for each in under_way),
                owners=Counter(each.owner for each in under_way),
            )
        )
        for parcel in parcels:
            self._start(parcel)
        return bool(parcels)

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        while self._running:
            await asyncio.gather(*list(self._running), return_exceptions=True)

    def _start(self, parcel: Parcel) -> None:
        task = asyncio.create_task(self._guarded(parcel))
        self._running[task] = parcel

        def finish(done: asyncio.Task[None]) -> None:
            del self._running[done]
            self._bell.set()  # a place became free

        task.add_done_callback(finish)

    async def _guarded(self, parcel: Parcel) -> None:
        """A fault in one delivery is logged and left to its lease; it never reaches the others."""
        try:
            await self._deliver(parcel)
        except Exception:
            log.exception("delivery broke off", delivery=parcel.delivery.id)

    async def _deliver(self, parcel: Parcel) -> None:
        delivery = parcel.delivery
        withdrawn = _withdrawn(parcel)
        if withdrawn is not None:
            await self._store.finish(self._result(parcel, Answer(None, withdrawn), final=True))
            return
        body = self._encode(parcel.task)
        answer = await self._send(delivery.url, await self._headers(parcel, body), body)
        gone = answer.http_status == _GONE and delivery.endpoint_id is not None
        if gone:
            answer = Answer(_GONE, "answered HTTP 410 Gone; the endpoint is switched off")
        await self._store.finish(self._result(parcel, answer, final=gone))
        if gone and delivery.endpoint_id is not None:
            await self._store.switch_off(delivery.endpoint_id, delivery.url, self._clock())
            log.info("endpoint is gone", endpoint=delivery.endpoint_id, delivery=delivery.id)
        log.debug("delivered", delivery=delivery.id, status=answer.http_status, error=answer.error)

    async def _headers(self, parcel: Parcel, body: bytes) -> dict[str, str]:
        delivery, valid = parcel.delivery, parcel.secrets
        if not valid:
            fresh = secrets.token_bytes(signing.SECRET_BYTES)
            known = await self._store.ensure_secret(delivery.owner, fresh, self._clock())
            valid = tuple(secret.value for secret in known)
        stamp = self._clock() // 1000
        return {
            "content-type": "application/json",
            "user-agent": "MeshAPI-Callbacks/1",
            "x-mesh-event": delivery.type,
            "x-mesh-delivery": delivery.id,
            **signing.headers(valid, delivery.event_id, stamp, body),
        }

    def _result(self, parcel: Parcel, answer: Answer, *, final: bool = False) -> Result:
        delivery, now = parcel.delivery, self._clock()
        delay = None if final else retry_delay(delivery.tries, self._chance())
        if delay is not None:
            delay = max(delay, wished_delay(answer.retry_after, now))
        due = None if answer.error is None or delay is None else now + delay
        return Result(
            delivery_id=delivery.id,
            attempt=delivery.attempt,
            status="delivered" if answer.error is None else "dead" if due is None else "pending",
            ended_at=now,
            due=due,
            http_status=answer.http_status,
            error=answer.error,
        )

    async def _guarded_turn(self) -> bool:
        try:
            return await self.turn()
        except Exception:
            log.exception("courier turn failed")
            await asyncio.sleep(1)
            return False

    async def _reap(self) -> None:
        loop_time = asyncio.get_running_loop().time()
        if loop_time >= self._next_reap:
            self._next_reap = loop_time + _REAP_EVERY
            await self._store.free_lost(self._clock())

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._settings.tick):
                await self._bell.wait()
        except TimeoutError:
            return
        finally:
            self._bell.clear()


def _withdrawn(parcel: Parcel) -> str | None:
    """Why a delivery is not to be made any more, if so."""
    if parcel.delivery.endpoint_id is None:
        return None
    if parcel.endpoint is None:
        return "the endpoint was deleted"
    return None if parcel.endpoint.enabled else "the endpoint is switched off"
