"""The retry decision, without a socket and without waiting."""

import pytest
from sdk_support.ambient import FakeAmbient
from sdk_support.vectors import cases

from meshapi._exchange import Answer, Failure, Request, Send, Sleep
from meshapi._retry import RetryPolicy, exchange
from meshapi._service import Service
from meshapi.errors import APIConnectionError, APITimeoutError, MeshAPIError


def _lower(headers):
    return {name.lower(): value for name, value in headers.items()}


def _outcome(given):
    if "failure" in given:
        return Failure(given["failure"], OSError("from the vector"))
    return Answer(given["status"], _lower(given.get("headers", {})), given.get("body", "").encode())


def _request(given):
    key = "key-1" if given["repeat"] == "with_key" else None
    return Request(given["method"], "https://api.example/x", repeat=given["repeat"], idempotency_key=key)


def _play(steps, outcomes, ambient, probe):
    """What the decision asked for, and how it ended."""
    asked, told = [], None
    outcomes = list(outcomes)
    while True:
        try:
            command = steps.send(told)
        except StopIteration as end:
            assert not outcomes, "not every outcome was asked for"
            return asked, {"answer": end.value.status}, None
        except MeshAPIError as error:
            assert not outcomes, "not every outcome was asked for"
            return asked, None, error
        told = None
        if isinstance(command, Sleep):
            asked.append({"wait": command.seconds})
            ambient.pass_by(command.seconds)
        else:
            asked.append({"send": "probe" if command.request is probe else "request"})
            given = outcomes.pop(0)
            ambient.pass_by(given.get("took", 0))
            told = _outcome(given)


@pytest.mark.parametrize(("given", "want"), cases("retry-schedule"))
def test_retry_schedule(given, want):
    ambient = FakeAmbient(random=given.get("random", 0.0))
    if "now" in given:
        ambient.now = given["now"]
    service = Service()
    service.observe(Answer(200, _lower(given.get("earlier_headers", {}))))
    probe = Request("GET", "https://api.example/healthz", repeat="never")
    steps = exchange(
        _request(given["request"]), RetryPolicy(**given["policy"]), service, ambient.value(), probe
    )
    asked, result, error = _play(steps, given["outcomes"], ambient, probe)
    assert asked == want["steps"]
    if "answer" in want["result"]:
        assert result == want["result"]
        return
    wanted = want["result"]["error"]
    assert error is not None
    assert error.task_may_exist == wanted["task_may_exist"]
    if "status" in wanted:
        assert error.status == wanted["status"]
        assert error.retry_after_seconds == wanted.get("retry_after_seconds")
    else:
        assert isinstance(error, APITimeoutError) == (wanted["failure"] == "timed_out")
        assert isinstance(error, APIConnectionError)


def test_every_repetition_of_a_create_carries_the_same_key_and_body():
    request = Request(
        "POST",
        "https://api.example/x",
        {"Idempotency-Key": "k"},
        b"{}",
        repeat="with_key",
        idempotency_key="k",
    )
    service = Service(honours_keys=True)
    steps = exchange(request, RetryPolicy(), service, FakeAmbient().value())
    sent, told = [], None
    for _ in range(5):
        command = steps.send(told)
        told = None
        if isinstance(command, Send):
            sent.append((command.request.headers["Idempotency-Key"], command.request.body))
            told = Answer(502, {})
    assert sent == [("k", b"{}")] * 3


def test_an_attempt_may_not_outlast_the_total():
    ambient = FakeAmbient()
    request = Request("GET", "https://api.example/x", timeout=60.0)
    steps = exchange(request, RetryPolicy(max_retries=1, total_seconds=50), Service(), ambient.value())
    assert next(steps).request.timeout == 60.0
    ambient.pass_by(30)
    steps.send(Failure("timed_out", OSError()))
    ambient.pass_by(0.5)
    assert steps.send(None).request.timeout == pytest.approx(19.5)


def test_the_error_of_a_create_carries_its_key_and_says_that_the_task_may_exist():
    request = Request("POST", "https://api.example/x", repeat="with_key", idempotency_key="key-1")
    steps = exchange(request, RetryPolicy(max_retries=0), Service(), FakeAmbient().value())
    next(steps)
    with pytest.raises(MeshAPIError, match="task may exist") as caught:
        steps.send(Failure("maybe_sent", OSError("reset")))
    assert caught.value.idempotency_key == "key-1"


def test_a_connection_error_keeps_its_cause_and_not_the_query():
    steps = exchange(
        Request("GET", "https://a.example/f?signature=s3cret"),
        RetryPolicy(max_retries=0),
        Service(),
        FakeAmbient().value(),
    )
    next(steps)
    with pytest.raises(APIConnectionError) as caught:
        steps.send(Failure("maybe_sent", OSError("reset by peer")))
    assert isinstance(caught.value.__cause__, OSError)
    assert "s3cret" not in str(caught.value)
