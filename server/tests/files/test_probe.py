"""Videos are measured in children that nothing in a file can use: real files, real processes."""

import asyncio
import os
import struct
import sys
import time
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshapi_server.files import probe as room
from meshapi_server.files.probe import Probe
from meshapi_server.tasks.task import Measured, Probed

CLIP = Path(str(resources.files("meshapi_server.upstreams.sandbox").joinpath("clip.mp4")))
CLIP_IS = Probed(width=864, height=480, duration=2.0, codec="h264", audio=True, frames=48, fps=24.0)


@pytest.fixture
async def probe() -> AsyncIterator[Probe]:
    running = Probe()
    yield running
    await running.close()


def written(path: Path, *, codec: str, frames: int = 10, rate: int = 10) -> Path:
    """A small silent video."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(frames):
            picture = np.full((48, 64, 3), number * 20 % 256, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def descendants() -> list[str]:
    """The probe children of this process, by what they run."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            line = status.with_name("cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        if parent == os.getpid() and b"probe_child" in line:
            found.append(status.parent.name)
    return found


async def test_a_video_is_measured(probe: Probe) -> None:
    assert await probe.measure(CLIP) == Measured(probed=CLIP_IS)


async def test_a_silent_webm_is_measured_by_counting(probe: Probe, tmp_path: Path) -> None:
    video = written(tmp_path / "small.webm", codec="libvpx-vp9")
    probed = (await probe.measure(video)).probed
    assert probed is not None
    assert (probed.width, probed.height, probed.audio, probed.frames) == (64, 48, False, 10)
    assert probed.codec == "vp9"
    assert abs(probed.duration - 1.0) < 0.11


async def test_a_file_that_was_cut_tells_how_much_is_there(probe: Probe, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(CLIP.read_bytes()[: CLIP.stat().st_size * 7 // 10])
    measured = await probe.measure(cut)
    assert measured.probed is not None
    assert measured.probed.frames is not None
    assert 0 < measured.probed.frames < 48
    assert measured.problem == f"only {measured.probed.frames} of its 48 frames are there"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        b"<html>no video</html>",
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"\0\0\0\x18ftypmp42",
        b"\0\0\0\x18ftypmp42" + bytes(2000),
        b"\x1aE\xdf\xa3" + bytes(2000),
        b"\0\0\0\x18ftypmp42" + struct.pack(">I4sQ", 1, b"moov", 2**63 - 1) + b"mvhd" * 50,
        b"\0\0\0\x18ftypmp42" + struct.pack(">I4s", 2**32 - 1, b"moov") * 200,
    ],
    ids=range(10),
)
async def test_what_is_no_video_is_a_problem_and_never_a_fault(
    probe: Probe, tmp_path: Path, data: bytes
) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(data)
    measured = await probe.measure(path)
    assert measured.probed is None
    assert measured.problem


async def test_a_child_that_is_killed_costs_one_answer(probe: Probe, tmp_path: Path) -> None:
    await probe.measure(CLIP)
    for pid in descendants():
        os.kill(int(pid), 9)
    assert (await probe.measure(CLIP)).problem == "reading it failed"
    assert (await probe.measure(CLIP)).probed == CLIP_IS


async def test_a_child_that_ended_while_it_had_nothing_to_do_costs_no_answer(probe: Probe) -> None:
    await probe.measure(CLIP)
    running = [child._process for child in probe._children if child._process is not None]
    for process in running:
        process.kill()
        await process.wait()
    assert len(running) == 1
    assert (await probe.measure(CLIP)).probed == CLIP_IS


async def test_children_find_packages_where_the_server_does_and_without_them_no_video_is_blamed(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(sys, "path", ["/nowhere"])
        assert await probe.measure(CLIP) == Measured()
    assert (await probe.measure(CLIP)).probed == CLIP_IS
    assert len(descendants()) == 1


async def test_a_file_that_holds_its_reader_up_is_given_up_and_others_go_on(tmp_path: Path) -> None:
    probe = Probe(seconds=2.0)
    pipe = tmp_path / "endless.mp4"
    os.mkfifo(pipe)  # to open it takes for ever
    try:
        stuck = asyncio.create_task(probe.measure(pipe))
        assert (await probe.measure(CLIP)).probed == CLIP_IS
        assert (await stuck).problem == "reading it took more than 2 s"
        assert (await probe.measure(CLIP)).probed == CLIP_IS
    finally:
        await probe.close()
    assert descendants() == []


async def test_a_caller_that_is_cancelled_does_not_leave_its_answer_to_the_next(tmp_path: Path) -> None:
    probe = Probe(seconds=20.0)
    pipe = tmp_path / "endless.mp4"
    os.mkfifo(pipe)
    try:
        for _ in range(2):
            stuck = asyncio.create_task(probe.measure(pipe))
            await asyncio.sleep(0.5)
            stuck.cancel()
            await asyncio.gather(stuck, return_exceptions=True)
        assert (await probe.measure(CLIP)).probed == CLIP_IS
    finally:
        await probe.close()


async def test_a_child_has_nothing_of_the_servers_environment_and_may_write_no_file(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAL_KEY", "secret")
    await probe.measure(CLIP)
    (pid,) = descendants()
    assert b"secret" not in Path(f"/proc/{pid}/environ").read_bytes()
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert [line.split()[3:5] for line in limits.splitlines() if line.startswith("Max file size")] == [
        ["0", "0"]
    ]
    assert "NoNewPrivs:\t1" in Path(f"/proc/{pid}/status").read_text()


async def test_children_that_nobody_needs_end() -> None:
    probe = Probe(idle_seconds=0.05)
    await probe.measure(CLIP)
    deadline = time.monotonic() + 20
    while descendants():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    assert (await probe.measure(CLIP)).probed == CLIP_IS
    await probe.close()


async def test_a_file_that_is_known_is_not_opened_again(
    probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_REMEMBERED", 1)
    await probe.measure(CLIP, "a")
    assert (await probe.measure(tmp_path / "none", "a")).probed == CLIP_IS
    await probe.measure(CLIP, "b")
    assert (await probe.measure(tmp_path / "none", "a")).probed is None


@pytest.mark.parametrize(
    "lie",
    [
        {"width": 0},
        {"height": 1 << 20},
        {"duration": float("inf")},
        {"duration": float("nan")},
        {"duration": -1.0},
        {"fps": 0.0},
        {"frames": -1},
        {"codec": "x" * 100},
        {"codec": "a\nb"},
    ],
    ids=str,
)
def test_an_answer_that_no_video_could_give_is_not_believed(lie: dict[str, object]) -> None:
    from msgspec.structs import replace

    assert room._plausible(CLIP_IS)
    assert not room._plausible(replace(CLIP_IS, **lie))


@pytest.mark.slow
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 255)), min_size=1, max_size=40))
def test_a_video_with_any_bytes_of_its_head_changed_gets_an_answer(
    tmp_path: Path, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(CLIP.read_bytes())
    for place, value in changes:
        data[8 + place] = value
    video = tmp_path / "fuzzed.mp4"
    video.write_bytes(data)
    measured = LOOP.run_until_complete(FUZZED.measure(video))
    assert measured.probed is not None or measured.problem


LOOP = asyncio.new_event_loop()
FUZZED = Probe()


@pytest.fixture(scope="module", autouse=True)
def ended() -> object:
    """The children of the fuzzing end with it."""
    yield
    LOOP.run_until_complete(FUZZED.close())
    LOOP.close()
