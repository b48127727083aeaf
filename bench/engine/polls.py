"""Looks a second of one worker process at the fake upstream, their cost, their lateness, and the memory.

    python bench/engine polls [--in-flight 100000]

First every task is overdue and the worker looks as fast as it can; then so many are awake that seven tenths
of that rate are due, evenly, while all the others sleep. One upstream is asked for each task by itself, the
other for a hundred at a time, without its own limit of calls. "Of core" is how much of a core the worker
got, "fake's" how much the upstream's process used: the worker is the bottleneck while that is far below 1.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from databases import Bare, Place, bare
from filling import Flight, fill
from meters import Memory, cpu_seconds, quantile, table
from processes import cores
from servers import Server, serving, write_cards
from upstream import Fake, fake_upstream

_SALES = 2000  # what the fake really has; tasks share them
_INTERVAL = 30.0  # s between two looks at a task that has taken much longer than usual
_SHARE = 0.7  # of the highest rate, for the second part
_WARM = 2.0  # s
_NUMBER = "cast(substr(id, 13) as bigint)"  # of a copied task, out of its id
_LOOKS = "select coalesce(sum(polls), 0) from schedule where upstream = :upstream"
_OLDEST = (
    "select min(due) from schedule where upstream = :upstream and state = 'polling' and worker is null"
    " and state in ('polling', 'fetching', 'unknown', 'cancelling')"
)
_OLDEST_CLAIMED = "select min(due) from schedule where worker is not null and state = 'polling'"


@dataclass(frozen=True)
class Hurry:
    """The worker as fast as it can."""

    rate: float
    cost: float  # CPU of the worker for one look, us
    busy: float  # share of a core that the worker got
    upstream_busy: float


@dataclass(frozen=True)
class Calm:
    """The worker with a part of that to do; lateness in seconds."""

    rate: float
    p50: float
    p99: float
    worst: float
    memory: Memory


async def measure(place: Place, folder: Path, upstream: str, in_flight: int, seconds: float) -> list[str]:
    """One row of figures for one upstream on one database, which must be empty."""
    core, other = cores()
    with fake_upstream(folder, other) as fake:
        references = await _sales(fake, upstream)
        variables = fake.variables() | {"MESHAPI_CARDS": str(write_cards(folder / "cards", "openai-videos"))}
        with serving(place, folder, core, variables, api=False) as server:
            await asyncio.sleep(_WARM)
            idle = Memory.of(server.worker)
        now = time.time_ns() // 1_000_000
        await fill(place, Flight(in_flight, upstream, now - 60_000, 30_000, now - 3_600_000, references))
        with serving(place, folder, core, variables, api=False) as server:
            async with bare(place) as connection:
                await _lift(connection, upstream)
                hurry = await _hurry(connection, server, fake, upstream, seconds)
                calm = await _calm(connection, server, upstream, hurry.rate * _SHARE, seconds * 3)
    each = (calm.memory.pss - idle.pss) / in_flight
    return [
        f"{place.name}, {upstream}",
        f"{hurry.rate:.0f}",
        f"{hurry.cost:.0f}",
        f"{hurry.busy:.2f}",
        f"{hurry.upstream_busy:.2f}",
        f"{calm.rate:.0f}",
        f"{calm.p50:.2f}",
        f"{calm.p99:.2f}",
        f"{calm.worst:.2f}",
        f"{calm.memory.pss / 1e6:.0f}",
        f"{calm.memory.peak / 1e6:.0f}",
        f"{each:.0f}",
    ]


def show(in_flight: int, rows: Sequence[Sequence[str]]) -> None:
    """Print the rows of :func:`measure`."""
    heads = ("", "looks/s", "CPU us", "of core", "fake's", "then/s", "late s p50", "p99", "worst")
    table(f"{in_flight} tasks in flight, one worker process", (*heads, "PSS MB", "peak MB", "B/task"), rows)


async def _sales(fake: Fake, upstream: str) -> list[str]:
    """Tasks at the fake that run for a year; their references as the adapter would keep them."""
    fake.control(running=3e7)
    base = fake.base_url(upstream)
    ark = upstream == "byteplus"
    place = f"{base}/contents/generations/tasks" if ark else f"{base}/videos"
    body = {"model": "sora-2", "prompt": "a lake", "content": [{"type": "text", "text": "a lake"}]}
    references: list[str] = []
    async with aiohttp.ClientSession() as session:
        for _ in range(_SALES):
            async with session.post(place, json=body) as answer:
                made = json.loads(await answer.read())["id"]
            references.append(made if ark else f"{place}/{made}")
    return references


async def _lift(connection: Bare, upstream: str) -> None:
    """Take the upstream's own limit of polls away: the worker is measured."""
    async with connection.transaction():
        await connection.execute("update pool set pace = 0 where name = :name", name=f"polls:{upstream}")


async def _hurry(connection: Bare, server: Server, fake: Fake, upstream: str, seconds: float) -> Hurry:
    await asyncio.sleep(_WARM)
    began, looks = time.monotonic(), await _looks(connection, upstream)
    cpu, fakes = cpu_seconds(server.worker), cpu_seconds(fake.pid)
    await asyncio.sleep(seconds)
    took, done = time.monotonic() - began, await _looks(connection, upstream) - looks
    used = cpu_seconds(server.worker) - cpu
    assert done > 0, "the worker does not look"
    return Hurry(done / took, used / done * 1e6, used / took, (cpu_seconds(fake.pid) - fakes) / took)


async def _calm(connection: Bare, server: Server, upstream: str, rate: float, seconds: float) -> Calm:
    now = time.time_ns() // 1_000_000
    awake = round(rate * _INTERVAL)
    async with connection.transaction():
        await connection.execute(
            f"update schedule set due = case when {_NUMBER} <= :awake"
            f" then :start + {_NUMBER} * {_INTERVAL * 1000:.0f} / :awake else :asleep end"
            " where upstream = :upstream and worker is null",
            awake=awake,
            start=now + 5_000,
            asleep=now + 3_600_000,
            upstream=upstream,
        )
    await asyncio.sleep(5 + _WARM)
    began, looks = time.monotonic(), await _looks(connection, upstream)
    late: list[float] = []
    while time.monotonic() < began + seconds:
        late.append(await _lateness(connection, upstream))
        await asyncio.sleep(0.1)
    took, done = time.monotonic() - began, await _looks(connection, upstream) - looks
    return Calm(done / took, quantile(late, 0.5), quantile(late, 0.99), max(late), Memory.of(server.worker))


async def _looks(connection: Bare, upstream: str) -> int:
    found: int = (await connection.execute(_LOOKS, upstream=upstream))[0][0]
    return int(found)


async def _lateness(connection: Bare, upstream: str) -> float:
    """How long the task that has waited longest is overdue, also while it is being looked at; seconds."""
    found = [
        (await connection.execute(_OLDEST, upstream=upstream))[0][0],
        (await connection.execute(_OLDEST_CLAIMED))[0][0],
    ]
    oldest = min((due for due in found if due is not None), default=None)
    return 0.0 if oldest is None else max(0.0, time.time() - oldest / 1000)
