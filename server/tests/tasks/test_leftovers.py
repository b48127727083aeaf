"""What an attempt stored and died before it could say so: it belongs to nobody once the task has failed."""

from pathlib import Path

import pytest

from meshapi_server.tasks.adoption import adopt
from meshapi_server.tasks.lease import LeaseGone
from meshapi_server.tasks.states import Event, State, Status
from meshapi_server.tasks.task import Facts, Measured, Task
from meshapi_server.upstreams.contract import Rejected, Rendered, Report

from ..stored import LocalFiles
from .bench import LOCAL, Bench
from .scripted import REFUSAL, ScriptedLocal, ScriptedRemote, never

HOUR = 3_600  # s


@pytest.fixture
def files_of(files: LocalFiles) -> "FilesOf":
    return FilesOf(files)


class FilesOf:
    """Stores a video as an attempt does, and looks whether it is there."""

    def __init__(self, files: LocalFiles) -> None:
        self._files = files

    async def store(self, task: Task) -> None:
        workspace = self._files.workspace("dead")
        (workspace / "video.mp4").write_bytes(b"video")
        await self._files.adopt(task.id, "video.mp4", workspace / "video.mp4")

    def there(self, task: Task) -> bool:
        return self._files.path(task.id, "video.mp4") is not None


async def stored_and_died(bench: Bench, files_of: FilesOf) -> Task:
    """A task whose result a worker stored, and then it died."""
    hand = await bench.hand(ScriptedRemote())
    task = await bench.create(execution_expires_after=HOUR)
    await hand.submit()
    await hand.poll()
    await hand.take(Event.CLAIM_FETCH)
    await files_of.store(task)
    bench.pass_time(60)
    await bench.reap()
    assert await bench.state(task) is State.FETCHING
    return task


async def test_a_cancel_removes_what_a_dead_worker_stored(bench: Bench, files_of: FilesOf) -> None:
    task = await stored_and_died(bench, files_of)
    await bench.service.cancel(task.owner, task.id)
    assert not files_of.there(task)


async def test_expiry_removes_what_a_dead_worker_stored(bench: Bench, files_of: FilesOf) -> None:
    task = await stored_and_died(bench, files_of)
    bench.pass_time(HOUR)
    async with bench.working(ScriptedRemote(fetch=never)):
        assert (await bench.ended(task)).status is Status.FAILED
        await bench.until(lambda: not files_of.there(task))


async def test_a_cancel_of_a_task_that_was_never_fetched_here_leaves_what_another_copy_of_it_stored(
    bench: Bench, files_of: FilesOf
) -> None:
    hand = await bench.hand(ScriptedRemote())
    task = await bench.create(execution_expires_after=HOUR)
    await hand.submit()
    await files_of.store(task)
    await bench.service.cancel(task.owner, task.id)
    assert files_of.there(task)


async def test_a_refusal_at_the_next_fetch_removes_what_a_dead_worker_stored(
    bench: Bench, files_of: FilesOf
) -> None:
    async def refuse(_: Path) -> Rendered:
        raise Rejected(REFUSAL)

    task = await stored_and_died(bench, files_of)
    async with bench.working(ScriptedRemote(fetch=refuse)):
        assert (await bench.ended(task)).status is Status.FAILED
        await bench.until(lambda: not files_of.there(task))


async def test_a_render_that_is_given_up_removes_what_a_dead_worker_stored(
    bench: Bench, files_of: FilesOf
) -> None:
    async def refuse(_: Path, __: Report) -> Rendered:
        raise Rejected(REFUSAL)

    task = await bench.create(LOCAL)
    await files_of.store(task)
    async with bench.working(ScriptedLocal(refuse)):
        assert (await bench.ended(task)).status is Status.FAILED
        await bench.until(lambda: not files_of.there(task))


async def test_a_claim_that_is_lost_while_its_video_is_measured_stores_nothing(
    bench: Bench, files: LocalFiles, files_of: FilesOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = await bench.hand(ScriptedRemote())
    task = await bench.create(execution_expires_after=HOUR)
    await hand.submit()
    await hand.poll()
    claim = await hand.take(Event.CLAIM_FETCH)
    video = files.workspace("slow") / "video.mp4"
    video.write_bytes(b"video")
    measured = list[Path]()

    async def measure(path: Path) -> Measured:
        measured.append(path)
        return Measured()

    async def confirm() -> None:
        if measured:
            raise LeaseGone

    monkeypatch.setattr(files, "measure", measure)
    with pytest.raises(LeaseGone):
        await adopt(files, claim, Rendered(video=video, facts=Facts()), confirm)
    assert not files_of.there(task)


async def test_the_next_fetch_replaces_what_a_dead_worker_stored(bench: Bench, files_of: FilesOf) -> None:
    task = await stored_and_died(bench, files_of)
    async with bench.working(ScriptedRemote()):
        assert (await bench.ended(task)).status is Status.SUCCEEDED
    assert files_of.there(task)
