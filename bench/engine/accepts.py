"""Durable accepts a second through the store and through the API, beside what the database inserts by itself.

    python bench/engine accepts

The limit is the same rows by the same statements on one connection: one task in each commit where there is
one client, 64 in each where there are 64. Nothing is sent to an upstream meanwhile. On SQLite reads are
measured, too, while others create as fast as they can.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from databases import Bare, Place, bare, opened
from filling import sample
from meters import cpu_seconds, cpu_seconds_with_children, median_ratio, table
from processes import cores
from servers import Server, serving, write_cards

from meshapi_server.database import Database
from meshapi_server.store.rows import schedule_row, task_row
from meshapi_server.store.statements import load as load_statements
from meshapi_server.store.tally import accepted, tally_rows

sys.path.insert(0, str(Path(__file__).parents[1]))
from load import load, request

CLIENTS = (1, 64)
_UPSTREAM = "openai-videos"
_MOST = 40_000  # tasks a second that are made ready for the limit
_PATH = "/v1/video/generations"
_BODY = msgspec.json.encode(
    {
        "model": f"{_UPSTREAM}/sora-2",
        "content": [{"type": "text", "text": "A serene mountain lake at sunrise, " * 4}],
        "duration": 4,
        "resolution": "720p",
        "ratio": "16:9",
    }
)


@dataclass
class Figures:
    """One measured thing: a figure for each round."""

    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)  # CPU us of the process for one task
    served: list[float] = field(default_factory=list)  # CPU us of the database's server for one task


class Stopwatch:
    """From its making on: time, and CPU time of the process ``pid`` and of the database's server."""

    def __init__(self, place: Place, pid: int) -> None:
        self._place = place
        self._pid = pid
        self._cpu = cpu_seconds(pid), self._served()
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def stop(self, accepted: int, figures: Figures) -> None:
        """Note what ``accepted`` tasks took."""
        figures.rates.append(accepted / self.seconds)
        cpu, served = self._cpu
        figures.costs.append((cpu_seconds(self._pid) - cpu) / accepted * 1e6)
        figures.served.append((self._served() - served) / accepted * 1e6)

    def _served(self) -> float:
        return 0.0 if self._place.server is None else cpu_seconds_with_children(self._place.server)


Measure = Callable[[int, float, Figures], Awaitable[None]]


async def measure(place: Place, folder: Path, rounds: int, seconds: float) -> None:
    """Measure an empty place; print."""
    core, other = cores()
    os.sched_setaffinity(0, {other})
    variables = {
        "MESHAPI_OPENAI_VIDEOS_BASE_URL": "http://127.0.0.1:9",  # nobody listens there
        "MESHAPI_OPENAI_VIDEOS_TASKS": "1",
        "MESHAPI_CARDS": str(write_cards(folder / "cards", _UPSTREAM)),
    }
    figures: dict[tuple[str, int], Figures] = {}
    for _ in range(rounds):
        # In turns, as SQLite lets only one process write.
        async with bare(place) as connection:
            await _round(figures, "database", _bare_inserts(place, connection), seconds)
        async with opened(place) as database:
            await _round(figures, "store", _creates(place, database), seconds)
        with serving(place, folder, core, variables) as server:
            await _round(figures, "API", _posts(place, server), seconds)
    _show(place, rounds, figures)
    with serving(place, folder, core, variables) as server:
        await _reads_under_load(place, server, seconds * rounds)


async def _round(figures: dict[tuple[str, int], Figures], name: str, run: Measure, seconds: float) -> None:
    for clients in CLIENTS:
        await run(clients, 0.1, Figures())  # warm
        await run(clients, seconds, figures.setdefault((name, clients), Figures()))


def _bare_inserts(place: Place, connection: Bare) -> Measure:
    statements = load_statements(connection.dialect)
    now = time.time_ns() // 1_000_000

    async def run(clients: int, seconds: float, figures: Figures) -> None:
        # Made beforehand, more than will be needed: the database is measured.
        groups = [
            [sample(_UPSTREAM, now) for _ in range(clients)]
            for _ in range(round(seconds * _MOST / (1 + clients)))
        ]
        rows = [
            (
                [task_row(task) for task, _ in group],
                [schedule_row(task.id, schedule) for task, schedule in group],
                tally_rows(accepted(task for task, _ in group), 0),
            )
            for group in groups
        ]
        done, watch = 0, Stopwatch(place, os.getpid())
        for tasks, schedules, tallies in rows:
            async with connection.transaction():
                await connection.execute_many(statements["insert_task"].locking, tasks)
                await connection.execute_many(statements["insert_schedule"].locking, schedules)
                await connection.execute_many(statements["add_tally"].locking, tallies)
            done += len(tasks)
            if watch.seconds >= seconds:
                break
        watch.stop(done, figures)

    return run


def _creates(place: Place, database: Database) -> Measure:
    async def run(clients: int, seconds: float, figures: Figures) -> None:
        watch = Stopwatch(place, os.getpid())

        async def client() -> int:
            done = 0
            while watch.seconds < seconds:
                task, schedule = sample(_UPSTREAM, database.clock())
                await database.store.create(task, schedule, b"", None)
                done += 1
            return done

        done = sum(await asyncio.gather(*(client() for _ in range(clients))))
        watch.stop(done, figures)

    return run


def _posts(place: Place, server: Server) -> Measure:
    message = request("POST", _PATH, server.port, key=server.key, body=_BODY)

    async def run(clients: int, seconds: float, figures: Figures) -> None:
        watch = Stopwatch(place, server.api)
        result = await load(server.port, message, clients, seconds)
        assert set(result.statuses) == {200}, result.statuses
        watch.stop(result.requests, figures)

    return run


async def _reads_under_load(place: Place, server: Server, seconds: float) -> None:
    """GET by 4 clients while 16 create, beside GET of a route that reads nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request("POST", _PATH, server.port, key=server.key, body=_BODY))
    task = (await reader.readuntil(b'"status"')).decode().rpartition('"id":"')[2].partition('"')[0]
    writer.close()
    paths = {"GET of a task": f"{_PATH}/{task}", "GET of /healthz": "/healthz"}
    reads = [request("GET", path, server.port, key=server.key) for path in paths.values()]
    create = request("POST", _PATH, server.port, key=server.key, body=_BODY)
    creates, *results = await asyncio.gather(
        load(server.port, create, 16, seconds), *(load(server.port, read, 4, seconds) for read in reads)
    )
    table(
        f"{place.name}: reads by 4 clients each while 16 create {creates.per_second:.0f} tasks a second",
        ("", "reads/s", "p50 ms", "p99 ms"),
        [
            (name, f"{result.per_second:.0f}", f"{result.at(0.5):.2f}", f"{result.at(0.99):.2f}")
            for name, result in zip(paths, results, strict=True)
        ],
    )


def _show(place: Place, rounds: int, figures: dict[tuple[str, int], Figures]) -> None:
    rows: list[Sequence[str]] = []
    for clients in CLIENTS:
        limit = figures["database", clients]
        for name in ("database", "store", "API"):
            each = figures[name, clients]
            rows.append(
                (
                    f"{name}, {clients} client{'s' if clients > 1 else ''}",
                    f"{statistics.median(each.rates):.0f}",
                    f"{median_ratio(each.rates, limit.rates):.2f}",
                    f"{statistics.median(each.costs):.0f}",
                    f"{statistics.median(each.served):.0f}",
                )
            )
    table(
        f"{place.name}: durable accepts, medians of {rounds} rounds",
        ("", "tasks/s", "of database", "CPU us", "server CPU us"),
        rows,
    )
