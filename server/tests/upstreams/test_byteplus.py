"""What is special about Ark: its fields, its marks, its list, its codes."""

from typing import Any

import msgspec
import pytest

from meshapi_server.upstreams.byteplus import Ark
from meshapi_server.upstreams.byteplus.errors import ERRORS, failure, refused
from meshapi_server.upstreams.byteplus.reading import facts_of, progress_of
from meshapi_server.upstreams.byteplus.request import body_of, identifier
from meshapi_server.upstreams.contract import ContentItem, Deferred, Facts, Look, Rejected, Unserved
from meshapi_server.upstreams.http import HttpResponse
from meshapi_server.upstreams.refusals import Said, Unclear

from .stub import job, look, perform

ARK = Ark("byteplus", "https://ark.example/api/v3")
HOUR = 3_600_000


def response(status: int, value: Any) -> HttpResponse:
    return HttpResponse(status=status, body=msgspec.json.encode(value), received_at=HOUR)


def test_a_create_call_says_what_the_caller_set_and_nothing_else() -> None:
    items = (
        ContentItem(kind="text", index=0, text="@anna meets @ben"),
        ContentItem(kind="image", index=1, url="https://x/a.png", role="reference_image", subject="ben"),
        ContentItem(kind="image", index=2, url="https://x/b.png", role="reference_image", subject="anna"),
        ContentItem(kind="video", index=3, url="https://x/c.mp4", role="reference_video"),
    )
    body = body_of(job(*items, duration=5, ratio="16:9", generate_audio=False, seed=9, priority=3))
    assert body == {
        "model": "plain-1",
        "content": [
            {"type": "text", "text": "Image 2 meets Image 1"},
            {"type": "image_url", "image_url": {"url": "https://x/a.png"}, "role": "reference_image"},
            {"type": "image_url", "image_url": {"url": "https://x/b.png"}, "role": "reference_image"},
            {"type": "video_url", "video_url": {"url": "https://x/c.mp4"}, "role": "reference_video"},
        ],
        "generate_audio": False,
        "ratio": "16:9",
        "seed": 9,
        "duration": 5,
        "safety_identifier": "task_1.1",
    }


def test_frames_beat_duration_and_flex_is_the_only_tier_that_is_named() -> None:
    body = body_of(job(duration=5, frames=49, service_tier="flex"))
    assert (body["frames"], body["service_tier"]) == (49, "flex")
    assert "duration" not in body
    assert "service_tier" not in body_of(job(service_tier="default"))


@pytest.mark.parametrize(("wish", "sent"), [(60, 3600), (7200, 7200), (259_200, 259_200)])
def test_an_expiry_is_brought_into_arks_range(wish: int, sent: int) -> None:
    assert body_of(job(execution_expires_after=wish))["execution_expires_after"] == sent


def test_a_final_refers_to_its_draft_by_arks_own_id() -> None:
    item = ContentItem(kind="draft_task", index=0, task_id="cgt-1")
    assert body_of(job(item))["content"] == [{"type": "draft_task", "draft_task": {"id": "cgt-1"}}]


def test_the_callers_identifier_is_folded_into_our_mark_and_never_sent_plain() -> None:
    mark = identifier(job(safety_identifier="user-with-a-very-long-hashed-name" * 5))
    assert mark.startswith("task_1.1.")
    assert len(mark) == 64
    assert "user" not in mark
    assert mark != identifier(job(safety_identifier="another"))


def test_many_looks_of_both_tiers_are_two_lists() -> None:
    looks = [
        Look(reference=name, job=job(service_tier=tier))
        for name, tier in (("a", None), ("b", "flex"), ("c", None))
    ]
    asked, stands = perform(
        ARK.poll(looks),
        response(200, {"items": [{"id": "c", "status": "running"}, {"id": "a", "status": "queued"}]}),
        response(200, {"items": [{"id": "b", "status": "succeeded"}]}),
    )
    assert [each.state for each in stands] == ["queued", "succeeded", "running"]
    assert asked[0].query == (("filter.task_ids", "a"), ("filter.task_ids", "c"), ("page_size", "2"))
    assert asked[1].query == (
        ("filter.task_ids", "b"),
        ("page_size", "1"),
        ("filter.service_tier", "flex"),
    )


def test_what_a_list_does_not_show_is_asked_for_singly_but_not_without_end() -> None:
    looks = [Look(reference=f"t{number}", job=job()) for number in range(15)]
    missing = response(404, {"error": {"code": "ResourceNotFound"}})
    asked, stands = perform(ARK.poll(looks), response(200, {"items": []}), *[missing] * 10)
    assert len(asked) == 11
    assert [each.state for each in stands[:10]] == ["failed"] * 10
    assert all(isinstance(each, Unclear) for each in stands[10:])


def mark(number: int, created_at: int = 3600) -> dict[str, Any]:
    return {"id": f"t{number}", "safety_identifier": f"task_{number}.1", "created_at": created_at}


def test_a_search_goes_on_over_pages_until_it_finds_or_is_before_the_task() -> None:
    first = response(200, {"items": [mark(number) for number in range(100, 200)]})
    asked, found = perform(ARK.find(job()), first, response(200, {"items": [mark(1)]}))
    assert found.reference == "t1"
    assert [dict(each.query)["page_num"] for each in asked] == ["1", "2"]
    old = response(200, {"items": [mark(number, -10_000) for number in range(100, 200)]})
    _, found = perform(ARK.find(job()), old)
    assert found is None


def test_a_search_that_cannot_reach_far_enough_does_not_say_no() -> None:
    page = response(200, {"items": [mark(number) for number in range(100, 200)]})
    with pytest.raises(Unclear, match="not among the newest 2000"):
        perform(ARK.find(job()), *[page] * 20)


@pytest.mark.parametrize("status", ["running", "succeeded", "failed", "cancelled", "expired"])
def test_only_a_queued_task_is_deleted(status: str) -> None:
    asked, stopped = perform(ARK.cancel(look()), response(200, {"id": "1", "status": status}))
    assert stopped is False
    assert [each.method for each in asked] == ["GET"]


def test_a_task_that_began_while_it_was_cancelled_was_not_stopped() -> None:
    queued = response(200, {"id": "1", "status": "queued"})
    _, stopped = perform(ARK.cancel(look()), queued, response(400, {"error": {"code": "InvalidAction"}}))
    assert stopped is False


@pytest.mark.parametrize(
    ("status", "state", "code"),
    [
        ("queued", "queued", None),
        ("running", "running", None),
        ("succeeded", "succeeded", None),
        ("cancelled", "failed", "cancelled"),
        ("expired", "failed", "expired"),
        ("failed", "failed", "upstream_error"),
        ("paused_for_review", "running", None),
        (None, "running", None),
    ],
)
def test_each_status_has_its_meaning(status: str | None, state: str, code: str | None) -> None:
    progress = progress_of({"id": "1", "status": status})
    assert progress.state == state
    assert (progress.error.code if progress.error else None) == code


@pytest.mark.parametrize(
    ("http", "code", "kind", "message"),
    [
        (400, "InvalidParameter.TaskTypeConstraint", Rejected, "invalid_input"),
        (400, "MissingParameter.content", Rejected, "invalid_input"),
        (400, "InputTextSensitiveContentDetected", Rejected, "content_policy_violation"),
        (400, "InputImageSensitiveContentDetected.PrivacyInformation", Rejected, "content_policy_violation"),
        (400, "InputImageRiskDetection", Rejected, "content_policy_violation"),
        (400, "ContentSecurityDetectionError", Rejected, "content_policy_violation"),
        (401, "AuthenticationError", Unserved, "upstream_error"),
        (403, "AccountOverdueError", Unserved, "upstream_error"),
        (403, "OperationDenied.ServiceNotOpen", Unserved, "upstream_error"),
        (404, "ModelNotOpen", Unserved, "upstream_error"),
        (404, "InvalidEndpointOrModel.ModelIDAccessDisabled", Unserved, "upstream_error"),
        (429, "ModelAccountRpmRateLimitExceeded", Deferred, None),
        (429, "RequestBurstTooFast", Deferred, None),
        (429, "ServerOverloaded", Deferred, None),
        (500, "InternalServiceError", Unclear, None),
    ],
)
def test_each_code_has_its_meaning(http: int, code: str, kind: type, message: str | None) -> None:
    fault = refused(ERRORS.fault(response(http, {"error": {"code": code, "message": "x"}}))).exception()
    assert isinstance(fault, kind)
    if isinstance(fault, (Rejected, Unserved)):
        assert fault.error.code == message
        assert fault.error.provider_code == code
        assert fault.error.charged == "no"


@pytest.mark.parametrize(
    ("words", "kind"),
    [("the request queue is full", Deferred), ("your free trial quota is used up", Unserved)],
)
def test_a_quota_that_is_used_up_is_told_from_a_queue_that_is_full(words: str, kind: type) -> None:
    answer = response(429, {"error": {"code": "QuotaExceeded", "message": words}})
    assert isinstance(refused(ERRORS.fault(answer)).exception(), kind)


def test_a_refusal_names_the_item_and_leaves_arks_request_number_out() -> None:
    error = {"code": "InputImageSensitiveContentDetected", "message": "No. Request id: 0217abc"}
    fault = refused(ERRORS.fault(response(400, {"error": error})))
    assert (
        fault.error().message == "The upstream's safety check refused the input image. Nothing was charged."
    )
    assert fault.said.message == "No."
    assert fault.error().provider_error == {"error": error}


def test_a_failed_task_was_moderated_in_its_output_or_its_input() -> None:
    kinds = [
        failure({"error": {"code": code, "message": "m"}}).kind
        for code in ("OutputVideoSensitiveContentDetected", "InputVideoSensitiveContentDetected", "Whatever")
    ]
    assert kinds == ["moderated_output", "moderated_input", "broken"]
    assert failure({}).said == Said()


def test_facts_are_read_from_numbers_and_from_strings() -> None:
    task = {
        "seed": "12",
        "resolution": "720p",
        "ratio": "16:9",
        "duration": "5",
        "framespersecond": 24,
        "usage": {"completion_tokens": "108900", "total_tokens": 108900},
        "generate_audio": True,
    }
    assert facts_of(task) == Facts(
        seed=12, resolution="720p", ratio="16:9", duration=5.0, fps=24, total_tokens=108900, audio=True
    )
    assert facts_of({"duration": "long", "usage": None}) == Facts()


def test_a_task_that_succeeded_without_a_video_has_failed() -> None:
    with pytest.raises(Rejected, match="finished without a video"):
        perform(ARK.result(look()), response(200, {"id": "1", "status": "succeeded", "content": {}}))
