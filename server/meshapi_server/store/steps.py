"""Claims, steps, reaping and expiry on a SQLite connection, each inside the caller's transaction."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from meshapi_server.tasks.life import RECONCILE_WITHIN, Moved, Step, advance
from meshapi_server.tasks.states import Event, State, slot_change
from meshapi_server.tasks.task import Claim, Outcome, Schedule, Task, TaskError

from .rows import read_schedule, read_task, schedule_row, task_changes
from .statements import SCHEDULE_COLUMNS, load

SQL = load()
HIGHEST_PRIORITY = 9
UNKNOWN = TaskError(
    code="submission_unknown",
    message="The upstream was asked and its answer was lost; it may have accepted and billed the task."
    " It was not asked again.",
)
_WAITING_STATE = {Event.CLAIM_POLL: State.POLLING, Event.CLAIM_FETCH: State.FETCHING}
_ANSWERS = {Event.ACCEPTED, Event.DEFERRED}
_ATTEMPTS = {Event.CLAIM_RENDER, Event.CLAIM_SUBMIT}


class Ask(Struct, frozen=True, kw_only=True):
    """A worker's wish for tasks."""

    event: Event
    upstreams: tuple[str, ...]
    worker: str
    now: int
    lease_until: int
    limit: int


def new_schedule_row(task: Task, schedule: Schedule) -> dict[str, Any]:
    """The columns of a fresh schedule row."""
    return {
        "id": task.id,
        "upstream": task.upstream,
        "state": str(schedule.state),
        "rank": HIGHEST_PRIORITY - (task.spec.priority or 0),
        "due": schedule.due,
        "expires_at": task.expires_at,
    }


def candidates(connection: sqlite3.Connection, ask: Ask) -> list[str]:
    """The ids that ``ask`` may take now, best first, within the slots of each upstream."""
    waiting = _WAITING_STATE.get(ask.event)
    if waiting is not None:
        values = {"state": str(waiting), "now": ask.now, "limit": ask.limit}
        return [row[0] for row in connection.execute(SQL["due_candidates"], values)]
    found: list[str] = []
    for upstream in ask.upstreams:
        room = min(ask.limit - len(found), _free_slots(connection, upstream))
        if room > 0:
            values = {"upstream": upstream, "now": ask.now, "limit": room}
            found += [row[0] for row in connection.execute(SQL["queued_candidates"], values)]
    return found


def _free_slots(connection: sqlite3.Connection, upstream: str) -> int:
    row = connection.execute(SQL["free_slots"], {"upstream": upstream}).fetchone()
    return int(row[0]) if row else 0


def claim(connection: sqlite3.Connection, ask: Ask) -> list[Claim]:
    """Take the candidates: slot, lease and attempt token in one commit. The claim is the intent."""
    step = Step(event=ask.event, worker=ask.worker, lease_until=ask.lease_until)
    taken = []
    for task_id in candidates(connection, ask):
        moved = _move(connection, task_id, step, ask.now)
        if moved is None:
            continue
        if ask.event in _ATTEMPTS:
            _begin_attempt(connection, moved, ask)
        taken.append(Claim(task=moved.task, schedule=moved.schedule))
    return taken


def _begin_attempt(connection: sqlite3.Connection, moved: Moved, ask: Ask) -> None:
    connection.execute(
        SQL["begin_attempt"],
        {
            "task_id": moved.task.id,
            "attempt": moved.schedule.attempt,
            "event": str(ask.event),
            "worker": ask.worker,
            "started_at": ask.now,
        },
    )


def apply(
    connection: sqlite3.Connection, task_id: str, step: Step, now: int, *, owner: str | None = None
) -> Task | None:
    """Apply one step; None when it changed nothing (another claim's, an illegal event, no such task)."""
    moved = _move(connection, task_id, step, now, owner=owner)
    if moved is not None and step.event in _ANSWERS and moved.schedule.cancel_requested:
        moved = _move(connection, task_id, Step(event=Event.CANCELLED), now)
    return moved.task if moved else None


def cancel(connection: sqlite3.Connection, owner: str, task_id: str, now: int) -> Task | None:
    """End the owner's task by CANCELLED; while it is being sent, note the wish and return None."""
    moved = _move(connection, task_id, Step(event=Event.CANCELLED), now, owner=owner)
    if moved is None:
        connection.execute(SQL["request_cancel"], {"id": task_id, "owner": owner})
        return None
    return moved.task


def reap(connection: sqlite3.Connection, statement: str, values: Mapping[str, Any], now: int) -> list[Task]:
    """Free the leases that ``statement`` selects; returns the tasks whose callers see a change."""
    changed = []
    for task_id, state in connection.execute(statement, values).fetchall():
        due = now + RECONCILE_WITHIN if state == State.SENDING else now
        moved = _move(connection, task_id, Step(event=Event.LEASE_LOST, due=due), now)
        if moved is not None and moved.visible:
            changed.append(moved.task)
    return changed


def expire(connection: sqlite3.Connection, now: int) -> list[Task]:
    """End overdue tasks and unknown submissions past their deadline."""
    steps: list[tuple[str, Step]] = [
        (task_id, Step(event=Event.EXPIRED))
        for (task_id,) in connection.execute(SQL["expired_tasks"], {"now": now}).fetchall()
    ]
    unresolved = Step(event=Event.FAILED, outcome=Outcome(error=UNKNOWN))
    steps += [
        (task_id, unresolved)
        for (task_id,) in connection.execute(SQL["unresolved_tasks"], {"now": now}).fetchall()
    ]
    moved = [_move(connection, task_id, step, now) for task_id, step in steps]
    return [each.task for each in moved if each is not None]


def _move(
    connection: sqlite3.Connection, task_id: str, step: Step, now: int, *, owner: str | None = None
) -> Moved | None:
    row = _read(connection, task_id, owner)
    if row is None:
        return None
    schedule = read_schedule(row)
    task = read_task(row[len(SCHEDULE_COLUMNS) :])
    moved = advance(task, schedule, step, now)
    if moved is None:
        return None
    _save(connection, schedule, moved)
    if moved.schedule.state is not schedule.state and schedule.attempt == moved.schedule.attempt:
        connection.execute(
            SQL["end_attempt"],
            {"task_id": task_id, "attempt": schedule.attempt, "ended_at": now, "ended_by": str(step.event)},
        )
    return moved


def _read(connection: sqlite3.Connection, task_id: str, owner: str | None) -> Sequence[Any] | None:
    name, values = "get_claim", {"id": task_id}
    if owner is not None:
        name, values = "get_claim_of_owner", {"id": task_id, "owner": owner}
    row: Sequence[Any] | None = connection.execute(SQL[name], values).fetchone()
    return row


def _save(connection: sqlite3.Connection, before: Schedule, moved: Moved) -> None:
    change = slot_change(before.state, moved.schedule.state)
    if change:
        connection.execute(SQL["take_slots"], {"upstream": moved.task.upstream, "change": change})
    if moved.schedule.state is State.DONE:
        connection.execute(SQL["end_schedule"], {"id": moved.task.id})
    else:
        row = schedule_row(moved.task.id, moved.schedule)
        connection.execute(SQL["save_schedule"], {**row, "read_attempt": before.attempt})
    if moved.visible:
        connection.execute(SQL["save_task"], task_changes(moved.task))
