"""The pure step of a task's life: given what is stored and what happened, what is stored next.

Both database dialects call :func:`advance` inside a transaction and write what it returns, so the rules
exist once and are tested without a database.
"""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from .attempts import begun, finished
from .charge import settled
from .states import CLAIMS, SLOT_STATES, Event, State, Status, next_state
from .task import Attempt, Outcome, Schedule, Task, TaskError

RECONCILE_WITHIN = 60_000  # ms that a task may stay `unknown` before it fails and frees its slot
CANCEL_WITHIN = 600_000  # ms within which an upstream must have been told to stop

UNKNOWN_SUBMISSION = TaskError(
    code="submission_unknown",
    message="The upstream was asked and its answer was lost; it may have accepted and billed the task."
    " It was not asked again.",
    charged="unknown",
)


class Step(Struct, frozen=True, kw_only=True):
    """What happened, with everything that it brings along. Unset fields leave the stored value.

    ``attempt`` is the claim that this step belongs to (None: by the platform itself); ``submission`` is the
    paid call whose answer it is. ``note`` is a line for the timeline, fit for the caller.
    """

    event: Event
    attempt: int | None = None
    submission: int | None = None
    worker: str | None = None
    lease_until: int | None = None
    due: int | None = None
    give_up_at: int | None = None
    upstream_ref: str | None = None
    running: bool = False  # the upstream says that it has begun
    progress: float | None = None
    outcome: Outcome | None = None
    note: str | None = None


class Moved(Struct, frozen=True, kw_only=True):
    """The row after a step. ``visible`` is False when the caller would see no difference.

    ``begun`` are attempts to write down; ``finished`` are attempts that ended, to be updated.
    """

    task: Task
    schedule: Schedule
    visible: bool
    begun: tuple[Attempt, ...] = ()
    finished: tuple[Attempt, ...] = ()


_NO_CHANGES: Mapping[str, int] = MappingProxyType({})
_KEEPS_LEASE = CLAIMS.keys() | {Event.PROGRESSED}
_ENDINGS: dict[Event, TaskError] = {
    Event.CANCELLED: TaskError(code="cancelled", message="The task was cancelled."),
    Event.EXPIRED: TaskError(code="expired", message="The task did not end within execution_expires_after."),
}
# After these, a cancel that was wished while the upstream was being asked takes effect.
_ANSWERS = frozenset({Event.ACCEPTED, Event.DEFERRED, Event.REROUTED, Event.LEASE_LOST})


def advance(task: Task, schedule: Schedule, step: Step, now: int) -> Moved | None:
    """What ``step`` makes of the row, or None when it may change nothing.

    It changes nothing when the state table does not have it, or when it comes from a claim that is no
    longer the row's (a worker that was paused past its lease, say). An answer to the paid call itself is
    welcome as long as the row waits for it, however late and whoever holds the row.
    """
    if not _belongs(schedule, step):
        return None
    moved = _advance(task, schedule, step, now)
    if moved is not None and schedule.cancel_requested and step.event in _ANSWERS:
        return _cancelled(task, moved, now)
    return moved


def pool_changes(before: Schedule, after: Schedule) -> Mapping[str, int]:
    """By how much the use of which pools changes: 1 takes a slot, -1 gives one back; no zeros."""
    if after.upstream == before.upstream and (after.state in SLOT_STATES) == (before.state in SLOT_STATES):
        return _NO_CHANGES  # the lane of a task is always the same
    changes: dict[str, int] = {}
    for schedule, change in ((before, -1), (after, 1)):
        if schedule.state in SLOT_STATES:
            for pool in pools_of(schedule):
                changes[pool] = changes.get(pool, 0) + change
    return {pool: change for pool, change in changes.items() if change}


def pools_of(schedule: Schedule) -> tuple[str, ...]:
    """The pools in which a task occupies a slot while it is in a slot state."""
    upstream = f"upstream:{schedule.upstream}"
    return (upstream, schedule.lane) if schedule.lane else (upstream,)


def _cancelled(task: Task, moved: Moved, now: int) -> Moved:
    """The same move with the cancel that was wished before it: one change for whoever looks."""
    ended = _advance(moved.task, moved.schedule, Step(event=Event.CANCELLED), now)
    if ended is None:
        return moved
    visible = moved.visible or ended.visible
    return Moved(
        task=replace(ended.task, version=task.version + 1) if visible else ended.task,
        schedule=ended.schedule,
        visible=visible,
        begun=moved.begun + ended.begun,
        finished=moved.finished + ended.finished,
    )


def _belongs(schedule: Schedule, step: Step) -> bool:
    if step.attempt is None:
        return True
    if schedule.state is State.QUEUED:
        return False  # what waits in the queue is nobody's, whatever its last holder still wants to say
    if step.attempt == schedule.attempt:
        return True
    # The zombie's late answer: somebody else may be reconciling, but what it knows is the truth.
    return (
        schedule.state is State.UNKNOWN
        and step.event in {Event.ACCEPTED, Event.FAILED}
        and step.submission is not None
        and step.submission == schedule.submission
    )


def _advance(task: Task, schedule: Schedule, step: Step, now: int) -> Moved | None:
    state = next_state(schedule.state, step.event)
    if state is None or (step.event is Event.REROUTED and schedule.route + 1 >= len(task.routes)):
        return None
    after = _rerouted(task, _schedule(schedule, step, state, now), step.event)
    moved = _task(task, step, schedule.state, after, now)
    return Moved(
        task=moved,
        schedule=after,
        visible=moved is not task,
        begun=begun(task, schedule, after, step.event, _message(step), now),
        finished=finished(task, schedule, after, step.event, _message(step), now),
    )


def _schedule(schedule: Schedule, step: Step, state: State, now: int) -> Schedule:
    event = step.event
    worker, lease_until = _holder(schedule, step, state)
    claimed = event in CLAIMS
    # Whoever still works on a task that is to be stopped must not change it any more.
    fenced = state is State.CANCELLING and schedule.state is not State.CANCELLING
    attempt = schedule.attempt + (claimed or fenced)
    after = replace(
        schedule,
        state=state,
        attempt=attempt,
        submission=attempt if event is Event.CLAIM_SUBMIT else schedule.submission,
        worker=worker,
        lease_until=lease_until,
        due=_due(schedule, step, state, now, held=worker is not None),
        upstream_ref=step.upstream_ref or schedule.upstream_ref,
        polls=schedule.polls + (event is Event.CLAIM_POLL),
        give_up_at=_give_up_at(schedule, step, state, now),
        woken=schedule.woken and worker is not None and not claimed,
        cancel_requested=schedule.cancel_requested or event in _ENDINGS,
    )
    return replace(after, accepted_at=now, polls=0) if event is Event.ACCEPTED else after


def _holder(schedule: Schedule, step: Step, state: State) -> tuple[str | None, int]:
    """Who holds the row after the step, and until when."""
    if step.event in _ENDINGS and state is State.UNKNOWN:
        return schedule.worker, schedule.lease_until  # whoever is looking for the submission goes on
    worker = step.worker or schedule.worker
    if step.event not in _KEEPS_LEASE or step.lease_until is None or worker is None:
        return None, 0
    return worker, step.lease_until


def _rerouted(task: Task, after: Schedule, event: Event) -> Schedule:
    """The next route after a refusal; from the first one again when all of them are to be tried later."""
    if event is Event.REROUTED:
        following = after.route + 1
    elif event is Event.DEFERRED and after.route:
        following = 0
    else:
        return after
    return replace(after, route=following, upstream=task.routes[following].upstream)


def _due(schedule: Schedule, step: Step, state: State, now: int, *, held: bool) -> int:
    if state is State.CANCELLING and schedule.state is not State.CANCELLING:
        return now
    if schedule.woken and not held and state in {State.POLLING, State.UNKNOWN}:
        return now
    return schedule.due if step.due is None else step.due


def _give_up_at(schedule: Schedule, step: Step, state: State, now: int) -> int | None:
    if state is schedule.state:
        return schedule.give_up_at
    if state is State.UNKNOWN:
        return now + RECONCILE_WITHIN if step.give_up_at is None else step.give_up_at
    return now + CANCEL_WITHIN if state is State.CANCELLING else None


def _task(task: Task, step: Step, state: State, after: Schedule, now: int) -> Task:
    if task.ended:
        return task
    ending = after.state is State.DONE or step.event in _ENDINGS
    status = _status(task, step, after.state, ending=ending)
    outcome = step.outcome or task.outcome
    error = _ENDINGS.get(step.event)
    if error is not None:
        outcome = replace(outcome, error=error)
    route = task.routes[after.route] if task.routes else None
    if ending:
        outcome = settled(outcome, route, state, step.event)
    progress = _progress(task, step, status)
    model = route.model if route is not None else task.model
    seen = (task.status, task.progress, task.outcome, task.model, task.upstream)
    if seen == (status, progress, outcome, model, after.upstream):
        return task
    return replace(
        task,
        status=status,
        progress=progress,
        outcome=outcome,
        model=model,
        upstream=after.upstream,
        version=task.version + 1,
        updated_at=max(now, task.updated_at),
        completed_at=max(now, task.created_at) if ending else None,
    )


def _status(task: Task, step: Step, state: State, *, ending: bool) -> Status:
    if ending:
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


def _message(step: Step) -> str | None:
    error = step.outcome.error if step.outcome else None
    return step.note or (error.message if error else None)
