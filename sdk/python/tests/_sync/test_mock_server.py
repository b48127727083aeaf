# Generated from _async/test_mock_server.py by generate_sync.py; edit that file, not this one.
# ruff: noqa: SIM117
"""``meshapi.testing``: an application's own tests, over the real client, without network or waiting."""

import logging
import time

import pytest

from meshapi import (
    APIConnectionError,
    APITimeoutError,
    ConflictError,
    DownloadError,
    MeshAPI,
    NotFoundError,
    RateLimitError,
    SpendLimitError,
    TaskFailedError,
    UnprocessableEntityError,
    UpstreamError,
    WaitTimeoutError,
)
from meshapi._exchange import Request
from meshapi.testing import (
    FakeClock,
    MockServer,
    Moment,
    TaskScript,
    answers,
    callback,
    drops,
    expires,
    fails,
    goes_through,
    moderated,
    rate_limited,
    refuses,
    stuck,
    succeeds,
    times_out,
    unavailable,
)

LAKE = {"model": "mesh/diorama-1", "content": [{"type": "text", "text": "A serene mountain lake at sunrise"}]}


@pytest.mark.parametrize("after", [0.3, 0.7, 1, 3.3, 8, 11.1, 86400.7])
def test_a_clock_of_large_numbers_reaches_every_change_of_a_short_script(after: float):
    # Seconds since 1970 with a fraction are only so fine: 0.6 s later is read as 0.5999999 s later.
    server = MockServer()
    server.script(succeeds(after=after))
    with server.client() as client:
        task = client.videos.generate_and_wait(**LAKE, max_wait=100_000)
    assert task.status == "succeeded"


def test_a_task_runs_by_its_script_and_no_time_passes_outside():
    server = MockServer()
    server.script(succeeds(after=3600, video=b"a whole film"))
    started = time.monotonic()
    with server.client() as client:
        task = client.videos.generate(**LAKE)
        seen = [(each.status, each.progress) for each in client.videos.watch(task.id, max_wait=7200)]
    assert time.monotonic() - started < 30
    assert seen == [
        ("pending", None),
        ("running", 0.0),
        ("running", 0.25),
        ("running", 0.5),
        ("running", 0.75),
        ("succeeded", 1.0),
    ]
    assert server.clock.elapsed == 3600


def test_what_was_scripted_is_downloaded_and_checked(tmp_path):
    server = MockServer()
    server.script(succeeds(video=b"a film", last_frame=b"its end"))
    with server.client() as client:
        task = client.videos.generate_and_wait(**LAKE)
        result = client.videos.download(task, tmp_path / "lake.mp4")
        client.videos.download(task, tmp_path / "end.png", variant="last_frame")
    assert ((tmp_path / "lake.mp4").read_bytes(), result.verified) == (b"a film", True)
    assert (tmp_path / "end.png").read_bytes() == b"its end"


def test_failures_are_those_of_a_real_server():
    server = MockServer()
    server.script(moderated(), fails("invalid_input", "No picture."), expires(after=60))
    with server.client() as client:
        codes = []
        for _ in range(3):
            with pytest.raises(TaskFailedError) as caught:
                client.videos.generate_and_wait(**LAKE)
            codes.append((caught.value.error_code, caught.value.task.charged))
    assert codes == [("content_policy_violation", "no"), ("invalid_input", "no"), ("expired", "no")]
    assert server.clock.elapsed == 2 + 5 + 60


def test_a_task_of_ones_own_goes_through_any_statuses():
    server = MockServer()
    server.script(goes_through((0, "pending"), Moment(3, "polishing", 0.9), (9, "succeeded")))
    with server.client() as client:
        task = client.videos.generate(**LAKE)
        seen = [each.status for each in client.videos.watch(task.id)]
    assert (seen, server.clock.elapsed) == (["pending", "polishing", "succeeded"], 9)


def test_a_task_that_is_stuck_runs_until_the_wait_is_over_or_it_is_cancelled():
    server = MockServer()
    server.script(stuck())
    with server.client() as client:
        task = client.videos.generate(**LAKE)
        with pytest.raises(WaitTimeoutError):
            client.videos.wait(task.id, max_wait=100)
        assert server.clock.elapsed == 100
        assert (client.videos.cancel(task.id)).error.code == "cancelled"
        with pytest.raises(ConflictError):
            client.videos.cancel(task.id)
        assert (client.videos.delete(task.id)).deleted is True
        with pytest.raises(NotFoundError):
            client.videos.retrieve(task.id)
    assert server.paid == 1


def test_a_429_is_waited_for_on_the_fake_clock_and_then_served():
    server = MockServer()
    server.fault(rate_limited(retry_after=45))
    with server.client() as client:
        client.videos.generate(**LAKE)
    assert (server.clock.elapsed, server.paid) == (45, 1)
    server.fault(rate_limited())
    with server.client(max_retries=0) as client:
        with pytest.raises(RateLimitError) as caught:
            client.videos.generate(**LAKE)
    assert caught.value.retry_after_seconds == 1


def test_a_lost_answer_is_one_paid_video_where_keys_are_honoured():
    server = MockServer()
    server.fault(drops(accepted=True), unavailable(502, accepted=True), on="generate")
    with server.client() as client:
        task = client.videos.generate(**LAKE)
    assert (server.paid, task.id) == (1, "task_0001")
    assert [asked.operation for asked in server.requests] == ["generate", "health", "generate", "generate"]


def test_a_lost_answer_is_an_error_that_says_so_where_keys_are_not_honoured():
    server = MockServer(hosted=True)
    server.fault(drops(accepted=True), on="generate")
    with server.client() as client:
        with pytest.raises(APIConnectionError) as caught:
            client.videos.generate(**LAKE)
    assert (caught.value.task_may_exist, server.paid) == (True, 1)


def test_a_server_that_is_not_there_has_seen_nothing():
    server = MockServer(hosted=True)
    server.fault(refuses())
    with server.client() as client:
        client.videos.generate(**LAKE)
    assert server.paid == 1


def test_a_timeout_takes_its_time_on_the_clock():
    server = MockServer()
    server.fault(times_out(), on="list")
    with server.client(max_retries=0, timeout=7) as client:
        with pytest.raises(APITimeoutError):
            client.videos.list()
    assert server.clock.elapsed == 7


def test_a_fault_waits_for_its_operation():
    server = MockServer()
    server.fault(answers(500, "internal_error", "A defect."), on="cancel")
    with server.client(max_retries=0) as client:
        task = client.videos.generate(**LAKE)
        assert (client.videos.retrieve(task.id)).status == "pending"
        with pytest.raises(Exception, match="A defect"):
            client.videos.cancel(task.id)
        assert (client.videos.cancel(task.id)).status == "failed"


def test_an_answer_may_be_anything():
    server = MockServer()
    server.fault(answers(502, body=b"<html>Bad Gateway</html>", headers={"X-Request-Id": "req_proxy"}))
    with server.client(max_retries=0) as client:
        with pytest.raises(UpstreamError) as caught:
            client.videos.list()
    assert caught.value.request_id == "req_proxy"


def test_a_download_that_breaks_is_resumed(tmp_path):
    server = MockServer()
    server.script(succeeds(video=bytes(range(256)) * 1000))
    with server.client() as client:
        task = client.videos.generate_and_wait(**LAKE)
        server.fault(drops(after_bytes=1000), on="download")
        client.videos.download(task, tmp_path / "lake.mp4")
        assert server.requests[-1].headers["range"] == "bytes=1000-"
        server.fault(drops(after_bytes=1000), drops(), drops(), on="download")
        with pytest.raises(DownloadError, match="first 1000 bytes are kept"):
            client.videos.download(task, tmp_path / "again.mp4", max_retries=0)
    assert (tmp_path / "lake.mp4").read_bytes() == bytes(range(256)) * 1000


def test_the_hosted_manner_has_its_own_words_and_fewer_endpoints(tmp_path):
    server = MockServer(hosted=True)
    server.script(succeeds(after=30, video=b"a film"), expires(after=60), stuck())
    with server.client() as client:
        task = client.videos.generate(**LAKE)
        assert task.status == "queued"
        done = client.videos.wait(task.id)
        assert not (client.videos.download(done, tmp_path / "lake.mp4")).verified
        expired = client.videos.generate_and_wait(**LAKE, raise_on_failure=False)
        assert expired.status == "expired"
        with pytest.raises(NotFoundError):
            client.videos.quote(**LAKE)
        with pytest.raises(NotFoundError):
            client.videos.timeline(task.id)
    assert (tmp_path / "lake.mp4").read_bytes() == b"a film"


def test_prices_are_quoted_and_limits_of_the_cost_hold():
    server = MockServer(cost_usd="0.50")
    with server.client() as client:
        quote = client.videos.quote(**LAKE)
        assert (quote.cost_usd, quote.lines[0].cost_usd) == ("0.50", "0.50")
        with pytest.raises(SpendLimitError, match=r"0\.50"):
            client.videos.generate(**LAKE, max_cost_usd="0.49")
        done = client.videos.generate_and_wait(**LAKE, max_cost_usd="0.50")
        assert done.cost_usd == "0.50"
        server.cost_usd = None
        assert (client.videos.quote(**LAKE)).reason
    assert server.paid == 1


def test_tasks_are_listed_filtered_and_walked_through():
    server = MockServer()
    server.script(fails(after=0), *[stuck()] * 4)
    with server.client() as client:
        made = [(client.videos.generate(**LAKE, metadata={"shot": str(n)})).id for n in range(5)]
        assert [task.id for task in client.videos.iter(limit=2)] == made[::-1]
        assert [task.id for task in (client.videos.list(status="failed")).data] == made[:1]
        assert [task.id for task in (client.videos.list(metadata={"shot": "3"})).data] == [made[3]]
        assert (client.videos.list(model="m/y")).total == 0
        assert (client.videos.list(offset=4)).data[0].id == made[0]


def test_a_timeline_follows_the_script():
    server = MockServer()
    server.script(succeeds(after=10))
    with server.client() as client:
        task = client.videos.generate(**LAKE)
        assert [entry.kind for entry in client.videos.timeline(task.id)] == ["created"]
        server.clock.advance(5)
        assert [entry.kind for entry in client.videos.timeline(task.id)] == ["created", "render"]
        server.clock.advance(5)
        timeline = client.videos.timeline(task.id)
    assert [(entry.kind, entry.seconds) for entry in timeline] == [
        ("created", 0),
        ("render", 8.0),
        ("ended", 0),
    ]


def test_what_was_asked_can_be_looked_at_and_holds_no_key():
    server = MockServer()
    with server.client(api_key="rsk_secret") as client:
        client.videos.generate(**LAKE, duration=5, extra_headers={"X-Trace": "7"})
        client.models.list(type="video")
        client.models.get("mesh/diorama-1")
        with pytest.raises(NotFoundError):
            client.models.get("m/x")
        with pytest.raises(UnprocessableEntityError, match="model"):
            client.videos.generate(content=[], model="m", extra_body={"model": None})
    asked = server.requests[0]
    assert (asked.operation, asked.method, asked.json()["duration"]) == ("generate", "POST", 5)
    assert asked.headers["x-trace"] == "7"
    assert server.requests[1].query == (("type", "video"),)
    assert server.created[0].params["duration"] == 5
    assert "rsk_secret" not in str([vars(server), *(each.headers for each in server.requests)])


def test_an_idempotency_key_with_another_body_is_refused():
    server = MockServer()
    with server.client() as client:
        first = client.videos.generate(**LAKE, idempotency_key="k")
        again = client.videos.with_raw_response.generate(**LAKE, idempotency_key="k")
        assert (again.parse().id, again.headers["Idempotent-Replayed"]) == (first.id, "true")
        with pytest.raises(UnprocessableEntityError, match="another body"):
            client.videos.generate(**LAKE, seed=1, idempotency_key="k")


def test_an_application_that_makes_its_own_client_is_given_the_server_instead_of_an_http_client():
    server = MockServer()
    with MeshAPI(api_key="rsk_x", http_client=server) as client:
        assert (client.with_options(max_retries=0).videos.generate_and_wait(**LAKE)).video_url
    assert server.clock.elapsed == 10


def test_a_callback_is_signed_as_the_server_signs():
    secret = "whsec_bWVzaCBhcGkgdGVzdCBzZWNyZXQgMDEyMzQ1Njc4OQ"
    server = MockServer()
    with server.client(webhook_secret=secret) as client:
        task = client.videos.generate_and_wait(**LAKE)
        body, headers = callback(task, secret, timestamp=server.clock.now)
        event = client.webhooks.parse(body, headers)
    assert (event.id, event.task.id, event.task.status) == ("evt_mock", task.id, "succeeded")
    assert b"null" not in body


def test_the_log_tells_the_time_of_the_clock(caplog, monkeypatch):
    server = MockServer()
    monkeypatch.setattr(logging.getLogger("meshapi"), "propagate", True)
    with caplog.at_level(logging.INFO, logger="meshapi"):
        with server.client() as client:
            client.videos.list()
    assert "GET https://mock.meshapi.invalid/v1/video/generations -> 200 in 0 ms" in caplog.text


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: MockServer().fault(drops(), on="everything"), "one of cancel"),
        (lambda: FakeClock().advance(-1), "time goes forward"),
        (lambda: succeeds(after=5, queued=6), "at most its whole time"),
        (lambda: succeeds(steps=0), "at least 1"),
        (lambda: TaskScript(()), "begin at 0"),
        (lambda: goes_through((1, "pending")), "begin at 0"),
        (lambda: goes_through((0, "failed"), (1, "pending")), "nothing follows the end"),
    ],
)
def test_a_script_that_makes_no_sense_is_refused(make, told):
    with pytest.raises(ValueError, match=told):
        make()


def test_what_is_deleted_running_or_missing_is_refused_as_by_a_server(tmp_path):
    server = MockServer()
    server.script(stuck(), succeeds(after=0))
    with server.client(max_retries=0) as client:
        running = client.videos.generate(**LAKE, idempotency_key="k")
        with pytest.raises(ConflictError, match="has no result"):
            client.videos.download(running.id, tmp_path / "lake.mp4")
        assert (client.videos.delete(running.id)).error.code == "cancelled"
        assert (client.videos.delete(running.id)).deleted is True
        with pytest.raises(NotFoundError, match="was deleted"):
            client.videos.generate(**LAKE, idempotency_key="k")
        done = client.videos.generate(**LAKE)
        with pytest.raises(DownloadError, match="ask for return_last_frame"):
            client.videos.download(done.id, tmp_path / "end.png", variant="last_frame")
        with pytest.raises(UnprocessableEntityError):
            client.videos.quote(model="m", content=[], extra_body={"content": "x"})
        assert (client.videos.generate(**LAKE, max_cost_usd="much")).status == "pending"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (Request("POST", "https://mock.meshapi.invalid/v1/video/generations", body=b"{"), 400),
        (Request("PUT", "https://mock.meshapi.invalid/v1/video/generations"), 404),
        (Request("GET", "https://mock.meshapi.invalid/v1/video/generations/task_0001/content"), 200),
        (
            Request(
                "GET",
                "https://mock.meshapi.invalid/v1/video/generations/task_0001/content",
                {"Range": "bytes=9999-"},
            ),
            416,
        ),
        (Request("POST", "https://mock.meshapi.invalid/v1/video/generations/task_0001/cancel"), 409),
    ],
)
def test_requests_of_another_client_are_answered_too(request_, status):
    server = MockServer()
    server.script(succeeds(after=0))
    with server.client() as client:
        client.videos.generate(**LAKE)
    assert server.serve(request_, request_.headers).answer.status == status


def test_a_cancel_is_heard_by_whoever_watches():
    server = MockServer()
    server.script(stuck())
    with server.client() as client:
        task = client.videos.generate(**LAKE)
        seen = []
        for change in client.videos.watch(task.id, max_wait=1000):
            seen.append(change.status)
            if not change.is_terminal:
                client.videos.cancel(task.id)
    assert seen == ["running", "failed"]
