"""Which HTTP clients the synchronous client works with: httpx2's."""

from __future__ import annotations

from typing import TypeAlias

import httpx2

from meshapi._transport import LIMITS

from .transport import HttpxTransport, Transport

HttpClient: TypeAlias = httpx2.Client


def connect(client: object, headers: dict[str, str]) -> Transport:
    """The transport over the given HTTP client, or over a new one. Raises TypeError for anything else."""
    if client is None:
        return HttpxTransport(httpx2.Client(limits=LIMITS), headers)
    if isinstance(client, httpx2.Client):
        return HttpxTransport(client, headers)
    given = f"{type(client).__module__}.{type(client).__qualname__}"
    raise TypeError(f"http_client must be a httpx2.Client, got {given}")
