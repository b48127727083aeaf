"""What the synchronous client can be built on: httpx2, httpx, or what a test has instead."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, cast

import httpx2

from meshapi._transport import AMBIENT, LIMITS, library

from .pause import pause
from .transport import HttpxTransport, Transport, Wiring


class HttpxClient(Protocol):
    """``httpx2.Client`` or ``httpx.Client``."""

    @property
    def build_request(self) -> Callable[..., Any]:
        """Makes a request."""

    @property
    def send(self) -> Callable[..., Any]:
        """Sends it."""

    @property
    def close(self) -> Callable[[], None]:
        """Closes all connections."""


class Wired(Protocol):
    """What brings network and time of its own, such as ``meshapi.testing.MockServer``."""

    def wire(self, headers: dict[str, str]) -> Wiring:
        """What the client is to be built on."""


HttpClient: TypeAlias = "HttpxClient | Wired"


def connect(client: object, headers: dict[str, str]) -> Wiring:
    """What to build on: the given HTTP client, or a new one. Raises TypeError for anything else."""
    wired = getattr(client, "wire", None)
    if wired is not None:
        return cast("Wiring", wired(headers))
    return Wiring(_transport(client, headers), AMBIENT, pause)


def _transport(client: object, headers: dict[str, str]) -> Transport:
    if client is None:
        return HttpxTransport(httpx2.Client(limits=LIMITS), headers)
    if isinstance(client, httpx2.Client):
        return HttpxTransport(client, headers)
    httpx = sys.modules.get("httpx")  # whoever has a client has loaded its library
    if httpx is not None and isinstance(client, httpx.Client):
        return HttpxTransport(cast("httpx2.Client", client), headers, library(httpx))
    given = f"{type(client).__module__}.{type(client).__qualname__}"
    raise TypeError(f"http_client must be a Client of httpx2 or httpx, got {given}")
