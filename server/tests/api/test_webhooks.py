"""Callbacks over HTTP: a real server, a real receiver, the published library of Standard Webhooks."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

import meshapi

from ..hook import Hook, until
from ..serving import GENERATIONS, Caller, ServerProcess, error, keys, serving

ENDPOINTS = "/v1/webhooks/endpoints"
DELIVERIES = "/v1/webhooks/deliveries"
SECRET = "/v1/webhooks/secret"


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.close()


@pytest.fixture
def own(server: ServerProcess) -> Caller:
    """A caller whose owner has nothing yet."""
    made = keys(server.data, "create", "--name", "own", "--json")
    return server.caller(json.loads(made.stdout)["key"])


def endpoint(caller: Caller, **fields: Any) -> dict[str, Any]:
    answer = caller.post(fields, path=ENDPOINTS)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def settled(caller: Caller, count: int = 1, **filters: Any) -> list[dict[str, Any]]:
    """The delivery log once so many deliveries are as the filters say."""
    until(lambda: len(caller.get(DELIVERIES, params=filters).json()["data"]) >= count)
    found: list[dict[str, Any]] = caller.get(DELIVERIES, params=filters).json()["data"]
    return found


def test_a_callback_arrives_and_the_published_library_believes_it(own: Caller, hook: Hook) -> None:
    task = own.ended(own.create("sandbox/instant", callback_url=hook.url("/task"), metadata={"order": "7"}))
    ((headers, body),) = hook.wait("/task")
    secret = own.get(SECRET).json()["secret"]
    Webhook(secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.replace(b"succeeded", b"failed"), headers)
    told = json.loads(body)
    wanted = {name: value for name, value in task.items() if value is not None}
    wanted["content"] = {name: value for name, value in task["content"].items() if value is not None}
    assert told == wanted, "the task's body without its null fields"
    event = meshapi.webhooks.parse(body, headers, secret=secret)
    assert (event.id, event.task.id, event.task.metadata) == (
        headers["webhook-id"],
        task["id"],
        {"order": "7"},
    )
    film = own.http.get(told["content"]["video_url"], headers={"authorization": ""})
    assert (film.status_code, film.headers["content-type"]) == (200, "video/mp4")


def test_the_feed_tells_what_the_callbacks_tell(own: Caller, hook: Hook) -> None:
    tasks = [own.ended(own.create(model)) for model in ("sandbox/instant", "sandbox/fails")]
    own.stop(third := own.create("sandbox/stuck", callback_url=hook.url("/third")))
    page = own.get("/v1/events", params={"limit": 2}).json()
    assert [each["type"] for each in page["data"]] == [
        "video.generation.succeeded",
        "video.generation.failed",
    ]
    assert [each["task"]["id"] for each in page["data"]] == [task["id"] for task in tasks]
    assert page["data"][0]["task"] == tasks[0]
    assert (page["has_more"], page["next"]) == (True, page["data"][-1]["id"])
    rest = own.get("/v1/events", params={"after": page["next"]}).json()
    ((headers, body),) = hook.wait("/third")
    (last,) = rest["data"]
    assert (last["id"], last["task"]["id"], rest["has_more"]) == (headers["webhook-id"], third["id"], False)
    assert last["task"]["error"] == json.loads(body)["error"]
    end = own.get("/v1/events", params={"after": rest["next"]}).json()
    assert (end["data"], end["next"]) == ([], rest["next"])


def test_an_endpoint_is_made_changed_and_removed(own: Caller, hook: Hook) -> None:
    made = endpoint(own, url=hook.url("/a"), description="shop", events=["video.generation.failed"])
    assert made["secret"].startswith("whsec_")
    item = f"{ENDPOINTS}/{made['id']}"
    plain = {
        name: value for name, value in made.items() if name not in {"secret", "previous_secret_expires_at"}
    }
    assert own.get(item).json() == plain
    assert own.get(ENDPOINTS).json() == {"object": "list", "data": [plain], "has_more": False}
    changed = own.request("PATCH", item, json={"url": hook.url("/b"), "events": []}).json()
    assert changed == {**plain, "url": hook.url("/b"), "events": [], "updated_at": changed["updated_at"]}
    own.ended(own.create("sandbox/instant"))
    ((headers, body),) = hook.wait("/b")
    Webhook(made["secret"]).verify(body, headers)
    deleted = own.request("DELETE", item).json()
    assert deleted == {"id": made["id"], "object": "webhook.endpoint.deleted", "deleted": True}
    error(own.get(item), 404, "not_found")
    assert own.get(ENDPOINTS).json()["data"] == []


def test_after_a_rotation_holders_of_either_secret_believe(own: Caller, hook: Hook) -> None:
    made = endpoint(own, url=hook.url("/rotated"))
    answer = own.post(path=f"{ENDPOINTS}/{made['id']}/rotate")
    assert answer.headers["cache-control"] == "no-store"
    rotated = answer.json()
    assert rotated["secret"] != made["secret"]
    assert abs(rotated["previous_secret_expires_at"] - time.time() - 86_400) < 60
    before = own.get(SECRET).json()
    after = own.post(path=f"{SECRET}/rotate").json()
    assert (before["previous_secret_expires_at"], own.get(SECRET).json()) == (None, after)
    own.ended(own.create("sandbox/instant", callback_url=hook.url("/task")))
    ((headers, body),) = hook.wait("/rotated")
    assert len(headers["webhook-signature"].split()) == 2
    for secret in (made["secret"], rotated["secret"]):
        Webhook(secret).verify(body, headers)
    ((headers, body),) = hook.wait("/task")
    for secret in (before["secret"], after["secret"]):
        Webhook(secret).verify(body, headers)


def test_a_test_event_is_delivered_and_shows_in_the_log(own: Caller, hook: Hook) -> None:
    made = endpoint(own, url=hook.url("/test"))
    sent = own.post(path=f"{ENDPOINTS}/{made['id']}/test").json()
    assert (sent["type"], sent["endpoint_id"], sent["status"]) == ("webhook.test", made["id"], "pending")
    ((headers, body),) = hook.wait("/test")
    assert headers["webhook-id"] == sent["event_id"]
    Webhook(made["secret"]).verify(body, headers)
    (logged,) = settled(own, status="delivered", endpoint_id=made["id"])
    assert own.get(f"{DELIVERIES}/{sent['id']}").json() == logged
    (attempt,) = logged["attempts"]
    assert (attempt["attempt"], attempt["http_status"], attempt["error"]) == (1, 204, None)
    assert attempt["started_at"] <= attempt["ended_at"]


def test_a_failure_shows_in_the_log_and_can_be_delivered_again_at_once(own: Caller, hook: Hook) -> None:
    own.ended(own.create("sandbox/fails", callback_url=hook.url("/fails")))
    hook.wait("/fails")
    until(lambda: own.get(DELIVERIES).json()["data"][0]["error"] is not None)
    (logged,) = own.get(DELIVERIES).json()["data"]
    assert (logged["status"], logged["http_status"], logged["error"]) == ("pending", 500, "answered HTTP 500")
    assert 4 < logged["next_attempt_at"] - logged["attempts"][0]["ended_at"] < 6
    again = own.post(path=f"{DELIVERIES}/{logged['id']}/redeliver").json()
    assert (again["id"], again["status"]) == (logged["id"], "pending")
    first, second = hook.wait("/fails", 2)
    assert first[0]["webhook-id"] == second[0]["webhook-id"]


def test_a_task_that_is_deleted_at_once_is_still_told(own: Caller, hook: Hook) -> None:
    hook.holding.set()
    task = own.ended(own.create("sandbox/instant", callback_url=hook.url("/gone")))
    hook.wait("/gone")
    assert own.request("DELETE", f"{GENERATIONS}/{task['id']}").json()["deleted"] is True
    hook.holding.clear()
    hook.go_on.set()
    (logged,) = settled(own, task_id=task["id"])
    until(lambda: own.get(f"{DELIVERIES}/{logged['id']}").json()["error"] is not None)
    own.post(path=f"{DELIVERIES}/{logged['id']}/redeliver")
    _, (headers, body) = hook.wait("/gone", 2)
    Webhook(own.get(SECRET).json()["secret"]).verify(body, headers)
    assert json.loads(body)["id"] == task["id"]


def test_a_server_that_is_killed_in_the_middle_of_a_delivery_makes_it_again(
    tmp_path: Path, hook: Hook
) -> None:
    hook.holding.set()
    with serving(tmp_path / "data") as server:
        caller = server.caller()
        task = caller.ended(caller.create("sandbox/instant", callback_url=hook.url("/killed")))
        ((first, _),) = hook.wait("/killed")
        server.kill()
        hook.holding.clear()
        server.start()
        _, (second, body) = hook.wait("/killed", 2)
        caller = server.caller()
        (logged,) = settled(caller, status="delivered")
        secret = caller.get(SECRET).json()["secret"]
    assert first["webhook-id"] == second["webhook-id"] == logged["event_id"]
    Webhook(secret).verify(body, second)
    assert json.loads(body)["id"] == task["id"]
    assert [each["http_status"] for each in logged["attempts"]] == [None, 204]
    assert "whsec_" not in server.stderr


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://a.example/", "no http(s) URL"),
        ("/hook", "no http(s) URL"),
        ("", "length"),
        ("https://user:secret@a.example/", "no login"),
        ("https://a.example/" + "x" * 2048, "length"),
        (7, "str"),
    ],
)
def test_a_url_that_is_none_is_refused_by_name(own: Caller, url: Any, words: str) -> None:
    found = error(own.post({"url": url}, path=ENDPOINTS), 422, "validation_error")
    assert found["details"][0]["loc"] == ["body", "url"]
    assert words in found["details"][0]["msg"]
    assert "secret" not in found["message"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, ["body", "url"]),
        ({"url": "https://a.example/", "events": ["task.done"]}, ["body", "events", 0]),
        ({"url": "https://a.example/", "enabled": "yes"}, ["body", "enabled"]),
        ({"url": "https://a.example/", "description": "x" * 501}, ["body", "description"]),
    ],
)
def test_a_body_that_is_none_is_refused_by_the_field_at_fault(
    own: Caller, body: dict[str, Any], place: list[str | int]
) -> None:
    found = error(own.post(body, path=ENDPOINTS), 422, "validation_error")
    assert found["details"][0]["loc"] == place


def test_queries_are_checked(own: Caller) -> None:
    for path, params in (
        ("/v1/events", {"after": "task_1"}),
        ("/v1/events", {"limit": "0"}),
        (DELIVERIES, {"status": "lost"}),
        (DELIVERIES, {"limit": "201"}),
    ):
        found = error(own.get(path, params=params), 422, "validation_error")
        assert found["details"][0]["loc"] == ["query", *params]
    error(own.raw("POST", ENDPOINTS, body=b"{"), 400, "invalid_request")


def test_where_strangers_may_name_destinations_a_callback_to_an_odd_port_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path / "data", MESHAPI_PRIVATE_SOURCES="false") as server:
        caller = server.caller()
        body = {
            "model": "sandbox/instant",
            "content": [{"type": "text", "text": "a"}],
            "callback_url": "http://a.example:25/",
        }
        found = error(caller.post(body), 422, "validation_error")
        assert found["details"][0]["loc"] == ["body", "callback_url"]
        assert "port 25" in found["message"]
        found = error(caller.post({"url": "http://a.example:6379/"}, path=ENDPOINTS), 422, "validation_error")
        assert "port 6379" in found["message"]


def test_where_strangers_may_name_destinations_this_machine_is_not_called(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        listener.settimeout(0.1)
        with serving(tmp_path / "data", MESHAPI_PRIVATE_SOURCES="false", MESHAPI_PORTS=str(port)) as server:
            caller = server.caller()
            for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
                caller.ended(caller.create("sandbox/instant", callback_url=f"http://{host}:{port}/"))
            until(lambda: all(each["error"] for each in caller.get(DELIVERIES).json()["data"]))
            found = caller.get(DELIVERIES).json()["data"]
            assert [each["error"] for each in found] == ["leads to an address that is not called"] * 3
        with pytest.raises(TimeoutError):
            listener.accept()


def test_nothing_of_it_is_shown_to_another_owner(own: Caller, stranger: Caller, hook: Hook) -> None:
    made = endpoint(own, url=hook.url("/mine"))
    own.ended(own.create("sandbox/instant"))
    (delivery,) = settled(own, status="delivered")
    item, logged = f"{ENDPOINTS}/{made['id']}", f"{DELIVERIES}/{delivery['id']}"
    tries = [
        ("GET", item, None),
        ("PATCH", item, {"url": hook.url("/theirs")}),
        ("DELETE", item, None),
        ("POST", f"{item}/rotate", None),
        ("POST", f"{item}/test", None),
        ("GET", logged, None),
        ("POST", f"{logged}/redeliver", None),
    ]
    for method, path, body in tries:
        known = error(stranger.request(method, path, json=body), 404, "not_found")
        absent = path.replace(made["id"], "whe_0").replace(delivery["id"], "dlv_0")
        unknown = error(stranger.request(method, absent, json=body), 404, "not_found")
        words = [each["message"].replace(made["id"], "X").replace(delivery["id"], "X") for each in (known,)]
        assert words == [unknown["message"].replace("whe_0", "X").replace("dlv_0", "X")]
    assert stranger.get(ENDPOINTS).json()["data"] == []
    assert stranger.get(DELIVERIES).json()["data"] == []
    assert stranger.get("/v1/events").json()["data"] == []
    assert stranger.get(SECRET).json()["secret"] != own.get(SECRET).json()["secret"]
    assert own.get(item).json()["url"] == hook.url("/mine")


@pytest.mark.parametrize("path", [ENDPOINTS, DELIVERIES, SECRET, "/v1/events"])
def test_it_takes_a_key(server: ServerProcess, path: str) -> None:
    error(server.caller(None).get(path), 401, "unauthorized")
