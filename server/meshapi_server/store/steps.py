"""Claims, steps, reaping and expiry on a SQLite connection, each inside the caller's transaction."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from meshapi_server.tasks.life import UNKNOWN_SUBMISSION, Moved, Step, advance, pool_changes
from meshapi_server.tasks.limits import UNLIMITED, PoolState, passed, room
from meshapi_server.tasks.states import CLAIMS, Event, State
from meshapi_server.tasks.task import Claim, Outcome, Schedule, Task

from .rows import read_pool, read_schedule, read_task, schedule_row, task_changes
from .statements import SCHEDULE_COLUMNS, load

SQL = load()
_BEGINNINGS = {Event.CLAIM_RENDER, Event.CLAIM_SUBMIT}


class Ask(Struct, frozen=True, kw_only=True):
    """A worker's wish for tasks."""

    event: Event
    upstreams: tuple[str, ...]
    worker: str
    now: int
    lease_until: int
    limit: int


def candidates(connection: sqlite3.Connection, ask: Ask) -> list[str]:
    """The ids that ``ask`` may take now, best first, within the pools of each upstream."""
    find = _queued if ask.event in _BEGINNINGS else _due
    found = sorted(row for upstream in ask.upstreams for row in find(connection, ask, upstream))
    return [task_id for _, task_id in found[: ask.limit]]


def _queued(connection: sqlite3.Connection, ask: Ask, upstream: str) -> list[tuple[int, str]]:
    most = min(ask.limit, room(_pool(connection, f"upstream:{upstream}", capacity=0), ask.now))
    if most <= 0:
        return []
    found: list[tuple[int, str]] = []
    for (lane,) in connection.execute(SQL["queued_lanes"], {"upstream": upstream}).fetchall():
        free = min(most, room(_pool(connection, lane), ask.now)) if lane else most
        if free > 0:
            values = {"upstream": upstream, "lane": lane, "now": ask.now, "limit": free}
            found += connection.execute(SQL["queued_candidates"], values)
    return sorted(found)[:most]


def _due(connection: sqlite3.Connection, ask: Ask, upstream: str) -> list[tuple[int, str]]:
    most = ask.limit
    if ask.event is Event.CLAIM_POLL:
        most = min(most, room(_pool(connection, f"polls:{upstream}"), ask.now))
    values = {"upstream": upstream, "state": str(CLAIMS[ask.event]), "now": ask.now, "limit": most}
    return connection.execute(SQL["due_candidates"], values).fetchall() if most > 0 else []


def _pool(connection: sqlite3.Connection, name: str, capacity: int = UNLIMITED) -> PoolState:
    row = connection.execute(SQL["get_pool"], {"name": name}).fetchone()
    return read_pool(row) if row else PoolState(name=name, capacity=capacity)


def claim(connection: sqlite3.Connection, ask: Ask) -> list[Claim]:
    """Take the candidates: slot, lease and attempt token in one commit. The claim is the intent."""
    step = Step(event=ask.event, worker=ask.worker, lease_until=ask.lease_until)
    moves = [_move(connection, task_id, step, ask.now) for task_id in candidates(connection, ask)]
    taken = [Claim(task=moved.task, schedule=moved.schedule) for moved in moves if moved is not None]
    _spend(connection, ask, taken)
    return taken


def _spend(connection: sqlite3.Connection, ask: Ask, taken: Sequence[Claim]) -> None:
    """Count the calls that these claims will make against the rates of their pools."""
    prefix = {Event.CLAIM_SUBMIT: "upstream", Event.CLAIM_POLL: "polls"}.get(ask.event)
    if prefix is None:
        return
    for upstream in sorted({each.schedule.upstream for each in taken}):
        pool = _pool(connection, f"{prefix}:{upstream}")
        calls = sum(each.schedule.upstream == upstream for each in taken)
        after = passed(pool, calls, ask.now)
        if after is not pool:
            connection.execute(SQL["save_pool_rate"], {"name": pool.name, "full_at": after.full_at})


def apply(
    connection: sqlite3.Connection, task_id: str, step: Step, now: int, *, owner: str | None = None
) -> Task | None:
    """Apply one step; None when it changed nothing (another claim's, an illegal event, no such task)."""
    moved = _move(connection, task_id, step, now, owner=owner)
    return moved.task if moved else None


def cancel(connection: sqlite3.Connection, owner: str, task_id: str, now: int) -> Task | None:
    """End the owner's task by CANCELLED; while it is being sent, note the wish and return None."""
    moved = _move(connection, task_id, Step(event=Event.CANCELLED), now, owner=owner)
    if moved is None:
        connection.execute(SQL["request_cancel"], {"id": task_id, "owner": owner})
        return None
    return moved.task


def reap(
    connection: sqlite3.Connection,
    statement: str,
    values: Mapping[str, Any],
    now: int,
    reconcile_within: int,
) -> list[Task]:
    """Free the leases that ``statement`` selects; returns the tasks whose callers see a change."""
    changed = []
    step = Step(event=Event.LEASE_LOST, due=now, give_up_at=now + reconcile_within)
    for task_id, _ in connection.execute(statement, values).fetchall():
        moved = _move(connection, task_id, step, now)
        if moved is not None and moved.visible:
            changed.append(moved.task)
    return changed


def expire(connection: sqlite3.Connection, now: int) -> list[Task]:
    """End overdue tasks; give up unknown submissions and cancels that are past their deadline."""
    steps: list[tuple[str, Step]] = [
        (task_id, Step(event=Event.EXPIRED))
        for (task_id,) in connection.execute(SQL["expired_tasks"], {"now": now}).fetchall()
    ]
    unresolved = Step(event=Event.FAILED, outcome=Outcome(error=UNKNOWN_SUBMISSION))
    steps += [
        (task_id, unresolved if state == State.UNKNOWN else Step(event=Event.LET_GO))
        for task_id, state in connection.execute(SQL["given_up"], {"now": now}).fetchall()
    ]
    moved = [_move(connection, task_id, step, now) for task_id, step in steps]
    return [each.task for each in moved if each is not None and each.visible]


def _move(
    connection: sqlite3.Connection, task_id: str, step: Step, now: int, *, owner: str | None = None
) -> Moved | None:
    row = _read(connection, task_id, owner)
    if row is None:
        return None
    schedule = read_schedule(row)
    moved = advance(read_task(row[len(SCHEDULE_COLUMNS) :]), schedule, step, now)
    if moved is not None:
        _save(connection, schedule, moved)
    return moved


def _read(connection: sqlite3.Connection, task_id: str, owner: str | None) -> Sequence[Any] | None:
    name, values = "get_claim", {"id": task_id}
    if owner is not None:
        name, values = "get_claim_of_owner", {"id": task_id, "owner": owner}
    row: Sequence[Any] | None = connection.execute(SQL[name], values).fetchone()
    return row


def _save(connection: sqlite3.Connection, before: Schedule, moved: Moved) -> None:
    for pool, change in pool_changes(before, moved.schedule).items():
        connection.execute(SQL["use_pool"], {"name": pool, "change": change})
    if moved.schedule.state is State.DONE:
        connection.execute(SQL["end_schedule"], {"id": moved.task.id})
    else:
        row = schedule_row(moved.task.id, moved.schedule)
        connection.execute(SQL["save_schedule"], {**row, "read_attempt": before.attempt})
    if moved.visible:
        connection.execute(SQL["save_task"], task_changes(moved.task))
    for attempt in moved.begun:
        connection.execute(SQL["begin_attempt"], asdict(attempt))
    for attempt in moved.finished:
        connection.execute(SQL["end_attempt"], asdict(attempt))
