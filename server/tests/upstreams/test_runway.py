"""What is special to Runway: three routes, exact sizes, a version header, and what a failure cost."""

from typing import Any

import msgspec
import pytest

from meshapi_server.upstreams.adapter import ContentItem, Credentials, Job, Look, Progress, Rejected, Spec
from meshapi_server.upstreams.catalogue import Catalogue
from meshapi_server.upstreams.http import HttpResponse, get
from meshapi_server.upstreams.runway import Runway
from meshapi_server.upstreams.runway.models import MODELS
from meshapi_server.upstreams.runway.request import route_and_body, size_of

from .stub import perform

TEXT = ContentItem(kind="text", index=0, text="a paper boat")
FIRST = ContentItem(kind="image", index=1, url="https://x.example/a.png", role="first_frame")
LAST = ContentItem(kind="image", index=2, url="https://x.example/b.png", role="last_frame")
IMAGE = ContentItem(kind="image", index=1, url="https://x.example/r.png", role="reference_image")
VIDEO = ContentItem(kind="video", index=2, url="https://x.example/v.mp4", role="reference_video")


def job(model: str, *items: ContentItem, **fields: Any) -> Job:
    spec = Spec(model=f"runway/{model}", content=items or (TEXT,), **fields)
    return Job(task_id="task_1", attempt=1, submission=1, model=model, spec=spec, seed=3, submitted_at=0)


def progress(**task: Any) -> Progress:
    answer = HttpResponse(status=200, body=msgspec.json.encode(task), received_at=10_000_000)
    _, (found,) = perform(Runway().poll([Look(reference="r", job=job("gen4.5"))]), answer)
    assert isinstance(found, Progress)
    return found


def test_text_frames_and_videos_go_by_routes_of_their_own() -> None:
    assert route_and_body(job("veo3.1", TEXT))[0] == "/v1/text_to_video"
    route, body = route_and_body(job("veo3.1", TEXT, FIRST, LAST))
    assert route == "/v1/image_to_video"
    assert body["promptImage"] == [
        {"uri": FIRST.url, "position": "first"},
        {"uri": LAST.url, "position": "last"},
    ]
    route, body = route_and_body(job("aleph2", TEXT, VIDEO, ratio="16:9"))
    assert (route, body["videoUri"], body["targetAspectRatio"]) == ("/v1/video_to_video", VIDEO.url, "16:9")


def test_references_stand_beside_the_text_where_a_model_takes_them() -> None:
    route, body = route_and_body(job("seedance2_5", TEXT, IMAGE, VIDEO, duration=-1))
    assert route == "/v1/text_to_video"
    assert body["references"] == [{"uri": IMAGE.url}]
    assert body["referenceVideos"] == [{"type": "video", "uri": VIDEO.url}]
    assert body["duration"] == "auto"


def test_an_input_that_a_model_cannot_take_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(Rejected, match=r"content 1: .* takes no reference_image"):
        route_and_body(job("veo3.1", TEXT, IMAGE))
    with pytest.raises(Rejected, match="gen4_turbo"):
        route_and_body(job("gen4_turbo", TEXT))


def test_a_field_that_a_model_lacks_on_a_route_is_not_sent() -> None:
    wishes = {"duration": 5, "seed": 1, "generate_audio": True, "resolution": "720p", "ratio": "16:9"}
    _, body = route_and_body(job("gen4.5", **wishes))
    assert body == {
        "model": "gen4.5",
        "promptText": "a paper boat",
        "ratio": "1280:720",
        "duration": 5,
        "seed": 3,
    }
    _, body = route_and_body(job("wan3", TEXT, FIRST, **wishes))
    assert body["ratio"] == "auto_720p"
    _, body = route_and_body(job("hailuo3", **wishes | {"resolution": "768p"}))
    assert (body["ratio"], body["resolution"]) == ("16:9", "768p")


@pytest.mark.parametrize(
    ("model", "resolution", "ratio", "size"),
    [
        ("gen4.5", "720p", "21:9", "1584:672"),
        ("gen4.5", "720p", "1:1", "960:960"),
        ("seedance2", "4k", "9:16", "2160:3840"),
        ("seedance2_5", "480p", "16:9", "854:480"),
        ("kling3.0_pro", "1080p", None, "1920:1080"),
    ],
)
def test_resolution_and_ratio_become_the_models_own_size(
    model: str, resolution: str, ratio: str | None, size: str
) -> None:
    assert size_of(resolution, ratio, MODELS[model].sizes) == size


def test_every_model_of_the_cards_is_known_with_each_of_its_resolutions() -> None:
    cards = [card for card in Catalogue.load() if card.provider == "runway"]
    assert len(cards) >= 20
    for card in cards:
        model = MODELS[card.upstream_id]
        if model.sizes:
            assert set(card.resolutions) <= set(model.sizes) or not card.resolutions, card.id


def test_the_version_of_the_api_goes_along_with_the_key() -> None:
    headers = Runway().authorise(get("/v1/tasks/1"), Credentials({"key": "secret"}), 0)
    assert headers == {"authorization": "Bearer secret", "x-runway-version": "2024-11-06"}


def test_inputs_served_by_plain_http_are_sent_as_data() -> None:
    plain = ContentItem(kind="image", index=1, url="http://x.example/a.png", role="first_frame")
    assert Runway().inlines(job("veo3.1", TEXT, plain)) == {1}
    assert Runway().inlines(job("veo3.1", TEXT, FIRST)) == frozenset()


def test_waiting_for_a_free_place_is_waiting() -> None:
    assert progress(status="THROTTLED").state == "queued"


@pytest.mark.parametrize(
    ("code", "spent", "expected"),
    [
        ("SAFETY.INPUT.IMAGE", 0, ("content_policy_violation", "no", False)),
        ("SAFETY.OUTPUT.VIDEO", 60, ("content_policy_violation", "yes", False)),
        ("INPUT_PREPROCESSING.SAFETY.TEXT", 0, ("content_policy_violation", "no", False)),
        ("ASSET.INVALID", 0, ("invalid_input", "no", False)),
        ("INTERNAL.BAD_OUTPUT.CODE01", 0, ("upstream_error", "no", True)),
        (None, 0, ("upstream_error", "no", True)),
    ],
)
def test_a_failure_says_whose_it_was_and_what_it_cost(
    code: str | None, spent: int, expected: tuple[str, str, bool]
) -> None:
    ended = progress(status="FAILED", failure="words", failureCode=code, cost={"credits": spent})
    assert ended.error is not None
    assert (ended.error.code, ended.error.charged, ended.error.retryable) == expected
