"""Pages of a very long list, by cursor, at its beginning and far down, ``total`` included.

    python bench/engine pages [--tasks 1000000]

The limit is the bare statement that finds the ids of the same rows in the index, decoding nothing.
"""

import time
from collections.abc import Awaitable, Callable

from databases import Bare, Place, bare, opened
from filling import OWNER, task_id
from meters import quantile, table

from meshapi_server.database import Database
from meshapi_server.tasks.ports import Query

_LIMIT = 20
_BARE = "select id from task where owner = :owner and id < :after order by id desc limit :limit"
Ask = Callable[[], Awaitable[int]]


async def measure(place: Place, count: int, rounds: int) -> None:
    """Measure a place that holds ``count`` tasks of one owner; print."""
    depths = {"1": None, f"{count * 9 // 10}": task_id(count // 10 + 1)}
    rows = []
    async with bare(place) as connection, opened(place) as database:
        for depth, after in depths.items():
            asks = {
                f"ids alone, at {depth}": _bare_page(connection, after),
                f"page and total, at {depth}": _page(database, count, after),
            }
            rows += [(name, *await _time(ask, rounds)) for name, ask in asks.items()]
        rows.append((f"the same by offset, at {count * 9 // 10}", *await _time(_offset(database, count), 3)))
    table(
        f"{place.name}: pages of {_LIMIT} of {count} tasks, {rounds} of each",
        ("", "p50 ms", "p99 ms"),
        rows,
    )


def _bare_page(connection: Bare, after: str | None) -> Ask:
    async def ask() -> int:
        rows = await connection.execute(_BARE, owner=OWNER, after=after or "z", limit=_LIMIT)
        return len(rows)

    return ask


def _page(database: Database, count: int, after: str | None) -> Ask:
    async def ask() -> int:
        page = await database.store.page(OWNER, Query(limit=_LIMIT, after=after))
        assert page.total == count, page.total
        return len(page.tasks)

    return ask


def _offset(database: Database, count: int) -> Ask:
    async def ask() -> int:
        page = await database.store.page(OWNER, Query(limit=_LIMIT, offset=count * 9 // 10))
        return len(page.tasks)

    return ask


async def _time(ask: Ask, rounds: int) -> tuple[str, str]:
    """p50 and p99 in ms."""
    assert await ask() == _LIMIT  # warm
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        await ask()
        times.append((time.perf_counter() - began) * 1000)
    return f"{quantile(times, 0.5):.2f}", f"{quantile(times, 0.99):.2f}"
