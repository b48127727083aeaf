"""A real HTTP server on a loopback port that plays a script, and remembers what it was asked."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Asked:
    """A request as it arrived; header names in lower case."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass
class Say:
    """An answer. ``chunks`` are flushed one by one, ``pause`` seconds apart; ``cut`` then breaks the line."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    chunks: Iterable[bytes] | None = None
    pause: float = 0.0
    delay: float = 0.0
    cut: bool = False
    length: int | None = None


class Hangup:
    """Instead of an answer: reset the connection after the request was read."""


class ScriptedServer:
    """Answers requests from ``script`` in order, or by ``handler``; ``asked`` lists what came."""

    def __init__(self) -> None:
        self.script: list[Say | Hangup] = []
        self.handler: Callable[[Asked], Say | Hangup] | None = None
        self.asked: list[Asked] = []
        self._lock = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 20
            disable_nagle_algorithm = True

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (ConnectionError, TimeoutError):
                    self.close_connection = True

            def _any(self) -> None:
                owner.answer(self)

            do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _any  # noqa: N815 - the names http.server looks for

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def play(self, *answers: Say | Hangup) -> None:
        """Add answers to the script."""
        self.script += answers

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Read one request, note it, answer it."""
        parts = urlsplit(handler.path)
        length = int(handler.headers.get("content-length") or 0)
        asked = Asked(
            handler.command,
            parts.path,
            parse_qsl(parts.query, keep_blank_values=True),
            {name.lower(): value for name, value in handler.headers.items()},
            handler.rfile.read(length),
        )
        with self._lock:
            self.asked.append(asked)
            if self.handler is not None:
                say: Say | Hangup = Say(500, {"error": {"message": "the handler chose nothing"}})
            else:
                say = (
                    self.script.pop(0) if self.script else Say(599, {"error": {"message": "script is over"}})
                )
        if self.handler is not None:
            say = self.handler(asked)
        if isinstance(say, Hangup):
            self._reset(handler)
        else:
            self._say(handler, say)

    def _say(self, handler: BaseHTTPRequestHandler, say: Say) -> None:
        time.sleep(say.delay)
        body = say.body if isinstance(say.body, bytes) else json.dumps(say.body).encode()
        handler.send_response(say.status)
        headers = {"Content-Type": "application/json", **say.headers}
        if say.chunks is None:
            headers["Content-Length"] = str(len(body) if say.length is None else say.length)
        else:
            headers.setdefault("Connection", "close")
            if say.length is not None:
                headers["Content-Length"] = str(say.length)
            handler.close_connection = True
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        for index, chunk in enumerate(say.chunks if say.chunks is not None else [body]):
            if index:
                time.sleep(say.pause)
            handler.wfile.write(chunk)
            handler.wfile.flush()
        if say.cut:
            self._reset(handler)

    @staticmethod
    def _reset(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        # SO_LINGER of zero makes the close a reset, as when a proxy dies.
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
