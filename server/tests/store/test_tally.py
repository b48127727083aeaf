"""Totals: kept by the transactions, and never other than what counting finds."""

import asyncio
import random

import pytest

from meshapi_server.store import looking
from meshapi_server.store.planned import PlannedStore
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.ports import Query
from meshapi_server.tasks.states import Event, Status
from meshapi_server.tasks.task import Outcome, TaskError

from .. import samples
from ..samples import NOW, OWNER, REMOTE
from .conftest import Accept, Another, Sql, Take

COUNTED = """
select owner, requested_model, model, status, coalesce(error_code, ''), count(*) from task
group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
"""
KEPT = """
select owner, requested_model, model, status, error_code, cast(sum(tasks) as bigint) from tally
group by 1, 2, 3, 4, 5 having sum(tasks) <> 0 order by 1, 2, 3, 4, 5
"""


async def test_after_anything_that_may_happen_the_tally_is_what_counting_finds(
    store: PlannedStore, accept: Accept, take: Take, sql: Sql, another: Another
) -> None:
    chance = random.Random(7)  # the same moves in every run
    other = await another()
    await store.set_pools(samples.pools(REMOTE, 100))

    async def one(number: int) -> None:
        on = chance.choice((store, other))
        task = await accept(
            owner=chance.choice((OWNER, "own_2")),
            model=chance.choice(("m/a", "m/b")),
            key=samples.idempotency(f"k{number % 30}"),
        )
        error = TaskError(code="upstream_error", message="no")
        end = chance.choice(("cancel", "expire", "fail", "leave", "delete"))
        if end in {"cancel", "delete"}:
            await on.cancel(task.owner, task.id, NOW)
        elif end == "expire":
            await on.step(task.id, Step(event=Event.EXPIRED), NOW)
        elif end == "fail":
            await on.step(task.id, Step(event=Event.FAILED, outcome=Outcome(error=error)), NOW)
        if end == "delete":
            await on.delete(task.owner, task.id, NOW)

    await asyncio.gather(*(one(number) for number in range(60)))
    for claim in await take(limit=10):
        accepted = Step(event=Event.ACCEPTED, attempt=claim.schedule.attempt, running=True, upstream_ref="up")
        await other.step(claim.task.id, accepted, NOW)
    counted = await sql(COUNTED)
    assert len(counted) > 8
    assert await sql(KEPT) == counted
    for owner in (OWNER, "own_2"):
        running = Query(statuses=(Status.RUNNING,))
        assert (await store.page(owner, running)).total == sum(
            row[5] for row in counted if row[0] == owner and row[3] == "running"
        )
        assert (await store.page(owner, Query())).total == sum(row[5] for row in counted if row[0] == owner)


async def test_a_create_that_is_a_replay_is_not_counted(store: PlannedStore) -> None:
    key = samples.idempotency()
    for _ in range(3):
        task = samples.task()
        await store.create(task, samples.schedule_of(task), b"{}", key)
    assert (await store.page(OWNER, Query())).total == 1


async def test_a_filter_that_must_count_one_by_one_stops_at_a_limit(
    store: PlannedStore, accept: Accept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "TOTAL_COUNTED", 3)
    for _ in range(5):
        await accept(spec=samples.spec(metadata={"a": "1"}))
    counting = Query(created_after=NOW, limit=1)
    assert (await store.page(OWNER, counting)).total == 3
    assert (await store.page(OWNER, Query(metadata=(("a", "1"),), limit=1))).total == 3
    assert (await store.page(OWNER, Query(limit=1))).total == 5
    assert (await store.page(OWNER, counting)).has_more
