"""The files of a task: with a login under ``/content``, without one by a signed link."""

import base64

from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

from meshapi_server.files.links import Links
from meshapi_server.files.local import LocalFiles
from meshapi_server.tasks.service import TaskService
from meshapi_server.tasks.task import StoredFile, Task

from . import query, ranges
from .call import Answer, Call, Reply
from .errors import APIError
from .generations import ITEM, TASK_ID
from .operation import Operation, Response, header, path
from .operation import query as query_parameter

_YEAR = 31_536_000
_MEDIA_TYPES = {"mp4": "video/mp4", "webm": "video/webm", "png": "image/png"}


class Content:
    """Streams results with Range, ETag and digest."""

    def __init__(self, tasks: TaskService, files: LocalFiles, links: Links) -> None:
        self._tasks = tasks
        self._files = files
        self._links = links

    async def content(self, call: Call) -> Answer:
        """The caller's own file."""
        wanted = query.variant(call.query)
        task = await self._tasks.get(call.owner, call.path_values["task_id"], by_request=call.later_version)
        stored = task.outcome.video if wanted == "video" else task.outcome.last_frame
        if stored is None:
            raise _missing(task, wanted)
        return self._send(call, task.id, stored.name, stored)

    async def linked(self, call: Call) -> Answer:
        """A file by its signed link; whatever is wrong with the link, the answer is the same 404."""
        task_id, name = call.path_values["task_id"], call.path_values["name"]
        expires = (call.query.get("expires") or [""])[-1]
        signature = (call.query.get("signature") or [""])[-1]
        if not self._links.allows(task_id, name, expires, signature):
            raise APIError(
                "not_found", "This link is not valid, or no longer. Get the task again for a new one."
            )
        return self._send(call, task_id, name, None)

    def _send(self, call: Call, task_id: str, name: str, stored: StoredFile | None) -> Answer:
        location = self._files.path(task_id, name)
        if location is None:
            raise APIError("not_found", f"The file {name!r} of task {task_id} is no longer here.")
        status = location.stat()
        size = status.st_size
        headers = {
            "cache-control": f"private, max-age={_YEAR}, immutable",
            "etag": f'"{stored.sha256}"' if stored else f'"{task_id}-{name}-{size}"',
            "content-disposition": f'inline; filename="{task_id}-{name}"',
            "x-content-type-options": "nosniff",
        }
        if stored is not None:
            digest = base64.b64encode(bytes.fromhex(stored.sha256)).decode()
            headers["repr-digest"] = f"sha-256=:{digest}:"  # RFC 9530
        if _same(call.header(b"if-none-match"), headers["etag"]):
            return Reply(b"", 304, headers, media_type=None)
        file = FileResponse(location, media_type=_media_type(name), headers=headers, stat_result=status)
        try:
            wanted = ranges.single(_range(call, file), size)
        except ranges.Unsatisfiable:
            raise APIError(
                "invalid_request",
                f"The range lies outside the file of {size} bytes.",
                status=416,
                headers=(("content-range", f"bytes */{size}"),),
            ) from None
        return _File(file, wanted)

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
                    304: Response(description="The file is what If-None-Match names."),
                },
                errors=(404, 416),
            ),
        )


class _File:
    """A file with the one range that was understood; any other Range header is as if it were not there."""

    def __init__(self, response: FileResponse, wanted: tuple[int, int] | None) -> None:
        self._response = response
        self._wanted = wanted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kept = [(name, value) for name, value in scope["headers"] if name != b"range"]
        if self._wanted is not None:
            kept.append((b"range", b"bytes=%d-%d" % self._wanted))
        await self._response({**scope, "headers": kept}, receive, send)


def _range(call: Call, file: FileResponse) -> str | None:
    """The Range header where it counts (RFC 9110, 13.2.2): on GET, and on the file that If-Range names."""
    begun = call.header(b"if-range")
    same = begun is None or begun in {file.headers["etag"], file.headers["last-modified"]}
    return call.header(b"range") if same and call.scope["method"] == "GET" else None


def _missing(task: Task, wanted: str) -> APIError:
    if not task.ended:
        return APIError("conflict", f"Task {task.id} is still {task.status}; it has no file yet.")
    if wanted == "last_frame" and task.outcome.video is not None:
        return APIError(
            "not_found", f"Task {task.id} has no last frame; ask for return_last_frame at creation."
        )
    return APIError("not_found", f"Task {task.id} ended {task.status} and has no file.")


def _media_type(name: str) -> str:
    return _MEDIA_TYPES.get(name.rpartition(".")[2], "application/octet-stream")


def _same(header: str | None, etag: str) -> bool:
    if header is None:
        return False
    return any(each.strip().removeprefix("W/") in {etag, "*"} for each in header.split(","))
