"""Tasks as owners of files: what is over is found and forgotten, what lives is not, in both dialects."""

from collections.abc import Awaitable, Callable

import pytest

from meshapi_server.store.planned import PlannedStore
from meshapi_server.store.stored_files import StoredFiles
from meshapi_server.tasks import ids
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.ports import Query
from meshapi_server.tasks.states import Event
from meshapi_server.tasks.task import Outcome, Task, TaskError

from .. import samples
from ..samples import NOW, OWNER
from .conftest import Accept, Take

OLD = NOW - 1_000_000
FAILURE = Outcome(error=TaskError(code="upstream_error", message="x"))
End = Callable[..., Awaitable[Task]]


def old_id(at: int, place: int = 0) -> str:
    """A task id as it was made at a time (ms)."""
    return f"task_{ids.crockford((at << 80) + place, 26)}"


@pytest.fixture
def records(store: PlannedStore) -> StoredFiles:
    return StoredFiles(store)


@pytest.fixture
def end(store: PlannedStore, accept: Accept, take: Take) -> End:
    """A task that was created and ended at a time (ms), with a video unless it is to fail."""

    async def make(at: int = OLD, place: int = 0, *, fails: bool = False) -> Task:
        task = await accept(id=old_id(at, place), created_at=at, due=at)
        await store.set_pools(samples.pools(samples.REMOTE, 1000))
        (claim,) = await take()
        assert claim.task.id == task.id
        attempt = claim.schedule.attempt
        if fails:
            step = Step(event=Event.FAILED, attempt=attempt, submission=attempt, outcome=FAILURE)
            moved = await store.step(task.id, step, at)
        else:
            for event in (Event.ACCEPTED, Event.READY):
                await store.step(task.id, Step(event=event, upstream_ref="r"), at)
            moved = await store.step(task.id, Step(event=Event.STORED, outcome=samples.outcome()), at)
        assert moved is not None
        assert moved.ended
        return moved

    return make


async def test_a_task_is_found_by_its_id_alone(records: StoredFiles, end: End) -> None:
    task = await end()
    assert await records.task(task.id) == task
    assert await records.task("task_none") is None


async def test_results_are_over_when_their_task_ended_before_the_time(records: StoredFiles, end: End) -> None:
    older, failed, younger = await end(OLD), await end(OLD + 1, fails=True), await end(OLD + 2)
    assert await records.expired_results(OLD, "", 10) == []
    assert await records.expired_results(OLD + 2, "", 10) == [older.id]
    assert await records.expired_results(OLD + 3, "", 10) == [older.id, younger.id]
    assert await records.expired_results(OLD + 3, "", 1) == [older.id]
    assert await records.expired_results(OLD + 3, older.id, 10) == [younger.id]
    assert failed.ended


async def test_removed_results_are_noted_once_and_the_task_tells_it(
    records: StoredFiles, store: PlannedStore, end: End
) -> None:
    task = await end()
    assert await records.remove_results([task.id, "task_none"], NOW) == [task.id]
    assert await records.remove_results([task.id], NOW + 1) == []
    found = await store.get(OWNER, task.id)
    assert found is not None
    assert (found.files_removed_at, found.updated_at, found.version) == (NOW, NOW, task.version + 1)
    assert await records.expired_results(NOW, "", 10) == []


async def test_forgotten_tasks_are_gone_and_counted_no_more(
    records: StoredFiles, store: PlannedStore, end: End
) -> None:
    ended, failed = await end(), await end(OLD + 1, fails=True)
    assert await records.expired_records(OLD + 1, "", 10) == [ended.id]
    assert await records.expired_records(NOW, "", 10) == [ended.id, failed.id]
    assert (await store.page(OWNER, Query())).total == 2
    assert await records.forget_records([ended.id, failed.id], NOW) == 2
    assert await records.forget_records([ended.id, failed.id], NOW) == 0
    assert (await store.page(OWNER, Query())).total == 0
    assert await store.get(OWNER, ended.id) is None


async def test_what_has_not_ended_is_never_over(records: StoredFiles, accept: Accept) -> None:
    waiting = await accept(id=old_id(OLD), created_at=OLD)
    assert await records.expired_results(NOW, "", 10) == []
    assert await records.expired_records(NOW, "", 10) == []
    assert await records.forget_records([waiting.id], NOW) == 0
    assert await records.remove_results([waiting.id], NOW) == []
    assert await records.needed([waiting.id]) == {waiting.id}


async def test_an_ended_task_whose_upstream_has_yet_to_be_stopped_is_kept(
    records: StoredFiles, store: PlannedStore, accept: Accept, take: Take
) -> None:
    task = await accept(id=old_id(OLD), created_at=OLD, due=OLD)
    await store.set_pools(samples.pools(samples.REMOTE, 10))
    await take()
    await store.step(task.id, Step(event=Event.ACCEPTED, upstream_ref="r"), OLD)
    ended = await store.cancel(OWNER, task.id, OLD)
    assert ended is not None
    assert ended.ended
    assert await records.expired_records(NOW, "", 10) == []
    assert await records.forget_records([task.id], NOW) == 0
    await store.step(task.id, Step(event=Event.LET_GO), OLD)
    assert await records.expired_records(NOW, "", 10) == [task.id]


async def test_needed_are_files_of_tasks_that_live_or_have_them(
    records: StoredFiles, accept: Accept, end: End
) -> None:
    kept, failed, removed = await end(), await end(OLD + 1, fails=True), await end(OLD + 2)
    waiting = await accept()
    await records.remove_results([removed.id], NOW)
    asked = [kept.id, failed.id, removed.id, waiting.id, "task_none"]
    assert await records.needed(asked) == {kept.id, waiting.id}
    assert await records.known(asked) == {kept.id, failed.id, removed.id, waiting.id}


async def test_files_may_go_when_this_database_has_itself_ended_their_need(
    records: StoredFiles, store: PlannedStore, accept: Accept, end: End, take: Take
) -> None:
    kept, removed, deleted = await end(), await end(OLD + 1), await end(OLD + 2)
    refused, waiting = await end(OLD + 3, fails=True), await accept()
    fetched = await accept(id=old_id(OLD + 4), created_at=OLD, due=OLD)
    await take(limit=2)
    for event in (Event.ACCEPTED, Event.READY):
        await store.step(fetched.id, Step(event=event, upstream_ref="r", due=OLD), OLD)
    assert [claim.task.id for claim in await take(Event.CLAIM_FETCH)] == [fetched.id]
    await store.cancel(OWNER, fetched.id, OLD)
    await records.remove_results([removed.id], NOW)
    assert await store.delete(OWNER, deleted.id, NOW) is not None
    every = [kept.id, removed.id, deleted.id, refused.id, waiting.id, fetched.id, "task_none"]
    assert await records.unneeded(every) == {removed.id, deleted.id, fetched.id}
    assert await records.known(every) == {*every} - {"task_none"}


async def test_a_deleted_task_is_noted_in_the_commit_that_deletes_it_if_it_may_have_left_files(
    records: StoredFiles, store: PlannedStore, end: End, accept: Accept
) -> None:
    first, second, refused = await end(), await end(OLD + 1), await end(OLD + 2, fails=True)
    waiting = await accept()
    assert await store.delete("own_2", first.id, NOW) is None
    assert await store.delete(OWNER, waiting.id, NOW) is None
    assert await records.old_deleted(NOW + 1, "", 10) == []
    assert await store.delete(OWNER, first.id, NOW) is not None
    assert await records.forget_records([first.id, second.id, refused.id, waiting.id], NOW + 5) == 2
    assert await records.old_deleted(NOW, "", 10) == []
    assert await records.old_deleted(NOW + 1, "", 10) == [first.id]
    assert await records.old_deleted(NOW + 6, "", 10) == [first.id, second.id]
    assert await records.old_deleted(NOW + 6, first.id, 10) == [second.id]
    assert await records.forget_deleted([first.id]) == 1
    assert await records.unneeded([first.id, second.id, refused.id]) == {second.id}


async def test_inputs_are_forgotten_after_the_end_and_the_task_stays(
    records: StoredFiles, store: PlannedStore, end: End
) -> None:
    waiting = samples.task(id=old_id(OLD - 5), created_at=OLD - 5)
    await store.create(waiting, samples.schedule_of(waiting, due=NOW * 2), b"{}", None, {0: "data:,w"})
    ended = samples.task(id=old_id(OLD, 7), created_at=OLD)
    await store.create(ended, samples.schedule_of(ended), b"{}", None, {0: "data:,a", 2: "data:,b"})
    await store.cancel(OWNER, ended.id, OLD)
    assert await records.forget_inputs(OLD, 10) == 0
    assert await records.forget_inputs(NOW, 10) == 1
    assert await records.forget_inputs(NOW, 10) == 0
    assert await store.inputs(ended.id) == {}
    assert await store.inputs(waiting.id) == {0: "data:,w"}
    assert await store.get(OWNER, ended.id) is not None
