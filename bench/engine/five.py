"""Five upstreams at once, 500 tasks in flight at each: what a look costs, and how much later things come.

    python bench/engine/five.py [--tasks 500]

Each upstream is its emulator of the tests; all of them are one process on a core of its own. LiteLLM's proxy
is measured beside this server for the upstreams that it has. A look is, here, the worker asking for one task
and storing the answer; there, a caller's status request that the proxy passes on: it keeps nothing and has no
worker.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

sys.path.insert(0, str(Path(__file__).parents[2]))
from databases import Bare, Place, bare
from gateways import Deployment, Gateway, litellm
from meters import cpu_seconds, quantile, table
from processes import cores
from servers import Server, serving
from tests.chaos.cards import EVERY, Seller, card_files
from upstream import Fake, fake_upstream

from meshapi_server.upstreams.enabled import variable

UPSTREAMS = ("openai-videos", "runway", "fal", "xai", "byteplus")
_PROXIED = {"openai-videos": "openai", "runway": "runwayml", "fal": "fal_ai"}
"""Those that LiteLLM's proxy serves videos of, and its names for them."""
_AT_ONCE = 16
_ROUNDS = 5
_SINGLES = 60  # requests one after the other, for latencies
_PATH = "/v1/video/generations"
_LOOKS = "select coalesce(sum(polls), 0) from schedule where upstream = :upstream"
_DUE = "update schedule set due = :now where upstream = :upstream and state = 'polling' and worker is null"
_SLEEPING = (
    "select count(*) from schedule where upstream = :upstream and state = 'polling' and worker is null"
)


@dataclass(frozen=True)
class Desk:
    """How tasks are created and asked for at one place: ours, LiteLLM's, or the emulator itself."""

    create: Callable[[aiohttp.ClientSession], Awaitable[str]]
    status: Callable[[str], str]
    headers: Mapping[str, str]


def sellers() -> dict[str, Seller]:
    """The five, as slow as real ones."""
    found = {each.upstream: replace(each, usual_seconds=600.0) for each in EVERY}
    return {name: found[name] for name in UPSTREAMS}


@contextlib.contextmanager
def our_server(folder: Path, fake: Fake, core: int) -> Iterator[Server]:
    """This server on SQLite with the five upstreams on, and room for any number of tasks."""
    cards = folder / "cards"
    cards.mkdir()
    for name, text in card_files(sellers().values()).items():
        (cards / f"{name}.toml").write_text(text)
    variables = {"MESHAPI_SIMULATE": "false", "MESHAPI_CARDS": str(cards)}
    for name, seller in sellers().items():
        variables |= {
            **seller.environment,
            variable(name, "BASE_URL"): fake.base_url(name),
            variable(name, "TASKS"): "1000000",
        }
    with serving(_place(folder), folder, core, variables) as server:
        yield server


def _place(folder: Path) -> Place:
    return Place("sqlite", f"sqlite:///{folder / 'data' / 'meshapi.db'}")


def proxy(folder: Path, fake: Fake, core: int) -> contextlib.AbstractContextManager[Gateway]:
    """LiteLLM's proxy in front of the same emulators."""
    deployments = [
        Deployment(name, f"{provider}/{sellers()[name].upstream_model}", _proxy_base(fake, name))
        for name, provider in _PROXIED.items()
    ]
    return litellm(folder, deployments, core)


def _proxy_base(fake: Fake, upstream: str) -> str:
    return fake.base_url(upstream) + ("/v1" if upstream == "runway" else "")


def ours(server: Server, upstream: str) -> Desk:
    """This server as a caller sees it."""
    body = {"model": sellers()[upstream].model, "content": [{"type": "text", "text": "a lake"}]}
    base, headers = f"http://127.0.0.1:{server.port}{_PATH}", {"authorization": f"Bearer {server.key}"}
    return Desk(_creator(base, body, headers), lambda task: f"{base}/{task}", headers)


def theirs(gateway: Gateway, upstream: str) -> Desk:
    """The proxy as a caller sees it."""
    body = {"model": upstream, "prompt": "a lake", "seconds": "4", "size": "1280x720"}
    base, headers = f"http://127.0.0.1:{gateway.port}/v1/videos", {"authorization": f"Bearer {gateway.key}"}
    return Desk(_creator(base, body, headers), lambda task: f"{base}/{task}", headers)


def directly(fake: Fake, upstream: str) -> Desk:
    """The emulator without anything before it; ``openai-videos`` and ``runway`` stand for all."""
    base = fake.base_url(upstream)
    if upstream == "runway":
        headers = {"x-runway-version": "2024-11-06"}
        body = {"model": "gen4.5", "promptText": "a lake", "ratio": "1280:720", "duration": 5}
        return Desk(
            _creator(f"{base}/v1/text_to_video", body, headers),
            lambda task: f"{base}/v1/tasks/{task}",
            headers,
        )
    body = {"model": "wan-2.2", "prompt": "a lake"}
    return Desk(_creator(f"{base}/videos", body, {}), lambda task: f"{base}/videos/{task}", {})


def _creator(
    url: str, body: Mapping[str, Any], headers: Mapping[str, str]
) -> Callable[[aiohttp.ClientSession], Awaitable[str]]:
    async def create(session: aiohttp.ClientSession) -> str:
        async with session.post(url, json=body, headers=headers) as answer:
            text = await answer.text()
            assert answer.status == 200, text
            task: str = json.loads(text)["id"]
            return task

    return create


async def fill(session: aiohttp.ClientSession, desk: Desk, tasks: int) -> list[str]:
    """So many tasks; their ids."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one() -> str:
        async with places:
            return await desk.create(session)

    return list(await asyncio.gather(*(one() for _ in range(tasks))))


async def accept_all(server: Server, folder: Path, tasks: int) -> None:
    """Fill all five and wait until every task sleeps at its upstream."""
    async with aiohttp.ClientSession() as session, bare(_place(folder)) as connection:
        async with connection.transaction():
            await connection.execute("update pool set pace = 0")
        for name in UPSTREAMS:
            await fill(session, ours(server, name), tasks)
        for name in UPSTREAMS:
            await _reached(connection, _SLEEPING, (name,), tasks)


async def look_costs(server: Server, folder: Path, tasks: int) -> dict[str, list[float]]:
    """CPU of the worker for one look, in microseconds: each upstream in turn, then all five at once.

    The kernel counts in hundredths of a second, so only the mean of all rounds is a figure.
    """
    found: dict[str, list[float]] = {}
    async with bare(_place(folder)) as connection:
        for number in range(_ROUNDS):
            for names in (*((name,) for name in UPSTREAMS), UPSTREAMS):
                before = await _sum(connection, _LOOKS, names)
                cpu = cpu_seconds(server.worker)
                async with connection.transaction():
                    for name in names:
                        now = time.time_ns() // 1_000_000
                        await connection.execute(_DUE, now=now, upstream=name)
                looks = await _reached(connection, _LOOKS, names, before + tasks * len(names)) - before
                label = "all five at once" if len(names) > 1 else names[0]
                found.setdefault(label, []).append((cpu_seconds(server.worker) - cpu) / looks * 1e6)
                await asyncio.sleep(0.3)
            print(f"round {number + 1} of {_ROUNDS}", file=sys.stderr)
    return found


async def _sum(connection: Bare, statement: str, names: Sequence[str]) -> int:
    return sum([int((await connection.execute(statement, upstream=name))[0][0]) for name in names])


async def _reached(connection: Bare, statement: str, names: Sequence[str], least: int) -> int:
    """Wait until the statement's sum over the upstreams is at least that; the sum."""
    while True:
        found = await _sum(connection, statement, names)
        if found >= least:
            return found
        await asyncio.sleep(0.02)


async def passed_on_costs(gateway: Gateway, desks: Mapping[str, Desk], tasks: int) -> dict[str, list[float]]:
    """CPU of the proxy for one status request that it passes on, in microseconds."""
    found: dict[str, list[float]] = {}
    async with aiohttp.ClientSession() as session:
        made = {name: await fill(session, desk, tasks) for name, desk in desks.items()}
        for _ in range(_ROUNDS):
            for name, desk in desks.items():
                cpu = cpu_seconds(gateway.pid)
                places = asyncio.Semaphore(_AT_ONCE)
                await asyncio.gather(*(_ask(session, desk, task, places) for task in made[name]))
                found.setdefault(name, []).append((cpu_seconds(gateway.pid) - cpu) / tasks * 1e6)
    return found


async def _ask(session: aiohttp.ClientSession, desk: Desk, task: str, places: asyncio.Semaphore) -> None:
    async with places, session.get(desk.status(task), headers=desk.headers) as answer:
        await answer.read()
        assert answer.status == 200, answer.status


@dataclass(frozen=True)
class Latencies:
    """In milliseconds: from the create to the upstream's acceptance, and of a status request."""

    submit: Sequence[float]
    status: Sequence[float]


async def latencies(fake: Fake, upstream: str, desk: Desk) -> Latencies:
    """One request after the other."""
    submit, status = [], []
    async with aiohttp.ClientSession() as session:
        for _ in range(_SINGLES):
            before = len(_accepted(fake, upstream))
            began = time.time()
            task = await desk.create(session)
            submit.append((await _newest(fake, upstream, before) - began) * 1000)
            started = time.perf_counter()
            async with session.get(desk.status(task), headers=desk.headers) as answer:
                await answer.read()
            status.append((time.perf_counter() - started) * 1000)
    return Latencies(submit, status)


async def _newest(fake: Fake, upstream: str, before: int) -> float:
    """When the emulator accepted the order after those that it had ``before``; Unix seconds."""
    while True:
        accepted = _accepted(fake, upstream)
        if len(accepted) > before:
            return accepted[before]
        await asyncio.sleep(0.002)


def _accepted(fake: Fake, upstream: str) -> list[float]:
    entries = map(json.loads, fake.log.read_text().splitlines())
    return [entry["at"] for entry in entries if entry["dialect"] == upstream]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=500, help="in flight at each upstream")
    wanted = parser.parse_args()
    core, other = cores()
    os.sched_setaffinity(0, {other})
    with tempfile.TemporaryDirectory() as name, fake_upstream(Path(name), other) as fake:
        folder = Path(name)
        fake.control(running=3e7)
        told: dict[str, dict[str, Latencies]] = {each: {} for each in ("openai-videos", "runway")}
        for each, found in told.items():
            found["directly"] = uvloop.run(latencies(fake, each, directly(fake, each)))
        with our_server(folder, fake, core) as server:
            uvloop.run(accept_all(server, folder, wanted.tasks))
            costs = uvloop.run(look_costs(server, folder, wanted.tasks))
            for each, found in told.items():
                found["mesh"] = uvloop.run(latencies(fake, each, ours(server, each)))
        with proxy(folder, fake, core) as gateway:
            desks = {each: theirs(gateway, each) for each in _PROXIED}
            passed_on = uvloop.run(passed_on_costs(gateway, desks, wanted.tasks))
            for each, found in told.items():
                found["litellm"] = uvloop.run(latencies(fake, each, desks[each]))
    show(costs, passed_on, told, wanted.tasks)


def show(
    costs: Mapping[str, Sequence[float]],
    passed_on: Mapping[str, Sequence[float]],
    told: Mapping[str, Mapping[str, Latencies]],
    tasks: int,
) -> None:
    """Two tables: the costs of looks, and what is added to the upstream's own latency."""
    rows = []
    for name, found in costs.items():
        mine = statistics.fmean(found)
        beside = statistics.fmean(passed_on[name]) if name in passed_on else None
        other = (f"{beside:.0f}", f"{beside / mine:.1f}") if beside else ("-", "-")
        rows.append((name, f"{mine:.0f}", *other))
    heads = ("", "CPU us", "LiteLLM's", "times as much")
    table(f"A look, {tasks} tasks in flight at each of five upstreams", heads, rows)
    lines = []
    for upstream, found_by in told.items():
        base = found_by["directly"]
        for name, each in found_by.items():
            lines.append(
                (
                    f"{upstream}, {name}",
                    f"{quantile(each.submit, 0.5):.1f}",
                    f"{quantile(each.submit, 0.5) - quantile(base.submit, 0.5):+.1f}",
                    f"{quantile(each.status, 0.5):.2f}",
                    f"{quantile(each.status, 0.5) - quantile(base.status, 0.5):+.2f}",
                )
            )
    heads_of_latencies = ("", "accepted upstream ms", "added", "status ms", "added")
    table(f"Medians of {_SINGLES} requests, one after the other", heads_of_latencies, lines)


if __name__ == "__main__":
    main()
