"""What the Python SDK makes of odd answers and odd calls, over real HTTP and over a service in memory."""

import asyncio
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import meshapi
from meshapi import MeshAPI
from meshapi.testing import Cassette, MockServer, answers, drops, refuses, stuck, succeeds

sys.path.insert(0, str(Path(__file__).parents[2] / "sdk" / "python" / "tests"))

from sdk_support.scripted import Say, ScriptedServer

KEY = "rsk_corners"
PROMPT = [{"type": "text", "text": "A lake"}]
DONE = {"id": "task_1", "status": "succeeded", "content": {"video_url": "{url}/files/1.mp4"}}
VIDEO = bytes(range(256)) * 64


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def client(scripted: ScriptedServer) -> MeshAPI:
    quick = meshapi.RetryPolicy(initial_seconds=0.001, max_seconds=0.002)
    return MeshAPI(base_url=scripted.url, token=KEY, retry=quick)


def done(scripted: ScriptedServer) -> dict[str, Any]:
    return {**DONE, "content": {"video_url": f"{scripted.url}/files/1.mp4"}}


def test_parameters_come_as_an_object_or_as_keywords_and_not_as_both(client: MeshAPI) -> None:
    with pytest.raises(TypeError, match="list"):
        client.videos.list(meshapi.ListVideoGenerationsParams(limit=1), limit=2)
    with pytest.raises(TypeError, match="generate"):
        client.videos.generate(meshapi.VideoGenerationParams(model="m", content=[]), model="n")


def test_filters_of_tomorrow_are_sent_as_they_are(client: MeshAPI, scripted: ScriptedServer) -> None:
    scripted.play(Say(200, {"data": []}))
    client.videos.list({"archived": True, "tag": ["a", "b"], "limit": 1})
    assert scripted.asked[0].query == [("limit", "1"), ("archived", "true"), ("tag", "a"), ("tag", "b")]


def test_a_delete_without_a_body_is_a_delete(client: MeshAPI, scripted: ScriptedServer) -> None:
    scripted.play(Say(204, b"", {"X-Request-Id": "req_1"}))
    told = client.videos.delete("task_1")
    assert (told.id, told.deleted, told.request_id) == ("task_1", True, "req_1")


@pytest.mark.parametrize("body", [b"<html>", b'"mesh/diorama-1"', b'{"data": 7}'])
def test_a_catalogue_that_is_none_is_told_as_such(
    client: MeshAPI, scripted: ScriptedServer, body: bytes
) -> None:
    scripted.play(Say(200, body))
    with pytest.raises(meshapi.ResponseDecodingError, match="no list of models"):
        client.models.list()


@pytest.mark.parametrize("wish", ["soon", "9" * 400, -3, None, True, {"seconds": 3}])
def test_an_odd_wish_for_a_pause_is_no_wish(client: MeshAPI, scripted: ScriptedServer, wish: object) -> None:
    scripted.play(Say(429, {"error": {"code": "rate_limit_exceeded", "retry_after_seconds": wish}}))
    with pytest.raises(meshapi.RateLimitError) as caught:
        client.videos.retrieve("task_1", max_retries=0)
    assert caught.value.retry_after_seconds is None
    assert caught.value.code == caught.value.error_code == "rate_limit_exceeded"


@pytest.mark.parametrize("task_id", [7, None, b"task_1"])
def test_an_id_that_is_no_text_is_refused_before_anything_is_sent(
    client: MeshAPI, scripted: ScriptedServer, task_id: Any
) -> None:
    with pytest.raises(meshapi.InvalidIdError, match="is a string, got"):
        client.videos.retrieve(task_id)
    assert scripted.asked == []


def test_a_task_that_has_ended_when_it_is_created_is_not_waited_for(
    client: MeshAPI, scripted: ScriptedServer
) -> None:
    scripted.play(Say(200, done(scripted)))
    assert client.videos.generate_and_wait(model="m", content=PROMPT).status == "succeeded"
    assert len(scripted.asked) == 1


def test_a_stream_with_an_event_that_is_no_task_is_not_the_end_of_a_wait(
    client: MeshAPI, scripted: ScriptedServer
) -> None:
    stream = {"Content-Type": "text/event-stream"}
    scripted.play(
        Say(200, headers=stream, chunks=[b"retry: 5\nid: 1\nevent: task\ndata: <html>\n\n"]),
        Say(200, headers=stream, chunks=[b'event: task\ndata: {"id": "task_1", "status": "succeeded"}\n\n']),
    )
    assert client.videos.wait("task_1", max_wait=30).status == "succeeded"


def test_a_result_of_a_server_without_content_is_fetched_by_its_link_and_content_is_not_asked_for_again(
    client: MeshAPI, scripted: ScriptedServer
) -> None:
    scripted.play(
        Say(405, {"error": {"code": "method_not_allowed"}}),
        *(Say(200, done(scripted)), Say(200, VIDEO), Say(200, done(scripted)), Say(200, VIDEO)),
    )
    for _ in range(2):
        assert b"".join(client.videos.iter_bytes("task_1")) == VIDEO
    paths = [asked.path.rpartition("/")[2] for asked in scripted.asked]
    assert paths == ["content", "task_1", "1.mp4", "task_1", "1.mp4"]


@pytest.mark.parametrize("digest", ["sha-256=:????:", "sha-256=:AAA:", "sha-256", "md5=:AAAA:"])
def test_a_digest_that_cannot_be_read_verifies_nothing_and_breaks_nothing(
    client: MeshAPI, scripted: ScriptedServer, digest: str
) -> None:
    scripted.play(Say(200, VIDEO, {"Repr-Digest": digest}))
    result = client.videos.download("task_1", io.BytesIO())
    assert (result.size, result.verified) == (len(VIDEO), False)


def test_a_success_without_a_video_is_a_download_error(client: MeshAPI, scripted: ScriptedServer) -> None:
    scripted.play(Say(404, {"error": {"code": "not_found"}}), Say(200, {**DONE, "content": None}))
    with pytest.raises(meshapi.DownloadError, match="names no video"):
        client.videos.download("task_1", io.BytesIO())


def test_a_file_that_changed_on_the_way_cannot_go_on_where_nothing_can_be_taken_back(
    client: MeshAPI, scripted: ScriptedServer
) -> None:
    class Pipe(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            return len(data)

    for take in (
        lambda: client.videos.download("task_1", Pipe()),  # type: ignore[arg-type]
        lambda: b"".join(client.videos.iter_bytes("task_1")),
    ):
        scripted.play(
            Say(200, headers={"ETag": '"one"'}, chunks=[VIDEO], length=2 * len(VIDEO), cut=True),
            Say(200, VIDEO, {"ETag": '"two"'}),
        )
        with pytest.raises(meshapi.DownloadError, match="the file changed while it was downloaded"):
            take()


def test_a_range_that_the_server_takes_back_is_a_download_error(
    client: MeshAPI, scripted: ScriptedServer
) -> None:
    broken = Say(200, headers={"ETag": '"one"'}, chunks=[VIDEO], length=2 * len(VIDEO), cut=True)
    scripted.play(broken, *[Say(416, b"")] * 8)
    with pytest.raises(meshapi.DownloadError, match="cannot resume"):
        client.videos.download("task_1", io.BytesIO(), max_retries=0)


def stream_nowhere_sync() -> None:
    with MeshAPI(base_url="http://127.0.0.1:9", token=KEY, max_retries=0) as client:
        b"".join(client.videos.iter_bytes("task_1"))


def stream_nowhere(session: Callable[[], Any]) -> None:
    async def stream() -> None:
        http_client = session()
        client = meshapi.AsyncMeshAPI(
            base_url="http://127.0.0.1:9", token=KEY, max_retries=0, http_client=http_client
        )
        try:
            async for _ in client.videos.iter_bytes("task_1"):
                pass
        finally:
            await client.close()
            if http_client is not None:
                await http_client.close()

    asyncio.run(stream())


@pytest.mark.parametrize(
    "stream",
    [
        stream_nowhere_sync,
        lambda: stream_nowhere(lambda: None),
        lambda: stream_nowhere(aiohttp.ClientSession),
    ],
    ids=["sync", "async", "aiohttp"],
)
def test_a_stream_from_nowhere_is_a_connection_error(stream: Callable[[], None]) -> None:
    with pytest.raises(meshapi.MeshAPIError) as caught:
        stream()
    causes = [caught.value, caught.value.__cause__]
    assert any(isinstance(cause, meshapi.APIConnectionError) for cause in causes)


def test_a_task_can_be_made_of_a_task(client: MeshAPI, scripted: ScriptedServer) -> None:
    scripted.play(Say(200, done(scripted)))
    task = client.videos.retrieve("task_1")
    copy = meshapi.VideoTaskResponse.model_validate({**task.model_dump(), "content": task.content})
    assert copy.content == task.content
    items = {"content": list(task.content or ())}
    assert meshapi.VideoTaskResponse.model_validate(items).video_url == task.video_url


def test_the_service_in_memory_refuses_what_a_server_refuses() -> None:
    server = MockServer(cost_usd="1.50")
    with server.client() as client:
        with pytest.raises(meshapi.UnprocessableEntityError):
            client.videos.quote(model="m", content=PROMPT, extra_body={"model": None})
        with pytest.raises(meshapi.SpendLimitError):
            client.videos.generate(model="m", content=PROMPT, max_cost_usd="1.00")
        assert client.videos.generate(model="m", content=PROMPT, extra_body={"max_cost_usd": "much"}).id
        first = client.videos.generate(model="m", content=PROMPT, idempotency_key="k")
        with pytest.raises(meshapi.UnprocessableEntityError) as caught:
            client.videos.generate(model="n", content=PROMPT, idempotency_key="k")
        assert caught.value.error_code == "idempotency_mismatch"
        client.videos.wait(first.id)
        assert client.videos.delete(first.id).deleted
        with pytest.raises(meshapi.NotFoundError, match="deleted"):
            client.videos.generate(model="m", content=PROMPT, idempotency_key="k")


def test_a_task_in_memory_that_is_cancelled_while_it_is_watched_ends() -> None:
    server = MockServer()
    server.script(stuck())
    with server.client() as client:
        task = client.videos.generate(model="m", content=PROMPT)
        seen = []
        for change in client.videos.watch(task.id):
            seen.append(change.status)
            if not change.is_terminal:
                client.videos.cancel(task.id)
        assert (seen[0], seen[-1]) == ("running", "failed")


def test_a_delete_in_memory_cancels_a_task_that_runs() -> None:
    server = MockServer()
    server.script(stuck())
    with server.client() as client:
        task = client.videos.generate(model="m", content=PROMPT)
        told = client.videos.delete(task.id)
        assert (told.deleted, told.status, told.error and told.error.code) == (False, "failed", "cancelled")


def test_a_result_in_memory_has_the_edges_of_a_real_one() -> None:
    server = MockServer()
    server.script(succeeds(after=10, video=VIDEO), stuck())
    with server.client(max_retries=0) as client:
        done = client.videos.generate_and_wait(model="m", content=PROMPT)
        with pytest.raises(meshapi.DownloadError, match="no last frame"):
            client.videos.download(done, io.BytesIO(), variant="last_frame")
        waiting = client.videos.generate(model="m", content=PROMPT)
        with pytest.raises(meshapi.MeshAPIError):
            client.videos.download(waiting, io.BytesIO())


def test_a_cassette_keeps_faults_probes_and_files_too(scripted: ScriptedServer, tmp_path: Path) -> None:
    place = tmp_path / "corners.json"
    scripted.play(
        Say(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}),
        Say(404, b"\xff\xfe", {"Content-Type": "application/json"}),
        Say(404, {"error": {"code": "not_found"}}),
    )

    def session(cassette: Cassette) -> list[str]:
        told: list[str] = []
        with cassette, cassette.client(base_url=scripted.url, token=KEY, max_retries=1) as client:
            calls: list[Callable[[], object]] = [
                lambda: client.videos.generate(model="m", content=PROMPT),
                lambda: client.videos.wait("task_1", max_wait=5),
            ]
            for call in calls:
                try:
                    call()
                except meshapi.MeshAPIError as error:
                    told.append(f"{type(error).__name__} {error.status}")
        return told

    recorded = session(Cassette(place, mode="record"))
    assert recorded[0] == "UpstreamError 502"
    assert session(Cassette(place, mode="replay")) == recorded
    assert KEY not in "".join(path.read_text(errors="replace") for path in tmp_path.iterdir())


def test_a_fault_in_memory_can_meet_any_call() -> None:
    server = MockServer()
    server.fault(refuses(), drops(), answers(500))
    with server.client(max_retries=0) as client:
        for kind in (meshapi.APIConnectionError, meshapi.APIConnectionError, meshapi.InternalServerError):
            with pytest.raises(kind):
                client.models.list()
        assert len(client.models.list()) >= 0
