"""How leases, deadlines and cancels end a task or give it back."""

import pytest
from msgspec.structs import replace

from meshapi_server.store.planned import PlannedStore
from meshapi_server.tasks.life import CANCEL_WITHIN, RECONCILE_WITHIN, Step
from meshapi_server.tasks.states import Event, State, Status
from meshapi_server.tasks.task import Claim, Outcome, Task, TaskError

from .. import samples
from ..samples import EXPIRY, LOCAL, NOW, OWNER, REMOTE, HandClock
from .conftest import Accept, Sql, Take


class Road:
    """Brings a task into any state, the way a worker does."""

    def __init__(self, store: PlannedStore, accept: Accept, take: Take, sql: Sql) -> None:
        self.store, self.accept, self.take, self.sql = store, accept, take, sql
        self.claim: Claim | None = None

    async def to(self, state: State) -> Task:
        upstream = LOCAL if state is State.RENDERING else REMOTE
        await self.store.set_pools(samples.pools(upstream, 10))
        task = await self.accept(upstream=upstream)
        if state is State.QUEUED:
            return task
        if state is State.RENDERING:
            (self.claim,) = await self.take(Event.CLAIM_RENDER, upstream=LOCAL)
            return task
        (self.claim,) = await self.take()
        if state is State.SENDING:
            return task
        if state is State.UNKNOWN:
            await self.step(task, Event.LEASE_LOST, due=NOW + 60_000)
            return task
        await self.step(task, Event.ACCEPTED, upstream_ref="up", due=NOW)
        if state is State.FETCHING:
            (self.claim,) = await self.take(Event.CLAIM_POLL)
            await self.step(task, Event.READY, due=NOW)
        if state is State.CANCELLING:
            await self.store.cancel(OWNER, task.id, NOW)
        return task

    async def step(self, task: Task, event: Event, **fields: object) -> Task | None:
        assert self.claim is not None
        step = Step(event=event, attempt=self.claim.schedule.attempt)
        return await self.store.step(task.id, replace(step, **fields), NOW)

    async def reap(self, now: int, **options: bool) -> list[Task]:
        return await self.store.reap(now, reconcile_within=RECONCILE_WITHIN, **options)

    async def state(self, task: Task) -> State | None:
        schedule = await self.store.schedule(task.id)
        return schedule.state if schedule else None

    async def code(self, task: Task) -> str | None:
        found = await self.store.get(OWNER, task.id)
        assert found is not None
        return found.outcome.error.code if found.outcome.error else None

    async def used(self, upstream: str) -> int:
        rows = await self.sql("select used from pool where name = :name", name=f"upstream:{upstream}")
        return int(rows[0][0])


@pytest.fixture
def road(store: PlannedStore, accept: Accept, take: Take, sql: Sql) -> Road:
    return Road(store, accept, take, sql)


# What a task that its caller gave up still has to go through, and the slots that it holds meanwhile.
AFTERWARDS = {
    State.QUEUED: None,
    State.RENDERING: None,
    State.UNKNOWN: State.UNKNOWN,
    State.POLLING: State.CANCELLING,
    State.FETCHING: None,
}


@pytest.mark.parametrize("state", list(AFTERWARDS))
async def test_a_cancel_ends_the_task_and_keeps_its_slot_only_while_the_upstream_may_work(
    road: Road, store: PlannedStore, state: State
) -> None:
    task = await road.to(state)
    ended = await store.cancel(OWNER, task.id, NOW + 5)
    assert ended is not None
    assert (ended.status, ended.completed_at, await road.code(task)) == (Status.FAILED, NOW + 5, "cancelled")
    assert await road.state(task) is AFTERWARDS[state]
    assert await road.used(task.upstream) == (AFTERWARDS[state] is not None)


async def test_a_second_cancel_changes_nothing(road: Road, store: PlannedStore) -> None:
    task = await road.to(State.CANCELLING)
    first = await store.get(OWNER, task.id)
    assert await store.cancel(OWNER, task.id, NOW + 9) is None
    assert await store.get(OWNER, task.id) == first
    assert await road.state(task) is State.CANCELLING


@pytest.mark.parametrize("answer", [Event.ACCEPTED, Event.DEFERRED])
async def test_a_cancel_while_sending_is_noted_and_the_answer_ends_the_task_in_its_own_commit(
    road: Road, store: PlannedStore, answer: Event
) -> None:
    task = await road.to(State.SENDING)
    assert await store.cancel(OWNER, task.id, NOW) is None
    schedule = await store.schedule(task.id)
    assert schedule is not None
    assert (schedule.state, schedule.cancel_requested) == (State.SENDING, True)
    ended = await road.step(task, answer, upstream_ref="up", due=NOW)
    assert ended is not None
    assert (ended.status, await road.code(task)) == (Status.FAILED, "cancelled")
    left = {State.CANCELLING: 1} if answer is Event.ACCEPTED else {}
    assert await store.count_states() == left
    assert await road.used(REMOTE) == len(left)


async def test_a_rejection_that_comes_after_the_cancel_stays_a_rejection(
    road: Road, store: PlannedStore
) -> None:
    task = await road.to(State.SENDING)
    await store.cancel(OWNER, task.id, NOW)
    error = TaskError(code="content_policy_violation", message="no")
    await road.step(task, Event.FAILED, outcome=Outcome(error=error))
    assert await road.code(task) == "content_policy_violation"


async def test_a_cancel_of_an_ended_task_changes_nothing(road: Road, store: PlannedStore) -> None:
    task = await road.to(State.RENDERING)
    ended = await road.step(task, Event.STORED, outcome=samples.outcome())
    assert await store.cancel(OWNER, task.id, NOW) is None
    assert await store.get(OWNER, task.id) == ended


async def test_a_stranger_cancels_nothing(road: Road, store: PlannedStore) -> None:
    task = await road.to(State.SENDING)
    assert await store.cancel("own_2", task.id, NOW) is None
    schedule = await store.schedule(task.id)
    assert schedule is not None
    assert not schedule.cancel_requested


async def test_a_lease_that_still_runs_is_left_alone(road: Road, store: PlannedStore) -> None:
    task = await road.to(State.RENDERING)
    assert await store.reap(NOW + 30_000, reconcile_within=RECONCILE_WITHIN) == []
    assert await road.state(task) is State.RENDERING


async def test_a_render_with_a_lost_lease_goes_back_into_the_queue_and_frees_its_slot(
    road: Road, store: PlannedStore
) -> None:
    task = await road.to(State.RENDERING)
    (seen,) = await store.reap(NOW + 30_001, reconcile_within=RECONCILE_WITHIN)
    assert (seen.id, seen.status) == (task.id, Status.PENDING)
    assert await road.state(task) is State.QUEUED
    assert await road.used(LOCAL) == 0


async def test_a_submission_with_a_lost_lease_is_unknown_until_its_deadline_and_then_failed(
    road: Road, store: PlannedStore, take: Take, clock: HandClock
) -> None:
    task = await road.to(State.SENDING)
    lost = NOW + 30_001
    assert await store.reap(lost, reconcile_within=RECONCILE_WITHIN) == []
    assert await road.state(task) is State.UNKNOWN
    assert await road.used(REMOTE) == 1
    clock.now = lost + RECONCILE_WITHIN
    assert await take() == []
    assert await store.expire(lost + RECONCILE_WITHIN) == []
    (ended,) = await store.expire(lost + RECONCILE_WITHIN + 1)
    assert ended.id == task.id
    assert await road.code(task) == "submission_unknown"
    assert await road.used(REMOTE) == 0


async def test_an_answer_that_comes_after_the_lease_was_lost_is_still_taken(
    road: Road, store: PlannedStore
) -> None:
    task = await road.to(State.SENDING)
    await store.reap(NOW + 30_001, reconcile_within=RECONCILE_WITHIN)
    assert await road.step(task, Event.ACCEPTED, upstream_ref="up") is not None
    assert await road.state(task) is State.POLLING


@pytest.mark.parametrize("state", [State.POLLING, State.FETCHING])
async def test_a_poll_or_a_fetch_with_a_lost_lease_is_due_again_at_once(
    road: Road, store: PlannedStore, take: Take, clock: HandClock, state: State
) -> None:
    task = await road.to(state)
    event = Event.CLAIM_POLL if state is State.POLLING else Event.CLAIM_FETCH
    assert len(await take(event)) == 1
    clock.now = NOW + 30_001
    await store.reap(clock.now, reconcile_within=RECONCILE_WITHIN)
    assert [claim.task.id for claim in await take(event)] == [task.id]


async def test_a_worker_that_was_paused_past_its_lease_saves_nothing(
    road: Road, store: PlannedStore, take: Take, clock: HandClock
) -> None:
    task = await road.to(State.RENDERING)
    clock.now = NOW + 30_001
    await store.reap(clock.now, reconcile_within=RECONCILE_WITHIN)
    await take(Event.CLAIM_RENDER, upstream=LOCAL)
    for event in (Event.PROGRESSED, Event.STORED, Event.FAILED, Event.RELEASED):
        assert await road.step(task, event, outcome=samples.outcome()) is None
    assert await road.state(task) is State.RENDERING
    found = await store.get(OWNER, task.id)
    assert found is not None
    assert (found.status, found.outcome) == (Status.RUNNING, Outcome())


@pytest.mark.parametrize("state", [State.QUEUED, State.RENDERING, State.POLLING, State.FETCHING])
async def test_a_task_past_its_time_is_failed_as_expired(
    road: Road, store: PlannedStore, state: State
) -> None:
    task = await road.to(state)
    assert await store.expire(NOW + EXPIRY) == []
    (ended,) = await store.expire(NOW + EXPIRY + 1)
    assert (ended.id, await road.code(task)) == (task.id, "expired")
    assert await road.state(task) is AFTERWARDS[state]
    assert await store.expire(NOW + EXPIRY + 1) == []


async def test_a_cancel_that_no_upstream_answers_is_given_up_and_frees_its_slot(
    road: Road, store: PlannedStore
) -> None:
    task = await road.to(State.CANCELLING)
    assert await store.expire(NOW + CANCEL_WITHIN) == []
    assert await road.used(REMOTE) == 1
    # Its caller saw the end long ago and sees nothing now.
    assert await store.expire(NOW + CANCEL_WITHIN + 1) == []
    assert (await road.state(task), await road.used(REMOTE)) == (None, 0)
    assert await road.code(task) == "cancelled"


async def test_a_task_past_its_time_is_not_ended_while_it_is_being_sent(
    road: Road, store: PlannedStore
) -> None:
    task = await road.to(State.SENDING)
    assert await store.expire(NOW + EXPIRY + 1) == []
    assert await road.state(task) is State.SENDING


async def test_a_server_that_starts_alone_frees_every_lease_and_counts_the_slots_anew(
    road: Road, store: PlannedStore, sql: Sql
) -> None:
    rendering, sending = await road.to(State.RENDERING), await road.to(State.SENDING)
    polling = await road.to(State.POLLING)
    await sql("update pool set used = 99")
    seen = await store.reap(NOW, all_leases=True, reconcile_within=RECONCILE_WITHIN)
    assert [task.id for task in seen] == [rendering.id]
    states = [await road.state(task) for task in (rendering, sending, polling)]
    assert states == [State.QUEUED, State.UNKNOWN, State.POLLING]
    assert (await road.used(LOCAL), await road.used(REMOTE)) == (0, 2)


async def test_every_attempt_is_written_down_with_its_end(road: Road, store: PlannedStore) -> None:
    task = await road.to(State.RENDERING)
    await store.reap(NOW + 30_001, reconcile_within=RECONCILE_WITHIN)
    lines = [(line.attempt, line.kind, line.result) for line in await store.timeline(task.id)]
    assert lines == [(1, "render", "lease_lost")]


async def test_only_an_ended_task_is_deleted_and_only_by_its_owner(road: Road, store: PlannedStore) -> None:
    task = await road.to(State.RENDERING)
    assert await store.delete(OWNER, task.id, NOW) is None
    error = TaskError(code="internal_error", message="no")
    await road.step(task, Event.FAILED, outcome=Outcome(error=error))
    assert await store.delete("own_2", task.id, NOW) is None
    gone = await store.delete(OWNER, task.id, NOW)
    assert gone is not None
    assert await store.get(OWNER, task.id) is None
    assert await store.timeline(task.id) == []


@pytest.mark.parametrize("event", list(Event))
async def test_nothing_changes_a_task_that_has_ended(road: Road, store: PlannedStore, event: Event) -> None:
    task = await road.to(State.RENDERING)
    ended = await road.step(task, Event.STORED, outcome=samples.outcome())
    step = Step(event=event, worker="w", lease_until=NOW + 1, outcome=Outcome())
    assert await store.step(task.id, step, NOW) is None
    assert await store.get(OWNER, task.id) == ended
