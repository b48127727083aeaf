"""What a step adds to a task's timeline: attempts that begin, attempts that end. Pure."""

from .states import Event, State
from .task import Attempt, AttemptKind, Schedule, Task

_BEGINS: dict[Event, AttemptKind] = {
    Event.CLAIM_RENDER: "render",
    Event.CLAIM_SUBMIT: "submit",
    Event.CLAIM_RECONCILE: "reconcile",
    Event.CLAIM_FETCH: "fetch",
    Event.CLAIM_CANCEL: "cancel",
}
# The kind of attempt that is open in a state while a worker holds the row. Single looks are only counted.
_OPEN: dict[State, AttemptKind] = {
    State.RENDERING: "render",
    State.SENDING: "submit",
    State.UNKNOWN: "reconcile",
    State.FETCHING: "fetch",
    State.CANCELLING: "cancel",
}


def begun(
    task: Task, before: Schedule, after: Schedule, event: Event, message: str | None, now: int
) -> tuple[Attempt, ...]:
    """The lines that the move from ``before`` to ``after`` begins.

    Leaving ``polling`` writes one finished line that sums up all looks of the submission.
    """
    kind = _BEGINS.get(event)
    if kind is not None:
        return (
            Attempt(
                task_id=task.id,
                attempt=after.attempt,
                kind=kind,
                upstream=before.upstream,
                model=task.model,
                worker=after.worker,
                started_at=now,
            ),
        )
    if before.state is State.POLLING and after.state is not State.POLLING:
        return (
            Attempt(
                task_id=task.id,
                attempt=before.attempt,
                kind="poll",
                upstream=before.upstream,
                model=task.model,
                started_at=before.accepted_at or now,
                ended_at=now,
                result=str(event),
                message=message,
                polls=before.polls,
            ),
        )
    return ()


def finished(
    task: Task, before: Schedule, after: Schedule, event: Event, message: str | None, now: int
) -> tuple[Attempt, ...]:
    """The attempt that the move ends, if a worker held the row before and nobody does now."""
    kind = _OPEN.get(before.state)
    if kind is None or before.worker is None or after.worker is not None:
        return ()
    return (
        Attempt(
            task_id=task.id,
            attempt=before.attempt,
            kind=kind,
            upstream=before.upstream,
            model=task.model,
            started_at=now,
            ended_at=now,
            result=str(event),
            message=message,
        ),
    )
