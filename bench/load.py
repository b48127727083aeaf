"""A closed-loop HTTP/1.1 load on loopback: N connections, each sends when its last answer is complete."""

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """What a load measured. ``latencies`` are seconds, sorted."""

    requests: int
    seconds: float
    latencies: tuple[float, ...]
    statuses: dict[int, int]

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    def at(self, quantile: float) -> float:
        """A latency quantile in milliseconds."""
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * quantile))] * 1000


class _Connection(asyncio.Protocol):
    def __init__(self, request: bytes, end: float, latencies: list[float], statuses: dict[int, int]) -> None:
        self.request, self.end = request, end
        self.latencies, self.statuses = latencies, statuses
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._send()

    def _send(self) -> None:
        self.started = time.perf_counter()
        self.transport.write(self.request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, mark, rest = self.buffer.partition(b"\r\n\r\n")
        if not mark:
            return
        start = head.lower().find(b"content-length:")
        length = int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
        if len(rest) < length:
            return
        self.buffer = b""
        status = int(head[9:12])
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.latencies.append(time.perf_counter() - self.started)
        if time.perf_counter() < self.end:
            self._send()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)


def request(method: str, path: str, port: int, *, key: str = "", body: bytes = b"") -> bytes:
    """The bytes of one request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    if key:
        lines.append(f"Authorization: Bearer {key}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def load(port: int, message: bytes | Sequence[bytes], connections: int, seconds: float) -> Load:
    """Send ``message`` over ``connections`` connections to 127.0.0.1 for ``seconds``; each its own."""
    messages = itertools.cycle([message] if isinstance(message, bytes) else message)
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    statuses: dict[int, int] = {}
    began = time.perf_counter()
    made = [
        await loop.create_connection(
            lambda: _Connection(next(messages), began + seconds, latencies, statuses), "127.0.0.1", port
        )
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.closed for _, protocol in made))
    took = time.perf_counter() - began
    return Load(len(latencies), took, tuple(sorted(latencies)), statuses)
