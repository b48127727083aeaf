"""A budget that pays for 100 pays for 100, however many ask at once and wherever; and the books close."""

import asyncio
import csv
import json
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.sdk.official import installed
from tests.upstreams.fake import read_log

from . import books
from .caller import GENERATIONS, Answer
from .cards import PRICE_USD, model_of
from .conftest import SetUp
from .stage import Stage

CALLS, PAID_FOR = 1000, 100
UPSTREAM = "openai-videos"
OFFICIAL = Path(__file__).parents[1] / "sdk" / "official_budget.py"
BUDGET = Decimal(PRICE_USD) * PAID_FOR


@pytest.mark.slow
async def test_a_thousand_creates_at_once_get_what_the_budget_pays_for_and_the_rest_is_refused(
    database: str, set_up: SetUp, tmp_path: Path
) -> None:
    async with set_up(database=database, apis=2, workers=1, engine_slots=PAID_FOR) as play:
        caller = await play.with_budget(str(BUDGET))
        bases = [member.base_url for member in play.cluster.apis]

        async def create(number: int) -> Answer:
            body = {"model": model_of(UPSTREAM), "content": [{"type": "text", "text": f"order {number}"}]}
            base = bases[number % len(bases)]
            key = f"order-{number}"
            return await caller.ask(
                "POST", GENERATIONS, body=body, idempotency_key=key, seconds=60, base=base
            )

        answers = await asyncio.gather(*map(create, range(CALLS)))
        assert Counter(answer.status for answer in answers) == {200: PAID_FOR, 402: CALLS - PAID_FOR}
        refused = [answer.body["error"] for answer in answers if answer.status == 402]
        assert {error["code"] for error in refused} == {"spend_limit_exceeded"}
        ids = [answer.body["id"] for answer in answers if answer.status == 200]

        tasks = await play.all_ended(ids)
        assert Counter((task["status"], task["cost_usd"]) for task in tasks) == {
            ("succeeded", PRICE_USD): PAID_FOR
        }
        whole = await play.whole()
        assert len(whole.tasks) == PAID_FOR
        assert books.in_the_end(whole, set(play.accepted()), {UPSTREAM}) == []
        assert (await create(CALLS)).status == 402

        usage = (await caller.ask("GET", "/v1/usage?by=model")).body
        assert [(row["model"], row["tasks"]) for row in usage["data"]] == [(model_of(UPSTREAM), PAID_FOR)]
        assert (Decimal(usage["total"]["cost_usd"]), usage["total"]["held_usd"]) == (BUDGET, "0")
        await asyncio.to_thread(_commands_agree, play, tmp_path)


def _commands_agree(play: Stage, folder: Path) -> None:
    """`meshapi usage` tells the same, and the upstream's invoice differs only where it is made to."""
    told = play.cluster.command("usage", "--by", "model", "--csv")
    assert told.returncode == 0, told.stderr
    (row,) = csv.DictReader(told.stdout.splitlines())
    assert (row["model"], row["tasks"], Decimal(row["cost_usd"])) == (model_of(UPSTREAM), "100", BUDGET)

    references = [entry.reference for entry in read_log(play.cluster.upstream.log)]
    assert len(references) == PAID_FOR
    found = _reconciled(play, folder, dict.fromkeys(references, PRICE_USD))
    assert (found["invoice"], found["ledger"], found["differences"]) == (PAID_FOR, PAID_FOR, 0)

    first, second, *others = references
    amounts = {**dict.fromkeys(others, PRICE_USD), first: "0.30", "video_of_nobody": "1"}
    found = _reconciled(play, folder, amounts)
    assert {(each["id"], each["problem"], each["invoice_usd"]) for each in found["data"]} == {
        (first, "another amount", "0.3"),
        (second, "not on the invoice", None),
        ("video_of_nobody", "not in the ledger", "1"),
    }


def _reconciled(play: Stage, folder: Path, amounts: Mapping[str, str]) -> Any:
    invoice = folder / "invoice.csv"
    with invoice.open("w", newline="") as stream:
        csv.writer(stream).writerows([("video", "usd"), *amounts.items()])
    columns = ("--id-column", "video", "--amount-column", "usd", "--from", "2026-01-01", "--to", "2099-01-01")
    ran = play.cluster.command("reconcile", str(invoice), "--upstream", UPSTREAM, *columns, "--json")
    found = json.loads(ran.stdout)
    assert ran.returncode == (1 if found["differences"] else 0), ran.stderr
    return found


@pytest.mark.slow
async def test_the_published_package_decodes_the_refusal_of_a_budget(set_up: SetUp) -> None:
    """The row "402 spend_limit_exceeded" of the error table, as meshapi 0.1.x sees it."""
    async with set_up(database="sqlite") as play:
        key = await asyncio.to_thread(
            lambda: play.cluster.create_key("poor", budget=str(2 * Decimal(PRICE_USD) - Decimal("0.01")))
        )
        base_url = play.cluster.apis[0].base_url
        ran = await asyncio.to_thread(
            lambda: installed().run(OFFICIAL, base_url, key.secret, model_of(UPSTREAM))
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        told = json.loads(ran.stdout)
    assert (told["status"], told["error_code"]) == (402, "spend_limit_exceeded")
    assert told["request_id"].startswith("req_")
    assert "0.39 USD left" in told["message"]
    assert told["first"].startswith("task_")
