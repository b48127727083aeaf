"""Deleting a task that has ended: its row and its files go together, also when the delete breaks off."""

import pytest

from meshapi_server.store.sqlite import SqliteStore
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.service import TaskService
from meshapi_server.tasks.states import Event
from meshapi_server.tasks.task import Task

from .. import samples
from ..samples import HandClock
from ..stored import LocalFiles


class Broken(Exception):
    """The process died here."""


@pytest.fixture
async def ended(store: SqliteStore, files: LocalFiles, clock: HandClock) -> Task:
    """A task that has ended and has a file."""
    task = samples.task()
    await store.create(task, samples.schedule_of(task), b"{}", None)
    await store.step(task.id, Step(event=Event.CANCELLED), clock())
    workspace = files.workspace("attempt")
    (workspace / "part.mp4").write_bytes(b"video")
    await files.adopt(task.id, "video.mp4", workspace / "part.mp4")
    return task


@pytest.mark.parametrize("broken", ["files", "store"])
async def test_a_delete_that_broke_off_anywhere_is_finished_by_repeating_it(
    service: TaskService,
    store: SqliteStore,
    files: LocalFiles,
    ended: Task,
    broken: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def die(*_: object) -> None:
        raise Broken

    with monkeypatch.context() as patched:
        patched.setattr(*((files, "remove", die) if broken == "files" else (store, "delete", die)))
        with pytest.raises(Broken):
            await service.delete(ended.owner, ended.id)

    assert await service.delete(ended.owner, ended.id) is None
    assert await store.get(ended.owner, ended.id) is None
    assert files.path(ended.id, "video.mp4") is None
