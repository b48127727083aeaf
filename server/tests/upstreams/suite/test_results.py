"""Results come into the workspace byte by byte, whatever happens on the way."""

from pathlib import Path

import pytest
from tests.upstreams.fake.files import FILES

from meshapi_server.upstreams.contract import Job, Rejected

from .bench import Bench
from .cases import CASES

LASTING = [case for case in CASES if case.adapter().supports.results_last]
WITH_LAST_FRAME = [case for case in CASES if case.adapter().supports.last_frame]


async def finished(bench: Bench, job: Job, plot: str = "normal") -> str:
    """Submit, and let the fake finish."""
    bench.fake.script.next(plot)
    reference = (await bench.upstream.submit(job)).reference
    bench.to("succeeded")
    assert (await bench.look(reference, job)).state == "succeeded"
    return reference


async def test_the_result_is_copied_whole(bench: Bench, tmp_path: Path) -> None:
    job = bench.job()
    rendered = await bench.upstream.fetch(await finished(bench, job), job, bench.workspace(tmp_path))
    assert rendered.video.read_bytes() == FILES["video.mp4"].read_bytes()
    assert rendered.last_frame is None
    assert rendered.facts.duration is None or 0 < rendered.facts.duration <= 60


async def test_a_download_that_is_cut_goes_on_where_it_ended(bench: Bench, tmp_path: Path) -> None:
    job = bench.job()
    reference = await finished(bench, job, "cut_download")
    rendered = await bench.upstream.fetch(reference, job, bench.workspace(tmp_path))
    assert rendered.video.read_bytes() == FILES["video.mp4"].read_bytes()
    assert bench.fake.shop.counters["downloads"] == 2


async def test_a_result_can_be_fetched_again(bench: Bench, tmp_path: Path) -> None:
    job = bench.job()
    reference = await finished(bench, job)
    folder = bench.workspace(tmp_path)
    await bench.upstream.fetch(reference, job, folder)
    rendered = await bench.upstream.fetch(reference, job, folder)
    assert rendered.video.stat().st_size == FILES["video.mp4"].stat().st_size


@pytest.mark.parametrize("case", LASTING, ids=str)
async def test_a_result_is_there_for_as_long_as_the_upstream_says(bench: Bench, tmp_path: Path) -> None:
    job = bench.job()
    reference = await finished(bench, job)
    bench.fake.clock.advance((bench.upstream.adapter.supports.results_last or 0) * 3600 - 60)
    rendered = await bench.upstream.fetch(reference, job, bench.workspace(tmp_path))
    assert rendered.video.read_bytes() == FILES["video.mp4"].read_bytes()


@pytest.mark.parametrize("case", WITH_LAST_FRAME, ids=str)
async def test_the_last_frame_comes_along_when_it_was_asked_for(bench: Bench, tmp_path: Path) -> None:
    job = bench.job(return_last_frame=True)
    rendered = await bench.upstream.fetch(await finished(bench, job), job, bench.workspace(tmp_path))
    assert rendered.last_frame is not None
    assert rendered.last_frame.read_bytes() == FILES["last_frame.png"].read_bytes()


async def test_a_result_that_the_upstream_forgot_is_gone_for_good(bench: Bench, tmp_path: Path) -> None:
    job = bench.job()
    reference = await finished(bench, job)
    bench.fake.shop.sales[next(iter(bench.fake.shop.sales))].deleted = True
    with pytest.raises(Rejected) as raised:
        await bench.upstream.fetch(reference, job, bench.workspace(tmp_path))
    assert raised.value.error.code == "upstream_error"
