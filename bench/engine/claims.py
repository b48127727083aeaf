"""Claim and reschedule with very many tasks in flight, beside a bare table with the same number of rows.

    python bench/engine claims [--tasks 1000000]

One claim takes 500 due tasks, as a worker's does; then each is put off by a minute, as a look without news
does. The limit is the narrowest table that could do it, with one statement to claim and one to save.
"""

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from databases import Bare, Place, bare, opened, settle
from filling import Flight, fill
from meters import cpu_seconds, cpu_seconds_with_children, median_ratio, table

from meshapi_server.database import Database
from meshapi_server.store.statements import Dialect
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.states import Event

_AT_ONCE = 500  # tasks of one claim
_UPSTREAM = "openai-videos"
_LATER = 60_000  # ms

_TABLE = """
create table bare (id bigint primary key, state bigint not null, due bigint not null, worker text,
                   lease_until bigint not null default 0, attempt bigint not null default 0, reference text)
"""
_INDEX = "create index bare_due on bare (due) where state = 2 and worker is null"
_FILL: dict[Dialect, str] = {
    "sqlite": "with recursive n(i) as (select 1 union all select i + 1 from n where i < :count)"
    " insert into bare (id, state, due, reference) select i, 2, i, 'ref_' || i from n",
    "postgres": "insert into bare (id, state, due, reference)"
    " select i, 2, i, 'ref_' || i from generate_series(1, :count::bigint) as n(i)",
}
_CLAIM = (
    "update bare set worker = 'w', lease_until = :lease, attempt = attempt + 1 where id in"
    " (select id from bare where state = 2 and worker is null and due <= :now order by due limit :most{lock})"
    " returning id, attempt, reference"
)
_SAVE = "update bare set worker = null, lease_until = 0, due = :due where id = :id and attempt = :attempt"
_LOCKS: dict[Dialect, str] = {"sqlite": "", "postgres": " for update skip locked"}
Turn = Callable[[], Awaitable[int]]


@dataclass
class Figures:
    """One measured thing: a figure for each round."""

    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)  # CPU of this process for one task, us
    served: list[float] = field(default_factory=list)  # CPU of the database's server for one task, us


async def measure(place: Place, count: int, rounds: int, seconds: float) -> None:
    """Fill the place, measure, print."""
    began = time.monotonic()
    now = time.time_ns() // 1_000_000
    await fill(place, Flight(count, _UPSTREAM, now - 3_600_000, 3_000_000, now - 3_600_000, ["ref_1"]))
    print(f"{place.name}: {count} tasks put in flight in {time.monotonic() - began:.0f} s", flush=True)
    await measure_filled(place, count, rounds, seconds)


async def measure_filled(place: Place, count: int, rounds: int, seconds: float) -> None:
    """The same with a place that has tasks in flight already."""
    figures = {"bare table": Figures(), "store": Figures()}
    async with bare(place) as connection, opened(place) as database:
        await connection.execute(_TABLE)
        await connection.execute(_INDEX)
        await connection.execute(_FILL[place.dialect], count=count)
        await settle(place)
        turns: dict[str, Turn] = {"bare table": _bare_turn(connection), "store": _store_turn(database)}
        for _ in range(rounds):
            for name, turn in turns.items():
                await _round(place, turn, seconds, figures[name])
    _show(place, count, rounds, figures)


def _bare_turn(connection: Bare) -> Turn:
    claim = _CLAIM.format(lock=_LOCKS[connection.dialect])
    clock = iter(range(10**9, 10**12))

    async def turn() -> int:
        async with connection.transaction():
            taken = await connection.execute(claim, lease=1, now=10**8, most=_AT_ONCE)
        async with connection.transaction():
            rows = [{"id": row[0], "attempt": row[1], "due": next(clock)} for row in taken]
            await connection.execute_many(_SAVE, rows)
        return len(taken)

    return turn


def _store_turn(database: Database) -> Turn:
    store, clock = database.store, database.clock

    async def turn() -> int:
        now = clock()
        taken = await store.claim(
            Event.CLAIM_POLL,
            upstreams=[_UPSTREAM],
            worker="bench",
            now=now,
            lease_until=now + 30_000,
            limit=_AT_ONCE,
        )
        steps = (
            store.step(
                each.task.id,
                Step(event=Event.PROGRESSED, attempt=each.schedule.attempt, due=now + _LATER, running=True),
                now,
            )
            for each in taken
        )
        saved = await asyncio.gather(*steps)
        assert all(saved)
        return len(taken)

    return turn


async def _round(place: Place, turn: Turn, seconds: float, figures: Figures) -> None:
    done = 0
    before = _costs(place)
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        moved = await turn()
        assert moved == _AT_ONCE, "there were not enough tasks for this bench; give it more"
        done += moved
    took = time.monotonic() - began
    ours, theirs = (after - start for after, start in zip(_costs(place), before, strict=True))
    figures.rates.append(done / took)
    figures.costs.append(ours / done * 1e6)
    figures.served.append(theirs / done * 1e6)


def _costs(place: Place) -> Sequence[float]:
    server = 0.0 if place.server is None else cpu_seconds_with_children(place.server)
    return cpu_seconds(os.getpid()), server


def _show(place: Place, count: int, rounds: int, figures: dict[str, Figures]) -> None:
    limit = figures["bare table"]
    rows = [
        (
            name,
            f"{statistics.median(each.rates):.0f}",
            f"{median_ratio(each.rates, limit.rates):.2f}",
            f"{statistics.median(each.costs):.0f}",
            f"{statistics.median(each.served):.0f}",
        )
        for name, each in figures.items()
    ]
    table(
        f"{place.name}: claim and reschedule with {count} tasks in flight, medians of {rounds} rounds",
        ("", "tasks/s", "of bare", "CPU us", "server CPU us"),
        rows,
    )
