"""Where upstreams announce that a task changed. The announcement is never believed: the task is looked at."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from meshapi_server.tasks.service import TaskService

from .call import Answer, Call, Reply
from .errors import APIError
from .operation import Operation, Response, path

PATH = "/v1/upstreams/{upstream}/callbacks/{task_id}/{signature}"


class Noted(Protocol):
    """The answer that an upstream wants."""

    @property
    def status(self) -> int:
        """HTTP status."""
        ...

    @property
    def body(self) -> bytes:
        """The whole body."""
        ...

    @property
    def media_type(self) -> str:
        """Its media type."""
        ...


Genuine = Callable[[str, str, str], bool]
"""Whether the URL of (upstream, task id, signature) was made by this server."""

Receive = Callable[[str, Call, bytes], Awaitable[Noted | None]]
"""Check the callback of an upstream; None when it was forged."""


class UpstreamCallbacks:
    """Takes announcements of any form: their content plays no part in what becomes of the task."""

    def __init__(self, tasks: TaskService, genuine: Genuine, receive: Receive) -> None:
        self._tasks = tasks
        self._genuine = genuine
        self._receive = receive

    async def announce(self, call: Call) -> Answer:
        """Have the task looked at now."""
        values = call.path_values
        upstream, task_id = values["upstream"], values["task_id"]
        if not self._genuine(upstream, task_id, values["signature"]):
            raise _missing()
        noted = await self._receive(upstream, call, await call.body())
        if noted is None:
            raise _missing()
        await self._tasks.wake(task_id)
        return Reply(noted.body, noted.status, media_type=noted.media_type)

    def operations(self) -> tuple[Operation, ...]:
        """What this room serves."""
        return (
            Operation(
                method="POST",
                path=PATH,
                name="announceUpstreamChange",
                summary="For upstreams: announce that a task changed",
                tag="upstreams",
                handler=self.announce,
                login=False,
                parameters=(
                    path("upstream", "The upstream's name.", type="string"),
                    path("task_id", "The task's id.", type="string"),
                    path("signature", "Proves that this server made the URL.", type="string"),
                ),
                responses={200: Response(description="Noted.", body=dict)},
                errors=(404, 413),
            ),
        )


def _missing() -> APIError:
    return APIError("not_found", "There is nothing at this address.")
