"""Looking up the names of destinations, on threads of its own.

A name server that never answers holds a thread for half a minute. On the threads that everything else uses
a few such names would stop the server.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

_THREADS = 64


class Names(AbstractResolver):
    """Resolves by the system's own rules."""

    def __init__(self, threads: int = _THREADS) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="callback-names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Every address of a name. Raises OSError."""

        def look() -> list[ResolveResult]:
            return [
                ResolveResult(
                    hostname=host,
                    host=str(place[0]),
                    port=int(place[1]),
                    family=kind,
                    proto=protocol,
                    flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
                )
                for kind, _, protocol, _, place in socket.getaddrinfo(
                    host, port, family=family, type=socket.SOCK_STREAM
                )
            ]

        return await asyncio.get_running_loop().run_in_executor(self._threads, look)

    async def close(self) -> None:
        """Wait for nothing: whoever still looks something up is of no use any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
