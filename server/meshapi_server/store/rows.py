"""Between rows and values: what a column holds, in one place for every dialect."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import asdict

from meshapi_server.tasks.limits import Pool, PoolState, gcra
from meshapi_server.tasks.ports import Waiting
from meshapi_server.tasks.spec import Spec
from meshapi_server.tasks.states import State, Status
from meshapi_server.tasks.task import Attempt, Outcome, Route, Schedule, Task

from .statements import ATTEMPT_COLUMNS, SCHEDULE_COLUMNS, TASK_COLUMNS

_encode = msgspec.json.encode
_spec = msgspec.json.Decoder(Spec)
_outcome = msgspec.json.Decoder(Outcome)
_routes = msgspec.json.Decoder(tuple[Route, ...])
# Several times cheaper than to call the enumeration, for every row that is read.
_STATES = {str(state): state for state in State}
_STATUSES = {str(status): status for status in Status}
_NO_OUTCOME = Outcome()
_EMPTY = _encode(_NO_OUTCOME)


def task_row(task: Task) -> dict[str, Any]:
    """The columns of ``task``, by name."""
    metadata = task.spec.metadata
    return {
        **task_changes(task),
        "owner": task.owner,
        "key_id": task.key_id,
        "request_id": task.request_id,
        "requested_model": task.requested_model,
        "routes": _encode(task.routes),
        "created_at": task.created_at,
        "expires_at": task.expires_at,
        "draft_task_id": task.draft_task_id,
        "metadata": _encode(metadata).decode() if metadata else None,
        "spec": _encode(task.spec),
    }


def task_changes(task: Task) -> dict[str, Any]:
    """The columns of ``task`` that a step may change, and its id. What was asked may hold megabytes."""
    error = task.outcome.error
    return {
        "id": task.id,
        "model": task.model,
        "upstream": task.upstream,
        "status": str(task.status),
        "error_code": error.code if error else None,
        "version": task.version,
        "updated_at": task.updated_at,
        "completed_at": task.completed_at,
        "progress": task.progress,
        "outcome": _encode(task.outcome),
    }


def read_task(row: Sequence[Any]) -> Task:
    """A task from the columns ``TASK_COLUMNS``, in that order."""
    (
        task_id,
        owner,
        request_id,
        requested_model,
        model,
        upstream,
        status,
        version,
        created_at,
        updated_at,
        completed_at,
        expires_at,
        progress,
        draft_task_id,
        key_id,
        files_removed_at,
        routes,
        spec,
        outcome,
    ) = row[: len(TASK_COLUMNS)]
    return Task(
        id=task_id,
        owner=owner,
        request_id=request_id,
        requested_model=requested_model,
        model=model,
        upstream=upstream,
        status=_STATUSES[status],
        version=version,
        created_at=created_at,
        updated_at=updated_at,
        completed_at=completed_at,
        expires_at=expires_at,
        progress=progress,
        draft_task_id=draft_task_id,
        key_id=key_id,
        files_removed_at=files_removed_at,
        routes=_routes.decode(routes),
        spec=_spec.decode(spec),
        outcome=_NO_OUTCOME if outcome == _EMPTY else _outcome.decode(outcome),
    )


def read_schedule(row: Sequence[Any]) -> Schedule:
    """A schedule from the columns ``SCHEDULE_COLUMNS``, in that order."""
    (
        state,
        due,
        upstream,
        expires_at,
        lane,
        rank,
        attempt,
        submission,
        route,
        worker,
        lease_until,
        upstream_ref,
        accepted_at,
        polls,
        give_up_at,
        woken,
        cancel_requested,
    ) = row[: len(SCHEDULE_COLUMNS)]
    return Schedule(
        state=_STATES[state],
        due=due,
        upstream=upstream,
        expires_at=expires_at,
        lane=lane,
        rank=rank,
        attempt=attempt,
        submission=submission,
        route=route,
        worker=worker,
        lease_until=lease_until,
        upstream_ref=upstream_ref,
        accepted_at=accepted_at,
        polls=polls,
        give_up_at=give_up_at,
        woken=bool(woken),
        cancel_requested=bool(cancel_requested),
    )


def schedule_row(task_id: str, schedule: Schedule) -> dict[str, Any]:
    """The columns of ``schedule``, by name, and its id."""
    row = asdict(schedule)
    row["id"] = task_id
    row["state"] = str(schedule.state)
    row["woken"] = int(schedule.woken)
    row["cancel_requested"] = int(schedule.cancel_requested)
    return row


def read_held(row: Sequence[Any]) -> tuple[Schedule, Task]:
    """Schedule and task from the columns ``{schedule}, {task}``."""
    return read_schedule(row[: len(SCHEDULE_COLUMNS)]), read_task(row[len(SCHEDULE_COLUMNS) :])


def read_attempt(row: Sequence[Any]) -> Attempt:
    """A line of a timeline from the columns ``ATTEMPT_COLUMNS``, in that order."""
    return Attempt(**dict(zip(ATTEMPT_COLUMNS, row, strict=True)))


def read_waiting(row: Sequence[Any]) -> Waiting:
    """A queued task from ``queue_behind``."""
    task_id, rank, lane, route, routes = row
    return Waiting(task_id=task_id, rank=rank, lane=lane, route=route, routes=_routes.decode(routes))


def read_pool(row: Sequence[Any]) -> PoolState:
    """A pool from the columns ``POOL_COLUMNS``, in that order."""
    name, capacity, used, pace, burst, full_at, paused_until = row
    return PoolState(
        name=name,
        capacity=capacity,
        used=used,
        interval=pace,
        burst=burst,
        full_at=full_at,
        paused_until=paused_until,
    )


def pool_row(pool: Pool) -> dict[str, Any]:
    """The settings of a pool, by name."""
    interval, burst = gcra(pool.rate)
    return {"name": pool.name, "capacity": pool.capacity, "interval": interval, "burst": burst}
