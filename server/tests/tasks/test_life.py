"""One step of a task's life: what changes, and what must not."""

from typing import Any

import pytest
from msgspec.structs import replace

from meshapi_server.tasks.life import (
    CANCEL_WITHIN,
    RECONCILE_WITHIN,
    Moved,
    Step,
    advance,
    pool_changes,
)
from meshapi_server.tasks.states import Event, State, Status
from meshapi_server.tasks.task import Outcome, Route, Schedule, Task, TaskError

from .. import samples
from ..samples import NOW


def rendering(**fields: Any) -> tuple[Task, Schedule]:
    held = samples.schedule(state=State.RENDERING, attempt=3, worker="w", lease_until=NOW + 30_000)
    return samples.task(status=Status.RUNNING, progress=0.5, version=4), replace(held, **fields)


ROUTES = (
    Route(upstream="first", model="maker/a", upstream_model="a-1"),
    Route(upstream="second", model="maker/b", upstream_model="b-1"),
)


def sending(**fields: Any) -> tuple[Task, Schedule]:
    """A task that is being sent, by the first of its two routes unless told otherwise."""
    route = ROUTES[fields.get("route", 0)]
    held = samples.schedule(
        state=State.SENDING, attempt=1, submission=1, worker="w", lease_until=NOW + 30_000
    )
    task = samples.task(routes=ROUTES, upstream=route.upstream, model=route.model)
    return task, replace(held, **{"upstream": route.upstream, **fields})


def unknown(**fields: Any) -> tuple[Task, Schedule]:
    """A submission whose lease was lost."""
    waits = samples.schedule(state=State.UNKNOWN, attempt=1, submission=1, give_up_at=NOW + 60_000)
    return samples.task(), replace(waits, **fields)


def polling(**fields: Any) -> tuple[Task, Schedule]:
    """A task that sleeps upstream."""
    sleeps = samples.schedule(
        state=State.POLLING, attempt=5, submission=1, polls=4, upstream_ref="up-1", accepted_at=NOW - 9_000
    )
    return samples.task(status=Status.RUNNING, version=3), replace(sleeps, **fields)


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
    error = TaskError(code="upstream_error", message="no", charged="no")
    result = moved(*rendering(), Step(event=Event.FAILED, attempt=3, outcome=Outcome(error=error)))
    assert (result.task.status, result.task.outcome.error) == (Status.FAILED, error)


def test_an_accepted_submission_keeps_the_upstreams_id_and_gives_the_lease_back() -> None:
    held = samples.schedule(state=State.SENDING, attempt=1, worker="w", lease_until=NOW + 1)
    step = Step(event=Event.ACCEPTED, attempt=1, upstream_ref="up-1", due=NOW + 500)
    result = moved(samples.task(), held, step)
    assert result.schedule == samples.schedule(
        state=State.POLLING, attempt=1, upstream_ref="up-1", due=NOW + 500, accepted_at=NOW + 1000
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


@pytest.mark.parametrize("event", list(Event))
def test_what_waits_in_the_queue_is_not_changed_by_whoever_held_it_last(event: Event) -> None:
    waiting = samples.schedule(attempt=3)
    assert advance(samples.task(), waiting, Step(event=event, attempt=3, submission=3), NOW) is None


def test_a_paid_call_is_numbered_by_the_attempt_that_makes_it_and_looking_for_it_keeps_the_number() -> None:
    sent = moved(samples.task(), samples.schedule(attempt=6), Step(event=Event.CLAIM_SUBMIT, worker="w"))
    lost = moved(sent.task, sent.schedule, Step(event=Event.LEASE_LOST))
    looked_for = moved(lost.task, lost.schedule, Step(event=Event.CLAIM_RECONCILE, worker="w"))
    assert [each.schedule.submission for each in (sent, lost, looked_for)] == [7, 7, 7]
    assert [each.schedule.attempt for each in (sent, lost, looked_for)] == [7, 7, 8]


@pytest.mark.parametrize(
    ("given", "deadline"), [(None, NOW + 1000 + RECONCILE_WITHIN), (NOW + 7_000, NOW + 7_000)]
)
def test_an_unknown_submission_has_a_deadline_from_the_start(given: int | None, deadline: int) -> None:
    lost = moved(*sending(), Step(event=Event.LEASE_LOST, give_up_at=given))
    assert (lost.schedule.state, lost.schedule.give_up_at) == (State.UNKNOWN, deadline)
    claimed = moved(lost.task, lost.schedule, Step(event=Event.CLAIM_RECONCILE, worker="w"), NOW + 5_000)
    assert claimed.schedule.give_up_at == deadline


def test_the_late_answer_of_a_stale_worker_is_adopted_while_somebody_else_looks_for_it() -> None:
    looked_for = {"attempt": 3, "worker": "other", "lease_until": NOW + 30_000}
    answer = Step(event=Event.ACCEPTED, attempt=1, submission=1, upstream_ref="up-1", due=NOW + 2_000)
    adopted = moved(*unknown(**looked_for), answer)
    assert (adopted.schedule.state, adopted.schedule.upstream_ref) == (State.POLLING, "up-1")
    assert (adopted.schedule.worker, adopted.schedule.give_up_at) == (None, None)


def test_the_late_refusal_of_a_stale_worker_ends_the_task_with_the_upstreams_words() -> None:
    error = TaskError(code="content_policy_violation", message="no", charged="no")
    answer = Step(event=Event.FAILED, attempt=1, submission=1, outcome=Outcome(error=error))
    assert moved(*unknown(attempt=3), answer).task.outcome.error == error


@pytest.mark.parametrize("event", [each for each in Event if each not in {Event.ACCEPTED, Event.FAILED}])
def test_nothing_else_of_a_stale_worker_counts_while_the_submission_is_unknown(event: Event) -> None:
    assert advance(*unknown(attempt=3), Step(event=event, attempt=1, submission=1), NOW) is None


def test_the_answer_to_another_submission_is_not_adopted() -> None:
    answer = Step(event=Event.ACCEPTED, attempt=1, submission=1, upstream_ref="up-1")
    assert advance(*unknown(attempt=9, submission=4), answer, NOW) is None


def test_a_refusal_goes_to_the_next_route_with_its_upstream_and_model_and_the_caller_sees_it() -> None:
    result = moved(*sending(), Step(event=Event.REROUTED, attempt=1, due=NOW))
    assert (result.schedule.state, result.schedule.route, result.schedule.upstream) == (
        State.QUEUED,
        1,
        "second",
    )
    assert (result.task.model, result.task.upstream, result.visible) == ("maker/b", "second", True)


def test_two_routes_of_one_upstream_differ_in_the_model() -> None:
    both = (ROUTES[0], replace(ROUTES[1], upstream="first"))
    task, held = sending()
    result = moved(replace(task, routes=both), held, Step(event=Event.REROUTED, attempt=1))
    assert (result.task.model, result.task.upstream) == ("maker/b", "first")


def test_after_the_last_route_there_is_no_next_one() -> None:
    assert advance(*sending(route=1), Step(event=Event.REROUTED, attempt=1), NOW) is None


def test_a_task_that_has_to_wait_begins_with_its_first_route_again() -> None:
    result = moved(*sending(route=1), Step(event=Event.DEFERRED, attempt=1, due=NOW + 2_000))
    assert (result.schedule.route, result.schedule.upstream, result.schedule.due) == (0, "first", NOW + 2_000)
    assert (result.task.model, result.task.upstream) == ("maker/a", "first")


@pytest.mark.parametrize("state", [State.UNKNOWN, State.POLLING, State.FETCHING, State.CANCELLING])
def test_once_an_upstream_may_have_it_no_other_upstream_is_asked(state: State) -> None:
    held = samples.schedule(state=state, attempt=1, submission=1, upstream="first")
    for event in (Event.REROUTED, Event.DEFERRED, Event.CLAIM_SUBMIT):
        assert advance(samples.task(routes=ROUTES), held, Step(event=event), NOW) is None


@pytest.mark.parametrize("event", [Event.CANCELLED, Event.EXPIRED])
def test_a_task_that_runs_upstream_ends_at_once_while_its_row_goes_on_to_stop_the_upstream(
    event: Event,
) -> None:
    result = moved(*polling(worker="w", lease_until=NOW + 30_000, due=NOW - 50), Step(event=event))
    assert result.task.status is Status.FAILED
    assert (result.schedule.state, result.schedule.due) == (State.CANCELLING, NOW + 1000)
    assert result.schedule.give_up_at == NOW + 1000 + CANCEL_WITHIN
    # Whoever was looking at it changes nothing any more.
    assert (result.schedule.worker, result.schedule.attempt) == (None, 6)
    assert advance(result.task, result.schedule, Step(event=Event.RELEASED, attempt=5), NOW) is None


@pytest.mark.parametrize("event", [Event.CANCELLED, Event.EXPIRED])
def test_a_task_whose_submission_is_unknown_ends_at_once_and_is_still_looked_for_by_whoever_does(
    event: Event,
) -> None:
    result = moved(*unknown(attempt=2, worker="w", lease_until=NOW + 9_000), Step(event=event))
    assert result.task.status is Status.FAILED
    assert result.schedule.state is State.UNKNOWN
    assert (result.schedule.worker, result.schedule.lease_until, result.schedule.attempt) == (
        "w",
        NOW + 9_000,
        2,
    )
    assert (result.schedule.give_up_at, result.schedule.cancel_requested) == (NOW + 60_000, True)


def test_what_is_found_of_a_task_that_has_ended_is_stopped_and_the_task_stays_as_it_was() -> None:
    task, schedule = unknown(cancel_requested=True)
    ended = moved(task, schedule, Step(event=Event.EXPIRED)).task
    found = moved(ended, schedule, Step(event=Event.ACCEPTED, attempt=1, upstream_ref="up-1", due=NOW))
    assert (found.schedule.state, found.schedule.upstream_ref) == (State.CANCELLING, "up-1")
    assert found.task is ended
    assert not found.visible


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Event.ACCEPTED, State.CANCELLING),
        (Event.DEFERRED, State.DONE),
        (Event.REROUTED, State.DONE),
        (Event.LEASE_LOST, State.UNKNOWN),
    ],
)
def test_a_cancel_wished_while_it_was_sent_takes_effect_with_the_answer_as_one_change(
    answer: Event, state: State
) -> None:
    task, schedule = sending(cancel_requested=True)
    result = moved(task, schedule, Step(event=answer, attempt=1))
    assert result.schedule.state is state
    assert result.task.outcome.error is not None
    assert (result.task.outcome.error.code, result.task.version) == ("cancelled", task.version + 1)


@pytest.mark.parametrize(
    ("of", "event"),
    [(polling, Event.PROGRESSED), (polling, Event.RELEASED), (unknown, Event.PROGRESSED)],
)
def test_a_change_announced_during_a_look_makes_the_next_look_due_at_once(of: Any, event: Event) -> None:
    task, schedule = of(worker="w", lease_until=NOW + 9_000, woken=True)
    result = moved(task, schedule, Step(event=event, attempt=schedule.attempt, due=NOW + 60_000))
    assert (result.schedule.due, result.schedule.woken) == (NOW + 1000, False)


def test_a_change_announced_while_it_was_sent_makes_the_first_look_due_at_once() -> None:
    result = moved(*sending(woken=True), Step(event=Event.ACCEPTED, attempt=1, due=NOW + 60_000))
    assert (result.schedule.due, result.schedule.woken) == (NOW + 1000, False)


def test_the_look_that_an_announcement_asked_for_answers_it() -> None:
    looked = moved(*polling(woken=True), Step(event=Event.CLAIM_POLL, worker="w", lease_until=NOW + 9_000))
    assert not looked.schedule.woken


def test_a_lease_extended_by_its_old_holder_before_anybody_else_took_it_is_held_again() -> None:
    free = samples.schedule(state=State.FETCHING, attempt=6)
    step = Step(event=Event.PROGRESSED, attempt=6, worker="w", lease_until=NOW + 30_000)
    result = moved(samples.task(), free, step)
    assert (result.schedule.worker, result.schedule.lease_until) == ("w", NOW + 30_000)


def test_a_task_occupies_its_upstreams_pool_and_its_keys() -> None:
    waiting = samples.schedule(upstream="first", lane="key:1")
    held = replace(waiting, state=State.SENDING)
    assert pool_changes(waiting, held) == {"upstream:first": 1, "key:1": 1}
    assert pool_changes(held, replace(held, state=State.POLLING)) == {}
    assert pool_changes(held, replace(held, state=State.DONE)) == {"upstream:first": -1, "key:1": -1}
    assert pool_changes(waiting, replace(waiting, upstream="second", route=1)) == {}
