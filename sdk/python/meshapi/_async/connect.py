"""What the asynchronous client can be built on: httpx2, httpx, aiohttp, or what a test has instead."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

import httpx2

from meshapi._transport import AMBIENT, LIMITS, library

from .pause import pause
from .transport import AsyncHttpxTransport, AsyncTransport, AsyncWiring

if TYPE_CHECKING:
    import aiohttp


class HttpxClient(Protocol):
    """``httpx2.AsyncClient`` or ``httpx.AsyncClient``."""

    @property
    def build_request(self) -> Callable[..., Any]:
        """Makes a request."""

    @property
    def send(self) -> Callable[..., Any]:
        """Sends it."""

    @property
    def aclose(self) -> Callable[[], Awaitable[None]]:
        """Closes all connections."""


class Wired(Protocol):
    """What brings network and time of its own, such as ``meshapi.testing.MockServer``."""

    def wire_async(self, headers: dict[str, str]) -> AsyncWiring:
        """What the client is to be built on."""


HttpClient: TypeAlias = "HttpxClient | aiohttp.ClientSession | Wired"


def connect(client: object, headers: dict[str, str]) -> AsyncWiring:
    """What to build on: the given HTTP client, or a new one. Raises TypeError for anything else."""
    wired = getattr(client, "wire_async", None)
    if wired is not None:
        return cast("AsyncWiring", wired(headers))
    return AsyncWiring(_transport(client, headers), AMBIENT, pause)


def _transport(client: object, headers: dict[str, str]) -> AsyncTransport:
    if client is None:
        return AsyncHttpxTransport(httpx2.AsyncClient(limits=LIMITS), headers)
    if isinstance(client, httpx2.AsyncClient):
        return AsyncHttpxTransport(client, headers)
    # Whoever has a client or a session has loaded its library.
    httpx, aiohttp = sys.modules.get("httpx"), sys.modules.get("aiohttp")
    if httpx is not None and isinstance(client, httpx.AsyncClient):
        return AsyncHttpxTransport(cast("httpx2.AsyncClient", client), headers, library(httpx))
    if aiohttp is not None and isinstance(client, aiohttp.ClientSession):
        from meshapi._aiohttp import AiohttpTransport

        return AiohttpTransport(client, headers)
    given = f"{type(client).__module__}.{type(client).__qualname__}"
    raise TypeError(
        f"http_client must be an AsyncClient of httpx2 or httpx, or an aiohttp.ClientSession, got {given}"
    )
