"""What is special to Alibaba: a family of words for each generation of models, uploads, tasks of a day."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.upstreams.alibaba.dialect import Alibaba as Dialect
from tests.upstreams.fake import FakeUpstream

from meshapi_server.tasks.clock import system_clock
from meshapi_server.upstreams.adapter import (
    ContentItem,
    Credentials,
    Deferred,
    Job,
    Look,
    Progress,
    Rejected,
    Spec,
    Unreadable,
    Unserved,
)
from meshapi_server.upstreams.alibaba import ALIBABA, Alibaba
from meshapi_server.upstreams.alibaba.families import SIZES, family_of
from meshapi_server.upstreams.alibaba.request import body_of, place_of
from meshapi_server.upstreams.catalogue import Catalogue
from meshapi_server.upstreams.enabled import enabled
from meshapi_server.upstreams.http import HttpResponse, data_uri, get
from meshapi_server.upstreams.refusals import Unclear

from .stub import perform

TEXT = ContentItem(kind="text", index=0, text="a paper boat")
FIRST = ContentItem(kind="image", index=1, url="https://x.example/a.png", role="first_frame")
LAST = ContentItem(kind="image", index=2, url="https://x.example/b.png", role="last_frame")
CAT = ContentItem(kind="image", index=1, url="https://x.example/c.png", role="reference_image", subject="cat")
CLIP = ContentItem(
    kind="video", index=2, url="https://x.example/d.mp4", role="reference_video", subject="dog"
)
VOICE = ContentItem(kind="audio", index=3, url="https://x.example/v.mp3", role="reference_audio")
PERMIT = {
    "upload_host": "https://storage.example",
    "upload_dir": "instant/1",
    "policy": "p",
    "signature": "s",
    "oss_access_key_id": "k",
}


def job(*items: ContentItem, model: str = "wan3.0-video", **fields: Any) -> Job:
    spec = Spec(model="alibaba/x", content=items or (TEXT,), **fields)
    return Job(task_id="task_1", attempt=1, submission=1, model=model, spec=spec, seed=3, submitted_at=0)


def answer(value: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status=status, body=msgspec.json.encode(value), received_at=10_000_000)


def looked(status: int = 200, **output: Any) -> Progress | Exception:
    _, (found,) = perform(
        Alibaba().poll([Look(reference="t", job=job())]),
        answer({"request_id": "r", "output": output}, status),
    )
    assert isinstance(found, (Progress, Exception))
    return found


@pytest.mark.parametrize(
    ("model", "items", "fields", "given", "parameters"),
    [
        (
            "wan3.0-video",
            (TEXT, FIRST, LAST),
            {"resolution": "720p", "ratio": "adaptive", "duration": -1, "generate_audio": False},
            {
                "media": [
                    {"type": "first_frame", "url": FIRST.url},
                    {"type": "last_frame", "url": LAST.url},
                ]
            },
            {"resolution": "720P", "ratio": "adaptive", "duration": -1, "audio": False},
        ),
        (
            "wan2.7-t2v",
            (TEXT,),
            {"resolution": "1080p", "generate_audio": True, "seed": 5, "negative_prompt": "fog"},
            {"negative_prompt": "fog"},
            {"resolution": "1080P", "seed": 3},
        ),
        (
            "wan2.7-i2v",
            (TEXT, FIRST, VOICE),
            {"resolution": "720p"},
            {
                "media": [
                    {"type": "first_frame", "url": FIRST.url},
                    {"type": "driving_audio", "url": VOICE.url},
                ]
            },
            {"resolution": "720P"},
        ),
        (
            "wan2.7-videoedit",
            (TEXT, CLIP),
            {"resolution": "720p"},
            {"media": [{"type": "video", "url": CLIP.url}]},
            {"resolution": "720P"},
        ),
        (
            "wan2.6-t2v",
            (TEXT,),
            {"resolution": "720p", "ratio": "3:4", "duration": 5, "watermark": False},
            {},
            {"size": "832*1088", "duration": 5, "watermark": False},
        ),
        (
            "wan2.6-i2v",
            (TEXT, FIRST),
            {"resolution": "1080p"},
            {"img_url": FIRST.url},
            {"resolution": "1080P"},
        ),
        (
            "wan2.6-r2v-flash",
            (TEXT, CAT, CLIP),
            {"resolution": "1080p", "generate_audio": True},
            {"reference_urls": [CAT.url, CLIP.url]},
            {"size": "1920*1080", "audio": True},
        ),
        (
            "wan2.2-kf2v-flash",
            (TEXT, FIRST, LAST),
            {"resolution": "480p"},
            {"first_frame_url": FIRST.url, "last_frame_url": LAST.url},
            {"resolution": "480P"},
        ),
        (
            "wan2.2-s2v",
            (TEXT, FIRST, VOICE),
            {"resolution": "480p"},
            {"image_url": FIRST.url, "audio_url": VOICE.url},
            {"resolution": "480P"},
        ),
    ],
)
def test_each_generation_is_asked_in_its_own_words(
    model: str,
    items: tuple[ContentItem, ...],
    fields: dict[str, Any],
    given: dict[str, Any],
    parameters: dict[str, Any],
) -> None:
    assert body_of(job(*items, model=model, **fields)) == {
        "model": model,
        "input": {"prompt": "a paper boat", **given},
        "parameters": parameters,
    }


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("wan3.0-video-prime", "media"),
        ("wan2.7-r2v", "media"),
        ("wan10.0-t2v", "media"),
        ("kling/kling-v3", "media"),
        ("wan2.6-t2v-us", "sized"),
        ("wan2.5-i2v-preview", "image"),
        ("wan2.6-r2v", "references"),
        ("wanx2.1-kf2v-plus", "frames"),
        ("wanx2.1-t2v-turbo", "sized"),
        ("wan2.2-s2v", "speech"),
    ],
)
def test_the_id_of_a_model_tells_its_family(model: str, family: str) -> None:
    assert family_of(model) == family


def test_frames_and_speech_have_a_place_of_their_own() -> None:
    assert place_of("wan2.2-s2v") == place_of("wan2.2-kf2v-flash")
    assert place_of("wan2.2-s2v") == "/services/aigc/image2video/video-synthesis"
    assert place_of("wan2.6-i2v") == "/services/aigc/video-generation/video-synthesis"


def test_every_size_that_a_card_allows_exists_in_pixels() -> None:
    cards = [card for card in Catalogue.load() if card.provider == "alibaba" and card.ratios]
    sized = [card for card in cards if family_of(card.upstream_id) == "sized"]
    assert len(sized) == 3
    for card in sized:
        for resolution in card.resolutions:
            narrower = [rule.ratios for rule in card.rules if resolution in rule.when.resolutions]
            for ratio in narrower[0] if narrower else card.ratios:
                assert (resolution, ratio) in SIZES


@pytest.mark.parametrize(
    ("model", "items"),
    [
        ("wan2.6-t2v", (TEXT, FIRST)),
        ("wan2.6-i2v", (TEXT, FIRST, LAST)),
        ("wan2.6-r2v", (TEXT, FIRST)),
        ("wan2.2-s2v", (TEXT, LAST)),
    ],
)
def test_an_input_that_a_family_lacks_is_refused_before_anything_is_asked(
    model: str, items: tuple[ContentItem, ...]
) -> None:
    with pytest.raises(Rejected, match=rf"content {items[-1].index}: {model} takes no {items[-1].role}"):
        next(Alibaba().submit(job(*items, model=model)))


def test_a_shape_without_a_size_is_refused_by_name() -> None:
    with pytest.raises(Rejected, match=r"wan2.2-t2v-plus makes no 480p videos of 4:3"):
        body_of(job(model="wan2.2-t2v-plus", resolution="480p", ratio="4:3"))


def test_subjects_are_cited_as_each_generation_calls_them() -> None:
    prompt = ContentItem(kind="text", index=0, text="@cat chases @dog past @nobody")
    asked = {
        model: body_of(job(prompt, CAT, CLIP, model=model))["input"]["prompt"]
        for model in ("wan3.0-video", "wan2.6-r2v")
    }
    assert asked == {
        "wan3.0-video": "Image 1 chases Video 1 past @nobody",
        "wan2.6-r2v": "character1 chases character2 past @nobody",
    }


def test_a_submission_is_asynchronous_and_names_the_workspace() -> None:
    request = next(Alibaba().submit(job()))
    assert request.headers[1:] == (("x-dashscope-async", "enable"), ("idempotency-key", "task_1.1"))
    keys = Credentials({"key": "k"})
    assert Alibaba().authorise(request, keys, 0) == {"authorization": "Bearer k"}
    named = ALIBABA.build({"workspace": "w"}).authorise(get("/tasks/t"), keys, 0)
    assert named == {"authorization": "Bearer k", "x-dashscope-workspace": "w"}


def test_data_is_uploaded_by_a_permit_and_named_by_its_place() -> None:
    frame = ContentItem(kind="image", index=1, url=data_uri("image/jpeg", b"pixels"), role="first_frame")
    (permit, upload, create), accepted = perform(
        Alibaba().submit(job(TEXT, frame)),
        answer({"data": PERMIT}),
        HttpResponse(status=200),
        answer({"output": {"task_id": "t"}}),
    )
    assert (permit.method, permit.url, permit.harmless) == ("GET", "/uploads", True)
    assert permit.query == (("action", "getPolicy"), ("model", "wan3.0-video"))
    assert (upload.url, upload.harmless, upload.authorised) == ("https://storage.example", True, False)
    assert upload.body.index(b"pixels") > upload.body.index(b'name="key"')
    (media,) = msgspec.json.decode(create.body)["input"]["media"]
    assert media["url"].startswith("oss://instant/1/")
    assert media["url"].endswith(".jpg")
    assert media["url"].removeprefix("oss://").encode() in upload.body
    assert ("x-dashscope-ossresourceresolve", "enable") in create.headers
    assert accepted.reference == "t"


def test_an_upload_that_fails_leaves_nothing_open() -> None:
    frame = ContentItem(kind="image", index=1, url=data_uri("image/png", b"x"), role="first_frame")
    for refusals, expected in (
        ([answer({"code": "Throttling", "message": "slowly"}, 429)], Deferred),
        ([answer({"data": PERMIT}), HttpResponse(status=403, body=b"<Error/>")], Unclear),
        ([answer({"data": {}})], Unreadable),
    ):
        with pytest.raises(expected):
            perform(Alibaba().submit(job(TEXT, frame)), *refusals)


async def test_an_uploaded_frame_reaches_the_task(tmp_path: Path) -> None:
    frame = ContentItem(kind="image", index=1, url=data_uri("image/png", b"pixels"), role="first_frame")
    async with FakeUpstream(tmp_path / "log", key="k", dialects=(Dialect(),)) as fake:
        environment = {"DASHSCOPE_API_KEY": "k", "MESHAPI_ALIBABA_BASE_URL": fake.base_url("alibaba")}
        (upstream,) = enabled(environment, system_clock)
        accepted = await upstream.submit(job(TEXT, frame))
        asked = fake.shop.sales[accepted.reference].order.details
        await upstream.close()
    assert asked["input"]["media"][0]["url"].startswith("oss://")
    assert fake.shop.received[0].body == b"pixels"


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "InvalidParameter", Rejected),
        (400, "InvalidParameter.DataInspection", Rejected),
        (400, "DataInspectionFailed", Rejected),
        (400, "IPInfringementSuspect", Rejected),
        (400, "Arrearage", Unserved),
        (401, "InvalidApiKey", Unserved),
        (403, "AccessDenied.Unpurchased", Unserved),
        (404, "ModelNotExist", Unserved),
        (429, "Throttling.AllocationQuota", Deferred),
        (500, "InternalError.Timeout", Unclear),
    ],
)
def test_a_refusal_is_judged_by_its_code(status: int, code: str, expected: type[Exception]) -> None:
    with pytest.raises(expected) as raised:
        perform(Alibaba().submit(job()), answer({"code": code, "message": "no", "request_id": "r"}, status))
    if isinstance(raised.value, Rejected):
        moderated = code in {"DataInspectionFailed", "IPInfringementSuspect"}
        assert raised.value.error.code == ("content_policy_violation" if moderated else "invalid_input")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("PENDING", "queued"),
        ("SUSPENDED", "queued"),
        ("RUNNING", "running"),
        ("OF_TOMORROW", "running"),
        ("SUCCEEDED", "succeeded"),
        ("CANCELED", "failed"),
        ("UNKNOWN", "failed"),
    ],
)
def test_where_a_task_stands(status: str, state: str) -> None:
    stands = looked(task_id="t", task_status=status)
    assert isinstance(stands, Progress)
    assert stands.state == state
    if status == "CANCELED":
        assert stands.error is not None
        assert stands.error.code == "cancelled"


def test_a_task_that_is_unknown_soon_after_its_creation_is_not_lost_yet() -> None:
    body = msgspec.json.encode({"output": {"task_id": "t", "task_status": "UNKNOWN"}})
    early = HttpResponse(status=200, body=body, received_at=30_000)
    _, (stands,) = perform(Alibaba().poll([Look(reference="t", job=job())]), early)
    assert isinstance(stands, Unclear)


@pytest.mark.parametrize(
    ("code", "words", "expected"),
    [
        ("DataInspectionFailed", "Input data may be inappropriate.", ("content_policy_violation", False)),
        ("DataInspectionFailed", "Output data may be inappropriate.", ("content_policy_violation", True)),
        ("InvalidParameter", "The image is too small.", ("invalid_input", False)),
        ("InternalError.Algo", "It broke.", ("upstream_error", True)),
        ("Arrearage", "Overdue.", ("upstream_error", True)),
        (None, None, ("upstream_error", True)),
    ],
)
def test_a_failure_says_whose_it_was_and_costs_nothing(
    code: str | None, words: str | None, expected: tuple[str, bool]
) -> None:
    stands = looked(task_id="t", task_status="FAILED", code=code, message=words)
    assert isinstance(stands, Progress)
    assert stands.error is not None
    assert (stands.error.code, stands.error.retryable) == expected
    assert stands.error.charged == "no"
    assert (stands.error.provider_error or {})["task_id"] == "t"


def test_the_result_comes_with_what_is_billed() -> None:
    output = {"task_status": "SUCCEEDED", "video_url": "https://x.example/v.mp4?Expires=1"}
    usage = {"duration": 10, "output_video_duration": 5, "size": "1280*720", "SR": 720, "fps": 30}
    _, result = perform(
        Alibaba().result(Look(reference="t", job=job())), answer({"output": output, "usage": usage})
    )
    assert (result.video.url, result.video.authorised) == ("https://x.example/v.mp4?Expires=1", False)
    facts = result.facts
    assert (facts.duration, facts.resolution, facts.width, facts.height, facts.fps) == (
        5.0,
        "720p",
        1280,
        720,
        30,
    )


def test_a_success_without_a_video_has_failed() -> None:
    with pytest.raises(Rejected, match="without a video"):
        perform(
            Alibaba().result(Look(reference="t", job=job())),
            answer({"output": {"task_id": "t", "task_status": "SUCCEEDED"}}),
        )


@pytest.mark.parametrize(("status", "code"), [(400, "UnsupportedOperation"), (404, "NotFound")])
def test_what_is_not_pending_cannot_be_cancelled(status: int, code: str) -> None:
    refused = answer({"code": code, "message": "It is not pending."}, status)
    _, stopped = perform(Alibaba().cancel(Look(reference="t", job=job())), refused)
    assert stopped is False
    with pytest.raises(Unclear):
        perform(Alibaba().cancel(Look(reference="t", job=job())), answer({"code": "InvalidApiKey"}, 401))
