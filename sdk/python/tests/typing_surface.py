"""What a type checker must see of the public API. Checked by mypy, never run (see test_typing.py)."""

from collections.abc import AsyncIterator, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import assert_type

import httpx
import httpx2
from PIL import Image

from meshapi import (
    AsyncMeshAPI,
    CreateVideoGenerationResponse,
    DeleteVideoGenerationResponse,
    DownloadResult,
    ListVideoGenerationsParams,
    MeshAPI,
    MeshAPIError,
    Model,
    ModelList,
    Quote,
    QuoteLine,
    RawResponse,
    TaskFailedError,
    Timeline,
    TimelineEntry,
    UsageEntry,
    UsageReport,
    VideoContentItem,
    VideoGenerationParams,
    VideoTaskList,
    VideoTaskResponse,
    WebhookEvent,
    webhooks,
)
from meshapi.testing import Cassette, MockServer

LAKE = VideoContentItem(type="text", text="A serene mountain lake at sunrise")


def sync(client: MeshAPI) -> None:
    params = VideoGenerationParams(model="mesh/diorama-1", content=[LAKE])
    assert_type(client.videos.generate(params), CreateVideoGenerationResponse)
    assert_type(client.videos.generate(params, idempotency_key="k", timeout=3), CreateVideoGenerationResponse)
    task = client.videos.generate(model="mesh/diorama-1", content=[LAKE, {"type": "text"}], duration=5)
    assert_type(task.unsupported_params, list[str] | None)
    assert_type(client.videos.retrieve(task.id, max_retries=0), VideoTaskResponse)
    assert_type(client.videos.list(ListVideoGenerationsParams(limit=20)), VideoTaskList)
    assert_type(client.videos.list(status=["running"], limit=20), VideoTaskList)
    assert_type(client.videos.iter(limit=20), Iterator[VideoTaskResponse])
    assert_type(client.videos.watch(task.id), Iterator[VideoTaskResponse])
    assert_type(client.videos.wait(task.id, max_wait=60), VideoTaskResponse)
    assert_type(client.videos.generate_and_wait(params, max_wait=60, seed=7), VideoTaskResponse)
    assert_type(client.videos.cancel(task.id), VideoTaskResponse)
    quote = client.videos.quote(params, timeout=3)
    assert_type(quote, Quote)
    assert_type(quote.cost_usd, str | None)
    assert_type(
        client.videos.quote(model="m/x", content=[LAKE], max_cost_usd=Decimal("0.5")).lines, list[QuoteLine]
    )
    for entry in client.videos.timeline(task.id):
        assert_type(entry, TimelineEntry)
    raw = client.videos.with_raw_response.retrieve(task.id, max_retries=0)
    assert_type(raw, RawResponse[VideoTaskResponse])
    assert_type(raw.parse(), VideoTaskResponse)
    assert_type(raw.request_id, str | None)
    assert_type(client.videos.with_raw_response.generate(params).parse(), CreateVideoGenerationResponse)
    assert_type(client.models.with_raw_response.list().parse(), ModelList)
    report = client.usage.get(from_="2026-11-01", to=date(2026, 11, 21), by=["model", "day"], timeout=3)
    assert_type(report, UsageReport)
    assert_type(report.data, list[UsageEntry])
    assert_type(report.total.cost_usd, str | None)
    assert_type(client.usage.with_raw_response.get(by="key").parse(), UsageReport)
    event = client.webhooks.parse(b"", {"webhook-id": "e"})
    assert_type(event, WebhookEvent)
    assert_type(event.task, VideoTaskResponse)
    webhooks.verify(b"", {"webhook-id": "e"}, secret=["whsec_a", "whsec_b"], tolerance=60)
    assert_type(client.videos.delete(task.id), DeleteVideoGenerationResponse)
    assert_type(client.videos.download(task, Path("lake.mp4")), DownloadResult)
    assert_type(client.videos.iter_bytes(task, variant="last_frame"), Iterator[bytes])
    assert_type(client.models.list(type="video"), ModelList)
    assert_type(client.models.get("mesh/diorama-1"), Model)
    assert_type(client.with_options(timeout=None, max_retries=5), MeshAPI)
    done = client.videos.retrieve(task.id)
    for item in done.content or []:
        assert_type(item.type, str)
        assert_type(item.url, str)
    if done.content:
        assert_type(done.content.video_url, str | None)
    if done.error:
        assert_type(done.error.code, str | None)


def refused(client: MeshAPI) -> None:
    client.videos.generate(model="m", content=[LAKE], duration="5")  # type: ignore[arg-type]
    client.videos.generate(model="m", content=[LAKE], duratoin=5)  # type: ignore[call-arg]
    client.videos.retrieve("t", timout=3)  # type: ignore[call-arg]
    client.videos.download("t", "lake.mp4", variant="poster")  # type: ignore[arg-type]
    client.videos.quote(model="m", content=[LAKE], max_cost=1)  # type: ignore[call-arg]
    client.webhooks.parse({"id": "t"}, {})  # type: ignore[arg-type]
    client.videos.list(limit="20")  # type: ignore[arg-type]
    client.usage.get(from_=20261121)  # type: ignore[arg-type]
    client.usage.get(to="2026-11-21", fromm="2026-11-20")  # type: ignore[call-arg]
    import meshapi

    meshapi.VideoGenerator  # type: ignore[attr-defined]  # noqa: B018


def errors() -> None:
    try:
        MeshAPI()
    except TaskFailedError as error:
        assert_type(error.task, VideoTaskResponse)
    except MeshAPIError as error:
        assert_type(error.status, int)
        assert_type(error.error_code, str)
        assert_type(error.request_id, str | None)
        assert_type(error.retry_after_seconds, float | None)
        assert_type(error.task_may_exist, bool)


def pictures(opened: Image.Image) -> None:
    VideoContentItem(type="image_url", image_url=Path("first.png"), role="first_frame")
    VideoContentItem(type="image_url", image_url=b"...")
    VideoContentItem(type="image_url", image_url=opened)
    assert_type(VideoContentItem.image("first.png", role="last_frame"), VideoContentItem)
    VideoContentItem.image(7)  # type: ignore[arg-type]


def injected(old: httpx.Client, new: httpx2.Client) -> None:
    MeshAPI(http_client=old)
    MeshAPI(http_client=new)
    MeshAPI(http_client={})  # type: ignore[arg-type]


def tests(server: MockServer) -> None:
    assert_type(server.client(max_retries=0), MeshAPI)
    assert_type(server.async_client(), AsyncMeshAPI)
    MeshAPI(http_client=server)
    AsyncMeshAPI(http_client=server)
    with Cassette("lake.json") as cassette:
        assert_type(cassette.client(timeout=3), MeshAPI)
        assert_type(cassette.async_client(http_client=httpx2.AsyncClient()), AsyncMeshAPI)


async def asynchronous(client: AsyncMeshAPI) -> None:
    task = await client.videos.generate(model="mesh/diorama-1", content=[LAKE])
    assert_type(task, CreateVideoGenerationResponse)
    assert_type(await client.videos.retrieve(task.id), VideoTaskResponse)
    assert_type(client.videos.watch(task.id), AsyncIterator[VideoTaskResponse])
    assert_type(client.videos.iter(), AsyncIterator[VideoTaskResponse])
    assert_type(client.videos.iter_bytes(task.id), AsyncIterator[bytes])
    assert_type(await client.videos.download(task, "lake.mp4"), DownloadResult)
    assert_type(await client.videos.quote(model="m/x", content=[LAKE]), Quote)
    assert_type(await client.videos.timeline(task.id), Timeline)
    assert_type(await client.usage.get(), UsageReport)
    raw = await client.videos.with_raw_response.list(limit=3)
    assert_type(raw.parse(), VideoTaskList)
    AsyncMeshAPI(http_client=httpx.AsyncClient())
    AsyncMeshAPI(http_client=httpx.Client())  # type: ignore[arg-type]
    async with AsyncMeshAPI(token="rsk_x") as entered:
        assert_type(entered, AsyncMeshAPI)
