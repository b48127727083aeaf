"""Hundreds of thousands of tasks in seconds: one real task, copied by the database itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from databases import Bare, Place, bare, opened, settle, sqlite_pragma

from meshapi_server.store.statements import SCHEDULE_COLUMNS, TASK_COLUMNS, Dialect
from meshapi_server.tasks import ids
from meshapi_server.tasks.spec import ContentItem, Spec
from meshapi_server.tasks.states import State, Status
from meshapi_server.tasks.task import Route, Schedule, Task

OWNER = "own_bench"
_CHUNK = 50_000  # rows of one transaction
_DAY = 24 * 3600 * 1000  # ms
_PREFIX = "task_01BENCH"
# The number of a row as the end of an id, so that ids sort as the numbers do.
_ID: dict[Dialect, str] = {
    "sqlite": f"printf('{_PREFIX}%019d', n.i)",
    "postgres": f"'{_PREFIX}' || lpad(n.i::text, 19, '0')",
}
_NUMBERS: dict[Dialect, str] = {
    "sqlite": "(with recursive n(i) as (select :first union all select i + 1 from n where i < :last)"
    " select i from n) as n",
    "postgres": "generate_series(:first::bigint, :last::bigint) as n(i)",
}


@dataclass(frozen=True)
class Flight:
    """Tasks that sleep at an upstream. Times in ms; the first is due at ``due``, the last ``spread`` later.

    ``references`` are what the upstream calls them; there may be fewer than tasks.
    """

    count: int
    upstream: str
    due: int
    spread: int
    accepted_at: int
    references: Sequence[str]


def task_id(number: int) -> str:
    """The id of a copied task; the first is 1."""
    return f"{_PREFIX}{number:019d}"


def sample(upstream: str, now: int, *, model: str = "sora-2") -> tuple[Task, Schedule]:
    """A task as a create makes it, and its schedule."""
    text = "A serene mountain lake at sunrise, " * 4
    task = Task(
        id=ids.task_id(),
        owner=OWNER,
        key_id="key_bench",
        request_id=ids.request_id(),
        requested_model=f"{upstream}/{model}",
        model=f"{upstream}/{model}",
        upstream=upstream,
        routes=(
            Route(upstream=upstream, model=f"{upstream}/{model}", upstream_model=model, usual_seconds=60.0),
        ),
        status=Status.PENDING,
        version=1,
        created_at=now,
        updated_at=now,
        expires_at=now + _DAY,
        spec=Spec(
            model=f"{upstream}/{model}",
            content=(ContentItem(kind="text", index=0, text=text),),
            duration=4,
            resolution="720p",
            ratio="16:9",
            seed=7,
        ),
    )
    return task, Schedule(state=State.QUEUED, due=now, upstream=upstream, expires_at=task.expires_at)


async def fill(place: Place, flight: Flight) -> None:
    """Put the tasks into the database, as if they had been submitted and looked at before."""
    async with opened(place) as database:
        task, schedule = sample(flight.upstream, database.clock())
        await database.store.create(task, schedule, b"", None)
    async with bare(place) as connection:
        await sqlite_pragma(connection, "synchronous = off")
        await connection.execute("create temporary table reference (place bigint primary key, name text)")
        rows = [{"place": place, "name": name} for place, name in enumerate(flight.references)]
        await connection.execute_many("insert into reference values (:place, :name)", rows)
        for first in range(1, flight.count + 1, _CHUNK):
            last = min(first + _CHUNK - 1, flight.count)
            async with connection.transaction():
                await _copy_tasks(connection, task.id, first, last)
                await _copy_schedules(connection, task.id, flight, first, last)
        async with connection.transaction():
            await _retire(connection, task.id, flight)
    await settle(place)


async def _copy_tasks(connection: Bare, source: str, first: int, last: int) -> None:
    columns = [*TASK_COLUMNS, "metadata", "error_code"]
    values = {name: name for name in columns}
    values |= {
        "id": _ID[connection.dialect],
        "request_id": "'req_' || cast(n.i as text)",
        "created_at": "created_at + n.i",
        "status": "'running'",
        "version": "3",
    }
    await connection.execute(
        f"insert into task ({', '.join(columns)}) select {', '.join(values[name] for name in columns)}"
        f" from task cross join {_NUMBERS[connection.dialect]} where id = :source",
        source=source,
        first=first,
        last=last,
    )


async def _copy_schedules(connection: Bare, source: str, flight: Flight, first: int, last: int) -> None:
    values = {name: name for name in SCHEDULE_COLUMNS}
    values |= {
        "state": "'polling'",
        "due": f"{flight.due} + n.i * {flight.spread} / {flight.count}",
        "upstream_ref": "reference.name",
        "accepted_at": str(flight.accepted_at),
        "attempt": "2",
        "submission": "1",
        "polls": "1",
    }
    await connection.execute(
        f"insert into schedule (id, {', '.join(SCHEDULE_COLUMNS)})"
        f" select {_ID[connection.dialect]}, {', '.join(values[name] for name in SCHEDULE_COLUMNS)}"
        f" from schedule cross join {_NUMBERS[connection.dialect]}"
        f" join reference on reference.place = n.i % {len(flight.references)} where id = :source",
        source=source,
        first=first,
        last=last,
    )


async def _retire(connection: Bare, source: str, flight: Flight) -> None:
    """Take the sample out, and count its copies where it was counted: in the tally and in its pool."""
    await connection.execute("delete from schedule where id = :id", id=source)
    await connection.execute("delete from task where id = :id", id=source)
    await connection.execute(
        "update tally set tasks = :count, status = 'running' where owner = :owner",
        count=flight.count,
        owner=OWNER,
    )
    await connection.execute(
        "insert into pool (name, capacity, used) values (:name, 1000000000, :used)"
        " on conflict (name) do update set used = pool.used + excluded.used",
        name=f"upstream:{flight.upstream}",
        used=flight.count,
    )
