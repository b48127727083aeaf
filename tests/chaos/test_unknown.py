"""Submissions whose answer was lost: they hold their slots for a while, and never for good."""

import asyncio
from collections import Counter

import pytest

from .cards import model_of
from .conftest import SetUp

SLOTS = 50
MODEL = model_of("openai-videos")


@pytest.mark.slow
async def test_fifty_unknown_tasks_do_not_stall_an_upstream_of_fifty_slots(
    set_up: SetUp, database: str
) -> None:
    plan = {"apis": 1, "workers": 1, "slots": SLOTS, "submits_at_once": SLOTS, "reconcile_within": 6.0}
    async with set_up(database=database, lease=4.0, **plan) as stage:
        await stage.control(latency=(2.0, 2.0))
        lost = await stage.create(MODEL, SLOTS)
        await stage.until(lambda look: sum(row.state == "sending" for row in look.schedules) == SLOTS)
        victim = stage.cluster.workers[0]
        await asyncio.to_thread(victim.kill)
        await asyncio.to_thread(victim.start)
        look = await stage.until(lambda look: all(row.state == "unknown" for row in look.schedules))
        await stage.control(latency=(0.0, 0.0))
        waiting = await stage.create(MODEL, 20)
        ended = await stage.all_ended(waiting)
        given_up = await stage.all_ended(lost)
        still = await stage.until(lambda look: not look.schedules)

    assert look.pools["upstream:openai-videos"].used == SLOTS
    assert [task["status"] for task in ended] == ["succeeded"] * len(waiting)
    assert Counter(task["error"]["code"] for task in given_up) == {"submission_unknown": SLOTS}
    assert still.pools["upstream:openai-videos"].used == 0
    assert max(stage.accepted().values()) == 1
