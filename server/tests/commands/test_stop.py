"""SIGTERM while callers wait: they are answered at once, and the server has nobody to cut off."""

import json
import socket
from pathlib import Path

import pytest

from ..serving import GENERATIONS, Caller, ServerProcess

CUT_OFF = "timeout graceful shutdown exceeded"  # what the web server says when it gives up on answers


class Asked:
    """A request on a connection of its own, sent and not yet answered."""

    def __init__(self, server: ServerProcess, target: str) -> None:
        host, _, port = server.base_url.removeprefix("http://").partition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=30)
        head = f"GET {target} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {server.api_key}\r\n\r\n"
        self._socket.sendall(head.encode())

    def until(self, words: bytes) -> bytes:
        """What comes up to these words."""
        got = b""
        while words not in got:
            piece = self._socket.recv(65536)
            assert piece, got
            got += piece
        return got

    def rest(self) -> bytes:
        """What comes until the server closes; a connection that is reset is a failure."""
        got = b""
        while piece := self._socket.recv(65536):
            got += piece
        self._socket.close()
        return got


@pytest.mark.slow
def test_those_who_wait_for_a_task_are_answered_when_the_server_stops(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data").start()
    caller = Caller(server.base_url, server.api_key)
    task = caller.create("sandbox/stuck")
    caller.until(task, lambda found: found["status"] == "running")
    path = f"{GENERATIONS}/{task['id']}"
    watching, waiting = Asked(server, f"{path}/events"), Asked(server, f"{path}?wait=60")
    watching.until(b"event: task")
    for _ in range(5):  # what is answered now was asked later
        assert caller.get("/healthz").status_code == 200
    assert server.terminate() == 0
    assert watching.rest().endswith(b"0\r\n\r\n"), "the stream ended in the middle"
    head, _, body = waiting.rest().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert json.loads(body)["status"] == "running"
    assert CUT_OFF not in server.stderr
    assert "Traceback" not in server.stderr
    caller.http.close()
