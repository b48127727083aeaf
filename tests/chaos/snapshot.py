"""What the database holds, as values: read without the server's own code, so that the two can disagree."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
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
_LEDGER = "select task_id, key_id, model, source, target, amount from ledger"
_SPENDING = "select key_id, day, held, spent from spending"
_USAGE = """select key_id, model, cast(sum(tasks) as bigint) as tasks, cast(sum(held) as bigint) as held,
                   cast(sum(spent) as bigint) as spent, cast(sum(unknown) as bigint) as unknown
            from daily_usage group by key_id, model"""
# What must be held at any moment: the price of each task that goes on at a paid upstream.
_HELD = "select cast(coalesce(sum(held), 0) as bigint) as held from spending where day = -1"
_GOING_ON = """select upstream, count(*) as tasks from task where status in ('pending', 'running')
               group by upstream"""


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
    cost_usd: str | None
    charged: str | None


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
class LedgerRow:
    """An amount that went from one account of a key to another. Nano-dollars, as all sums here."""

    task_id: str
    key_id: str
    model: str
    source: str
    target: str
    amount: int


@dataclass(frozen=True)
class SpendingRow:
    """What a key has used of a day, or (day -1) in all."""

    key_id: str
    day: int
    held: int
    spent: int


@dataclass(frozen=True)
class UsageRow:
    """The sums of a key and a model."""

    key_id: str
    model: str
    tasks: int
    held: int
    spent: int
    unknown: int


@dataclass(frozen=True)
class Money:
    """The ledger, and the sums that are kept beside it."""

    ledger: list[LedgerRow]
    spending: list[SpendingRow]
    usage: list[UsageRow]


@dataclass(frozen=True)
class End:
    """How a task ended."""

    status: str
    version: int
    error_code: str | None
    completed_at: int | None


@dataclass(frozen=True)
class Moment:
    """What can be read often: tasks in flight, limits, and tasks that nothing would drive on.

    ``held`` is what all keys have held, in nano-dollars; ``going_on`` counts what has not ended, by upstream.
    """

    schedules: list[ScheduleRow]
    pools: dict[str, PoolRow]
    forsaken: list[str]
    held: int = 0
    going_on: Mapping[str, int] = field(default_factory=dict)

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
    money: Money


async def moment(database: Database) -> Moment:
    """A consistent look at what is in flight."""
    schedules, pools, forsaken, held, going_on = await database.read(
        _SCHEDULES, _POOLS, _OPEN, _HELD, _GOING_ON
    )
    return Moment(
        schedules=[ScheduleRow(**row) for row in schedules],
        pools={row["name"]: PoolRow(**row) for row in pools},
        forsaken=[row["id"] for row in forsaken],
        held=held[0]["held"],
        going_on={row["upstream"]: row["tasks"] for row in going_on},
    )


async def ends(database: Database) -> dict[str, End]:
    """How every task that has ended did."""
    (rows,) = await database.read(_ENDS)
    return {row.pop("id"): End(**row) for row in rows}


async def whole(database: Database) -> Whole:
    """A consistent look at everything."""
    tasks, schedules, pools, attempts, keys, ledger, spending, usage = await database.read(
        _TASKS, _SCHEDULES, _POOLS, _ATTEMPTS, _KEYS, _LEDGER, _SPENDING, _USAGE
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
        money=Money(
            ledger=[LedgerRow(**row) for row in ledger],
            spending=[SpendingRow(**row) for row in spending],
            usage=[UsageRow(**row) for row in usage],
        ),
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
        cost_usd=outcome.get("facts", {}).get("cost_usd"),
        charged=(outcome.get("error") or {}).get("charged"),
    )
