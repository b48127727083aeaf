"""Results on the local disk."""

import asyncio
import errno
import hashlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from meshapi_server.files import local, workshop
from meshapi_server.files.storage import StorageFault
from meshapi_server.tasks.task import StoredFile

from ..stored import LocalFiles


@pytest.fixture
def files(tmp_path: Path) -> LocalFiles:
    opened = LocalFiles(tmp_path)
    opened.open()
    return opened


def made(files: LocalFiles, data: bytes = b"a video") -> Path:
    workspace = files.workspace("task_1-1")
    path = workspace / "out.mp4"
    path.write_bytes(data)
    return path


async def test_an_adopted_file_is_moved_measured_and_named(files: LocalFiles, tmp_path: Path) -> None:
    source = made(files)
    stored = await files.adopt("task_1", "video.mp4", source)
    digest = hashlib.sha256(b"a video").hexdigest()
    assert stored == StoredFile(name="video.mp4", media_type="video/mp4", size=7, sha256=digest)
    assert files.path("task_1", "video.mp4") == tmp_path / "files" / "task_1" / "video.mp4"
    assert not source.exists()


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("video.webm", "video/webm"), ("last_frame.png", "image/png"), ("x.bin", "application/octet-stream")],
)
async def test_the_media_type_follows_from_the_name(files: LocalFiles, name: str, media_type: str) -> None:
    assert (await files.adopt("task_1", name, made(files))).media_type == media_type


async def test_adopting_again_replaces_the_file(files: LocalFiles) -> None:
    await files.adopt("task_1", "video.mp4", made(files, b"first"))
    await files.adopt("task_1", "video.mp4", made(files, b"second"))
    path = files.path("task_1", "video.mp4")
    assert path is not None
    assert path.read_bytes() == b"second"


async def test_removing_removes_every_file_of_one_task_and_no_other(files: LocalFiles) -> None:
    await files.adopt("task_1", "video.mp4", made(files))
    await files.adopt("task_2", "video.mp4", made(files))
    await files.remove("task_1")
    await files.remove("task_1")
    assert files.path("task_1", "video.mp4") is None
    assert files.path("task_2", "video.mp4") is not None


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("..", "meshapi.db"),
        ("task_1", "../../meshapi.db"),
        ("task_1", ".."),
        ("task_1", ".hidden"),
        ("task_1/..", "video.mp4"),
        ("", "video.mp4"),
        ("task_1\x00", "video.mp4"),
        ("task_1", "a\x00b"),
        ("task_1", "none.mp4"),
        ("task_1\n", "video.mp4"),
    ],
)
async def test_no_name_leads_out_of_the_directory(
    files: LocalFiles, tmp_path: Path, task: str, name: str
) -> None:
    (tmp_path / "meshapi.db").write_bytes(b"secret")
    await files.adopt("task_1", "video.mp4", made(files))
    assert files.path(task, name) is None


@pytest.mark.parametrize("name", ["../x", "a/b", "", "x" * 81, "a b"])
def test_a_workspace_name_that_leads_elsewhere_is_refused(files: LocalFiles, name: str) -> None:
    with pytest.raises(ValueError, match="not a file name"):
        files.workspace(name)


def test_a_workspace_is_fresh_and_private(files: LocalFiles) -> None:
    first = files.workspace("task_1-1")
    (first / "left.txt").write_text("x")
    again = files.workspace("task_1-1")
    assert again == first
    assert list(again.iterdir()) == []
    assert again.stat().st_mode & 0o777 == 0o700


def test_opening_sweeps_workspaces_that_a_killed_process_left_and_keeps_results(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    files.open()
    asyncio.run(files.adopt("task_2", "video.mp4", made(files)))
    killed = f"""
import os, pathlib
from meshapi_server.files.workshop import Workshop
workshop = Workshop(pathlib.Path({str(tmp_path / "work")!r}))
workshop.open()
(workshop.directory / "task_9-1").mkdir()
os._exit(9)
"""
    subprocess.run([sys.executable, "-c", killed], check=False, timeout=60)
    assert list((tmp_path / "work").glob("*/task_9-1")) != []
    LocalFiles(tmp_path).open()
    assert list((tmp_path / "work").glob("*/task_9-1")) == []
    assert files.path("task_2", "video.mp4") is not None


def test_opening_leaves_the_workspaces_of_a_living_process_alone(tmp_path: Path) -> None:
    living = LocalFiles(tmp_path)
    living.open()
    workspace = living.workspace("task_1-1")
    LocalFiles(tmp_path).open()
    assert workspace.is_dir()


async def test_closing_leaves_nothing_behind_but_results(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    files.open()
    files.workspace("task_1-1")
    await files.close()
    assert list((tmp_path / "work").iterdir()) == []


def test_a_lock_that_a_kill_left_without_its_directory_is_swept(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "01ARZ3NDEKTSV4RRFFQ69G5FAV.lock").touch()
    LocalFiles(tmp_path).open()
    assert not (tmp_path / "work" / "01ARZ3NDEKTSV4RRFFQ69G5FAV.lock").exists()


@pytest.mark.parametrize("done", [True, False], ids=["swept away", "just being swept"])
async def test_a_workshop_whose_lock_another_process_took_for_a_dead_ones_is_opened_under_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    real, swept = workshop._lock_file, list[Path]()

    def between_making_and_locking(path: Path) -> int:
        if swept:
            return real(path)
        swept.append(path)
        if not done:
            raise BlockingIOError
        descriptor = real(path)
        path.unlink()
        return descriptor

    monkeypatch.setattr(workshop, "_lock_file", between_making_and_locking)
    files = LocalFiles(tmp_path)
    files.open()
    workspace = files.workspace("task_1-1")
    assert not workspace.is_relative_to(swept[0].with_suffix(""))
    monkeypatch.undo()
    LocalFiles(tmp_path).open()
    assert workspace.is_dir()
    await files.close()


async def test_a_file_of_another_disk_is_copied_under_another_name_and_then_renamed(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = made(files, b"from afar")
    renamed: list[Path] = []
    real = Path.rename

    def rename(path: Path, target: Path) -> Path:
        if path == source:
            raise OSError(errno.EXDEV, "another disk")
        renamed.append(path)
        return real(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    await files.adopt("task_1", "video.mp4", source)
    stored = files.path("task_1", "video.mp4")
    assert stored is not None
    assert stored.read_bytes() == b"from afar"
    assert [path.parent.name for path in renamed] == [".incoming"]
    assert not source.exists()


async def test_a_copy_that_a_kill_broke_off_is_tidied_away_and_a_fresh_one_is_not(
    files: LocalFiles, tmp_path: Path
) -> None:
    incoming = tmp_path / "files" / ".incoming"
    incoming.mkdir()
    for name, age in (("old", 7200), ("fresh", 0)):
        (incoming / name).write_bytes(b"half")
        os.utime(incoming / name, (time.time() - age,) * 2)
    assert await files.tidy(round((time.time() - 3600) * 1000)) == 1
    assert [path.name for path in incoming.iterdir()] == ["fresh"]


async def test_a_cancelled_caller_waits_until_the_move_is_done(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, inside = threading.Event(), threading.Event()
    real = local._sync_directory

    def slow(directory: Any) -> None:
        inside.set()
        gate.wait(10)
        real(directory)

    monkeypatch.setattr(local, "_sync_directory", slow)
    adopting = asyncio.create_task(files.adopt("task_1", "video.mp4", made(files)))
    await asyncio.to_thread(inside.wait, 10)
    adopting.cancel()
    await asyncio.sleep(0.05)
    assert not adopting.done()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await adopting
    assert files.path("task_1", "video.mp4") is not None


async def test_a_removal_that_leaves_something_is_a_fault(files: LocalFiles, tmp_path: Path) -> None:
    (tmp_path / "files" / "task_1").write_bytes(b"where a folder belongs")
    with pytest.raises(StorageFault, match=r"task_1 stay: .*Not a directory"):
        await files.remove("task_1")


async def test_an_unfinished_file_that_cannot_be_removed_holds_up_no_other(
    files: LocalFiles, tmp_path: Path
) -> None:
    incoming = tmp_path / "files" / ".incoming"
    (incoming / "a-folder").mkdir(parents=True)
    (incoming / "part").write_bytes(b"half")
    assert await files.tidy(round((time.time() + 60) * 1000)) == 1
    assert [each.name for each in incoming.iterdir()] == ["a-folder"]


async def test_what_cannot_be_read_weighs_nothing_and_holds_up_no_other(
    files: LocalFiles, tmp_path: Path
) -> None:
    (tmp_path / "files" / "task_2").write_bytes(b"where a folder belongs")
    await files.adopt("task_1", "video.mp4", made(files))
    assert await files.storage.weigh(["task_2", "task_1"]) == 7
