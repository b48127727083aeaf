"""The pure step of a task's life: given what is stored and what happened, what is stored next.

Both database dialects call :func:`advance` inside a transaction and write what it returns, so the rules
exist once and are tested without a database.
"""

from msgspec import Struct
from msgspec.structs import replace

from .states import Event, State, Status, next_state
from .task import Outcome, Schedule, Task, TaskError

RECONCILE_WITHIN = 60_000  # ms that a task may stay `unknown` before it fails and frees its slot


class Step(Struct, frozen=True, kw_only=True):
    """What happened, with everything that it brings along. Unset fields leave the stored value."""

    event: Event
    attempt: int | None = None  # the claim that this step belongs to; None: by the platform itself
    worker: str | None = None
    lease_until: int | None = None
    due: int | None = None
    upstream_ref: str | None = None
    running: bool = False  # the upstream says that it has begun
    progress: float | None = None
    outcome: Outcome | None = None


class Moved(Struct, frozen=True, kw_only=True):
    """The row after a step. ``visible`` is False when the caller would see no difference."""

    task: Task
    schedule: Schedule
    visible: bool


_CLAIMS = frozenset({Event.CLAIM_RENDER, Event.CLAIM_SUBMIT, Event.CLAIM_POLL, Event.CLAIM_FETCH})
_KEEPS_LEASE = _CLAIMS | {Event.PROGRESSED}
_ENDINGS: dict[Event, TaskError] = {
    Event.CANCELLED: TaskError(code="cancelled", message="The task was cancelled."),
    Event.EXPIRED: TaskError(code="expired", message="The task did not end within execution_expires_after."),
}


def advance(task: Task, schedule: Schedule, step: Step, now: int) -> Moved | None:
    """What ``step`` makes of the row, or None when it may change nothing.

    It changes nothing when the state table does not have it, or when it comes from a claim that is no
    longer the row's (a worker that was paused past its lease, say).
    """
    if step.attempt is not None and step.attempt != schedule.attempt:
        return None
    state = next_state(schedule.state, step.event)
    if state is None:
        return None
    after = _schedule(schedule, step, state)
    moved = _task(task, step, state, now)
    return Moved(task=moved, schedule=after, visible=moved is not task)


def _schedule(schedule: Schedule, step: Step, state: State) -> Schedule:
    keeps = step.event in _KEEPS_LEASE and step.lease_until is not None
    return replace(
        schedule,
        state=state,
        attempt=schedule.attempt + 1 if step.event in _CLAIMS else schedule.attempt,
        worker=(step.worker or schedule.worker) if keeps else None,
        lease_until=step.lease_until if keeps and step.lease_until is not None else 0,
        due=schedule.due if step.due is None else step.due,
        upstream_ref=step.upstream_ref or schedule.upstream_ref,
        polls=schedule.polls + (step.event is Event.CLAIM_POLL),
    )


def _task(task: Task, step: Step, state: State, now: int) -> Task:
    status = _status(task, step, state)
    outcome = step.outcome or task.outcome
    error = _ENDINGS.get(step.event)
    if error is not None:
        outcome = replace(outcome, error=error)
    progress = _progress(task, step, status)
    if (status, progress, outcome) == (task.status, task.progress, task.outcome):
        return task
    return replace(
        task,
        status=status,
        progress=progress,
        outcome=outcome,
        version=task.version + 1,
        updated_at=max(now, task.updated_at),
        completed_at=max(now, task.created_at) if state is State.DONE else None,
    )


def _status(task: Task, step: Step, state: State) -> Status:
    if state is State.DONE:
        return Status.SUCCEEDED if step.event is Event.STORED else Status.FAILED
    if state in {State.RENDERING, State.FETCHING} or (state is State.POLLING and step.running):
        return Status.RUNNING
    if state is State.QUEUED:
        return Status.PENDING
    return task.status


def _progress(task: Task, step: Step, status: Status) -> float | None:
    if status is Status.SUCCEEDED:
        return 1.0
    if status is Status.PENDING:
        return None
    if step.progress is None:
        return task.progress
    return max(task.progress or 0.0, min(1.0, max(0.0, step.progress)))
