"""What a look finds, from the queue to the end, and what it does when it finds nothing."""

import pytest

from meshapi_server.upstreams.contract import Deferred, Look
from meshapi_server.upstreams.redaction import UpstreamFault

from .bench import Bench
from .cases import CASES, those_that

STOPPABLE = [case for case in those_that(cancels=True) if case.stops]
MANY = [case for case in CASES if case.adapter().abilities.looks_at_once > 1]


async def test_a_task_is_queued_then_runs_then_succeeds(bench: Bench) -> None:
    job = bench.job()
    reference = (await bench.upstream.submit(job)).reference
    assert (await bench.look(reference, job)).state == bench.case.waits_as
    bench.to("running")
    running = await bench.look(reference, job)
    assert running.state == "running"
    assert (running.fraction is not None) == bench.upstream.adapter.supports.progress
    if running.fraction is not None:
        assert running.fraction == pytest.approx(0.25, abs=0.02)
    bench.to("succeeded")
    assert (await bench.look(reference, job)).state == "succeeded"


async def test_a_status_that_is_not_known_yet_keeps_the_task_running(bench: Bench) -> None:
    job = bench.job()
    bench.fake.script.next("strange_status")
    reference = (await bench.upstream.submit(job)).reference
    bench.to("running")
    assert (await bench.look(reference, job)).state == "running"
    bench.to("succeeded")
    assert (await bench.look(reference, job)).state == "succeeded"


async def test_a_failure_ends_the_task_with_the_upstreams_words(bench: Bench) -> None:
    job = bench.job()
    bench.fake.script.next("fails")
    reference = (await bench.upstream.submit(job)).reference
    bench.to("failed")
    ended = await bench.look(reference, job)
    assert ended.state == "failed"
    assert ended.error is not None
    assert ended.error.code == "upstream_error"
    assert ended.error.provider_error


async def test_a_withheld_video_is_a_matter_of_content_policy(bench: Bench) -> None:
    job = bench.job()
    bench.fake.script.next("moderated_output")
    reference = (await bench.upstream.submit(job)).reference
    bench.to("moderated")
    ended = await bench.look(reference, job)
    assert ended.state == "failed"
    assert ended.error is not None
    assert ended.error.code == "content_policy_violation"
    assert ended.error.stage == ("output" if bench.case.tells_stage else None)
    assert ended.error.retryable is bench.case.withheld_retryable


async def test_a_task_that_the_upstream_forgot_has_failed(bench: Bench) -> None:
    job = bench.job()
    bench.fake.script.next("lost")
    reference = (await bench.upstream.submit(job)).reference
    ended = await bench.look(reference, job)
    assert ended.state == "failed"
    assert ended.error is not None
    assert ended.error.code == "upstream_error"
    assert ended.error.retryable is True


@pytest.mark.parametrize("stumble", ["bad_gateway", "reset", "garbled", "rate_limited", "overloaded"])
async def test_trouble_with_a_look_is_no_failure_of_the_task(bench: Bench, stumble: str) -> None:
    job = bench.job()
    bench.fake.script.retry_after = 9.0
    reference = (await bench.upstream.submit(job)).reference
    # A GET on a kept connection that breaks is sent once more by the HTTP client: break that one, too.
    twice = stumble == "reset" and not bench.case.looks_by_post
    bench.fake.script.next_looks(*[stumble] * (2 if twice else 1))
    with pytest.raises((Deferred, UpstreamFault)) as raised:
        await bench.look(reference, job)
    busy = stumble in {"rate_limited", "overloaded"}
    assert isinstance(raised.value, Deferred) is busy
    if isinstance(raised.value, Deferred):
        assert raised.value.retry_after == 9.0
    assert (await bench.look(reference, job)).state == bench.case.waits_as


@pytest.mark.parametrize("case", MANY, ids=str)
async def test_many_tasks_are_looked_at_by_one_request_and_answered_in_order(bench: Bench) -> None:
    plots = ["normal", "fails", "normal", "moderated_output"]
    bench.fake.script.next(*plots)
    jobs = [bench.job(number) for number in range(len(plots))]
    looks = [Look(reference=(await bench.upstream.submit(job)).reference, job=job) for job in jobs]
    bench.to("succeeded")
    before = bench.fake.shop.counters["polls"], bench.fake.shop.counters["lists"]
    answers = await bench.upstream.poll(list(reversed(looks)))
    states = [answer if isinstance(answer, Exception) else answer.state for answer in answers]
    assert states == ["failed", "succeeded", "failed", "succeeded"]
    assert (bench.fake.shop.counters["polls"], bench.fake.shop.counters["lists"]) == (
        before[0],
        before[1] + 1,
    )


@pytest.mark.parametrize("case", MANY, ids=str)
async def test_one_lost_task_among_many_harms_no_other(bench: Bench) -> None:
    bench.fake.script.next("normal", "lost", "normal")
    jobs = [bench.job(number) for number in range(3)]
    looks = [Look(reference=(await bench.upstream.submit(job)).reference, job=job) for job in jobs]
    answers = await bench.upstream.poll(looks)
    states = [answer if isinstance(answer, Exception) else answer.state for answer in answers]
    assert states == [bench.case.waits_as, "failed", bench.case.waits_as]


@pytest.mark.parametrize("case", MANY, ids=str)
async def test_as_many_as_it_claims_can_be_looked_at_at_once(bench: Bench) -> None:
    jobs = [bench.job(number) for number in range(bench.upstream.abilities.looks_at_once)]
    looks = [Look(reference=(await bench.upstream.submit(job)).reference, job=job) for job in jobs]
    answers = await bench.upstream.poll(looks)
    assert [getattr(answer, "state", answer) for answer in answers] == [bench.case.waits_as] * len(looks)


@pytest.mark.parametrize("case", STOPPABLE, ids=str)
async def test_a_queued_task_can_be_cancelled(bench: Bench) -> None:
    job = bench.job()
    reference = (await bench.upstream.submit(job)).reference
    assert await bench.upstream.cancel(reference, job) is True
    assert bench.fake.shop.counters["cancelled"] == 1
    ended = await bench.look(reference, job)
    assert ended.state == "failed"


@pytest.mark.parametrize("case", those_that(cancels=True), ids=str)
async def test_a_running_task_is_cancelled_only_where_that_is_possible(bench: Bench) -> None:
    job = bench.job()
    reference = (await bench.upstream.submit(job)).reference
    bench.to("running")
    assert await bench.upstream.cancel(reference, job) is ("running" in bench.case.stops)
    if "running" not in bench.case.stops:
        assert (await bench.look(reference, job)).state == "running"


@pytest.mark.parametrize("case", STOPPABLE, ids=str)
async def test_a_cancel_without_an_answer_is_no_success(bench: Bench) -> None:
    job = bench.job()
    reference = (await bench.upstream.submit(job)).reference
    bench.fake.script.next_looks("bad_gateway")
    with pytest.raises(UpstreamFault, match="HTTP 502"):
        await bench.upstream.cancel(reference, job)
