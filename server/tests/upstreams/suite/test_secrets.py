"""No key gets into a log, an exception, a task's error or a repr, though the upstream repeats it."""

import base64
import logging
import traceback
from urllib.parse import quote

import pytest
import structlog

from meshapi_server.upstreams.contract import Deferred, Look, Rejected, Unserved
from meshapi_server.upstreams.redaction import UpstreamFault

from .bench import Bench
from .cases import SECRET

FORMS = (SECRET, quote(SECRET, safe=""), base64.b64encode(SECRET.encode()).decode())
SAID = (Rejected, Unserved, Deferred, UpstreamFault)
PLOTS = [
    "invalid",
    "unauthorised",
    "rate_limited",
    "model_gone",
    "reset_before",
    "bad_gateway_after",
    "garbled_after",
]


def shown(fault: BaseException) -> str:
    """All that a log could make of an exception, its causes and its contexts."""
    text = "".join(traceback.format_exception(fault))
    seen: BaseException | None = fault
    while seen is not None:
        text += repr(seen) + str(seen) + repr(seen.args)
        seen = seen.__cause__ or seen.__context__
    if isinstance(fault, (Rejected, Unserved)):
        text += repr(fault.error)
    return text


@pytest.mark.parametrize("plot", PLOTS)
async def test_no_secret_is_logged_raised_or_kept(
    bench: Bench, plot: str, caplog: pytest.LogCaptureFixture
) -> None:
    if plot in bench.case.late:
        pytest.skip(f"{bench.case} says so only later")
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as events:
        bench.fake.script.next(plot)
        with pytest.raises(SAID) as raised:
            await bench.upstream.submit(bench.job())
        reference = (await bench.upstream.submit(bench.job(2))).reference
        bench.fake.script.next_looks("rate_limited", "garbled")
        for _ in range(2):
            with pytest.raises(SAID) as looked:
                await bench.look(reference, bench.job(2))
    assert any(event["event"] == "asked an upstream" for event in events)
    everything = f"{events}{caplog.text}{shown(raised.value)}{shown(looked.value)}"
    assert [form for form in FORMS if form in everything] == []


async def test_no_secret_is_in_a_repr(bench: Bench) -> None:
    look = Look(reference="r", job=bench.job())
    request = next(bench.upstream.adapter.poll([look]))
    shown = f"{bench.upstream!r}{vars(bench.upstream)!r}{vars(bench.upstream.adapter)!r}{request!r}"
    assert [form for form in FORMS if form in shown] == []


async def test_the_key_is_sent_to_the_upstream_and_to_nobody_else(bench: Bench) -> None:
    await bench.upstream.submit(bench.job())
    (received,) = bench.fake.shop.received
    assert any(SECRET in value for value in received.headers.values())
    request = bench.upstream.adapter.poll([Look(reference="https://elsewhere.example/x", job=bench.job())])
    first = next(request)
    if first.url.startswith("https://elsewhere.example"):
        with pytest.raises(UpstreamFault, match="would send its credentials"):
            await bench.look("https://elsewhere.example/x", bench.job())
