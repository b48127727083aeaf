"""A result into a file: streamed, bounded, continued where it was cut."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

import aiohttp
from msgspec import Struct
from yarl import URL

from .contract import Deferred, Rejected, TaskError
from .http import HttpRequest, shown
from .transport import NoAnswer, NotSent, Transport

LARGEST_FILE = 4 * 1024**3
_REDIRECTS = 5
_CUTS = 8  # times a download may be continued
_BLOCK = 1 << 18
_LONGEST = 1800.0  # s; an upstream that sends a byte now and then must not hold us for ever
_MOVED = frozenset({301, 302, 303, 307, 308})


Authorise = Callable[[str, HttpRequest], Mapping[str, str]]
"""The headers with which a URL is asked for: credentials only for the upstream's own hosts."""


class Cut(Exception):
    """The download ended too early; what came so far is kept."""


class _Place(Struct):
    """How far a download is. ``tag`` proves that the rest is of the same file (RFC 9110, section 13.1.5)."""

    size: int = 0
    total: int | None = None
    tag: str | None = None


class Download:
    """Brings a URL into a file."""

    def __init__(self, transport: Transport, authorise: Authorise, largest: int = LARGEST_FILE) -> None:
        self._transport = transport
        self._authorise = authorise
        self._largest = largest

    async def to(self, target: Path, url: str, request: HttpRequest) -> None:
        """Download. Raises Rejected when it can never be had, Deferred or another exception when not now."""
        place = _Place()
        async with asyncio.timeout(_LONGEST):
            await self._download(target, place, url, request)

    async def _download(self, target: Path, place: _Place, url: str, request: HttpRequest) -> None:
        with target.open("wb") as file:
            for _ in range(_CUTS + 1):
                before = place.size
                try:
                    await self._continue(file, place, url, request)
                except (Cut, NoAnswer):
                    if place.size == before:
                        break
                except NotSent as fault:
                    raise Deferred(f"the result cannot be reached: {fault}", retry_after=5.0) from None
                else:
                    return
        raise NoAnswer(f"the download from {shown(url)} was cut after {place.size} bytes")

    async def _continue(self, file: BinaryIO, place: _Place, url: str, request: HttpRequest) -> None:
        for _ in range(_REDIRECTS + 1):
            headers = {"accept-encoding": "identity", **self._authorise(url, request), **_range(place)}
            async with self._transport.stream(url, headers) as answer:
                location = answer.headers.get("location")
                if answer.status in _MOVED and location:
                    url = _followed(url, location)
                    continue
                _check(answer, url)
                _begin(file, place, answer)
                await self._write(file, place, answer)
                return
        raise Rejected(_gone("its URL redirects in a circle"))

    async def _write(self, file: BinaryIO, place: _Place, answer: aiohttp.ClientResponse) -> None:
        if place.total is not None and place.total > self._largest:
            raise Rejected(_gone(f"it is larger than {self._largest} bytes"))
        async for block in answer.content.iter_chunked(_BLOCK):
            place.size += len(block)
            if place.size > self._largest:
                raise Rejected(_gone(f"it is larger than {self._largest} bytes"))
            file.write(block)
        if place.total is not None and place.size < place.total:
            raise Cut


def _range(place: _Place) -> dict[str, str]:
    if not place.size:
        return {}
    return {"range": f"bytes={place.size}-", **({"if-range": place.tag} if place.tag else {})}


def _begin(file: BinaryIO, place: _Place, answer: aiohttp.ClientResponse) -> None:
    """Go to where this answer's bytes belong."""
    begins, total = _content_range(answer)
    if answer.status == 206:
        if begins is None or begins > place.size or (place.total is not None and total != place.total):
            place.size, place.total, place.tag = 0, None, None  # another file by now: from the beginning
            raise Cut
        place.size, place.total = begins, total
    else:
        place.size = 0
        place.total = None if answer.headers.get("content-encoding") else answer.content_length
        tag = answer.headers.get("etag", "")
        place.tag = tag if tag and not tag.startswith("W/") else None
    file.seek(place.size)
    file.truncate()


def _content_range(answer: aiohttp.ClientResponse) -> tuple[int | None, int | None]:
    unit, _, rest = answer.headers.get("content-range", "").partition(" ")
    span, _, total = rest.partition("/")
    begins = span.partition("-")[0]
    if unit != "bytes" or not begins.isdigit():
        return None, None
    return int(begins), int(total) if total.isdigit() else None


def _check(answer: aiohttp.ClientResponse, url: str) -> None:
    if answer.status in {200, 206}:
        return
    if answer.status == 410:
        raise Rejected(_gone("the upstream says that it is gone"))
    raise Deferred(f"{shown(url)} answered HTTP {answer.status}", retry_after=5.0)


def _followed(url: str, location: str) -> str:
    there = URL(url, encoded=True).join(URL(location, encoded=True))
    secure = url.startswith("https:")
    if there.scheme not in ({"https"} if secure else {"http", "https"}) or not there.host:
        raise Rejected(_gone("its URL redirects to an unsafe place"))
    return str(there)


def _gone(reason: str) -> TaskError:
    return TaskError(
        code="upstream_error", message=f"The result cannot be fetched: {reason}.", charged="unknown"
    )
