"""``meshapi serve --role …``: API and worker apart, on one PostgreSQL."""

import contextlib
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests import postgres_server

from ..hook import until
from ..serving import COMMAND, ServerProcess, environment


@pytest.fixture
def database() -> str:
    return postgres_server.shared().fresh_database()


@contextlib.contextmanager
def worker(data: Path, database: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that only works; its words go to a file."""
    with (data.parent / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [COMMAND, "serve", "--role", "worker", "--data", str(data), "--database", database],
            stdout=log,
            stderr=log,
            env=environment(),
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@pytest.fixture
def api(tmp_path: Path, database: str) -> Iterator[ServerProcess]:
    """A replica that only answers callers."""
    server = ServerProcess(tmp_path / "data", "--role", "api", "--database", database)
    server.start()
    try:
        yield server
    finally:
        server.terminate()


def test_a_replica_accepts_what_another_process_works_on(api: ServerProcess, database: str) -> None:
    caller = api.caller()
    task = caller.create("sandbox/instant")
    time.sleep(0.5)
    assert caller.task(task["id"])["status"] == "pending", "an API replica works on tasks"
    with worker(api.data, database) as process:
        assert caller.ended(task)["status"] == "succeeded"
        video = caller.get(f"/v1/video/generations/{task['id']}/content")
        assert (video.status_code, video.headers["content-type"]) == (200, "video/mp4")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert "Traceback" not in (api.data.parent / "worker.log").read_text()


def test_a_waiting_caller_of_one_replica_hears_of_what_a_worker_elsewhere_did(
    api: ServerProcess, database: str
) -> None:
    caller = api.caller()
    with worker(api.data, database):
        task = caller.create("sandbox/slow")
        with caller.http.stream("GET", f"/v1/video/generations/{task['id']}/events", timeout=60) as stream:
            lines = [line for line in stream.iter_lines() if line.startswith("data:")]
    assert '"status":"succeeded"' in lines[-1]
    assert len(lines) > 5, "progress did not arrive while it ran"


def test_one_role_alone_needs_a_database_that_processes_share(tmp_path: Path) -> None:
    refused = subprocess.run(
        [COMMAND, "serve", "--role", "worker", "--data", str(tmp_path / "data")],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(),
        check=False,
    )
    assert refused.returncode == 1
    assert "role: 'worker' needs a database that processes share" in refused.stderr
    assert not (tmp_path / "data" / "meshapi.db").exists()


@pytest.mark.parametrize("url", ["mysql://root@localhost/x", "sqlite://x", "postgresql://127.0.0.1:1/none"])
def test_a_database_that_cannot_be_used_is_told_without_its_password(tmp_path: Path, url: str) -> None:
    url = url.replace("root@", "root:hunter2@")
    refused = subprocess.run(
        [COMMAND, "serve", "--port", "0", "--data", str(tmp_path / "data"), "--database", url],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(),
        check=False,
    )
    assert refused.returncode == 1
    assert refused.stderr.startswith("meshapi serve: ")
    assert "Traceback" not in refused.stderr
    assert "hunter2" not in refused.stderr


def ready(words: str) -> bool:
    """Whether the server that said this serves: it has said all that it says by then."""
    address = re.search(r"on (http://\S+)", words)
    with contextlib.suppress(httpx2.TransportError):
        return address is not None and httpx2.get(f"{address[1]}/readyz", trust_env=False).status_code == 200
    return False


def test_of_replicas_that_start_together_on_an_empty_database_one_shows_a_development_key(
    tmp_path: Path, database: str
) -> None:
    """Started by hand, for none of the others would write the file that a server's start is told by."""
    logs = [tmp_path / f"{number}.log" for number in range(2)]
    processes = []
    for log in logs:
        words = ["--role", "api", "--port", "0", "--data", str(log.with_suffix("")), "--database", database]
        with log.open("wb") as stream:
            processes.append(
                subprocess.Popen([COMMAND, "serve", *words], stdout=stream, stderr=stream, env=environment())
            )
    try:
        until(lambda: all(ready(log.read_text()) for log in logs))
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(30) for process in processes] == [0, 0]
    words_of_all = "".join(log.read_text() for log in logs)
    assert words_of_all.count("Your development key, shown once") == 1
    assert words_of_all.count("rsk_") == 1
