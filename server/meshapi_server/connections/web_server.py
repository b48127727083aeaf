"""The web server: uvicorn, with bounded connections and an end that does not wait for those who wait."""

import resource
import socket
from collections.abc import Callable

import structlog
import uvicorn
from msgspec.structs import replace
from starlette.types import ASGIApp

from .limits import Limits
from .protocol import limited

log = structlog.get_logger("meshapi.connections")

_KEEP_ALIVE = 75  # s; longer than the idle time of the usual proxies, so that they close first
_LAST_ANSWERS = 5  # s that answers under way are given when the server stops
_OTHER_FILES = 256  # descriptors for the database, files being sent, upstreams and callbacks


class WebServer(uvicorn.Server):
    """``stopping`` is called as soon as the server is to stop, before it waits for answers under way."""

    def __init__(self, app: ASGIApp, limits: Limits, stopping: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=limited(within_files(limits)),
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # nobody asks from where or by what scheme a request came
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=_LAST_ANSWERS,
            )
        )
        self._stopping = stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let those who wait for a change go first."""
        self._stopping()
        await super().shutdown(sockets)


def within_files(limits: Limits) -> Limits:
    """The limits, with no more connections than the process may have files open. Raises that bound first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.connections + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return limits
    fewer = max(16, soft - _OTHER_FILES)
    log.warning("fewer connections than asked for: raise the limit of open files", connections=fewer)
    return replace(limits, connections=fewer)
