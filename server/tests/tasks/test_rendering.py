"""Videos that a worker makes itself: under a lease, with attempts, given back or stopped."""

import asyncio
from pathlib import Path

import pytest

from meshapi_server.tasks.life import RECONCILE_WITHIN
from meshapi_server.tasks.states import State, Status
from meshapi_server.tasks.task import TaskError
from meshapi_server.upstreams.contract import Rejected, Rendered, Report

from ..samples import OWNER
from .bench import LOCAL, Bench
from .scripted import ScriptedLocal, deliver, never


def leftovers(tmp_path: Path) -> list[Path]:
    """What is left in the workspaces."""
    return list((tmp_path / "work").glob("*/*"))


async def test_a_rendered_task_succeeds_with_its_file_in_storage_and_an_empty_workspace(
    bench: Bench, tmp_path: Path
) -> None:
    task = await bench.create(LOCAL)
    async with bench.working(ScriptedLocal()):
        ended = await bench.ended(task)
    assert (ended.status, ended.progress, ended.outcome.facts.frames) == (Status.SUCCEEDED, 1.0, 48)
    stored = bench.files.path(task.id, "video.mp4")
    assert stored is not None
    assert stored.read_bytes() == b"a video"
    assert leftovers(tmp_path) == []


async def test_a_render_that_crashes_is_tried_three_times_and_then_fails_without_its_inside(
    bench: Bench,
) -> None:
    async def crash(workspace: Path, report: Report) -> Rendered:
        raise RuntimeError("secret path /var/lib/renderer")

    upstream = ScriptedLocal(crash)
    task = await bench.create(LOCAL)
    async with bench.working(upstream):
        await bench.ended(task)
    assert [job.attempt for job in upstream.begun] == [1, 2, 3]
    error = await bench.error(task)
    assert error.code == "internal_error"
    assert "secret" not in error.message


async def test_renders_that_were_given_back_by_stopping_workers_do_not_count_as_crashes(bench: Bench) -> None:
    async def crash_once(workspace: Path, report: Report) -> Rendered:
        if not crashed:
            crashed.append(True)
            raise RuntimeError
        return await deliver(workspace)

    crashed: list[bool] = []
    task = await bench.create(LOCAL)
    for _ in range(4):
        stopped = ScriptedLocal(never)
        async with bench.working(stopped):
            await bench.until(lambda stopped=stopped: len(stopped.begun) == 1)  # type: ignore[misc]
    async with bench.working(ScriptedLocal(crash_once)):
        assert (await bench.ended(task)).status is Status.SUCCEEDED


async def test_a_render_that_kills_its_worker_every_time_is_given_up_like_one_that_crashes(
    bench: Bench,
) -> None:
    async def crash(workspace: Path, report: Report) -> Rendered:
        raise RuntimeError

    task = await bench.create(LOCAL)
    for _ in range(2):
        upstream = ScriptedLocal(never)
        worker = bench.worker(upstream)
        await worker.prepare(alone=True)
        loop = asyncio.create_task(worker.run())
        await bench.until(lambda upstream=upstream: len(upstream.begun) == 1)  # type: ignore[misc]
        loop.cancel()  # killed: the claim stays behind
        await bench.store.reap(bench.clock(), all_leases=True, reconcile_within=RECONCILE_WITHIN)
    async with bench.working(last := ScriptedLocal(crash)):
        await bench.ended(task)
    assert ((await bench.error(task)).code, len(last.begun)) == ("internal_error", 1)


async def test_a_rejected_render_fails_at_once_with_the_renderers_words(bench: Bench) -> None:
    error = TaskError(code="invalid_input", message="content[1] is no image", charged="no")

    async def reject(workspace: Path, report: Report) -> Rendered:
        raise Rejected(error)

    upstream = ScriptedLocal(reject)
    task = await bench.create(LOCAL)
    async with bench.working(upstream):
        await bench.ended(task)
    assert await bench.error(task) == error
    assert len(upstream.begun) == 1


async def test_cancelling_stops_the_render_and_frees_its_slot(bench: Bench) -> None:
    upstream = ScriptedLocal(never, capacity=1)
    task, following = await bench.create(LOCAL), await bench.create(LOCAL)
    async with bench.working(upstream):
        await bench.reaches(task, State.RENDERING)
        assert await bench.state(following) is State.QUEUED
        await bench.service.cancel(OWNER, task.id)
        await bench.reaches(following, State.RENDERING)

        async def stopped() -> bool:
            return upstream.stopped == 1

        await bench.until(stopped)


async def test_a_render_that_finishes_as_its_task_is_cancelled_leaves_no_file_behind(
    bench: Bench, tmp_path: Path
) -> None:
    gate = asyncio.Event()

    async def slow(workspace: Path, report: Report) -> Rendered:
        await gate.wait()
        return await deliver(workspace)

    task = await bench.create(LOCAL)
    async with bench.working(ScriptedLocal(slow)):
        await bench.reaches(task, State.RENDERING)
        # Straight at the store, without an announcement: the worker learns of it when it saves.
        await bench.store.cancel(OWNER, task.id, bench.clock())
        gate.set()

        async def swept() -> bool:
            return not leftovers(tmp_path) and not list((tmp_path / "files").iterdir())

        await bench.until(swept)
    assert (await bench.task(task.id)).status is Status.FAILED
    assert list((tmp_path / "files").iterdir()) == []


async def test_a_lease_is_extended_while_a_render_takes_longer_than_it(bench: Bench) -> None:
    gate = asyncio.Event()

    async def slow(workspace: Path, report: Report) -> Rendered:
        await gate.wait()
        return await deliver(workspace)

    upstream = ScriptedLocal(slow)
    task = await bench.create(LOCAL)
    async with bench.working(upstream, lease=0.3):
        await bench.reaches(task, State.RENDERING)
        for _ in range(4):
            held = (await bench.schedule(task)).lease_until
            bench.pass_time(0.2)

            async def extended(held: int = held) -> bool:
                return (await bench.schedule(task)).lease_until > held

            await bench.until(extended)
        gate.set()
        assert (await bench.ended(task)).status is Status.SUCCEEDED
    assert len(upstream.begun) == 1


async def test_a_render_whose_lease_was_taken_away_stops_and_its_successor_finishes_the_task(
    bench: Bench,
) -> None:
    first = asyncio.Event()

    async def slow_at_first(workspace: Path, report: Report) -> Rendered:
        if not first.is_set():
            first.set()
            while True:
                await asyncio.sleep(0.05)
                await report(0.9)
        return await deliver(workspace)

    upstream = ScriptedLocal(slow_at_first)
    task = await bench.create(LOCAL)
    async with bench.working(upstream):
        await asyncio.wait_for(first.wait(), 10)
        await bench.store.reap(bench.clock(), all_leases=True, reconcile_within=RECONCILE_WITHIN)
        ended = await bench.ended(task)

    assert (ended.status, [job.attempt for job in upstream.begun]) == (Status.SUCCEEDED, [1, 2])
    assert bench.files.path(task.id, "video.mp4") is not None


@pytest.mark.parametrize("fraction", [0.25, 1.0])
async def test_progress_that_the_renderer_reports_is_what_the_caller_sees(
    bench: Bench, fraction: float
) -> None:
    async def report_and_wait(workspace: Path, report: Report) -> Rendered:
        await report(fraction)
        return await never()

    task = await bench.create(LOCAL)
    async with bench.working(ScriptedLocal(report_and_wait)):

        async def seen() -> bool:
            return (await bench.task(task.id)).progress == fraction

        await bench.until(seen)
