"""A receiver of callbacks for tests that run whole servers."""

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE = 60  # s of real time, after which a wait for something is a failure


class Hook:
    """A receiver on a thread; while ``holding`` it answers nobody."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, str], bytes]] = []
        self.holding = threading.Event()
        self.go_on = threading.Event()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                hook.received.append((self.path, headers, body))
                if hook.holding.is_set():
                    hook.go_on.wait(30)
                    return
                self.send_response(500 if self.path.startswith("/fails") else 204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def close(self) -> None:
        """Let go of everybody and stop."""
        self.go_on.set()
        self.server.shutdown()
        self.server.server_close()

    def at(self, path: str) -> list[tuple[dict[str, str], bytes]]:
        return [(headers, body) for where, headers, body in list(self.received) if where == path]

    def wait(self, path: str, count: int = 1) -> list[tuple[dict[str, str], bytes]]:
        """What came to a path, once there is so much of it."""
        until(lambda: len(self.at(path)) >= count)
        return self.at(path)


def until(holds: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
