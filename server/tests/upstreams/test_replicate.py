"""What is special to Replicate: schemas, outputs of any shape, errors in words, signed webhooks."""

from typing import Any

import msgspec
import pytest

from meshapi_server.upstreams.adapter import (
    Announcement,
    ContentItem,
    Credentials,
    Deferred,
    Forged,
    Job,
    Look,
    Progress,
    Rejected,
    Spec,
    Unserved,
)
from meshapi_server.upstreams.http import HttpResponse
from meshapi_server.upstreams.replicate import Replicate
from meshapi_server.upstreams.replicate.request import body_of, create_place, schema_place
from meshapi_server.upstreams.replicate.schema import UNKNOWN, Field, Schema, schema_of
from meshapi_server.upstreams.replicate.signature import signature_of

from .stub import perform

TEXT = ContentItem(kind="text", index=0, text="a paper boat")
FIRST = ContentItem(kind="image", index=1, url="https://x.example/a.png", role="first_frame")
LAST = ContentItem(kind="image", index=2, url="https://x.example/b.png", role="last_frame")
VERSION = "5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa"

# The official vector of Standard Webhooks.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SIGNED = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
BODY = b'{"test": 2432232314}'


def job(
    *items: ContentItem, model: str = "google/veo-3.1", callback_url: str | None = None, **fields: Any
) -> Job:
    spec = Spec(model="replicate/x", content=items or (TEXT,), **fields)
    return Job(
        task_id="task_1",
        attempt=1,
        submission=1,
        model=model,
        spec=spec,
        seed=3,
        submitted_at=0,
        callback_url=callback_url,
    )


def answer(value: Any, status: int = 200, **headers: str) -> HttpResponse:
    body = msgspec.json.encode(value)
    return HttpResponse(status=status, headers=headers, body=body, received_at=10_000_000)


def looked(**prediction: Any) -> Progress:
    _, (found,) = perform(Replicate().poll([Look(reference="p", job=job())]), answer(prediction))
    assert isinstance(found, Progress)
    return found


def announced(body: bytes = BODY, received_at: int = 1_614_265_400_000, **changed: str) -> Announcement:
    headers = {**SIGNED, **{f"webhook-{name}": value for name, value in changed.items()}}
    return Announcement(
        method="POST", path="/hook", query="", headers=headers, body=body, received_at=received_at
    )


def schema(**fields: dict[str, Any]) -> Schema:
    components = {
        "schemas": {"Input": {"properties": fields}, "duration": {"type": "string", "enum": ["5s", "10s"]}}
    }
    return schema_of({"latest_version": {"openapi_schema": {"components": components}}})


def test_a_model_is_asked_for_at_its_own_place_and_a_version_at_the_door() -> None:
    assert create_place("google/veo-3.1") == "/models/google/veo-3.1/predictions"
    assert create_place(f"someone/model:{VERSION}") == create_place(VERSION) == "/predictions"
    assert body_of(job(model=VERSION), UNKNOWN)["version"] == VERSION


def test_the_schema_is_read_where_the_model_or_its_version_shows_it() -> None:
    assert schema_place("google/veo-3.1") == "/models/google/veo-3.1"
    assert schema_place(f"someone/model:{VERSION}") == f"/models/someone/model/versions/{VERSION}"
    assert schema_place(VERSION) is None


def test_reading_the_schema_is_harmless_and_done_once_an_hour() -> None:
    (read, create), accepted = perform(Replicate().submit(job()), answer({}), answer({"id": "p"}, 201))
    assert (read.method, read.harmless, read.keep_for) == ("GET", True, 3600)
    assert (create.method, create.harmless) == ("POST", False)
    assert accepted.reference == "p"


def test_each_model_is_asked_in_the_words_and_types_of_its_schema() -> None:
    known = schema(
        prompt={"type": "string"},
        start_image={"type": "string"},
        end_image={"type": "string"},
        image={"type": "array"},
        duration={"allOf": [{"$ref": "#/components/schemas/duration"}]},
        resolution={"type": "string", "enum": ["720P", "1080P"]},
        audio={"type": "string", "format": "uri"},
    )
    wishes: dict[str, Any] = {"duration": 10, "resolution": "1080p", "generate_audio": True, "seed": 1}
    assert body_of(job(TEXT, FIRST, LAST, **wishes), known)["input"] == {
        "prompt": "a paper boat",
        "start_image": FIRST.url,
        "end_image": LAST.url,
        "duration": "10s",
        "resolution": "1080P",
    }


def test_without_a_schema_the_usual_names_are_used() -> None:
    wishes: dict[str, Any] = {"duration": 8, "ratio": "16:9", "generate_audio": False, "seed": 1}
    assert body_of(job(**wishes), UNKNOWN)["input"] == {
        "prompt": "a paper boat",
        "duration": 8,
        "aspect_ratio": "16:9",
        "generate_audio": False,
        "seed": 3,
    }


def test_a_number_is_written_as_text_where_the_schema_says_so() -> None:
    assert Field(kind="string").spelled(5) == "5"
    assert Field(kind="integer", choices=(4, 8)).spelled(8) == 8


@pytest.mark.parametrize(
    "document", [{}, {"latest_version": None}, {"latest_version": {"openapi_schema": []}}]
)
def test_a_model_that_shows_no_schema_is_taken_as_unknown(document: dict[str, Any]) -> None:
    assert schema_of(document) is UNKNOWN


def test_an_input_that_a_model_lacks_is_refused_before_anything_is_bought() -> None:
    with pytest.raises(Rejected, match=r"content 1: .* takes no first_frame"):
        body_of(job(TEXT, FIRST), schema(prompt={"type": "string"}))


def test_a_webhook_is_asked_for_at_the_start_and_at_the_end() -> None:
    body = body_of(job(callback_url="https://x.example/hook"), UNKNOWN)
    assert body["webhook"] == "https://x.example/hook"
    assert body["webhook_events_filter"] == ["start", "completed"]


@pytest.mark.parametrize(
    "output",
    [
        "https://x.example/v.mp4",
        ["https://x.example/v.mp4", "https://x.example/last.png"],
        ["https://x.example/draft", "https://x.example/v.mp4"],
        {"video": "https://x.example/v.mp4"},
        {"url": "https://x.example/v.mp4"},
    ],
)
def test_the_video_is_found_in_an_output_of_any_shape(output: Any) -> None:
    look = Look(reference="p", job=job())
    _, result = perform(Replicate().result(look), answer({"status": "succeeded", "output": output}))
    assert (result.video.url, result.video.authorised) == ("https://x.example/v.mp4", False)


def test_a_video_that_was_deleted_after_its_hour_is_gone() -> None:
    removed = answer({"status": "succeeded", "output": None, "data_removed": True})
    with pytest.raises(Rejected, match="deleted the video"):
        perform(Replicate().result(Look(reference="p", job=job())), removed)


@pytest.mark.parametrize(
    ("words", "code", "retryable"),
    [
        ("The input or output was flagged as sensitive. (E005)", "content_policy_violation", False),
        ("The output was flagged as sensitive.", "content_policy_violation", True),
        ("NSFW content detected", "content_policy_violation", False),
        ("out of memory", "upstream_error", True),
        (None, "upstream_error", True),
    ],
)
def test_a_failure_is_judged_by_its_words(words: str | None, code: str, retryable: bool) -> None:
    ended = looked(status="failed", error=words)
    assert ended.error is not None
    assert (ended.error.code, ended.error.retryable) == (code, retryable)


@pytest.mark.parametrize("status", ["canceled", "aborted"])
def test_what_was_cancelled_has_failed_as_such(status: str) -> None:
    ended = looked(status=status)
    assert ended.error is not None
    assert ended.error.code == "cancelled"


def test_a_throttled_submission_waits_for_as_long_as_the_words_say() -> None:
    throttled = {"detail": "Request was throttled. Your rate limit resets in ~30s."}
    with pytest.raises(Deferred) as raised:
        perform(Replicate().submit(job()), answer({}), answer(throttled, 429))
    assert raised.value.retry_after == 30


def test_a_model_that_is_gone_is_known_before_anything_is_bought() -> None:
    with pytest.raises(Unserved):
        perform(Replicate().submit(job()), answer({"detail": "Not found"}, 404))


def test_a_finished_prediction_cannot_be_cancelled() -> None:
    look = Look(reference="p", job=job())
    assert perform(Replicate().cancel(look), answer({"status": "succeeded"}))[1] is False
    assert perform(Replicate().cancel(look), answer({"status": "processing"}))[1] is True
    assert perform(Replicate().cancel(look), answer({"detail": "no"}, 422))[1] is False


def test_the_signature_is_that_of_standard_webhooks() -> None:
    assert signature_of(announced(), SECRET) == SIGNED["webhook-signature"]


def test_a_genuine_webhook_names_its_prediction() -> None:
    body = b'{"id": "p", "status": "succeeded"}'
    given = signature_of(announced(body), SECRET)
    genuine = announced(body, signature=f"v1,b3RoZXI= {given}")
    (asked, *_), heard = perform(Replicate().hear(genuine, Credentials()), answer({"key": SECRET}))
    assert (asked.url, asked.keep_for) == ("/webhooks/default/secret", 3600)
    assert (heard.verified, heard.reference) == (True, "p")


@pytest.mark.parametrize(
    "changed",
    [
        {"body": BODY + b" "},
        {"id": "msg_other"},
        {"signature": "v1,b3RoZXI="},
        {"timestamp": "1614265331"},
        {"timestamp": "soon"},
        {"received_at": 1_614_265_631_000},
        {"received_at": 1_614_265_029_000},
    ],
)
def test_a_webhook_that_was_changed_or_is_old_is_forged(changed: dict[str, Any]) -> None:
    with pytest.raises(Forged):
        perform(Replicate().hear(announced(**changed), Credentials()), answer({"key": SECRET}))
