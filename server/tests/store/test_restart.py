"""The database goes away in the middle of everything: answers are kept, and nothing happens twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from meshapi_server.store.faults import DatabaseDown
from meshapi_server.store.postgres import PostgresStore
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.ports import Query
from meshapi_server.tasks.states import Event, State
from postgres_server import PostgresServer, running

from .. import samples
from ..samples import NOW, OWNER, REMOTE
from .test_shared import USED
from .test_tally import COUNTED, KEPT


@pytest.fixture
def fragile() -> Iterator[PostgresServer]:
    """A PostgreSQL to be killed; a process that is killed keeps what it gave to the system, synced or not."""
    with running(fsync=False) as server:
        yield server


@pytest.fixture
async def fragile_stores(fragile: PostgresServer) -> AsyncIterator[list[PostgresStore]]:
    """Three stores on it."""
    url = fragile.fresh_database()
    stores = [PostgresStore(url, patience=120) for _ in range(3)]
    async with AsyncExitStack() as stack:
        for store in stores:
            await store.open()
            stack.push_async_callback(store.close)
        yield stores


class Customers:
    """Call the stores all the time, and remember every answer that they got."""

    def __init__(self, stores: list[PostgresStore]) -> None:
        self.stores = stores
        self.created: list[str] = []
        self.submits: Counter[str] = Counter()
        self.polls: Counter[str] = Counter()
        self.ended: dict[str, int] = {}
        self.stopping = False

    async def create(self, store: PostgresStore) -> None:
        while not self.stopping:
            task = samples.task(spec=samples.spec(metadata={"n": str(len(self.created))}))
            created = await store.create(task, samples.schedule_of(task), b"{}", samples.idempotency(task.id))
            assert not created.replayed
            self.created.append(created.task_id)

    async def work(self, store: PostgresStore) -> None:
        while not self.stopping:
            for claim in await self._claim(store, Event.CLAIM_SUBMIT):
                self.submits[claim[0]] += 1
                accepted = Step(event=Event.ACCEPTED, attempt=claim[1], upstream_ref="up", due=NOW)
                assert await store.step(claim[0], accepted, NOW) is not None
            for claim in await self._claim(store, Event.CLAIM_POLL):
                self.polls[claim[0]] += 1
                last = self.polls[claim[0]] >= 4
                event = Event.FAILED if last else Event.PROGRESSED
                moved = await store.step(claim[0], Step(event=event, attempt=claim[1], due=NOW), NOW)
                if last and moved is not None:
                    self.ended[claim[0]] = moved.version

    async def _claim(self, store: PostgresStore, event: Event) -> list[tuple[str, int]]:
        claims = await store.claim(
            event, upstreams=(REMOTE,), worker="w", now=NOW, lease_until=NOW + 10**9, limit=8
        )
        return [(claim.task.id, claim.schedule.attempt) for claim in claims]


@pytest.mark.slow
async def test_a_database_that_is_killed_and_restarted_loses_and_doubles_nothing(
    fragile: PostgresServer, fragile_stores: list[PostgresStore]
) -> None:
    customers = Customers(fragile_stores)
    await fragile_stores[0].set_pools(samples.pools(REMOTE, 40))
    everyone = [asyncio.create_task(customers.create(each)) for each in fragile_stores for _ in range(3)]
    everyone += [asyncio.create_task(customers.work(each)) for each in fragile_stores[:2]]
    for _ in range(3):
        enough = len(customers.created) + 60
        while len(customers.created) < enough:
            await asyncio.sleep(0.01)
            for task in everyone:
                assert not task.done(), task.result()
        await asyncio.to_thread(fragile.kill)
        await asyncio.to_thread(fragile.launch)
    await asyncio.to_thread(fragile.restart)
    enough = len(customers.created) + 30
    while len(customers.created) < enough or not customers.ended:  # noqa: ASYNC110 - nobody announces it
        await asyncio.sleep(0.01)
    customers.stopping = True
    await asyncio.gather(*everyone)

    store = fragile_stores[2]
    assert max(customers.submits.values()) == 1
    assert (await store.page(OWNER, Query())).total == len(customers.created) == len(set(customers.created))
    for task_id in customers.created:
        task = await store.get(OWNER, task_id)
        assert task is not None
        schedule = await store.schedule(task_id)
        if task_id in customers.ended:
            assert (schedule, task.version) == (None, customers.ended[task_id])
        else:
            assert schedule is not None
            assert schedule.attempt == customers.submits[task_id] + customers.polls[task_id]
            assert schedule.polls == customers.polls[task_id]
            assert (schedule.state is State.QUEUED) == (task_id not in customers.submits)
    used = await store._read(lambda database: database.fetch(USED))
    assert [tuple(row) for row in used if row[1] != row[2]] == []
    kept = await store._read(lambda database: database.fetch(KEPT))
    assert kept == await store._read(lambda database: database.fetch(COUNTED))


async def test_a_store_whose_database_stays_away_tells_its_callers_and_closes(
    fragile: PostgresServer,
) -> None:
    store = PostgresStore(fragile.fresh_database(), patience=0.2)
    await store.open()
    task = samples.task()
    await store.create(task, samples.schedule_of(task), b"{}", None)
    fragile.kill()
    with pytest.raises(DatabaseDown):
        await store.get(OWNER, task.id)
    other = samples.task()
    with pytest.raises(DatabaseDown):
        await store.create(other, samples.schedule_of(other), b"{}", None)
    # An answer of an upstream is held on to for longer, but not when the server is to end.
    answer = asyncio.create_task(store.step(task.id, Step(event=Event.FAILED), NOW))
    await asyncio.sleep(0)
    await store.close()
    with pytest.raises(DatabaseDown):
        await answer
    fragile.launch()
