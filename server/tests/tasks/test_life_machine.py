"""Whatever happens in whatever order: what must hold after every step of a task's life."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from meshapi_server.tasks.life import Step, advance
from meshapi_server.tasks.states import SLOT_STATES, TERMINAL_STATUSES, Event, State, Status
from meshapi_server.tasks.task import Schedule, Task

from .. import samples
from ..samples import NOW


class Life(RuleBasedStateMachine):
    """Throws events at one task, in time and out of time, from current and stale attempts."""

    def __init__(self) -> None:
        super().__init__()
        self.task: Task = samples.task(id="task_1", request_id="req_1")
        self.schedule: Schedule = samples.schedule()
        self.now = NOW
        self.slots = 0
        self.sent = 0
        self.deferred = 0

    @rule(
        event=st.sampled_from(Event),
        behind=st.one_of(st.none(), st.integers(0, 2)),
        progress=st.one_of(st.none(), st.floats(-1, 2)),
        running=st.booleans(),
        seconds=st.integers(-5, 60),
    )
    def happen(
        self, event: Event, behind: int | None, progress: float | None, running: bool, seconds: int
    ) -> None:
        self.now += seconds * 1000
        attempt = None if behind is None else self.schedule.attempt - behind
        step = Step(
            event=event,
            attempt=attempt,
            worker="w",
            lease_until=self.now + 30_000,
            progress=progress,
            running=running,
            outcome=samples.outcome() if event is Event.STORED else None,
        )
        before, held = self.task, self.schedule
        moved = advance(before, held, step, self.now)
        if moved is None:
            return
        assert held.state is not State.DONE, "a task left its end"
        assert not behind, "a stale attempt changed something"
        if held.state is moved.schedule.state and before.progress is not None:
            assert moved.task.progress is not None
            assert moved.task.progress >= before.progress
        assert moved.task.version == before.version + moved.visible
        assert moved.task.updated_at >= before.updated_at
        self.slots += (moved.schedule.state in SLOT_STATES) - (held.state in SLOT_STATES)
        self.sent += event is Event.CLAIM_SUBMIT
        self.deferred += event is Event.DEFERRED
        self.task, self.schedule = moved.task, moved.schedule

    @invariant()
    def it_has_ended_exactly_when_its_status_is_terminal(self) -> None:
        assert (self.schedule.state is State.DONE) == (self.task.status in TERMINAL_STATUSES)
        assert (self.task.completed_at is not None) == self.task.ended

    @invariant()
    def it_holds_a_slot_exactly_while_it_is_in_a_slot_state(self) -> None:
        assert self.slots == (self.schedule.state in SLOT_STATES)

    @invariant()
    def only_a_certain_refusal_lets_it_be_sent_again(self) -> None:
        assert self.sent <= self.deferred + 1

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


TestLife = Life.TestCase
