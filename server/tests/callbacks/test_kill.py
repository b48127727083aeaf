"""A process is killed in the middle of a delivery, and another one on the same database makes it."""

import json
import subprocess
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from ..hook import Hook, until
from ..serving import COMMAND, ServerProcess, environment

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)


@pytest.mark.slow
def test_a_delivery_of_a_killed_process_is_made_by_another_when_its_lease_is_over(
    database: str, tmp_path: Path
) -> None:
    hook = Hook()
    hook.holding.set()
    killed = ServerProcess(tmp_path / "killed", "--database", database).start()
    caller = killed.caller()
    secret = caller.get("/v1/webhooks/secret").json()["secret"]
    task = caller.ended(caller.create("sandbox/instant", callback_url=hook.url("/task")))
    ((first, _),) = hook.wait("/task")
    killed.kill()
    hook.holding.clear()
    words = (tmp_path / "other.log").open("wb")
    other = subprocess.Popen(
        [COMMAND, "serve", "--role", "worker", "--database", database, "--data", str(tmp_path / "other")],
        stdout=words,
        stderr=words,
        cwd=tmp_path,
        env=environment(MESHAPI_PUBLIC_URL="https://mesh.example"),
    )
    try:
        until(lambda: len(hook.at("/task")) == 2 or other.poll() is not None)
        _, (second, body) = hook.at("/task")
    finally:
        other.terminate()
        status = other.wait(30)
        words.close()
        hook.close()
    assert first["webhook-id"] == second["webhook-id"]
    Webhook(secret).verify(body, second)
    told = json.loads(body)
    assert told["id"] == task["id"]
    assert told["content"]["video_url"].startswith("https://mesh.example/files/")
    assert status == 0
