"""A receiver of callbacks that does what a test tells it: answer, fail, hang, redirect, break off."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

PATIENCE = 20  # s of real time, after which a wait for something is a failure

Behaviour = str
"""``200`` and other numbers: that status. ``reset``, ``close``, ``hang``, ``garbage``, or ``302 URL``;
``429 after 90`` says when to come back."""


@dataclass(frozen=True)
class Received:
    """One request, as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class Receiver:
    """An HTTP server on loopback. Requests to ``/name`` follow the script of that name, then answer 204."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.hanging = 0
        self.most_hanging = 0
        self._scripts: dict[str, list[Behaviour]] = {}
        self._port = 0

    def url(self, name: str = "hook", *script: Behaviour, host: str = "127.0.0.1") -> str:
        """The URL of a hook that behaves so, request by request."""
        self._scripts[f"/{name}"] = list(script)
        return f"http://{host}:{self._port}/{name}"

    def at(self, name: str) -> list[Received]:
        """What came for a hook."""
        return [each for each in self.received if each.path == f"/{name}"]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait, in real time, until something is so."""
        async with asyncio.timeout(PATIENCE):
            while not holds():  # noqa: ASYNC110 - what is waited for has no event of its own
                await asyncio.sleep(0.005)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            request = await _read(reader)
            self.received.append(request)
            script = self._scripts.get(request.path, [])
            await self._behave(script.pop(0) if script else "204", reader, writer)
        writer.close()

    async def _behave(
        self, behaviour: Behaviour, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if behaviour == "reset":
            writer.transport.abort()
        elif behaviour == "hang":
            self.hanging += 1
            self.most_hanging = max(self.most_hanging, self.hanging)
            try:
                await reader.read()  # until the other side gives up
            finally:
                self.hanging -= 1
        elif behaviour == "garbage":
            writer.write(b"what is this?\r\n\r\n")
            await writer.drain()
        elif behaviour != "close":
            status, _, place = behaviour.partition(" ")
            name = "retry-after" if place.startswith("after ") else "location"
            location = f"{name}: {place.removeprefix('after ')}\r\n" if place else ""
            head = f"HTTP/1.1 {status} x\r\n{location}content-length: 0\r\nconnection: close\r\n\r\n"
            writer.write(head.encode())
            await writer.drain()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Receiver"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    line, *lines = head.rstrip("\r\n").split("\r\n")
    headers = {name.lower(): value for name, value in (each.split(": ", 1) for each in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(line.split(" ")[1], headers, body)
