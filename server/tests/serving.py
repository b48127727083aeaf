"""A real server as a child process, and a caller that talks to it over HTTP."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from meshapi_server.upstreams.adapters import registrations

GENERATIONS = "/v1/video/generations"
TEXT = [{"type": "text", "text": "A serene mountain lake at sunrise"}]
COMMAND = str(Path(sys.executable).with_name("meshapi"))
_START_SECONDS = 30.0


def environment(**extra: str) -> dict[str, str]:
    """This process's environment without anything that configures a server."""
    upstream_keys = {
        variable
        for registration in registrations(published=()).values()
        for variables in registration.credentials.values()
        for variable in variables
    }
    plain = {
        name: value
        for name, value in os.environ.items()
        if name not in upstream_keys and not name.startswith("MESHAPI_")
    }
    return plain | extra


def error(answer: "httpx2.Response | Raw", status: int, code: str) -> dict[str, Any]:
    """The error object of an answer, whose envelope is checked on the way."""
    assert answer.status_code == status, answer.text[:2000]
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"error", "request_id"}
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["error"]["code"] == code
    assert body["error"]["message"]
    found: dict[str, Any] = body["error"]
    return found


@dataclass(frozen=True)
class Raw:
    """An answer as it came."""

    status_code: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)


class Caller:
    """Calls one server with one key."""

    def __init__(self, base_url: str, api_key: str | None) -> None:
        self.base_url = base_url
        self.api_key = api_key
        headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self.http = httpx2.Client(base_url=base_url, headers=headers, timeout=30, trust_env=False)

    def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        return self.http.request(method, path, **options)

    def get(self, path: str, **options: Any) -> httpx2.Response:
        return self.request("GET", path, **options)

    def post(self, body: Any = None, path: str = GENERATIONS, **options: Any) -> httpx2.Response:
        return self.request("POST", path, json=body, **options)

    def raw(
        self, method: str, target: str, headers: dict[str, str | bytes] | None = None, body: bytes = b""
    ) -> "Raw":
        """A request exactly as it is spelt, with no client in between that would tidy it up."""
        connection = http.client.HTTPConnection(self.base_url.removeprefix("http://"), timeout=60)
        lines = {"authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in {**lines, **(headers or {})}.items():
                connection.putheader(name, value)
            if body:
                connection.putheader("content-length", str(len(body)))
            connection.endheaders(body or None)
            answer = connection.getresponse()
            return Raw(answer.status, dict(answer.headers.items()), answer.read())
        finally:
            connection.close()

    def create(self, model: str = "sandbox/stuck", **fields: Any) -> dict[str, Any]:
        """The task of a create that must succeed."""
        answer = self.post({"model": model, "content": TEXT, **fields})
        assert answer.status_code == 200, answer.text
        task: dict[str, Any] = answer.json()
        return task

    def task(self, task_id: str, **options: Any) -> dict[str, Any]:
        answer = self.get(f"{GENERATIONS}/{task_id}", **options)
        assert answer.status_code == 200, answer.text
        task: dict[str, Any] = answer.json()
        return task

    def ended(self, task: dict[str, Any], seconds: int = 30) -> dict[str, Any]:
        """The task when it has ended."""
        found = self.task(task["id"], params={"wait": seconds}, timeout=seconds + 10)
        assert found["status"] in {"succeeded", "failed"}, found
        return found

    def until(self, task: dict[str, Any], holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The task when ``holds`` is true of it."""
        deadline = time.monotonic() + 20
        while not holds(found := self.task(task["id"])):
            assert time.monotonic() < deadline, found
            time.sleep(0.02)
        return found

    def cancel(self, task: dict[str, Any]) -> httpx2.Response:
        return self.request("POST", f"{GENERATIONS}/{task['id']}/cancel")

    def stop(self, task: dict[str, Any]) -> dict[str, Any]:
        """The task when its cancel has taken effect; while it is being sent, that is a moment later."""
        assert self.cancel(task).status_code == 200
        return self.ended(task)


class ServerProcess:
    """``meshapi serve`` on a free port. Its words are kept in files beside the data directory."""

    def __init__(self, data: Path, *options: str, **variables: str) -> None:
        self.data = data
        self._options = options
        self._variables = variables
        self._process: subprocess.Popen[bytes] | None = None
        self._callers: list[Caller] = []

    @property
    def stdout(self) -> str:
        return self._words("stdout").read_text()

    @property
    def stderr(self) -> str:
        return self._words("stderr").read_text()

    @property
    def base_url(self) -> str:
        return str(self._development()["base_url"])

    @property
    def api_key(self) -> str:
        return str(self._development()["api_key"])

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> "ServerProcess":
        """Start, and return when it answers."""
        before = self._development()
        with self._words("stdout").open("ab") as stdout, self._words("stderr").open("ab") as stderr:
            self._process = subprocess.Popen(
                [COMMAND, "serve", "--port", "0", "--data", str(self.data), *self._options],
                stdout=stdout,
                stderr=stderr,
                cwd=self.data.parent,
                env=environment(**self._variables),
            )
        try:
            self._wait(before, self._process)
        except BaseException:
            self._process.kill()
            raise
        return self

    def _wait(self, before: dict[str, Any], process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while self._development() == before or not self._answers():
            assert process.poll() is None, self.stderr
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.02)

    def caller(self, api_key: str | None = "") -> Caller:
        """A caller with the development key, with another, or (None) with none."""
        made = Caller(self.base_url, self.api_key if api_key == "" else api_key)
        self._callers.append(made)
        return made

    def terminate(self) -> int:
        """SIGTERM; the exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, in the middle of whatever it does."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int:
        for caller in self._callers:
            caller.http.close()
        self._callers.clear()
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(30)

    def _answers(self) -> bool:
        with contextlib.suppress(httpx2.TransportError):
            return httpx2.get(f"{self.base_url}/readyz", trust_env=False).status_code == 200
        return False

    def _development(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.data / "development.json").read_text())
        except FileNotFoundError:
            return {}
        return found

    def _words(self, stream: str) -> Path:
        return self.data.parent / f"{self.data.name}.{stream}"


@contextlib.contextmanager
def serving(data: Path, *options: str, **variables: str) -> Iterator[ServerProcess]:
    """A started server, stopped when the block ends."""
    server = ServerProcess(data, *options, **variables).start()
    try:
        yield server
    finally:
        server.terminate()


def keys(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``meshapi keys …`` on a data directory."""
    return subprocess.run(
        [COMMAND, "keys", *arguments, "--data", str(data)],
        capture_output=True,
        text=True,
        cwd=data.parent,
        env=environment(),
        timeout=60,
        check=False,
    )
