"""The ledger in the transaction that changes a task: the lines, and the sums that they change."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from meshapi_server.accounts.budgets import Used, refusal
from meshapi_server.accounts.invoices import upstream_id
from meshapi_server.accounts.ledger import (
    DAY,
    EVER,
    Bucket,
    Changes,
    Line,
    Position,
    lines,
    position,
    resolved,
)
from meshapi_server.tasks import ids
from meshapi_server.tasks.price import Budget
from meshapi_server.tasks.task import Schedule, Task

from .plan import Plan, Read, Write, read, write_all

_PREFIX = "led_"


class Book:
    """Collects what happens to the money of tasks, and says what is to be written."""

    def __init__(self) -> None:
        self._changes = Changes()
        self._rows: list[dict[str, Any]] = []
        self._references: list[dict[str, Any]] = []

    def accept(self, task: Task, schedule: Schedule) -> None:
        """A task is new."""
        after = position(task, schedule)
        if after is not None:
            self._rows += _rows(lines(None, after), task, schedule)
            self._changes.add(None, after)

    def move(self, before: tuple[Schedule, Task], after: tuple[Schedule, Task]) -> None:
        """A task has changed."""
        if not after[1].metered:
            return
        was, is_now = position(before[1], before[0]), position(after[1], after[0])
        if was != is_now and is_now is not None:
            self._rows += _rows(lines(was, is_now), after[1], after[0])
            self._changes.add(was, is_now)
        reference = after[0].upstream_ref
        if before[1].ended and before[0].upstream_ref is None and reference is not None:
            # It had ended before its upstream said under which id it runs: the invoice knows it by that.
            self._references.append({"task_id": after[1].id, "upstream_ref": upstream_id(reference)})

    def resolve(self, doubt: Position, cost: int, of_task: Mapping[str, Any]) -> None:
        """A doubt is decided; ``of_task`` are the ledger's words for the task and its upstream."""
        after, found = resolved(doubt, cost)
        self._rows += [{**_row(line), **of_task} for line in found]
        self._changes.add(doubt, after)

    def writes(self, shard: int) -> list[Write]:
        """The writes, those of rows that transactions share last and in one order; none for free tasks."""
        spending = [
            {"key_id": key_id, "day": day, "held": held, "spent": spent}
            for (key_id, day), (held, spent) in self._changes.by_key.items()
        ]
        usage = [
            {
                **bucket._asdict(),
                "shard": shard,
                "tasks": sums.tasks,
                "held": sums.held,
                "spent": sums.spent,
                "unknown": sums.unknown,
                "doubtful": sums.doubtful,
            }
            for bucket, sums in self._changes.by_bucket.items()
        ]
        writes = [
            Write("insert_ledger", self._rows),
            Write("name_doubt", self._references),
            Write("add_spending", spending),
            Write("add_usage", usage),
        ]
        return [each for each in writes if each.rows]


def check(wishes: Sequence[tuple[Task, Schedule, Budget]]) -> Plan[Mapping[str, str]]:
    """Why which tasks do not fit into the budgets of their keys, by their ids; in order, each counts.

    Locks what the keys have used, so that nobody else is told the same until this transaction ends. Tasks
    that cost nothing are not looked up, nor anything when no key has a budget. When one has, the keys without
    are locked with it: the same transaction writes what they use, and all take these rows in one order.
    """
    if not any(budget.limited for _, _, budget in wishes):
        return {}
    priced = [
        (task, budget, found.held)
        for task, schedule, budget in wishes
        if (found := position(task, schedule)) is not None
    ]
    limited = [each for each in priced if each[1].limited]
    used: dict[tuple[str, int], Used] = {}
    locked = [task for task, _, _ in priced if limited and task.key_id]
    for key_id, day in sorted({place for task in locked for place in _places(task)}):
        rows = yield Read("lock_spending", {"key_id": key_id, "day": day})
        held, spent = rows[0]
        used[key_id, day] = Used(held=held, spent=spent)
    refused: dict[str, str] = {}
    for task, budget, cost in limited:
        ever, today = _places(task)
        why = refusal(budget, cost, used[today], used[ever])
        if why is not None:
            refused[task.id] = why
            continue
        for place in (ever, today):
            used[place] = used[place].with_held(cost)
    return refused


def _places(task: Task) -> tuple[tuple[str, int], tuple[str, int]]:
    key_id = task.key_id or ""
    return (key_id, EVER), (key_id, task.created_at // DAY)


def _rows(found: Iterable[Line], task: Task, schedule: Schedule) -> list[dict[str, Any]]:
    reference = schedule.upstream_ref
    of_task = {
        "at": task.completed_at or schedule.accepted_at or task.updated_at,
        "task_id": task.id,
        "upstream": task.upstream,
        "upstream_ref": None if reference is None else upstream_id(reference),
    }
    return [{**_row(line), **of_task} for line in found]


def _row(line: Line) -> dict[str, Any]:
    return {
        **line.bucket._asdict(),
        "id": f"{_PREFIX}{ids.ulid()}",
        "kind": line.kind,
        "source": line.source,
        "target": line.target,
        "amount": line.amount,
    }


def book(task_id: str, cost: int, shard: int) -> Plan[bool]:
    """Decide the doubt of a task that ended; False when it has none (any more). Whoever is first decides."""
    rows = yield from read("ledger_of_task", task_id=task_id)
    if not rows:
        return False
    # Several who decide at once wait for each other here; what they read before does not count.
    yield Read("lock_spending", {"key_id": rows[0][3], "day": EVER})
    rows = yield from read("ledger_of_task", task_id=task_id)
    doubts = [row for row in rows if row[0] == "doubt"]
    if not doubts or any(row[0] == "book" for row in rows):
        return False
    _, owner, day, key_id, model, _, ended_at, upstream, reference = doubts[0]
    doubt = Position(
        bucket=Bucket(owner, day, key_id, model), unknown=sum(row[5] for row in doubts), doubtful=1
    )
    written = Book()
    written.resolve(
        doubt, cost, {"at": ended_at, "task_id": task_id, "upstream": upstream, "upstream_ref": reference}
    )
    yield from write_all(written.writes(shard))
    return True
