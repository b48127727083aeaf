"""What is special to Google: two services behind one name, and what comes inside an answer."""

import base64
from pathlib import Path
from typing import Any

import msgspec
import pytest

from meshapi_server.tasks.clock import system_clock
from meshapi_server.upstreams.adapter import (
    ContentItem,
    Credentials,
    Deferred,
    Job,
    Look,
    Progress,
    Registration,
    Rejected,
    Spec,
    Unserved,
)
from meshapi_server.upstreams.enabled import UpstreamMisconfigured, enabled, enabled_names
from meshapi_server.upstreams.google import GOOGLE, Google
from meshapi_server.upstreams.http import HttpRequest, HttpResponse, data_uri, get

from .stub import perform

OPERATION = "projects/p/locations/l/publishers/google/models/veo-3.1-generate-001/operations/7"
TEXT = ContentItem(kind="text", index=0, text="a paper boat")
PNG = data_uri("image/png", b"png")


def google(**options: str) -> Google:
    built = GOOGLE.build({Registration.BASE_URL: GOOGLE.base_url, **options})
    assert isinstance(built, Google)
    return built


BOTH = {"key": "k", "project": "p"}


def job(model: str, *items: ContentItem, **fields: Any) -> Job:
    spec = Spec(model="google/x", content=(TEXT, *items), **fields)
    return Job(task_id="task_1", attempt=1, submission=1, model=model, spec=spec, seed=3, submitted_at=0)


def response(value: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status=status, body=msgspec.json.encode(value), received_at=10_000_000)


def sent(adapter: Google, asked: Job) -> tuple[HttpRequest, dict[str, Any]]:
    (request,), _ = perform(adapter.submit(asked), response({"id": "v1_a", "name": OPERATION}))
    body: dict[str, Any] = msgspec.json.decode(request.body)
    return request, body


def look(reference: str, value: Any) -> Progress:
    asked = Look(reference=reference, job=job("m"))
    _, (found,) = perform(google(**BOTH).poll([asked]), response(value))
    assert isinstance(found, Progress), repr(found)
    return found


def image(role: Any) -> ContentItem:
    return ContentItem(kind="image", index=1, url=PNG, role=role)


def test_the_model_decides_which_service_is_asked() -> None:
    adapter = google(**BOTH, location="europe-west4")
    assert sent(adapter, job("gemini-omni-1.1-flash"))[0].url == "/v1beta/interactions"
    url = sent(adapter, job("veo-3.1-generate-001"))[0].url
    assert url == (
        "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4"
        "/publishers/google/models/veo-3.1-generate-001:predictLongRunning"
    )
    assert google(**BOTH, location="global").hosts[0] == "https://aiplatform.googleapis.com"


def test_veo_without_a_project_is_left_to_another_upstream() -> None:
    with pytest.raises(Unserved, match="no Google Cloud project"):
        next(google(key="k").submit(job("veo-3.1-generate-001")))


def test_each_service_is_shown_its_own_credential() -> None:
    adapter = google(**BOTH)
    credentials = Credentials({"key": "secret-key", "token": "secret-token"})
    developer = adapter.authorise(get("/v1beta/interactions/1"), credentials, 0)
    (operation,), _ = perform(
        adapter.poll([Look(reference=OPERATION, job=job("veo-3.1"))]), response({"name": OPERATION})
    )
    assert developer == {"x-goog-api-key": "secret-key"}
    assert adapter.authorise(operation, credentials, 0) == {"authorization": "Bearer secret-token"}


def test_frames_and_references_go_into_veos_instance_as_data() -> None:
    data = {"bytesBase64Encoded": base64.b64encode(b"png").decode(), "mimeType": "image/png"}
    adapter = google(**BOTH, bucket="gs://bucket/out/")
    _, body = sent(adapter, job("veo-3.1", image("first_frame"), image("last_frame"), duration=8, seed=1))
    assert body["instances"] == [{"prompt": "a paper boat", "image": data, "lastFrame": data}]
    assert body["parameters"] == {
        "sampleCount": 1,
        "durationSeconds": 8,
        "seed": 3,
        "storageUri": "gs://bucket/out/task_1.1/",
    }
    _, body = sent(adapter, job("veo-3.1", image("reference_image")))
    assert body["instances"][0]["referenceImages"] == [{"image": data, "referenceType": "asset"}]


def test_an_interaction_says_what_is_to_be_made_of_its_inputs() -> None:
    asked = job("gemini-omni-1.1-flash", image("first_frame"), duration=8, ratio="16:9", resolution="720p")
    _, body = sent(google(**BOTH), asked)
    assert body["input"] == [
        {"type": "image", "mime_type": "image/png", "data": base64.b64encode(b"png").decode()},
        {"type": "text", "text": "a paper boat"},
    ]
    assert body["response_format"] == {
        "type": "video",
        "aspect_ratio": "16:9",
        "resolution": "720p",
        "duration": "8s",
        "delivery": "uri",
    }
    assert body["generation_config"] == {"video_config": {"task": "image_to_video"}}
    assert body["background"] is True
    assert "webhook_config" not in body


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (
            {"code": 3, "message": "The prompt violates Google's Responsible AI practices."},
            "content_policy_violation",
        ),
        ({"code": 3, "message": "The image is too small."}, "invalid_input"),
        ({"code": 8, "message": "Quota."}, "upstream_error"),
        ({"code": 13, "message": "Internal."}, "upstream_error"),
    ],
)
def test_an_operations_error_is_told_by_its_code_and_words(error: Any, code: str) -> None:
    ended = look(OPERATION, {"name": OPERATION, "done": True, "error": error})
    assert ended.error is not None
    assert ended.error.code == code


def test_an_operation_whose_videos_were_all_filtered_is_a_matter_of_policy() -> None:
    answer = {"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": ["Support codes: 58061214"]}
    ended = look(OPERATION, {"name": OPERATION, "done": True, "response": answer})
    assert ended.error is not None
    assert ended.error.code == "content_policy_violation"
    assert "58061214" in str(ended.error.provider_error)


def test_without_a_bucket_veos_answer_holds_the_video() -> None:
    video = {"bytesBase64Encoded": base64.b64encode(b"an mp4").decode(), "mimeType": "video/mp4"}
    answer = {"name": OPERATION, "done": True, "response": {"videos": [video]}}
    _, result = perform(
        google(**BOTH).result(Look(reference=OPERATION, job=job("veo-3.1"))), response(answer)
    )
    assert result.video == b"an mp4"


def test_from_a_bucket_the_video_is_downloaded_with_the_token() -> None:
    answer = {"name": OPERATION, "done": True, "response": {"videos": [{"gcsUri": "gs://b/out/x y.mp4"}]}}
    adapter = google(**BOTH)
    _, result = perform(adapter.result(Look(reference=OPERATION, job=job("veo-3.1"))), response(answer))
    assert isinstance(result.video, HttpRequest)
    assert result.video.url == "https://storage.googleapis.com/storage/v1/b/b/o/out%2Fx%20y.mp4"
    headers = adapter.authorise(result.video, Credentials({"token": "t"}), 0)
    assert headers == {"authorization": "Bearer t"}


@pytest.mark.parametrize("status", ["in_progress", "requires_continuation", "a_status_of_next_year"])
def test_an_interaction_that_goes_on_is_running(status: str) -> None:
    assert look("v1_a", {"id": "v1_a", "status": status}).state == "running"


@pytest.mark.parametrize("status", ["failed", "incomplete", "budget_exceeded", "requires_action"])
def test_an_interaction_that_ended_without_a_video_has_failed(status: str) -> None:
    ended = look("v1_a", {"id": "v1_a", "status": status, "errors": [{"code": "x", "message": "words"}]})
    assert ended.error is not None
    assert ended.error.code == "upstream_error"
    assert "words" in ended.error.message


def test_a_completed_interaction_without_a_video_was_withheld() -> None:
    ended = look("v1_a", {"id": "v1_a", "status": "completed", "steps": []})
    assert ended.error is not None
    assert ended.error.code == "content_policy_violation"


def test_a_video_at_the_top_of_an_interaction_is_seen_and_may_be_inline() -> None:
    video = {"type": "video", "data": base64.b64encode(b"an mp4").decode()}
    answer = {"id": "v1_a", "status": "completed", "output_video": video}
    _, result = perform(google(**BOTH).result(Look(reference="v1_a", job=job("m"))), response(answer))
    assert result.video == b"an mp4"


@pytest.mark.parametrize(("state", "expected"), [("PROCESSING", Deferred), ("FAILED", Rejected)])
def test_a_file_is_downloaded_only_when_it_is_ready(state: str, expected: type[Exception]) -> None:
    uri = "https://generativelanguage.googleapis.com/v1beta/files/xyz:download?alt=media"
    content = [{"type": "video", "uri": uri}]
    answer = {"id": "a", "status": "completed", "steps": [{"type": "model_output", "content": content}]}
    with pytest.raises(expected):
        perform(
            google(**BOTH).result(Look(reference="a", job=job("m"))),
            response(answer),
            response({"name": "files/xyz", "state": state}),
        )


@pytest.mark.parametrize(
    ("environment", "on"),
    [
        ({"GEMINI_API_KEY": "k"}, True),
        ({"GOOGLE_API_KEY": "k"}, True),
        ({"GOOGLE_APPLICATION_CREDENTIALS": "/some/file"}, False),
        ({"GOOGLE_CLOUD_PROJECT": "p"}, False),
        ({"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_APPLICATION_CREDENTIALS": "/some/file"}, True),
        ({"GOOGLE_CLOUD_PROJECT": "p", "MESHAPI_GOOGLE_ACCESS_TOKEN": "t"}, True),
    ],
)
def test_a_key_or_an_account_with_a_project_turns_google_on(environment: dict[str, str], on: bool) -> None:
    assert ("google" in enabled_names(environment)) is on


def test_a_file_of_other_programs_does_not_matter_to_a_key() -> None:
    (upstream,) = enabled({"GEMINI_API_KEY": "k", "GOOGLE_APPLICATION_CREDENTIALS": "/none"}, system_clock)
    assert upstream.abilities.cancels


@pytest.mark.parametrize("text", ["{", "[]", '{"type": "service_account", "private_key": "hidden"}'])
def test_an_account_that_cannot_be_read_is_named_without_its_text(tmp_path: Path, text: str) -> None:
    file = tmp_path / "account.json"
    file.write_text(text)
    environment = {"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_APPLICATION_CREDENTIALS": str(file)}
    with pytest.raises(UpstreamMisconfigured, match="google: the Google account") as raised:
        enabled(environment, system_clock)
    assert "hidden" not in str(raised.value)
    file.unlink()
    with pytest.raises(UpstreamMisconfigured, match="GOOGLE_APPLICATION_CREDENTIALS"):
        enabled(environment, system_clock)
