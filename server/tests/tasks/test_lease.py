"""Holding a claim while work goes on."""

import asyncio
from collections.abc import Awaitable

import pytest

from meshapi_server.tasks.lease import Lease, LeaseGone
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.ports import Store
from meshapi_server.tasks.states import Event, State
from meshapi_server.tasks.task import Claim, Task

from .. import samples
from ..samples import OWNER
from .bench import LOCAL, Bench
from .faulty import FaultyStore
from .scripted import never

LONG = 3600.0  # s: a lease that nobody extends while a test runs


async def claimed(bench: Bench) -> tuple[Task, Claim]:
    """A task that a worker has just claimed to render."""
    task = await bench.create(LOCAL)
    await bench.store.set_pools(samples.pools("mesh", 1))
    now = bench.clock()
    (claim,) = await bench.store.claim(
        Event.CLAIM_RENDER, upstreams=("mesh",), worker="w", now=now, lease_until=now + 30_000, limit=1
    )
    return task, claim


def lease(bench: Bench, claim: Claim, seconds: float = LONG, store: Store | None = None) -> Lease:
    return Lease(store or bench.store, bench.changes, bench.clock, claim, seconds, quiet=0)


async def gone(holding: Awaitable[object]) -> None:
    with pytest.raises(LeaseGone):
        await asyncio.wait_for(holding, 10)


async def test_work_on_a_task_that_was_cancelled_before_it_began_stops_at_once(bench: Bench) -> None:
    task, claim = await claimed(bench)
    await bench.service.cancel(OWNER, task.id)
    await gone(lease(bench, claim).hold(never))


async def test_work_on_a_task_that_somebody_else_took_over_stops_at_once(bench: Bench) -> None:
    _, claim = await claimed(bench)
    bench.pass_time(31)
    await bench.reap()
    await gone(lease(bench, claim).hold(never))


async def test_work_stops_when_the_task_is_cancelled(bench: Bench) -> None:
    task, claim = await claimed(bench)
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        await never()

    holding = asyncio.create_task(lease(bench, claim).hold(work))
    await begun.wait()
    await bench.service.cancel(OWNER, task.id)
    await gone(holding)


async def test_word_that_another_process_changed_the_task_is_checked_and_not_spread(bench: Bench) -> None:
    task, claim = await claimed(bench)
    holding = asyncio.create_task(lease(bench, claim).hold(never))
    with bench.changes.subscribe(task.id) as heard:
        await asyncio.sleep(0.01)
        bench.changes._heard(task.id)
        await asyncio.sleep(0.05)
        assert heard.get_nowait() is None
        assert heard.empty()
    assert not holding.done()
    await bench.store.cancel(OWNER, task.id, bench.clock())
    bench.changes._heard(task.id)
    await gone(holding)


async def test_a_store_that_is_away_for_a_moment_does_not_stop_the_work(bench: Bench) -> None:
    _, claim = await claimed(bench)
    store = FaultyStore(bench.store)
    held = lease(bench, claim, store=store.port)

    async def work() -> str:
        store.fail("step")
        await held.report(0.25)
        store.mend()
        await held.report(0.5)
        return "made"

    assert await held.hold(work) == "made"
    assert (await bench.task(claim.task.id)).progress == 0.5


async def test_progress_that_the_caller_would_not_see_is_not_announced(bench: Bench) -> None:
    task, claim = await claimed(bench)
    held = lease(bench, claim)
    with bench.changes.subscribe(task.id) as heard:
        await held.report(0.5)
        await held.report(0.5)
        assert heard.qsize() == 1


async def test_whoever_comes_back_before_anybody_took_over_holds_the_task_again(bench: Bench) -> None:
    task, claim = await claimed(bench)
    await bench.store.step(task.id, Step(event=Event.PROGRESSED, attempt=1), bench.clock())
    assert (await bench.schedule(task)).worker is None
    await lease(bench, claim).report(0.5)
    assert (await bench.schedule(task)).worker == "w"
    assert await bench.state(task) is State.RENDERING
