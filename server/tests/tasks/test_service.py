"""What a caller can do with tasks, over a real store."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import json

from meshapi_server.store.sqlite import SqliteStore
from meshapi_server.tasks import ids
from meshapi_server.tasks.changes import Changes
from meshapi_server.tasks.errors import (
    IdempotencyMismatch,
    ModelUnknown,
    RequestInvalid,
    TaskEnded,
    TaskMissing,
    TooExpensive,
)
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.ports import Idempotency, Query
from meshapi_server.tasks.service import TaskService
from meshapi_server.tasks.spec import ContentItem, Spec
from meshapi_server.tasks.states import Event, State, Status
from meshapi_server.tasks.task import Claim, Task
from meshapi_server.upstreams.catalogue import Catalogue
from meshapi_server.upstreams.registry import Registry

from .. import samples
from ..samples import NOW, OWNER, REMOTE, HandClock
from ..stored import LocalFiles


def respond(task: Task, unsupported: tuple[str, ...]) -> bytes:
    return json.encode([task.id, unsupported])


async def create(service: TaskService, spec: Spec | None = None, key: Idempotency | None = None) -> Task:
    created = await service.create(
        OWNER, spec or samples.spec(), request_id=ids.request_id(), respond=respond, idempotency=key
    )
    return await service.get(OWNER, created.task_id)


async def claim(store: SqliteStore, clock: HandClock) -> list[Claim]:
    await store.set_pools(samples.pools(REMOTE, 100))
    lease_until = clock() + 30_000
    return await store.claim(
        Event.CLAIM_SUBMIT, upstreams=(REMOTE,), worker="w", now=clock(), lease_until=lease_until, limit=16
    )


async def accept(store: SqliteStore, task: Task, clock: HandClock) -> Task | None:
    step = Step(event=Event.ACCEPTED, attempt=1, upstream_ref="up", due=clock())
    return await store.step(task.id, step, clock())


async def test_a_created_task_is_stored_as_it_was_asked_with_its_expiry_and_the_cards_defaults(
    service: TaskService,
) -> None:
    task = await create(service, samples.spec(execution_expires_after=60, resolution="480p"))
    assert (task.status, task.created_at, task.expires_at) == (Status.PENDING, NOW, NOW + 60_000)
    assert (task.spec.resolution, task.spec.duration, task.spec.ratio) == ("480p", 2, "16:9")
    assert task.version == 1


async def test_a_task_expires_after_two_days_unless_it_says_otherwise(service: TaskService) -> None:
    assert (await create(service)).expires_at == NOW + 172_800_000


@pytest.mark.parametrize("seed", [None, -1])
async def test_a_seed_left_to_chance_becomes_a_number_that_is_kept(
    service: TaskService, seed: int | None
) -> None:
    made = {(await create(service, samples.spec(seed=seed))).spec.seed for _ in range(3)}
    assert len(made) == 3
    assert all(value is not None and 0 <= value < 2**32 for value in made)


async def test_a_given_seed_stays(service: TaskService) -> None:
    assert (await create(service, samples.spec(seed=0))).spec.seed == 0


async def test_an_unknown_model_stores_nothing(service: TaskService) -> None:
    with pytest.raises(ModelUnknown, match="no/such"):
        await create(service, samples.spec("no/such"))
    assert (await service.list(OWNER, Query())).total == 0


async def test_a_simulated_task_names_both_models(service: TaskService) -> None:
    task = await create(service, samples.spec("byteplus/dreamina-seedance-2-0"))
    assert (task.requested_model, task.model, task.simulated) == (
        "byteplus/dreamina-seedance-2-0",
        "mesh/diorama-1",
        True,
    )


async def test_parameters_that_nobody_acts_on_are_named_in_the_answer(service: TaskService) -> None:
    created = await service.create(
        OWNER,
        samples.spec("mesh/diorama-1", negative_prompt="rain", callback_url="https://a.example/hook"),
        request_id="r",
        respond=respond,
        unknown_fields=["flavour"],
    )
    assert json.decode(created.response)[1] == ["negative_prompt", "flavour"]


async def test_a_repeated_create_gets_the_first_answer_and_makes_no_second_task(service: TaskService) -> None:
    key = samples.idempotency()
    first = await create(service, key=key)
    again = await service.create(OWNER, samples.spec(), request_id="r", respond=respond, idempotency=key)
    assert (again.task_id, again.replayed) == (first.id, True)
    assert (await service.list(OWNER, Query())).total == 1


async def test_a_repeated_create_is_answered_even_when_the_model_is_gone(service: TaskService) -> None:
    key = samples.idempotency()
    first = await create(service, key=key)
    again = await service.create(
        OWNER, samples.spec("no/such"), request_id="r", respond=respond, idempotency=key
    )
    assert again.task_id == first.id


async def test_a_key_used_with_another_body_is_refused(service: TaskService) -> None:
    await create(service, key=samples.idempotency())
    with pytest.raises(IdempotencyMismatch, match="key-1"):
        await create(service, key=samples.idempotency(body=b"other"))


async def test_another_owner_sees_the_task_neither_by_get_nor_list_nor_cancel_nor_delete(
    service: TaskService,
) -> None:
    task = await create(service)
    for call in (service.get, service.cancel, service.delete):
        with pytest.raises(TaskMissing, match=task.id):
            await call("own_2", task.id)
    assert (await service.list("own_2", Query())).tasks == ()
    assert (await service.get(OWNER, task.id)).status is Status.PENDING


async def test_a_task_is_found_by_its_request_id_only_where_that_is_asked_for(service: TaskService) -> None:
    task = await create(service)
    assert await service.get(OWNER, task.request_id, by_request=True) == task
    with pytest.raises(TaskMissing):
        await service.get(OWNER, task.request_id)
    with pytest.raises(TaskMissing):
        await service.get("own_2", task.request_id, by_request=True)


async def test_a_queued_task_is_cancelled_and_stays_so_on_a_second_cancel(service: TaskService) -> None:
    task = await create(service)
    first = await service.cancel(OWNER, task.id)
    assert first.outcome.error is not None
    assert (first.status, first.outcome.error.code) == (Status.FAILED, "cancelled")
    assert await service.cancel(OWNER, task.id) == first


async def test_an_ended_task_cannot_be_cancelled(
    service: TaskService, store: SqliteStore, clock: HandClock
) -> None:
    task = await create(service)
    await store.step(task.id, Step(event=Event.FAILED), clock())
    with pytest.raises(TaskEnded, match="already failed"):
        await service.cancel(OWNER, task.id)


async def test_a_cancel_while_the_task_is_being_sent_is_kept_for_whoever_sends_it(
    service: TaskService, store: SqliteStore, clock: HandClock
) -> None:
    task = await create(service)
    await claim(store, clock)
    assert (await service.cancel(OWNER, task.id)).status is Status.PENDING
    schedule = await store.schedule(task.id)
    assert schedule is not None
    assert schedule.cancel_requested


async def test_a_cancel_is_never_lost_whatever_the_worker_does_meanwhile(
    service: TaskService, store: SqliteStore, clock: HandClock
) -> None:
    for _ in range(30):
        task = await create(service)
        cancelling = asyncio.create_task(service.cancel(OWNER, task.id))
        await claim(store, clock)
        await accept(store, task, clock)
        await cancelling
        schedule = await store.schedule(task.id)
        # Ended now, or the wish is noted where the sender will find it.
        assert schedule is None or schedule.cancel_requested, schedule
        if schedule is not None:
            await store.step(task.id, Step(event=Event.CANCELLED), clock())


async def test_deleting_a_running_task_cancels_it_and_deleting_it_again_removes_it_with_its_files(
    service: TaskService, store: SqliteStore, clock: HandClock, files: LocalFiles, tmp_path: Path
) -> None:
    task = await create(service)
    for event in (Event.CLAIM_SUBMIT, Event.ACCEPTED, Event.READY, Event.CLAIM_FETCH):
        step = Step(event=event, upstream_ref="r", worker="w", lease_until=NOW + 30_000)
        assert await store.step(task.id, step, clock()) is not None
    cancelled = await service.delete(OWNER, task.id)
    assert cancelled is not None
    assert cancelled.status is Status.FAILED
    await store.step(task.id, Step(event=Event.LET_GO), clock())
    (tmp_path / "made.mp4").write_bytes(b"video")
    await files.adopt(task.id, "video.mp4", tmp_path / "made.mp4")
    assert await service.delete(OWNER, task.id) is None
    assert files.path(task.id, "video.mp4") is None
    with pytest.raises(TaskMissing):
        await service.get(OWNER, task.id)


async def test_waiting_returns_the_task_as_soon_as_it_has_ended(
    service: TaskService,
) -> None:
    task = await create(service)
    waiting = asyncio.create_task(service.wait(OWNER, task.id, 30))
    await asyncio.sleep(0.05)
    await service.cancel(OWNER, task.id)
    assert (await asyncio.wait_for(waiting, 5)).status is Status.FAILED


async def test_waiting_ends_with_the_task_as_it_is_when_the_time_is_over(service: TaskService) -> None:
    task = await create(service)
    assert (await asyncio.wait_for(service.wait(OWNER, task.id, 0.05), 5)) == task


async def test_a_watcher_gets_every_change_once_in_order_and_then_the_end(
    service: TaskService, store: SqliteStore, clock: HandClock, changes: Changes
) -> None:
    task = await create(service)
    await claim(store, clock)
    await accept(store, task, clock)
    seen: list[int] = []

    async def watch() -> None:
        async for snapshot in service.watch(OWNER, task.id):
            assert snapshot is not None
            seen.append(snapshot.version)

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0.05)
    for progress in (0.1, 0.2, 0.3):
        step = Step(event=Event.PROGRESSED, running=True, progress=progress)
        moved = await store.step(task.id, step, clock())
        assert moved is not None
        changes.publish(moved)
        changes.publish(moved)
    await service.cancel(OWNER, task.id)
    await asyncio.wait_for(watching, 5)
    assert seen == [1, 2, 3, 4, 5]


async def test_a_watcher_catches_up_with_a_change_that_nobody_announced(
    service: TaskService, store: SqliteStore, clock: HandClock
) -> None:
    task = await create(service)
    watching = service.watch(OWNER, task.id, idle=0.05)
    assert await anext(watching) == task
    await store.step(task.id, Step(event=Event.CANCELLED), clock())
    async with asyncio.timeout(5):
        found = [snapshot async for snapshot in watching if snapshot is not None]
    assert [snapshot.status for snapshot in found] == [Status.FAILED]


async def test_waiting_tells_the_truth_at_the_end_even_when_nobody_announced_it(
    service: TaskService, store: SqliteStore, clock: HandClock
) -> None:
    task = await create(service)
    waiting = asyncio.create_task(service.wait(OWNER, task.id, 0.2))
    await asyncio.sleep(0.05)
    await store.step(task.id, Step(event=Event.CANCELLED), clock())
    assert (await waiting).status is Status.FAILED


async def test_a_final_uses_its_own_drafts_and_nobody_elses(
    service: TaskService, store: SqliteStore, clock: HandClock
) -> None:
    draft = await create(service, samples.spec(draft=True, seed=3))
    await claim(store, clock)
    await accept(store, draft, clock)
    await store.step(draft.id, Step(event=Event.READY, due=clock()), clock())
    await store.step(draft.id, Step(event=Event.STORED, outcome=samples.outcome()), clock())
    wanted = samples.spec(content=(ContentItem(kind="draft_task", index=0, task_id=draft.id),), frames=24)
    final = await create(service, wanted)
    assert (final.draft_task_id, final.spec.content, final.spec.seed) == (draft.id, draft.spec.content, 7)
    assert (final.spec.draft, final.spec.frames, final.spec.duration) == (False, 24, None)
    with pytest.raises(RequestInvalid, match="no task"):
        await service.create("own_2", wanted, request_id="r", respond=respond)


async def test_queue_positions_are_told_for_waiting_tasks_only(
    service: TaskService, store: SqliteStore, clock: HandClock
) -> None:
    first, second = await create(service), await create(service)
    urgent = await create(service, samples.spec(priority=9))
    assert await service.queue_positions([first, second, urgent]) == {
        urgent.id: 0,
        first.id: 1,
        second.id: 2,
    }
    await claim(store, clock)
    assert await service.queue_positions([first, second, urgent]) == {}
    state = await store.schedule(first.id)
    assert state is not None
    assert state.state is State.SENDING


async def test_a_list_continues_behind_a_task_that_was_deleted_since(service: TaskService) -> None:
    tasks = [await create(service) for _ in range(3)]
    for task in tasks:
        await service.cancel(OWNER, task.id)
    await service.delete(OWNER, tasks[1].id)
    page = await service.list(OWNER, Query(after=tasks[1].id))
    assert [task.id for task in page.tasks] == [tasks[0].id]


async def test_a_cursor_that_is_no_task_id_is_refused(service: TaskService) -> None:
    with pytest.raises(RequestInvalid) as refused:
        await service.list(OWNER, Query(after="elephant"))
    assert refused.value.details[0].loc == ("query", "after")


async def test_a_request_that_may_cost_more_than_it_may_or_has_no_price_is_refused_before_it_is_stored(
    store: SqliteStore, files: LocalFiles, changes: Changes, clock: HandClock
) -> None:
    priced = Registry(Catalogue.load(), {"mesh", "sandbox", "fal", "byteplus"}, simulate=False)
    service = TaskService(store, priced, files, changes, clock)
    for model, most, words in [
        ("fal/veo-3.1", "3.19", "costs up to 3.2"),
        ("byteplus/dreamina-seedance-2-0", "100", "not known"),
    ]:
        with pytest.raises(TooExpensive, match=words):
            await service.create(
                OWNER,
                samples.spec(model),
                request_id="req_1",
                respond=lambda task, unsupported: b"{}",
                max_cost_usd=Decimal(most),
            )
    assert (await service.list(OWNER, Query())).total == 0
