"""The `meshapi` command against a live server of ours."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from server_process import MESHAPI, ServerProcess

sys.path.insert(0, str(Path(__file__).parents[2] / "sdk" / "python" / "tests"))

from sdk_support.scripted import Say, ScriptedServer

Ran = subprocess.CompletedProcess[str]
Run = Callable[..., Ran]
PROMPT = "A serene mountain lake at sunrise"


@pytest.fixture
def run(server: ServerProcess, tmp_path: Path) -> Run:
    """Runs the command as somebody whose environment names the server."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MESHAPI_")}
    environment |= {"MESHAPI_BASE_URL": server.base_url, "MESHAPI_API_KEY": server.key, "COLUMNS": "120"}

    def run(*arguments: str, **more: str) -> Ran:
        return subprocess.run(
            [MESHAPI, *arguments],
            cwd=tmp_path,
            env={**environment, **more},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )

    return run


def created(run: Run, *arguments: str) -> str:
    """The id of a new task."""
    ran = run("generate", PROMPT, "--no-wait", *arguments)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_a_quote_tells_the_price_and_makes_nothing(run: Run, server: ServerProcess) -> None:
    before = server.call("GET", "/v1/video/generations")["total"]
    told = run("quote", PROMPT, "--model", "mesh/diorama-1", "--duration", "5")
    assert told.returncode == 0, told.stderr
    assert told.stdout.splitlines()[-1].startswith("mesh/diorama-1: ")
    assert told.stdout.splitlines()[-1].endswith(" USD")
    document = json.loads(run("quote", PROMPT, "--json").stdout)
    assert (document["object"], document["model"]) == ("quote", "mesh/diorama-1")
    assert server.call("GET", "/v1/video/generations")["total"] == before


def test_a_quote_says_what_the_model_lacks(run: Run) -> None:
    ran = run("quote", PROMPT, "--model", "byteplus/dreamina-seedance-2-0", "--camera-fixed")
    assert ran.returncode == 0
    assert "byteplus/dreamina-seedance-2-0 has no camera_fixed" in ran.stderr


def test_a_quote_with_lines_is_a_table_and_an_unknown_price_has_a_reason(run: Run) -> None:
    line = {"item": "video", "quantity": "5", "unit": "second", "unit_price_usd": "0.1", "cost_usd": "0.5"}
    known = {"object": "quote", "model": "m/x", "cost_usd": "0.5", "reason": None, "lines": [line]}
    unknown = {**known, "cost_usd": None, "reason": "No price is published.", "lines": []}
    with ScriptedServer() as scripted:
        scripted.play(Say(200, known), Say(200, unknown))
        ran = run("quote", PROMPT, MESHAPI_BASE_URL=scripted.url)
        names, row, total = ran.stdout.splitlines()
        assert names.split() == ["item", "quantity", "unit", "USD", "each", "USD"]
        assert row.split() == ["video", "5", "second", "0.1", "0.5"]
        assert total == "m/x: 0.5 USD"
        ran = run("quote", PROMPT, MESHAPI_BASE_URL=scripted.url)
        assert ran.stdout == "m/x: unknown\n"
        assert ran.stderr == "The price is unknown: No price is published.\n"


def test_a_quote_for_an_unknown_model_is_one_line_and_status_1(run: Run) -> None:
    ran = run("quote", PROMPT, "--model", "nobody/nothing")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert len(ran.stderr.splitlines()) == 1
    assert "nobody/nothing" in ran.stderr


def test_a_timeline_is_a_table_from_created_to_ended(run: Run) -> None:
    task_id = created(run, "--model", "sandbox/flaky")
    assert run("wait", task_id).returncode == 0
    lines = run("timeline", task_id).stdout.splitlines()
    assert lines[0].split() == ["at", "step", "try", "took", "where", "result"]
    assert lines[1].split()[:3] == ["0.000", "s", "created"]
    assert "ended" in lines[-1]
    assert "succeeded" in lines[-1]
    assert sum("submit" in line for line in lines) == 3  # it is busy twice
    kinds = [entry["kind"] for entry in json.loads(run("timeline", task_id, "--json").stdout)["data"]]
    assert (kinds[0], kinds[-1]) == ("created", "ended")


def test_a_wait_for_a_task_that_fails_ends_with_status_3_and_says_why(run: Run) -> None:
    task_id = created(run, "--model", "sandbox/fails")
    ran = run("wait", task_id)
    assert ran.returncode == 3
    assert "upstream_error" in ran.stderr
    assert "error:      upstream_error: " in run("get", task_id).stdout
    document = json.loads(run("wait", task_id, "--json").stdout)
    assert (document["status"], document["error"]["code"]) == ("failed", "upstream_error")


def test_a_task_under_way_shows_its_progress(run: Run) -> None:
    with ScriptedServer() as scripted:
        scripted.play(Say(200, {"id": "task_1", "status": "running", "progress": 0.42}))
        shown = run("get", "task_1", MESHAPI_BASE_URL=scripted.url).stdout
    assert "status:     running\nprogress:   42%\n" in shown


def test_a_task_is_started_and_cancelled_as_json(run: Run) -> None:
    ran = run("generate", PROMPT, "--model", "sandbox/stuck", "--no-wait", "--json")
    task_id = json.loads(ran.stdout)["id"]
    assert json.loads(run("cancel", task_id, "--json").stdout)["id"] == task_id


def test_a_file_that_cannot_be_written_is_one_line_and_status_1(run: Run) -> None:
    task_id = created(run, "--model", "sandbox/instant")
    assert run("wait", task_id).returncode == 0
    ran = run("download", task_id, "-o", "/proc/video.mp4")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert len(ran.stderr.splitlines()) == 1


def test_a_task_is_cancelled_and_then_deleted(run: Run) -> None:
    task_id = created(run, "--model", "sandbox/stuck")
    assert run("cancel", task_id).stdout == f"{task_id} is cancelled.\n"
    assert run("wait", task_id).returncode == 3
    deleted = run("delete", task_id)
    deadline = time.monotonic() + 60
    while "still being stopped upstream" in deleted.stderr and time.monotonic() < deadline:
        deleted = run("delete", task_id)
    assert deleted.stdout == f"{task_id} is deleted.\n", deleted.stderr
    assert run("get", task_id).returncode == 1


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_picture_in_a_file_becomes_the_first_frame(run: Run, tmp_path: Path, suffix: str) -> None:
    picture = tmp_path / f"picture{suffix}"
    assert cv2.imwrite(str(picture), np.full((320, 480, 3), 127, np.uint8))
    task_id = created(run, "--model", "sandbox/instant", "--image", str(picture))
    assert run("wait", task_id, "-o", "video.mp4").returncode == 0
    assert (tmp_path / "video.mp4").read_bytes()[4:8] == b"ftyp"
