"""Several stores on one PostgreSQL, as several processes would have them: they behave as one."""

import asyncio
import random
from collections import Counter

import asyncpg
import pytest

from meshapi_server.store.planned import PlannedStore
from meshapi_server.store.postgres_connections import Connections
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.limits import Pool
from meshapi_server.tasks.ports import Query
from meshapi_server.tasks.states import Event
from meshapi_server.tasks.task import Task

from .. import samples
from ..samples import LOCAL, NOW, OWNER, REMOTE
from .conftest import Accept, Another, Sql, Take
from .test_tally import COUNTED, KEPT

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)

USED = """
select pool.name, pool.used, (select count(*) from schedule
  where (pool.name = 'upstream:' || schedule.upstream or pool.name = schedule.lane) and state <> 'queued')
from pool order by 1
"""


async def test_stores_that_claim_at_once_never_get_the_same_task(
    store: PlannedStore, another: Another, accept: Accept, take: Take
) -> None:
    await store.set_pools(samples.pools(REMOTE, 1000))
    tasks = [await accept() for _ in range(120)]
    stores = [store, await another(), await another()]
    taken: list[str] = []
    while len(taken) < len(tasks):
        groups = await asyncio.gather(*(take(on=each, limit=7) for each in stores))
        taken += [claim.task.id for group in groups for claim in group]
        assert any(groups)
    assert sorted(taken) == sorted(task.id for task in tasks)


async def test_stores_that_claim_at_once_never_exceed_the_slots(
    store: PlannedStore, another: Another, accept: Accept, take: Take
) -> None:
    await store.set_pools([*samples.pools(REMOTE, 5), Pool(name="key:1", capacity=2)])
    for number in range(40):
        await accept(lane="key:1" if number % 2 else "")
    stores = [store, await another(), await another()]
    groups = await asyncio.gather(*(take(on=each) for each in stores * 3))
    lanes = Counter(claim.schedule.lane for group in groups for claim in group)
    assert lanes == {"": 3, "key:1": 2}


async def test_creates_at_once_with_one_key_make_one_task(store: PlannedStore, another: Another) -> None:
    stores = [store, await another(), await another()]
    for number in range(10):
        key = samples.idempotency(f"key-{number}")
        made = await asyncio.gather(
            *(
                each.create(task, samples.schedule_of(task), b"%d" % index, key)
                for index, each in enumerate(stores * 2)
                for task in [samples.task()]
            )
        )
        assert len({(answer.task_id, answer.response) for answer in made}) == 1
        assert [answer.replayed for answer in made].count(False) == 1
    assert (await store.page(OWNER, Query())).total == 10


async def test_a_task_that_one_store_holds_is_looked_at_by_none_other(
    store: PlannedStore, another: Another, accept: Accept, take: Take
) -> None:
    await store.set_pools(samples.pools(REMOTE, 10))
    await accept()
    (claim,) = await take()
    other = await another()
    accepted = Step(event=Event.ACCEPTED, attempt=claim.schedule.attempt, upstream_ref="up", due=NOW)
    assert await other.step(claim.task.id, accepted, NOW) is not None
    looks = await asyncio.gather(*(take(Event.CLAIM_POLL, on=each) for each in (store, other) * 4))
    assert sum(map(len, looks)) == 1


async def test_savers_that_share_pools_never_deadlock_and_count_right(
    store: PlannedStore, another: Another, accept: Accept, sql: Sql, take: Take
) -> None:
    lanes = ["", "key:1", "key:2", "key:3"]
    await store.set_pools(
        [
            *samples.pools(REMOTE, 500),
            *samples.pools(LOCAL, 500),
            *(Pool(name=lane) for lane in lanes if lane),
        ]
    )
    stores = [store, await another(), await another()]
    chance = random.Random(3)  # the same moves in every run
    tasks = [
        await accept(upstream=chance.choice((REMOTE, LOCAL)), lane=chance.choice(lanes)) for _ in range(150)
    ]

    async def worker(on: PlannedStore) -> None:
        while True:
            claims = await on.claim(
                Event.CLAIM_SUBMIT,
                upstreams=(REMOTE, LOCAL),
                worker="w",
                now=NOW,
                lease_until=NOW + 1,
                limit=chance.randint(1, 9),
            )
            if not claims:
                return
            chance.shuffle(claims)
            await asyncio.gather(*(save(on, claim.task, claim.schedule.attempt) for claim in claims))

    async def save(on: PlannedStore, task: Task, attempt: int) -> None:
        accepted = Step(event=Event.ACCEPTED, attempt=attempt, running=True, upstream_ref="up", due=NOW + 1)
        assert await on.step(task.id, accepted, NOW) is not None
        other = chance.choice(stores)
        await asyncio.gather(
            other.cancel(OWNER, task.id, NOW),
            on.step(task.id, Step(event=Event.FAILED), NOW),
            other.wake(task.id, NOW),
        )

    await asyncio.gather(*(worker(each) for each in stores * 2))
    assert {(await store.get(OWNER, task.id)).ended for task in tasks} == {True}  # type: ignore[union-attr]
    assert [(used, counted) for _, used, counted in await sql(USED) if used != counted] == []
    assert await sql(KEPT) == await sql(COUNTED)
    assert await sql("select deadlocks from pg_stat_database where datname = current_database()") == [(0,)]


async def test_one_call_that_the_database_refuses_spoils_nobody_elses(store: PlannedStore) -> None:
    taken = samples.task()
    await store.create(taken, samples.schedule_of(taken), b"{}", None)
    tasks = [samples.task() for _ in range(20)]
    tasks.insert(10, taken)
    made = await asyncio.gather(
        *(store.create(task, samples.schedule_of(task), b"{}", None) for task in tasks),
        return_exceptions=True,
    )
    assert [type(answer) for answer in made if isinstance(answer, Exception)] == [
        asyncpg.UniqueViolationError
    ]
    assert (await store.page(OWNER, Query())).total == 21


@pytest.mark.slow
async def test_a_process_that_stops_in_the_middle_of_a_transaction_does_not_hold_up_the_others(
    database: str, store: PlannedStore, accept: Accept, take: Take
) -> None:
    await store.set_pools(samples.pools(REMOTE, 10))
    await accept()
    frozen = await Connections(database).connect()
    await frozen.execute("begin")
    await frozen.fetch("select * from pool for update")
    # Nothing more comes from it, as if it had been stopped by a signal.
    assert len(await take()) == 1
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await frozen.execute("commit")
    frozen.terminate()
