"""What the database holds, as values: read without the server's own code, so that the two can disagree."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from .databases import Database

TERMINAL = frozenset({"succeeded", "failed"})
# States in which a task occupies a slot of its upstream, and of its key's lane.
HOLDING = frozenset({"rendering", "sending", "unknown", "polling", "fetching", "cancelling"})

_TASKS = """select id, owner, requested_model, upstream, status, version, error_code, completed_at, outcome
            from task"""
_ENDS = (
    "select id, status, version, error_code, completed_at from task where status in ('succeeded', 'failed')"
)
_OPEN = """select id from task where status in ('pending', 'running')
           and not exists (select 1 from schedule where schedule.id = task.id)"""
_SCHEDULES = """select schedule.id, schedule.state, schedule.upstream, schedule.lane, schedule.attempt,
                       schedule.submission, schedule.worker, schedule.lease_until, schedule.cancel_requested,
                       schedule.due, schedule.give_up_at, task.status
                from schedule join task on task.id = schedule.id"""
_POOLS = "select name, capacity, used from pool"
_ATTEMPTS = "select * from timeline order by task_id, attempt, started_at"
_KEYS = "select owner, key, task_id from idempotency"


@dataclass(frozen=True)
class TaskRow:
    """A task. ``sha256`` are its files' names and digests, as the outcome has them."""

    id: str
    owner: str
    model: str
    upstream: str
    status: str
    version: int
    error_code: str | None
    completed_at: int | None
    sha256: dict[str, str]


@dataclass(frozen=True)
class ScheduleRow:
    """What a task in flight needs next."""

    id: str
    state: str
    upstream: str
    lane: str
    attempt: int
    submission: int
    worker: str | None
    lease_until: int
    cancel_requested: int
    due: int
    give_up_at: int | None
    status: str


@dataclass(frozen=True)
class PoolRow:
    """A limit and how much of it is used."""

    name: str
    capacity: int
    used: int


@dataclass(frozen=True)
class AttemptRow:
    """A line of a timeline. Milliseconds."""

    task_id: str
    attempt: int
    kind: str
    upstream: str
    model: str
    worker: str | None
    started_at: int
    ended_at: int | None
    result: str | None
    message: str | None
    polls: int | None


@dataclass(frozen=True)
class End:
    """How a task ended."""

    status: str
    version: int
    error_code: str | None
    completed_at: int | None


@dataclass(frozen=True)
class Moment:
    """What can be read often: tasks in flight, limits, and tasks that nothing would drive on."""

    schedules: list[ScheduleRow]
    pools: dict[str, PoolRow]
    forsaken: list[str]

    @property
    def holding(self) -> Counter[str]:
        """How many tasks hold a slot, by pool."""
        held: Counter[str] = Counter()
        for row in self.schedules:
            if row.state in HOLDING:
                held[f"upstream:{row.upstream}"] += 1
                if row.lane:
                    held[row.lane] += 1
        return held


@dataclass(frozen=True)
class Whole:
    """Everything, read once at the end."""

    tasks: dict[str, TaskRow]
    schedules: list[ScheduleRow]
    pools: dict[str, PoolRow]
    attempts: dict[str, list[AttemptRow]]
    keys: dict[tuple[str, str], str]


async def moment(database: Database) -> Moment:
    """A consistent look at what is in flight."""
    schedules, pools, forsaken = await database.read(_SCHEDULES, _POOLS, _OPEN)
    return Moment(
        schedules=[ScheduleRow(**row) for row in schedules],
        pools={row["name"]: PoolRow(**row) for row in pools},
        forsaken=[row["id"] for row in forsaken],
    )


async def ends(database: Database) -> dict[str, End]:
    """How every task that has ended did."""
    (rows,) = await database.read(_ENDS)
    return {row.pop("id"): End(**row) for row in rows}


async def whole(database: Database) -> Whole:
    """A consistent look at everything."""
    tasks, schedules, pools, attempts, keys = await database.read(
        _TASKS, _SCHEDULES, _POOLS, _ATTEMPTS, _KEYS
    )
    lines: dict[str, list[AttemptRow]] = {}
    for row in attempts:
        lines.setdefault(row["task_id"], []).append(AttemptRow(**row))
    return Whole(
        tasks={row["id"]: _task(row) for row in tasks},
        schedules=[ScheduleRow(**row) for row in schedules],
        pools={row["name"]: PoolRow(**row) for row in pools},
        attempts=lines,
        keys={(row["owner"], row["key"]): row["task_id"] for row in keys},
    )


def _task(row: dict[str, Any]) -> TaskRow:
    outcome = json.loads(row["outcome"])
    files = [outcome[name] for name in ("video", "last_frame") if outcome.get(name)]
    return TaskRow(
        id=row["id"],
        owner=row["owner"],
        model=row["requested_model"],
        upstream=row["upstream"],
        status=row["status"],
        version=row["version"],
        error_code=row["error_code"],
        completed_at=row["completed_at"],
        sha256={file["name"]: file["sha256"] for file in files},
    )
