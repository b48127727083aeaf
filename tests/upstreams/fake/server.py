"""The fake as an HTTP server: the dialects' routes, the files, and the control panel."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from .dialect import Dialect, answer
from .files import FILES, send_file
from .log import Log
from .script import Control, Script
from .shop import Shop
from .timescale import Timescale

_LARGEST_BODY = 64 * 1024 * 1024


class FakeUpstream:
    """A running fake, in the loop that enters it. ``key``: what callers must send, if anything."""

    def __init__(
        self,
        log: Path,
        *,
        port: int = 0,
        key: str | None = None,
        dialects: Iterable[Dialect],
    ) -> None:
        self._port = port
        self._book = Log(log)
        self.log = log
        self.shop = Shop(self._book, key=key)
        self.dialects = {dialect.name: dialect for dialect in dialects}
        self._runner: web.AppRunner | None = None

    @property
    def script(self) -> Script:
        """How it behaves."""
        return self.shop.script

    @property
    def clock(self) -> Timescale:
        """Its clock."""
        return self.shop.clock

    @property
    def url(self) -> str:
        """Where it is, without a path."""
        return self.shop.url

    def base_url(self, dialect: str) -> str:
        """What an adapter is given as its base URL."""
        return self.url + self.dialects[dialect].base_path

    async def __aenter__(self) -> "FakeUpstream":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen on loopback."""
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.add_routes(
            [
                web.get("/control", self._show),
                web.post("/control", self._control),
                web.get("/files/{reference}/{name}", self._file),
            ]
        )
        for dialect in self.dialects.values():
            for route in dialect.routes(self.shop):
                app.router.add_route(route.method, dialect.base_path + route.path, route.handler)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, backlog=4096)
        await site.start()
        port = self._runner.addresses[0][1]
        self.shop.url = f"http://127.0.0.1:{port}"
        await self.shop.announcer.start(self.dialects)

    async def stop(self) -> None:
        """Close; the book stays. Nothing happens when it is closed already."""
        if self._runner is None:
            return
        runner, self._runner = self._runner, None
        await self.shop.announcer.stop()
        await runner.cleanup()
        self._book.close()

    def control(self, changes: Control) -> dict[str, Any]:
        """What ``POST /control`` does. Raises ValueError for a word that is not known."""
        self.script.apply(changes)
        if changes.speed is not None:
            self.clock.set_speed(changes.speed)
        if changes.advance is not None:
            self.clock.advance(changes.advance)
        return self.state()

    def state(self) -> dict[str, Any]:
        """What ``GET /control`` shows."""
        now = self.clock()
        stages: dict[str, int] = {}
        for sale in self.shop.sales.values():
            stage = sale.stage(now)
            stages[stage] = stages.get(stage, 0) + 1
        return {"now": now, "speed": self.clock.speed, "counters": dict(self.shop.counters), "stages": stages}

    async def _show(self, _: web.Request) -> web.Response:
        return answer(self.state())

    async def _control(self, request: web.Request) -> web.Response:
        try:
            changes = msgspec.json.decode(await request.read(), type=Control)
            return answer(self.control(changes))
        except (msgspec.MsgspecError, ValueError) as problem:
            return answer({"error": str(problem)}, status=422)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        sale = self.shop.sales.get(request.match_info["reference"])
        if sale is None or request.match_info["name"] not in FILES or sale.deleted:
            raise web.HTTPNotFound
        expires = int(request.query.get("expires", 0))
        if self.clock() > expires or "signature" not in request.query:
            raise web.HTTPForbidden
        return await send_file(request, self.shop, sale, request.match_info["name"])
