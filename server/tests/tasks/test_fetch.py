"""Results are in our own storage before a task succeeds."""

import asyncio
from pathlib import Path

import pytest

from meshapi_server.tasks.states import State, Status
from meshapi_server.tasks.task import Task
from meshapi_server.upstreams.contract import Deferred, Facts, Job, Progress, Rejected, Rendered

from ..samples import OWNER
from .bench import LEASE, Bench, Hand
from .scripted import REFUSAL, ScriptedRemote, deliver


async def ready(bench: Bench, hand: Hand) -> Task:
    """A task whose upstream is done, and whose result is due to be fetched."""
    task = await bench.create()
    await hand.submit()
    await hand.poll()
    assert await bench.state(task) is State.FETCHING
    return task


async def test_a_task_whose_upstream_is_done_is_running_until_its_result_is_stored(bench: Bench) -> None:
    hand = await bench.hand(ScriptedRemote())
    task = await ready(bench, hand)
    assert (await bench.task(task.id)).status is Status.RUNNING
    assert bench.files.path(task.id, "video.mp4") is None
    await hand.fetch()
    ended = await bench.task(task.id)
    assert ended.outcome.video is not None
    assert (ended.status, ended.outcome.video.size) == (Status.SUCCEEDED, len(b"a video"))
    assert bench.files.path(task.id, "video.mp4") is not None


async def test_a_fetch_that_fails_is_repeated_ever_more_slowly(bench: Bench) -> None:
    async def broken(workspace: Path) -> Rendered:
        raise ConnectionError

    hand = await bench.hand(ScriptedRemote(fetch=broken))
    task = await ready(bench, hand)
    waits = []
    for _ in range(4):
        await hand.fetch()
        waits.append((await bench.schedule(task)).due - bench.clock())
        bench.pass_time(waits[-1] / 1000)
    assert waits == [500, 1_000, 2_000, 4_000]


async def test_a_failed_fetch_after_many_looks_is_repeated_within_a_second(bench: Bench) -> None:
    async def slowly(reference: str, job: Job) -> Progress:
        return Progress(state="running" if upstream.polls < 8 else "succeeded", look_again_in=0)

    async def broken(workspace: Path) -> Rendered:
        raise ConnectionError

    upstream = ScriptedRemote(poll=slowly, fetch=broken)
    hand = await bench.hand(upstream)
    task = await bench.create()
    await hand.submit()
    for _ in range(8):
        await hand.poll()
    await hand.fetch()
    assert (await bench.schedule(task)).due == bench.clock() + 500


async def test_a_look_and_a_fetch_that_break_once_do_not_keep_a_task_from_its_end(bench: Bench) -> None:
    broken = {"poll", "fetch"}

    async def poll(reference: str, job: Job) -> Progress:
        if "poll" in broken:
            broken.remove("poll")
            raise TimeoutError
        return Progress(state="succeeded")

    async def fetch(workspace: Path) -> Rendered:
        if "fetch" in broken:
            broken.remove("fetch")
            raise ConnectionError
        return await deliver(workspace)

    task = await bench.create()
    async with bench.working(ScriptedRemote(poll=poll, fetch=fetch)):
        assert (await bench.ended(task)).status is Status.SUCCEEDED
    assert broken == set()


async def test_an_upstream_that_asks_to_be_asked_later_for_the_result_is(bench: Bench) -> None:
    async def busy(workspace: Path) -> Rendered:
        raise Deferred("busy", retry_after=44)

    hand = await bench.hand(ScriptedRemote(fetch=busy))
    task = await ready(bench, hand)
    await hand.fetch()
    assert (await bench.schedule(task)).due == bench.clock() + 44_000


async def test_a_result_that_cannot_be_had_for_good_fails_the_task_with_the_reason(bench: Bench) -> None:
    async def gone(workspace: Path) -> Rendered:
        raise Rejected(REFUSAL)

    hand = await bench.hand(ScriptedRemote(fetch=gone))
    task = await ready(bench, hand)
    await hand.fetch()
    assert await bench.error(task) == REFUSAL


async def test_a_lease_is_extended_while_a_fetch_takes_longer_than_it(bench: Bench) -> None:
    gate = asyncio.Event()

    async def slow(workspace: Path) -> Rendered:
        await gate.wait()
        return await deliver(workspace)

    task = await bench.create()
    async with bench.working(ScriptedRemote(fetch=slow), lease=0.3):
        await bench.reaches(task, State.FETCHING)
        await bench.until(lambda: _held(bench, task))
        for _ in range(4):
            held = (await bench.schedule(task)).lease_until
            bench.pass_time(0.2)
            await bench.until(lambda held=held: _extended(bench, task, held))  # type: ignore[misc]
        gate.set()
        assert (await bench.ended(task)).status is Status.SUCCEEDED
    assert [line.kind for line in await bench.lines(task)] == ["submit", "poll", "fetch"]


async def test_a_frozen_worker_that_wakes_after_another_finished_does_not_touch_the_result(
    bench: Bench,
) -> None:
    gate, asked = asyncio.Event(), asyncio.Event()

    async def freeze(workspace: Path) -> Rendered:
        asked.set()
        await gate.wait()
        video = workspace / "made.mp4"
        video.write_bytes(b"another encoding of it")
        return Rendered(video=video, facts=Facts(seed=8))

    frozen = await bench.hand(ScriptedRemote(fetch=freeze), "frozen")
    other = await bench.hand(ScriptedRemote(), "other")
    task = await ready(bench, frozen)
    fetching = asyncio.create_task(frozen.fetch())
    await asked.wait()
    bench.pass_time(LEASE + 1)
    await bench.reap()
    await other.fetch()
    ended = await bench.task(task.id)
    gate.set()
    await fetching
    stored = bench.files.path(task.id, "video.mp4")
    assert stored is not None
    assert stored.read_bytes() == b"a video"
    assert await bench.task(task.id) == ended


async def test_a_result_that_comes_after_the_cancel_is_not_kept(bench: Bench, tmp_path: Path) -> None:
    gate, asked = asyncio.Event(), asyncio.Event()

    async def slow(workspace: Path) -> Rendered:
        asked.set()
        await gate.wait()
        return await deliver(workspace)

    hand = await bench.hand(ScriptedRemote(fetch=slow))
    task = await ready(bench, hand)
    fetching = asyncio.create_task(hand.fetch())
    await asked.wait()
    # Straight at the store, without an announcement: the worker learns of it when it is done.
    await bench.store.cancel(OWNER, task.id, bench.clock())
    gate.set()
    await fetching
    assert list((tmp_path / "files").iterdir()) == []
    assert list((tmp_path / "work").glob("*/*")) == []


@pytest.mark.parametrize("fault", [ConnectionError(), Rejected(REFUSAL), Deferred("busy", retry_after=1)])
async def test_a_workspace_is_cleared_whatever_happens(
    bench: Bench, tmp_path: Path, fault: Exception
) -> None:
    async def half(workspace: Path) -> Rendered:
        (workspace / "half.mp4").write_bytes(b"half a video")
        raise fault

    hand = await bench.hand(ScriptedRemote(fetch=half))
    await ready(bench, hand)
    await hand.fetch()
    assert list((tmp_path / "work").glob("*/*")) == []


async def _held(bench: Bench, task: Task) -> bool:
    return (await bench.schedule(task)).worker is not None


async def _extended(bench: Bench, task: Task, held: int) -> bool:
    return (await bench.schedule(task)).lease_until > held
