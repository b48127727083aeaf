"""Whatever happens in whatever order: what must hold after every step of a task's life."""

from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from meshapi_server.tasks.life import Moved, Step, advance, pool_changes, pools_of
from meshapi_server.tasks.states import SLOT_STATES, TERMINAL_STATUSES, Event, State, Status
from meshapi_server.tasks.task import Route, Schedule, Task

from .. import samples
from ..samples import NOW

ROUTES = tuple(
    Route(upstream=upstream, model=f"maker/{model}", upstream_model=model)
    for upstream, model in (("first", "a"), ("second", "a"), ("second", "b"))
)
LATE_ANSWERS = {Event.ACCEPTED, Event.FAILED}
STOPPING = {State.CANCELLING, State.UNKNOWN, State.DONE}


class Life(RuleBasedStateMachine):
    """Throws events at one task, in time and out of time, from current and stale attempts."""

    def __init__(self) -> None:
        super().__init__()
        self.task: Task = samples.task(
            id="task_1", request_id="req_1", routes=ROUTES, upstream="first", model="maker/a"
        )
        self.schedule: Schedule = samples.schedule(upstream="first", lane="key:1")
        self.now = NOW
        self.used: Counter[str] = Counter()
        self.happened: Counter[Event] = Counter()

    @rule(
        event=st.sampled_from(Event),
        behind=st.one_of(st.none(), st.integers(0, 2)),
        answers=st.booleans(),
        keeps=st.booleans(),
        progress=st.one_of(st.none(), st.floats(-1, 2)),
        running=st.booleans(),
        seconds=st.integers(-5, 60),
    )
    def happen(
        self,
        event: Event,
        behind: int | None,
        answers: bool,
        keeps: bool,
        progress: float | None,
        running: bool,
        seconds: int,
    ) -> None:
        self.now += seconds * 1000
        step = Step(
            event=event,
            attempt=None if behind is None else self.schedule.attempt - behind,
            submission=self.schedule.submission if answers else None,
            worker="w",
            lease_until=self.now + 30_000 if keeps else None,
            upstream_ref="up-1" if event is Event.ACCEPTED else None,
            progress=progress,
            running=running,
            outcome=samples.outcome() if event is Event.STORED else None,
        )
        held = self.schedule
        moved = advance(self.task, held, step, self.now)
        if moved is None:
            return
        assert held.state is not State.DONE, "a task left its end"
        if behind:
            assert answers, "a stale attempt changed something"
            assert held.state is State.UNKNOWN, "a late answer changed what is known"
            assert event in LATE_ANSWERS, "a stale attempt did more than answer"
        self.keep(event, moved)

    def keep(self, event: Event, moved: Moved) -> None:
        before, held = self.task, self.schedule
        if before.ended:
            assert moved.task is before, "an ended task changed"
        assert moved.task.version == before.version + moved.visible
        assert moved.task.updated_at >= before.updated_at
        if held.state is moved.schedule.state and before.progress is not None:
            assert moved.task.progress is not None
            assert moved.task.progress >= before.progress
        self.used.update(pool_changes(held, moved.schedule))
        self.happened[event] += 1
        self.task, self.schedule = moved.task, moved.schedule

    @precondition(lambda self: self.schedule.state is State.SENDING)
    @rule()
    def the_caller_wishes_a_cancel_while_it_is_sent(self) -> None:
        self.schedule = replace(self.schedule, cancel_requested=True)

    @precondition(lambda self: self.schedule.state in {State.SENDING, State.POLLING, State.UNKNOWN})
    @rule()
    def the_upstream_announces_a_change(self) -> None:
        self.schedule = replace(self.schedule, woken=True, due=min(self.schedule.due, self.now))

    @invariant()
    def whoever_has_ended_for_the_caller_is_done_or_being_stopped(self) -> None:
        ended = self.task.status in TERMINAL_STATUSES
        assert (self.task.completed_at is not None) == ended
        if self.schedule.state is State.DONE:
            assert ended
        if ended:
            assert self.schedule.state in STOPPING
        if ended and self.schedule.state is not State.DONE:
            assert self.schedule.cancel_requested
            assert self.task.outcome.error is not None
            assert self.task.outcome.error.code in {"cancelled", "expired"}

    @invariant()
    def it_holds_a_slot_in_each_of_its_pools_exactly_while_it_is_in_a_slot_state(self) -> None:
        wanted = set(pools_of(self.schedule)) if self.schedule.state in SLOT_STATES else set()
        assert {pool for pool, used in self.used.items() if used} == wanted
        assert set(self.used.values()) <= {0, 1}

    @invariant()
    def only_a_certain_refusal_lets_it_be_sent_again(self) -> None:
        refused = self.happened[Event.DEFERRED] + self.happened[Event.REROUTED]
        assert self.happened[Event.CLAIM_SUBMIT] <= refused + 1

    @invariant()
    def success_has_a_video_and_full_progress(self) -> None:
        if self.task.status is Status.SUCCEEDED:
            assert self.task.outcome.video is not None
            assert self.task.progress == 1.0

    @invariant()
    def waiting_in_the_queue_shows_as_pending_without_progress(self) -> None:
        if self.schedule.state is State.QUEUED:
            assert (self.task.status, self.task.progress) == (Status.PENDING, None)
            assert self.schedule.worker is None

    @invariant()
    def it_is_served_by_the_route_that_it_shows(self) -> None:
        route = self.task.routes[self.schedule.route]
        assert self.schedule.upstream == route.upstream
        if not self.task.ended:
            assert (self.task.upstream, self.task.model) == (route.upstream, route.model)

    @invariant()
    def a_state_that_waits_for_an_upstream_to_answer_has_a_deadline_and_no_other_has_one(self) -> None:
        waits = self.schedule.state in {State.UNKNOWN, State.CANCELLING}
        assert (self.schedule.give_up_at is not None) == waits

    @invariant()
    def a_lease_is_held_by_somebody(self) -> None:
        if self.schedule.worker is None and self.schedule.state is not State.DONE:
            assert self.schedule.lease_until == 0

    def teardown(self) -> None:
        """Every row can end without the help of a worker or an upstream: by its lease and its deadlines."""
        for event in (Event.LEASE_LOST, Event.EXPIRED, Event.FAILED, Event.LET_GO):
            moved = advance(self.task, self.schedule, Step(event=event), self.now)
            if moved is not None:
                self.keep(event, moved)
        assert self.schedule.state is State.DONE
        assert self.task.ended
        assert not any(self.used.values())


TestLife = Life.TestCase
