"""What is special about ``/v1/videos``: forms, several engines, and their ways to fail."""

from typing import Any

import msgspec
import pytest

from meshapi_server.upstreams.contract import ContentItem, Look, Rejected, Unserved
from meshapi_server.upstreams.http import HttpResponse, data_uri
from meshapi_server.upstreams.openai_videos import OpenAIVideos
from meshapi_server.upstreams.openai_videos.request import size_of
from meshapi_server.upstreams.refusals import Unclear

from .stub import job, perform

ENGINES = ("http://a:1", "http://b:2", "http://c:3/v1/")
ADAPTER = OpenAIVideos(ENGINES)
PNG = b"\x89PNG\r\n\x1a\n..."
FRAME = ContentItem(kind="image", index=1, url=data_uri("image/png", PNG), role="first_frame")
TEXT = ContentItem(kind="text", index=0, text="a lake")
LOOK = Look(reference="http://b:2/v1/videos/v1", job=job(seed=3))


def response(status: int, value: Any, **headers: str) -> HttpResponse:
    return HttpResponse(status=status, headers=headers, body=msgspec.json.encode(value), received_at=1)


def test_a_task_stays_with_the_engine_that_took_it() -> None:
    request = next(ADAPTER.submit(job()))
    engine = request.url.removesuffix("/videos")
    assert engine in ADAPTER.engines
    _, accepted = perform(ADAPTER.submit(job()), response(200, {"id": "../x", "status": "queued"}))
    assert accepted.reference == f"{engine}/videos/..%2Fx"
    (asked,), _ = perform(ADAPTER.poll([LOOK]), response(200, {"id": "v1", "status": "queued"}))
    assert asked.url == LOOK.reference


def test_tasks_spread_over_the_engines() -> None:
    jobs = [msgspec.structs.replace(job(), task_id=f"task_{number}") for number in range(300)]
    engines = [next(ADAPTER.submit(each)).url for each in jobs]
    assert len(set(engines)) == 3
    assert min(engines.count(engine) for engine in set(engines)) > 60


def test_the_form_holds_what_was_asked_and_the_first_frame_as_a_file() -> None:
    asked = job(TEXT, FRAME, duration=5, resolution="720p", ratio="9:16", seed=4, negative_prompt="rain")
    assert ADAPTER.inlines(asked) == {1}
    request = next(ADAPTER.submit(asked))
    for field in (b'name="prompt"\r\n\r\na lake\r\n', b'name="seconds"\r\n\r\n5\r\n', b"\r\n720x1280\r\n"):
        assert field in request.body
    for field in (b'name="seed"\r\n\r\n4\r\n', b'name="negative_prompt"\r\n\r\nrain\r\n'):
        assert field in request.body
    file = b'name="input_reference"; filename="input.png"\r\nContent-Type: image/png\r\n\r\n' + PNG
    assert file in request.body
    assert dict(request.headers)["idempotency-key"] == "task_1.1"


@pytest.mark.parametrize("role", ["last_frame", "reference_image"])
def test_other_inputs_are_the_callers_mistake(role: Any) -> None:
    item = ContentItem(kind="image", index=1, url="https://x/a.png", role=role)
    with pytest.raises(Rejected, match="content 1"):
        next(ADAPTER.submit(job(TEXT, item)))


@pytest.mark.parametrize(
    ("resolution", "ratio", "size"),
    [
        ("720p", "16:9", "1280x720"),
        ("1080p", "9:16", "1080x1920"),
        ("480p", "16:9", "848x480"),
        ("720p", "1:1", "720x720"),
        ("480p", "21:9", "1120x480"),
        ("720p", "adaptive", None),
        (None, "16:9", None),
        ("720p", None, None),
    ],
)
def test_resolution_and_ratio_become_a_size(
    resolution: str | None, ratio: str | None, size: str | None
) -> None:
    assert size_of(resolution, ratio) == size


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("queued", "queued"),
        ("in_progress", "running"),
        ("completed", "succeeded"),
        ("failed", "failed"),
        ("deleted", "failed"),
        ("upscaling", "running"),
    ],
)
def test_each_status_has_its_meaning(status: str, state: str) -> None:
    _, (stands,) = perform(
        ADAPTER.poll([LOOK]), response(200, {"id": "v1", "status": status, "progress": 42})
    )
    assert stands.state == state
    if state == "running":
        assert stands.fraction == 0.42


@pytest.mark.parametrize("http", [200, 400, 500])
def test_a_failed_job_is_read_whatever_the_status_it_comes_with(http: int) -> None:
    error = {"code": 500, "message": "CUDA out of memory"}
    failed = response(http, {"id": "v1", "object": "video", "status": "failed", "error": error})
    _, (stands,) = perform(ADAPTER.poll([LOOK]), failed)
    assert stands.state == "failed"
    assert stands.error.message == "The upstream failed: CUDA out of memory"
    assert stands.error.provider_code == "500"


@pytest.mark.parametrize("body", [{"detail": "Video not found"}, {"error": {"message": "no"}}, "x"])
def test_an_engine_that_restarted_has_lost_the_task(body: Any) -> None:
    _, (stands,) = perform(ADAPTER.poll([LOOK]), response(404, body))
    assert stands.state == "failed"
    assert stands.error.code == "upstream_error"
    assert stands.error.retryable is True


def test_an_engine_that_stumbles_has_not_lost_it() -> None:
    _, (stands,) = perform(ADAPTER.poll([LOOK]), response(500, {"detail": "boom"}))
    assert isinstance(stands, Unclear)


def test_an_engines_advice_when_to_look_again_is_taken() -> None:
    answer = response(200, {"id": "v1", "status": "queued"}, **{"openai-poll-after-ms": "2500"})
    _, (stands,) = perform(ADAPTER.poll([LOOK]), answer)
    assert stands.look_again_in == 2.5


def test_a_result_in_cloud_storage_is_fetched_there_without_our_key() -> None:
    done = {"id": "v1", "status": "completed", "url": "https://bucket.example/v.mp4", "size": "1280x720"}
    _, result = perform(ADAPTER.result(LOOK), response(200, done))
    assert (result.video.url, result.video.authorised) == ("https://bucket.example/v.mp4", False)
    assert (result.facts.width, result.facts.height, result.facts.seed) == (1280, 720, 3)


def test_any_other_result_is_the_videos_content() -> None:
    _, result = perform(ADAPTER.result(LOOK), response(200, {"id": "v1", "status": "completed", "url": None}))
    assert (result.video.url, result.video.authorised) == (f"{LOOK.reference}/content", True)


def test_a_model_that_the_engine_does_not_serve_is_the_engines_matter() -> None:
    answer = response(
        400, {"error": {"message": "Model mismatch: serving wan, got ltx", "type": "BadRequest"}}
    )
    with pytest.raises(Unserved):
        perform(ADAPTER.submit(job()), answer)


def test_a_cancel_that_is_still_under_way_is_asked_for_again() -> None:
    with pytest.raises(Unclear):
        perform(ADAPTER.cancel(LOOK), response(409, {"error": {"message": "still cancelling"}}))
    assert perform(ADAPTER.cancel(LOOK), response(404, {}))[1] is False
    assert perform(ADAPTER.cancel(LOOK), response(200, {"deleted": True}))[1] is True
