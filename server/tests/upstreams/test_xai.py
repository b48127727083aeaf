"""What is special to xAI: answers without a body, videos withheld by a 400, edits that follow their input."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from meshapi_server.upstreams.adapter import ContentItem, Deferred, Job, Look, Progress, Spec
from meshapi_server.upstreams.http import HttpResponse
from meshapi_server.upstreams.refusals import Unclear
from meshapi_server.upstreams.xai import GrokImagine
from meshapi_server.upstreams.xai.reading import cost_of
from meshapi_server.upstreams.xai.request import route_and_body

from .stub import perform

TEXT = ContentItem(kind="text", index=0, text="@boat passes @pier and @nobody")
TICKS = {"cost_in_usd_ticks": 2_500_000_000}


def image(role: Any, name: str, subject: str | None = None) -> ContentItem:
    return ContentItem(kind="image", index=1, url=f"https://x.example/{name}", role=role, subject=subject)


def job(*items: ContentItem, **fields: Any) -> Job:
    spec = Spec(model="xai/x", content=(TEXT, *items), **fields)
    return Job(task_id="t", attempt=1, submission=1, model="grok", spec=spec, seed=1, submitted_at=0)


def look(status: int, value: Any = None) -> Progress | Exception:
    body = b"" if value is None else msgspec.json.encode(value)
    answer = HttpResponse(status=status, body=body, received_at=10_000_000)
    _, (found,) = perform(GrokImagine().poll([Look(reference="r", job=job())]), answer)
    return found  # type: ignore[no-any-return]


def test_frames_and_references_have_fields_of_their_own() -> None:
    route, body = route_and_body(job(image("first_frame", "a"), image("last_frame", "b"), duration=4))
    assert route == "/videos/generations"
    assert body["image"] == {"url": "https://x.example/a"}
    assert body["last_frame"] == {"url": "https://x.example/b"}
    assert body["duration"] == 4


def test_subjects_are_cited_by_the_number_of_their_reference() -> None:
    _, body = route_and_body(
        job(image("reference_image", "a", "pier"), image("reference_image", "b", "boat"))
    )
    assert body["prompt"] == "<IMAGE_2> passes <IMAGE_1> and @nobody"
    assert len(body["reference_images"]) == 2


def test_a_video_is_edited_without_length_shape_or_size() -> None:
    video = ContentItem(kind="video", index=1, url="https://x.example/v.mp4", role="reference_video")
    route, body = route_and_body(job(video, duration=8, ratio="16:9", safety_identifier="u-1"))
    assert route == "/videos/edits"
    assert body == {
        "model": "grok",
        "prompt": TEXT.text,
        "video": {"url": "https://x.example/v.mp4"},
        "user": "u-1",
    }


def test_a_202_without_a_body_is_a_waiting_video() -> None:
    assert look(202) == Progress(state="queued")
    assert look(202, {"status": "pending", "progress": 0}) == Progress(state="queued", fraction=0.0)
    assert look(200, {"status": "pending", "progress": 37}) == Progress(state="running", fraction=0.37)


@pytest.mark.parametrize(
    ("status", "value"),
    [
        (
            400,
            {"code": "invalid", "error": "Generated video rejected by content moderation.", "usage": TICKS},
        ),
        (400, {"error": {"message": "Rejected by content moderation.", "code": "x"}, "usage": TICKS}),
        (200, {"status": "done", "video": {"url": None, "respect_moderation": False}, "usage": TICKS}),
    ],
)
def test_a_video_that_was_withheld_was_charged(status: int, value: Any) -> None:
    found = look(status, value)
    assert isinstance(found, Progress)
    assert found.error is not None
    assert found.error.code == "content_policy_violation"
    assert found.error.charged == "yes"


def test_a_400_about_anything_else_does_not_end_a_video() -> None:
    assert isinstance(look(400, {"error": "bad query"}), Unclear)
    assert isinstance(look(429, {"error": "slow down"}), Deferred)


def test_a_video_with_an_address_is_done_though_no_status_says_so() -> None:
    assert look(200, {"video": {"url": "https://vidgen.x.ai/a.mp4"}}) == Progress(state="succeeded")


def test_an_expired_video_has_failed() -> None:
    found = look(200, {"status": "expired"})
    assert isinstance(found, Progress)
    assert found.error is not None
    assert found.error.code == "expired"


def test_a_done_video_without_an_address_is_a_failure_of_the_upstream() -> None:
    found = look(200, {"status": "done", "video": {"respect_moderation": True}})
    assert isinstance(found, Progress)
    assert found.error is not None
    assert found.error.code == "upstream_error"


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (TICKS, "0.2500000000"),
        ({"cost_in_usd_ticks": 0}, "0"),
        ({"cost_in_usd_ticks": True}, None),
        ({}, None),
    ],
)
def test_a_made_video_tells_what_it_cost_in_dollars(usage: Any, cost: str | None) -> None:
    told = cost_of({"usage": usage})
    assert (None if told is None else Decimal(told)) == (None if cost is None else Decimal(cost))
