"""What every storage does, whichever it is: the same suite over a directory and an S3-compatible server."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from meshapi_server.files.storage import BLOCK, LABEL, Storage, StorageFault

LATER = round((time.time() + 3600) * 1000)  # ms: everything is older than that
LARGE = os.urandom(20 * 1024 * 1024 + 7)  # larger than the parts of an upload


@pytest.fixture
def made(tmp_path: Path) -> Callable[[bytes], Path]:
    """A finished file in a workspace."""

    def make(data: bytes) -> Path:
        path = tmp_path / f"out-{len(data)}.mp4"
        path.write_bytes(data)
        return path

    return make


async def whole(storage: Storage, task: str, name: str, first: int, last: int) -> bytes:
    return b"".join([block async for block in storage.read(task, name, first, last)])


async def old(storage: Storage, before: int) -> list[str]:
    return sorted([each async for batch in storage.tasks(before) for each in batch])


async def test_a_file_is_there_as_a_whole_and_its_source_is_not(
    storage: Storage, made: Callable[[bytes], Path]
) -> None:
    source = made(b"a video")
    await storage.put("task_1", "video.mp4", source)
    assert await storage.size("task_1", "video.mp4") == 7
    assert await whole(storage, "task_1", "video.mp4", 0, 6) == b"a video"
    assert not source.exists()


async def test_a_file_of_many_parts_comes_back_byte_by_byte_in_blocks(
    storage: Storage, made: Callable[[bytes], Path]
) -> None:
    await storage.put("task_1", "video.mp4", made(LARGE))
    blocks = [block async for block in storage.read("task_1", "video.mp4", 0, len(LARGE) - 1)]
    assert b"".join(blocks) == LARGE
    assert max(map(len, blocks)) <= 16 * BLOCK


@pytest.mark.parametrize(("first", "last"), [(0, 0), (5, 5), (0, 99), (BLOCK - 1, BLOCK), (999_999, 999_999)])
async def test_a_range_is_exactly_those_bytes(
    storage: Storage, made: Callable[[bytes], Path], first: int, last: int
) -> None:
    data = LARGE[:1_000_000]
    await storage.put("task_1", "video.mp4", made(data))
    assert await whole(storage, "task_1", "video.mp4", first, last) == data[first : last + 1]


async def test_a_range_behind_the_end_is_a_fault_and_no_shorter_answer(
    storage: Storage, made: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meshapi_server.files.objects._BREAKS", 0)
    await storage.put("task_1", "video.mp4", made(b"a video"))
    with pytest.raises(StorageFault):
        await whole(storage, "task_1", "video.mp4", 0, 20)


async def test_a_file_of_the_same_name_is_replaced(storage: Storage, made: Callable[[bytes], Path]) -> None:
    await storage.put("task_1", "video.mp4", made(b"the first"))
    await storage.put("task_1", "video.mp4", made(b"second"))
    assert await whole(storage, "task_1", "video.mp4", 0, 5) == b"second"
    assert await storage.size("task_1", "video.mp4") == 6


async def test_removing_removes_every_file_of_one_task_and_no_other(
    storage: Storage, made: Callable[[bytes], Path]
) -> None:
    for task, name in (("task_1", "video.mp4"), ("task_1", "last_frame.png"), ("task_12", "video.mp4")):
        await storage.put(task, name, made(b"data"))
    await storage.remove("task_1")
    await storage.remove("task_1")
    assert await storage.size("task_1", "video.mp4") is None
    assert await storage.size("task_1", "last_frame.png") is None
    assert await storage.size("task_12", "video.mp4") == 4


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("task_2", "video.mp4"),
        ("task_1", "none.mp4"),
        ("..", "video.mp4"),
        ("task_1", "../task_1/video.mp4"),
        ("task_1/..", "task_1"),
        ("", "video.mp4"),
        ("task_1\x00", "video.mp4"),
        ("task_1\n", "video.mp4"),
        ("task_1", "video.mp4\n"),
        ("task_1", ".hidden"),
        (".", LABEL),
    ],
)
async def test_what_is_not_there_is_not_found_whatever_it_is_called(
    storage: Storage, made: Callable[[bytes], Path], task: str, name: str
) -> None:
    await storage.put("task_1", "video.mp4", made(b"data"))
    await storage.label("somebody")
    assert await storage.size(task, name) is None
    with pytest.raises(FileNotFoundError):
        await anext(storage.read(task, name, 0, 0))


@pytest.mark.parametrize(
    ("task", "name"), [("..", "video.mp4"), ("a/b", "x.mp4"), ("task_1", "../x"), ("", "x")]
)
async def test_nothing_is_stored_under_a_name_that_leads_elsewhere(
    storage: Storage, made: Callable[[bytes], Path], task: str, name: str
) -> None:
    with pytest.raises(ValueError, match="not a file name"):
        await storage.put(task, name, made(b"data"))


async def test_tasks_are_listed_by_the_age_of_their_youngest_file(
    storage: Storage, made: Callable[[bytes], Path]
) -> None:
    await storage.label("somebody")
    for task in ("task_b", "task_a", "task_c"):
        await storage.put(task, "video.mp4", made(b"data"))
        await storage.put(task, "last_frame.png", made(b"data"))
    assert await old(storage, LATER) == ["task_a", "task_b", "task_c"]
    assert await old(storage, 0) == []


async def test_files_are_weighed_by_task(storage: Storage, made: Callable[[bytes], Path]) -> None:
    for task, name, data in (
        ("task_1", "video.mp4", b"seven.."),
        ("task_1", "last_frame.png", b"two"),
        ("task_12", "video.mp4", b"a"),
    ):
        await storage.put(task, name, made(data))
    assert await storage.weigh(["task_1", "task_2"]) == 10
    assert await storage.weigh(["task_1", "task_12"]) == 11
    assert await storage.weigh([]) == 0


async def test_the_first_label_stays(storage: Storage) -> None:
    assert await storage.label(None) is None
    assert await storage.label("first") == "first"
    assert await storage.label("second") == "first"
    assert await storage.label(None) == "first"


async def test_many_readers_at_once_each_get_their_own_bytes(
    storage: Storage, made: Callable[[bytes], Path]
) -> None:
    data = LARGE[:3_000_000]
    await storage.put("task_1", "video.mp4", made(data))
    starts = range(0, 1_000_000, 100_000)
    found = await asyncio.gather(
        *(whole(storage, "task_1", "video.mp4", start, start + 1_999_999) for start in starts)
    )
    assert [found[place] == data[start : start + 2_000_000] for place, start in enumerate(starts)] == [
        True
    ] * 10


async def test_a_reader_that_stops_in_the_middle_leaves_nothing_open(
    storage: Storage, made: Callable[[bytes], Path]
) -> None:
    await storage.put("task_1", "video.mp4", made(LARGE[:5_000_000]))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        blocks = storage.read("task_1", "video.mp4", 0, 4_999_999)
        await anext(blocks)
        await blocks.aclose()
    assert len(os.listdir("/proc/self/fd")) <= before + 25  # connections to a server are kept for the next
