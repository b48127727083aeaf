"""What keys may do, over HTTP: refusals as the error table has them, limits that hold over replicas."""

import asyncio
import contextlib
import io
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog

from meshapi_server.api import call
from meshapi_server.commands import serve

from ..inside import Inside, inside
from ..serving import GENERATIONS, TEXT

sys.path.insert(0, str(Path(__file__).parents[3] / "tests"))

from postgres_server import shared

BODY = {"model": "sandbox/instant", "content": TEXT}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Inside]:
    async with inside(tmp_path) as found:
        yield found


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """The URL of a fresh database; None for a file."""
    if request.param == "sqlite":
        yield None
        return
    url = shared().fresh_database()
    yield url
    shared().drop_database(url)


@pytest.fixture
async def replicas(tmp_path: Path, database: str | None) -> AsyncIterator[list[Inside]]:
    """Two servers over one database where it can be shared, else one that is called twice as much."""
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(inside(tmp_path / "a", database))
        if database is None:
            yield [first, first]
        else:
            yield [first, await stack.enter_async_context(inside(tmp_path / "b", database))]


def refused(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["request_id"] == answer.headers["x-request-id"]
    error: dict[str, Any] = body["error"]
    assert error["code"] == code
    return error


def retry_after(answer: httpx2.Response, code: str = "rate_limit_exceeded") -> int:
    """How long a 429 says to wait, in both of its places."""
    error = refused(answer, 429, code)
    assert answer.headers["retry-after"] == str(error["retry_after_seconds"])
    return int(error["retry_after_seconds"])


async def test_a_key_without_limits_costs_no_write_and_one_read(server: Inside) -> None:
    caller = await server.caller("free")
    task = (await caller.post(GENERATIONS, json=BODY)).json()["id"]
    server.witness.take()
    for path in (f"{GENERATIONS}/{task}", "/v1/models"):
        assert "ratelimit" not in (await caller.get(path)).headers
        seen, transactions = server.witness.take()
        assert (seen[0], seen.count("find_key"), transactions) == ("find_key", 1, 0)
        assert not {"get_windows", "get_key", "lock_keys", "count_in_flight"} & set(seen)
    assert seen == ["find_key"]
    await caller.post(GENERATIONS, json=BODY)
    seen, transactions = server.witness.take()
    assert transactions == 1
    assert not {"get_windows", "save_window", "lock_keys", "count_in_flight", "use_pool"} & set(seen)


async def test_a_limited_key_costs_one_short_transaction_more(server: Inside) -> None:
    caller = await server.caller("limited", requests_per_minute=5, requests_per_day=9)
    server.witness.take()
    await caller.get("/v1/models")
    assert server.witness.take() == (["find_key", "get_windows", "save_window"], 1)


async def test_a_used_up_limit_is_429_and_says_when_to_come_back(server: Inside) -> None:
    caller = await server.caller("limited", requests_per_minute=2, requests_per_day=50)
    answers = [await caller.get("/v1/models") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= retry_after(answers[2]) <= 61
    assert "its requests: 2 per minute." in answers[2].json()["error"]["message"]
    for answer, left in zip(answers, (1, 0, 0), strict=True):
        assert answer.headers["ratelimit-policy"] == '"minute";q=2;w=60, "day";q=50;w=86400'
        assert answer.headers["ratelimit"].startswith(f'"minute";r={left};t=')
        assert answer.headers["ratelimit-limit"] == "2"
        assert answer.headers["ratelimit-remaining"] == str(left)
        assert 0 < int(answer.headers["ratelimit-reset"]) <= 61
    assert '"day";r=48;t=' in answers[2].headers["ratelimit"]


async def test_every_operation_counts_and_refusals_do_not(server: Inside) -> None:
    caller = await server.caller("limited", requests_per_day=4)
    statuses = [
        (await caller.post(GENERATIONS, json=BODY)).status_code,
        (await caller.get(GENERATIONS)).status_code,
        (await caller.get(f"{GENERATIONS}/task_0")).status_code,
        (await caller.get("/v1/webhooks/secret")).status_code,
        (await caller.get("/v1/models")).status_code,
        (await caller.post(GENERATIONS, json=BODY)).status_code,
    ]
    assert statuses == [200, 200, 404, 200, 429, 429]
    assert 23 * 3600 < retry_after(await caller.get("/v1/models")) <= 24 * 3600 + 721


async def test_two_replicas_let_exactly_as_many_requests_through_as_a_key_may_make(
    replicas: list[Inside],
) -> None:
    secret, _ = await replicas[0].server.keys.create("busy", requests_per_minute=23)
    clients = [replica.client(secret) for replica in replicas]
    answers = await asyncio.gather(*(client.get("/v1/models") for _ in range(40) for client in clients))
    assert Counter(answer.status_code for answer in answers) == {200: 23, 429: 57}
    assert sorted(int(each.headers["ratelimit-remaining"]) for each in answers)[-23:] == list(range(23))


async def test_two_replicas_accept_exactly_as_many_tasks_as_a_key_may_have_in_flight(
    replicas: list[Inside],
) -> None:
    secret, _ = await replicas[0].server.keys.create("crowd", tasks_in_flight=9)
    clients = [replica.client(secret) for replica in replicas]
    answers = await asyncio.gather(
        *(client.post(GENERATIONS, json=BODY) for _ in range(20) for client in clients)
    )
    assert Counter(answer.status_code for answer in answers) == {200: 9, 429: 31}
    full = next(answer for answer in answers if answer.status_code == 429)
    assert retry_after(full) >= 1
    assert "Tasks in flight: 9." in full.json()["error"]["message"]
    listed = (await clients[1].get(GENERATIONS)).json()
    assert listed["total"] == 9
    await clients[0].post(f"{GENERATIONS}/{listed['data'][0]['id']}/cancel")
    answers = [await client.post(GENERATIONS, json=BODY) for client in clients]
    assert [answer.status_code for answer in answers] == [200, 429]


async def test_what_becomes_of_a_key_holds_at_once_on_every_replica(replicas: list[Inside]) -> None:
    keys = replicas[0].server.keys
    secret, key = await keys.create("ci")
    old, other = (replica.client(secret) for replica in replicas)
    task = (await other.post(GENERATIONS, json=BODY)).json()["id"]
    await keys.suspend(key.id)
    for client in (old, other):
        refused(await client.get(f"{GENERATIONS}/{task}"), 403, "forbidden")
    await keys.resume(key.id)
    made = await keys.rotate(key.id, grace=0)
    assert made is not None
    refused(await other.get("/v1/models"), 401, "unauthorized")
    fresh = replicas[1].client(made[0])
    assert (await fresh.get(f"{GENERATIONS}/{task}")).json()["id"] == task
    await keys.revoke(key.id)
    refused(await fresh.get("/v1/models"), 401, "unauthorized")


async def test_during_its_grace_the_old_secret_does_what_the_new_one_does(server: Inside) -> None:
    secret, key = await server.server.keys.create("ci", requests_per_day=3)
    made = await server.server.keys.rotate(key.id, grace=600)
    assert made is not None
    old, new = server.client(secret), server.client(made[0])
    task = (await old.post(GENERATIONS, json=BODY)).json()["id"]
    assert (await new.get(f"{GENERATIONS}/{task}")).status_code == 200
    assert (await old.get("/v1/models")).status_code == 200
    assert [retry_after(await client.get("/v1/models")) > 0 for client in (old, new)] == [True, True]


async def test_an_admin_key_manages_keys_and_sees_no_tasks(server: Inside) -> None:
    admin = await server.caller("admin", admin=True)
    for method, path in (
        ("GET", GENERATIONS),
        ("POST", GENERATIONS),
        ("GET", "/v1/models"),
        ("GET", "/v1/events"),
    ):
        error = refused(await admin.request(method, path), 403, "forbidden")
        assert "admin key" in error["message"]
    assert (await admin.get("/v1/admin/keys")).status_code == 200


async def test_the_admin_api_makes_shows_and_changes_keys(server: Inside) -> None:
    admin = await server.caller("admin", admin=True)
    wanted = {
        "name": "team",
        "owner": "own_team",
        "models": ["sandbox/*"],
        "requests_per_minute": 60,
        "requests_per_day": 1000,
        "tasks_in_flight": 5,
        "concurrency": 2,
        "budget_per_day_usd": "2.50",
        "budget_total_usd": "100",
        "expires_at": 4_000_000_000,
    }
    answer = await admin.post("/v1/admin/keys", json=wanted)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    made = answer.json()
    secret = made.pop("key")
    assert {**wanted, "budget_per_day_usd": "2.5"}.items() <= made.items()
    assert (made["object"], made["status"], made["admin"], made["last_four"]) == (
        "key",
        "active",
        False,
        secret[-4:],
    )
    assert (await admin.get(f"/v1/admin/keys/{made['id']}")).json() == made
    change = {"requests_per_minute": None, "budget_total_usd": "0.000000001", "models": None, "name": "crew"}
    changed = (await admin.patch(f"/v1/admin/keys/{made['id']}", json=change)).json()
    assert changed == {**made, **change}
    holder = server.client(secret)
    assert (await holder.get("/v1/models")).headers["ratelimit-limit"] == "1000"


async def test_the_admin_api_suspends_resumes_rotates_and_revokes(server: Inside) -> None:
    admin = await server.caller("admin", admin=True)
    made = (await admin.post("/v1/admin/keys", json={"name": "ci"})).json()
    item, holder = f"/v1/admin/keys/{made['id']}", server.client(made["key"])
    assert (await admin.post(f"{item}/suspend")).json()["status"] == "suspended"
    assert "suspended" in refused(await holder.get("/v1/models"), 403, "forbidden")["message"]
    assert (await admin.post(f"{item}/resume")).json()["status"] == "active"
    rotated = (await admin.post(f"{item}/rotate")).json()
    assert rotated["last_four"] == rotated["key"][-4:]
    assert rotated["rotated_at"]
    fresh = server.client(rotated["key"])
    assert [(await client.get("/v1/models")).status_code for client in (holder, fresh)] == [200, 200]
    again = (await admin.post(f"{item}/rotate", json={"grace_seconds": 0})).json()
    assert [(await client.get("/v1/models")).status_code for client in (holder, fresh)] == [401, 401]
    assert (await server.client(again["key"]).get("/v1/models")).status_code == 200
    assert (await admin.post(f"{item}/revoke")).json()["status"] == "revoked"
    refused(await server.client(again["key"]).get("/v1/models"), 401, "unauthorized")
    for verb in ("suspend", "resume", "rotate"):
        assert "revoked" in refused(await admin.post(f"{item}/{verb}"), 409, "conflict")["message"]
    refused(await admin.patch(item, json={"name": "b"}), 409, "conflict")
    assert (await admin.post(f"{item}/revoke")).json()["status"] == "revoked"


async def test_the_log_says_who_did_what_to_which_key_and_no_secret(server: Inside) -> None:
    secret, boss = await server.server.keys.create("admin", admin=True)
    admin = server.client(secret)
    with structlog.testing.capture_logs() as events:
        made = (await admin.post("/v1/admin/keys", json={"name": "ci"})).json()
        item = f"/v1/admin/keys/{made['id']}"
        await admin.patch(item, json={"name": "cd"})
        rotated = (await admin.post(f"{item}/rotate")).json()
        for verb in ("suspend", "resume", "revoke"):
            await admin.post(f"{item}/{verb}")
        await admin.post("/v1/admin/keys/key_0/revoke")
    done = ["created", "changed", "rotated", "suspended", "resumed", "revoked"]
    assert [event["event"] for event in events] == [f"key {what}" for what in done]
    assert {(event["key"], event["by"]) for event in events} == {(made["id"], boss.id)}
    assert not any(each in str(events) for each in (secret, made["key"], rotated["key"]))


async def test_keys_are_listed_by_the_page_and_never_with_their_secrets(server: Inside) -> None:
    admin = await server.caller("admin", admin=True)
    made = [
        (await admin.post("/v1/admin/keys", json={"name": f"k{number}", "owner": "own_x"})).json()
        for number in range(5)
    ]
    first = await admin.get("/v1/admin/keys", params={"owner": "own_x", "limit": "3"})
    assert first.json()["has_more"] is True
    after = first.json()["data"][-1]["id"]
    rest = await admin.get("/v1/admin/keys", params={"owner": "own_x", "after": after})
    assert rest.json()["has_more"] is False
    found = first.json()["data"] + rest.json()["data"]
    assert [each["name"] for each in found] == [f"k{number}" for number in range(5)]
    assert not any(key["key"] in first.text + rest.text for key in made)


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({}, []),
        ({"name": ""}, ["name"]),
        ({"name": "n", "owner": "a b"}, ["owner"]),
        ({"name": "n", "requests_per_minute": 0}, ["requests_per_minute"]),
        ({"name": "n", "tasks_in_flight": "many"}, ["tasks_in_flight"]),
        ({"name": "n", "budget_total_usd": 1.5}, ["budget_total_usd"]),
        ({"name": "n", "budget_total_usd": "-1"}, ["budget_total_usd"]),
        ({"name": "n", "budget_total_usd": "9999999999"}, ["budget_total_usd"]),
        ({"name": "n", "models": []}, ["models"]),
        ({"name": "n", "models": ["a b"]}, ["models"]),
        ({"name": "n", "expires_at": 1}, ["expires_at"]),
        ({"name": "n", "requests_per_hour": 1}, []),
    ],
)
async def test_a_term_that_cannot_be_is_a_422_that_names_it(
    server: Inside, body: dict[str, Any], loc: list[str]
) -> None:
    admin = await server.caller("admin", admin=True)
    error = refused(await admin.post("/v1/admin/keys", json=body), 422, "validation_error")
    assert error["details"][0]["loc"][: 1 + len(loc)] == ["body", *loc]
    assert len((await admin.get("/v1/admin/keys")).json()["data"]) == 1


async def test_an_unknown_key_is_404_whatever_is_done_with_it(server: Inside) -> None:
    admin = await server.caller("admin", admin=True)
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "n"}),
        ("POST", "/rotate", {}),
        ("POST", "/suspend", None),
        ("POST", "/resume", None),
        ("POST", "/revoke", None),
    ):
        answer = await admin.request(method, f"/v1/admin/keys/key_0{path}", json=body)
        assert "key_0" in refused(answer, 404, "not_found")["message"]


class Terminal(io.StringIO):
    """What a person looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(params=[io.StringIO, Terminal])
def log(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """The log as the server sets it up, for a machine or for a person."""
    stream: io.StringIO = request.param()
    monkeypatch.setattr(sys, "stderr", stream)
    serve._configure_logs("debug")
    yield stream
    structlog.reset_defaults()


async def test_no_secret_reaches_the_log_when_a_handler_breaks_and_its_whole_stack_is_logged(
    server: Inside, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, _ = await server.server.keys.create("ci", requests_per_minute=5)
    caller = server.client(secret)

    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(server.server.keys, "admit", broken)
    refused(await caller.get("/v1/models"), 500, "internal_error")
    refused(await server.client(f"{secret}X").get("/v1/models"), 401, "unauthorized")
    words = log.getvalue()
    assert "broken on purpose" in words
    assert "Traceback" in words
    assert secret not in words
    assert secret[4:] not in words


async def slowly(meanwhile: Callable[[], Awaitable[object]]) -> AsyncIterator[bytes]:
    """A body in two parts; something happens between them."""
    whole = json.dumps(BODY).encode()
    yield whole[:20]
    await meanwhile()
    yield whole[20:]


async def test_a_limit_that_is_set_while_a_body_arrives_counts_its_task(
    replicas: list[Inside], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call, "_LONG", 0.0)
    server = replicas[0]
    secret, key = await server.server.keys.create("late")
    caller = server.client(secret, **{"content-type": "application/json"})

    async def limit() -> None:
        await replicas[1].server.keys.update(key.id, tasks_in_flight=1)

    assert (await caller.post(GENERATIONS, content=slowly(limit))).status_code == 200
    refused(await caller.post(GENERATIONS, json=BODY), 429, "rate_limit_exceeded")


async def test_a_key_that_is_revoked_while_a_body_arrives_creates_nothing(
    server: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call, "_LONG", 0.0)
    secret, key = await server.server.keys.create("late")
    caller = server.client(secret, **{"content-type": "application/json"})

    async def revoke() -> None:
        await server.server.keys.revoke(key.id)

    refused(await caller.post(GENERATIONS, content=slowly(revoke)), 401, "unauthorized")
