"""What is special to PixVerse: uploads before a generation, errors with HTTP 200, a status by number."""

import itertools
from typing import Any

import msgspec
import pytest

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
from meshapi_server.upstreams.http import HttpResponse, data_uri, get
from meshapi_server.upstreams.pixverse import PixVerse
from meshapi_server.upstreams.pixverse.request import frames_of, route_and_body
from meshapi_server.upstreams.refusals import Unclear

from .stub import perform

TEXT = ContentItem(kind="text", index=0, text="a paper boat")
FIRST = ContentItem(kind="image", index=1, url="https://x.example/a.png", role="first_frame")
LAST = ContentItem(kind="image", index=2, url=data_uri("image/png", b"\x89PNG"), role="last_frame")
REFERENCE = ContentItem(kind="image", index=3, url="https://x.example/c.png", role="reference_image")


def job(*items: ContentItem, **fields: Any) -> Job:
    spec = Spec(model="pixverse/x", content=items or (TEXT,), **fields)
    return Job(task_id="task_1", attempt=1, submission=1, model="v6", spec=spec, seed=3, submitted_at=0)


def answer(value: Any, status: int = 200, **headers: str) -> HttpResponse:
    body = msgspec.json.encode(value)
    return HttpResponse(status=status, headers=headers, body=body, received_at=10_000_000)


def held(**fields: Any) -> HttpResponse:
    return answer({"ErrCode": 0, "ErrMsg": "Success", "Resp": fields})


def refused(number: int, words: str = "words", status: int = 200) -> Exception:
    with pytest.raises(Exception, match=r".") as raised:
        perform(PixVerse().submit(job()), answer({"ErrCode": number, "ErrMsg": words}, status))
    return raised.value


def looked(response: HttpResponse) -> Progress | Exception:
    _, (found,) = perform(PixVerse().poll([Look(reference="3900", job=job())]), response)
    assert isinstance(found, (Progress, Exception))
    return found


@pytest.mark.parametrize(
    ("images", "fields", "route", "body"),
    [
        (
            (),
            {"duration": 5, "resolution": "720p", "ratio": "16:9", "generate_audio": True, "seed": 3},
            "/video/text/generate",
            {
                "duration": 5,
                "quality": "720p",
                "seed": 3,
                "generate_audio_switch": True,
                "aspect_ratio": "16:9",
            },
        ),
        (
            (101,),
            {"ratio": "16:9", "negative_prompt": "rain", "watermark": False},
            "/video/img/generate",
            {"negative_prompt": "rain", "water_mark": False, "img_id": 101},
        ),
        ((101, 102), {}, "/video/transition/generate", {"first_frame_img": 101, "last_frame_img": 102}),
    ],
)
def test_each_route_gets_its_own_fields(
    images: tuple[int, ...], fields: dict[str, Any], route: str, body: dict[str, Any]
) -> None:
    expected = {"model": "v6", "prompt": "a paper boat", **body}
    assert route_and_body(job(**fields), images) == (route, expected)


def test_frames_are_uploaded_in_their_order_before_the_one_paid_request() -> None:
    asked, accepted = perform(
        PixVerse().submit(job(TEXT, LAST, FIRST)),
        held(img_id=101, img_url="https://x.example/1"),
        held(ImgID=102, ImgUrl="https://x.example/2"),
        held(video_id=9_007_199_254_740_993, credits=45),
    )
    assert [request.url for request in asked] == ["/image/upload"] * 2 + ["/video/transition/generate"]
    assert [request.harmless for request in asked] == [True, True, False]
    assert b'name="image_url"\r\n\r\nhttps://x.example/a.png' in asked[0].body
    assert b'name="image"; filename="image.png"' in asked[1].body
    assert b"\x89PNG" in asked[1].body
    sent = msgspec.json.decode(asked[2].body)
    assert (sent["first_frame_img"], sent["last_frame_img"]) == (101, 102)
    assert accepted.reference == "9007199254740993"


@pytest.mark.parametrize("items", [(TEXT, LAST), (TEXT, REFERENCE), (TEXT, FIRST, FIRST)])
def test_inputs_that_no_route_takes_are_refused_before_anything_is_asked(
    items: tuple[ContentItem, ...],
) -> None:
    with pytest.raises(Rejected, match=r"content \d: v6 of PixVerse takes no"):
        frames_of(job(*items))


def test_an_image_that_is_refused_ends_the_task_and_nothing_is_bought() -> None:
    with pytest.raises(Rejected, match="safety check refused the first frame"):
        perform(
            PixVerse().submit(job(TEXT, FIRST)),
            answer({"ErrCode": 500063, "ErrMsg": "Image moderation failed"}),
        )


def test_an_upload_that_fails_for_a_reason_nobody_knows_is_certain_to_be_free() -> None:
    with pytest.raises(Rejected) as raised:
        perform(PixVerse().submit(job(TEXT, FIRST)), answer({"ErrCode": 500999, "ErrMsg": "of tomorrow"}))
    assert raised.value.error.charged == "no"


def test_every_request_has_a_name_of_its_own() -> None:
    numbers = itertools.count(1)
    adapter = PixVerse(trace=lambda: f"trace-{next(numbers)}")
    headers = [adapter.authorise(get("/a"), Credentials({"key": "sk-k"}), 0) for _ in range(2)]
    assert headers == [{"api-key": "sk-k", "ai-trace-id": f"trace-{number}"} for number in (1, 2)]
    usual = [PixVerse().authorise(get("/a"), Credentials(), 0)["ai-trace-id"] for _ in range(2)]
    assert usual[0] != usual[1]


@pytest.mark.parametrize(
    ("number", "words", "status", "expected"),
    [
        (10005, "invalid API key", 200, Unserved),
        (400012, "invalid account", 200, Unserved),
        (400017, "invalid param", 200, Rejected),
        (400999, "of tomorrow", 200, Rejected),
        (500054, "words", 200, Rejected),
        (500999, "the prompt is sensitive", 200, Rejected),
        (500090, "words", 200, Unserved),
        (500999, "your balance is used up", 200, Unserved),
        (500044, "words", 200, Deferred),
        (500999, "too many concurrent generations", 200, Deferred),
        (500999, "of tomorrow", 200, Rejected),
        (500999, "of tomorrow", 400, Rejected),
        (500999, "of tomorrow", 401, Unserved),
        (500999, "of tomorrow", 429, Deferred),
        (500999, "of tomorrow", 500, Unclear),
    ],
)
def test_the_number_decides_then_the_words_then_the_status(
    number: int, words: str, status: int, expected: type[Exception]
) -> None:
    assert isinstance(refused(number, words, status), expected)


def test_a_number_that_tells_nothing_leaves_the_charge_open() -> None:
    fault = refused(500999, "of tomorrow")
    assert isinstance(fault, Rejected)
    assert (fault.error.code, fault.error.charged) == ("upstream_error", "unknown")
    assert fault.error.provider_code == "500999"


def test_a_good_answer_without_an_id_leaves_it_open() -> None:
    with pytest.raises(Unreadable):
        perform(PixVerse().submit(job()), held(credits=45))


@pytest.mark.parametrize(
    ("status", "state", "code"),
    [
        (1, "succeeded", None),
        ("1", "succeeded", None),
        (2, "queued", None),
        (3, "running", None),
        (5, "running", None),
        (9, "running", None),
        (None, "running", None),
        (6, "failed", "upstream_error"),
        (7, "failed", "content_policy_violation"),
        (8, "failed", "upstream_error"),
    ],
)
def test_each_number_has_its_meaning_and_others_keep_the_task_running(
    status: Any, state: str, code: str | None
) -> None:
    found = looked(held(id=3900, status=status))
    assert isinstance(found, Progress)
    assert (found.state, found.error and found.error.code) == (state, code)


@pytest.mark.parametrize(
    ("number", "words"), [(10005, "invalid API key"), (500999, "of tomorrow"), (400012, "user not exist")]
)
def test_an_error_of_a_look_ends_nothing(number: int, words: str) -> None:
    assert isinstance(looked(answer({"ErrCode": number, "ErrMsg": words})), Exception)


@pytest.mark.parametrize(
    "response",
    [
        answer({"ErrCode": 400999, "ErrMsg": "video not found"}),
        answer({"ErrCode": 400999, "ErrMsg": "The video does not exist."}),
        answer({"ErrMsg": "Not Found"}, 404),
    ],
)
def test_a_video_that_pixverse_does_not_know_is_lost(response: HttpResponse) -> None:
    found = looked(response)
    assert isinstance(found, Progress)
    assert found.error is not None
    assert found.error.retryable is True


def test_the_result_tells_its_seed_and_size() -> None:
    made = held(id=1, status=1, url="https://media.example/a.mp4", seed=7, outputWidth=1280, outputHeight=720)
    _, result = perform(PixVerse().result(Look(reference="1", job=job())), made)
    assert (result.video.url, result.video.authorised) == ("https://media.example/a.mp4", False)
    assert (result.facts.seed, result.facts.width, result.facts.height) == (7, 1280, 720)


def test_a_success_without_a_video_is_a_failure() -> None:
    with pytest.raises(Rejected, match="without a video"):
        perform(PixVerse().result(Look(reference="1", job=job())), held(id=1, status=1, url=""))
