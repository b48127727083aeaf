"""`meshapi usage` and `meshapi reconcile`, over a success, a doubt and a task in flight."""

import asyncio
import csv
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from meshapi_server.commands.money import reconcile, usage
from meshapi_server.database import Database, open_database
from meshapi_server.tasks.life import UNKNOWN_SUBMISSION, Step
from meshapi_server.tasks.price import Tariff
from meshapi_server.tasks.states import Event
from meshapi_server.tasks.task import Outcome, Route

from .. import samples
from ..samples import NOW

APP = typer.Typer()
APP.command()(usage)
APP.command()(reconcile)
DAY = "2026-08-01"  # of samples.NOW
PERIOD = ("--from", DAY, "--to", DAY)
ENDS = {
    "made": [Step(event=Event.READY), Step(event=Event.STORED, outcome=Outcome())],
    "stopped": [Step(event=Event.CANCELLED)],
    "running": [],
}
ROUTE = Route(upstream="fal", model="fal/x", upstream_model="x", tariff=Tariff(most=350_000_000))
LOST = Step(event=Event.FAILED, outcome=Outcome(error=UNKNOWN_SUBMISSION))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data directory of a server that has had three tasks of 35 cents."""
    folder = tmp_path / "data"
    asyncio.run(_fill(folder))
    return folder


async def _fill(folder: Path) -> None:
    folder.mkdir()
    database = await open_database(f"sqlite:///{folder / 'meshapi.db'}")
    for name, steps in ENDS.items():
        accepted = Step(event=Event.ACCEPTED, upstream_ref=f"https://queue.example/requests/{name}")
        await _sent(database, accepted, *steps)
    await database.close()


async def _sent(database: Database, *steps: Step) -> str:
    task = samples.task(routes=(ROUTE,), upstream="fal", model="fal/x", key_id="key_1")
    await database.store.create(task, samples.schedule_of(task), b"{}", None)
    claim = Step(event=Event.CLAIM_SUBMIT, worker="w", lease_until=NOW + 30_000)
    for step in (claim, *steps):
        assert await database.store.step(task.id, step, NOW + 1) is not None
    return task.id


async def _lose(folder: Path) -> str:
    database = await open_database(f"sqlite:///{folder / 'meshapi.db'}")
    task_id = await _sent(database, LOST)
    await database.close()
    return task_id


def run(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(APP, [*arguments, "--data", str(data)])


def compared(data: Path, lines: str, *options: str) -> tuple[int, Any]:
    invoice = data / "invoice.csv"
    invoice.write_text(f"id,amount\n{lines}")
    done = run(data, "reconcile", str(invoice), "--upstream", "fal", "--json", *options)
    return done.exit_code, json.loads(done.stdout)


def test_usage_is_shown_as_a_table_as_json_and_as_csv(data: Path) -> None:
    table = run(data, "usage", *PERIOD, "--by", "model")
    assert (table.exit_code, table.stdout.count("0.35")) == (0, 6)  # spent, held, in doubt; and their total
    told = json.loads(run(data, "usage", *PERIOD, "--json").stdout)
    (entry,) = told["data"]
    assert (entry["owner"], entry["key_id"], entry["model"], entry["day"]) == ("own_1", "key_1", "fal/x", DAY)
    assert (entry["tasks"], entry["cost_usd"], entry["held_usd"], entry["unknown_usd"]) == (
        3,
        "0.35",
        "0.35",
        "0.35",
    )
    (row,) = csv.DictReader(run(data, "usage", *PERIOD, "--csv").stdout.splitlines())
    assert (row["owner"], row["unknown_tasks"]) == ("own_1", "1")


def test_usage_of_another_owner_or_time_is_empty(data: Path) -> None:
    assert "Nothing" in run(data, "usage", *PERIOD, "--owner", "own_2").stdout
    assert "Nothing" in run(data, "usage", "--from", "2026-07-01", "--to", "2026-07-31").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("usage", "--from", "monday"), "--from: 'monday' is no day"),
        (("usage", "--from", "2026-08-02", "--to", "2026-08-01"), "is after --to"),
        (("usage", "--by", "colour"), "'colour' is no dimension"),
        (("reconcile", "/nowhere.csv", "--upstream", "fal"), "/nowhere.csv"),
        (("reconcile", "/nowhere.csv", "--upstream", "fal", "--from", DAY), "come together"),
        (
            ("reconcile", "/nowhere.csv", "--upstream", "fal", "--tolerance", "little"),
            "'little' is no amount",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    data: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = run(data, *arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert "Traceback" not in done.output


def test_an_invoice_that_agrees_ends_with_0(data: Path) -> None:
    assert compared(data, "made,0.35\n") == (
        0,
        {"invoice": 1, "ledger": 1, "booked": 0, "differences": 0, "data": []},
    )
    assert compared(data, "made,0.36\n", "--tolerance", "0.01")[0] == 0


def test_differences_are_printed_and_end_with_1(data: Path) -> None:
    status, told = compared(data, "made,0.30\nother,1\n", *PERIOD)
    assert status == 1
    assert {(each["id"], each["problem"]) for each in told["data"]} == {
        ("made", "another amount"),
        ("other", "not in the ledger"),
        ("stopped", "was in doubt"),
    }


@pytest.mark.parametrize(("lines", "spent"), [("made,0.35\nstopped,0.2\n", "0.55"), ("made,0.35\n", "0.35")])
def test_a_doubt_is_booked_as_the_invoice_says_and_then_agrees(data: Path, lines: str, spent: str) -> None:
    status, told = compared(data, lines, *PERIOD, "--book")
    assert (status, told["booked"], told["differences"]) == (0, 1, 1)
    status, told = compared(data, lines, *PERIOD, "--book")
    assert (status, told["booked"], told["differences"]) == (0, 0, 0)
    total = json.loads(run(data, "usage", *PERIOD, "--json").stdout)["total"]
    assert (total["cost_usd"], total["unknown_usd"], total["unknown_tasks"]) == (spent, "0", 0)


@pytest.mark.parametrize(("cost", "spent"), [("0", "0.35"), ("0.35", "0.7")])
def test_a_doubt_that_its_upstream_never_named_is_decided_by_the_id_of_its_task(
    data: Path, cost: str, spent: str
) -> None:
    task_id = asyncio.run(_lose(data))
    compared(data, "made,0.35\n", *PERIOD, "--book")  # the file names only what the upstream named
    total = json.loads(run(data, "usage", *PERIOD, "--json").stdout)["total"]
    assert (total["cost_usd"], total["unknown_usd"], total["unknown_tasks"]) == ("0.35", "0.35", 1)
    status, told = compared(data, f"made,0.35\n{task_id},{cost}\n", *PERIOD, "--book")
    assert (status, told["booked"], [each["task_id"] for each in told["data"]]) == (0, 1, [task_id])
    assert compared(data, f"made,0.35\n{task_id},{cost}\n", *PERIOD)[0] == 0
    total = json.loads(run(data, "usage", *PERIOD, "--json").stdout)["total"]
    assert (total["cost_usd"], total["unknown_usd"], total["unknown_tasks"]) == (spent, "0", 0)
