"""A stored file as an answer: whole or one range, block by block, never more than a block in memory."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from starlette.types import Receive, Scope, Send


class FileAnswer:
    """Sends ``blocks``, of which ``begun`` is the first; ``length`` is how many bytes they are together.

    A storage that breaks off closes the connection, so that nobody takes the part for the whole.
    """

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        length: int,
        begun: bytes,
        blocks: AsyncGenerator[bytes, None] | None,
    ) -> None:
        self._status = status
        self._headers = {**headers, "content-length": str(length)}
        self._begun = begun
        self._blocks = blocks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and the blocks, as fast as the caller takes them and no faster."""
        gone = asyncio.create_task(_gone(receive))
        try:
            headers = [
                (name.encode("latin-1"), value.encode("latin-1")) for name, value in self._headers.items()
            ]
            await send({"type": "http.response.start", "status": self._status, "headers": headers})
            await self._send_body(send, gone)
        finally:
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await gone
            if self._blocks is not None:
                await self._blocks.aclose()

    async def _send_body(self, send: Send, gone: "asyncio.Task[None]") -> None:
        if self._blocks is not None:
            block = self._begun
            while block and not gone.done():
                await send({"type": "http.response.body", "body": block, "more_body": True})
                block = await anext(self._blocks, b"")
            if gone.done():
                return
        await send({"type": "http.response.body", "body": b""})


async def _gone(receive: Receive) -> None:
    """Return when the caller has closed the connection: what is sent then goes nowhere, and says nothing."""
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            return
