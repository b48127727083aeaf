"""The seed documents' Python, word for word, against a live server of ours."""

import ast
import asyncio
import inspect
import re
import urllib.request
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

import meshapi
from server_process import ServerProcess

SEED = Path(__file__).parents[1] / "seeds" / "python.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[str]:
    return BLOCK.findall(SEED.read_text("utf-8"))


def adapted(block: str, server: ServerProcess) -> str:
    """Only the base URL and the key are replaced."""
    assert '"https://api.meshapi.ai"' in block or "base_url" not in block
    return block.replace("https://api.meshapi.ai", server.base_url).replace("rsk_...", server.key)


def compiled(block: str) -> CodeType:
    code: CodeType = compile(block, str(SEED), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    return code


def test_the_fixture_holds_all_five_python_snippets() -> None:
    assert [block.split("\n")[0] for block in blocks()] == [
        "from meshapi import MeshAPI, VideoGenerationParams, VideoContentItem",
        "while True:",
        "from meshapi import ListVideoGenerationsParams",
        'task = client.videos.retrieve("task-id")',
        "from meshapi import AsyncMeshAPI, VideoGenerationParams, VideoContentItem",
    ]


@pytest.mark.slow
def test_generate_poll_list_and_retrieve_run_word_for_word(
    server: ServerProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    generate, poll, listing, retrieve, _ = blocks()
    names: dict[str, Any] = {}
    exec(compiled(adapted(generate, server)), names)
    task_id = names["task"].id
    exec(compiled(poll), names)
    exec(compiled(listing), names)
    exec(compiled(retrieve.replace("task-id", task_id)), names)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == f"Task ID: {task_id}"
    assert "Status: succeeded" in printed
    (url,) = [line.removeprefix("Video URL: ") for line in printed if line.startswith("Video URL: ")]
    assert url.startswith(server.base_url)
    assert "1 total tasks" in printed
    assert f"{task_id} succeeded" in printed
    assert printed[-1] == "succeeded"
    names["client"].close()


def test_retrieving_the_placeholder_id_is_a_typed_404(server: ServerProcess) -> None:
    names: dict[str, Any] = {"client": meshapi.MeshAPI(base_url=server.base_url, token=server.key)}
    with pytest.raises(meshapi.MeshAPIError) as caught:
        exec(compiled(blocks()[3]), names)
    assert caught.value.status == 404
    assert caught.value.error_code == "not_found"
    names["client"].close()


def test_the_async_snippet_runs_word_for_word(
    server: ServerProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, Any] = {}
    made = eval(compiled(adapted(blocks()[4], server)), names)
    assert inspect.iscoroutine(made)
    asyncio.run(made)
    assert capsys.readouterr().out.strip() in {"pending", "running", "succeeded"}
    server.call("POST", f"/v1/video/generations/{names['task'].id}/cancel")


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
