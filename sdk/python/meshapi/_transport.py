"""What both drivers share: from our requests to httpx2's, from its exceptions to our failures."""

import logging
import time
from random import random

import httpx2

from ._exchange import Ambient, Answer, Failure, Request
from ._log import logger
from ._version import __version__

# httpx2's own default of 20 idle connections makes many tasks at once reconnect all the time.
LIMITS = httpx2.Limits(max_connections=1000, max_keepalive_connections=100)

AMBIENT = Ambient(monotonic=time.monotonic, unix=time.time, random=random)

# Nothing of the request can have reached the server.
_NOT_SENT: tuple[type[Exception], ...] = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
    httpx2.InvalidURL,
)

# What a driver turns into a Failure. Anything else is a defect and passes through.
FAULTS = (httpx2.RequestError, httpx2.InvalidURL, httpx2.StreamError)


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


def failure(error: Exception) -> Failure:
    """What an exception of the transport means for the request."""
    if isinstance(error, _NOT_SENT):
        return Failure("not_sent", error)
    if isinstance(error, httpx2.TimeoutException):
        return Failure("timed_out", error)
    return Failure("maybe_sent", error)


def tell(request: Request, outcome: Answer | Failure, started: float) -> None:
    """One log line; the query is left out, since links to files are signed there."""
    if not logger.isEnabledFor(logging.INFO):
        return
    what = f"{request.method} {request.url.partition('?')[0]}"
    took = (time.monotonic() - started) * 1000
    if isinstance(outcome, Failure):
        logger.info("%s failed (%s) after %.0f ms: %r", what, outcome.kind, took, outcome.cause)
        return
    request_id = outcome.headers.get("x-request-id", "-")
    logger.info("%s -> %d in %.0f ms (request %s)", what, outcome.status, took, request_id)
