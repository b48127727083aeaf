"""One step of a task's life: what changes, and what must not."""

from typing import Any

import pytest
from msgspec.structs import replace

from meshapi_server.tasks.life import Moved, Step, advance
from meshapi_server.tasks.states import Event, State, Status
from meshapi_server.tasks.task import Outcome, Schedule, Task, TaskError

from .. import samples
from ..samples import NOW


def rendering(**fields: Any) -> tuple[Task, Schedule]:
    held = samples.schedule(state=State.RENDERING, attempt=3, worker="w", lease_until=NOW + 30_000)
    return samples.task(status=Status.RUNNING, progress=0.5, version=4), replace(held, **fields)


def moved(task: Task, schedule: Schedule, step: Step, now: int = NOW + 1000) -> Moved:
    result = advance(task, schedule, step, now)
    assert result is not None
    return result


@pytest.mark.parametrize("attempt", [0, 2, 4])
@pytest.mark.parametrize("event", [Event.PROGRESSED, Event.STORED, Event.FAILED, Event.RELEASED])
def test_a_step_of_another_attempt_changes_nothing(event: Event, attempt: int) -> None:
    assert advance(*rendering(), Step(event=event, attempt=attempt), NOW) is None


def test_an_event_that_the_table_lacks_changes_nothing() -> None:
    assert advance(samples.task(), samples.schedule(), Step(event=Event.STORED), NOW) is None


def test_a_claim_takes_the_lease_and_a_new_attempt_token() -> None:
    step = Step(event=Event.CLAIM_RENDER, worker="w1", lease_until=NOW + 30_000)
    result = moved(samples.task(), samples.schedule(attempt=2), step)
    assert result.schedule == samples.schedule(
        state=State.RENDERING, attempt=3, worker="w1", lease_until=NOW + 30_000
    )
    assert result.task.status is Status.RUNNING


def test_a_task_being_sent_is_still_pending_to_its_caller() -> None:
    step = Step(event=Event.CLAIM_SUBMIT, worker="w1", lease_until=NOW + 30_000)
    result = moved(samples.task(), samples.schedule(), step)
    assert (result.task.status, result.visible) == (Status.PENDING, False)
    assert result.schedule.state is State.SENDING


def test_progress_extends_the_lease_and_keeps_the_worker_and_the_attempt() -> None:
    step = Step(event=Event.PROGRESSED, attempt=3, lease_until=NOW + 60_000, running=True, progress=0.75)
    task, schedule = rendering()
    result = moved(task, schedule, step)
    assert result.schedule == replace(schedule, lease_until=NOW + 60_000)
    assert (result.task.progress, result.task.version, result.task.updated_at) == (0.75, 5, NOW + 1000)


@pytest.mark.parametrize(("told", "shown"), [(0.2, 0.5), (0.9, 0.9), (7.0, 1.0), (-1.0, 0.5), (None, 0.5)])
def test_progress_never_goes_back_and_never_leaves_0_to_1(told: float | None, shown: float) -> None:
    result = moved(*rendering(), Step(event=Event.PROGRESSED, attempt=3, progress=told))
    assert result.task.progress == shown


def test_a_step_that_the_caller_cannot_see_keeps_the_version_and_the_time_of_change() -> None:
    task, schedule = rendering()
    result = moved(task, schedule, Step(event=Event.PROGRESSED, attempt=3, progress=0.5))
    assert result.task is task
    assert not result.visible


def test_a_lost_lease_puts_a_render_back_into_the_queue_without_progress() -> None:
    result = moved(*rendering(), Step(event=Event.LEASE_LOST, due=NOW))
    assert (result.schedule.state, result.schedule.worker, result.schedule.lease_until) == (
        State.QUEUED,
        None,
        0,
    )
    assert (result.task.status, result.task.progress) == (Status.PENDING, None)
    assert result.schedule.attempt == 3


def test_a_stored_result_ends_the_task_with_full_progress_and_its_outcome() -> None:
    outcome = samples.outcome()
    result = moved(*rendering(), Step(event=Event.STORED, attempt=3, outcome=outcome))
    assert result.schedule.state is State.DONE
    assert (result.task.status, result.task.progress, result.task.outcome) == (
        Status.SUCCEEDED,
        1.0,
        outcome,
    )
    assert result.task.completed_at == NOW + 1000


@pytest.mark.parametrize(("event", "code"), [(Event.CANCELLED, "cancelled"), (Event.EXPIRED, "expired")])
def test_a_cancelled_or_expired_task_is_failed_with_that_code(event: Event, code: str) -> None:
    result = moved(*rendering(), Step(event=event))
    assert result.task.status is Status.FAILED
    assert result.task.outcome.error is not None
    assert result.task.outcome.error.code == code
    assert result.task.progress == 0.5


def test_a_failure_carries_the_error_it_was_given() -> None:
    error = TaskError(code="upstream_error", message="no")
    result = moved(*rendering(), Step(event=Event.FAILED, attempt=3, outcome=Outcome(error=error)))
    assert (result.task.status, result.task.outcome.error) == (Status.FAILED, error)


def test_an_accepted_submission_keeps_the_upstreams_id_and_gives_the_lease_back() -> None:
    held = samples.schedule(state=State.SENDING, attempt=1, worker="w", lease_until=NOW + 1)
    step = Step(event=Event.ACCEPTED, attempt=1, upstream_ref="up-1", due=NOW + 500)
    result = moved(samples.task(), held, step)
    assert result.schedule == samples.schedule(
        state=State.POLLING, attempt=1, upstream_ref="up-1", due=NOW + 500
    )


def test_polls_are_counted_and_the_upstreams_id_stays() -> None:
    waiting = samples.schedule(state=State.POLLING, attempt=1, upstream_ref="up-1", polls=2)
    step = Step(event=Event.CLAIM_POLL, worker="w", lease_until=NOW + 1)
    result = moved(samples.task(), waiting, step)
    assert (result.schedule.polls, result.schedule.attempt, result.schedule.upstream_ref) == (3, 2, "up-1")


def test_a_clock_that_goes_back_never_makes_a_task_end_before_it_began() -> None:
    result = moved(*rendering(), Step(event=Event.FAILED, attempt=3), now=NOW - 5_000)
    assert result.task.completed_at == NOW
    assert result.task.updated_at == NOW


def test_a_poll_that_finds_it_running_shows_it_running_and_one_that_does_not_leaves_it_pending() -> None:
    waiting = samples.schedule(state=State.POLLING, attempt=1, worker="w", lease_until=NOW + 1)
    queued = moved(samples.task(), waiting, Step(event=Event.PROGRESSED, attempt=1))
    running = moved(samples.task(), waiting, Step(event=Event.PROGRESSED, attempt=1, running=True))
    assert (queued.task.status, running.task.status) == (Status.PENDING, Status.RUNNING)
