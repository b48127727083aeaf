"""One POST to a destination that a stranger named: guarded, bounded in time, nothing of its answer kept."""

import asyncio
from collections.abc import Mapping

import aiohttp
from msgspec import Struct
from yarl import URL

from meshapi_server.destinations.guard import CONNECT_SECONDS, Guard

from .names import Names

TIMEOUT_SECONDS = 10.0  # wire.md section 7
_WISH = 64  # characters of a Retry-After that are looked at


class Answer(Struct, frozen=True):
    """What a destination said. ``error`` None: a 2xx; else why it does not count, in words for the owner.

    ``retry_after`` is that header as it came, cut.
    """

    http_status: int | None
    error: str | None
    retry_after: str | None = None


class Sender:
    """Posts callbacks to wherever ``guard`` lets the server call, on a connection made for each."""

    def __init__(self, guard: Guard, timeout: float = TIMEOUT_SECONDS) -> None:
        self._guard = guard
        self._timeout = timeout
        self._names = Names()

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post once. Never raises for what a destination does."""
        refused: list[str] = []
        try:
            async with asyncio.timeout(self._timeout):
                return await self._post(URL(url), headers, body, refused)
        except TimeoutError:
            return Answer(None, f"did not answer within {self._timeout:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as fault:
            reason = "leads to an address that is not called" if refused else _reason(fault)
            return Answer(None, reason)

    async def close(self) -> None:
        """Give the threads back."""
        await self._names.close()

    async def _post(self, url: URL, headers: Mapping[str, str], body: bytes, refused: list[str]) -> Answer:
        problem = self._guard.problem(url)
        if problem is not None:
            return Answer(None, problem)
        connector = self._guard.connector(refused=refused.append, resolver=self._names)
        async with (
            aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            ) as session,
            session.post(url, data=body, headers=dict(headers), allow_redirects=False) as answer,
        ):
            return Answer(
                answer.status,
                _complaint(answer.status),
                answer.headers.get("retry-after", "")[:_WISH] or None,
            )


def _complaint(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"answered HTTP {status}; redirects are not followed"
    return f"answered HTTP {status}"


def _reason(fault: Exception) -> str:
    """Why nothing came back. Says nothing that the owner of the destination could not know."""
    if isinstance(fault, aiohttp.ClientSSLError | aiohttp.ServerFingerprintMismatch):
        return "its TLS certificate is not valid"
    if isinstance(fault, aiohttp.ClientConnectorDNSError):
        return "its name is not found"
    if isinstance(fault, aiohttp.ClientConnectorError | aiohttp.InvalidURL):
        return "cannot be reached"
    if isinstance(fault, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError | ConnectionError):
        return "closed the connection without an answer"
    return "gave no answer in HTTP"
