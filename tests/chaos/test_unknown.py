"""Submissions whose answer was lost: they hold their slots for a while, and never for good."""

from collections import Counter

import pytest

from .cards import model_of
from .conftest import SetUp

SLOTS = 50
MODEL = model_of("byteplus")


@pytest.mark.slow
async def test_fifty_unknown_tasks_do_not_stall_an_upstream_of_fifty_slots(
    set_up: SetUp, database: str
) -> None:
    async with set_up(database=database, apis=1, workers=1, slots=SLOTS, reconcile_within=15.0) as stage:
        # The connection breaks after the order was sent: accepted or not, nobody can tell, and none is found.
        await stage.control(next=["reset_before"] * SLOTS)
        lost = await stage.create(MODEL, SLOTS)
        full = await stage.until(lambda look: sum(row.state == "unknown" for row in look.schedules) == SLOTS)
        waiting = await stage.create(MODEL, 20)
        ended = await stage.all_ended(waiting)
        given_up = await stage.all_ended(lost)
        still = await stage.until(lambda look: not look.schedules)

    assert full.pools["upstream:byteplus"].used == SLOTS
    assert [task["status"] for task in ended] == ["succeeded"] * len(waiting)
    assert Counter(task["error"]["code"] for task in given_up) == {"submission_unknown": SLOTS}
    assert {task["charged"] for task in given_up} == {"unknown"}
    assert still.pools["upstream:byteplus"].used == 0
    assert stage.accepted() == Counter(waiting)
