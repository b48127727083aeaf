"""Callbacks: every change of a sale is told to its URL; also twice, or late, as the script wants."""

import asyncio
import contextlib
import heapq
import itertools
from typing import TYPE_CHECKING

import aiohttp

from .sale import Sale, Stage

if TYPE_CHECKING:
    from .dialect import Dialect
    from .shop import Shop

_TRIES = 3


class Announcer:
    """A queue of announcements by the time at which they are due."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self._due: list[tuple[float, int, Sale, Stage]] = []
        self._numbers = itertools.count()
        self._changed = asyncio.Event()
        self._dialects: dict[str, Dialect] = {}
        self._deliveries: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None
        self._session: aiohttp.ClientSession | None = None

    async def start(self, dialects: "dict[str, Dialect]") -> None:
        self._dialects = dialects
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5))
        self._shop.clock.watch(self._changed.set)
        self._loop = asyncio.create_task(self._run())

    async def stop(self) -> None:
        running = [each for each in (self._loop, *self._deliveries) if each is not None]
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def changed(self, sale: Sale) -> None:
        """A sale was made or cancelled: plan what is to be told of it."""
        if sale.order.callback_url is None:
            return
        if sale.cancelled_at is not None:
            self._plan(sale.cancelled_at, sale, "cancelled")
        else:
            for moment in (sale.accepted_at, sale.starts_at, sale.ends_at):
                self._plan(moment, sale, sale.stage(moment))
        self._changed.set()

    def _plan(self, moment: float, sale: Sale, stage: Stage) -> None:
        script = self._shop.script
        times = 2 if script.random.random() < script.callbacks.twice else 1
        for _ in range(times):
            held = 0.0
            if script.random.random() < script.callbacks.held:
                held = script.random.uniform(0, script.callbacks.held_for)
            heapq.heappush(self._due, (moment + held, next(self._numbers), sale, stage))

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            while self._due and self._due[0][0] <= self._shop.clock():
                _, _, sale, stage = heapq.heappop(self._due)
                if sale.cancelled_at is None or stage == "cancelled":
                    delivery = asyncio.create_task(self._deliver(sale, stage))
                    self._deliveries.add(delivery)
                    delivery.add_done_callback(self._deliveries.discard)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._changed.wait()

    def _pause(self) -> float | None:
        """Real seconds until the next one is due; None when only a change of the clock can bring it."""
        speed = self._shop.clock.speed
        if not self._due or speed <= 0:
            return None
        return max(0.0, (self._due[0][0] - self._shop.clock()) / speed)

    async def _deliver(self, sale: Sale, stage: Stage) -> None:
        told = self._dialects[sale.order.dialect].announcement(sale, stage, self._shop)
        if told is None or self._session is None or sale.order.callback_url is None:
            return
        body, headers = told
        for _ in range(_TRIES):
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                async with self._session.post(
                    sale.order.callback_url,
                    data=body,
                    headers={"content-type": "application/json", **headers},
                ) as heard:
                    if heard.ok:
                        self._shop.counters["callbacks"] += 1
                        return
            await asyncio.sleep(0.05)
