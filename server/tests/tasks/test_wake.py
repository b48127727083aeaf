"""An upstream's announcement makes us look at once; it decides nothing."""

import asyncio

import pytest

from meshapi_server.tasks import ids
from meshapi_server.tasks.states import State, Status
from meshapi_server.upstreams.contract import Job, Progress

from ..samples import OWNER
from .bench import Bench
from .scripted import FINDS, Gate, ScriptedRemote, lose, running


async def test_an_announcement_while_a_task_sleeps_has_it_looked_at_now(bench: Bench) -> None:
    done = False

    async def poll(reference: str, job: Job) -> Progress:
        return Progress(state="succeeded") if done else await running(reference, job)

    task = await bench.create()
    async with bench.working(ScriptedRemote(poll=poll)):
        await bench.changed(task)
        await bench.rests(task, State.POLLING)
        done = True
        await bench.service.wake(task.id)
        # The clock stands still: nothing but the announcement can have made the task due.
        await bench.reaches(task, State.DONE)
    assert (await bench.task(task.id)).status is Status.SUCCEEDED


async def test_an_announcement_during_a_look_makes_the_next_look_immediate(bench: Bench) -> None:
    looking, answer = asyncio.Event(), asyncio.Event()

    async def slowly(reference: str, job: Job) -> Progress:
        looking.set()
        await answer.wait()
        return await running(reference, job)

    hand = await bench.hand(ScriptedRemote(poll=slowly))
    task = await bench.create()
    await hand.submit()
    look = asyncio.create_task(hand.poll())
    await looking.wait()
    await bench.service.wake(task.id)
    answer.set()
    await look
    assert (await bench.schedule(task)).due == bench.clock()
    await hand.poll()
    assert (await bench.schedule(task)).due == bench.clock() + 60_000


async def test_an_announcement_while_a_submission_is_unknown_has_it_looked_for_now(bench: Bench) -> None:
    upstream = ScriptedRemote(submit=lose, abilities=FINDS)
    hand = await bench.hand(upstream)
    task = await bench.create()
    await hand.submit()
    assert (await bench.schedule(task)).due > bench.clock()
    await bench.service.wake(task.id)
    await hand.reconcile()
    assert len(upstream.finds) == 1


async def test_an_announcement_of_success_is_not_believed(bench: Bench) -> None:
    hand = await bench.hand(ScriptedRemote(poll=running))
    task = await bench.create()
    await hand.submit()
    await bench.service.wake(task.id)
    assert (await bench.task(task.id)).status is Status.PENDING


@pytest.mark.parametrize("state", [State.QUEUED, State.DONE])
async def test_an_announcement_for_a_task_that_no_upstream_has_changes_nothing(
    bench: Bench, state: State
) -> None:
    task = await bench.create()
    if state is State.DONE:
        await bench.service.cancel(OWNER, task.id)
    before = await bench.task(task.id), await bench.store.schedule(task.id)
    await bench.service.wake(task.id)
    assert (await bench.task(task.id), await bench.store.schedule(task.id)) == before


@pytest.mark.parametrize("name", [ids.task_id(), "", "task_", "'; drop table task; --", "x" * 10_000])
async def test_an_announcement_for_an_unknown_id_does_nothing(bench: Bench, name: str) -> None:
    await bench.service.wake(name)
    assert not bench.changes._bell.is_set()


async def test_the_upstream_is_given_a_url_to_announce_changes_to(bench: Bench) -> None:
    upstream = ScriptedRemote(submit=Gate())
    hand = await bench.hand(upstream)
    task = await bench.create()
    sending = asyncio.create_task(hand.submit())
    await bench.until(lambda: len(upstream.submits) == 1)
    assert upstream.submits[0].callback_url == f"https://mesh.example/sandbox/{task.id}"
    sending.cancel()
