"""A web server with limits of a test's own in this process, and a client that types byte by byte."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from starlette.types import Receive, Scope, Send

from meshapi_server.connections.limits import Limits
from meshapi_server.connections.web_server import WebServer

PATIENCE = 20.0  # s after which a wait is a failure


@dataclass
class App:
    """Answers ``/big`` with 64 MiB, ``/held`` when it is let go, and everything else with the body's size."""

    asked: list[str] = field(default_factory=list)
    trailers_seen: bool = False
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        self.asked.append(scope["path"])
        if scope["path"] == "/held":
            await self.let_go.wait()
        size, more = 0, scope["path"] != "/early"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
        self.trailers_seen |= any(name == b"late" for name, _ in scope["headers"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1024 if scope["path"] == "/big" else 0):
            await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})
        await send({"type": "http.response.body", "body": str(size).encode()})


@dataclass
class Typist:
    """One connection, typed by hand."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def type(self, text: bytes) -> None:
        self.writer.write(text)
        await self.writer.drain()

    async def rest(self) -> bytes:
        """Everything until the server closes; a connection that stays open is a failure."""
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionError):
                return await self.reader.read()
        return b""

    async def answer(self) -> bytes:
        """One answer without a length of its own: to the end of the chunks."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.readuntil(b"0\r\n\r\n")

    async def drip(self, piece: bytes, every: float) -> bytes:
        """Type on and on until the server says something or closes; all that it said."""
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionError):
                while True:
                    await self.type(piece)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(every):
                            said = await self.reader.read(65536)
                            return said + await self.rest()
        return b""


@dataclass
class Site:
    """A running server."""

    app: App
    server: WebServer
    port: int
    stopped: list[str]

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[Typist]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Typist(reader, writer)
        finally:
            writer.close()

    async def status(
        self, request: bytes = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    ) -> bytes:
        """The first line of the answer to a request on a connection of its own."""
        async with self.connected() as typist:
            await typist.type(request)
            return (await typist.rest()).partition(b"\r\n")[0]

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds():  # noqa: ASYNC110 - what is waited for has no event of its own
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def site(limits: Limits) -> AsyncIterator[Site]:
    """A server with these limits, gone when the block ends."""
    app, stopped = App(), list[str]()
    server = WebServer(app, limits, lambda: stopped.append("stopping"))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        running = Site(app, server, listener.getsockname()[1], stopped)
        await running.until(lambda: server.started)
        try:
            yield running
        finally:
            app.let_go.set()
            server.should_exit = True
            await serving
