"""What happens to a program of the documentation that serves until it is stopped."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pages import SCENES
from standardwebhooks import Webhook

SECONDS = 60.0
TASK = {
    "id": "task_01K5A9Q8ZJ3V7T1N2M4P6R8S0W",
    "status": "succeeded",
    "model": "mesh/diorama-1",
    "content": {"video_url": "https://files.example/task_1.mp4"},
}


@dataclass(frozen=True)
class Serving:
    """A program that runs: its process, the folder it runs in, the environment it was given."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    environment: Mapping[str, str]

    def until(self, ready: Callable[[], bool]) -> None:
        """Wait for a condition while the program runs."""
        deadline = time.monotonic() + SECONDS
        while not ready():
            assert self.process.poll() is None, f"it ended with status {self.process.returncode}"
            assert time.monotonic() < deadline, "it was not ready in time"
            time.sleep(0.02)

    def interrupt(self) -> int:
        """Ctrl-C, as a reader would; the exit status."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(SECONDS)


def api(serving: Serving) -> None:
    """The server starts, takes the development key that it wrote down, and stops cleanly."""
    known = Path(serving.environment["MESHAPI_DATA_DIR"]) / "development.json"
    serving.until(known.exists)
    written = json.loads(known.read_text())
    request = urllib.request.Request(
        f"{written['base_url']}/v1/models", headers={"authorization": f"Bearer {written['api_key']}"}
    )
    serving.until(lambda: _listens(int(written["base_url"].rpartition(":")[2])))
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert "mesh/diorama-1" in {model["id"] for model in json.loads(answer.read())}
    assert serving.interrupt() == 0


def callback(serving: Serving) -> None:
    """A callback signed by the Standard Webhooks library is taken; a forged and an old one are not."""
    port = int(serving.environment["PORT"])
    serving.until(lambda: _listens(port))
    body = json.dumps(TASK)
    now = datetime.now(tz=UTC)
    secret = serving.environment["MESHAPI_WEBHOOK_SECRET"]
    assert _post(port, body, _signed(secret, body, now)) == 204
    assert _post(port, body.replace("succeeded", "failed"), _signed(secret, body, now)) in {400, 401}
    old = datetime.fromtimestamp(now.timestamp() - 3600, tz=UTC)
    assert _post(port, body, _signed(secret, body, old)) in {400, 401}
    assert _post(port, body, {}) in {400, 401}
    serving.interrupt()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _signed(secret: str, body: str, at: datetime) -> dict[str, str]:
    signature = Webhook(secret).sign("msg_1", at, body)
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }


def _post(port: int, body: str, headers: dict[str, str]) -> int:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/hook",
        data=body.encode(),
        headers={"content-type": "application/json", **headers},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code


PLAY: dict[str, Callable[[Serving], None]] = {"api": api, "callback": callback}
assert tuple(PLAY) == SCENES
