"""Bringing a caller's input to a local file: data URIs decoded, URLs fetched under limits."""

import asyncio
import base64
import binascii
from pathlib import Path

import aiohttp
from yarl import URL

from meshapi_server.destinations.guard import CONNECT_SECONDS, Guard
from meshapi_server.upstreams.contract import InputUnavailable

MAX_BYTES = 30 * 1024 * 1024
_SECONDS = 30.0
_REDIRECTS = 3
_BLOCK = 1 << 16


class Sources:
    """Fetches inputs from wherever ``guard`` lets the server call."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def fetch(self, url: str, target: Path) -> None:
        """Write the input to ``target``. Raises InputUnavailable with words for the caller."""
        if url[:5].lower() == "data:":
            data = _decode(url)
            await asyncio.to_thread(target.write_bytes, data)
            return
        refused: list[str] = []
        try:
            async with asyncio.timeout(_SECONDS):
                await self._download(URL(url), target, refused)
        except TimeoutError:
            raise InputUnavailable(f"{_shown(url)} did not arrive within {_SECONDS:.0f} s") from None
        except (aiohttp.ClientError, OSError, ValueError):
            reason = "leads to an address that is not fetched from" if refused else "cannot be reached"
            raise InputUnavailable(f"{_shown(url)} {reason}") from None

    async def _download(self, url: URL, target: Path, refused: list[str]) -> None:
        connector = self._guard.connector(refused=refused.append)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session:
            for _ in range(_REDIRECTS + 1):
                problem = self._guard.problem(url)
                if problem is not None:
                    raise InputUnavailable(f"{_shown(str(url))} {problem}")
                async with session.get(url, allow_redirects=False, headers={"accept": "image/*"}) as answer:
                    following = answer.headers.get("location")
                    if answer.status in {301, 302, 303, 307, 308} and following:
                        url = url.join(URL(following))
                        continue
                    if answer.status != 200:
                        raise InputUnavailable(f"{_shown(str(url))} answered HTTP {answer.status}")
                    await _save(answer, target)
                    return
        raise InputUnavailable(f"{_shown(str(url))} redirects more than {_REDIRECTS} times")


async def _save(answer: aiohttp.ClientResponse, target: Path) -> None:
    size = 0
    with target.open("wb") as stream:
        async for chunk in answer.content.iter_chunked(_BLOCK):
            size += len(chunk)
            if size > MAX_BYTES:
                raise InputUnavailable(f"{_shown(str(answer.url))} is larger than {MAX_BYTES >> 20} MiB")
            stream.write(chunk)


def _decode(url: str) -> bytes:
    head, comma, payload = url.partition(",")
    if not comma or not head.lower().endswith(";base64"):
        raise InputUnavailable("the data URI is not base64")
    try:
        data = base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        raise InputUnavailable("the data URI is not valid base64") from None
    if len(data) > MAX_BYTES:
        raise InputUnavailable(f"the data URI holds more than {MAX_BYTES >> 20} MiB")
    return data


def _shown(url: str) -> str:
    """The URL without its query, which may hold a signature, and without a password."""
    scheme, mark, rest = url.partition("?")[0].partition("://")
    place, slash, path = rest.partition("/")
    plain = scheme + mark + place.rpartition("@")[2] + slash + path
    return plain if len(plain) <= 120 else f"{plain[:117]}..."
