"""What a type checker must see of the public API. Checked by mypy, never run (see test_typing.py)."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import assert_type

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
    TaskFailedError,
    VideoContentItem,
    VideoGenerationParams,
    VideoTaskList,
    VideoTaskResponse,
)

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
    client.videos.list(limit="20")  # type: ignore[arg-type]
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


async def asynchronous(client: AsyncMeshAPI) -> None:
    task = await client.videos.generate(model="mesh/diorama-1", content=[LAKE])
    assert_type(task, CreateVideoGenerationResponse)
    assert_type(await client.videos.retrieve(task.id), VideoTaskResponse)
    assert_type(client.videos.watch(task.id), AsyncIterator[VideoTaskResponse])
    assert_type(client.videos.iter(), AsyncIterator[VideoTaskResponse])
    assert_type(client.videos.iter_bytes(task.id), AsyncIterator[bytes])
    assert_type(await client.videos.download(task, "lake.mp4"), DownloadResult)
    async with AsyncMeshAPI(token="rsk_x") as entered:
        assert_type(entered, AsyncMeshAPI)
