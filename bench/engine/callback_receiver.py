"""A receiver of callbacks in this process: when each task's callback was there."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

_PATIENCE = 60.0  # s


class Receiver:
    """Answers 204, and keeps the moment (Unix seconds) of each task's callback."""

    def __init__(self) -> None:
        self.url = ""
        self._came: dict[str, asyncio.Future[float]] = {}

    async def moment(self, task: str) -> float:
        """When the callback of a task came; waits for it."""
        async with asyncio.timeout(_PATIENCE):
            return await self._future(task)

    async def by_hand(self, session: aiohttp.ClientSession) -> float:
        """Seconds that a bare client needs to tell the same, over a connection of its own."""
        began = time.perf_counter()
        async with session.post(
            self.url, data=b'{"id": "by hand"}', headers={"connection": "close"}
        ) as answer:
            await answer.read()
        return time.perf_counter() - began

    async def _take(self, request: web.Request) -> web.Response:
        came = time.time()
        future = self._future(json.loads(await request.read())["id"])
        if not future.done():
            future.set_result(came)
        return web.Response(status=204)

    def _future(self, task: str) -> asyncio.Future[float]:
        return self._came.setdefault(task, asyncio.get_running_loop().create_future())


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver that listens while the block runs."""
    receiver = Receiver()
    application = web.Application()
    application.router.add_post("/", receiver._take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        yield receiver
    finally:
        await runner.cleanup()
