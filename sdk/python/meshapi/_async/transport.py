"""The one seam for network I/O: what a driver needs of an HTTP library, and httpx2 (or httpx) behind it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

import httpx2

from meshapi._exchange import Ambient, Answer, Failure, Request
from meshapi._transport import HTTPX2, Library, headers_of, tell

from .pause import Pause


class AsyncOpenResponse(Protocol):
    """A response whose body is read bit by bit."""

    async def read(self) -> bytes | Failure:
        """The next bytes, empty at the end."""

    async def close(self) -> None:
        """Give the connection back, or up."""


class AsyncTransport(Protocol):
    """Sends requests. Nothing of the HTTP library comes out of it, errors included."""

    async def send(self, request: Request) -> Answer | Failure:
        """Send a request and read its answer whole. Redirects are followed for GET only."""

    async def open(self, request: Request) -> tuple[AsyncOpenResponse | None, Answer | Failure]:
        """Send a request and keep a 2xx body as an open stream; another body is read whole."""

    async def close(self) -> None:
        """Close all connections."""


@dataclass(frozen=True, slots=True)
class AsyncWiring:
    """What a client is built on: the network, the clock and chance, and a way to let time pass."""

    transport: AsyncTransport
    ambient: Ambient
    pause: Pause


class AsyncHttpxTransport:
    """Requests over httpx2, or over httpx."""

    def __init__(
        self, client: httpx2.AsyncClient, headers: dict[str, str], library: Library = HTTPX2
    ) -> None:
        self._client = client
        self._headers = headers
        self._library = library

    async def send(self, request: Request) -> Answer | Failure:
        """Send a request and read its answer whole."""
        started = time.monotonic()
        try:
            response = await self._client.send(self._built(request), follow_redirects=request.method == "GET")
            outcome: Answer | Failure = Answer(response.status_code, response.headers, response.content)
        except self._library.faults as error:
            outcome = self._library.failure(error)
        tell(request, outcome, time.monotonic() - started)
        return outcome

    async def open(self, request: Request) -> tuple[AsyncOpenResponse | None, Answer | Failure]:
        """Send a request and keep a 2xx body as an open stream."""
        started = time.monotonic()
        opened: AsyncOpenResponse | None = None
        try:
            response = await self._client.send(self._built(request), stream=True, follow_redirects=True)
            if response.is_success:
                opened = _HttpxResponse(response, self._library)
                outcome: Answer | Failure = Answer(response.status_code, response.headers)
            else:
                outcome = Answer(response.status_code, response.headers, await response.aread())
        except self._library.faults as error:
            outcome = self._library.failure(error)
        tell(request, outcome, time.monotonic() - started)
        return opened, outcome

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    def _built(self, request: Request) -> httpx2.Request:
        return self._client.build_request(
            request.method,
            request.url,
            headers=headers_of(request, self._headers),
            content=request.body,
            timeout=self._library.own_timeout(request.timeout),
        )


class _HttpxResponse:
    def __init__(self, response: httpx2.Response, library: Library) -> None:
        self._response = response
        self._library = library
        self._chunks = response.aiter_raw()

    async def read(self) -> bytes | Failure:
        try:
            return await anext(self._chunks, b"")
        except self._library.faults as error:
            return self._library.failure(error)

    async def close(self) -> None:
        await self._response.aclose()
