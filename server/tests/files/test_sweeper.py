"""What is no longer kept goes, and so does what kills left; what a living task needs stays."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import structlog

from meshapi_server.files import sweeper as room
from meshapi_server.files.local import LocalStorage
from meshapi_server.files.results import Results
from meshapi_server.files.retention import DAY, Retention
from meshapi_server.files.storage import Storage, StorageFault
from meshapi_server.files.sweeper import Sweeper, Swept
from meshapi_server.files.workshop import Workshop
from meshapi_server.store.sqlite import SqliteStore
from meshapi_server.store.stored_files import StoredFiles
from meshapi_server.tasks import ids
from meshapi_server.tasks.adoption import drop_unneeded
from meshapi_server.tasks.clock import system_clock
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.states import Event
from meshapi_server.tasks.task import Task

from .. import samples
from ..samples import OWNER

FOR_EVER = Retention()
NOBODYS = ids.task_id()


class Yard:
    """A store, a storage, and tasks that ended some days ago (on the real clock, which storages go by)."""

    def __init__(self, store: SqliteStore, storage: Storage, folder: Path) -> None:
        self.store, self.storage, self.folder = store, storage, folder
        self.files = Results(Workshop(folder / "work"), storage)
        self.files.open()
        self._place = 0

    def sweeper(self, retention: Retention = FOR_EVER, name: str = "ours") -> Sweeper:
        return Sweeper(StoredFiles(self.store), self.files, retention, system_clock, name)

    async def put(self, task_id: str) -> None:
        source = self.folder / "made.mp4"
        source.write_bytes(b"a video")
        await self.storage.put(task_id, "video.mp4", source)

    async def there(self, task_id: str) -> bool:
        return await self.storage.size(task_id, "video.mp4") is not None

    async def succeeded(self, days: float) -> Task:
        """A task that succeeded so long ago, with its file."""
        at = round(system_clock() - days * DAY)
        self._place += 1
        task_id = f"task_{ids.crockford((at << 80) + self._place, 26)}"
        task = samples.task(id=task_id, created_at=at)
        await self.store.create(task, samples.schedule_of(task, due=at), b"{}", None)
        await self._claim(task)
        for event in (Event.ACCEPTED, Event.READY):
            await self.store.step(task.id, Step(event=event, upstream_ref="r"), at)
        await self.put(task.id)
        moved = await self.store.step(task.id, Step(event=Event.STORED, outcome=samples.outcome()), at)
        assert moved is not None
        return moved

    async def left_behind(self) -> str:
        """A task that was deleted while an attempt that then died stored its file: the id."""
        task = await self.succeeded(10)
        assert await self.store.delete(OWNER, task.id, system_clock()) is not None
        await self.put(task.id)
        return task.id

    async def _claim(self, task: Task, event: Event = Event.CLAIM_SUBMIT) -> None:
        await self.store.set_pools(samples.pools(samples.REMOTE, 10_000))
        (claim,) = await self.store.claim(
            event,
            upstreams=(samples.REMOTE,),
            worker="w",
            now=system_clock(),
            lease_until=system_clock() + DAY,
            limit=1,
        )
        assert claim.task.id == task.id

    async def accepted(self) -> Task:
        """A task that its upstream works on."""
        now = system_clock()
        task = samples.task(created_at=now, expires_at=now + DAY)
        await self.store.create(task, samples.schedule_of(task, due=now), b"{}", None)
        await self._claim(task)
        await self.store.step(task.id, Step(event=Event.ACCEPTED, upstream_ref="r", due=now), now)
        return task

    async def living(self) -> Task:
        """A task of which a worker has stored the file and not yet said so."""
        task = await self.accepted()
        now = system_clock()
        await self.store.step(task.id, Step(event=Event.READY, upstream_ref="r", due=now), now)
        await self._claim(task, Event.CLAIM_FETCH)
        await self.put(task.id)
        return task

    async def finish(self, task: Task) -> None:
        """The task succeeds, with a file."""
        now = system_clock()
        await self.store.step(task.id, Step(event=Event.READY, upstream_ref="r"), now)
        await self.put(task.id)
        assert await self.store.step(task.id, Step(event=Event.STORED, outcome=samples.outcome()), now)

    async def restored(self) -> "Yard":
        """A server on a backup of the database of this moment, beside the storage in use."""
        path = self.folder / "restored" / "meshapi.db"
        path.parent.mkdir()
        backup = sqlite3.connect(path)
        await self.store.write(lambda connection: connection.execute("select 1"))
        source = sqlite3.connect(self.folder / "meshapi.db")
        source.backup(backup)
        for each in (source, backup):
            each.close()
        store = SqliteStore(path, system_clock)
        await store.open()
        return Yard(store, self.storage, self.folder)


@pytest.fixture
def yard(store: SqliteStore, storage: Storage, tmp_path: Path) -> Yard:
    return Yard(store, storage, tmp_path)


@pytest.fixture
def everything_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was stored a moment ago counts as unfinished for long enough."""
    monkeypatch.setattr(room, "UNFINISHED", -5_000)


async def test_results_go_when_their_days_are_over_and_the_task_stays(yard: Yard) -> None:
    old, young = await yard.succeeded(3.1), await yard.succeeded(2.9)
    swept = await yard.sweeper(Retention.of_days(results=3, tasks=0, inputs=0)).sweep(leftovers=False)
    assert swept == Swept(results=1)
    assert (await yard.there(old.id), await yard.there(young.id)) == (False, True)
    found = await yard.store.get(OWNER, old.id)
    assert found is not None
    assert found.files_removed_at is not None


async def test_tasks_go_with_their_files(yard: Yard) -> None:
    old, young = await yard.succeeded(10), await yard.succeeded(1)
    swept = await yard.sweeper(Retention.of_days(results=0, tasks=5, inputs=0)).sweep(leftovers=False)
    assert swept == Swept(tasks=1)
    assert not await yard.there(old.id)
    assert await yard.store.get(OWNER, old.id) is None
    assert await yard.store.get(OWNER, young.id) is not None


async def test_a_second_sweep_finds_nothing(yard: Yard, everything_is_old: None) -> None:
    await yard.storage.label("ours")
    await yard.succeeded(10)
    await yard.left_behind()
    sweeper = yard.sweeper(Retention.of_days(results=3, tasks=5, inputs=1))
    assert (await sweeper.sweep()).anything
    assert await sweeper.sweep() == Swept()


async def test_many_go_in_batches(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_BATCH", 3)
    tasks = [await yard.succeeded(10) for _ in range(7)]
    assert (await yard.sweeper(Retention.of_days(results=3, tasks=0, inputs=0)).sweep()).results == 7
    assert [await yard.there(task.id) for task in tasks] == [False] * 7


async def test_leftovers_go_and_what_a_living_task_needs_stays(yard: Yard, everything_is_old: None) -> None:
    kept, living, cancelled = await yard.succeeded(3), await yard.living(), await yard.living()
    await yard.store.cancel(OWNER, cancelled.id, system_clock())
    removed = await yard.succeeded(1)  # a kill between the note and the removal
    await StoredFiles(yard.store).remove_results([removed.id], system_clock())
    deleted = await yard.left_behind()
    await yard.storage.label("ours")
    swept = await yard.sweeper().sweep()
    assert swept == Swept(leftovers=3)
    there = [await yard.there(each) for each in (kept.id, living.id, cancelled.id, removed.id, deleted)]
    assert there == [True, True, False, False, False]


async def test_what_this_database_does_not_know_stays_and_the_log_counts_it(
    yard: Yard, everything_is_old: None
) -> None:
    await yard.storage.label("ours")
    await yard.put(NOBODYS)
    with structlog.testing.capture_logs() as logs:
        assert await yard.sweeper().sweep() == Swept(unknown=1)
    assert await yard.there(NOBODYS)
    (line,) = [each for each in logs if "does not know" in each["event"]]
    assert (line["tasks"], line["bytes"]) == (1, len(b"a video"))


async def test_a_restored_backup_removes_nothing_that_came_after_it(
    yard: Yard, everything_is_old: None
) -> None:
    await yard.storage.label("ours")
    await yard.succeeded(1)
    at_work = await yard.accepted()
    old = await yard.restored()
    newer = await yard.succeeded(0.5)
    await yard.finish(at_work)
    for task in await old.store.expire(at_work.expires_at + 1):
        await drop_unneeded(old.store, old.files, task.id)
    ended = await old.store.get(OWNER, at_work.id)
    assert ended is not None
    assert ended.ended
    assert await old.sweeper().sweep() == Swept(unknown=2)
    assert [await yard.there(each.id) for each in (newer, at_work)] == [True, True]
    await old.store.close()


async def test_a_deleted_task_is_remembered_until_no_attempt_can_bring_its_files_back(
    yard: Yard, everything_is_old: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    await yard.storage.label("ours")
    records = StoredFiles(yard.store)
    deleted = await yard.left_behind()
    assert (await yard.sweeper().sweep()).leftovers == 1
    assert await records.unneeded([deleted]) == {deleted}
    monkeypatch.setattr(room, "_DELETED_KEPT", -5_000)
    assert await yard.sweeper().sweep() == Swept()
    assert await records.unneeded([deleted]) == frozenset()


async def test_files_that_cannot_be_removed_hold_up_no_others_and_are_tried_again(
    yard: Yard, everything_is_old: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_DELETED_KEPT", -5_000)
    await yard.storage.label("ours")
    tasks = [await yard.succeeded(10) for _ in range(3)]
    deleted = [await yard.left_behind() for _ in range(2)]
    real, stuck = yard.storage.remove, {tasks[0].id, deleted[0]}

    async def remove(task_id: str) -> None:
        if task_id in stuck:
            raise StorageFault("the files stay: not permitted")
        await real(task_id)

    sweeper = yard.sweeper(Retention.of_days(results=3, tasks=0, inputs=0))
    with monkeypatch.context() as patched, structlog.testing.capture_logs() as logs:
        patched.setattr(yard.storage, "remove", remove)
        swept = await sweeper.sweep()
    assert (swept.results, swept.leftovers) == (3, 1)
    names = [*(task.id for task in tasks), *deleted]
    assert [await yard.there(each) for each in names] == [True, False, False, True, False]
    told = [line for line in logs if "could not be removed" in line["event"]]
    assert {name for line in told for name in line["first"]} == stuck
    assert await sweeper.sweep() == Swept(leftovers=2)
    assert [await yard.there(each) for each in names] == [False] * 5


async def test_what_is_young_is_left_alone(yard: Yard) -> None:
    await yard.storage.label("ours")
    young = await yard.left_behind()
    assert await yard.sweeper().sweep() == Swept()
    assert await yard.there(young)


async def test_a_storage_of_another_database_loses_no_leftovers_and_the_log_says_so(
    yard: Yard, everything_is_old: None
) -> None:
    await yard.storage.label("theirs")
    left = await yard.left_behind()
    with structlog.testing.capture_logs() as logs:
        assert (await yard.sweeper(name="ours").sweep()).leftovers == 0
    assert await yard.there(left)
    assert any("another database" in line["event"] for line in logs)


async def test_folders_that_are_no_tasks_are_somebody_elses(yard: Yard, everything_is_old: None) -> None:
    await yard.put("photos")
    assert (await yard.sweeper().sweep()).leftovers == 0
    assert await yard.there("photos")


async def test_a_storage_without_a_label_becomes_ours_when_this_database_knows_all_in_it(
    yard: Yard, everything_is_old: None
) -> None:
    kept, cancelled = await yard.succeeded(3), await yard.living()
    await yard.store.cancel(OWNER, cancelled.id, system_clock())
    assert (await yard.sweeper().sweep()).leftovers == 1
    assert (await yard.there(kept.id), await yard.there(cancelled.id)) == (True, False)
    assert await yard.storage.label(None) == "ours"


async def test_a_storage_without_a_label_that_two_databases_filled_loses_nothing(
    yard: Yard, everything_is_old: None
) -> None:
    await yard.succeeded(3)
    await yard.put(NOBODYS)
    with structlog.testing.capture_logs() as logs:
        assert (await yard.sweeper().sweep()).leftovers == 0
    assert await yard.there(NOBODYS)
    assert await yard.storage.label(None) is None
    assert any("does not know" in line["event"] and line["label"] == "ours" for line in logs)


async def test_a_dead_process_leaves_no_workspace_for_longer_than_a_sweep(yard: Yard) -> None:
    dead = yard.folder / "work" / ids.ulid()
    dead.mkdir()
    (dead / "part.mp4").write_bytes(b"half")
    assert (await yard.sweeper().sweep()).unfinished == 1
    assert not dead.exists()


async def test_two_sweepers_at_once_remove_everything_once(yard: Yard) -> None:
    for _ in range(6):
        await yard.succeeded(10)
    retention = Retention.of_days(results=3, tasks=0, inputs=0)
    both: Sequence[Swept] = await asyncio.gather(*(yard.sweeper(retention).sweep() for _ in range(2)))
    assert sum(swept.results for swept in both) == 6


async def test_a_fault_is_logged_and_the_next_sweep_tries_again(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_EVERY", 0.01)
    task = await yard.succeeded(10)
    real, calls = StoredFiles.expired_records, 0

    async def search(records: StoredFiles, before: int, after: str, most: int) -> Sequence[str]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise OSError(5, "the disk is away")
        return await real(records, before, after, most)

    monkeypatch.setattr(StoredFiles, "expired_records", search)
    sweeping = asyncio.create_task(yard.sweeper(Retention.of_days(results=0, tasks=3, inputs=0)).run())
    async with asyncio.timeout(20):
        while await yard.there(task.id):  # noqa: ASYNC110 - only the storage knows
            await asyncio.sleep(0.01)
    sweeping.cancel()
    assert await yard.store.get(OWNER, task.id) is None


async def test_old_means_the_time_of_the_youngest_file(tmp_path: Path, store: SqliteStore) -> None:
    yard = Yard(store, LocalStorage(tmp_path / "files"), tmp_path)
    yard.storage.open()
    await yard.storage.label("ours")
    old, young = await yard.left_behind(), await yard.left_behind()
    for name, age in ((old, 2 * 3600), (young, 60)):
        os.utime(tmp_path / "files" / name, (time.time() - age,) * 2)
    assert await yard.sweeper().sweep() == Swept(leftovers=1)
    assert (await yard.there(old), await yard.there(young)) == (False, True)
