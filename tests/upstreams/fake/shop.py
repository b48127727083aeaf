"""The shop behind every dialect: takes orders, keeps them, and goes wrong as the script wants."""

import asyncio
import itertools
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from .announcer import Announcer
from .dialect import Dialect, Refusal
from .log import Entry, Log
from .sale import Order, Sale
from .script import AFTER, BEFORE, Script
from .timescale import Timescale

_HANGS_FOR = 3600.0  # real seconds
_REFUSALS: dict[str, Refusal] = {"error_before": "error"}


@dataclass(frozen=True)
class Received:
    """A submission as it came in, for tests that compare bytes."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Shop:
    """State and misbehaviour. ``url`` is where the server is, for links to results."""

    def __init__(self, log: Log, *, key: str | None = None) -> None:
        self.script = Script()
        self.clock = Timescale()
        self.sales: dict[str, Sale] = {}
        self.counters: Counter[str] = Counter()
        self.received: deque[Received] = deque(maxlen=100)
        self.url = ""
        self.key = key
        self.announcer = Announcer(self)
        self._log = log
        self._numbers = itertools.count(1)
        self._by_key: dict[tuple[str, str], Sale] = {}

    async def sell(self, request: web.Request, order: Order, dialect: Dialect) -> web.StreamResponse:
        """A submission: refused, accepted, or accepted with the answer going wrong."""
        self.counters["submits"] += 1
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(Received(request.method, request.path_qs, headers, await request.read()))
        if self.key is not None and not dialect.authorised(request, self.key):
            return self._refuse("unauthorised", request, dialect)
        plot = self.script.plot()
        await self._delay()
        if plot == "reset_before":
            return _reset(request)
        if plot in BEFORE and plot not in dialect.late:
            return self._refuse(_REFUSALS.get(plot, plot), request, dialect)  # type: ignore[arg-type]
        sale = self._book(order, plot)
        response = dialect.created(sale, self)
        return await self._spoiled(plot, request, response) if plot in AFTER else response

    async def look(
        self, request: web.Request, dialect: Dialect, answer: Callable[[], web.Response], what: str = "polls"
    ) -> web.StreamResponse:
        """A poll, list, look-up or cancel: ``answer`` unless something goes wrong."""
        self.counters[what] += 1
        if self.key is not None and not dialect.authorised(request, self.key):
            return self._refuse("unauthorised", request, dialect)
        stumble = self.script.stumble()
        await self._delay()
        if self.script.step:
            self.clock.advance(self.script.step)
        match stumble:
            case "rate_limited" | "overloaded":
                return self._refuse(stumble, request, dialect)
            case "bad_gateway":
                return _bad_gateway()
            case "reset":
                return _reset(request)
            case "hang":
                await asyncio.sleep(_HANGS_FOR)
            case "garbled":
                return web.Response(text='{"id": "', content_type="application/json")
        return answer()

    def find(self, reference: str) -> Sale | None:
        """A sale that the upstream still knows."""
        sale = self.sales.get(reference)
        return None if sale is None or sale.lost() else sale

    def newest(self, dialect: str) -> list[Sale]:
        """What the upstream still knows, newest first."""
        return [
            sale
            for sale in reversed(self.sales.values())
            if sale.order.dialect == dialect and not sale.lost()
        ]

    def file_url(self, sale: Sale, name: str) -> str:
        """Where a result is: signed, as such links are, and good for a day of the fake's clock."""
        place = f"{self.url}/files/{sale.reference}/{name}"
        return f"{place}?expires={int(sale.ends_at) + 86_400}&signature=5ec2e7{sale.number}"

    def cancel(self, sale: Sale) -> None:
        """End a sale."""
        sale.cancelled_at = self.clock()
        self.counters["cancelled"] += 1
        self.announcer.changed(sale)

    def _book(self, order: Order, plot: str) -> Sale:
        known = (order.dialect, order.idempotency_key or "")
        if self.script.idempotent and order.idempotency_key and known in self._by_key:
            self.counters["repeated"] += 1
            return self._by_key[known]
        number = next(self._numbers)
        sale = Sale(
            number=number,
            reference=f"{order.dialect}-{number}-{self.script.random.getrandbits(40):010x}",
            order=order,
            accepted_at=self.clock(),
            queued_for=self.script.queued,
            runs_for=self.script.running,
            plot=plot,
        )
        self._log.append(
            Entry(
                at=time.time(),
                dialect=order.dialect,
                reference=sale.reference,
                prompt=order.prompt,
                token=order.token,
                idempotency_key=order.idempotency_key,
            )
        )
        self.sales[sale.reference] = sale
        self._by_key[known] = sale
        self.counters["accepted"] += 1
        self.announcer.changed(sale)
        return sale

    async def _delay(self) -> None:
        seconds = self.script.delay()
        if seconds > 0:
            await asyncio.sleep(seconds)

    def _refuse(self, refusal: Refusal, request: web.Request, dialect: Dialect) -> web.Response:
        self.counters[refusal] += 1
        # A careless upstream repeats what it was sent: nothing of that may get further.
        echoed = request.headers.get("authorization") or request.headers.get("x-api-key") or "nothing"
        response = dialect.refusal(refusal, f"refused ({refusal}); you sent {echoed}")
        if refusal in {"rate_limited", "overloaded"}:
            response.headers["retry-after"] = f"{self.script.retry_after:g}"
        return response

    async def _spoiled(self, plot: str, request: web.Request, response: web.Response) -> web.StreamResponse:
        match plot:
            case "bad_gateway_after":
                return _bad_gateway()
            case "error_after":
                return web.Response(status=500, text="Internal Server Error")
            case "hang_after":
                await asyncio.sleep(_HANGS_FOR)
            case "cut_after":
                return await _cut(request, response)
            case "garbled_after":
                return web.Response(text="<html>welcome</html>", content_type="text/html")
        return _reset(request)


def _bad_gateway() -> web.Response:
    return web.Response(status=502, text="<html><h1>502 Bad Gateway</h1></html>", content_type="text/html")


def _reset(request: web.Request) -> web.Response:
    """The connection ends in a TCP reset, without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _cut(request: web.Request, response: web.Response) -> web.StreamResponse:
    """Half of the answer, then the end of the connection."""
    body = response.body if isinstance(response.body, bytes) else b""
    half = web.StreamResponse(status=response.status, headers={"content-length": str(len(body))})
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    return _aborted(request, half)


def _aborted(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.close()
    return response
