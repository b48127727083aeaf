"""The mock as the network of a client, synchronous and asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx2

from meshapi._async.transport import AsyncWiring
from meshapi._exchange import Answer, Failure, Request
from meshapi._sync.transport import Wiring
from meshapi._transport import headers_of, tell

from .endpoints import Served

if TYPE_CHECKING:
    from .server import MockServer

_CHUNK = 64 * 1024


def wiring(server: MockServer, headers: dict[str, str]) -> Wiring:
    """What a synchronous client is built on."""
    return Wiring(MockTransport(server, headers), server.clock.ambient(), server.clock.pause)


def async_wiring(server: MockServer, headers: dict[str, str]) -> AsyncWiring:
    """What an asynchronous client is built on."""
    transport = AsyncMockTransport(server, headers)
    return AsyncWiring(transport, server.clock.ambient(), server.clock.pause_async)


class MockResponse:
    """An open body."""

    def __init__(self, served: Served) -> None:
        self._chunks = _chunks(served)

    def read(self) -> bytes | Failure:
        """The next bytes, empty at the end."""
        return next(self._chunks, b"")

    def close(self) -> None:
        """Read no more."""
        self._chunks = iter(())


class MockTransport:
    """Requests to a mock."""

    def __init__(self, server: MockServer, headers: dict[str, str]) -> None:
        self._server = server
        self._headers = headers

    def send(self, request: Request) -> Answer | Failure:
        """Let the mock answer."""
        return self._serve(request).answer

    def open(self, request: Request) -> tuple[MockResponse | None, Answer | Failure]:
        """Let the mock answer, and keep a 2xx body as an open stream."""
        served = self._serve(request)
        answer = served.answer
        if isinstance(answer, Failure) or not 200 <= answer.status < 300:
            return None, answer
        return MockResponse(served), Answer(answer.status, answer.headers)

    def close(self) -> None:
        """There is nothing to close."""

    def _serve(self, request: Request) -> Served:
        started = self._server.clock.elapsed
        served = self._server.serve(request, headers_of(request, self._headers))
        answer = served.answer
        if isinstance(answer, Answer):  # with names in any case, as a real one has them
            answer = Answer(answer.status, httpx2.Headers(dict(answer.headers)), answer.body)
            served = replace(served, answer=answer)
        tell(request, answer, self._server.clock.elapsed - started)
        return served


class AsyncMockResponse:
    """An open body."""

    def __init__(self, response: MockResponse) -> None:
        self._response = response

    async def read(self) -> bytes | Failure:
        """The next bytes, empty at the end."""
        await asyncio.sleep(0)
        return self._response.read()

    async def close(self) -> None:
        """Read no more."""
        self._response.close()


class AsyncMockTransport:
    """Requests to a mock; the other tasks of the event loop get their turn at each."""

    def __init__(self, server: MockServer, headers: dict[str, str]) -> None:
        self._transport = MockTransport(server, headers)

    async def send(self, request: Request) -> Answer | Failure:
        """Let the mock answer."""
        await asyncio.sleep(0)
        return self._transport.send(request)

    async def open(self, request: Request) -> tuple[AsyncMockResponse | None, Answer | Failure]:
        """Let the mock answer, and keep a 2xx body as an open stream."""
        await asyncio.sleep(0)
        response, answer = self._transport.open(request)
        return None if response is None else AsyncMockResponse(response), answer

    async def close(self) -> None:
        """There is nothing to close."""


def _chunks(served: Served) -> Iterator[bytes | Failure]:
    if served.events is not None:
        yield from served.events
    elif isinstance(served.answer, Answer):
        body = served.answer.body
        for start in range(0, len(body), _CHUNK):
            yield body[start : start + _CHUNK]
    if served.broken is not None:
        yield served.broken
