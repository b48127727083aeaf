"""A task through the whole server to a paid upstream and back; both are processes of their own."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

sys.path.insert(0, str(Path(__file__).parents[3]))  # the repository: the fake belongs to no distribution

from tests.upstreams.fake import FakeProcess, read_log
from tests.upstreams.fake.files import FILES

from ..serving import Caller, ServerProcess, serving
from .suite.cases import SECRET

MODEL = "byteplus/dreamina-seedance-2-0"


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeProcess]:
    process = FakeProcess(tmp_path_factory.mktemp("fake"), key=SECRET).start()
    process.control(queued=0.1, running=0.2, retry_after=0.2)
    yield process
    process.stop()


@pytest.fixture(scope="module")
def server(fake: FakeProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    variables = {"ARK_API_KEY": SECRET, "MESHAPI_BYTEPLUS_BASE_URL": fake.base_url("byteplus")}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    # With a public URL the fake's callbacks wake the server, which would look at its usual pace otherwise.
    options = ("--port", port, "--public-url", f"http://127.0.0.1:{port}")
    with serving(tmp_path_factory.mktemp("server") / "data", *options, **variables) as started:
        yield started


@pytest.fixture(scope="module")
def caller(server: ServerProcess) -> Caller:
    return server.caller()


def sold(fake: FakeProcess, task: dict[str, Any]) -> int:
    """How often the fake accepted this task."""
    return sum((entry.token or "").startswith(f"{task['id']}.") for entry in read_log(fake.log))


def test_a_task_is_submitted_once_polled_and_its_video_copied(fake: FakeProcess, caller: Caller) -> None:
    task = caller.ended(caller.create(MODEL, duration=5, return_last_frame=True))
    assert task["status"] == "succeeded", task
    assert task["model"] == MODEL
    video = httpx2.get(task["content"]["video_url"], trust_env=False)
    assert video.content == FILES["video.mp4"].read_bytes()
    assert task["content"]["last_frame_url"]
    assert sold(fake, task) == 1


def test_a_moderated_video_fails_with_the_upstreams_own_code(fake: FakeProcess, caller: Caller) -> None:
    fake.control(next=["moderated_output"])
    task = caller.ended(caller.create(MODEL))
    assert task["error"]["code"] == "content_policy_violation"
    assert task["error"]["provider_code"] == "OutputVideoSensitiveContentDetected"


def test_a_busy_upstream_is_asked_again_and_sells_once(fake: FakeProcess, caller: Caller) -> None:
    fake.control(next=["rate_limited", "overloaded"])
    task = caller.ended(caller.create(MODEL))
    assert task["status"] == "succeeded", task
    assert sold(fake, task) == 1


@pytest.mark.parametrize("plot", ["bad_gateway_after", "reset_after", "garbled_after"])
def test_a_lost_answer_is_found_and_never_bought_twice(fake: FakeProcess, caller: Caller, plot: str) -> None:
    fake.control(next=[plot])
    task = caller.ended(caller.create(MODEL), seconds=60)
    assert task["status"] == "succeeded", task
    assert sold(fake, task) == 1


def test_the_key_is_in_no_log_and_no_file_of_the_server(
    fake: FakeProcess, server: ServerProcess, caller: Caller
) -> None:
    fake.control(next=["invalid"])  # its message repeats the key that it was sent
    task = caller.ended(caller.create(MODEL))
    assert task["error"]["code"] == "invalid_input"
    assert "[removed]" in str(task["error"])
    files = [path for path in server.data.rglob("*") if path.is_file()]
    assert len(files) > 1
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []
    assert SECRET not in server.stdout + server.stderr + str(task)
