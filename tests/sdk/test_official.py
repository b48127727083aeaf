"""The published meshapi 0.1.x, in an environment of its own, works unchanged against our server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hosted import KEY, HostedService
from official import Official, installed

from server_process import ServerProcess

CALLS = Path(__file__).with_name("official_calls.py")
CONTRACT = Path(__file__).parents[2] / "contract"

# The rows of contract/errors.json that no video call of the package meets at our server today, and why.
NOT_MET = {
    "402 spend_limit_exceeded": "a key has no budget unless an operator gives it one",
    "403 forbidden": "a key is suspended by an operator only",
    "415 unsupported_media_type": "the package always says application/json",
    "422 unprocessable_entity": "every refusal of a create has a code of its own",
    "429 rate_limit_exceeded": "a key has no rate limit unless an operator gives it one",
    "500 internal_error": "a defect; nobody knows how to meet it",
    "502 upstream_error": "no upstream is asked before a create is answered",
    "504 gateway_timeout": "no upstream is asked before a create is answered",
}


def told(official: Official, *arguments: str) -> Any:
    ran = official.run(CALLS, *arguments)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture(scope="module")
def off(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that does not simulate what it has no key for."""
    process = ServerProcess(tmp_path_factory.mktemp("off"), "--no-simulate").start()
    yield process
    process.stop()


@pytest.mark.slow
def test_every_video_call_works_sync_and_async(official: Official, server: ServerProcess) -> None:
    got = told(official, "calls", server.base_url, server.key, "sandbox/instant")
    assert got["version"].startswith("0.1.")
    task = got["task"]
    assert (task["id"], task["status"], task["model"]) == (
        got["created"]["id"],
        "succeeded",
        "sandbox/instant",
    )
    assert task["content"]["video_url"].startswith(server.base_url)
    assert task["error"] is None
    assert task["created_at"] > 1_700_000_000
    assert got["list"]["total"] == len(got["list"]["data"]) == 1
    assert (got["page"]["limit"], got["page"]["offset"], got["page"]["has_more"]) == (1, 0, False)
    assert got["async"]["task"]["id"] == got["async"]["created"]["id"]
    assert got["async"]["listed"] == [got["async"]["created"]["id"], got["created"]["id"]]


@pytest.mark.slow
def test_every_parameter_input_filter_and_failure_is_understood(
    official: Official, server: ServerProcess
) -> None:
    got = told(official, "ours", server.base_url, server.key)
    full = got["full"]
    wanted = {"status": "succeeded", "seed": 7, "priority": 3, "service_tier": "default", "draft": False}
    assert {name: full[name] for name in wanted} == wanted
    assert full["execution_expires_after"] == 3600
    assert full["content"]["last_frame_url"].startswith(server.base_url)
    assert got["from_image"]["status"] == "succeeded"
    assert (got["failed"]["status"], got["failed"]["error"]["code"]) == ("failed", "upstream_error")
    assert got["failed"]["content"] is None
    assert {task["model"] for task in got["filtered"]["data"]} == {"sandbox/instant"}
    assert (got["filtered"]["limit"], got["filtered"]["offset"]) == (2, 1)
    assert "mesh/diorama-1" in got["models"]
    assert got["model"]["id"] == "mesh/diorama-1"


@pytest.mark.slow
def test_every_error_that_it_can_meet_is_decoded_with_its_row_of_the_table(
    official: Official, server: ServerProcess, off: ServerProcess
) -> None:
    got = told(official, "errors", server.base_url, server.key, off.base_url, off.key)
    rows = {
        f"{row['status']} {row['code']}" for row in json.loads((CONTRACT / "errors.json").read_text())["http"]
    }
    assert {*got, *NOT_MET} == rows
    assert not got.keys() & NOT_MET.keys()
    for row, error in got.items():
        assert error is not None, f"{row} was not met"
        assert f"{error['status']} {error['error_code']}" == row, error
        assert error["request_id"].startswith("req_")
        assert error["message"]
    assert got["422 validation_error"]["details"][0]["loc"] == ["body", "duration"]


def test_the_stand_in_for_the_hosted_service_is_one_that_it_works_with(
    official: Official, hosted: HostedService
) -> None:
    """So our SDKs' proofs against the stand-in mean something."""
    got = told(official, "calls", hosted.base_url, KEY, "byteplus/dreamina-seedance-2-0")
    assert got["task"]["status"] == "succeeded"
    assert got["task"]["content"]["video_url"].startswith(hosted.base_url)
    assert got["async"]["task"]["status"] == "queued"


def test_an_environment_that_cannot_be_made_is_an_error_that_says_so(tmp_path: Path) -> None:
    requirements = tmp_path / "nothing.txt"
    requirements.write_text("meshapi==0.1.999999\n")
    with pytest.raises(RuntimeError, match="needs the package index, once"):
        installed(tmp_path / "environment", requirements)
    assert not (tmp_path / "environment" / "requirements.sha256").exists()
