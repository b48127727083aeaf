"""Which HTTP clients the asynchronous client works with: httpx2's, or an aiohttp session."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeAlias

import httpx2

from meshapi._transport import LIMITS

from .transport import AsyncHttpxTransport, AsyncTransport

if TYPE_CHECKING:
    import aiohttp

HttpClient: TypeAlias = "httpx2.AsyncClient | aiohttp.ClientSession"


def connect(client: object, headers: dict[str, str]) -> AsyncTransport:
    """The transport over the given HTTP client, or over a new one. Raises TypeError for anything else."""
    if client is None:
        return AsyncHttpxTransport(httpx2.AsyncClient(limits=LIMITS), headers)
    if isinstance(client, httpx2.AsyncClient):
        return AsyncHttpxTransport(client, headers)
    aiohttp = sys.modules.get("aiohttp")  # whoever has a session has loaded it
    if aiohttp is not None and isinstance(client, aiohttp.ClientSession):
        from meshapi._aiohttp import AiohttpTransport

        return AiohttpTransport(client, headers)
    given = f"{type(client).__module__}.{type(client).__qualname__}"
    raise TypeError(f"http_client must be a httpx2.AsyncClient or an aiohttp.ClientSession, got {given}")
