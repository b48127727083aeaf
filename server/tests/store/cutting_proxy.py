"""Stands between a client and PostgreSQL, and cuts the connection at a COMMIT when it is told to."""

import asyncio
from collections.abc import Callable
from typing import Literal

Moment = Literal["before", "after"]

_COMMIT = b"commit\0"  # the end of the simple query that commits


class CuttingProxy:
    """Forwards everything. The next ``cuts`` commits are lost: before the database saw them, or after."""

    def __init__(self, port: int) -> None:
        self._database = port
        self._server: asyncio.Server | None = None
        self._cuts: list[Moment] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.cut = 0
        self.port = 0

    async def start(self) -> "CuttingProxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def lose(self, *moments: Moment) -> None:
        """Cut the connection at each of the next commits."""
        self._cuts += moments

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        database, to_database = await asyncio.open_connection("127.0.0.1", self._database)
        answers = asyncio.ensure_future(self._copy(database, to_client))
        self._tasks.add(answers)

        def cut() -> None:
            answers.cancel()
            to_client.transport.abort()

        requests = asyncio.ensure_future(self._requests(client, database, to_database, answers, cut))
        self._tasks.add(requests)
        await asyncio.wait({answers, requests}, return_when=asyncio.FIRST_COMPLETED)
        to_client.close()
        to_database.close()

    async def _requests(
        self,
        client: asyncio.StreamReader,
        database: asyncio.StreamReader,
        to_database: asyncio.StreamWriter,
        answers: "asyncio.Future[None]",
        cut: Callable[[], None],
    ) -> None:
        while data := await client.read(65536):
            if _COMMIT in data and self._cuts:
                moment = self._cuts.pop(0)
                self.cut += 1
                if moment == "after":
                    answers.cancel()
                    await asyncio.gather(answers, return_exceptions=True)
                    to_database.write(data)
                    assert b"COMMIT" in await database.read(65536)
                cut()
                return
            to_database.write(data)
            await to_database.drain()

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
