"""Requests over aiohttp, for many tasks at once: ``AsyncMeshAPI(http_client=aiohttp.ClientSession())``.

It costs a fraction of httpx2's CPU at high concurrency. The session's own settings hold (proxies by
``trust_env``, limits by its connector).
"""

from __future__ import annotations

import time
from typing import Any

import aiohttp
from yarl import URL

from ._exchange import Answer, Failure, Request
from ._transport import headers_of, tell

# Nothing of the request can have reached the server.
_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
_FAULTS = (aiohttp.ClientError, TimeoutError, ConnectionError)


class AiohttpTransport:
    """The transport over a session."""

    def __init__(self, session: aiohttp.ClientSession, headers: dict[str, str]) -> None:
        self._session = session
        self._headers = headers

    async def send(self, request: Request) -> Answer | Failure:
        """Send a request and read its answer whole."""
        started = time.monotonic()
        try:
            async with await self._started(request, redirects=request.method == "GET") as response:
                outcome: Answer | Failure = Answer(response.status, response.headers, await response.read())
        except _FAULTS as error:
            outcome = _failure(error)
        tell(request, outcome, time.monotonic() - started)
        return outcome

    async def open(self, request: Request) -> tuple[_AiohttpResponse | None, Answer | Failure]:
        """Send a request and keep a 2xx body as an open stream."""
        started = time.monotonic()
        opened: _AiohttpResponse | None = None
        try:
            response = await self._started(request, redirects=True)
            if 200 <= response.status < 300:
                opened = _AiohttpResponse(response)
                outcome: Answer | Failure = Answer(response.status, response.headers)
            else:
                async with response:
                    outcome = Answer(response.status, response.headers, await response.read())
        except _FAULTS as error:
            outcome = _failure(error)
        tell(request, outcome, time.monotonic() - started)
        return opened, outcome

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def _started(self, request: Request, *, redirects: bool) -> aiohttp.ClientResponse:
        return await self._session.request(
            request.method,
            URL(request.url, encoded=True),  # the path is escaped already, and must stay so
            headers=headers_of(request, self._headers),
            data=request.body,
            timeout=_timeout(request.timeout),
            allow_redirects=redirects,
        )


class _AiohttpResponse:
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def read(self) -> bytes | Failure:
        """The next bytes, empty at the end."""
        try:
            return await self._response.content.readany()
        except _FAULTS as error:
            return _failure(error)

    async def close(self) -> None:
        """Give the connection back when the body was read, else up."""
        self._response.release() if self._response.content.at_eof() else self._response.close()


def _failure(error: Exception) -> Failure:
    if isinstance(error, _NOT_SENT):
        return Failure("not_sent", error)
    return Failure("timed_out" if isinstance(error, TimeoutError) else "maybe_sent", error)


def _timeout(value: Any) -> aiohttp.ClientTimeout:
    if hasattr(value, "connect"):  # a timeout of httpx2 or httpx
        return aiohttp.ClientTimeout(total=None, sock_connect=value.connect, sock_read=value.read)
    return aiohttp.ClientTimeout(total=None, sock_connect=value, sock_read=value)
