"""The Go SDK against a live server: the Go seed's snippets, compiled and run, and a task's whole life."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from server_process import ServerProcess

ROOT = Path(__file__).parents[2]
GO = Path(sys.executable).with_name("go")


@pytest.mark.slow
def test_the_go_sdks_live_tests_pass_against_our_server(server: ServerProcess) -> None:
    offline = {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": "-mod=mod"}
    target = {
        "MESHAPI_TEST_BASE_URL": server.base_url,
        "MESHAPI_TEST_KEY": server.key,
        "MESHAPI_TEST_MODEL": "sandbox/instant",
    }
    run = subprocess.run(
        [str(GO), "test", "-count=1", "-v", "-run", "Live", "./..."],
        cwd=ROOT / "sdk" / "go",
        env={**os.environ, **offline, **target},
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "--- PASS: TestTheSeedsSnippetsRunVerbatimAgainstALiveServer" in run.stdout
    assert "--- PASS: TestTheLifeOfATaskAtALiveServer" in run.stdout
    assert "--- PASS: TestTheCallbacksOfALiveServer" in run.stdout
    assert "--- PASS: TestTheSecretOfSingleTasksAtALiveServer" in run.stdout
    assert "--- SKIP" not in run.stdout
