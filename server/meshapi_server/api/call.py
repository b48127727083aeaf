"""One request, as the handlers see it, and the answers they give. Bare ASGI underneath."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

from starlette.types import Receive, Scope, Send

from meshapi_server.accounts.key import Key
from meshapi_server.accounts.requests import Admission
from meshapi_server.tasks import ids

from . import query
from .errors import APIError

MAX_BODY = 32 * 1024 * 1024
_DRAIN = 256 * 1024 * 1024  # how much of a too large body is read and thrown away, so that the answer arrives

_LONG = 0.1  # s; a body that took longer may have outlived what its key was allowed

VERSIONS = ("2026-08", "2026-09")
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._:-]{1,64}$")

RawHeaders = Iterable[tuple[bytes, bytes]]


def header_of(headers: RawHeaders, name: bytes) -> str | None:
    """A header by its lower-case name; the first, when there are several."""
    for found, value in headers:
        if found == name:
            return str(value.decode("latin-1"))
    return None


def request_id_of(headers: RawHeaders) -> str:
    """The id of a request with these headers: the caller's own, where it can be one, or a fresh one."""
    given = header_of(headers, b"x-request-id")
    return given if given is not None and _REQUEST_ID.match(given) else ids.request_id()


class Answer(Protocol):
    """Anything that can be sent: ours, or one of Starlette's responses."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        ...


class Reply:
    """A complete answer: status, body, headers. Header names are lower case."""

    __slots__ = ("body", "headers", "status")

    def __init__(
        self,
        body: bytes,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = "application/json",
    ) -> None:
        self.status = status
        self.body = body
        self.headers = dict(headers or {})
        if media_type is not None:
            self.headers["content-type"] = media_type

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and the body."""
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers.items()]
        if self.status not in {204, 304}:
            headers.append((b"content-length", str(len(self.body)).encode()))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


class Call:
    """One request. ``key`` is None on routes that need no login; ``owner`` refuses to guess one.

    ``admission`` is how its key's request limits stand; None when it has none. ``log_in_again`` puts the key
    as it is by now into ``key``, or raises as a login does.
    """

    def __init__(self, scope: Scope, receive: Receive, request_id: str, version: str) -> None:
        self.scope = scope
        self.receive = receive
        self.request_id = request_id
        self.version = version
        self.key: Key | None = None
        self.admission: Admission | None = None
        self.log_in_again: Callable[[], Awaitable[None]] | None = None
        self.path_values: Mapping[str, str] = {}
        self._query: dict[str, list[str]] | None = None

    @property
    def owner(self) -> str:
        """Whose tasks this call may see."""
        if self.key is None:
            raise RuntimeError("a route without a login asked for an owner")
        return self.key.owner

    def allows(self, model: str) -> bool:
        """Whether the caller may use this model."""
        return self.key is None or self.key.allows(model)

    @property
    def later_version(self) -> bool:
        """True from X-Mesh-Version 2026-09 on."""
        return self.version >= "2026-09"

    @property
    def query(self) -> dict[str, list[str]]:
        """The query parameters."""
        if self._query is None:
            self._query = query.parse(self.scope.get("query_string", b""))
        return self._query

    def header(self, name: bytes) -> str | None:
        """A request header by its lower-case name; the first, when there are several."""
        return header_of(self.scope["headers"], name)

    async def body(self) -> bytes:
        """The whole body. 413 past MAX_BODY: what is beyond is thrown away unread, never kept.

        After one that took its time the key is looked up again: it holds as it is when the request is whole.
        """
        time = asyncio.get_running_loop().time
        begun = time()
        body = await self._whole_body()
        if self.log_in_again is not None and time() - begun > _LONG:
            await self.log_in_again()
        return body

    async def _whole_body(self) -> bytes:
        declared = self.header(b"content-length")
        if declared is not None and declared.isdigit() and int(declared) > MAX_BODY:
            if self.header(b"expect") is None:
                await self._drain(0)
            raise _too_large()
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if size > MAX_BODY:
                chunks.clear()
                if message.get("more_body"):
                    await self._drain(size)
                raise _too_large()
            chunks.append(chunk)
            if not message.get("more_body"):
                return b"".join(chunks)

    async def _drain(self, read: int) -> None:
        # A client that is cut off while it sends never reads the answer that says why.
        while read < _DRAIN:
            message: Any = await self.receive()
            read += len(message.get("body", b""))
            if message["type"] == "http.disconnect" or not message.get("more_body"):
                return


class ClientGone(Exception):
    """The client closed the connection before its request was complete."""


def _too_large() -> APIError:
    # Closed, because whatever is left of the body would be taken for the next request.
    message = f"The body is larger than {MAX_BODY} bytes (32 MiB)."
    return APIError("request_too_large", message, headers=(("connection", "close"),))
