"""The seed documents' code, word for word, against a live server of ours and against the hosted forms."""

import asyncio
import inspect
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from go_programs import GoPrograms
from hosted import KEY, HostedService
from pages import MARK

import meshapi
from seeds import adapted, compiled, python_blocks
from server_process import ServerProcess


class Target:
    """Where the code is pointed at."""

    def __init__(self, base_url: str, key: str) -> None:
        self.base_url = base_url
        self.key = key


@pytest.fixture(params=["ours", "hosted"])
def target(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    """Either kind of service; the snippets' sleep of 5 s between two looks is cut short."""
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.2)))
    if request.param == "ours":
        server: ServerProcess = request.getfixturevalue("server")
        yield Target(server.base_url, server.key)
    else:
        with HostedService() as service:
            yield Target(service.base_url, KEY)


def test_the_fixture_holds_all_five_python_snippets() -> None:
    assert [block.split("\n")[0] for block in python_blocks()] == [
        "from meshapi import MeshAPI, VideoGenerationParams, VideoContentItem",
        "while True:",
        "from meshapi import ListVideoGenerationsParams",
        'task = client.videos.retrieve("task-id")',
        "from meshapi import AsyncMeshAPI, VideoGenerationParams, VideoContentItem",
    ]


@pytest.mark.slow
def test_generate_poll_list_and_retrieve_run_word_for_word(
    target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    generate, poll, listing, retrieve, _ = python_blocks()
    names: dict[str, Any] = {}
    exec(compiled(adapted(generate, target.base_url, target.key)), names)
    task_id = names["task"].id
    exec(compiled(poll), names)
    exec(compiled(listing), names)
    exec(compiled(retrieve.replace("task-id", task_id)), names)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == f"Task ID: {task_id}"
    assert "Status: succeeded" in printed
    (url,) = [line.removeprefix("Video URL: ") for line in printed if line.startswith("Video URL: ")]
    assert url.startswith(target.base_url)
    assert "1 total tasks" in printed
    assert f"{task_id} succeeded" in printed
    assert printed[-1] == "succeeded"
    names["client"].close()


def test_retrieving_the_placeholder_id_is_a_typed_404(target: Target) -> None:
    names: dict[str, Any] = {"client": meshapi.MeshAPI(base_url=target.base_url, token=target.key)}
    with pytest.raises(meshapi.MeshAPIError) as caught:
        exec(compiled(python_blocks()[3]), names)
    assert caught.value.status == 404
    assert caught.value.error_code == "not_found"
    names["client"].close()


def test_the_async_snippet_runs_word_for_word(target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    made = eval(compiled(adapted(python_blocks()[4], target.base_url, target.key)), names)
    assert inspect.iscoroutine(made)
    asyncio.run(made)
    assert capsys.readouterr().out.strip() in {"queued", "pending", "running", "succeeded"}


@pytest.mark.slow
def test_the_printed_url_plays_without_a_login(server: ServerProcess) -> None:
    listing = server.call("GET", "/v1/video/generations?status=succeeded&limit=1")
    url = listing["data"][0]["content"]["video_url"]
    request = urllib.request.Request(url, headers={"range": "bytes=4-11"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 206
        assert answer.headers["content-type"] == "video/mp4"
        assert answer.read() == b"ftypisom"


def test_the_seed_model_is_simulated_openly(server: ServerProcess) -> None:
    listing = server.call("GET", "/v1/video/generations?model=byteplus/dreamina-seedance-2-0")
    assert listing["total"] >= 1
    assert {task["model"] for task in listing["data"]} == {"mesh/diorama-1"}


@pytest.mark.slow
def test_the_go_snippets_compile_and_run_word_for_word_against_the_hosted_forms(
    hosted: HostedService, go: GoPrograms
) -> None:
    """Against a server of ours they run in `test_go_live.py`."""
    ran = go.run("seed-generate", base_url=hosted.base_url, key=KEY)
    assert ran.stdout.replace(f"{MARK}\n", "") == (
        "Task ID: cgt-2026-0001\nStatus: queued\nStatus: succeeded\n"
    ), ran.stderr
    ran = go.run("seed-list", base_url=hosted.base_url, key=KEY)
    assert ran.stdout.startswith("1 total tasks\ncgt-2026-0001 succeeded\n"), ran.stderr
    ran = go.run("seed-retrieve", base_url=hosted.base_url, key=KEY)
    assert ran.returncode == 1
    assert "404 not_found: Task not found." in ran.stderr
