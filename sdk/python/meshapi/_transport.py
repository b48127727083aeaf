"""What the transports share: from our requests to the library's, from its exceptions to our failures."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import random
from types import ModuleType
from typing import Any

import httpx2

from ._exchange import Ambient, Answer, Failure, Request
from ._log import logger
from ._version import __version__

# httpx2's own default of 20 idle connections makes many tasks at once reconnect all the time.
LIMITS = httpx2.Limits(max_connections=1000, max_keepalive_connections=100)

AMBIENT = Ambient(monotonic=time.monotonic, unix=time.time, random=random)


@dataclass(frozen=True, slots=True)
class Library:
    """httpx2, or httpx, which it grew out of: the same interface with classes of its own.

    ``faults`` is what becomes a Failure; anything else is a defect and passes through. ``not_sent`` are the
    faults after which the server can have seen nothing.
    """

    faults: tuple[type[Exception], ...]
    not_sent: tuple[type[Exception], ...]
    timed_out: type[Exception]
    timeout: Callable[..., Any]

    def failure(self, error: Exception) -> Failure:
        """What an exception of the library means for the request."""
        if isinstance(error, self.not_sent):
            return Failure("not_sent", error)
        return Failure("timed_out" if isinstance(error, self.timed_out) else "maybe_sent", error)

    def own_timeout(self, value: Any) -> Any:
        """Seconds as they are, and the other library's timeout as this one's."""
        if value is None or isinstance(value, int | float) or not hasattr(value, "connect"):
            return value
        return self.timeout(connect=value.connect, read=value.read, write=value.write, pool=value.pool)


def library(module: ModuleType) -> Library:
    """What the transport needs to know of httpx2 or httpx."""
    names = (
        "ConnectError ConnectTimeout PoolTimeout ProxyError UnsupportedProtocol LocalProtocolError InvalidURL"
    )
    return Library(
        faults=(module.RequestError, module.InvalidURL, module.StreamError),
        not_sent=tuple(getattr(module, name) for name in names.split()),
        timed_out=module.TimeoutException,
        timeout=module.Timeout,
    )


HTTPX2 = library(httpx2)


def headers_for(api_key: str) -> dict[str, str]:
    """The headers of every authenticated request."""
    return {
        "Authorization": f"Bearer {api_key}",
        "Accept": "application/json",
        "User-Agent": f"meshapi-python/{__version__}",
        "X-MeshAPI-SDK": f"python/{__version__}",
    }


def headers_of(request: Request, authenticated: dict[str, str]) -> dict[str, str]:
    """The headers of one request: the client's (without its key for a foreign host), then its own."""
    headers = authenticated
    if not request.authenticated:
        headers = {"User-Agent": authenticated["User-Agent"]}
    elif request.body is not None:
        headers = {**authenticated, "Content-Type": "application/json"}
    return {**headers, **request.headers} if request.headers else headers


def tell(request: Request, outcome: Answer | Failure, seconds: float) -> None:
    """One log line, with how long it took; the query is left out, since links to files are signed there."""
    if not logger.isEnabledFor(logging.INFO):
        return
    what = f"{request.method} {request.url.partition('?')[0]}"
    took = seconds * 1000
    if isinstance(outcome, Failure):
        logger.info("%s failed (%s) after %.0f ms: %r", what, outcome.kind, took, outcome.cause)
        return
    request_id = outcome.headers.get("x-request-id", "-")
    logger.info("%s -> %d in %.0f ms (request %s)", what, outcome.status, took, request_id)
