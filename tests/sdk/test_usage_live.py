"""``client.usage`` of both SDKs at a live server whose tasks have a price."""

import csv
import datetime
import io
import json
import socket
from collections.abc import Iterator
from decimal import Decimal

import pytest
from go_programs import GoPrograms

import server_process
from meshapi import AsyncMeshAPI, MeshAPI, UnprocessableEntityError
from meshapi.types import UsageFigures, UsageReport
from server_process import ServerProcess

MODEL = "openai-videos/lake-1"
CARD = f"""
upstream = "openai-videos"
name = "Our engine"

[[models]]
id = "{MODEL}"
upstream_id = "lake-1"
name = "Lake 1"
brand = "Ours"
description = "Makes lakes."
scenarios = ["text"]
durations = {{ min = 1, max = 10 }}
audio = "never"
defaults = {{ duration = 4 }}

[models.pricing]
source = "our own price list"
date = 2026-11-21
certainty = "official"
lines = [{{ unit = "second", amount = "0.10" }}]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with two tasks of 40 cents each, whose upstream takes calls and never answers."""
    cards = tmp_path_factory.mktemp("cards")
    (cards / "engine.toml").write_text(CARD)
    silent = socket.create_server(("127.0.0.1", 0))
    set_here = {
        "MESHAPI_CARDS": str(cards),
        "MESHAPI_OPENAI_VIDEOS_BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/v1",
    }
    with pytest.MonkeyPatch.context() as patch, silent:
        for name, value in set_here.items():
            patch.setenv(name, value)
        patch.setattr(server_process, "_KEPT", (*server_process._KEPT, *set_here))
        process = ServerProcess(tmp_path_factory.mktemp("server")).start()
        with MeshAPI(base_url=process.base_url, api_key=process.key) as client:
            for _ in range(2):
                client.videos.generate(model=MODEL, content=[{"type": "text", "text": "A lake"}])
        yield process
        process.stop()


def check_figures(figures: UsageFigures) -> None:
    """Two tasks of 40 cents: nothing spent, everything held, or in doubt where an answer is overdue."""
    assert figures.tasks == 2
    assert Decimal(figures.cost_usd or "x") == 0
    assert Decimal(figures.held_usd or "x") + Decimal(figures.unknown_usd or "x") == Decimal("0.8")
    assert (figures.unknown_usd == "0") == (figures.unknown_tasks == 0)


def check_report(report: UsageReport, today: datetime.date) -> None:
    (entry,) = report
    check_figures(entry)
    check_figures(report.total)
    assert entry.model == MODEL
    assert entry.key_id is None
    assert report.to is not None
    assert datetime.date.fromisoformat(report.to) >= today
    assert report.request_id


def test_usage_is_told_apart_as_asked(server: ServerProcess) -> None:
    today = datetime.datetime.now(datetime.UTC).date()
    with MeshAPI(base_url=server.base_url, api_key=server.key) as client:
        check_report(client.usage.get(by="model"), today)
        (entry,) = client.usage.get(
            from_=today - datetime.timedelta(days=1), to=datetime.datetime.now(datetime.UTC)
        )
        assert entry.key_id is not None
        assert (entry.model, entry.day) == (MODEL, entry.day)
        assert entry.day is not None
        assert datetime.date.fromisoformat(entry.day) >= today - datetime.timedelta(days=1)
        long_ago = client.usage.get(from_="2025-01-01", to="2025-12-31", by=["day", "key"])
        assert (long_ago.from_, long_ago.to, long_ago.data) == ("2025-01-01", "2025-12-31", [])
        assert (long_ago.total.tasks, long_ago.total.cost_usd) == (0, "0")
        table = client.usage.with_raw_response.get(by="model", extra_query={"format": "csv"})
        (row,) = csv.DictReader(io.StringIO(table.body.decode()))
        assert (row["model"], row["tasks"]) == (MODEL, "2")


def test_what_the_server_refuses_names_what_it_takes(server: ServerProcess) -> None:
    with MeshAPI(base_url=server.base_url, api_key=server.key) as client:
        with pytest.raises(UnprocessableEntityError, match="'upstream' is no dimension; use day, key, model"):
            client.usage.get(by=["model", "upstream"])
        with pytest.raises(
            UnprocessableEntityError, match="from must not be after to, nor 366 days before it"
        ):
            client.usage.get(from_="2020-01-01", to="2026-01-01")


async def test_the_asynchronous_client_does_the_same(server: ServerProcess) -> None:
    today = datetime.datetime.now(datetime.UTC).date()
    async with AsyncMeshAPI(base_url=server.base_url, api_key=server.key) as client:
        check_report(await client.usage.get(by="model"), today)


@pytest.mark.slow
def test_go_tells_the_same(server: ServerProcess, go: GoPrograms) -> None:
    today = datetime.datetime.now(datetime.UTC).date()
    ran = go.run("usage", "", "", "model", base_url=server.base_url, key=server.key)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    (row,) = told["data"]
    assert (row.pop("day"), row.pop("key_id")) == ("", "")  # what is not told apart
    check_report(UsageReport.model_validate(told), today)
    ran = go.run("usage", "2025-01-01", "2025-12-31", "day", "key", base_url=server.base_url, key=server.key)
    told = json.loads(ran.stdout)
    assert (told["from"], told["to"], told["data"]) == ("2025-01-01", "2025-12-31", [])
