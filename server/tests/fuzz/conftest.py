"""What the fuzzed suites share. MESHAPI_FUZZ_EXAMPLES sets how many examples each test tries."""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import settings
from starlette.types import Message

from meshapi_server.app import Server

from ..inside import inside

EXAMPLES = int(os.environ.get("MESHAPI_FUZZ_EXAMPLES", "60"))
FUZZED = settings(max_examples=EXAMPLES)
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Answered:
    """An answer as the application gave it."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


@dataclass(frozen=True)
class Spoken:
    """A server of this process, which is spoken to below HTTP: no client tidies anything up on the way."""

    server: Server
    runner: asyncio.Runner
    secret: str

    def ask(
        self, method: str, path: str, *, query: bytes = b"", headers: Headers | None = None, body: bytes = b""
    ) -> Answered:
        """Ask with a valid key. What the server does not survive is raised here."""
        login = (b"authorization", f"Bearer {self.secret}".encode())
        return self.runner.run(self._ask(method, path, query, [login, *(headers or [])], body))

    async def _ask(self, method: str, path: str, query: bytes, headers: Headers, body: bytes) -> Answered:
        sent: list[Message] = []
        pieces = [body[: len(body) // 2], body[len(body) // 2 :]]

        async def receive() -> Message:
            if not pieces:
                return {"type": "http.disconnect"}
            piece = pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

        async def send(message: Message) -> None:
            sent.append(message)

        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query,
            "root_path": "", "headers": headers, "client": ("127.0.0.1", 1), "server": ("inside", 80),
        }  # fmt: skip
        async with asyncio.timeout(60):
            await self.server.app(scope, receive, send)
        start, *rest = sent
        content = b"".join(message.get("body", b"") for message in rest)
        return Answered(start["status"], dict(start["headers"]), content)


def sound(answer: Answered) -> None:
    """An answer that tells what is wrong, in the envelope, and never that the server is."""
    assert answer.status < 500 or answer.status == 503, answer
    if answer.status >= 400:
        told = json.loads(answer.body)
        assert set(told) == {"error", "request_id"}, told
        assert told["error"]["message"]
        assert answer.headers[b"x-request-id"].decode() == told["request_id"]
        assert "Traceback" not in told["error"]["message"]


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spoken]:
    """One server for a module."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        opened = runner.run(stack.enter_async_context(inside(tmp_path_factory.mktemp("fuzz") / "data")))
        secret, _ = runner.run(opened.server.keys.create("fuzz"))
        yield Spoken(opened.server, runner, secret)
        runner.run(stack.aclose())
