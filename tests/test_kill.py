"""A server killed in the middle of its work: nothing accepted is lost, nothing runs twice at once."""

import itertools
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from server_process import MESHAPI, ServerProcess, alive, children

BODY = {
    "model": "mesh/diorama-1",
    "content": [{"type": "text", "text": "neon waves of light"}],
    "resolution": "480p",
    "frames": 36,
    "draft": True,
}


def attempts(data: Path) -> list[tuple[str, int, int, int | None, str | None]]:
    with sqlite3.connect(data / "meshapi.db") as connection:
        return connection.execute(
            "select task_id, attempt, started_at, ended_at, result from timeline"
            " where kind in ('render', 'submit') order by task_id, attempt"
        ).fetchall()


@pytest.mark.slow
def test_every_accepted_task_survives_sigkill_in_the_middle_of_rendering(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path).start()
    tasks = [server.call("POST", "/v1/video/generations", BODY)["id"] for _ in range(6)]
    tasks.append(server.call("POST", "/v1/video/generations", {**BODY, "model": "sandbox/slow"})["id"])
    for _ in range(3):
        deadline = time.monotonic() + 60
        while not (renderers := children(server.pid)):
            assert time.monotonic() < deadline, server.log()
            time.sleep(0.02)
        time.sleep(0.4)
        server.kill()
        gone = time.monotonic() + 5
        while any(alive(pid) for pid in renderers):
            assert time.monotonic() < gone, f"a renderer outlived its server: {renderers}"
            time.sleep(0.02)
        server.start()
    ended = [server.wait(task_id) for task_id in tasks]
    listed = server.call("GET", "/v1/video/generations?limit=200")
    server.stop()

    assert [task["status"] for task in ended] == ["succeeded"] * len(tasks)
    assert {task["id"] for task in listed["data"]} == set(tasks)
    rows = attempts(tmp_path)
    assert max(attempt for _, attempt, *_ in rows) > 1, "no attempt was broken off; the test proved nothing"
    for task_id in tasks:
        mine = [row for row in rows if row[0] == task_id]
        finished = [row for row in mine if row[4] in {"stored", "accepted"}]
        assert len(finished) == 1, mine
        for earlier, later in itertools.pairwise(mine):
            assert earlier[3] is not None, f"{earlier} was not ended when {later} began"
            assert earlier[3] <= later[2], f"{earlier} overlaps {later}"


@pytest.mark.slow
def test_sigterm_gives_unfinished_work_back_and_leaves_no_renderer(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path).start()
    task_id = server.call("POST", "/v1/video/generations", {**BODY, "frames": 400})["id"]
    deadline = time.monotonic() + 30
    while not (renderers := children(server.pid)):
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.02)
    assert server.stop() == 0
    assert not any(alive(pid) for pid in renderers)
    server.start()
    assert server.call("POST", f"/v1/video/generations/{task_id}/cancel")["error"]["code"] == "cancelled"
    server.stop()


def test_a_second_server_on_the_same_data_is_refused(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path).start()
    second = subprocess.run(
        [MESHAPI, "serve", "--port", "0", "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    server.stop()
    assert second.returncode == 1
    assert "another server works on" in second.stderr
