# Generated from _async/test_client.py by generate_sync.py; edit that file, not this one.
# ruff: noqa: C416, SIM117
"""The client against real HTTP servers on this machine."""

import io
import logging
import time
import uuid

import httpx2
import pytest
from sdk_support.mesh import KEY, VIDEO
from sdk_support.scripted import Hangup, Say, ScriptedServer

from meshapi import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    InvalidIdError,
    MeshAPI,
    MeshAPIError,
    NotFoundError,
    ResponseDecodingError,
    RetryPolicy,
    TaskFailedError,
    UnprocessableEntityError,
    UpstreamError,
    VideoContentItem,
    VideoGenerationParams,
    WaitTimeoutError,
)

QUICK = RetryPolicy(max_retries=3, initial_seconds=0.01, max_seconds=0.02)
LAKE = {"model": "mesh/diorama-1", "content": [{"type": "text", "text": "A serene mountain lake at sunrise"}]}


def _client(server, **more):
    return MeshAPI(base_url=server.url, api_key=KEY, **{"retry": QUICK, **more})


def test_generate_wait_and_download_by_our_server(mesh, tmp_path):
    with _client(mesh) as client:
        task = client.videos.generate(**LAKE)
        assert (task.status, task.unsupported_params) == ("pending", None)
        done = client.videos.wait(task.id, max_wait=20)
        assert done.status == "succeeded"
        result = client.videos.download(done, tmp_path / "lake.mp4")
    assert (tmp_path / "lake.mp4").read_bytes() == VIDEO
    assert (result.size, result.verified) == (len(VIDEO), True)
    assert f"/v1/video/generations/{task.id}/events" in {asked.path for asked in mesh.asked}


def test_generate_and_wait_by_the_hosted_service(hosted, tmp_path):
    with _client(hosted) as client:
        done = client.videos.generate_and_wait(**LAKE, max_wait=20, poll_interval=0.05)
        assert done.content.video_url == done.video_url
        result = client.videos.download(done.id, tmp_path / "lake.mp4")
    assert (tmp_path / "lake.mp4").read_bytes() == VIDEO
    assert result.verified is False
    fetched = [asked for asked in hosted.asked if asked.path.startswith("/files/")]
    assert "authorization" not in fetched[0].headers


def test_watch_yields_every_change_and_ends_with_the_task(mesh):
    with _client(mesh) as client:
        task = client.videos.generate(**LAKE)
        seen = [change for change in client.videos.watch(task.id, max_wait=20)]
    assert seen[0].status == "pending"
    assert seen[-1].status == "succeeded"
    assert len(seen) >= 3
    progress = [each.progress for each in seen]
    assert progress == sorted(progress)


def test_a_failed_task_raises_with_the_task_and_its_reason(mesh):
    mesh.fail_with = {"code": "content_policy_violation", "message": "The prompt was refused."}
    with _client(mesh) as client:
        with pytest.raises(
            TaskFailedError, match="content_policy_violation: The prompt was refused"
        ) as caught:
            client.videos.generate_and_wait(**LAKE, max_wait=20)
        assert caught.value.task.status == "failed"
        assert caught.value.error_code == "content_policy_violation"
        task = client.videos.wait(caught.value.task_id, raise_on_failure=False)
        assert task.error.message == "The prompt was refused."


def test_a_wait_that_runs_out_carries_the_id_and_the_task_goes_on(mesh):
    mesh.seconds = 60
    with _client(mesh) as client:
        started = time.monotonic()
        with pytest.raises(WaitTimeoutError) as caught:
            client.videos.generate_and_wait(**LAKE, max_wait=0.5)
        assert time.monotonic() - started < 5
        task = client.videos.retrieve(caught.value.task_id)
    assert task.is_terminal is False


def test_cancel_ends_a_task_once(mesh):
    mesh.seconds = 60
    with _client(mesh) as client:
        task = client.videos.generate(**LAKE)
        cancelled = client.videos.cancel(task.id)
        assert (cancelled.status, cancelled.error.code) == ("failed", "cancelled")
        with pytest.raises(ConflictError):
            client.videos.cancel(task.id)


def test_delete_tells_a_cancellation_from_a_removal(mesh):
    mesh.seconds = 60
    with _client(mesh) as client:
        task = client.videos.generate(**LAKE)
        first = client.videos.delete(task.id)
        second = client.videos.delete(task.id)
        assert (first.deleted, first.status) == (False, "failed")
        assert (second.deleted, second.id) == (True, task.id)
        with pytest.raises(NotFoundError):
            client.videos.retrieve(task.id)


def test_iter_walks_through_all_pages_by_either_manner_of_server(mesh, hosted):
    for server in (mesh, hosted):
        with _client(server) as client:
            made = [(client.videos.generate(**LAKE)).id for _ in range(7)]
            seen = [task.id for task in client.videos.iter(limit=3)]
        assert seen == made[::-1]


def test_iter_fetches_a_page_only_when_it_is_wanted(mesh):
    with _client(mesh) as client:
        for _ in range(5):
            client.videos.generate(**LAKE)
        before = len(mesh.asked)
        for _task in client.videos.iter({"limit": 2}):
            break
    assert len(mesh.asked) == before + 1


def test_list_takes_several_values_of_a_filter(mesh):
    with _client(mesh) as client:
        client.videos.generate(**LAKE)
        page = client.videos.list(status=["pending", "running"], limit=5)
    assert page.total == 1
    assert mesh.asked[-1].query == [("limit", "5"), ("status", "pending"), ("status", "running")]


def test_models_are_listed_and_found(mesh, scripted):
    with _client(mesh) as client:
        models = client.models.list(type="video")
        assert [model.id for model in models] == ["mesh/diorama-1", "sandbox/instant"]
        assert models.request_id.startswith("req_")
        assert mesh.asked[-1].query == [("type", "video")]
    scripted.play(Say(200, {"id": "mesh/diorama-1", "video": {"durations": [5]}}))
    with _client(scripted) as client:
        assert (client.models.get("mesh/diorama-1")).video == {"durations": [5]}
    assert scripted.asked[0].path == "/v1/models/mesh/diorama-1"


def test_one_create_on_a_502_is_one_paid_video_at_a_server_without_keys(hosted):
    hosted.after.append(Say(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}))
    with _client(hosted) as client:
        with pytest.raises(UpstreamError, match="task may exist") as caught:
            client.videos.generate(**LAKE)
    assert hosted.paid == 1
    assert caught.value.task_may_exist is True
    assert [asked.path for asked in hosted.asked] == ["/v1/video/generations", "/healthz"]
    assert "authorization" not in hosted.asked[1].headers


def test_one_create_on_a_502_is_one_paid_video_at_a_server_with_keys(mesh):
    mesh.after += [Say(502), Hangup(), Say(504)]
    with _client(mesh) as client:
        task = client.videos.generate(**LAKE)
    assert (mesh.paid, task.id) == (1, "task_0001")
    creates = [asked for asked in mesh.asked if asked.method == "POST"]
    assert len(creates) == 4
    assert len({asked.headers["idempotency-key"] for asked in creates}) == 1
    assert len({asked.body for asked in creates}) == 1


def test_a_create_whose_connection_is_reset_is_not_sent_again_to_a_server_without_keys(hosted):
    hosted.after.append(Hangup())
    with _client(hosted) as client:
        with pytest.raises(APIConnectionError) as caught:
            client.videos.generate(**LAKE)
    assert (hosted.paid, caught.value.task_may_exist) == (1, True)


def test_the_key_of_a_lost_create_finds_its_task(mesh):
    mesh.after += [Hangup()]
    with _client(mesh, max_retries=0) as client:
        with pytest.raises(APIConnectionError) as caught:
            client.videos.generate(**LAKE)
        task = client.videos.generate(**LAKE, idempotency_key=caught.value.idempotency_key)
    assert (mesh.paid, task.id) == (1, "task_0001")


def test_two_calls_are_two_tasks(mesh):
    with _client(mesh) as client:
        first = client.videos.generate(**LAKE)
        second = client.videos.generate(**LAKE)
    assert first.id != second.id


def test_a_read_survives_resets_and_refusals_of_service(mesh):
    with _client(mesh) as client:
        task = client.videos.generate(**LAKE)
        mesh.instead += [Hangup(), Say(503), Say(429, headers={"Retry-After": "0"})]
        assert (client.videos.retrieve(task.id)).id == task.id


def test_a_server_that_is_not_there_is_a_connection_error_and_no_task(scripted):
    url = scripted.url.rsplit(":", 1)[0] + ":1"
    with MeshAPI(base_url=url, api_key=KEY, retry=QUICK) as client:
        with pytest.raises(APIConnectionError, match="cannot connect") as caught:
            client.videos.generate(**LAKE)
    assert caught.value.task_may_exist is False
    assert isinstance(caught.value.__cause__, httpx2.ConnectError)


def test_a_slow_answer_is_a_timeout_error(scripted):
    scripted.play(Say(200, {}, delay=0.5))
    with _client(scripted, max_retries=0) as client:
        with pytest.raises(APITimeoutError):
            client.videos.retrieve("t", timeout=0.1)


def test_retry_after_is_honoured_in_full(scripted):
    scripted.play(Say(429, headers={"Retry-After": "1"}), Say(200, {"id": "t", "status": "running"}))
    with _client(scripted) as client:
        started = time.monotonic()
        client.videos.retrieve("t")
        assert time.monotonic() - started >= 1.0


def test_a_per_call_option_holds_for_one_call(scripted):
    scripted.play(Say(503), Say(503), Say(200, {"id": "t"}))
    with _client(scripted) as client:
        with pytest.raises(MeshAPIError):
            client.videos.retrieve("t", max_retries=0, extra_headers={"X-Trace": "7"})
        assert (client.videos.retrieve("t")).id == "t"
    assert scripted.asked[0].headers["x-trace"] == "7"
    assert "x-trace" not in scripted.asked[1].headers


def test_with_options_shares_the_connections_and_what_was_learnt(mesh):
    with _client(mesh) as client:
        hasty = client.with_options(max_retries=0, timeout=5.0)
        task = client.videos.generate(**LAKE)
        mesh.instead.append(Say(503))
        with pytest.raises(MeshAPIError):
            hasty.videos.retrieve(task.id)
        hasty.close()
        assert (client.videos.retrieve(task.id)).id == task.id


def test_every_request_says_who_asks(scripted):
    scripted.play(Say(200, {"id": "t"}))
    with _client(scripted) as client:
        client.videos.retrieve("t")
    headers = scripted.asked[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["x-meshapi-sdk"].startswith("python/")


def test_a_request_id_is_on_results_and_on_errors(scripted):
    scripted.play(
        Say(200, {"id": "t"}, {"X-Request-Id": "req_a"}),
        Say(404, {"error": {"code": "not_found", "message": "no"}, "request_id": "req_b"}),
        Say(200, {"data": [{"id": "t"}], "has_more": False}, {"X-Request-Id": "req_c"}),
        Say(
            200,
            b'event: task\ndata: {"id": "t", "status": "failed"}\n\n',
            {"Content-Type": "text/event-stream", "X-Request-Id": "req_d"},
        ),
    )
    with _client(scripted) as client:
        assert (client.videos.retrieve("t")).request_id == "req_a"
        with pytest.raises(NotFoundError) as caught:
            client.videos.retrieve("t")
        assert caught.value.request_id == "req_b"
        assert [task.request_id for task in client.videos.iter()] == ["req_c"]
        assert [task.request_id for task in client.videos.watch("t")] == ["req_d"]


def test_an_id_cannot_reach_another_endpoint(scripted):
    scripted.play(Say(404))
    with _client(scripted) as client:
        with pytest.raises(NotFoundError):
            client.videos.retrieve("../../models")
        with pytest.raises(InvalidIdError):
            client.videos.retrieve("..")
    assert [asked.path for asked in scripted.asked] == ["/v1/video/generations/..%2F..%2Fmodels"]


def test_a_page_of_html_with_a_200_is_an_error_that_says_so(scripted):
    scripted.play(Say(200, b"<html>Sign in to the airport</html>", {"Content-Type": "text/html"}))
    with _client(scripted) as client:
        with pytest.raises(ResponseDecodingError, match="Sign in"):
            client.videos.retrieve("t")


def test_a_refusal_names_the_field(scripted):
    detail = {"type": "missing", "loc": ["body", "model"], "msg": "Field required"}
    scripted.play(Say(422, {"detail": [detail]}))
    with _client(scripted) as client:
        with pytest.raises(UnprocessableEntityError, match=r"body\.model: Field required") as caught:
            client.videos.generate(VideoGenerationParams(model="", content=[]))
    assert caught.value.details == [detail]


def test_a_redirected_create_is_not_followed_and_says_where_to(scripted):
    scripted.play(Say(308, headers={"Location": "https://new.example/v1/video/generations"}))
    with _client(scripted) as client:
        with pytest.raises(MeshAPIError, match=r"redirected to 'https://new\.example/.*set base_url"):
            client.videos.generate(**LAKE)
    assert len(scripted.asked) == 1


def test_a_redirected_read_is_followed_and_takes_no_key_to_another_host(scripted):
    with ScriptedServer() as other:
        away = f"http://localhost:{other.url.rsplit(':', 1)[1]}/moved"
        scripted.play(Say(302, headers={"Location": away}))
        other.play(Say(200, {"id": "t"}))
        with _client(scripted) as client:
            assert (client.videos.retrieve("t")).id == "t"
        assert "authorization" not in other.asked[0].headers


def test_a_download_goes_on_where_the_connection_broke(mesh, tmp_path):
    half = len(VIDEO) // 2
    with _client(mesh) as client:
        task = client.videos.generate_and_wait(**LAKE, max_wait=20)
        mesh.instead.append(
            Say(200, headers={"ETag": '"v1"'}, chunks=[VIDEO[:half]], length=len(VIDEO), cut=True)
        )
        client.videos.download(task, tmp_path / "lake.mp4")
    assert (tmp_path / "lake.mp4").read_bytes() == VIDEO
    resumed = [asked.headers["range"] for asked in mesh.asked if "range" in asked.headers]
    assert len(resumed) == 1
    assert 0 < int(resumed[0].removeprefix("bytes=").removesuffix("-")) <= half


def test_a_download_goes_to_an_open_file_or_comes_as_bytes(mesh):
    file = io.BytesIO()
    with _client(mesh) as client:
        task = client.videos.generate_and_wait(**LAKE, max_wait=20)
        result = client.videos.download(task.id, file)
        chunks = [chunk for chunk in client.videos.iter_bytes(task.id)]
    assert (file.getvalue(), result.path) == (VIDEO, None)
    assert b"".join(chunks) == VIDEO


def test_an_own_http_client_is_used_and_left_open(mesh):
    with httpx2.Client(headers={"X-Tenant": "blue"}) as own:
        with _client(mesh, http_client=own) as client:
            client.videos.list()
        assert own.is_closed is False
    assert mesh.asked[0].headers["x-tenant"] == "blue"


def test_a_foreign_http_client_is_refused():
    with pytest.raises(TypeError, match=r"http_client must be .*httpx2.*, got builtins\.dict"):
        MeshAPI(api_key=KEY, http_client={})


def test_an_unknown_key_is_an_authentication_error(mesh):
    with MeshAPI(base_url=mesh.url, token="rsk_wrong") as client:
        with pytest.raises(AuthenticationError):
            client.videos.list()


def test_the_environment_configures_a_client(mesh, monkeypatch):
    monkeypatch.setenv("MESHAPI_API_KEY", KEY)
    monkeypatch.setenv("MESHAPI_BASE_URL", mesh.url + "/v1")
    with MeshAPI() as client:
        assert (client.videos.list()).total == 0
        assert client.base_url == mesh.url


def test_no_representation_shows_the_key():
    key = f"rsk_{uuid.uuid4().hex}"
    with MeshAPI(api_key=key) as client:
        shown = [repr(each) for each in (client, client.videos, client.models, client._calls)]
    assert not [each for each in shown if key in each]


def test_the_log_tells_requests_and_neither_keys_nor_signatures(mesh, monkeypatch, caplog, tmp_path):
    monkeypatch.setenv("MESHAPI_LOG", "debug")
    with _client(mesh) as client:
        logger = logging.getLogger("meshapi")
        monkeypatch.setattr(logger, "propagate", True)
        task = client.videos.generate_and_wait(**LAKE, max_wait=20)
        mesh.instead.append(Say(404))
        client.videos.download(task, tmp_path / "lake.mp4")
    assert "POST" in caplog.text
    assert "/video/generations -> 200" in caplog.text
    assert f"/files/{task.id}/video.mp4 -> 200" in caplog.text
    assert KEY not in caplog.text
    assert "signature" not in caplog.text


def test_a_log_level_nobody_knows_is_refused(monkeypatch):
    monkeypatch.setenv("MESHAPI_LOG", "loud")
    with pytest.raises(ConfigurationError, match="MESHAPI_LOG"):
        MeshAPI(api_key=KEY)


def test_content_items_may_be_objects_or_mappings(mesh):
    items = [
        VideoContentItem(type="text", text="x"),
        {"type": "image_url", "image_url": "https://a.example/1.png", "role": "first_frame"},
    ]
    with _client(mesh) as client:
        client.videos.generate(model="m/x", content=items, duration=5)
    assert mesh.asked[0].json() == {
        "model": "m/x",
        "content": [
            {"type": "text", "text": "x"},
            {"type": "image_url", "image_url": {"url": "https://a.example/1.png"}, "role": "first_frame"},
        ],
        "duration": 5,
    }
