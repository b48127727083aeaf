"""A whole server with small limits, clients that hold on to it, and callers who notice nothing of them."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from ..serving import GENERATIONS, Caller, ServerProcess, error, serving

HELD = 24


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    limits = {"MESHAPI_HEAD_TIMEOUT": "1", "MESHAPI_STALL_TIMEOUT": "1", "MESHAPI_CONNECTIONS": "32"}
    with serving(tmp_path_factory.mktemp("small") / "data", **limits) as started:
        yield started


@contextlib.contextmanager
def held(server: ServerProcess, first: bytes) -> Iterator[list[socket.socket]]:
    """Connections that began a request and do not go on."""
    host, _, port = server.base_url.removeprefix("http://").partition(":")
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_connection((host, int(port)), timeout=30)) for _ in range(HELD)
        ]
        for each in sockets:
            each.sendall(first)
        yield sockets


def answer_of(client: socket.socket) -> bytes:
    """What a connection is told before it is closed."""
    got = b""
    with contextlib.suppress(ConnectionError):
        while piece := client.recv(65536):
            got += piece
    return got


@pytest.mark.parametrize("part", ["head", "body"])
def test_clients_that_do_not_go_on_are_dropped_while_others_are_served(
    server: ServerProcess, caller: Caller, part: str
) -> None:
    login = f"host: mesh\r\nauthorization: Bearer {server.api_key}\r\n"
    head = f"POST {GENERATIONS} HTTP/1.1\r\n{login}content-length: 1000\r\n"
    with held(server, head.encode() + (b"" if part == "head" else b'\r\n{"model"')) as sockets:
        for _ in range(3):
            caller.create("sandbox/stuck")
        for each in sockets:
            assert answer_of(each).startswith(b"HTTP/1.1 408 ")
    assert caller.get("/readyz").status_code == 200


def test_connections_above_the_limit_are_told_to_come_back_and_find_room_later(
    server: ServerProcess, caller: Caller
) -> None:
    caller.get("/healthz")  # a connection that is kept open
    with held(server, b"GET /healthz HTTP/1.1\r\n"), held(server, b"GET /healthz HTTP/1.1\r\n") as late:
        assert answer_of(late[-1]).startswith(b"HTTP/1.1 503 ")
        assert caller.get("/healthz").status_code == 200
    assert Caller(server.base_url, server.api_key).get(GENERATIONS).status_code == 200


def test_a_head_that_is_too_large_is_refused_in_the_envelope(caller: Caller) -> None:
    answer = caller.get(GENERATIONS, headers={"x-large": "a" * 60_000})
    error(answer, 431, "invalid_request")
    error(caller.get(f"{GENERATIONS}?status={'a' * 20_000}"), 414, "invalid_request")
