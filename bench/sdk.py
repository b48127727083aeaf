"""What the Python SDK costs beside its own HTTP library and beside the published 0.1.x SDK; and its import.

    .venv/bin/python bench/sdk.py [--calls 1000] [--rounds 9] [--only retrieve|concurrent|import]

The server is a raw socket loop in a process of its own, so that only the client's CPU is counted. The
candidates take turns in every round; the ratio is taken within a round and the median of the rounds is
told. "Bare" is httpx2's own client and `json.loads`, with the same headers, against the same server. The
published SDK has the same name as ours, so it answers from an interpreter of its own (`sdk_official.py`).
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import httpx2

from meshapi import AsyncMeshAPI, MeshAPI

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "sdk"))

from official import installed

HERE = Path(__file__).parent

TASK = {
    "id": "task_01K5A9Q8ZJ3V7T1N2M4P6R8S0W",
    "status": "running",
    "model": "mesh/diorama-1",
    "error": None,
    "content": None,
    "created_at": 1785585600,
    "updated_at": 1785585605,
    "completed_at": None,
    "expires_at": 1785758400,
    "progress": 0.42,
    "queue_position": None,
    "seed": 42,
    "resolution": "720p",
    "ratio": "16:9",
    "duration": 5,
    "frames": 120,
    "framespersecond": 24,
    "generate_audio": True,
    "safety_identifier": None,
    "priority": 5,
    "draft": False,
    "draft_task_id": None,
    "service_tier": "default",
    "execution_expires_after": 172800,
    "usage": None,
    "cost_usd": None,
    "metadata": {"shot": "7"},
}
KEY = "rsk_0123456789ABCDEFGHJKMNPQRS"


def _serve(port: "multiprocessing.Queue[int]") -> None:
    """Answers every request on every connection with the same task."""
    body = json.dumps(TASK, separators=(",", ":")).encode()
    answer = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        b"X-Request-Id: req_01K5A9Q8ZJ3V7T1N2M4P6R8S0W\r\n"
        b"X-Mesh-Version: 2026-08\r\nX-Mesh-Idempotency: supported\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )

    class Answering(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(answer)  # type: ignore[attr-defined]  # a GET fits one segment here

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
        port.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def _cpu_us(call: Callable[[], object], calls: int) -> float:
    started = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - started) / calls * 1e6


@dataclass(frozen=True)
class Took:
    """What a number of calls took: seconds by the clock and of CPU, each per call."""

    seconds: float
    cpu: float


async def _took(call: Callable[[], Awaitable[object]], calls: int, at_once: int) -> Took:
    share = calls // at_once

    async def worker() -> None:
        for _ in range(share):
            await call()

    cpu, started = time.process_time(), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    made = share * at_once
    return Took((time.perf_counter() - started) / made, (time.process_time() - cpu) / made)


class Published:
    """The published SDK in its own process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def take(self, calls: int, at_once: int) -> Took:
        """Have it make that many calls."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{calls} {at_once}\n")
        stdin.flush()
        told = json.loads(stdout.readline())
        return Took(told["seconds"] / calls, told["cpu"] / calls)


@contextlib.contextmanager
def _published(base: str) -> Iterator[Published]:
    command = [installed().python, "-P", str(HERE / "sdk_official.py"), base, KEY, str(TASK["id"])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Published(process)
        assert process.stdin is not None
        process.stdin.close()


def _headers() -> dict[str, str]:
    return {
        "Authorization": f"Bearer {KEY}",
        "Accept": "application/json",
        "User-Agent": "bench",
        "X-MeshAPI-SDK": "bench",
    }


def _sync_round(base: str, calls: int) -> dict[str, float]:
    url = f"{base}/v1/video/generations/{TASK['id']}"
    with httpx2.Client(headers=_headers(), timeout=60) as bare, MeshAPI(base_url=base, token=KEY) as client:
        candidates = {
            "bare": lambda: json.loads(bare.get(url).content),
            "meshapi": lambda: client.videos.retrieve(str(TASK["id"])),
        }
        for call in candidates.values():
            _cpu_us(call, 20)
        return {name: _cpu_us(call, calls) for name, call in candidates.items()}


async def _async_round(base: str, calls: int, at_once: int, published: Published) -> dict[str, Took]:
    url = f"{base}/v1/video/generations/{TASK['id']}"
    limits = httpx2.Limits(max_connections=1000, max_keepalive_connections=100)
    async with (
        httpx2.AsyncClient(headers=_headers(), timeout=60, limits=limits) as bare,
        AsyncMeshAPI(base_url=base, token=KEY) as client,
        aiohttp.ClientSession() as session,
        AsyncMeshAPI(base_url=base, token=KEY, http_client=session) as over_aiohttp,
    ):

        async def bare_call() -> object:
            return json.loads((await bare.get(url)).content)

        async def sdk_call() -> object:
            return await client.videos.retrieve(str(TASK["id"]))

        async def aiohttp_call() -> object:
            return await over_aiohttp.videos.retrieve(str(TASK["id"]))

        candidates = {"bare": bare_call, "meshapi": sdk_call, "meshapi[aiohttp]": aiohttp_call}
        for call in candidates.values():
            await _took(call, 2 * at_once, at_once)
        found = {name: await _took(call, calls, at_once) for name, call in candidates.items()}
        published.take(2 * at_once, at_once)
        return {**found, "0.1.x": published.take(calls, at_once)}


def _import_seconds(code: str) -> float:
    """CPU of a fresh interpreter that runs ``code``, less one that runs nothing."""
    script = f"import time; t = time.process_time(); {code}; print(time.process_time() - t)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return float(done.stdout)


def _tell(title: str, rounds: list[dict[str, float]], unit: str, over: str, under: str, target: str) -> None:
    """One line: the medians, and the ratio of two of them within a round."""
    figures = ", ".join(
        f"{name} {statistics.median(each[name] for each in rounds):.1f} {unit}" for name in rounds[0]
    )
    ratios = [each[over] / each[under] for each in rounds]
    print(
        f"{title}: {figures}; {over} / {under} = {statistics.median(ratios):.2f}"
        f" [{min(ratios):.2f}-{max(ratios):.2f}], target {target}"
    )


def _retrieve(base: str, calls: int, rounds: int) -> None:
    results = [_sync_round(base, calls) for _ in range(rounds)]
    _tell("retrieve, sync, CPU per call", results, "us", "meshapi", "bare", "< 1.3")


def _concurrent(base: str, calls: int, rounds: int) -> None:
    with _published(base) as published:
        for at_once in (1, 50):
            results = [asyncio.run(_async_round(base, calls, at_once, published)) for _ in range(rounds)]
            cpu = [{name: took.cpu * 1e6 for name, took in each.items()} for each in results]
            _tell(f"retrieve, async, {at_once} at once, CPU per call", cpu, "us", "meshapi", "bare", "< 1.3")
            rates = [{name: 1 / took.seconds for name, took in each.items()} for each in results]
            _tell(f"retrieve, async, {at_once} at once, rate", rates, "/s", "meshapi", "0.1.x", ">= 2 at 50")
            _tell(
                f"retrieve, async, {at_once} at once, rate",
                rates,
                "/s",
                "meshapi[aiohttp]",
                "0.1.x",
                ">= 8 at 50",
            )


IMPORTS = {
    "httpx2 + pydantic with one model": (
        "import httpx2, pydantic; type('M', (pydantic.BaseModel,), {'__annotations__': {'x': int}})"
    ),
    "a client of meshapi": "from meshapi import MeshAPI, VideoGenerationParams, VideoContentItem",
    "meshapi alone": "import meshapi",
}


def _imports(rounds: int) -> None:
    """In each round all of them, in an order of chance: whoever comes first would find cold caches."""
    measured: list[dict[str, float]] = []
    for _ in range(rounds):
        names = list(IMPORTS)
        random.shuffle(names)
        found = {name: _import_seconds(IMPORTS[name]) * 1e3 for name in names}
        measured.append({name: found[name] for name in IMPORTS})
    bare = "httpx2 + pydantic with one model"
    _tell("import, CPU", measured, "ms", "a client of meshapi", bare, "< 1.2")
    _tell("import, CPU", measured, "ms", "meshapi alone", bare, "< 1.2")


def main() -> None:
    """Run all and print one line each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=1000, help="calls per candidate and round")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", choices=("retrieve", "concurrent", "import"))
    options = parser.parse_args()
    ports: multiprocessing.Queue[int] = multiprocessing.Queue()
    server = multiprocessing.Process(target=_serve, args=(ports,), daemon=True)
    server.start()
    base = f"http://127.0.0.1:{ports.get(timeout=10)}"
    with socket.create_connection(("127.0.0.1", int(base.rsplit(":", 1)[1]))):
        pass
    try:
        if options.only in {None, "retrieve"}:
            _retrieve(base, options.calls, options.rounds)
        if options.only in {None, "concurrent"}:
            _concurrent(base, options.calls, options.rounds)
        if options.only in {None, "import"}:
            _imports(4 * options.rounds)
    finally:
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
