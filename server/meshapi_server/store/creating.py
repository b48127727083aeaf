"""The plan that accepts tasks: all of one call in one commit, one task for one idempotency key."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from meshapi_server.tasks.errors import IdempotencyMismatch, OverBudget, TaskRefusal
from meshapi_server.tasks.ports import EMPTY, Created, Idempotency
from meshapi_server.tasks.price import UNLIMITED, Budget
from meshapi_server.tasks.task import Schedule, Task

from . import accounting, flights
from .plan import Plan, Read, Row, Write, read, write_all
from .rows import schedule_row, task_row
from .tally import accepted, tally_rows


class Entry(Struct, frozen=True, kw_only=True):
    """A task to be accepted, with the answer that its caller gets (and gets again under its key)."""

    task: Task
    schedule: Schedule
    response: bytes
    idempotency: Idempotency | None = None
    inputs: Mapping[int, str] = EMPTY
    budget: Budget = UNLIMITED
    most_in_flight: int | None = None


Accepted = Created | TaskRefusal


def create(entries: Sequence[Entry], shard: int) -> Plan[list[Accepted]]:
    """Accept tasks; for each the answer, or the refusal that its caller is to be raised."""
    earlier = yield from _reserve(entries)
    answers = [_answer(entry, earlier) for entry in entries]
    fresh = [
        entry
        for entry, answer in zip(entries, answers, strict=True)
        if isinstance(answer, Created) and not answer.replayed
    ]
    refused = yield from _check(fresh)
    if refused:
        answers = [_refused(answer, refused) for answer in answers]
        forgotten = [_key_row(each) for each in fresh if each.task.id in refused and each.idempotency]
        if forgotten:
            yield Write("forget_key", forgotten)
        fresh = [each for each in fresh if each.task.id not in refused]
    if fresh:
        tasks = [entry.task for entry in fresh]
        yield Write("insert_task", [task_row(task) for task in tasks])
        yield Write("insert_schedule", [schedule_row(each.task.id, each.schedule) for each in fresh])
        inputs = [row for entry in fresh for row in _input_rows(entry)]
        if inputs:
            yield Write("insert_input", inputs)
        book = accounting.Book()
        for entry in fresh:
            book.accept(entry.task, entry.schedule)
        yield from write_all(book.writes(shard))
        yield Write("add_tally", tally_rows(accepted(tasks), shard))
    return answers


def find(owner: str, idempotency: Idempotency) -> Plan[Created | None]:
    """The first answer under a key. Raises IdempotencyMismatch."""
    rows = yield from read("find_idempotency", owner=owner, key=idempotency.key)
    return _replay(rows[0], idempotency) if rows else None


def _reserve(entries: Sequence[Entry]) -> Plan[dict[tuple[str, str], Row]]:
    """Write down each key for its task, and read back whose it is: of several calls, one is first.

    The keys go in order, so that two transactions with the same keys wait for each other one way only.
    """
    rows = sorted((_key_row(entry) for entry in entries if entry.idempotency is not None), key=_owner_and_key)
    if not rows:
        return {}
    if len(rows) == 1:
        found = yield Read("reserve_key", rows[0])
        if not found:
            found = yield Read("find_idempotency", rows[0])
        return {(row[0], row[1]): row for row in found}
    yield Write("insert_idempotency", rows)
    values = {"owners": [row["owner"] for row in rows], "keys": [row["key"] for row in rows]}
    found = yield from read("find_idempotencies", **values)
    return {(row[0], row[1]): row for row in found}


def _answer(entry: Entry, earlier: Mapping[tuple[str, str], Row]) -> Accepted:
    fresh = Created(task_id=entry.task.id, response=entry.response, replayed=False)
    if entry.idempotency is None:
        return fresh
    row = earlier[entry.task.owner, entry.idempotency.key]
    if row[3] == entry.task.id:
        return fresh
    try:
        return _replay(row, entry.idempotency)
    except IdempotencyMismatch as refusal:
        return refusal


def _check(fresh: Sequence[Entry]) -> Plan[dict[str, TaskRefusal]]:
    """Which tasks their keys may not have, by their ids. Too many tasks are refused before too much money."""
    crowded = yield from flights.check([(each.task, each.schedule, each.most_in_flight) for each in fresh])
    rest = [each for each in fresh if each.task.id not in crowded]
    dear = yield from accounting.check([(each.task, each.schedule, each.budget) for each in rest])
    return {**crowded, **{task_id: OverBudget(why) for task_id, why in dear.items()}}


def _refused(answer: Accepted, refused: Mapping[str, TaskRefusal]) -> Accepted:
    """The answer, unless its task was refused: also to whoever repeats a call that was refused beside it."""
    return refused.get(answer.task_id, answer) if isinstance(answer, Created) else answer


def _replay(row: Row, idempotency: Idempotency) -> Created:
    _, _, fingerprint, task_id, response = row
    if fingerprint != idempotency.fingerprint:
        raise IdempotencyMismatch(
            f"Idempotency-Key {idempotency.key!r} was used for task {task_id} with a different body."
        )
    return Created(task_id=task_id, response=response, replayed=True)


def _key_row(entry: Entry) -> dict[str, Any]:
    assert entry.idempotency is not None
    return {
        "owner": entry.task.owner,
        "key": entry.idempotency.key,
        "fingerprint": entry.idempotency.fingerprint,
        "task_id": entry.task.id,
        "response": entry.response,
        "created_at": entry.task.created_at,
    }


def _owner_and_key(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["owner"], row["key"]


def _input_rows(entry: Entry) -> list[dict[str, Any]]:
    return [
        {"task_id": entry.task.id, "item": item, "data": data} for item, data in sorted(entry.inputs.items())
    ]
