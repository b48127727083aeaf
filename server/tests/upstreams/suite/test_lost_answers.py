"""The answer to a paid call gets lost: nothing is asked again unless the protocol makes that harmless."""

import pytest

from meshapi_server.upstreams.redaction import UpstreamFault

from .bench import Bench
from .cases import those_that

LOST = ["bad_gateway_after", "error_after", "reset_after", "cut_after", "garbled_after"]


async def submit_and_lose(bench: Bench, plot: str) -> None:
    bench.fake.script.next(plot)
    with pytest.raises(UpstreamFault):
        await bench.upstream.submit(bench.job())


@pytest.mark.parametrize("plot", LOST)
async def test_a_lost_answer_is_never_taken_for_a_refusal_and_never_asked_again(
    bench: Bench, plot: str
) -> None:
    await submit_and_lose(bench, plot)
    assert len(bench.sales()) == 1
    assert bench.fake.shop.counters["submits"] == 1


async def test_an_upstream_that_does_not_answer_leaves_it_open(bench: Bench) -> None:
    bench.fake.script.next("hang_after")
    with pytest.raises(UpstreamFault):
        await bench.impatient(1.0).submit(bench.job())
    assert len(bench.sales()) == 1


async def test_a_connection_that_dies_under_a_submission_leaves_it_open(bench: Bench) -> None:
    await submit_and_lose(bench, "reset_before")
    assert bench.sales() == []
    assert bench.fake.shop.counters["submits"] == 1


@pytest.mark.parametrize("case", those_that(finds=True), ids=str)
@pytest.mark.parametrize("tier", [None, "flex"])
async def test_a_lost_submission_is_found_by_its_token(bench: Bench, tier: str | None) -> None:
    for number in range(2, 5):
        await bench.upstream.submit(bench.job(number))
    bench.fake.script.next("reset_after")
    job = bench.job(1, service_tier=tier)
    with pytest.raises(UpstreamFault):
        await bench.upstream.submit(job)
    found = await bench.upstream.find(job)
    assert found is not None
    (entry,) = [entry for entry in bench.sales() if entry.token == job.token]
    assert found.reference == entry.reference


@pytest.mark.parametrize("case", those_that(finds=True), ids=str)
async def test_what_was_never_accepted_is_not_found(bench: Bench) -> None:
    await submit_and_lose(bench, "reset_before")
    await bench.upstream.submit(bench.job(2))
    assert await bench.upstream.find(bench.job(1)) is None


@pytest.mark.parametrize("case", those_that(finds=True), ids=str)
async def test_a_repetition_of_another_submission_is_not_mistaken_for_this_one(bench: Bench) -> None:
    await bench.upstream.submit(bench.job(1, submission=1))
    assert await bench.upstream.find(bench.job(1, submission=11)) is None
    assert await bench.upstream.find(bench.job(1, submission=2)) is None


async def test_a_lost_answer_is_settled_as_far_as_the_protocol_allows(bench: Bench) -> None:
    await submit_and_lose(bench, "bad_gateway_after")
    abilities = bench.upstream.abilities
    if abilities.finds:
        found = await bench.upstream.find(bench.job())
        assert found is not None
        assert (await bench.look(found.reference, bench.job())).state == bench.case.waits_as
    elif abilities.resends:
        accepted = await bench.upstream.submit(bench.job())
        assert accepted.reference == bench.sales()[0].reference
    else:
        with pytest.raises(NotImplementedError):
            bench.upstream.adapter.find(bench.job())
    assert len(bench.sales()) == 1
