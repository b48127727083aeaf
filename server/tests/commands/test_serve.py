"""``meshapi serve`` as an operator meets it: first start, restart, signals, settings."""

import json
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ..serving import COMMAND, GENERATIONS, ServerProcess, environment, serving


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def refused(data: Path, *options: str, **variables: str) -> str:
    """What a server that does not start says."""
    result = subprocess.run(
        [COMMAND, "serve", "--data", str(data), *options],
        capture_output=True,
        text=True,
        cwd=data.parent,
        env=environment(**variables),
        timeout=30,
        check=False,
    )
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    return result.stderr


def test_the_first_start_shows_the_key_once_and_a_later_start_does_not(data: Path) -> None:
    with serving(data) as first:
        key, said = first.api_key, first.stdout
        assert key in said
        assert first.base_url in said
        assert "Simulation is on" in said
    with serving(data) as second:
        assert second.api_key == key
        assert second.caller().get(GENERATIONS).status_code == 200
        assert second.stdout.removeprefix(said).count(key) == 0


def test_a_second_server_on_the_same_directory_is_refused_with_a_sentence(data: Path) -> None:
    with serving(data):
        assert "another server works on" in refused(data, "--port", "0")


def test_a_port_that_is_taken_is_refused_with_a_sentence(data: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"127.0.0.1:{port}" in refused(data, "--port", port)


@pytest.mark.parametrize(
    ("options", "variables", "words"),
    [
        (["--port", "70000"], {}, "70000"),
        (["--lease", "0.1"], {}, "lease"),
        (["--log-level", "loud"], {}, "loud"),
        (["--config", "none.toml"], {}, "none.toml"),
        ([], {"MESHAPI_PORT": "many"}, "port"),
        ([], {"MESHAPI_LINK_LIFETIME": "5"}, "link_lifetime"),
        (["--renders", "0"], {}, "renders"),
    ],
)
def test_a_setting_that_cannot_be_is_named(
    data: Path, options: list[str], variables: dict[str, str], words: str
) -> None:
    assert words in refused(data, *options, **variables)


def test_links_are_made_under_the_public_url(data: Path) -> None:
    with serving(data, "--public-url", "https://videos.example/mesh") as server:
        task = server.caller().ended(server.caller().create("sandbox/instant"))
        assert task["content"]["video_url"].startswith(f"https://videos.example/mesh/files/{task['id']}/")


def test_an_upstream_key_turns_simulation_off_and_such_models_are_503(data: Path) -> None:
    with serving(data, RUNWAYML_API_SECRET="key-not-real") as server:
        assert "Simulation is on" not in server.stdout
        body = {"model": "byteplus/dreamina-seedance-2-0", "content": [{"type": "text", "text": "x"}]}
        answer = server.caller().post(body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "provider_not_available")
        assert "key-not-real" not in server.stderr + server.stdout + answer.text
    with serving(data, "--simulate", RUNWAYML_API_SECRET="key-not-real") as server:
        assert server.caller().create("byteplus/dreamina-seedance-2-0")["model"] == "mesh/diorama-1"


@pytest.mark.slow
def test_a_terminated_server_gives_its_work_back_and_the_next_one_goes_on(data: Path) -> None:
    with serving(data) as server:
        caller = server.caller()
        rendering = caller.create("mesh/diorama-1", resolution="480p", frames=120, draft=True)
        stuck = caller.create("sandbox/stuck")
        caller.until(rendering, lambda found: found["status"] == "running")
        caller.until(stuck, lambda found: found["status"] == "running")
        begun = time.monotonic()
        server.terminate()
        assert time.monotonic() - begun < 10
        with sqlite3.connect(data / "meshapi.db") as database:
            held = database.execute("select count(*) from schedule where worker is not null").fetchone()
            states = dict(database.execute("select id, state from schedule").fetchall())
        assert held == (0,)
        assert states == {rendering["id"]: "queued", stuck["id"]: "polling"}
        assert list((data / "work").iterdir()) == []
        assert "Traceback" not in server.stderr
    with serving(data) as server:
        caller = server.caller()
        caller.until(stuck, lambda found: found["status"] == "running")
        assert caller.ended(rendering)["status"] == "succeeded"
        assert caller.stop(stuck)["error"]["code"] == "cancelled"


def test_a_killed_server_loses_nothing_that_was_answered(data: Path) -> None:
    server = ServerProcess(data).start()
    caller = server.caller()
    answered: list[dict[str, Any]] = []

    def create() -> None:
        while True:
            try:
                answered.append(caller.create("sandbox/stuck"))
            except Exception:  # noqa: BLE001 - the server is gone, in whatever way it shows
                return

    thread = threading.Thread(target=create)
    thread.start()
    while len(answered) < 20:
        time.sleep(0.01)
    server.kill()
    thread.join(30)
    with serving(data) as after:
        listed = after.caller().get(GENERATIONS, params={"limit": 200}).json()["data"]
        assert {task["id"] for task in answered} <= {task["id"] for task in listed}


def test_the_database_of_a_newer_server_is_refused_and_left_alone(data: Path) -> None:
    with serving(data):
        pass
    with sqlite3.connect(data / "meshapi.db") as database:
        database.execute("insert into schema_migration values (9999, 'future', 1)")
    assert "9999" in refused(data, "--port", "0")


def test_a_settings_file_in_the_working_directory_counts_and_a_flag_wins(data: Path) -> None:
    (data.parent / "meshapi.toml").write_text('[server]\npublic_url = "https://from.file"\n')
    with serving(data) as server:
        document = server.caller(None).get("/openapi.json").json()
        assert document["servers"] == [{"url": "https://from.file"}]
    with serving(data, "--public-url", "https://from.flag") as server:
        document = server.caller(None).get("/openapi.json").json()
        assert document["servers"] == [{"url": "https://from.flag"}]


def test_the_log_is_one_json_object_a_line_without_prompts(data: Path) -> None:
    with serving(data, "--log-level", "debug") as server:
        caller = server.caller()
        body = [{"type": "text", "text": "my private idea"}]
        caller.ended(caller.create("sandbox/instant", content=body))
        caller.ended(caller.create("sandbox/moderated", content=body))
        server.terminate()
        lines = [json.loads(line) for line in server.stderr.splitlines()]
    assert all({"event", "level", "timestamp"} <= set(line) for line in lines)
    assert "my private idea" not in json.dumps(lines)


def test_a_server_that_is_told_to_end_while_it_starts_ends(data: Path) -> None:
    command = [COMMAND, "serve", "--port", "0", "--data", str(data)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as started:
        assert started.stdout is not None
        assert "Mesh API server" in started.stdout.readline()  # said before it serves
        started.send_signal(signal.SIGTERM)
        try:
            _, said = started.communicate(timeout=60)
        finally:
            started.kill()
    assert started.returncode == 0
    assert "Traceback" not in said
