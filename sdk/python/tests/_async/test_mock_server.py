"""``meshapi.testing``: an application's own tests, over the real client, without network or waiting."""

import logging
import time

import pytest

from meshapi import (
    APIConnectionError,
    APITimeoutError,
    AsyncMeshAPI,
    ConflictError,
    DownloadError,
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
async def test_a_clock_of_large_numbers_reaches_every_change_of_a_short_script(after: float):
    # Seconds since 1970 with a fraction are only so fine: 0.6 s later is read as 0.5999999 s later.
    server = MockServer()
    server.script(succeeds(after=after))
    async with server.async_client() as client:
        task = await client.videos.generate_and_wait(**LAKE, max_wait=100_000)
    assert task.status == "succeeded"


async def test_a_task_runs_by_its_script_and_no_time_passes_outside():
    server = MockServer()
    server.script(succeeds(after=3600, video=b"a whole film"))
    started = time.monotonic()
    async with server.async_client() as client:
        task = await client.videos.generate(**LAKE)
        seen = [(each.status, each.progress) async for each in client.videos.watch(task.id, max_wait=7200)]
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


async def test_what_was_scripted_is_downloaded_and_checked(tmp_path):
    server = MockServer()
    server.script(succeeds(video=b"a film", last_frame=b"its end"))
    async with server.async_client() as client:
        task = await client.videos.generate_and_wait(**LAKE)
        result = await client.videos.download(task, tmp_path / "lake.mp4")
        await client.videos.download(task, tmp_path / "end.png", variant="last_frame")
    assert ((tmp_path / "lake.mp4").read_bytes(), result.verified) == (b"a film", True)
    assert (tmp_path / "end.png").read_bytes() == b"its end"


async def test_failures_are_those_of_a_real_server():
    server = MockServer()
    server.script(moderated(), fails("invalid_input", "No picture."), expires(after=60))
    async with server.async_client() as client:
        codes = []
        for _ in range(3):
            with pytest.raises(TaskFailedError) as caught:
                await client.videos.generate_and_wait(**LAKE)
            codes.append((caught.value.error_code, caught.value.task.charged))
    assert codes == [("content_policy_violation", "no"), ("invalid_input", "no"), ("expired", "no")]
    assert server.clock.elapsed == 2 + 5 + 60


async def test_a_task_of_ones_own_goes_through_any_statuses():
    server = MockServer()
    server.script(goes_through((0, "pending"), Moment(3, "polishing", 0.9), (9, "succeeded")))
    async with server.async_client() as client:
        task = await client.videos.generate(**LAKE)
        seen = [each.status async for each in client.videos.watch(task.id)]
    assert (seen, server.clock.elapsed) == (["pending", "polishing", "succeeded"], 9)


async def test_a_task_that_is_stuck_runs_until_the_wait_is_over_or_it_is_cancelled():
    server = MockServer()
    server.script(stuck())
    async with server.async_client() as client:
        task = await client.videos.generate(**LAKE)
        with pytest.raises(WaitTimeoutError):
            await client.videos.wait(task.id, max_wait=100)
        assert server.clock.elapsed == 100
        assert (await client.videos.cancel(task.id)).error.code == "cancelled"
        with pytest.raises(ConflictError):
            await client.videos.cancel(task.id)
        assert (await client.videos.delete(task.id)).deleted is True
        with pytest.raises(NotFoundError):
            await client.videos.retrieve(task.id)
    assert server.paid == 1


async def test_a_429_is_waited_for_on_the_fake_clock_and_then_served():
    server = MockServer()
    server.fault(rate_limited(retry_after=45))
    async with server.async_client() as client:
        await client.videos.generate(**LAKE)
    assert (server.clock.elapsed, server.paid) == (45, 1)
    server.fault(rate_limited())
    async with server.async_client(max_retries=0) as client:
        with pytest.raises(RateLimitError) as caught:
            await client.videos.generate(**LAKE)
    assert caught.value.retry_after_seconds == 1


async def test_a_lost_answer_is_one_paid_video_where_keys_are_honoured():
    server = MockServer()
    server.fault(drops(accepted=True), unavailable(502, accepted=True), on="generate")
    async with server.async_client() as client:
        task = await client.videos.generate(**LAKE)
    assert (server.paid, task.id) == (1, "task_0001")
    assert [asked.operation for asked in server.requests] == ["generate", "health", "generate", "generate"]


async def test_a_lost_answer_is_an_error_that_says_so_where_keys_are_not_honoured():
    server = MockServer(hosted=True)
    server.fault(drops(accepted=True), on="generate")
    async with server.async_client() as client:
        with pytest.raises(APIConnectionError) as caught:
            await client.videos.generate(**LAKE)
    assert (caught.value.task_may_exist, server.paid) == (True, 1)


async def test_a_server_that_is_not_there_has_seen_nothing():
    server = MockServer(hosted=True)
    server.fault(refuses())
    async with server.async_client() as client:
        await client.videos.generate(**LAKE)
    assert server.paid == 1


async def test_a_timeout_takes_its_time_on_the_clock():
    server = MockServer()
    server.fault(times_out(), on="list")
    async with server.async_client(max_retries=0, timeout=7) as client:
        with pytest.raises(APITimeoutError):
            await client.videos.list()
    assert server.clock.elapsed == 7


async def test_a_fault_waits_for_its_operation():
    server = MockServer()
    server.fault(answers(500, "internal_error", "A defect."), on="cancel")
    async with server.async_client(max_retries=0) as client:
        task = await client.videos.generate(**LAKE)
        assert (await client.videos.retrieve(task.id)).status == "pending"
        with pytest.raises(Exception, match="A defect"):
            await client.videos.cancel(task.id)
        assert (await client.videos.cancel(task.id)).status == "failed"


async def test_an_answer_may_be_anything():
    server = MockServer()
    server.fault(answers(502, body=b"<html>Bad Gateway</html>", headers={"X-Request-Id": "req_proxy"}))
    async with server.async_client(max_retries=0) as client:
        with pytest.raises(UpstreamError) as caught:
            await client.videos.list()
    assert caught.value.request_id == "req_proxy"


async def test_a_download_that_breaks_is_resumed(tmp_path):
    server = MockServer()
    server.script(succeeds(video=bytes(range(256)) * 1000))
    async with server.async_client() as client:
        task = await client.videos.generate_and_wait(**LAKE)
        server.fault(drops(after_bytes=1000), on="download")
        await client.videos.download(task, tmp_path / "lake.mp4")
        assert server.requests[-1].headers["range"] == "bytes=1000-"
        server.fault(drops(after_bytes=1000), drops(), drops(), on="download")
        with pytest.raises(DownloadError, match="first 1000 bytes are kept"):
            await client.videos.download(task, tmp_path / "again.mp4", max_retries=0)
    assert (tmp_path / "lake.mp4").read_bytes() == bytes(range(256)) * 1000


async def test_the_hosted_manner_has_its_own_words_and_fewer_endpoints(tmp_path):
    server = MockServer(hosted=True)
    server.script(succeeds(after=30, video=b"a film"), expires(after=60), stuck())
    async with server.async_client() as client:
        task = await client.videos.generate(**LAKE)
        assert task.status == "queued"
        done = await client.videos.wait(task.id)
        assert not (await client.videos.download(done, tmp_path / "lake.mp4")).verified
        expired = await client.videos.generate_and_wait(**LAKE, raise_on_failure=False)
        assert expired.status == "expired"
        with pytest.raises(NotFoundError):
            await client.videos.quote(**LAKE)
        with pytest.raises(NotFoundError):
            await client.videos.timeline(task.id)
    assert (tmp_path / "lake.mp4").read_bytes() == b"a film"


async def test_prices_are_quoted_and_limits_of_the_cost_hold():
    server = MockServer(cost_usd="0.50")
    async with server.async_client() as client:
        quote = await client.videos.quote(**LAKE)
        assert (quote.cost_usd, quote.lines[0].cost_usd) == ("0.50", "0.50")
        with pytest.raises(SpendLimitError, match=r"0\.50"):
            await client.videos.generate(**LAKE, max_cost_usd="0.49")
        done = await client.videos.generate_and_wait(**LAKE, max_cost_usd="0.50")
        assert done.cost_usd == "0.50"
        server.cost_usd = None
        assert (await client.videos.quote(**LAKE)).reason
    assert server.paid == 1


async def test_tasks_are_listed_filtered_and_walked_through():
    server = MockServer()
    server.script(fails(after=0), *[stuck()] * 4)
    async with server.async_client() as client:
        made = [(await client.videos.generate(**LAKE, metadata={"shot": str(n)})).id for n in range(5)]
        assert [task.id async for task in client.videos.iter(limit=2)] == made[::-1]
        assert [task.id for task in (await client.videos.list(status="failed")).data] == made[:1]
        assert [task.id for task in (await client.videos.list(metadata={"shot": "3"})).data] == [made[3]]
        assert (await client.videos.list(model="m/y")).total == 0
        assert (await client.videos.list(offset=4)).data[0].id == made[0]


async def test_a_timeline_follows_the_script():
    server = MockServer()
    server.script(succeeds(after=10))
    async with server.async_client() as client:
        task = await client.videos.generate(**LAKE)
        assert [entry.kind for entry in await client.videos.timeline(task.id)] == ["created"]
        server.clock.advance(5)
        assert [entry.kind for entry in await client.videos.timeline(task.id)] == ["created", "render"]
        server.clock.advance(5)
        timeline = await client.videos.timeline(task.id)
    assert [(entry.kind, entry.seconds) for entry in timeline] == [
        ("created", 0),
        ("render", 8.0),
        ("ended", 0),
    ]


async def test_what_was_asked_can_be_looked_at_and_holds_no_key():
    server = MockServer()
    async with server.async_client(api_key="rsk_secret") as client:
        await client.videos.generate(**LAKE, duration=5, extra_headers={"X-Trace": "7"})
        await client.models.list(type="video")
        await client.models.get("mesh/diorama-1")
        with pytest.raises(NotFoundError):
            await client.models.get("m/x")
        with pytest.raises(UnprocessableEntityError, match="model"):
            await client.videos.generate(content=[], model="m", extra_body={"model": None})
    asked = server.requests[0]
    assert (asked.operation, asked.method, asked.json()["duration"]) == ("generate", "POST", 5)
    assert asked.headers["x-trace"] == "7"
    assert server.requests[1].query == (("type", "video"),)
    assert server.created[0].params["duration"] == 5
    assert "rsk_secret" not in str([vars(server), *(each.headers for each in server.requests)])


async def test_an_idempotency_key_with_another_body_is_refused():
    server = MockServer()
    async with server.async_client() as client:
        first = await client.videos.generate(**LAKE, idempotency_key="k")
        again = await client.videos.with_raw_response.generate(**LAKE, idempotency_key="k")
        assert (again.parse().id, again.headers["Idempotent-Replayed"]) == (first.id, "true")
        with pytest.raises(UnprocessableEntityError, match="another body"):
            await client.videos.generate(**LAKE, seed=1, idempotency_key="k")


async def test_an_application_that_makes_its_own_client_is_given_the_server_instead_of_an_http_client():
    server = MockServer()
    async with AsyncMeshAPI(api_key="rsk_x", http_client=server) as client:
        assert (await client.with_options(max_retries=0).videos.generate_and_wait(**LAKE)).video_url
    assert server.clock.elapsed == 10


async def test_a_callback_is_signed_as_the_server_signs():
    secret = "whsec_bWVzaCBhcGkgdGVzdCBzZWNyZXQgMDEyMzQ1Njc4OQ"
    server = MockServer()
    async with server.async_client(webhook_secret=secret) as client:
        task = await client.videos.generate_and_wait(**LAKE)
        body, headers = callback(task, secret, timestamp=server.clock.now)
        event = client.webhooks.parse(body, headers)
    assert (event.id, event.task.id, event.task.status) == ("evt_mock", task.id, "succeeded")
    assert b"null" not in body


async def test_the_log_tells_the_time_of_the_clock(caplog, monkeypatch):
    server = MockServer()
    monkeypatch.setattr(logging.getLogger("meshapi"), "propagate", True)
    with caplog.at_level(logging.INFO, logger="meshapi"):
        async with server.async_client() as client:
            await client.videos.list()
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


async def test_what_is_deleted_running_or_missing_is_refused_as_by_a_server(tmp_path):
    server = MockServer()
    server.script(stuck(), succeeds(after=0))
    async with server.async_client(max_retries=0) as client:
        running = await client.videos.generate(**LAKE, idempotency_key="k")
        with pytest.raises(ConflictError, match="has no result"):
            await client.videos.download(running.id, tmp_path / "lake.mp4")
        assert (await client.videos.delete(running.id)).error.code == "cancelled"
        assert (await client.videos.delete(running.id)).deleted is True
        with pytest.raises(NotFoundError, match="was deleted"):
            await client.videos.generate(**LAKE, idempotency_key="k")
        done = await client.videos.generate(**LAKE)
        with pytest.raises(DownloadError, match="ask for return_last_frame"):
            await client.videos.download(done.id, tmp_path / "end.png", variant="last_frame")
        with pytest.raises(UnprocessableEntityError):
            await client.videos.quote(model="m", content=[], extra_body={"content": "x"})
        assert (await client.videos.generate(**LAKE, max_cost_usd="much")).status == "pending"
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
async def test_requests_of_another_client_are_answered_too(request_, status):
    server = MockServer()
    server.script(succeeds(after=0))
    async with server.async_client() as client:
        await client.videos.generate(**LAKE)
    assert server.serve(request_, request_.headers).answer.status == status


async def test_a_cancel_is_heard_by_whoever_watches():
    server = MockServer()
    server.script(stuck())
    async with server.async_client() as client:
        task = await client.videos.generate(**LAKE)
        seen = []
        async for change in client.videos.watch(task.id, max_wait=1000):
            seen.append(change.status)
            if not change.is_terminal:
                await client.videos.cancel(task.id)
    assert seen == ["running", "failed"]
