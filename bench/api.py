"""Create, get and list of the API beside a bare ASGI route of the same stack, in turns in one run.

The bare route reads the body and answers a fixed document of the same size: uvicorn, uvloop and httptools
with nothing behind them. The API answers a create only after a synced commit. Both servers run in one
process of their own (pinned to one core where there are two), the load in another.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import socket
import statistics
import tempfile
import time
from pathlib import Path

import uvicorn
import uvloop
from load import load, request

from meshapi_server.app import Server
from meshapi_server.database import open_database
from meshapi_server.settings import Settings

BODY = json.dumps(
    {
        "model": "mesh/diorama-1",
        "content": [{"type": "text", "text": "A serene mountain lake at sunrise, " * 8}],
        "duration": 5,
        "resolution": "720p",
        "ratio": "16:9",
        "metadata": {"order": "1234"},
    }
).encode()
ANSWER = b'{"id":"task_01M7Y6Q2Q71JFCDXZBSYKZPE6X","filler":"' + b"x" * 500 + b'"}'


async def bare(scope, receive, send):  # type: ignore[no-untyped-def]
    """The floor: the same server and a route that does nothing."""
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


def _listen() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    return listener


def serve(pipe, core: int | None) -> None:  # type: ignore[no-untyped-def]
    """Both servers; sends their ports and a key through ``pipe`` and runs until it is closed."""
    if core is not None:
        os.sched_setaffinity(0, {core})

    async def main() -> None:
        with tempfile.TemporaryDirectory() as folder:
            settings = Settings(data=folder)
            database = await open_database(settings.database_url)
            server = await Server.build(database, settings, "http://bench")
            key, _ = await server.keys.create("bench")
            # The worker is not started: accepted tasks stay queued, and only the API is measured.
            apps = (bare, server.app)
            listeners = [_listen() for _ in apps]
            webs = [
                uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
                for app in apps
            ]
            running = [
                asyncio.create_task(web.serve(sockets=[listener]))
                for web, listener in zip(webs, listeners, strict=True)
            ]
            pipe.send(([listener.getsockname()[1] for listener in listeners], key))
            while not await asyncio.to_thread(pipe.poll, 0.2):
                pass
            for web in webs:
                web.should_exit = True
            await asyncio.gather(*running)
            await database.close()

    uvloop.run(main())


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def fill(port: int, key: str) -> str:
    """Accept some thousand tasks; returns the oldest one's id, which is next in the queue."""
    message = request("POST", "/v1/video/generations", port, key=key, body=BODY)
    first = await load(port, message, 1, 0)
    assert first.statuses == {200: 1}, first.statuses
    oldest = await _one_id(port, key)
    await load(port, message, 64, 2)
    return oldest


async def measure(
    pid: int, ports: list[int], key: str, oldest: str, connections: int, rounds: int, seconds: float
) -> None:
    """Each case in turn, ``rounds`` times; prints medians."""
    bare_port, api_port = ports
    newest = await _one_id(api_port, key)
    cases = {
        "bare POST": (bare_port, request("POST", "/", bare_port, body=BODY)),
        "create": (api_port, request("POST", "/v1/video/generations", api_port, key=key, body=BODY)),
        "bare GET": (bare_port, request("GET", "/", bare_port)),
        "get": (api_port, request("GET", f"/v1/video/generations/{oldest}", api_port, key=key)),
        "get, 1000+ queued before it": (
            api_port,
            request("GET", f"/v1/video/generations/{newest}", api_port, key=key),
        ),
        "list 20": (api_port, request("GET", "/v1/video/generations?limit=20", api_port, key=key)),
    }
    rates: dict[str, list[float]] = {name: [] for name in cases}
    costs: dict[str, list[float]] = {name: [] for name in cases}
    p50: dict[str, list[float]] = {name: [] for name in cases}
    p99: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, (port, message) in cases.items():
            before = cpu_seconds(pid)
            result = await load(port, message, connections, seconds)
            assert set(result.statuses) == {200}, (name, result.statuses)
            costs[name].append((cpu_seconds(pid) - before) / result.requests * 1e6)
            rates[name].append(result.per_second)
            p50[name].append(result.at(0.5))
            p99[name].append(result.at(0.99))
    floor = {name: "bare POST" if name == "create" else "bare GET" for name in cases if "bare" not in name}
    print(f"\n{connections} connection(s), medians of {rounds} rounds of {seconds} s")
    print(f"{'':28}{'req/s':>9}{'of bare':>9}{'p50 ms':>9}{'p99 ms':>9}{'CPU us':>9}")
    for name in cases:
        rate = statistics.median(rates[name])
        share = ""
        if name in floor:
            pairs = zip(rates[name], rates[floor[name]], strict=True)
            share = f"{statistics.median(a / b for a, b in pairs):.2f}"
        print(
            f"{name:28}{rate:9.0f}{share:>9}{statistics.median(p50[name]):9.2f}"
            f"{statistics.median(p99[name]):9.2f}{statistics.median(costs[name]):9.0f}"
        )


async def _one_id(port: int, key: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request("GET", "/v1/video/generations?limit=1", port, key=key))
    text = (await reader.readuntil(b'"status"')).decode()
    writer.close()
    return text.rpartition('"id":"')[2].partition('"')[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=1.5)
    wanted = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, cores[0] if len(cores) > 1 else None))
    process.start()
    ports, key = ours.recv()
    if len(cores) > 1:
        os.sched_setaffinity(0, set(cores[1:]))
    time.sleep(0.5)
    try:
        oldest = uvloop.run(fill(ports[1], key))
        for connections in (1, 64):
            uvloop.run(
                measure(process.pid or 0, ports, key, oldest, connections, wanted.rounds, wanted.seconds)
            )
    finally:
        ours.send("stop")
        process.join(20)


if __name__ == "__main__":
    main()
