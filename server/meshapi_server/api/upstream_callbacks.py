"""Where upstreams announce that a task changed. The announcement is never believed: the task is looked at."""

from typing import Protocol

from meshapi_server.tasks.service import TaskService

from .call import Answer, Call, Reply
from .errors import APIError
from .operation import Operation, Response, path

PATH = "/v1/upstreams/{upstream}/callbacks/{task_id}/{signature}"


class Genuine(Protocol):
    """Tells URLs that this server made from others."""

    def allows(self, upstream: str, task_id: str, signature: str) -> bool:
        """True for a URL of ours."""
        ...


class UpstreamCallbacks:
    """Takes announcements of any form: their content plays no part."""

    def __init__(self, tasks: TaskService, urls: Genuine) -> None:
        self._tasks = tasks
        self._urls = urls

    async def announce(self, call: Call) -> Answer:
        """Have the task looked at now."""
        values = call.path_values
        if not self._urls.allows(values["upstream"], values["task_id"], values["signature"]):
            raise APIError("not_found", "There is nothing at this address.")
        await call.body()
        await self._tasks.wake(values["task_id"])
        return Reply(b"{}")

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
