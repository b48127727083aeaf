"""Workers that die, freeze or fall behind: their tasks are taken over, and they change nothing later."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from meshapi_server.tasks.changes import Changes
from meshapi_server.tasks.limits import Pool
from meshapi_server.tasks.rendering import RenderDriver
from meshapi_server.tasks.states import Event, State, Status
from meshapi_server.tasks.task import Claim
from meshapi_server.upstreams.contract import Job, LocalUpstream, Progress, Rendered

from .bench import LEASE, LOCAL, Bench
from .scripted import REFUSAL, Gate, ScriptedLocal, ScriptedRemote, deliver, never, running


class Freeze:
    """Something that the upstream says only when the test lets it."""

    def __init__(self) -> None:
        self.asked, self._answer = asyncio.Event(), asyncio.Event()

    async def wait(self) -> None:
        self.asked.set()
        await self._answer.wait()

    def thaw(self) -> None:
        self._answer.set()


async def begun(bench: Bench, upstream: ScriptedLocal, name: str) -> Coroutine[Any, Any, None]:
    """The render of the one task that waits, claimed by a worker in a process of its own."""
    await bench.store.set_pools([Pool(name="upstream:mesh", capacity=1)])
    now = bench.clock()
    (claim,) = await bench.store.claim(
        Event.CLAIM_RENDER, upstreams=("mesh",), worker=name, now=now, lease_until=now + 30_000, limit=1
    )
    local: dict[str, LocalUpstream] = {"mesh": upstream}
    driver = RenderDriver(bench.store, bench.files, Changes(), bench.clock, bench.jobs(), local, LEASE)
    return driver.render(claim)


async def test_a_worker_that_starts_alone_takes_over_what_a_killed_one_held(bench: Bench) -> None:
    rendered, sent = await bench.create(LOCAL), await bench.create()
    killed = bench.worker(ScriptedLocal(never), ScriptedRemote(submit=never))  # type: ignore[arg-type]
    await killed.prepare(alone=True)
    loop = asyncio.create_task(killed.run())
    await bench.reaches(rendered, State.RENDERING)
    await bench.reaches(sent, State.SENDING)
    loop.cancel()
    remote = ScriptedRemote()
    async with bench.working(ScriptedLocal(), remote):
        assert (await bench.ended(rendered)).status is Status.SUCCEEDED
        assert await bench.state(sent) is State.UNKNOWN
    assert remote.submits == []


async def test_a_worker_among_others_takes_over_when_the_lease_is_over_and_not_before(bench: Bench) -> None:
    hand = await bench.hand(ScriptedRemote(poll=running))
    task = await bench.create()
    await hand.submit()
    await hand.take(Event.CLAIM_POLL)  # and is killed
    worker = bench.worker(upstream := ScriptedRemote(poll=running))
    await worker.prepare(alone=False)
    loop = asyncio.create_task(worker.run())
    bench.pass_time(LEASE - 1)
    await bench.turns()
    assert upstream.polls == 0
    bench.pass_time(1.001)
    await bench.until(lambda: upstream.polls == 1)
    await asyncio.wait_for(worker.stop(), 10)
    await loop
    assert await bench.state(task) is State.POLLING


@pytest.mark.parametrize("answer", ["running", "succeeded", "failed"])
async def test_a_frozen_look_says_nothing_when_another_worker_has_looked_since(
    bench: Bench, answer: str
) -> None:
    freeze = Freeze()

    async def frozen_poll(reference: str, job: Job) -> Progress:
        await freeze.wait()
        return Progress(state=answer, fraction=0.9, error=REFUSAL)  # type: ignore[arg-type]

    frozen = await bench.hand(ScriptedRemote(poll=frozen_poll), "frozen")
    other = await bench.hand(ScriptedRemote(poll=running), "other")
    task = await bench.create()
    await frozen.submit()
    looking = asyncio.create_task(frozen.poll())
    await freeze.asked.wait()
    bench.pass_time(LEASE + 1)
    await bench.reap()
    await other.poll()
    before = await bench.task(task.id), await bench.schedule(task)
    freeze.thaw()
    await looking
    assert (await bench.task(task.id), await bench.schedule(task)) == before


async def test_a_frozen_render_says_nothing_when_another_worker_has_begun_it(bench: Bench) -> None:
    freeze, slow = Freeze(), Freeze()

    async def frozen_draw(workspace: Path, report: object) -> Rendered:
        await freeze.wait()
        return await deliver(workspace)

    async def slow_draw(workspace: Path, report: object) -> Rendered:
        await slow.wait()
        return await deliver(workspace)

    task = await bench.create(LOCAL)
    frozen = asyncio.create_task(await begun(bench, ScriptedLocal(frozen_draw), "frozen"))
    await freeze.asked.wait()
    bench.pass_time(LEASE + 1)
    await bench.reap()
    other = asyncio.create_task(await begun(bench, ScriptedLocal(slow_draw), "other"))
    await slow.asked.wait()
    freeze.thaw()
    await frozen
    row = await bench.schedule(task)
    assert (row.state, row.attempt, row.worker) == (State.RENDERING, 2, "other")
    slow.thaw()
    await other
    assert (await bench.task(task.id)).status is Status.SUCCEEDED


async def test_a_frozen_cancel_says_nothing_when_another_worker_tells_the_upstream(bench: Bench) -> None:
    freeze, slow = Freeze(), Freeze()

    async def stopping(reference: str) -> bool:
        await freeze.wait()
        return True

    async def telling(reference: str) -> bool:
        await slow.wait()
        return True

    frozen = await bench.hand(ScriptedRemote(poll=running, cancel=stopping), "frozen")
    other = await bench.hand(ScriptedRemote(poll=running, cancel=telling), "other")
    task = await bench.create()
    await frozen.submit()
    await bench.service.cancel(task.owner, task.id)
    first = asyncio.create_task(frozen.cancel())
    await freeze.asked.wait()
    bench.pass_time(LEASE + 1)
    await bench.reap()
    second = asyncio.create_task(other.cancel())
    await slow.asked.wait()
    freeze.thaw()
    await first
    assert (await bench.schedule(task)).worker == "other"
    slow.thaw()
    await second
    assert await bench.state(task) is State.DONE


async def test_two_workers_never_hold_the_same_task(bench: Bench) -> None:
    tasks = [await bench.create() for _ in range(20)]
    hands = [await bench.hand(ScriptedRemote(capacity=100), name) for name in ("one", "two")]

    async def grab(hand_number: int) -> list[Claim]:
        return [await hands[hand_number].take(Event.CLAIM_SUBMIT) for _ in range(10)]

    claims = [claim for group in await asyncio.gather(grab(0), grab(1)) for claim in group]
    assert sorted(claim.task.id for claim in claims) == sorted(task.id for task in tasks)


async def test_a_worker_frozen_in_the_paid_call_never_leads_to_a_second_one(bench: Bench) -> None:
    gate = Gate()
    upstream = ScriptedRemote(submit=gate, poll=running)
    frozen = await bench.hand(upstream, "frozen")
    task = await bench.create()
    sending = asyncio.create_task(frozen.submit())
    await gate.asked()
    bench.pass_time(LEASE + 1)
    async with bench.working(upstream):
        await bench.rests(task, State.UNKNOWN)
        await bench.turns()
        gate.open()
        await sending
        await bench.reaches(task, State.POLLING)
    assert len(upstream.submits) == 1
