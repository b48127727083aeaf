"""The fake upstream does what the chaos suite relies on: it remembers, and misbehaves only as told."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from tests.upstreams.dialects import every_dialect
from tests.upstreams.fake import Control, FakeProcess, FakeUpstream, read_log, submits_per_token
from tests.upstreams.fake.script import AFTER, BEFORE, Callbacks

KEY = {"authorization": "Bearer key-of-the-fake"}


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers=KEY) as session:
        yield session


def order(number: int, **fields: Any) -> dict[str, Any]:
    text = {"type": "text", "text": f"number {number}"}
    return {"model": "m", "content": [text], "safety_identifier": f"task_{number}.1", **fields}


def tasks(fake: FakeUpstream) -> str:
    return fake.base_url("byteplus") + "/contents/generations/tasks"


async def submit(client: aiohttp.ClientSession, fake: FakeUpstream, number: int, **fields: Any) -> int | None:
    """The status of a submission; None when the connection broke."""
    try:
        async with client.post(tasks(fake), json=order(number, **fields)) as answer:
            await answer.read()
            return answer.status
    except aiohttp.ClientError:
        return None


@pytest.mark.parametrize("plot", sorted(set(AFTER) - {"hang_after"}))
async def test_an_order_is_in_the_book_though_its_answer_went_wrong(
    fake: FakeUpstream, client: aiohttp.ClientSession, plot: str
) -> None:
    fake.script.next(plot)
    await submit(client, fake, 1)
    assert submits_per_token(fake.log) == Counter({"task_1.1": 1})


@pytest.mark.parametrize("plot", BEFORE)
async def test_an_order_that_was_refused_is_not_in_the_book(
    fake: FakeUpstream, client: aiohttp.ClientSession, plot: str
) -> None:
    fake.script.next(plot)
    status = await submit(client, fake, 1)
    assert status is None or status >= 400
    assert read_log(fake.log) == []


async def test_every_repetition_is_counted(fake: FakeUpstream, client: aiohttp.ClientSession) -> None:
    for number in (1, 2, 1):
        assert await submit(client, fake, number) == 200
    assert submits_per_token(fake.log) == Counter({"task_1.1": 2, "task_2.1": 1})


async def test_2000_orders_at_once_are_all_taken(fake: FakeUpstream, client: aiohttp.ClientSession) -> None:
    statuses = await asyncio.gather(*(submit(client, fake, number) for number in range(2000)))
    assert Counter(statuses) == Counter({200: 2000})
    assert submits_per_token(fake.log) == Counter({f"task_{number}.1": 1 for number in range(2000)})


async def test_chances_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    seen = []
    for run in range(2):
        async with FakeUpstream(tmp_path / f"{run}.jsonl", dialects=every_dialect()) as fake:
            fake.control(Control(seed=7, chances={"rate_limited": 0.2, "reset_before": 0.2}))
            async with aiohttp.ClientSession() as client:
                seen.append([await submit(client, fake, number) for number in range(60)])
    assert seen[0] == seen[1]
    assert {200, 429, None} == set(seen[0])


async def test_the_control_panel_changes_and_shows(fake: FakeUpstream, client: aiohttp.ClientSession) -> None:
    async with client.post(f"{fake.url}/control", json={"next": ["overloaded"], "retry_after": 3}) as answer:
        assert answer.status == 200
    async with client.post(tasks(fake), json=order(1)) as answer:
        assert (answer.status, answer.headers["retry-after"]) == (429, "3")
    await submit(client, fake, 2)
    async with client.post(f"{fake.url}/control", json={"advance": 100}) as answer:
        state = await answer.json()
    assert state["stages"] == {"succeeded": 1}
    assert state["counters"]["accepted"] == 1
    assert state["counters"]["overloaded"] == 1


@pytest.mark.parametrize("wrong", [{"next": ["typhoon"]}, {"chances": {"typhoon": 1}}, {"speeed": 3}, []])
async def test_the_control_panel_refuses_words_it_does_not_know(
    fake: FakeUpstream, client: aiohttp.ClientSession, wrong: Any
) -> None:
    async with client.post(f"{fake.url}/control", json=wrong) as answer:
        assert answer.status == 422


async def test_with_idempotency_a_repetition_gives_the_first_sale(
    fake: FakeUpstream, client: aiohttp.ClientSession
) -> None:
    fake.control(Control(idempotent=True))
    ids = []
    for key in ("k1", "k1", "k2"):
        url = fake.base_url("openai-videos") + "/videos"
        async with client.post(url, json={"prompt": "x"}, headers={"idempotency-key": key}) as answer:
            ids.append((await answer.json())["id"])
    assert ids[0] == ids[1] != ids[2]
    assert submits_per_token(fake.log) == Counter({"k1": 1, "k2": 1})


async def test_time_runs_as_fast_as_it_is_told_to(fake: FakeUpstream) -> None:
    before = fake.clock()
    assert fake.clock() == before
    fake.control(Control(advance=50))
    assert fake.clock() - before == pytest.approx(50)
    fake.control(Control(speed=1_000_000))
    await asyncio.sleep(0.01)
    assert fake.clock() - before > 1_000


async def test_callbacks_are_told_twice_and_out_of_order(
    fake: FakeUpstream, client: aiohttp.ClientSession
) -> None:
    heard: list[str] = []
    all_came = asyncio.Event()

    async def hear(request: web.Request) -> web.Response:
        heard.append((await request.json())["status"])
        if len(heard) == 60:
            all_came.set()
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    fake.control(Control(seed=1, callbacks=Callbacks(twice=1.0, held=1.0, held_for=60.0)))
    for number in range(10):
        await submit(client, fake, number, callback_url=url)
    async with asyncio.timeout(30):
        while not all_came.is_set():
            fake.control(Control(advance=1))
            await asyncio.sleep(0)
    await runner.cleanup()
    assert Counter(heard) == Counter({"queued": 20, "running": 20, "succeeded": 20})
    assert heard != sorted(heard, key=["queued", "running", "succeeded"].index)


async def test_the_book_of_a_fake_that_was_killed_is_whole(tmp_path: Path) -> None:
    process = FakeProcess(tmp_path).start()
    try:
        async with aiohttp.ClientSession() as client:
            url = process.base_url("byteplus") + "/contents/generations/tasks"
            answered = []
            for number in range(50):
                async with client.post(url, json=order(number)) as answer:
                    answered.append((await answer.json())["id"])
            assert process.control()["counters"]["accepted"] == 50
            os.kill(process.pid, signal.SIGKILL)
    finally:
        process.stop()
    assert [entry.reference for entry in read_log(process.log)] == answered
