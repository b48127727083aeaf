"""What is special to fal: endpoints and their inputs, failures that show in the result, signed webhooks."""

from typing import Any

import msgspec
import pytest

from meshapi_server.upstreams.adapter import (
    Announcement,
    ContentItem,
    Credentials,
    Forged,
    Job,
    Look,
    Progress,
    Rejected,
    Spec,
)
from meshapi_server.upstreams.catalogue import Catalogue
from meshapi_server.upstreams.fal import Fal
from meshapi_server.upstreams.fal.models import FAMILIES
from meshapi_server.upstreams.fal.request import endpoint_and_input
from meshapi_server.upstreams.fal.signature import message_of
from meshapi_server.upstreams.http import HttpResponse, get

from .stub import perform

TEXT = ContentItem(kind="text", index=0, text="a paper boat")
FIRST = ContentItem(kind="image", index=1, url="https://x.example/a.png", role="first_frame")
LAST = ContentItem(kind="image", index=2, url="https://x.example/b.png", role="last_frame")

# The vector of the providers' paper, made from the documented recipe with the key of the bytes 0 to 31.
KEYS = {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"}]}
SIGNED = {
    "x-fal-webhook-request-id": "req-1",
    "x-fal-webhook-user-id": "user-1",
    "x-fal-webhook-timestamp": "1780000000",
    "x-fal-webhook-signature": (
        "2b8cceef8a0618cacbf5655b824483470b3d53d2afde5f6e22ed4b688d6d837f"
        "2449e8081f883bbf8417ed3e6c5648ff5a0220017e9c5e6a0b3cbf66ec01e50b"
    ),
}
BODY = b'{"request_id":"req-1","status":"OK"}'


def job(model: str, *items: ContentItem, **fields: Any) -> Job:
    spec = Spec(model="fal/x", content=items or (TEXT,), **fields)
    return Job(task_id="task_1", attempt=1, submission=1, model=model, spec=spec, seed=3, submitted_at=0)


def answer(value: Any, status: int = 200, **headers: str) -> HttpResponse:
    body = msgspec.json.encode(value)
    return HttpResponse(status=status, headers=headers, body=body, received_at=10_000_000)


def outcome(result: HttpResponse, **status: Any) -> Progress | Exception:
    """What a look makes of a request that is completed and has this result."""
    look = Look(reference="r", job=job("fal-ai/veo3.1"))
    answers = [answer({"status": "COMPLETED", **status})] + ([] if "error_type" in status else [result])
    _, (found,) = perform(Fal().poll([look]), *answers)
    assert isinstance(found, (Progress, Exception))
    return found


def announced(body: bytes = BODY, received_at: int = 1_780_000_100_000, **changed: str) -> Announcement:
    headers = {**SIGNED, **{f"x-fal-webhook-{name}": value for name, value in changed.items()}}
    return Announcement(
        method="POST", path="/hook", query="", headers=headers, body=body, received_at=received_at
    )


@pytest.mark.parametrize(
    ("model", "items", "fields", "endpoint", "body"),
    [
        (
            "fal-ai/veo3.1/fast",
            (TEXT, FIRST),
            {"duration": 8, "resolution": "720p", "generate_audio": True},
            "/fal-ai/veo3.1/fast/image-to-video",
            {"image_url": FIRST.url, "duration": "8s", "resolution": "720p", "generate_audio": True},
        ),
        (
            "fal-ai/kling-video/v3/pro",
            (TEXT, FIRST, LAST),
            {"duration": 5, "ratio": "1:1"},
            "/fal-ai/kling-video/v3/pro/image-to-video",
            {
                "start_image_url": FIRST.url,
                "end_image_url": LAST.url,
                "duration": "5",
                "aspect_ratio": "1:1",
            },
        ),
        (
            "minimax/h3-max",
            (TEXT,),
            {"duration": 5, "resolution": "768p", "ratio": "16:9", "generate_audio": True},
            "/minimax/h3-max/text-to-video",
            {"duration": 5, "resolution": "768P"},
        ),
        (
            "bytedance/seedance-2.5",
            (TEXT,),
            {"duration": -1},
            "/bytedance/seedance-2.5/text-to-video",
            {"duration": "auto"},
        ),
        (
            "alibaba/wan-3.0",
            (TEXT,),
            {"duration": 2, "generate_audio": False},
            "/alibaba/wan-3.0/text-to-video",
            {"duration": 2, "audio": False},
        ),
    ],
)
def test_each_family_is_asked_in_its_own_words(
    model: str, items: tuple[ContentItem, ...], fields: dict[str, Any], endpoint: str, body: dict[str, Any]
) -> None:
    expected = {"prompt": "a paper boat", **body}
    assert endpoint_and_input(job(model, *items, **fields)) == (endpoint, expected)


def test_an_input_that_an_endpoint_lacks_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(Rejected, match=r"content 2: .* takes no last_frame"):
        endpoint_and_input(job("fal-ai/veo3.1", TEXT, FIRST, LAST))


def test_every_model_of_the_cards_has_its_family() -> None:
    assert {card.upstream_id for card in Catalogue.load() if card.provider == "fal"} == set(FAMILIES)


def test_a_request_is_found_under_its_app_without_the_path_below() -> None:
    look = Look(reference="r", job=job("fal-ai/veo3.1/fast"))
    assert next(Fal().poll([look])).url == "/fal-ai/veo3.1/requests/r/status"


def test_a_request_that_fal_keeps_elsewhere_is_looked_up_there() -> None:
    taken = {"request_id": "r", "response_url": "https://queue.fal.run/other/app/requests/r"}
    _, accepted = perform(Fal().submit(job("fal-ai/veo3.1")), answer(taken))
    look = Look(reference=accepted.reference, job=job("fal-ai/veo3.1"))
    assert next(Fal().poll([look])).url == "https://queue.fal.run/other/app/requests/r/status"


def test_the_key_goes_by_a_scheme_of_its_own() -> None:
    assert Fal().authorise(get("/a"), Credentials({"key": "id:secret"}), 0) == {
        "authorization": "Key id:secret"
    }


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (422, "content_policy_violation", ("content_policy_violation", "unknown", False)),
        (422, "no_media_generated", ("content_policy_violation", "unknown", True)),
        (422, "image_too_small", ("invalid_input", "unknown", False)),
        (500, "internal_server_error", ("upstream_error", "no", True)),
        (504, "generation_timeout", ("upstream_error", "no", True)),
        (400, "downstream_service_error", ("upstream_error", "unknown", True)),
    ],
)
def test_a_models_error_tells_whose_fault_it_was(
    status: int, kind: str, expected: tuple[str, str, bool]
) -> None:
    detail = {"detail": [{"loc": ["body", "image_url"], "msg": "words", "type": kind}]}
    found = outcome(answer(detail, status))
    assert isinstance(found, Progress)
    assert found.error is not None
    assert (found.error.code, found.error.charged, found.error.retryable) == expected
    assert found.error.provider_code == kind


def test_moderation_names_the_input_that_was_refused() -> None:
    detail = {"detail": [{"loc": ["body", "image_url"], "msg": "no", "type": "content_policy_violation"}]}
    found = outcome(answer(detail, 422))
    assert isinstance(found, Progress)
    assert found.error is not None
    assert "refused the image" in found.error.message


@pytest.mark.parametrize("status", [401, 403, 408, 429, 500, 502, 503])
def test_an_answer_that_is_not_the_models_own_ends_nothing(status: int) -> None:
    assert isinstance(outcome(answer({"detail": "words"}, status)), Exception)


def test_a_result_that_is_still_being_made_is_no_failure() -> None:
    found = outcome(answer({"detail": "Request is still in progress"}, 400))
    assert isinstance(found, Progress)
    assert found.state == "running"


def test_a_completed_request_with_an_error_has_failed() -> None:
    cancelled = outcome(answer({}), error="gone", error_type="client_cancelled")
    failed = outcome(answer({"video": {"url": "https://x.example/v"}}), error="it broke")
    codes = [each.error.code for each in (cancelled, failed) if isinstance(each, Progress) and each.error]
    assert codes == ["cancelled", "upstream_error"]


@pytest.mark.parametrize(("status", "code"), [(422, "invalid_input"), (200, "upstream_error")])
def test_an_error_type_that_is_not_known_is_judged_by_the_result(status: int, code: str) -> None:
    completed = {"status": "COMPLETED", "error": "words", "error_type": "of_tomorrow"}
    result = answer({"detail": "words", "error_type": "of_tomorrow"}, status)
    talk = Fal().poll([Look(reference="r", job=job("fal-ai/veo3.1"))])
    _, (found,) = perform(talk, answer(completed), result)
    assert found.error.code == code


@pytest.mark.parametrize(
    "made",
    [
        {"video": {"url": "https://x.example/v.mp4", "width": 1280, "height": 720}},
        {"videos": [{"url": "https://x.example/v.mp4"}]},
        {"output": {"url": "https://x.example/v.mp4"}},
    ],
)
def test_the_video_is_found_wherever_the_model_puts_it(made: dict[str, Any]) -> None:
    _, result = perform(Fal().result(Look(reference="r", job=job("fal-ai/veo3.1"))), answer(made))
    assert result.video.url == "https://x.example/v.mp4"
    assert result.video.authorised is False
    assert result.facts.width == (1280 if "video" in made else None)


def test_the_signed_message_is_the_documented_one() -> None:
    digest = "b80370b75cd96f0bf72723b67dd8887262515dd3bb293eefe367634ae5eb6fae"
    assert message_of(SIGNED, BODY) == f"req-1\nuser-1\n1780000000\n{digest}".encode()


def test_a_webhook_of_the_documented_signature_is_genuine() -> None:
    (asked, *_), heard = perform(Fal().hear(announced(), Credentials()), answer(KEYS))
    assert asked.url == "https://rest.fal.ai/.well-known/jwks.json"
    assert (asked.authorised, asked.keep_for) == (False, 24 * 3600)
    assert (heard.verified, heard.reference) == (True, "req-1")


def test_any_published_key_may_have_signed() -> None:
    other = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    both = {"keys": [other, {"x": "no key"}, *KEYS["keys"]]}
    _, heard = perform(Fal().hear(announced(), Credentials()), answer(both))
    assert heard.verified


@pytest.mark.parametrize(
    "changed",
    [
        {"body": BODY + b" "},
        {"signature": "00" * 64},
        {"signature": "not hexadecimal"},
        {"timestamp": "1780000001"},
        {"timestamp": "soon"},
        {"user-id": "user-2"},
        {"received_at": 1_780_000_301_000},
        {"received_at": 1_779_999_699_000},
    ],
)
def test_a_webhook_that_was_changed_or_is_old_is_forged(changed: dict[str, Any]) -> None:
    with pytest.raises(Forged):
        perform(Fal().hear(announced(**changed), Credentials()), answer(KEYS))


def test_keys_are_published_beside_a_queue_that_is_not_fals_own() -> None:
    assert Fal("http://127.0.0.1:1/fal").keys_url == "http://127.0.0.1:1/fal/.well-known/jwks.json"
    assert Fal("http://127.0.0.1:1", "https://keys.example/jwks").keys_url == "https://keys.example/jwks"
