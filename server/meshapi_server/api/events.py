"""A task's changes as Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from collections.abc import AsyncIterator

import msgspec
from starlette.responses import StreamingResponse

from meshapi_server.tasks.service import TaskService
from meshapi_server.tasks.task import Task

from .call import Answer, Call
from .generations import ITEM, TASK_ID, routing_headers
from .operation import Operation, Response, header
from .view import TaskView

KEEP_ALIVE_SECONDS = 15.0
_encode = msgspec.json.Encoder().encode


class Events:
    """The event stream of one task."""

    def __init__(self, tasks: TaskService, view: TaskView, keep_alive: float = KEEP_ALIVE_SECONDS) -> None:
        self._tasks = tasks
        self._view = view
        self._keep_alive = keep_alive

    async def stream(self, call: Call) -> Answer:
        """One ``task`` event per change, the terminal one last; ``Last-Event-ID`` skips what was seen."""
        task = await self._tasks.get(call.owner, call.path_values["task_id"], by_request=call.later_version)
        # To HEAD the stream is over before it begins: its connection must not wait for the task's end.
        head = call.scope["method"] == "HEAD"
        return StreamingResponse(
            () if head else self._events(call, task.id, _last_seen(call.header(b"last-event-id"))),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no", **routing_headers(task)},
        )

    async def _events(self, call: Call, task_id: str, seen: int) -> AsyncIterator[bytes]:
        # A comment first: the client learns at once that the stream stands.
        yield b": stream of task changes\n\n"
        async for task in self._tasks.watch(call.owner, task_id, idle=self._keep_alive):
            if task is None:
                yield b": keep-alive\n\n"
            elif task.version > seen or task.ended:
                yield await self._event(call, task)

    async def _event(self, call: Call, task: Task) -> bytes:
        positions = await self._tasks.queue_positions([task])
        body = self._view.task(
            task, queue_position=positions.get(task.id), with_request_id=call.later_version
        )
        return b"id: %d\nevent: task\ndata: %s\n\n" % (task.version, _encode(body))

    def operations(self) -> tuple[Operation, ...]:
        """What this room serves."""
        return (
            Operation(
                method="GET",
                path=ITEM + "/events",
                name="watchVideoGeneration",
                summary="Watch a task's changes",
                tag="video",
                handler=self.stream,
                parameters=(
                    TASK_ID,
                    header("Last-Event-ID", "Resume behind this event.", type="string"),
                ),
                responses={
                    200: Response(
                        description="`task` events, each with the task as data; the last one is terminal.",
                        body=str,
                        media_type="text/event-stream",
                    )
                },
                errors=(403, 404, 429),
            ),
        )


def _last_seen(header: str | None) -> int:
    return int(header) if header and header.isascii() and header.isdigit() and len(header) < 18 else 0
