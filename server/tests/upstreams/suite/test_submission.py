"""What a submission does, and what each kind of no becomes."""

import base64

import pytest
from tests.upstreams.fake.files import FILES

from meshapi_server.upstreams.contract import ContentItem, Deferred, Job, Rejected, TaskError, Unserved
from meshapi_server.upstreams.http import data_uri
from meshapi_server.upstreams.redaction import UpstreamFault

from .bench import Bench
from .cases import CASES, those_that

WITH_DATA_URIS = [case for case in CASES if case.adapter().supports.data_uris]


async def refused(bench: Bench, plot: str, job: Job | None = None) -> Exception:
    """What a submission raises that meets ``plot``."""
    bench.fake.script.next(plot)
    with pytest.raises((Rejected, Unserved, Deferred, UpstreamFault)) as raised:
        await bench.upstream.submit(job or bench.job())
    return raised.value


async def rejected(bench: Bench, plot: str) -> TaskError:
    """The error of a task that is refused for good, at once or, where the protocol is like that, later."""
    if plot not in bench.case.late:
        fault = await refused(bench, plot)
        assert isinstance(fault, Rejected), repr(fault)
        return fault.error
    bench.fake.script.next(plot)
    job = bench.job()
    reference = (await bench.upstream.submit(job)).reference
    bench.to("failed")
    ended = await bench.look(reference, job)
    assert ended.state == "failed"
    assert ended.error is not None
    return ended.error


async def test_a_submission_is_accepted_once_and_carries_its_token(bench: Bench) -> None:
    job = bench.job()
    accepted = await bench.upstream.submit(job)
    assert accepted.reference
    (entry,) = bench.sales()
    assert entry.token == job.token
    assert entry.dialect == bench.case.name
    assert job.spec.prompt in entry.prompt


async def test_the_same_job_gives_the_same_bytes(bench: Bench) -> None:
    job = bench.job()
    await bench.upstream.submit(job)
    await bench.open().submit(job)
    first, second = bench.fake.shop.received
    assert (first.method, first.path, first.body) == (second.method, second.path, second.body)
    fresh = {"authorization", *bench.case.fresh_headers}
    stable = [{name: each.headers[name] for name in each.headers.keys() - fresh} for each in (first, second)]
    assert stable[0] == stable[1]


async def test_a_bad_request_is_rejected_in_the_upstreams_own_words(bench: Bench) -> None:
    error = await rejected(bench, "invalid")
    assert error.code == "invalid_input"
    assert error.provider_error
    if "invalid" not in bench.case.late:
        assert "refused (invalid)" in str(error.provider_error)
        assert error.charged == "no"
        assert bench.sales() == []


async def test_a_moderated_prompt_is_rejected_as_such_and_not_worth_a_retry(bench: Bench) -> None:
    error = await rejected(bench, "moderated_input")
    assert error.code == "content_policy_violation"
    assert error.stage == "input"
    assert error.retryable is False


@pytest.mark.parametrize("plot", ["unauthorised", "no_funds", "model_gone"])
async def test_key_funds_and_model_are_matters_of_this_upstream_alone(bench: Bench, plot: str) -> None:
    if plot not in bench.case.refusals:
        pytest.skip(f"{bench.case} has no such answer")
    fault = await refused(bench, plot)
    assert isinstance(fault, Unserved), repr(fault)
    assert fault.error.code == "upstream_error"
    assert fault.error.charged == "no"
    assert bench.sales() == []


@pytest.mark.parametrize("case", WITH_DATA_URIS, ids=str)
async def test_a_first_frame_may_be_a_data_uri(bench: Bench) -> None:
    data = FILES["last_frame.png"].read_bytes()
    prompt, frame = (
        ContentItem(kind="text", index=0, text="a paper boat"),
        ContentItem(kind="image", index=1, url=data_uri("image/png", data), role="first_frame"),
    )
    await bench.upstream.submit(bench.job(content=(prompt, frame)))
    sent = [each.body for each in bench.fake.shop.received]  # an upload may come before
    assert any(data in body or base64.b64encode(data) in body for body in sent)
    assert len(bench.sales()) == 1


@pytest.mark.parametrize("plot", ["rate_limited", "overloaded"])
async def test_a_busy_upstream_defers_for_as_long_as_it_says(bench: Bench, plot: str) -> None:
    bench.fake.script.retry_after = 17.0
    fault = await refused(bench, plot)
    assert isinstance(fault, Deferred), repr(fault)
    assert fault.retry_after == 17.0
    assert fault.pause
    assert bench.sales() == []


async def test_a_refused_connection_defers(bench: Bench) -> None:
    await bench.fake.stop()
    with pytest.raises(Deferred):
        await bench.upstream.submit(bench.job())


def test_every_adapter_of_the_registry_is_in_this_suite() -> None:
    from meshapi_server.upstreams.adapters import BUILT_IN, registrations

    assert {case.name for case in CASES} == set(registrations(published=()))
    assert len(BUILT_IN) == len({case.name for case in CASES})


@pytest.mark.parametrize("case", those_that(resends=False), ids=str)
async def test_without_idempotency_the_upstream_is_asked_again_at_its_peril(bench: Bench) -> None:
    """The abilities tell the truth: two submissions of one token are two sales here."""
    await bench.upstream.submit(bench.job())
    await bench.upstream.submit(bench.job())
    assert len(bench.sales()) == 2
