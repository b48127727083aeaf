"""Fetching a result, going on where it broke off. A decision without I/O.

From the server's own ``/content`` where it has that (it tells the checksum), else from the task's link. A
broken transfer is resumed with Range and If-Range (RFC 9110 sections 13 and 14); the whole is checked
against Repr-Digest (RFC 9530) where the server sends one.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any, Literal

from . import _paths
from ._calls import Calls, RequestOptions
from ._decoding import decoded
from ._error_decoding import error_from, failure_error
from ._exchange import Answer, Close, Deliver, Failure, Open, Outcome, QueryPairs, Read, Request, Sleep
from ._retry import is_transient, wished_seconds
from .errors import DownloadError, MeshAPIError, TaskFailedError
from .types.task import VideoTaskResponse

Variant = Literal["video", "last_frame"]
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_SHA256 = re.compile(r"(?:^|[,\s])sha-256=:([A-Za-z0-9+/=]+):", re.IGNORECASE)
_NO_SUCH_ENDPOINT = frozenset({404, 405, 501})
_RANGE_LOST = frozenset({206, 416})
_LINK_REFUSED = frozenset({401, 403, 404, 410})


@dataclass(frozen=True, slots=True)
class Restart:
    """Delivered instead of bytes: the file changed, what was delivered so far does not count."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Delivered before the first bytes of a file: its strong ETag, SHA-256 (in hexadecimal) and size."""

    etag: str | None
    sha256: str | None
    size: int | None


@dataclass(frozen=True, slots=True)
class Kept:
    """What is there of the result already, from an earlier download: its first bytes, hashed."""

    begun: Begun
    received: int
    hash: "hashlib._Hash"


@dataclass(frozen=True, slots=True)
class Finished:
    """Delivered last: ``verified`` tells whether the server's checksum was there to compare with.

    ``resumed`` is how many of the bytes an earlier download had left.
    """

    size: int
    sha256: str
    verified: bool
    resumed: int = 0
    request_id: str | None = None


class Fetch:
    """One download of one result."""

    def __init__(
        self,
        calls: Calls,
        task_id: str,
        variant: Variant,
        options: RequestOptions,
        kept: Kept | None = None,
    ) -> None:
        if variant not in ("video", "last_frame"):
            raise DownloadError(f"variant must be 'video' or 'last_frame', got {variant!r}")
        self._calls = calls
        self._service = calls.service
        self._task_id = task_id
        self._variant = variant
        self._options = options
        self._policy = calls.policy(options)
        query: QueryPairs = [] if variant == "video" else [("variant", variant)]
        self._content = calls.request("GET", _paths.generation(task_id, "content"), options, query=query)
        self._source: Request | None = self._content if self._service.has_content else None
        self._content_missing = False
        self._refreshed = False
        self._received = 0
        self._hash = hashlib.sha256()
        self._etag: str | None = None
        self._digest: bytes | None = None
        self._total: int | None = None
        self._resumed = 0
        self._request_id: str | None = None
        if kept is not None:
            self._resume(kept)

    def steps(self) -> Generator[Any, Outcome, None]:
        """Deliver bytes, perhaps a ``Restart``, and ``Finished`` in the end. Raises what cannot be mended."""
        fruitless = 0
        furthest = self._received
        if self._is_all_there():
            yield Deliver(self._finished())
            return
        while True:
            if self._source is None:
                self._source = yield from self._link()
            opened = yield Open(self._resuming(self._source))
            broken: Outcome = opened
            if isinstance(opened, Answer):
                if opened.status == 200 or self._continues(opened):
                    self._request_id = opened.headers.get("x-request-id")
                    if opened.status == 200:
                        yield from self._restarted()
                        yield Deliver(self._begin(opened))
                    broken = yield from self._read()
                    if broken is None:
                        if (yield from self._is_undamaged()):
                            yield Deliver(self._finished())
                            return
                        continue
                    self._refreshed = False
                elif opened.status in _RANGE_LOST:
                    yield Close()
                    yield from self._restarted()
                elif self._leads_elsewhere(opened):
                    yield Close()
                    self._source = None
                    continue
            fruitless = 0 if self._received > furthest else fruitless + 1
            furthest = max(furthest, self._received)
            if fruitless > self._policy.max_retries or not _may_pass(broken):
                raise self._error(broken)
            wish = wished_seconds(broken, self._calls.ambient.unix())
            yield Sleep(self._policy.wait(max(0, fruitless - 1), wish, self._calls.ambient.random()))

    def _link(self) -> Generator[Any, Outcome, Request]:
        """The task's own link, signed anew by asking for the task."""
        answer = yield from self._calls.retrieve(self._task_id, self._options)
        task = decoded(VideoTaskResponse, answer)
        url = task.video_url if self._variant == "video" else task.last_frame_url
        if url is None:
            raise _no_result(task, self._variant)
        if self._content_missing:
            self._service.has_content = False
        # The link may lead elsewhere: what the caller wants to tell the server is not for others.
        return Request("GET", url, {}, None, self._content.timeout, authenticated=False)

    def _resuming(self, source: Request) -> Request:
        # A transfer coding would make byte positions meaningless.
        headers = {**source.headers, "Accept": "*/*", "Accept-Encoding": "identity"}
        if self._received:
            headers["Range"] = f"bytes={self._received}-"
            if self._etag is not None:
                headers["If-Range"] = self._etag
        return replace(source, headers=headers)

    def _leads_elsewhere(self, opened: Answer) -> bool:
        """Whether to ask for the task's link: there is no ``/content``, or the link has run out (once)."""
        if self._source is self._content:
            if opened.status in {405, 501}:
                self._service.has_content = False
            self._content_missing = opened.status == 404
            return opened.status in _NO_SUCH_ENDPOINT
        if opened.status not in _LINK_REFUSED or self._refreshed:
            return False
        self._refreshed = True
        return True

    def _continues(self, opened: Answer) -> bool:
        match = _CONTENT_RANGE.fullmatch(opened.headers.get("content-range", "").strip())
        if opened.status != 206 or match is None or int(match[1]) != self._received:
            return False
        total = None if match[3] == "*" else int(match[3])
        etag = _strong_etag(opened)
        return (total is None or self._total is None or total == self._total) and (
            etag is None or self._etag is None or etag == self._etag
        )

    def _resume(self, kept: Kept) -> None:
        self._received = self._resumed = kept.received
        self._hash = kept.hash.copy()
        self._etag = kept.begun.etag
        self._digest = _from_hexadecimal(kept.begun.sha256)
        self._total = kept.begun.size

    def _is_all_there(self) -> bool:
        """Whether what an earlier download has left is the whole, for certain."""
        return self._received > 0 and self._digest == self._hash.digest()

    def _begin(self, opened: Answer) -> Begun:
        self._etag = _strong_etag(opened)
        self._digest = _sha256(opened.headers.get("repr-digest"))
        length = opened.headers.get("content-length", "")
        self._total = int(length) if length.isdigit() else None
        return Begun(self._etag, self._digest.hex() if self._digest else None, self._total)

    def _restarted(self) -> Generator[Any, Outcome, None]:
        if self._received:
            yield Deliver(Restart())
        self._received = self._resumed = 0
        self._hash = hashlib.sha256()
        self._etag = self._digest = self._total = None

    def _read(self) -> Generator[Any, Outcome, Failure | None]:
        while True:
            chunk = yield Read()
            if isinstance(chunk, bytes) and chunk:
                self._received += len(chunk)
                self._hash.update(chunk)
                yield Deliver(chunk)
                continue
            yield Close()
            if isinstance(chunk, Failure):
                return chunk
            if self._total is not None and self._received < self._total:
                return Failure("maybe_sent", EOFError(f"{self._received} of {self._total} bytes came"))
            return None

    def _is_undamaged(self) -> Generator[Any, Outcome, bool]:
        """Whether the whole has its checksum. What an earlier download has left is not trusted twice."""
        if self._digest is None or self._digest == self._hash.digest():
            return True
        found, wanted, resumed = self._hash.hexdigest(), self._digest.hex(), self._resumed
        yield from self._restarted()
        if resumed:
            return False
        raise DownloadError(
            f"the result of task {self._task_id} arrived damaged: its SHA-256 is {found}, the server says"
            f" {wanted}",
            request_id=self._request_id,
        )

    def _finished(self) -> Finished:
        verified = self._digest is not None
        return Finished(self._received, self._hash.hexdigest(), verified, self._resumed, self._request_id)

    def _error(self, broken: Outcome) -> MeshAPIError:
        if isinstance(broken, Answer) and broken.status in _RANGE_LOST:
            return DownloadError(
                f"the server cannot resume the result of task {self._task_id} (HTTP {broken.status})",
                request_id=broken.headers.get("x-request-id"),
            )
        if isinstance(broken, Answer):
            return error_from(broken, self._calls.ambient.unix())
        if isinstance(broken, Failure) and self._source is not None:
            error = failure_error(broken, self._source)
            told = DownloadError(
                f"the download of task {self._task_id} broke off: {error}", request_id=self._request_id
            )
            told.__cause__ = error
            return told
        raise TypeError(f"opening ends in an answer or a failure, got {broken!r}")


def _may_pass(broken: Outcome) -> bool:
    return is_transient(broken) or (isinstance(broken, Answer) and broken.status in _RANGE_LOST)


def _strong_etag(answer: Answer) -> str | None:
    etag = answer.headers.get("etag")
    return etag if etag and not etag.startswith("W/") else None


def _sha256(header: str | None) -> bytes | None:
    match = _SHA256.search(header or "")
    if match is None:
        return None
    try:
        return base64.b64decode(match[1], validate=True)
    except binascii.Error:
        return None


def _from_hexadecimal(text: str | None) -> bytes | None:
    try:
        return bytes.fromhex(text or "") or None
    except ValueError:
        return None


def _no_result(task: VideoTaskResponse, variant: Variant) -> MeshAPIError:
    if not task.is_terminal:
        return DownloadError(
            f"task {task.id} is still {task.status or 'unknown'}; wait for it first",
            request_id=task.request_id,
        )
    if task.status != "succeeded":
        return TaskFailedError(task)
    if variant == "last_frame":
        return DownloadError(
            f"task {task.id} has no last frame; ask for return_last_frame when you create it",
            request_id=task.request_id,
        )
    return DownloadError(
        f"task {task.id} has succeeded, but the server names no video", request_id=task.request_id
    )
