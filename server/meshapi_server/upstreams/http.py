"""A request and a response as values: what an adapter says and hears. No socket, no secret.

Requests are deterministic: the same arguments give the same bytes.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Struct

Pairs = tuple[tuple[str, str], ...]

_DATA_URI = re.compile(r"^data:(?P<type>[^;,]*)(?:;[^;,]+)*;base64,", re.IGNORECASE)


class Unreadable(Exception):
    """An answer came, but not what the protocol promises; whether the call took effect is open."""


class HttpRequest(Struct, frozen=True, kw_only=True):
    """One request. ``url`` is a path below the upstream's base URL (``/tasks/1``) or an absolute URL.

    ``authorised``: the runner adds the credentials, and does so for the upstream's own hosts only.
    ``harmless``: within a submission, a step that leaves nothing billed behind (an upload, a look-up).
    ``keep_for``: seconds for which a good answer to the same GET may be used again (published keys, say).
    """

    method: str
    url: str
    query: Pairs = ()
    headers: Pairs = ()
    body: bytes = b""
    authorised: bool = True
    harmless: bool = False
    keep_for: float = 0.0

    def __repr__(self) -> str:
        return f"<{self.method} {shown(self.url)}>"


class HttpResponse(Struct, frozen=True, kw_only=True):
    """One answer, read whole. Header names are lower case; ``received_at`` is ms since the Unix epoch."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""
    received_at: int = 0

    def __repr__(self) -> str:
        return f"<HTTP {self.status}, {len(self.body)} bytes>"

    @property
    def ok(self) -> bool:
        """True for 200 to 299."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body's JSON value. Raises Unreadable."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Unreadable(f"HTTP {self.status} with a body that is no JSON") from None

    def object(self) -> dict[str, Any]:
        """The body's JSON object. Raises Unreadable."""
        value = self.json()
        if not isinstance(value, dict):
            raise Unreadable(f"HTTP {self.status} with JSON that is no object")
        return value


class Part(Struct, frozen=True, kw_only=True):
    """One file of a multipart form."""

    name: str
    filename: str
    media_type: str
    data: bytes

    def __repr__(self) -> str:
        return f"<{self.name}: {self.media_type}, {len(self.data)} bytes>"


def get(url: str, query: Sequence[tuple[str, str]] = (), **fields: Any) -> HttpRequest:
    """A GET. ``fields`` are those of HttpRequest."""
    return HttpRequest(method="GET", url=url, query=tuple(query), **fields)


def post(url: str, value: Any = None, *, headers: Pairs = (), **fields: Any) -> HttpRequest:
    """A POST of ``value`` as JSON, keys in the order given; without a body when it is None."""
    if value is None:
        return HttpRequest(method="POST", url=url, headers=headers, **fields)
    return HttpRequest(
        method="POST",
        url=url,
        headers=(("content-type", "application/json"), *headers),
        body=msgspec.json.encode(value),
        **fields,
    )


def delete(url: str, **fields: Any) -> HttpRequest:
    """A DELETE."""
    return HttpRequest(method="DELETE", url=url, **fields)


def post_form(
    url: str,
    values: Sequence[tuple[str, str]],
    files: Sequence[Part] = (),
    *,
    headers: Pairs = (),
    **fields: Any,
) -> HttpRequest:
    """A POST of multipart/form-data (RFC 7578). The boundary follows from the content."""
    parts: list[tuple[str, str | None, bytes]] = [
        (f'form-data; name="{_quoted(name)}"', None, value.encode()) for name, value in values
    ]
    parts += [
        (
            f'form-data; name="{_quoted(file.name)}"; filename="{_quoted(file.filename)}"',
            file.media_type,
            file.data,
        )
        for file in files
    ]
    boundary = "form-" + hashlib.sha256(b"\0".join(data for *_, data in parts)).hexdigest()[:32]
    lines: list[bytes] = []
    for disposition, media_type, data in parts:
        lines += [f"--{boundary}".encode(), f"Content-Disposition: {disposition}".encode()]
        lines += [f"Content-Type: {media_type}".encode()] if media_type else []
        lines += [b"", data]
    body = b"\r\n".join([*lines, f"--{boundary}--".encode(), b""])
    content_type = ("content-type", f"multipart/form-data; boundary={boundary}")
    return HttpRequest(method="POST", url=url, headers=(content_type, *headers), body=body, **fields)


def path(*parts: str) -> str:
    """A URL path of these elements, each escaped: an id can never reach another endpoint."""
    return "/" + "/".join(_element(part) for part in parts)


def decode_data_uri(url: str) -> tuple[str, bytes] | None:
    """Media type and bytes of a base64 data URI (RFC 2397); None for any other URL."""
    head = _DATA_URI.match(url)
    if head is None:
        return None
    return head["type"].lower() or "application/octet-stream", base64.b64decode(url[head.end() :])


def data_uri(media_type: str, data: bytes) -> str:
    """The data URI of some bytes."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def retry_after(response: HttpResponse) -> float | None:
    """Seconds that the answer asks to wait: Retry-After in seconds or as a date (RFC 9110, 10.2.3)."""
    wish = response.headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(wish))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(wish).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, moment - response.received_at / 1000)


def shown(url: str) -> str:
    """A URL without user, query and fragment, any of which may hold a secret."""
    if url.startswith("data:"):
        return url[:30] + "..."
    parts = urlsplit(url)
    place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.scheme else ""
    return f"{place}{parts.path}"


def _element(part: str) -> str:
    if part in {"", ".", ".."}:
        raise ValueError(f"{part!r} cannot be an element of a path")
    return quote(part, safe="-._~:@!$&'()*+,;=")


def _quoted(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
