"""What a video would cost, what has happened to one, and the answers around the results."""

from decimal import Decimal

import pytest
from sdk_support.mesh import KEY
from sdk_support.scripted import Say

from meshapi import (
    AsyncMeshAPI,
    NotFoundError,
    RateLimitError,
    ResponseDecodingError,
    SpendLimitError,
    VideoGenerationParams,
)

LAKE = {"model": "mesh/diorama-1", "content": [{"type": "text", "text": "A serene mountain lake at sunrise"}]}


def _client(server, **more):
    return AsyncMeshAPI(base_url=server.url, api_key=KEY, **more)


async def test_a_quote_takes_what_generate_takes_and_creates_nothing(mesh):
    async with _client(mesh) as client:
        quote = await client.videos.quote(**LAKE, duration=10, idempotency_key="order-17")
        same = await client.videos.quote(VideoGenerationParams(**LAKE, duration=10))
    assert (quote.cost_usd, Decimal(quote.lines[0].unit_price_usd)) == ("0.50", Decimal("0.05"))
    assert same.lines == quote.lines
    assert quote.request_id == "req_1"
    assert mesh.paid == 0
    assert "idempotency-key" not in mesh.asked[0].headers


async def test_a_price_that_is_not_known_is_none(mesh):
    async with _client(mesh) as client:
        assert (await client.videos.quote(model="m/x", content=[])).cost_usd is None


async def test_a_server_without_quotes_says_so(hosted):
    async with _client(hosted) as client:
        with pytest.raises(NotFoundError):
            await client.videos.quote(**LAKE)


async def test_a_quote_is_asked_for_again_when_its_answer_is_lost(mesh):
    mesh.instead += [Say(502)]
    async with _client(mesh) as client:
        assert (await client.videos.quote(**LAKE)).cost_usd == "0.25"


async def test_the_most_a_task_may_cost_travels_and_its_refusal_is_an_error(scripted):
    refusal = {"error": {"code": "spend_limit_exceeded", "message": "It would cost 0.50 USD."}}
    scripted.play(Say(402, refusal))
    async with _client(scripted) as client:
        with pytest.raises(SpendLimitError, match=r"0\.50 USD"):
            await client.videos.generate(**LAKE, max_cost_usd="0.10")
    assert scripted.asked[0].json()["max_cost_usd"] == "0.10"


async def test_a_timeline_tells_what_happened(mesh):
    async with _client(mesh) as client:
        task = await client.videos.generate_and_wait(**LAKE, max_wait=20)
        timeline = await client.videos.timeline(task.id)
        with pytest.raises(NotFoundError):
            await client.videos.timeline("task_9999")
    assert [(entry.kind, entry.attempt) for entry in timeline] == [
        ("created", None),
        ("render", 1),
        ("ended", None),
    ]
    assert timeline.data[1].seconds == pytest.approx(0.05)
    assert timeline.request_id == "req_" + str(len(mesh.asked) - 1)


async def test_a_raw_response_has_the_status_the_headers_and_the_result(mesh):
    async with _client(mesh) as client:
        raw = await client.videos.with_raw_response.generate(**LAKE)
        assert (raw.status, raw.headers["x-mesh-idempotency"]) == (200, "supported")
        assert raw.headers["X-Mesh-Idempotency"] == "supported"
        assert raw.request_id == raw.parse().request_id == "req_1"
        task = raw.parse()
        assert task.id.encode() in raw.body
        videos = client.videos.with_raw_response
        assert (await videos.retrieve(task.id)).parse().id == task.id
        assert (await videos.timeline(task.id)).parse().data[0].kind == "created"
        assert (await videos.quote(**LAKE)).parse().cost_usd == "0.25"
        page = await videos.list(limit=1)
        assert [each.id for each in page.parse().data] == [task.id]
        assert (await videos.cancel(task.id)).parse().status == "failed"
        assert (await videos.delete(task.id)).parse().deleted is True
        models = await client.models.with_raw_response.list(type="video")
        assert models.parse()[0].id == "mesh/diorama-1"


async def test_a_raw_response_of_one_model(scripted):
    scripted.play(Say(200, {"id": "mesh/diorama-1"}, {"X-Request-Id": "req_m"}))
    async with _client(scripted) as client:
        raw = await client.models.with_raw_response.get("mesh/diorama-1")
    assert (raw.request_id, raw.parse().id) == ("req_m", "mesh/diorama-1")


async def test_a_raw_call_repeats_and_raises_as_any_other(scripted):
    scripted.play(Say(503), Say(200, {"id": "t"}), Say(429))
    async with _client(scripted) as client:
        assert (await client.videos.with_raw_response.retrieve("t")).parse().id == "t"
        with pytest.raises(RateLimitError):
            await client.videos.with_raw_response.retrieve("t", max_retries=0)


async def test_a_raw_response_that_is_no_task_raises_when_it_is_parsed(scripted):
    scripted.play(Say(200, b"<html>"), Say(200, b"{}"))
    async with _client(scripted) as client:
        raw = await client.videos.with_raw_response.retrieve("t")
        assert raw.body == b"<html>"
        with pytest.raises(ResponseDecodingError):
            raw.parse()
        created = await client.videos.with_raw_response.generate(**LAKE, idempotency_key="order-17")
        with pytest.raises(ResponseDecodingError) as caught:
            created.parse()
    assert (caught.value.task_may_exist, caught.value.idempotency_key) == (True, "order-17")


async def test_every_row_of_a_list_knows_the_request_that_brought_it(mesh):
    async with _client(mesh) as client:
        task = await client.videos.generate(**LAKE)
        page = await client.videos.list()
        models = await client.models.list()
    assert [each.request_id for each in page.data] == [page.request_id] == ["req_2"]
    assert task.request_id == "req_1"
    assert {model.request_id for model in models} == {models.request_id} == {"req_3"}
