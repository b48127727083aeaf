"""Bytes on a connection: whatever they are, in whatever pieces, the parser's owner survives them."""

import asyncio
import json

from hypothesis import given
from hypothesis import strategies as some
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from meshapi_server.connections.limits import Limits
from meshapi_server.connections.protocol import limited

from .conftest import FUZZED

PIECES = [
    b"GET ", b"POST ", b"/", b"/v1/models?a=b", b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b"\r\n", b"\r\n\r\n",
    b"host: a\r\n", b"content-length: 5\r\n", b"content-length: 99999999999999999999\r\n", b"hello", b"5\r\n",
    b"transfer-encoding: chunked\r\n", b"0\r\n\r\n", b"ffffffffffffffff\r\n", b";ext=1", b"\n", b" ", b":",
    b"connection: upgrade\r\nupgrade: websocket\r\n", b"expect: 100-continue\r\n", b"trailer: x\r\n",
    b"connection: close\r\n", b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", b"CONNECT a:1 HTTP/1.1\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]  # fmt: skip
streams = some.lists(some.sampled_from(PIECES) | some.binary(max_size=12), max_size=14)


class Wire(asyncio.Transport):
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = self.ended = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert {self.closed, self.ended} == {False}, "something was written behind the last word"
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    abort = close

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        return None

    resume_reading = pause_reading


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the whole body, then answer."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def spoken_to(pieces: list[bytes]) -> Wire:
    """What a connection answers to these pieces, one read each."""
    state = ServerState()
    config = Config(answer, ws="none", log_config=None, lifespan="off")
    wire, faults = Wire(), list[str]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(str(context)))
    connection = limited(Limits(target=64, head=128, headers=8))(config, state, {})
    connection.connection_made(wire)
    for piece in pieces:
        connection.data_received(piece)
        for _ in range(6):
            await asyncio.sleep(0)
    connection.connection_lost(None)
    await asyncio.gather(*state.tasks)
    assert faults == []
    assert not state.connections
    assert not connection.addresses
    return wire


@FUZZED
@given(streams)
def test_no_bytes_break_a_connection(pieces: list[bytes]) -> None:
    wire = asyncio.run(spoken_to(pieces))
    assert wire.written == b"" or wire.written.startswith(b"HTTP/1.1 ")
    if b"HTTP/1.1 4" in wire.written:
        assert wire.closed or wire.ended
        assert json.loads(wire.written.rpartition(b"\r\n\r\n")[2])["error"]["code"] == "invalid_request"


@FUZZED
@given(some.lists(some.integers(1, 40), max_size=40))
def test_a_request_is_understood_in_whatever_pieces_it_comes(sizes: list[int]) -> None:
    rest = b"POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello" * 2
    pieces = []
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]
    wire = asyncio.run(spoken_to([*filter(None, pieces), *([rest] if rest else [])]))
    assert wire.written.count(b"HTTP/1.1 204 ") == 2
