"""``client.webhooks`` and ``meshapi webhooks`` on a live server: registered, told, looked up, repeated."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from meshapi import AsyncMeshAPI, InvalidIdError, MeshAPI, NotFoundError, UnprocessableEntityError, webhooks
from server_process import ServerProcess

LAKE: dict[str, Any] = {"model": "sandbox/instant", "content": [{"type": "text", "text": "A lake"}]}


class Hook:
    """A receiver: what was posted to which path. ``/dead`` answers 410."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, str], bytes]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                hook.received.append((self.path, dict(self.headers.items()), body))
                self.send_response(410 if self.path == "/dead" else 204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def at(self, path: str, count: int) -> list[tuple[dict[str, str], bytes]]:
        """What came to a path, once there is so much of it."""
        deadline = time.monotonic() + 60
        while True:
            found = [(headers, body) for where, headers, body in list(self.received) if where == path]
            if len(found) >= count:
                return found
            assert time.monotonic() < deadline, self.received
            time.sleep(0.01)


@pytest.fixture(scope="module")
def hook() -> Iterator[Hook]:
    opened = Hook()
    yield opened
    opened.server.shutdown()
    opened.server.server_close()


@pytest.fixture
def client(server: ServerProcess) -> Iterator[MeshAPI]:
    with MeshAPI(base_url=server.base_url, api_key=server.key) as opened:
        yield opened


def test_a_registered_url_is_told_and_what_it_was_told_is_there_to_be_looked_up(
    client: MeshAPI, hook: Hook
) -> None:
    endpoint = client.webhooks.endpoints.create(
        hook.url("/told"), events=["video.generation.succeeded"], description="shop"
    )
    assert endpoint.secret is not None
    assert endpoint.secret not in repr(endpoint)
    task = client.videos.generate_and_wait(**LAKE)
    ((headers, body),) = hook.at("/told", 1)
    event = webhooks.parse(body, headers, secret=endpoint.secret)
    assert event.task.id == task.id
    found = client.webhooks.events(limit=200)
    assert [each.id for each in found if each.task and each.task.id == task.id] == [event.id]
    assert client.webhooks.events(after=found.next).data == []
    client.videos.generate_and_wait(**LAKE)
    walked = [each.id for each in client.webhooks.iter_events(limit=1)]
    assert walked[:-1] == [each.id for each in found]
    assert [each.id for each in client.webhooks.iter_events(after=event.id)] == walked[-1:]
    hook.at("/told", 2)
    _, delivery = client.webhooks.deliveries.iter(endpoint_id=endpoint.id, limit=1)  # newest first
    assert [each.id for each in client.webhooks.deliveries.list(task_id=task.id)] == [delivery.id]
    assert (delivery.event_id, delivery.task_id) == (event.id, task.id)
    client.webhooks.deliveries.redeliver(delivery.id)
    assert [headers["webhook-id"] for headers, _ in hook.at("/told", 3)][2] == event.id
    assert client.webhooks.deliveries.get(delivery.id).endpoint_id == endpoint.id


def test_an_endpoint_is_changed_tested_rotated_and_removed(client: MeshAPI, hook: Hook) -> None:
    room = client.webhooks.endpoints
    made = room.create(hook.url("/elsewhere"))
    moved = room.update(made.id, url=hook.url("/life"), events=["video.generation.failed"], enabled=True)
    assert (moved.secret, moved.events) == (None, ["video.generation.failed"])
    assert room.get(made.id).url == hook.url("/life")
    assert made.id in [each.id for each in room.list()]
    rotated = room.rotate(made.id)
    assert rotated.secret not in {None, made.secret}
    assert room.test(made.id).type == "webhook.test"
    ((headers, body),) = hook.at("/life", 1)
    for secret in (made.secret, rotated.secret):
        assert webhooks.parse(body, headers, secret=secret).task.metadata == {"webhook": "test"}
    assert room.delete(made.id).deleted
    with pytest.raises(NotFoundError):
        room.get(made.id)
    with pytest.raises(InvalidIdError):
        room.get("..")
    with pytest.raises(UnprocessableEntityError, match="ftp"):
        room.create("ftp://a.example/")


def test_the_secret_of_single_tasks_is_told_and_replaced(client: MeshAPI) -> None:
    first = client.webhooks.secret()
    second = client.webhooks.rotate_secret()
    assert first.secret != second.secret
    assert second.previous_secret_expires_at is not None
    assert client.webhooks.secret().secret == second.secret
    assert str(second.secret) not in repr(second)


async def test_the_asynchronous_client_does_the_same(server: ServerProcess, hook: Hook) -> None:
    async with AsyncMeshAPI(base_url=server.base_url, api_key=server.key) as client:
        made = await client.webhooks.endpoints.create(hook.url("/dead"))
        await client.webhooks.endpoints.test(made.id)
        hook.at("/dead", 1)

        async def off() -> bool:
            return (await client.webhooks.endpoints.get(made.id)).enabled is False

        deadline = time.monotonic() + 60
        while not await off():  # it answered 410 Gone
            assert time.monotonic() < deadline
        (delivery,) = await client.webhooks.deliveries.list(endpoint_id=made.id, status="dead")
        assert delivery.attempts[0].http_status == 410
        assert (await client.webhooks.endpoints.delete(made.id)).id == made.id
        assert (await client.webhooks.events(limit=1)).request_id


def command(server: ServerProcess, *arguments: str) -> Any:
    """The JSON document of a ``meshapi webhooks`` command; with --text its lines."""
    plain = arguments[-1] == "--text"
    words = arguments[:-1] if plain else (*arguments, "--json")
    done = subprocess.run(
        [str(Path(sys.executable).with_name("meshapi")), "webhooks", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "MESHAPI_BASE_URL": server.base_url, "MESHAPI_API_KEY": server.key},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout if plain else json.loads(done.stdout)


def test_the_command_line_does_the_same(server: ServerProcess, hook: Hook) -> None:
    made = command(server, "add", hook.url("/command"), "--event", "video.generation.failed")
    assert made["secret"].startswith("whsec_")
    assert made["id"] in command(server, "list", "--text")
    assert made["id"] in [each["id"] for each in command(server, "list")["data"]]
    assert "whsec_" not in command(server, "list", "--text")
    assert command(server, "change", made["id"], "--off")["enabled"] is False
    assert command(server, "change", made["id"], "--on")["enabled"] is True
    delivery = command(server, "test", made["id"])
    hook.at("/command", 1)
    assert command(server, "redeliver", delivery["id"])["event_id"] == delivery["event_id"]
    hook.at("/command", 2)
    assert delivery["id"] in command(server, "deliveries", "--endpoint", made["id"], "--text")
    listed = command(server, "deliveries", "--endpoint", made["id"])["data"]
    assert [each["id"] for each in listed] == [delivery["id"]]
    assert "whsec_" in command(server, "rotate", made["id"], "--text")
    assert command(server, "remove", made["id"])["deleted"] is True
    again = command(server, "add", hook.url("/command"))
    assert f"{again['id']} is removed." in " ".join(command(server, "remove", again["id"], "--text").split())


def test_the_command_line_shows_the_secret_of_single_tasks(server: ServerProcess) -> None:
    first = command(server, "secret")["secret"]
    assert command(server, "secret", "--text").strip() == first
    second = command(server, "rotate")["secret"]
    third = command(server, "rotate", "--text").strip()
    assert command(server, "secret")["secret"] == third
    assert len({first, second, third}) == 3


def test_the_command_line_lists_the_feed_from_a_cursor(server: ServerProcess, client: MeshAPI) -> None:
    tasks = [client.videos.generate_and_wait(**LAKE).id for _ in range(2)]
    one, other = command(server, "events", "--limit", "200")["data"][-2:]
    assert [one["task"]["id"], other["task"]["id"]] == tasks
    assert tasks[1] in command(server, "events", "--after", one["id"], "--text")
    (row,) = command(server, "events", "--limit", "1", "--text").splitlines()
    assert row.startswith("evt_")
