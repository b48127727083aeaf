"""Between rows and values: what a column holds, in one place for every dialect."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from meshapi_server.tasks.spec import Spec
from meshapi_server.tasks.states import State, Status
from meshapi_server.tasks.task import Outcome, Schedule, Task

from .statements import SCHEDULE_COLUMNS, TASK_COLUMNS

_encode = msgspec.json.encode
_spec = msgspec.json.Decoder(Spec)
_outcome = msgspec.json.Decoder(Outcome)
_NO_OUTCOME = Outcome()
_EMPTY = _encode(_NO_OUTCOME)


def task_row(task: Task) -> dict[str, Any]:
    """The columns of ``task``, by name."""
    metadata = task.spec.metadata
    return {
        **task_changes(task),
        "owner": task.owner,
        "request_id": task.request_id,
        "requested_model": task.requested_model,
        "model": task.model,
        "upstream": task.upstream,
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
        status=Status(status),
        version=version,
        created_at=created_at,
        updated_at=updated_at,
        completed_at=completed_at,
        expires_at=expires_at,
        progress=progress,
        draft_task_id=draft_task_id,
        spec=_spec.decode(spec),
        outcome=_NO_OUTCOME if outcome == _EMPTY else _outcome.decode(outcome),
    )


def read_schedule(row: Sequence[Any]) -> Schedule:
    """A schedule from the columns ``SCHEDULE_COLUMNS``, in that order."""
    values: Mapping[str, Any] = dict(zip(SCHEDULE_COLUMNS, row, strict=False))
    return Schedule(
        state=State(values["state"]),
        due=values["due"],
        attempt=values["attempt"],
        worker=values["worker"],
        lease_until=values["lease_until"],
        upstream_ref=values["upstream_ref"],
        polls=values["polls"],
        cancel_requested=bool(values["cancel_requested"]),
    )


def schedule_row(task_id: str, schedule: Schedule) -> dict[str, Any]:
    """The columns of ``schedule`` that a step may change, by name."""
    return {
        "id": task_id,
        "state": str(schedule.state),
        "due": schedule.due,
        "attempt": schedule.attempt,
        "worker": schedule.worker,
        "lease_until": schedule.lease_until,
        "upstream_ref": schedule.upstream_ref,
        "polls": schedule.polls,
    }
