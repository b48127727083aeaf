"""Is the process alive, and can it serve?"""

from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec
from msgspec import Struct

from .call import Answer, Call, Reply
from .errors import APIError
from .operation import Operation, Response

_encode = msgspec.json.Encoder().encode
Check = Callable[[], Awaitable[None]]


class Health(Struct, frozen=True):
    """A sign of life."""

    status: Literal["ok"]
    version: str


class HealthCheck:
    """Liveness, and readiness by asking what the server needs."""

    def __init__(self, version: str, ready: Check) -> None:
        self._body = _encode(Health("ok", version))
        self._ready = ready

    async def alive(self, call: Call) -> Answer:
        """The process answers."""
        return Reply(self._body)

    async def ready(self, call: Call) -> Answer:
        """The store answers and the worker runs; 503 otherwise."""
        try:
            await self._ready()
        except Exception as fault:
            raise APIError("provider_not_available", "The server is not ready to serve.") from fault
        return Reply(self._body)

    def operations(self) -> tuple[Operation, ...]:
        """What this room serves."""
        return tuple(
            Operation(
                method="GET",
                path=path,
                name=name,
                summary=summary,
                tag="health",
                handler=handler,
                login=False,
                responses={200: Response(description="Yes.", body=Health)},
                errors=errors,
            )
            for path, name, summary, handler, errors in (
                ("/healthz", "isAlive", "Is the process alive?", self.alive, ()),
                ("/readyz", "isReady", "Can the server serve?", self.ready, (503,)),
            )
        )
