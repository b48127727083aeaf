"""`GET /v1/usage` and what a priced create answers, over HTTP in this process."""

import csv
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from meshapi_server.app import Server
from meshapi_server.database import Database, open_database
from meshapi_server.settings import Settings
from meshapi_server.store.planned import PlannedStore
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.states import Event
from meshapi_server.tasks.task import Facts, Outcome, TaskError

from ..inside import Witness
from ..serving import GENERATIONS, TEXT

CARD = """
upstream = "openai-videos"
name = "An engine"

[[models]]
id = "openai-videos/{name}"
upstream_id = "{name}"
name = "{name}"
brand = "Test"
description = "A model of a test."
scenarios = ["text"]
durations = {{ min = 1, max = 10 }}
audio = "never"
defaults = {{ duration = 4 }}
"""
PRICED = """
[models.pricing]
source = "this test"
date = 2026-11-21
certainty = "official"
lines = [{ unit = "second", amount = "0.05" }]
"""
MODEL, UNPRICED = "openai-videos/priced", "openai-videos/unpriced"


class Room:
    """A server without a worker, called without a socket; the test plays the worker."""

    def __init__(self, server: Server, database: Database, http: httpx2.AsyncClient) -> None:
        self.server, self.database, self.http = server, database, http
        assert isinstance(database.store, PlannedStore)
        self._witness = Witness(database.store)

    async def statements(self, call: Awaitable[httpx2.Response]) -> Counter[str]:
        """The statements that a call takes, which must succeed."""
        self._witness.take()
        assert (await call).status_code == 200
        return Counter(self._witness.take()[0])

    async def key(self, **terms: Any) -> tuple[str, str]:
        """A new key's secret and id."""
        secret, key = await self.server.keys.create("test", **terms)
        return secret, key.id

    async def post(self, secret: str, path: str = GENERATIONS, **body: Any) -> httpx2.Response:
        body = {"model": MODEL, "content": TEXT, **body}
        return await self.http.post(path, json=body, headers={"authorization": f"Bearer {secret}"})

    async def usage(self, secret: str, query: str = "", **headers: str) -> httpx2.Response:
        return await self.http.get(
            f"/v1/usage{query}", headers={"authorization": f"Bearer {secret}", **headers}
        )

    async def end(self, task: dict[str, Any], *, charged: Any = None, cost: str | None = None) -> None:
        """Run a task to its end as a worker would."""
        store, now = self.database.store, self.database.clock()
        steps = [Step(event=Event.CLAIM_SUBMIT, worker="w", lease_until=now + 30_000)]
        if charged is None:
            outcome = Outcome(facts=Facts(cost_usd=cost))
            steps += [Step(event=Event.ACCEPTED, upstream_ref="up-1"), Step(event=Event.READY)]
            steps.append(Step(event=Event.STORED, outcome=outcome))
        else:
            error = TaskError(code="upstream_error", message="No.", charged=charged)
            steps.append(Step(event=Event.FAILED, outcome=Outcome(error=error)))
        for step in steps:
            assert await store.step(task["id"], step, now) is not None


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    cards = tmp_path / "cards"
    cards.mkdir()
    unpriced = CARD.format(name="unpriced") + 'price_unknown = "Nobody says."\n'
    models = unpriced[unpriced.index("[[models]]") :]
    (cards / "a.toml").write_text(CARD.format(name="priced") + PRICED + "\n" + models)
    settings = Settings(data=str(tmp_path / "data"), cards=str(cards), role="api", simulate=False)
    database = await open_database(f"sqlite:///{tmp_path / 'meshapi.db'}")
    environment = {"MESHAPI_OPENAI_VIDEOS_BASE_URL": "http://127.0.0.1:9/v1"}
    server = await Server.build(database, settings, "http://test", environment)
    await server.start()
    transport = httpx2.ASGITransport(app=server.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as http:
        yield Room(server, database, http)
    await server.stop()


async def test_usage_tells_what_was_spent_held_and_doubted_by_key_model_and_day(room: Room) -> None:
    secret, key_id = await room.key()
    tasks = [(await room.post(secret)).json() for _ in range(4)]
    await room.end(tasks[0])
    await room.end(tasks[1], cost="0.15")
    await room.end(tasks[2], charged="unknown")
    body = (await room.usage(secret)).json()
    (row,) = body["data"]
    assert row == {
        "day": body["to"],
        "key_id": key_id,
        "model": MODEL,
        "tasks": 4,
        "cost_usd": "0.35",
        "held_usd": "0.2",
        "unknown_usd": "0.2",
        "unknown_tasks": 1,
    }
    assert body["object"] == "usage"
    assert body["total"] == {name: value for name, value in row.items() if name in body["total"]}


async def test_an_owner_sees_the_usage_of_all_its_keys_and_of_nobody_elses(room: Room) -> None:
    mine, first = await room.key(owner="own_a")
    also, second = await room.key(owner="own_a")
    theirs, _ = await room.key(owner="own_b")
    for secret in (mine, also, theirs, theirs):
        assert (await room.post(secret)).status_code == 200
    rows = (await room.usage(mine, "?by=key")).json()["data"]
    assert {(row["key_id"], row["tasks"], row["day"], row["model"]) for row in rows} == {
        (first, 1, None, None),
        (second, 1, None, None),
    }
    assert (await room.usage(theirs, "?by=model")).json()["total"]["tasks"] == 2


async def test_usage_can_be_had_as_csv_by_the_query_or_by_accept(room: Room) -> None:
    secret, key_id = await room.key()
    await room.post(secret)
    by_query = await room.usage(secret, "?format=csv&by=model,key")
    by_accept = await room.usage(secret, "?by=key&by=model", accept="text/csv, application/json;q=0.5")
    assert by_query.headers["content-type"] == by_accept.headers["content-type"] == "text/csv"
    assert by_query.content == by_accept.content
    (row,) = csv.DictReader(by_query.text.splitlines())
    assert row == {
        "key_id": key_id,
        "model": MODEL,
        "tasks": "1",
        "cost_usd": "0",
        "held_usd": "0.2",
        "unknown_usd": "0",
        "unknown_tasks": "0",
    }
    plain = await room.usage(secret, accept="application/json, text/csv")
    assert plain.headers["content-type"] == "application/json"


async def test_a_time_in_which_nothing_was_spent_is_empty(room: Room) -> None:
    secret, _ = await room.key()
    await room.post(secret)
    body = (await room.usage(secret, "?from=2026-01-01&to=2026-01-31")).json()
    assert (body["from"], body["to"], body["data"]) == ("2026-01-01", "2026-01-31", [])
    assert body["total"] == {
        "tasks": 0,
        "cost_usd": "0",
        "held_usd": "0",
        "unknown_usd": "0",
        "unknown_tasks": 0,
    }


async def test_a_time_that_ends_with_the_first_days_of_the_calendar_is_empty_too(room: Room) -> None:
    secret, _ = await room.key()
    answer = await room.usage(secret, "?to=0001-01-05")
    assert answer.status_code == 200
    assert (answer.json()["from"], answer.json()["to"], answer.json()["data"]) == (
        "0001-01-01",
        "0001-01-05",
        [],
    )


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("?from=yesterday", "from"),
        ("?to=2026-13-01", "to"),
        ("?from=2026-02-02&to=2026-02-01", "from"),
        ("?from=2020-01-01&to=2026-01-01", "from"),
        ("?by=owner", "by"),
        ("?format=xml", "format"),
    ],
)
async def test_what_cannot_be_asked_for_is_refused_by_its_field(room: Room, query: str, place: str) -> None:
    secret, _ = await room.key()
    answer = await room.usage(secret, query)
    assert answer.status_code == 422
    assert answer.json()["error"]["details"][0]["loc"] == ["query", place]


async def test_a_create_that_does_not_fit_into_the_budget_is_402_and_one_that_ends_uncharged_makes_room(
    room: Room,
) -> None:
    secret, _ = await room.key(budget_total=200_000_000)
    first = await room.post(secret)
    assert first.status_code == 200
    refused = await room.post(secret)
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "spend_limit_exceeded")
    assert "0.2 USD of it held" in refused.json()["error"]["message"]
    await room.end(first.json(), charged="no")
    again = await room.post(secret)
    assert again.status_code == 200


async def test_under_a_budget_an_unknown_price_is_refused_and_without_one_it_is_never_nothing(
    room: Room,
) -> None:
    limited, _ = await room.key(budget_per_day=10**12)
    refused = await room.post(limited, model=UNPRICED)
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "spend_limit_exceeded")
    assert "Nobody says." in refused.json()["error"]["message"]

    free, _ = await room.key()
    task = (await room.post(free, model=UNPRICED)).json()
    await room.end(task)
    shown = (
        await room.http.get(f"{GENERATIONS}/{task['id']}", headers={"authorization": f"Bearer {free}"})
    ).json()
    assert (shown["status"], shown["cost_usd"]) == ("succeeded", None)
    total = (await room.usage(free)).json()["total"]
    assert (total["cost_usd"], total["unknown_tasks"]) == ("0", 1)


async def test_a_budget_that_is_raised_or_taken_away_counts_at_once(room: Room) -> None:
    secret, key_id = await room.key(budget_total=0)
    assert (await room.post(secret)).status_code == 402
    await room.server.keys.update(key_id, budget_total=200_000_000)
    assert (await room.post(secret)).status_code == 200
    assert (await room.post(secret)).status_code == 402
    await room.server.keys.update(key_id, budget_total=None)
    assert (await room.post(secret)).status_code == 200


async def test_a_quote_and_a_dry_run_take_nothing_from_the_budget(room: Room) -> None:
    secret, _ = await room.key(budget_total=200_000_000)
    assert (await room.post(secret, "/v1/video/quote")).json()["cost_usd"] == "0.2"
    assert (await room.post(secret, dry_run=True)).json()["cost_usd"] == "0.2"
    assert (await room.post(secret)).status_code == 200


async def test_what_is_free_costs_no_statement_and_what_has_a_price_three_writes_in_the_same_commit(
    room: Room,
) -> None:
    unlimited, _ = await room.key()
    limited, _ = await room.key(budget_per_day=10**12, budget_total=10**12)
    free = await room.statements(room.post(unlimited, model="sandbox/stuck"))
    assert free == await room.statements(room.post(limited, model="sandbox/stuck"))
    priced = await room.statements(room.post(unlimited))
    assert priced - free == Counter(["insert_ledger", "add_spending", "add_usage"])
    assert free - priced == Counter()
    assert await room.statements(room.post(limited)) - priced == Counter({"lock_spending": 2})


async def test_to_look_at_a_task_or_a_list_takes_the_same_statements_whatever_it_costs(room: Room) -> None:
    secret, _ = await room.key()
    free = (await room.post(secret, model="sandbox/stuck")).json()
    priced = (await room.post(secret)).json()
    headers = {"authorization": f"Bearer {secret}"}
    looks = [
        await room.statements(room.http.get(f"{GENERATIONS}/{task['id']}", headers=headers))
        for task in (free, priced)
    ]
    assert looks[0] == looks[1]
    listed = await room.statements(room.http.get(GENERATIONS, headers=headers))
    assert not listed.keys() & {"usage_of_owner", "lock_spending"}
