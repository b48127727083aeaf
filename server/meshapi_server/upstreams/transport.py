"""The sockets of one upstream: requests out, answers in, under limits of time and size.

Paid calls go out on connections of their own, each used once: a kept connection may have been closed by the
other side, and then nobody could tell whether the call arrived. All else shares kept connections.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from msgspec import Struct
from yarl import URL

from .http import HttpRequest, HttpResponse
from .proxies import Proxies

AGENT = "meshapi-server"
_CONNECTIONS = 64
_DNS_SECONDS = 30
_BLOCK = 1 << 16


class Timeouts(Struct, frozen=True, kw_only=True):
    """Seconds. ``total`` bounds a call, ``connect`` its beginning, ``silence`` a download without a byte."""

    connect: float = 5.0
    total: float = 20.0
    silence: float = 30.0

    @classmethod
    def within(cls, lease: float) -> "Timeouts":
        """Limits that end a call while its lease still has time to save the answer."""
        return cls(connect=min(5.0, lease * 0.2), total=lease * 0.7, silence=max(5.0, lease))


class NotSent(Exception):
    """No connection came about, so not one byte of the request was sent."""


class NoAnswer(Exception):
    """The request may have been sent, and no whole answer came back."""


class Transport:
    """Sends requests for one upstream. Sockets are opened at the first call, in the loop of that call."""

    def __init__(self, clock: Callable[[], int], timeouts: Timeouts, connections: int = _CONNECTIONS) -> None:
        self.timeouts = timeouts
        self._clock = clock
        self._proxies = Proxies()
        self._connections = connections
        self._kept: aiohttp.ClientSession | None = None
        self._fresh: aiohttp.ClientSession | None = None

    async def ask(
        self,
        url: str,
        request: HttpRequest,
        headers: Mapping[str, str],
        *,
        largest: int,
        fresh: bool = False,
        seconds: float | None = None,
    ) -> HttpResponse:
        """One request and its whole answer, without any retry. Raises NotSent or NoAnswer."""
        session = self._session(fresh=fresh)
        there = _parsed(url)
        total = self.timeouts.total if seconds is None else seconds
        limits = aiohttp.ClientTimeout(total=total, connect=min(self.timeouts.connect, total * 0.9))
        try:
            async with session.request(
                request.method,
                there,
                data=request.body or None,
                timeout=limits,
                allow_redirects=False,
                **self._via(there, headers),
            ) as answer:
                return await self._read(answer, largest)
        except _BEFORE_SENDING as fault:
            problem: Exception = NotSent(_words(fault))
        except (aiohttp.ClientError, OSError, TimeoutError) as fault:
            problem = NoAnswer(_words(fault))
        raise problem  # outside the handler: aiohttp's exceptions carry the request's headers

    @asynccontextmanager
    async def stream(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """A GET whose body the caller reads. Raises NotSent or NoAnswer, also out of that reading."""
        limits = aiohttp.ClientTimeout(
            total=None, connect=self.timeouts.connect, sock_read=self.timeouts.silence
        )
        session = self._session(fresh=False)
        there = _parsed(url)
        problem: Exception | None = None
        try:
            async with session.get(
                there, timeout=limits, allow_redirects=False, **self._via(there, headers)
            ) as answer:
                yield answer
        except _BEFORE_SENDING as fault:
            problem = NotSent(_words(fault))
        except (aiohttp.ClientError, OSError, TimeoutError) as fault:
            problem = NoAnswer(_words(fault))
        if problem is not None:
            raise problem

    async def close(self) -> None:
        """Close every connection."""
        for session in (self._kept, self._fresh):
            if session is not None:
                await session.close()
        self._kept = self._fresh = None

    def _session(self, *, fresh: bool) -> aiohttp.ClientSession:
        if fresh:
            self._fresh = self._fresh or self._open(force_close=True)
            return self._fresh
        self._kept = self._kept or self._open(force_close=False)
        return self._kept

    def _open(self, *, force_close: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=self._connections, force_close=force_close, ttl_dns_cache=_DNS_SECONDS
        )
        return aiohttp.ClientSession(
            connector=connector,
            trust_env=False,  # see proxies.py
            headers={"user-agent": AGENT},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
        )

    def _via(self, url: URL, headers: Mapping[str, str]) -> dict[str, Any]:
        """The request's headers and its proxy, which is told who we are where it will read it."""
        proxy = self._proxies.choose(url)
        if proxy is None:
            return {"headers": headers}
        if url.scheme == "https":  # a tunnel: the headers inside are not for the proxy
            return {"headers": headers, "proxy": proxy.url, "proxy_headers": proxy.headers}
        return {"headers": {**headers, **proxy.headers}, "proxy": proxy.url}

    async def _read(self, answer: aiohttp.ClientResponse, largest: int) -> HttpResponse:
        blocks: list[bytes] = []
        size = 0
        async for block in answer.content.iter_chunked(_BLOCK):
            size += len(block)
            if size > largest:
                raise aiohttp.ClientPayloadError(f"the answer is larger than {largest} bytes")
            blocks.append(block)
        return HttpResponse(
            status=answer.status,
            headers={name.lower(): value for name, value in answer.headers.items()},
            body=b"".join(blocks),
            received_at=self._clock(),
        )


# Raised while a connection is made: name, address, TLS, proxy, or no free connection in time.
_BEFORE_SENDING = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)


def _parsed(url: str) -> URL:
    """The URL as it was given, since it may be signed; escaped where it could not be sent otherwise."""
    return URL(url, encoded=url.isascii() and url.isprintable() and " " not in url)


def _words(fault: Exception) -> str:
    """What went wrong, without the request (its headers hold the credentials) and without the URL's query."""
    if isinstance(fault, (TimeoutError, asyncio.TimeoutError)):
        return "no connection in time" if isinstance(fault, _BEFORE_SENDING) else "no answer in time"
    if isinstance(fault, aiohttp.ClientResponseError):
        return f"{type(fault).__name__}: {fault.status}"
    if isinstance(fault, aiohttp.InvalidURL):
        return "the URL is not valid"
    return f"{type(fault).__name__}: {str(fault)[:200]}"
