"""Both SDKs against the hosted forms: `queued`, object content, and ends that our server never says."""

import asyncio
import json
from pathlib import Path

import pytest
from go_programs import GoPrograms
from hosted import KEY, VIDEO, HostedService

import meshapi

PROMPT = [{"type": "text", "text": "A lake"}]
MODEL = "byteplus/dreamina-seedance-2-0"
QUICK = 0.02  # seconds between two looks


@pytest.fixture
def client(hosted: HostedService) -> meshapi.MeshAPI:
    return meshapi.MeshAPI(base_url=hosted.base_url, token=KEY)


def test_a_task_goes_from_queued_to_a_video_that_can_be_downloaded(
    client: meshapi.MeshAPI, tmp_path: Path
) -> None:
    created = client.videos.generate(model=MODEL, content=PROMPT)
    seen = list(client.videos.watch(created.id, poll_interval=QUICK))
    assert [task.status for task in seen] == ["queued", "succeeded"]
    assert [task.is_terminal for task in seen] == [False, True]
    assert seen[-1].content is not None
    assert [item.type for item in seen[-1].content] == ["video_url"]
    result = client.videos.download(seen[-1], tmp_path / "lake.mp4")
    assert (tmp_path / "lake.mp4").read_bytes() == VIDEO
    assert not result.verified  # the service names no digest


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("hosted/expires", "expired", "expired"),
        ("hosted/cancelled", "cancelled", "cancelled"),
        ("hosted/fails", "failed", "upstream_error"),
    ],
)
def test_every_end_of_the_hosted_service_ends_a_wait(
    client: meshapi.MeshAPI, go: GoPrograms, hosted: HostedService, model: str, status: str, code: str
) -> None:
    with pytest.raises(meshapi.TaskFailedError) as caught:
        client.videos.generate_and_wait(model=model, content=PROMPT, poll_interval=QUICK, max_wait=60)
    assert (caught.value.task.status, caught.value.error_code) == (status, code)
    told = json.loads(go.run("call", "wait", model, base_url=hosted.base_url, key=KEY).stdout)
    assert (told["seen"], told["status"], told["code"]) == (["queued", status], status, code)


def test_go_reads_the_same_video_from_an_object(hosted: HostedService, go: GoPrograms) -> None:
    told = json.loads(go.run("call", "wait", MODEL, base_url=hosted.base_url, key=KEY).stdout)
    assert told == {
        "id": "cgt-2026-0001",
        "seen": ["queued", "succeeded"],
        "status": "succeeded",
        "video_url": f"{hosted.base_url}/files/cgt-2026-0001.mp4",
    }


def test_an_image_given_as_plain_text_reaches_a_strict_service_as_an_object(
    client: meshapi.MeshAPI, hosted: HostedService
) -> None:
    image = {"type": "image_url", "image_url": "https://example.com/a.png"}
    assert client.videos.generate(model=MODEL, content=[*PROMPT, image]).id
    assert hosted.creates[0]["content"][1]["image_url"] == {"url": "https://example.com/a.png"}


def test_a_field_that_the_service_refuses_is_told_with_its_place(client: meshapi.MeshAPI) -> None:
    with pytest.raises(meshapi.UnprocessableEntityError) as caught:
        client.videos.generate(model=MODEL, content=PROMPT, metadata={"order": "1"})
    assert [detail["loc"] for detail in caught.value.details] == [["body", "metadata"]]


async def test_pages_are_walked_by_offset_where_there_is_no_cursor(hosted: HostedService) -> None:
    async with meshapi.AsyncMeshAPI(base_url=hosted.base_url, token=KEY) as client:
        made = await asyncio.gather(*(client.videos.generate(model=MODEL, content=PROMPT) for _ in range(5)))
        found = [task.id async for task in client.videos.iter(limit=2)]
    assert sorted(found) == sorted(task.id for task in made)
