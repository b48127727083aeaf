"""A real proxy that loses the answer to a create after the server has given it."""

import http.client
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self, get_args
from urllib.parse import urlsplit

Manner = Literal["reset", "close", "half", "bad_gateway"]
MANNERS: tuple[Manner, ...] = get_args(Manner)
GENERATIONS = "/v1/video/generations"
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class CuttingProxy:
    """Passes everything on to one server; the answers to the first ``cuts`` creates are lost.

    ``manner`` is what the client meets then: ``reset``, as when a proxy dies; ``close``, as when it is
    stopped; ``half`` of the answer; or ``bad_gateway``, a page of the proxy's own. ``creates`` holds the
    idempotency key of every create that was passed on, and ``answered`` the status that the server gave it.
    """

    def __init__(self, upstream: str, *, cuts: int, manner: Manner) -> None:
        self.creates: list[str | None] = []
        self.answered: list[int] = []
        self._upstream = urlsplit(upstream).netloc
        self._cuts = cuts
        self._manner = manner
        self._mutex = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (ConnectionError, TimeoutError):
                    self.close_connection = True

            def _any(self) -> None:
                proxy._pass_on(self)

            do_GET = do_POST = do_DELETE = _any  # noqa: N815 - the names http.server looks for

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - its name there
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _pass_on(self, asked: BaseHTTPRequestHandler) -> None:
        body = asked.rfile.read(int(asked.headers.get("content-length") or 0))
        upstream = http.client.HTTPConnection(self._upstream, timeout=60)
        try:
            headers = {
                name: value for name, value in asked.headers.items() if name.lower() not in _HOP_BY_HOP
            }
            upstream.request(asked.command, asked.path, body or None, headers)
            answer = upstream.getresponse()
            told = answer.read()  # the server has done its work, and said so
        finally:
            upstream.close()
        if asked.command == "POST" and asked.path == GENERATIONS and self._is_cut(asked, answer.status):
            self._lose(asked, told)
            return
        asked.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {*_HOP_BY_HOP, "server", "date"}:
                asked.send_header(name, value)
        asked.send_header("Content-Length", str(len(told)))
        asked.end_headers()
        asked.wfile.write(told)

    def _is_cut(self, asked: BaseHTTPRequestHandler, status: int) -> bool:
        with self._mutex:
            self.creates.append(asked.headers.get("idempotency-key"))
            self.answered.append(status)
            self._cuts -= 1
            return self._cuts >= 0

    def _lose(self, asked: BaseHTTPRequestHandler, told: bytes) -> None:
        asked.close_connection = True
        match self._manner:
            case "reset":
                # SO_LINGER of zero makes the close a reset.
                asked.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                asked.connection.close()
            case "half":
                asked.send_response(200)
                asked.send_header("Content-Type", "application/json")
                asked.send_header("Content-Length", str(len(told)))
                asked.end_headers()
                asked.wfile.write(told[: len(told) // 2])
            case "bad_gateway":
                page = b"<html><h1>502 Bad Gateway</h1></html>"
                asked.send_response(502)
                asked.send_header("Content-Type", "text/html")
                asked.send_header("Content-Length", str(len(page)))
                asked.end_headers()
                asked.wfile.write(page)
