"""The files of a task: with a login under ``/content``, without one by a signed link."""

import base64
from datetime import UTC, datetime
from email.utils import format_datetime

from msgspec import Struct

from meshapi_server.files.links import Links
from meshapi_server.files.ports import FileRecords
from meshapi_server.files.retention import Retention
from meshapi_server.files.storage import Storage
from meshapi_server.tasks.clock import Clock
from meshapi_server.tasks.service import TaskService
from meshapi_server.tasks.task import StoredFile, Task

from . import query, ranges
from .call import Answer, Call, Reply
from .errors import APIError
from .file_answer import FileAnswer
from .generations import ITEM, TASK_ID
from .operation import Operation, Response, header, path
from .operation import query as query_parameter

_YEAR = 31_536_000
_REDIRECT_SECONDS = 900  # that a link of the storage itself is good for


class Delivery(Struct, frozen=True, kw_only=True):
    """How files are handed out. ``redirects``: callers are sent to a storage that has links of its own."""

    storage: Storage
    links: Links
    retention: Retention
    redirects: bool = False


class Content:
    """Streams results with Range, ETag and digest."""

    def __init__(self, tasks: TaskService, records: FileRecords, delivery: Delivery, clock: Clock) -> None:
        self._tasks = tasks
        self._records = records
        self._storage = delivery.storage
        self._links = delivery.links
        self._retention = delivery.retention
        self._redirects = delivery.redirects
        self._clock = clock

    async def content(self, call: Call) -> Answer:
        """The caller's own file."""
        wanted = query.variant(call.query)
        task = await self._tasks.get(call.owner, call.path_values["task_id"], by_request=call.later_version)
        stored = task.outcome.video if wanted == "video" else task.outcome.last_frame
        if stored is None:
            raise _missing(task, wanted)
        return await self._send(call, task, stored)

    async def linked(self, call: Call) -> Answer:
        """A file by its signed link; whatever is wrong with the link, the answer is the same 404."""
        task_id, name = call.path_values["task_id"], call.path_values["name"]
        expires = (call.query.get("expires") or [""])[-1]
        signature = (call.query.get("signature") or [""])[-1]
        if not self._links.allows(task_id, name, expires, signature):
            raise APIError(
                "not_found", "This link is not valid, or no longer. Get the task again for a new one."
            )
        task = await self._records.task(task_id)
        files = () if task is None else (task.outcome.video, task.outcome.last_frame)
        stored = next((each for each in files if each is not None and each.name == name), None)
        if task is None or stored is None:
            raise APIError("not_found", f"The file {name!r} of task {task_id} is no longer here.")
        return await self._send(call, task, stored)

    async def _send(self, call: Call, task: Task, stored: StoredFile) -> Answer:
        if not self._retention.has_files(task, self._clock()):
            raise _expired(task, self._retention.files_until(task))
        headers = _headers(task, stored)
        if _same(call.header(b"if-none-match"), headers["etag"]):
            return Reply(b"", 304, headers, media_type=None)
        try:
            wanted = ranges.single(_range(call, headers), stored.size)
        except ranges.Unsatisfiable:
            raise APIError(
                "invalid_request",
                f"The range lies outside the file of {stored.size} bytes.",
                status=416,
                headers=(("content-range", f"bytes */{stored.size}"),),
            ) from None
        if call.scope["method"] == "HEAD":
            return await self._head(task, stored, headers)
        if self._redirects:
            link = await self._storage.link(task.id, stored.name, _REDIRECT_SECONDS)
            if link is not None:
                # A cache may keep the redirect for less than the link is good for, and only its caller's.
                kept = {"location": link, "cache-control": f"private, max-age={_REDIRECT_SECONDS // 3}"}
                return Reply(b"", 302, kept, media_type=None)
        return await self._stream(task, stored, headers, wanted)

    async def _head(self, task: Task, stored: StoredFile, headers: dict[str, str]) -> Answer:
        if await self._storage.size(task.id, stored.name) is None:
            raise _lost(task, stored)
        return FileAnswer(200, headers, stored.size, b"", None)

    async def _stream(
        self, task: Task, stored: StoredFile, headers: dict[str, str], wanted: tuple[int, int] | None
    ) -> Answer:
        first, last = wanted or (0, stored.size - 1)
        blocks = self._storage.read(task.id, stored.name, first, last)
        try:
            begun = await anext(blocks, b"")
        except FileNotFoundError:
            raise _lost(task, stored) from None
        if wanted is None:
            return FileAnswer(200, headers, stored.size, begun, blocks)
        headers["content-range"] = f"bytes {first}-{last}/{stored.size}"
        return FileAnswer(206, headers, last + 1 - first, begun, blocks)

    def operations(self) -> tuple[Operation, ...]:
        """What this room serves."""
        return (
            Operation(
                method="GET",
                path=ITEM + "/content",
                name="downloadVideoGeneration",
                summary="Download a task's video or last frame",
                tag="video",
                handler=self.content,
                parameters=(
                    TASK_ID,
                    query_parameter("variant", "Which file.", type="string", enum=["video", "last_frame"]),
                    header("Range", "One byte range.", type="string"),
                ),
                responses={
                    200: Response(
                        description="The file.",
                        body=bytes,
                        media_type="video/mp4",
                        headers=("ETag", "Repr-Digest"),
                    ),
                    206: Response(description="The range asked for.", body=bytes, media_type="video/mp4"),
                    302: Response(description="Where the file is, if this server sends callers there."),
                    304: Response(description="The file is what If-None-Match names."),
                },
                errors=(403, 404, 409, 416, 422, 429),
            ),
            Operation(
                method="GET",
                path="/files/{task_id}/{name}",
                name="openFile",
                summary="Open a file by its signed link",
                tag="files",
                handler=self.linked,
                login=False,
                parameters=(
                    TASK_ID,
                    path("name", "The file's name.", type="string"),
                    query_parameter("expires", "Unix seconds.", type="string"),
                    query_parameter("signature", "Proof that this server made the link.", type="string"),
                ),
                responses={
                    200: Response(description="The file.", body=bytes, media_type="video/mp4"),
                    206: Response(description="The range asked for.", body=bytes, media_type="video/mp4"),
                    302: Response(description="Where the file is, if this server sends callers there."),
                    304: Response(description="The file is what If-None-Match names."),
                },
                errors=(404, 416),
            ),
        )


def _headers(task: Task, stored: StoredFile) -> dict[str, str]:
    digest = base64.b64encode(bytes.fromhex(stored.sha256)).decode()
    changed = datetime.fromtimestamp((task.completed_at or task.updated_at) // 1000, UTC)
    return {
        "content-type": stored.media_type,
        "accept-ranges": "bytes",
        "cache-control": f"private, max-age={_YEAR}, immutable",
        "etag": f'"{stored.sha256}"',
        "last-modified": format_datetime(changed, usegmt=True),
        "repr-digest": f"sha-256=:{digest}:",  # RFC 9530
        "content-disposition": f'inline; filename="{task.id}-{stored.name}"',
        "x-content-type-options": "nosniff",
    }


def _range(call: Call, headers: dict[str, str]) -> str | None:
    """The Range header where it counts (RFC 9110, 13.2.2): on GET, and on the file that If-Range names."""
    begun = call.header(b"if-range")
    same = begun is None or begun in {headers["etag"], headers["last-modified"]}
    return call.header(b"range") if same and call.scope["method"] == "GET" else None


def _lost(task: Task, stored: StoredFile) -> APIError:
    return APIError("not_found", f"The file {stored.name!r} of task {task.id} is no longer here.")


def _expired(task: Task, at: int | None) -> APIError:
    day = "" if at is None else f" on {datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M} UTC"
    return APIError("not_found", f"The files of task {task.id} were kept for a time, which ended{day}.")


def _missing(task: Task, wanted: str) -> APIError:
    if not task.ended:
        return APIError("conflict", f"Task {task.id} is still {task.status}; it has no file yet.")
    if wanted == "last_frame" and task.outcome.video is not None:
        return APIError(
            "not_found", f"Task {task.id} has no last frame; ask for return_last_frame at creation."
        )
    return APIError("not_found", f"Task {task.id} ended {task.status} and has no file.")


def _same(header: str | None, etag: str) -> bool:
    if header is None:
        return False
    return any(each.strip().removeprefix("W/") in {etag, "*"} for each in header.split(","))
