"""Deleting a task that has ended: its row and its files go together, also when the delete breaks off."""

import pytest

from meshapi_server.store.sqlite import SqliteStore
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.service import TaskService
from meshapi_server.tasks.states import Event
from meshapi_server.tasks.task import Task

from .. import samples
from ..samples import LOCAL, NOW, HandClock
from ..stored import LocalFiles


class Broken(Exception):
    """The process died here."""


@pytest.fixture
async def ended(store: SqliteStore, files: LocalFiles, clock: HandClock) -> Task:
    """A task that has succeeded and has a file."""
    task = samples.task(upstream=LOCAL)
    await store.create(task, samples.schedule_of(task), b"{}", None)
    await store.step(task.id, Step(event=Event.CLAIM_RENDER, worker="w", lease_until=NOW + 1), clock())
    workspace = files.workspace("attempt")
    (workspace / "part.mp4").write_bytes(b"video")
    await files.adopt(task.id, "video.mp4", workspace / "part.mp4")
    done = await store.step(task.id, Step(event=Event.STORED, outcome=samples.outcome()), clock())
    assert done is not None
    return done


async def die(*_: object) -> None:
    raise Broken


async def test_a_delete_that_broke_off_is_finished_by_repeating_it(
    service: TaskService,
    store: SqliteStore,
    files: LocalFiles,
    ended: Task,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(store, "delete", die)
        with pytest.raises(Broken):
            await service.delete(ended.owner, ended.id)
    assert files.path(ended.id, "video.mp4") is None, "nothing is left for a sweep, hours later"

    assert await service.delete(ended.owner, ended.id) is None
    assert await store.get(ended.owner, ended.id) is None
    assert files.path(ended.id, "video.mp4") is None


async def test_a_deleted_task_whose_files_could_not_be_removed_is_remembered(
    service: TaskService,
    store: SqliteStore,
    files: LocalFiles,
    ended: Task,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "remove", die)
    assert await service.delete(ended.owner, ended.id) is None
    assert await store.get(ended.owner, ended.id) is None
    assert files.path(ended.id, "video.mp4") is not None
    assert await store.unneeded_files([ended.id]) == {ended.id}
