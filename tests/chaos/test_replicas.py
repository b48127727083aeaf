"""Two API replicas and three workers on one PostgreSQL behave as one server."""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import pytest
from tests.upstreams.fake import read_log

from .caller import GENERATIONS, Caller
from .cards import model_of
from .cluster import Cluster, Plan, cluster
from .snapshot import TERMINAL, Whole
from .stage import Stage, stage

TEXT = [{"type": "text", "text": "a lake"}]
HEARD_WITHIN = 2.0  # s; without word from the other replica, a waiting one looks again only after 5
ENGINE_SLOTS = 10


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two API processes and three workers, which the tests of this module share; they must drain well."""
    plan = Plan(database="postgres", apis=2, workers=3, slots=100, engine_slots=ENGINE_SLOTS)
    with cluster(tmp_path_factory.mktemp("replicas"), plan) as made:
        made.start()
        yield made
        made.stop()


@pytest.mark.slow
async def test_one_idempotency_key_makes_one_task_whichever_replicas_are_asked(replicas: Cluster) -> None:
    async with stage(replicas) as play:
        bases = [member.base_url for member in play.cluster.apis]

        async def create(key: str, base: str, prompt: str) -> Any:
            body = {"model": "sandbox/instant", "content": [{"type": "text", "text": prompt}]}
            return await play.caller.ask("POST", GENERATIONS, body=body, idempotency_key=key, base=base)

        keys = [f"key-{number}" for number in range(25)]
        calls = [create(key, base, "a lake") for key in keys for base in (*bases, *bases)]
        answers = await asyncio.gather(*calls)
        other = [await create(key, base, "a city") for key in keys[:3] for base in bases]
        stored = (await play.whole()).tasks

    assert {answer.status for answer in answers} == {200}
    ids = [answer.body["id"] for answer in answers]
    by_key = [set(ids[start : start + 4]) for start in range(0, len(ids), 4)]
    assert all(len(each) == 1 for each in by_key)
    assert set(ids) == set(stored)
    assert len(stored) == len(keys)
    assert {answer.status for answer in other} == {422}


@pytest.mark.slow
async def test_limits_of_a_key_and_of_an_upstream_are_exact_over_three_workers(replicas: Cluster) -> None:
    lane, seconds = 3, 1.0
    async with stage(replicas) as play:
        await play.control(running=seconds)
        limited = await play.limited(lane)
        model = model_of("openai-videos")
        first = await play.create(model, 15, limited)
        others = await play.create(model, 40)
        await play.all_ended([*first, *others])
        entries = read_log(play.cluster.upstream.log)

    began = {(entry.token or "").partition(".")[0]: entry.at for entry in entries}
    assert _most_at_once([began[task] for task in (*first, *others)], seconds) == ENGINE_SLOTS
    assert _most_at_once([began[task] for task in first], seconds) == lane


def _most_at_once(beginnings: Sequence[float], seconds: float) -> int:
    """The largest number of works that run at one time, each for so long from its beginning."""
    changes = sorted([(at, 1) for at in beginnings] + [(at + seconds, -1) for at in beginnings])
    most = running = 0
    for _, change in changes:
        running += change
        most = max(most, running)
    return most


@pytest.mark.slow
async def test_the_rate_of_an_upstream_is_exact_over_three_workers(replicas: Cluster) -> None:
    # Ark takes 300 submissions a minute: 30 at once, then one every 222 ms (tasks/limits.py).
    burst, interval = 30, 60_000 / 270
    async with stage(replicas) as play:
        tasks = await play.create(model_of("byteplus"), 60)
        await play.all_ended(tasks)
        whole = await play.whole()

    moments = sorted(_submissions(whole))
    assert len(moments) == len(tasks)
    for first, began in enumerate(moments):
        for last in range(first, len(moments)):
            allowed = burst + (moments[last] - began) / interval + 1
            assert last - first + 1 <= allowed, (first, last, moments[last] - began)
    assert moments[-1] - moments[0] >= (len(tasks) - burst - 1) * interval


def _submissions(whole: Whole) -> list[int]:
    return [line.started_at for lines in whole.attempts.values() for line in lines if line.kind == "submit"]


@pytest.mark.slow
async def test_an_event_stream_tells_of_a_task_that_was_created_at_another_replica(replicas: Cluster) -> None:
    async with stage(replicas) as play:
        here, there = (member.base_url for member in play.cluster.apis)
        await play.control(running=0.5)
        late = []
        for _ in range(6):
            versions, heard_after = await _stream(play, here, there)
            assert versions == sorted(set(versions))
            late.append(heard_after)
    assert max(late) < HEARD_WITHIN, late


async def _stream(play: Stage, here: str, there: str) -> tuple[list[int], float]:
    """Create at one replica and watch at the other; the versions told, and how late the end came (s)."""
    body = {"model": model_of("openai-videos"), "content": TEXT}
    created = await play.caller.ask("POST", GENERATIONS, body=body, base=here)
    task_id = created.body["id"]
    loop = asyncio.get_running_loop()
    ended_here = asyncio.create_task(_ended(play.caller, task_id, here))
    versions, told = [], 0.0
    async for event in play.caller.watch(task_id, 0, base=there):
        versions.append(event.version)
        told = loop.time()
    assert event.task["status"] in TERMINAL
    return versions, told - await ended_here


async def _ended(caller: Caller, task_id: str, base: str) -> float:
    """When a caller who looks all the time sees the end (loop time)."""
    while True:
        answer = await caller.ask("GET", f"{GENERATIONS}/{task_id}", base=base)
        if answer.body["status"] in TERMINAL:
            return asyncio.get_running_loop().time()
        await asyncio.sleep(0.02)


@pytest.mark.slow
async def test_a_long_poll_at_one_replica_ends_when_the_task_does_elsewhere(replicas: Cluster) -> None:
    async with stage(replicas) as play:
        here, there = (member.base_url for member in play.cluster.apis)
        created = await play.caller.ask(
            "POST", GENERATIONS, body={"model": "sandbox/stuck", "content": TEXT}, base=here
        )
        path = f"{GENERATIONS}/{created.body['id']}"
        waiting = asyncio.create_task(play.caller.ask("GET", f"{path}?wait=60", seconds=90, base=there))
        await play.until(lambda look: [row.state for row in look.schedules] == ["polling"])
        cancelled = await play.caller.ask("POST", f"{path}/cancel", base=here)
        answer = await waiting

    assert cancelled.status == answer.status == 200
    assert answer.body["status"] == "failed"
    assert answer.body["error"]["code"] == "cancelled"


@pytest.mark.slow
async def test_lists_and_keys_are_the_same_at_every_replica(replicas: Cluster) -> None:
    async with stage(replicas) as play:
        await play.all_ended(await play.create("sandbox/instant", 30))
        answers = [
            await play.caller.ask("GET", f"{GENERATIONS}?limit=100", base=member.base_url)
            for member in play.cluster.apis
        ]

    pages = [
        [(task["id"], task["status"], task["updated_at"]) for task in each.body["data"]] for each in answers
    ]
    assert all(one == other for one, other in pairwise(pages))
    assert len(pages[0]) == 30
