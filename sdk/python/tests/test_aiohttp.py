"""The asynchronous client over an aiohttp session: the same behaviour through the other transport."""

import aiohttp
import httpx2
import pytest
from sdk_support.mesh import KEY, VIDEO
from sdk_support.scripted import Hangup, Say, ScriptedServer

from meshapi import (
    APIConnectionError,
    APITimeoutError,
    AsyncMeshAPI,
    MeshAPIError,
    NotFoundError,
    RetryPolicy,
    UpstreamError,
)

QUICK = RetryPolicy(max_retries=3, initial_seconds=0.01, max_seconds=0.02)
LAKE = {"model": "mesh/diorama-1", "content": [{"type": "text", "text": "A serene mountain lake at sunrise"}]}


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as session:
        yield session


def _client(server, session, **more):
    return AsyncMeshAPI(base_url=server.url, api_key=KEY, http_client=session, **{"retry": QUICK, **more})


@pytest.mark.parametrize("manner", ["mesh", "hosted"])
async def test_generate_watch_and_download(request, manner, session, tmp_path):
    service = request.getfixturevalue(manner)
    client = _client(service, session)
    task = await client.videos.generate(**LAKE)
    seen = [change.status async for change in client.videos.watch(task.id, max_wait=20, poll_interval=0.05)]
    assert seen[-1] == "succeeded"
    await client.videos.download(task.id, tmp_path / "lake.mp4")
    assert (tmp_path / "lake.mp4").read_bytes() == VIDEO
    assert await _paths_with_key(service, "/files/") == []


async def _paths_with_key(service, prefix):
    return [
        asked.path
        for asked in service.asked
        if asked.path.startswith(prefix) and "authorization" in asked.headers
    ]


async def test_a_create_is_paid_once_whatever_happens_to_its_answer(mesh, hosted, session):
    mesh.after += [Say(502), Hangup(), Say(504)]
    assert (await _client(mesh, session).videos.generate(**LAKE)).id == "task_0001"
    assert mesh.paid == 1
    hosted.after += [Say(502)]
    with pytest.raises(UpstreamError) as caught:
        await _client(hosted, session).videos.generate(**LAKE)
    assert (hosted.paid, caught.value.task_may_exist) == (1, True)
    hosted.after += [Hangup()]
    with pytest.raises(APIConnectionError) as lost:
        await _client(hosted, session).videos.generate(**LAKE)
    assert (hosted.paid, lost.value.task_may_exist) == (2, True)


async def test_a_server_that_is_not_there_is_known_to_have_seen_nothing(session):
    client = AsyncMeshAPI(base_url="http://127.0.0.1:1", api_key=KEY, http_client=session, retry=QUICK)
    with pytest.raises(APIConnectionError, match="cannot connect") as caught:
        await client.videos.generate(**LAKE)
    assert caught.value.task_may_exist is False


@pytest.mark.parametrize("seconds", [0.1, httpx2.Timeout(0.1)])
async def test_a_slow_answer_is_a_timeout_error(scripted, session, seconds):
    scripted.play(Say(200, {}, delay=0.5))
    with pytest.raises(APITimeoutError):
        await _client(scripted, session).videos.retrieve("t", timeout=seconds, max_retries=0)


async def test_a_download_goes_on_where_the_connection_broke(mesh, session, tmp_path):
    client = _client(mesh, session)
    task = await client.videos.generate_and_wait(**LAKE, max_wait=20)
    half = len(VIDEO) // 2
    mesh.instead.append(
        Say(200, headers={"ETag": '"v1"'}, chunks=[VIDEO[:half]], length=len(VIDEO), cut=True)
    )
    await client.videos.download(task, tmp_path / "lake.mp4")
    assert (tmp_path / "lake.mp4").read_bytes() == VIDEO
    assert [asked for asked in mesh.asked if "range" in asked.headers]


async def test_an_id_stays_escaped(scripted, session):
    scripted.play(Say(404))
    with pytest.raises(NotFoundError):
        await _client(scripted, session).videos.retrieve("../../models?x=1")
    assert [asked.path for asked in scripted.asked] == ["/v1/video/generations/..%2F..%2Fmodels%3Fx%3D1"]


async def test_a_redirect_is_followed_for_reads_only_and_takes_no_key_to_another_host(scripted, session):
    with ScriptedServer() as other:
        away = {"Location": f"http://localhost:{other.url.rsplit(':', 1)[1]}/moved"}
        scripted.play(Say(302, headers=away), Say(307, headers=away))
        other.play(Say(200, {"id": "t", "status": "running"}))
        client = _client(scripted, session)
        assert (await client.videos.retrieve("t")).id == "t"
        with pytest.raises(MeshAPIError, match="redirected"):
            await client.videos.generate(**LAKE)
        assert "authorization" not in other.asked[0].headers
        assert len(other.asked) == 1


async def test_the_session_is_left_open(mesh, session):
    async with _client(mesh, session) as client:
        await client.videos.list()
    assert session.closed is False
