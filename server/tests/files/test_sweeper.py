"""What is no longer kept goes, and so does what kills left; what a living task needs stays."""

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import structlog

from meshapi_server.files import sweeper as room
from meshapi_server.files.local import LocalStorage
from meshapi_server.files.results import Results
from meshapi_server.files.retention import DAY, Retention
from meshapi_server.files.storage import Storage
from meshapi_server.files.sweeper import Sweeper, Swept
from meshapi_server.files.workshop import Workshop
from meshapi_server.store.sqlite import SqliteStore
from meshapi_server.store.stored_files import StoredFiles
from meshapi_server.tasks import ids
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

    async def _claim(self, task: Task) -> None:
        await self.store.set_pools(samples.pools(samples.REMOTE, 10_000))
        await self.store.claim(
            Event.CLAIM_SUBMIT,
            upstreams=(samples.REMOTE,),
            worker="w",
            now=task.created_at,
            lease_until=task.created_at + 1,
            limit=1,
        )

    async def living(self) -> Task:
        """A task of which a worker has stored the file and not yet said so."""
        task = samples.task(created_at=system_clock(), expires_at=system_clock() + DAY)
        await self.store.create(task, samples.schedule_of(task, due=system_clock()), b"{}", None)
        await self.put(task.id)
        return task


@pytest.fixture
def yard(store: SqliteStore, storage: Storage, tmp_path: Path) -> Yard:
    return Yard(store, storage, tmp_path)


@pytest.fixture
def everything_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was stored a moment ago counts as unfinished for long enough."""
    monkeypatch.setattr(room, "_UNFINISHED", -5_000)


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
    await yard.put(NOBODYS)
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
    await yard.storage.label("ours")
    await yard.put(NOBODYS)
    swept = await yard.sweeper().sweep()
    assert swept == Swept(leftovers=3)
    there = [await yard.there(each) for each in (kept.id, living.id, cancelled.id, removed.id, NOBODYS)]
    assert there == [True, True, False, False, False]


async def test_what_is_young_is_left_alone(yard: Yard) -> None:
    await yard.storage.label("ours")
    await yard.put(NOBODYS)
    assert await yard.sweeper().sweep() == Swept()
    assert await yard.there(NOBODYS)


async def test_a_storage_of_another_database_loses_no_leftovers_and_the_log_says_so(
    yard: Yard, everything_is_old: None
) -> None:
    await yard.storage.label("theirs")
    await yard.put(NOBODYS)
    with structlog.testing.capture_logs() as logs:
        assert (await yard.sweeper(name="ours").sweep()).leftovers == 0
    assert await yard.there(NOBODYS)
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
    real, calls = yard.files.remove, 0

    async def remove(task_id: str) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise OSError(5, "the disk is away")
        await real(task_id)

    monkeypatch.setattr(yard.files, "remove", remove)
    sweeping = asyncio.create_task(yard.sweeper(Retention.of_days(results=0, tasks=3, inputs=0)).run())
    async with asyncio.timeout(20):
        while await yard.store.get(OWNER, task.id) is not None:  # noqa: ASYNC110 - only the store knows
            await asyncio.sleep(0.01)
    sweeping.cancel()
    assert not await yard.there(task.id)


async def test_old_means_the_time_of_the_youngest_file(tmp_path: Path, store: SqliteStore) -> None:
    yard = Yard(store, LocalStorage(tmp_path / "files"), tmp_path)
    yard.storage.open()
    await yard.storage.label("ours")
    old, young = ids.task_id(), ids.task_id()
    for name, age in ((old, 2 * 3600), (young, 60)):
        await yard.put(name)
        os.utime(tmp_path / "files" / name, (time.time() - age,) * 2)
    assert await yard.sweeper().sweep() == Swept(leftovers=1)
    assert (await yard.there(old), await yard.there(young)) == (False, True)
