# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""An application's uses of the SDK, as type checkers must see them. Checked by `test_types.py`, never run.

What is meant to be refused stands in `refused`, with the comment that mypy wants for it; a checker that did
not complain there would complain about the comment.
"""

import io
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import assert_type

import aiohttp
import httpx2

import meshapi
from meshapi import (
    APIConnectionError,
    AsyncMeshAPI,
    CreateVideoGenerationResponse,
    DeleteVideoGenerationResponse,
    DownloadResult,
    ListVideoGenerationsParams,
    MeshAPI,
    MeshAPIError,
    Model,
    ModelList,
    RetryPolicy,
    TaskFailedError,
    VideoContentItem,
    VideoGenerationParams,
    VideoTaskContentList,
    VideoTaskList,
    VideoTaskResponse,
    WaitTimeoutError,
    WebhookEvent,
    webhooks,
)
from meshapi.testing import Cassette, FakeClock, MockRequest, MockServer, MockTask, drops, moderated, succeeds
from meshapi.types import (
    Quote,
    TaskEvent,
    Timeline,
    TimelineEntry,
    UsageEntry,
    UsageFigures,
    UsageReport,
    WebhookDelivery,
    WebhookEndpoint,
)


def make_a_video(client: MeshAPI, prompt: str, place: Path) -> Path:
    task = client.videos.generate_and_wait(
        VideoGenerationParams(
            model="mesh/diorama-1", content=[VideoContentItem(type="text", text=prompt)], duration=5
        ),
        max_wait=600,
        idempotency_key="order-1",
    )
    assert_type(task, VideoTaskResponse)
    assert_type(client.videos.download(task, place), DownloadResult)
    return place


def by_keywords(client: MeshAPI) -> str:
    created = client.videos.generate(
        model="mesh/diorama-1",
        content=[
            {"type": "text", "text": "A lake"},
            {"type": "image_url", "image_url": "https://example.com/a.png", "role": "first_frame"},
            VideoContentItem(type="image_url", image_url="https://example.com/b.png", role="last_frame"),
        ],
        resolution="720p",
        metadata={"order": "1"},
        extra_body={"a_field_of_tomorrow": 1},
        extra_headers={"X-Trace": "1"},
        timeout=httpx2.Timeout(5, read=60),
        max_retries=0,
    )
    assert_type(created, CreateVideoGenerationResponse)
    assert_type(created.unsupported_params, list[str] | None)
    assert_type(created.request_id, str | None)
    return created.id


def read(client: MeshAPI, task_id: str) -> str | None:
    task = client.videos.retrieve(task_id)
    assert_type(task, VideoTaskResponse)
    assert_type(task.content, VideoTaskContentList | None)
    for item in task.content or ():
        assert_type(item.type, str)
        assert_type(item.url, str)
    if task.error:
        assert_type(task.error.code, str | None)
    assert_type(task.is_terminal, bool)
    return task.content.video_url if task.content else None


def follow(client: MeshAPI, task_id: str) -> None:
    assert_type(client.videos.watch(task_id, max_wait=60), Iterator[VideoTaskResponse])
    for change in client.videos.watch(task_id):
        assert_type(change.progress, float | None)
        assert_type(change.queue_position, int | None)
    assert_type(client.videos.wait(task_id, raise_on_failure=False), VideoTaskResponse)
    assert_type(client.videos.cancel(task_id), VideoTaskResponse)
    assert_type(client.videos.delete(task_id), DeleteVideoGenerationResponse)


def pages(client: MeshAPI) -> int:
    first = client.videos.list(ListVideoGenerationsParams(limit=20, status=["running", "pending"]))
    assert_type(first, VideoTaskList)
    yesterday = datetime(2026, 8, 1, tzinfo=UTC)
    assert_type(client.videos.list(model="mesh/diorama-1", created_after=yesterday), VideoTaskList)
    return sum(1 for task in client.videos.iter(limit=200, metadata={"order": "1"}) if task.is_terminal)


def bytes_elsewhere(client: MeshAPI, task: VideoTaskResponse) -> bytes:
    store = io.BytesIO()
    assert_type(client.videos.download(task.id, store, variant="last_frame").sha256, str)
    assert_type(client.videos.iter_bytes(task), Iterator[bytes])
    return store.getvalue()


def catalogue(client: MeshAPI) -> Model:
    models = client.models.list(type="video", provider="mesh")
    assert_type(models, ModelList)
    for model in models:
        assert_type(model, Model)
    return client.models.get("mesh/diorama-1")


def money(client: MeshAPI, task_id: str) -> list[str]:
    quote = client.videos.quote(model="mesh/diorama-1", content=[{"type": "text", "text": "A lake"}])
    assert_type(quote, Quote)
    assert_type(quote.cost_usd, str | None)
    timeline = client.videos.timeline(task_id)
    assert_type(timeline, Timeline)
    kinds: list[str] = []
    for entry in timeline:
        assert_type(entry, TimelineEntry)
        kinds.append(entry.kind)
    return kinds


def usage(client: MeshAPI) -> dict[str, str | None]:
    report = client.usage.get(from_=date(2026, 11, 1), to="2026-11-21", by=["day", "model"])
    assert_type(report, UsageReport)
    assert_type(report.from_, str | None)
    assert_type(report.total, UsageFigures)
    assert_type(client.usage.get(by="key", timeout=5).total.tasks, int)
    assert_type(client.usage.with_raw_response.get(extra_query={"format": "csv"}).body, bytes)
    spent: dict[str, str | None] = {}
    for entry in report:
        assert_type(entry, UsageEntry)
        spent[f"{entry.day} {entry.model}"] = entry.cost_usd
    return spent


def told(client: MeshAPI) -> str:
    endpoint = client.webhooks.endpoints.create("https://shop.example/told", enabled=False)
    assert_type(endpoint, WebhookEndpoint)
    assert_type(endpoint.secret, str | None)
    for delivery in client.webhooks.deliveries.iter(endpoint_id=endpoint.id, status="dead", limit=200):
        assert_type(delivery, WebhookDelivery)
    last = ""
    for event in client.webhooks.iter_events(after="evt_1"):
        assert_type(event, TaskEvent)
        assert_type(event.task, VideoTaskResponse | None)
        last = event.id
    return last


def raw(client: MeshAPI, task_id: str) -> VideoTaskResponse:
    answer = client.videos.with_raw_response.retrieve(task_id)
    assert_type(answer.status, int)
    assert_type(answer.request_id, str | None)
    assert_type(answer.headers.get("x-request-id"), str | None)
    return answer.parse()


def failures(client: MeshAPI, task_id: str) -> str | None:
    try:
        client.videos.wait(task_id, max_wait=1)
    except TaskFailedError as failed:
        assert_type(failed.task, VideoTaskResponse)
        return failed.error_code
    except WaitTimeoutError as late:
        assert_type(late.task_id, str)
        assert_type(late.task, VideoTaskResponse | None)
    except APIConnectionError as lost:
        assert_type(lost.task_may_exist, bool)
        assert_type(lost.idempotency_key, str | None)
    except MeshAPIError as error:
        assert_type(error.status, int)
        assert_type(error.request_id, str | None)
        assert_type(error.retry_after_seconds, float | None)
    return None


class Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        event = webhooks.parse(self.rfile.read(), self.headers, secret=["whsec_new", "whsec_old"])
        assert_type(event, WebhookEvent)
        assert_type(event.task, VideoTaskResponse)
        assert_type(meshapi.webhooks.verify(b"{}", {"webhook-id": "1"}, tolerance=60), None)


async def many(prompts: list[str]) -> AsyncIterator[str]:
    async with (
        aiohttp.ClientSession() as session,
        AsyncMeshAPI(http_client=session, retry=RetryPolicy(max_retries=4)) as client,
    ):
        assert_type(client, AsyncMeshAPI)
        for prompt in prompts:
            task = await client.videos.generate(
                model="mesh/diorama-1", content=[{"type": "text", "text": prompt}]
            )
            async for change in client.videos.watch(task.id):
                yield change.status
        async for each in client.videos.iter(limit=1):
            assert_type(each, VideoTaskResponse)
            assert_type(await client.videos.download(each, "lake.mp4"), DownloadResult)
            assert_type(await client.videos.timeline(each.id), Timeline)
            assert_type((await client.videos.with_raw_response.retrieve(each.id)).parse(), VideoTaskResponse)
        assert_type(await client.usage.get(to=datetime.now(UTC)), UsageReport)
        assert_type(client.webhooks.iter_events(), AsyncIterator[TaskEvent])


def in_a_test() -> None:
    mock = MockServer(cost_usd="0.40")
    mock.script(succeeds(after=30, video=b"..."), moderated())
    mock.fault(drops(accepted=True), on="generate")
    assert_type(mock.client(max_retries=4), MeshAPI)
    assert_type(mock.async_client(), AsyncMeshAPI)
    assert_type(mock.clock, FakeClock)
    assert_type(mock.requests, list[MockRequest])
    assert_type(mock.tasks, dict[str, MockTask])
    assert_type(mock.paid, int)
    with Cassette("lake.json", mode="replay") as cassette, cassette.client() as client:
        assert_type(client, MeshAPI)


def refused(client: MeshAPI, asynchronous: AsyncMeshAPI) -> None:
    client.videos.generate(model="m", content=[], duration="5")  # type: ignore[arg-type]
    client.videos.generate(model="m", content=[], duratoin=5)  # type: ignore[call-arg]
    client.videos.generate(model="m", content="A lake")  # type: ignore[arg-type]
    client.videos.retrieve(7)  # type: ignore[arg-type]
    client.videos.retrieve("t", timout=3)  # type: ignore[call-arg]
    client.videos.download("t", "lake.mp4", variant="poster")  # type: ignore[arg-type]
    client.videos.list(limit="20")  # type: ignore[arg-type]
    client.usage.get(by=7)  # type: ignore[arg-type]
    client.usage.get("2026-11-01")  # type: ignore[call-arg]
    client.videos.watch("t").status  # type: ignore[attr-defined]  # noqa: B018
    MeshAPI("rsk_...")  # type: ignore[call-arg]
    asynchronous.videos.wait("t").status  # type: ignore[attr-defined]  # noqa: B018
    MockServer().fault(503)  # type: ignore[arg-type]
    Cassette("lake.json", mode="reply")  # type: ignore[arg-type]
    meshapi.VideoGenerator  # type: ignore[attr-defined]  # noqa: B018
