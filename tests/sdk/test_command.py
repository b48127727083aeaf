"""The `meshapi` command against a live server of ours."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from server_process import MESHAPI, ServerProcess

Ran = subprocess.CompletedProcess[str]
Run = Callable[..., Ran]
PROMPT = "A serene mountain lake at sunrise"


@pytest.fixture
def run(server: ServerProcess, tmp_path: Path) -> Run:
    """Runs the command as somebody whose environment names the server."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MESHAPI_")}
    environment |= {"MESHAPI_BASE_URL": server.base_url, "MESHAPI_API_KEY": server.key, "COLUMNS": "120"}

    def run(*arguments: str) -> Ran:
        return subprocess.run(
            [MESHAPI, *arguments],
            cwd=tmp_path,
            env=environment,
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
