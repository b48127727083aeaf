"""The published meshapi 0.1.x, in an environment of its own, works unchanged against our server."""

import json
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import uvicorn
from hosted import KEY, HostedService
from official import Official, installed

from meshapi_server.accounts.keys import Keys
from meshapi_server.api.application import Application
from meshapi_server.api.call import Answer, Call
from meshapi_server.api.errors import APIError, ErrorCode, invalid
from meshapi_server.api.operation import Operation
from server_process import MESHAPI, ServerProcess

CALLS = Path(__file__).with_name("official_calls.py")
CONTRACT = Path(__file__).parents[2] / "contract"

# The rows of contract/errors.json that no video call of the package meets at our server today, and why. How
# they would look is proven against a server that answers them on purpose.
NOT_MET = {
    "402 spend_limit_exceeded": "nothing has a price here; tests/chaos/test_budgets.py meets it",
    "422 unprocessable_entity": "every refusal of a create has a code of its own",
    "500 internal_error": "a defect; nobody knows how to meet it",
    "502 upstream_error": "no upstream is asked before a create is answered",
    "504 gateway_timeout": "no upstream is asked before a create is answered",
}


# What it meets once an operator has said something of its key.
REFUSED = [
    "401 unauthorized",
    "401 unauthorized, expired",
    "401 unauthorized, replaced",
    "403 forbidden",
    "403 forbidden, admin",
    "404 model_not_found",
    "415 unsupported_media_type",
    "429 rate_limit_exceeded",
    "429 rate_limit_exceeded, tasks",
]


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


def table() -> list[str]:
    """Every row of the error table."""
    known = json.loads((CONTRACT / "errors.json").read_text())
    return [f"{row['status']} {row['code']}" for row in known["http"]]


def check(row: str, error: dict[str, Any] | None) -> None:
    """That an error is what the package should make of its row."""
    assert error is not None, f"{row} was not met"
    assert f"{error['status']} {error['error_code']}" == row.partition(",")[0], error
    assert error["request_id"].startswith("req_")
    assert error["message"]
    assert (error["retry_after_seconds"] is not None) is row.startswith("429"), error


@pytest.mark.slow
def test_every_error_that_it_can_meet_is_decoded_with_its_row_of_the_table(
    official: Official, server: ServerProcess, off: ServerProcess
) -> None:
    got = told(official, "errors", server.base_url, server.key, off.base_url, off.key)
    met = {*got, *(row.partition(",")[0] for row in REFUSED)}
    assert met | NOT_MET.keys() == set(table())
    assert not met & NOT_MET.keys()
    for row, error in got.items():
        check(row, error)
    assert got["422 validation_error"]["details"][0]["loc"] == ["body", "duration"]


def key(server: ServerProcess, *arguments: str) -> dict[str, Any]:
    """What `meshapi keys …` says."""
    command = [MESHAPI, "keys", *arguments, "--json", "--data", str(server.data)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def keys(server: ServerProcess) -> dict[str, str]:
    """Keys of which an operator has said something, each by its name."""
    terms = {
        "revoked": [],
        "expired": ["--expires", "2099-01-01"],
        "replaced": [],
        "suspended": [],
        "admin": ["--admin"],
        "narrow": ["--model", "mesh/*"],
        "asks": ["--requests-per-minute", "2"],
        "crowd": ["--tasks-in-flight", "1"],
    }
    made = {name: key(server, "create", "--name", name, *options) for name, options in terms.items()}
    key(server, "revoke", made["revoked"]["id"])
    key(server, "rotate", made["replaced"]["id"], "--grace", "0")
    key(server, "suspend", made["suspended"]["id"])
    with sqlite3.connect(server.data / "meshapi.db") as database:  # sooner than anybody could wait for it
        database.execute("update api_key set expires_at = 1 where id = ?", (made["expired"]["id"],))
    return {name: each["key"] for name, each in made.items()}


@pytest.mark.slow
def test_what_an_operator_forbids_is_decoded_with_its_row_of_the_table(
    official: Official, server: ServerProcess, keys: dict[str, str]
) -> None:
    got = told(official, "refusals", server.base_url, json.dumps(keys))
    assert list(got) == REFUSED
    for row, error in got.items():
        check(row, error)
    assert 1 <= got["429 rate_limit_exceeded"]["retry_after_seconds"] <= 61
    assert "Tasks in flight: 1." in got["429 rate_limit_exceeded, tasks"]["message"]


class Answering:
    """Our application around one operation that fails as its caller wishes; served by a thread."""

    def __init__(self) -> None:
        operation = Operation(
            method="GET",
            path="/v1/video/generations",
            name="fail",
            summary="Fail",
            tag="test",
            handler=self._fail,
            login=False,
            responses={},
        )
        app = Application([operation], cast(Keys, None))  # nobody has to log in
        self._server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
        self._thread = threading.Thread(target=self._server.run)

    async def _fail(self, call: Call) -> Answer:
        _, code = (call.header(b"x-row") or "").split()
        if code == "internal_error":
            raise RuntimeError("a defect, with words that nobody outside may read")
        if code == "validation_error":
            raise invalid("missing", ("body", "model"), "is missing")
        raise APIError(cast(ErrorCode, code), "as it was wished", retry_after=7 if "rate" in code else None)

    def __enter__(self) -> str:
        self._thread.start()
        deadline = time.monotonic() + 30
        while not self._server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(30)


def test_every_row_of_the_table_is_told_apart_by_code_request_id_and_retry_after(official: Official) -> None:
    with Answering() as base_url:
        got = told(official, "rows", base_url, json.dumps(table()))
    assert list(got) == table()
    for row, error in got.items():
        check(row, error)
    assert got["429 rate_limit_exceeded"]["retry_after_seconds"] == 7
    assert got["422 validation_error"]["details"] == [
        {"type": "missing", "loc": ["body", "model"], "msg": "is missing"}
    ]
    assert "defect" not in got["500 internal_error"]["message"]


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
