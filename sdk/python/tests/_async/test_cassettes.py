"""Recorded traffic: recorded once from a real server, replayed without one."""

import json
import time

import pytest
from sdk_support.mesh import KEY, VIDEO
from sdk_support.scripted import Hangup, Say

from meshapi import APIConnectionError, AsyncMeshAPI, NotFoundError, RetryPolicy
from meshapi.testing import Cassette, CassetteError

QUICK = RetryPolicy(max_retries=3, initial_seconds=0.01, max_seconds=0.02)
LAKE = {"model": "mesh/diorama-1", "content": [{"type": "text", "text": "A serene mountain lake at sunrise"}]}
PICTURE = {"type": "image_url", "image_url": "data:image/png;base64,iVBORw0KGgo=", "role": "first_frame"}


async def _film(client, folder):
    """What the application under test does."""
    content = [*LAKE["content"], PICTURE]
    done = await client.videos.generate_and_wait(model="mesh/diorama-1", content=content, poll_interval=0.05)
    await client.videos.download(done, folder / "lake.mp4")
    return done


@pytest.mark.parametrize("manner", ["mesh", "hosted"])
async def test_what_was_recorded_is_replayed_without_a_server_a_key_or_waiting(request, manner, tmp_path):
    service = request.getfixturevalue(manner)
    path = tmp_path / "cassettes" / "lake.json"
    with Cassette(path) as cassette:
        assert cassette.replays is False
        async with cassette.async_client(base_url=service.url, api_key=KEY, retry=QUICK) as client:
            recorded = await _film(client, tmp_path)
    asked = len(service.asked)
    (tmp_path / "lake.mp4").unlink()
    with Cassette(path) as cassette:
        assert cassette.replays is True
        started = time.monotonic()
        async with cassette.async_client(retry=QUICK) as client:
            replayed = await _film(client, tmp_path)
        assert time.monotonic() - started < 30
        assert cassette.left == 0
        assert cassette.clock.elapsed > 0
    assert (replayed.id, replayed.status) == (recorded.id, "succeeded")
    assert (tmp_path / "lake.mp4").read_bytes() == VIDEO
    assert len(service.asked) == asked


async def test_a_cassette_is_readable_and_holds_nothing_secret(mesh, hosted, tmp_path):
    for name, service in (("mesh", mesh), ("hosted", hosted)):
        with Cassette(tmp_path / f"{name}.json") as cassette:
            headers = {"X-Tenant": "a tenant's secret"}
            async with cassette.async_client(base_url=service.url, api_key=KEY, retry=QUICK) as client:
                done = await _film(client.with_options(), tmp_path)
                await client.videos.retrieve(done.id, extra_headers=headers)
    told = json.loads((tmp_path / "mesh.json").read_text())
    create = told["interactions"][0]
    assert create["request"]["method"] == "POST"
    assert create["request"]["url"] == "/v1/video/generations"
    assert create["request"]["json"]["content"][0]["text"] == "A serene mountain lake at sunrise"
    assert create["answer"]["json"]["id"] == "task_0001"
    film = [each["answer"]["file"] for each in told["interactions"] if "file" in each.get("answer", {})]
    assert [(tmp_path / name).read_bytes() for name in film] == [VIDEO]
    written = "".join(each.read_text() for each in tmp_path.glob("*.json"))
    for secret in (KEY, "Bearer", "signature=abc", "tenant", "iVBORw0KGgo"):
        assert secret not in written
    assert "/files/task_0001/video.mp4?redacted" in written


async def test_faults_are_recorded_and_replayed(scripted, tmp_path):
    away = {"error": {"code": "not_found", "message": f"{KEY} has no rsk_0123456789 task."}}
    scripted.play(Say(503), Say(200, {"id": "t"}), Hangup(), Say(404, away), Say(200, b"no JSON"))
    path = tmp_path / "faults.json"

    async def ask(cassette, **settings):
        async with cassette.async_client(retry=QUICK, **settings) as client:
            assert (await client.videos.retrieve("t")).id == "t"
            with pytest.raises(APIConnectionError):
                await client.videos.retrieve("t", max_retries=0)
            with pytest.raises(NotFoundError, match=r"\[api key\] has no|has no rsk_") as caught:
                await client.videos.retrieve("t", max_retries=0)
            with pytest.raises(Exception, match="no VideoTaskResponse"):
                await client.videos.retrieve("t", max_retries=0)
        return str(caught.value)

    with Cassette(path) as cassette:
        await ask(cassette, base_url=scripted.url, api_key=KEY)
    with Cassette(path, mode="replay") as cassette:
        assert await ask(cassette) == "[api key] has no rsk_[secret] task."


async def test_a_broken_download_is_replayed_broken(mesh, tmp_path):
    path = tmp_path / "broken.json"

    async def fetch(cassette, **settings):
        async with cassette.async_client(retry=QUICK, **settings) as client:
            task = await client.videos.generate_and_wait(**LAKE)
            if not cassette.replays:
                cut = Say(200, headers={"ETag": '"v1"'}, chunks=[VIDEO[:100]], length=len(VIDEO), cut=True)
                mesh.instead.append(cut)
            await client.videos.download(task.id, tmp_path / "lake.mp4")

    with Cassette(path) as cassette:
        await fetch(cassette, base_url=mesh.url, api_key=KEY)
    (tmp_path / "lake.mp4").unlink()
    assert '"broken"' in path.read_text()
    with Cassette(path) as cassette:
        await fetch(cassette)
    assert (tmp_path / "lake.mp4").read_bytes() == VIDEO


async def test_a_request_that_was_not_recorded_says_what_was(mesh, tmp_path):
    path = tmp_path / "lake.json"
    with Cassette(path) as cassette:
        async with cassette.async_client(base_url=mesh.url, api_key=KEY) as client:
            await client.videos.generate(**LAKE)
    with Cassette(path) as cassette:
        async with cassette.async_client() as client:
            with pytest.raises(CassetteError, match="recorded with another body"):
                await client.videos.generate(**LAKE, duration=5)
            with pytest.raises(CassetteError, match=r"no \(further\) GET .*/t; next on it is POST"):
                await client.videos.retrieve("t")
            await client.videos.generate(**LAKE)
            with pytest.raises(CassetteError, match="it is over"):
                await client.videos.generate(**LAKE)


async def test_a_recording_that_ends_with_an_error_is_not_kept(mesh, tmp_path):
    async def fail(cassette):
        async with cassette.async_client(base_url=mesh.url, api_key=KEY) as client:
            await client.videos.retrieve("task_9999")

    with pytest.raises(NotFoundError), Cassette(tmp_path / "lake.json") as cassette:
        await fail(cassette)
    assert list(tmp_path.iterdir()) == []


async def test_an_application_that_makes_its_own_client_is_given_the_cassette(mesh, tmp_path):
    for base_url in (mesh.url, "https://api.example/prefix/v1"):
        with Cassette(tmp_path / "list.json") as cassette:
            async with AsyncMeshAPI(api_key=KEY, base_url=base_url, http_client=cassette) as client:
                assert (await client.videos.list(limit=3)).total == 0
    assert len(mesh.asked) == 1


async def test_the_environment_can_insist_on_a_replay_or_a_new_recording(mesh, tmp_path, monkeypatch):
    monkeypatch.setenv("MESHAPI_CASSETTE", "replay")
    with pytest.raises(CassetteError, match="there is no cassette"):
        Cassette(tmp_path / "list.json")
    monkeypatch.setenv("MESHAPI_CASSETTE", "record")
    for _ in range(2):
        with Cassette(tmp_path / "list.json", mode="replay") as cassette:
            async with cassette.async_client(base_url=mesh.url, api_key=KEY) as client:
                await client.videos.list()
    assert len(mesh.asked) == 2
    monkeypatch.setenv("MESHAPI_CASSETTE", "maybe")
    with pytest.raises(CassetteError, match="once, record or replay"):
        Cassette(tmp_path / "list.json")


@pytest.mark.parametrize("content", ["", "[]", '{"format": "tape"}', '{"format": "meshapi cassette 1"}'])
def test_a_file_that_is_no_cassette_is_refused(tmp_path, content):
    (tmp_path / "lake.json").write_text(content)
    with pytest.raises(CassetteError, match="cannot be read"):
        Cassette(tmp_path / "lake.json")


async def test_a_film_beside_a_cassette_that_was_changed_is_refused(mesh, tmp_path):
    with Cassette(tmp_path / "lake.json") as cassette:
        async with cassette.async_client(base_url=mesh.url, api_key=KEY, retry=QUICK) as client:
            await _film(client, tmp_path)
    for film in tmp_path.glob("*.bin"):
        film.write_bytes(b"another film")
    with pytest.raises(CassetteError, match="not what was recorded"):
        Cassette(tmp_path / "lake.json")


async def test_a_refused_stream_and_a_body_that_is_no_text_are_replayed(scripted, tmp_path):
    page = b"\xff\xfe not UTF-8"
    scripted.play(Hangup(), Say(405), Say(200, page), Say(200, {"id": "t", "status": "succeeded"}))
    path = tmp_path / "odd.json"

    async def ask(cassette, **settings):
        async with cassette.async_client(retry=QUICK, **settings) as client:
            return await client.videos.wait("t", poll_interval=0.01)

    with Cassette(path) as cassette:
        await ask(cassette, base_url=scripted.url, api_key=KEY)
    assert [each.read_bytes() for each in tmp_path.glob("*.bin")] == [page]
    with Cassette(path) as cassette:
        assert (await ask(cassette)).status == "succeeded"
        assert cassette.left == 0


async def test_a_probe_for_idempotency_keys_is_recorded_and_replayed(mesh, tmp_path):
    path = tmp_path / "probe.json"

    async def make(cassette, **settings):
        async with cassette.async_client(retry=QUICK, **settings) as client:
            return (await client.videos.generate(**LAKE)).id

    mesh.after.append(Hangup())
    with Cassette(path) as cassette:
        assert await make(cassette, base_url=mesh.url, api_key=KEY) == "task_0001"
    assert '"/healthz"' in path.read_text()
    with Cassette(path) as cassette:
        assert await make(cassette) == "task_0001"
    assert mesh.paid == 1
