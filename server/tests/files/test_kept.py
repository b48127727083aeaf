"""Retention as a caller sees it, on a real server: the end is announced, and afterwards nothing is there."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ..serving import GENERATIONS, Caller, ServerProcess, error, serving

DAY = 86_400
SECONDS = 3.0
SOUND: dict[str, Any] = {"generate_audio": True}
TALL: dict[str, Any] = {**SOUND, "ratio": "9:16"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that keeps results for three seconds."""
    data = tmp_path_factory.mktemp("kept") / "data"
    with serving(data, MESHAPI_KEEP_RESULTS=str(SECONDS / DAY), MESHAPI_KEEP_TASKS="30") as started:
        yield started


@pytest.fixture(scope="module")
def task(caller: Caller) -> dict[str, Any]:
    return caller.ended(caller.create("sandbox/instant", return_last_frame=True))


@pytest.fixture(scope="module")
def expired(caller: Caller, task: dict[str, Any]) -> dict[str, Any]:
    """The same task when its results are over."""
    return caller.until(task, lambda found: found["content"] is None)


def test_a_task_that_has_succeeded_says_until_when_its_files_are_kept(task: dict[str, Any]) -> None:
    assert task["content"]["video_url"]
    assert task["expires_at"] - task["completed_at"] in {round(SECONDS), round(SECONDS) + 1}


def test_the_task_stays_and_shows_no_files(task: dict[str, Any], expired: dict[str, Any]) -> None:
    assert time.time() >= expired["expires_at"]
    assert (expired["status"], expired["content"]) == ("succeeded", None)
    assert expired["video"] == task["video"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_files_are_404_with_a_login_and_by_their_links(
    caller: Caller, task: dict[str, Any], expired: dict[str, Any], method: str
) -> None:
    path = f"{GENERATIONS}/{expired['id']}/content"
    for variant in ("video", "last_frame"):
        assert caller.request(method, path, params={"variant": variant}).status_code == 404
    for link in task["content"].values():
        assert httpx2.request(method, link, trust_env=False).status_code == 404
    assert "were kept for a time" in error(caller.get(path), 404, "not_found")["message"]


def test_the_next_start_removes_them_from_the_disk(
    caller: Caller, server: ServerProcess, expired: dict[str, Any]
) -> None:
    folder = server.data / "files" / expired["id"]
    assert folder.is_dir()
    server.terminate()
    server.start()
    deadline = time.monotonic() + 30
    while folder.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert server.caller().task(expired["id"])["content"] is None


def test_of_a_sandbox_task_that_asks_for_nothing_nothing_is_warned(server: ServerProcess) -> None:
    caller = server.caller()
    assert caller.ended(caller.create("sandbox/instant"))["warnings"] == []


def test_without_a_setting_files_are_kept_for_ever_and_a_video_is_described_as_it_is(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as plain:
        caller = plain.caller()
        right = caller.ended(caller.create("sandbox/instant", resolution="480p", duration=2, **SOUND))
        wrong = caller.ended(caller.create("sandbox/instant", resolution="480p", duration=7, **TALL))
    assert right["expires_at"] is None
    assert right["content"]["video_url"]
    shown = {name: right["video"][name] for name in ("width", "height", "duration", "fps", "frames", "codec")}
    assert shown == {"width": 864, "height": 480, "duration": 2.0, "fps": 24.0, "frames": 48, "codec": "h264"}
    assert right["video"]["media_type"] == "video/mp4"
    assert right["video"]["audio"] is True
    assert right["warnings"] == []
    assert wrong["warnings"] == [
        "7 s were expected; the video lasts 2 s.",
        "The ratio 9:16 was expected; the video is 864 x 480.",
    ]
