"""What is special to Vidu: routes refuse strange fields, a payload is found, callbacks sign no body."""

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
from meshapi_server.upstreams.http import HttpResponse, get
from meshapi_server.upstreams.refusals import Unclear
from meshapi_server.upstreams.vidu import Vidu
from meshapi_server.upstreams.vidu.request import route_and_body

from .stub import perform

TEXT = ContentItem(kind="text", index=0, text="a paper boat")
FIRST = ContentItem(kind="image", index=1, url="https://x.example/a.png", role="first_frame")
LAST = ContentItem(kind="image", index=2, url="https://x.example/b.png", role="last_frame")
ONE = ContentItem(kind="image", index=3, url="https://x.example/c.png", role="reference_image")
TWO = ContentItem(kind="image", index=4, url="https://x.example/d.png", role="reference_image")

# The vector of the providers' paper, made from the documented recipe.
DATE = "Thu, 01 Jan 2026 00:00:00 GMT"
NEW_YEAR = 1_767_225_600_000
SIGNED = {
    "date": DATE,
    "x-request-nonce": "abc123",
    "x-hmac-algorithm": "hmac-sha256",
    "x-hmac-access-key": "vidu",
    "x-hmac-signed-headers": "Date;x-request-nonce",
    "x-hmac-signature": "RK0Ts+LgerF32TwXh7dljCgubKdMoIC3gf/ILpn6/hA=",
}
BODY = b'{"id":"8001","state":"success"}'


def job(*items: ContentItem, **fields: Any) -> Job:
    spec = Spec(model="vidu/x", content=items or (TEXT,), **fields)
    return Job(
        task_id="task_1",
        attempt=1,
        submission=1,
        model="viduq3-pro",
        spec=spec,
        seed=3,
        submitted_at=NEW_YEAR,
    )


def answer(value: Any, status: int = 200, **headers: str) -> HttpResponse:
    body = msgspec.json.encode(value)
    return HttpResponse(status=status, headers=headers, body=body, received_at=NEW_YEAR + 600_000)


def looked(task: Any, status: int = 200) -> Progress | Exception:
    _, (found,) = perform(Vidu().poll([Look(reference="8001", job=job())]), answer(task, status))
    assert isinstance(found, (Progress, Exception))
    return found


def refused(value: Any, status: int) -> Exception:
    with pytest.raises(Exception, match=r".") as raised:
        perform(Vidu().submit(job()), answer(value, status))
    return raised.value


def announced(body: bytes = BODY, received_at: int = NEW_YEAR + 60_000, **changed: str) -> Announcement:
    place = {"method": "POST", "path": "/callback", "query": "", **changed}
    headers = SIGNED | {name.replace("_", "-"): place.pop(name) for name in list(place) if "_" in name}
    headers |= {name: place.pop(name) for name in list(place) if name == "date"}
    return Announcement(headers=headers, body=body, received_at=received_at, **place)


@pytest.mark.parametrize(
    ("items", "fields", "route", "body"),
    [
        (
            (TEXT,),
            {"duration": 5, "resolution": "720p", "ratio": "16:9", "generate_audio": False, "seed": 3},
            "/text2video",
            {
                "duration": 5,
                "resolution": "720p",
                "aspect_ratio": "16:9",
                "audio": False,
                "seed": 3,
            },
        ),
        ((TEXT, FIRST), {"ratio": "16:9"}, "/img2video", {"images": [FIRST.url]}),
        ((TEXT, LAST, FIRST), {}, "/start-end2video", {"images": [FIRST.url, LAST.url]}),
        (
            (TEXT, ONE, TWO),
            {"ratio": "1:1", "watermark": True},
            "/reference2video",
            {"images": [ONE.url, TWO.url], "aspect_ratio": "1:1", "watermark": True},
        ),
        ((TEXT,), {"service_tier": "flex", "ratio": "adaptive"}, "/text2video", {"off_peak": True}),
        ((TEXT,), {"service_tier": "default"}, "/text2video", {}),
    ],
)
def test_the_inputs_choose_the_route_which_gets_only_the_fields_that_it_knows(
    items: tuple[ContentItem, ...], fields: dict[str, Any], route: str, body: dict[str, Any]
) -> None:
    expected = {"model": "viduq3-pro", "prompt": "a paper boat", "payload": "task_1.1", **body}
    assert route_and_body(job(*items, **fields)) == (route, expected)


@pytest.mark.parametrize("items", [(TEXT, LAST), (TEXT, FIRST, ONE), (TEXT, FIRST, FIRST)])
def test_inputs_that_no_route_takes_are_refused_before_anything_is_asked(
    items: tuple[ContentItem, ...],
) -> None:
    with pytest.raises(Rejected, match=r"content \d: viduq3-pro on Vidu takes no"):
        route_and_body(job(*items))


def test_the_key_goes_by_a_scheme_of_its_own() -> None:
    assert Vidu().authorise(get("/a"), Credentials({"key": "vda_k"}), 0) == {"authorization": "Token vda_k"}


@pytest.mark.parametrize(
    ("status", "name", "expected"),
    [
        (400, "TaskPromptPolicyViolation", Rejected),
        (400, "AuditSubmitIllegal", Rejected),
        (400, "FieldUnwanted", Rejected),
        (400, "CreditInsufficient", Unserved),
        (400, "ModelUnavailable", Unserved),
        (403, "Forbidden", Unserved),
        (429, "QuotaExceeded", Deferred),
        (429, "SystemThrottling", Deferred),
        (400, "OperationInProcess", Deferred),
        (409, "Conflict", Unclear),
        (499, "Canceled", Unclear),
        (500, "InternalServiceFailure", Unclear),
    ],
)
def test_a_name_decides_where_the_status_says_little(
    status: int, name: str, expected: type[Exception]
) -> None:
    for told in (
        {"code": status, "reason": name, "message": "words"},
        {"err_code": name, "message": "words"},
        {"code": name, "message": "words"},
        {"error": {"code": status, "reason": name}},
    ):
        assert isinstance(refused(told, status), expected), told


def test_a_refused_prompt_is_named_at_once_and_later() -> None:
    at_once = refused({"code": 400, "reason": "TaskPromptPolicyViolation", "message": "words"}, 400)
    later = looked({"id": "8001", "state": "failed", "err_code": "TaskPromptPolicyViolation"})
    assert isinstance(at_once, Rejected)
    assert isinstance(later, Progress)
    assert later.error is not None
    for error in (at_once.error, later.error):
        assert error.message == "The upstream's safety check refused the prompt. Nothing was charged."


def test_an_error_in_an_answer_that_calls_itself_good_is_an_error() -> None:
    told = {"code": 400, "reason": "CreditInsufficient", "message": "words"}
    assert isinstance(refused(told, 200), Unserved)
    assert isinstance(looked({"code": 500, "message": "words"}), Exception)


def test_a_task_id_may_be_a_number() -> None:
    _, accepted = perform(Vidu().submit(job()), answer({"task_id": 8001, "state": "created"}))
    assert accepted.reference == "8001"


@pytest.mark.parametrize(
    ("name", "code", "retryable"),
    [
        ("CreationPolicyViolation", "content_policy_violation", True),
        ("AuditSubmitIllegal", "content_policy_violation", False),
        ("ImageDownloadFailure", "invalid_input", False),
        ("UserCancelled", "cancelled", None),
        ("SystemThrottling", "upstream_error", True),
        ("OfTomorrow", "upstream_error", True),
        ("", "upstream_error", True),
    ],
)
def test_a_failed_task_tells_why_and_took_no_credits(name: str, code: str, retryable: bool | None) -> None:
    found = looked({"id": "8001", "state": "failed", "err_code": name})
    assert isinstance(found, Progress)
    assert found.error is not None
    assert (found.error.code, found.error.retryable, found.error.charged) == (code, retryable, "no")


@pytest.mark.parametrize(
    ("state", "expected"),
    [("created", "queued"), ("queueing", "queued"), ("processing", "running"), ("success", "succeeded")],
)
def test_each_state_has_its_meaning(state: str, expected: str) -> None:
    found = looked({"id": "8001", "state": state})
    assert isinstance(found, Progress)
    assert found.state == expected


def test_the_marked_video_is_taken_when_a_watermark_was_asked_for() -> None:
    video = {"duration": 5.04, "fps": 24, "resolution": {"width": 1280, "height": 720}}
    creation = {
        "url": "https://x.example/plain",
        "watermarked_url": "https://x.example/marked",
        "video": video,
    }
    task = answer({"state": "success", "creations": [creation]})
    urls = []
    for watermark in (True, False):
        _, result = perform(Vidu().result(Look(reference="1", job=job(watermark=watermark, seed=3))), task)
        urls.append(result.video.url)
        assert (result.facts.duration, result.facts.fps, result.facts.width) == (5.04, 24, 1280)
        assert (result.facts.seed, result.video.authorised) == (3, False)
    assert urls == ["https://x.example/marked", "https://x.example/plain"]


def test_a_success_without_a_video_is_a_failure() -> None:
    with pytest.raises(Rejected, match="without a video"):
        perform(Vidu().result(Look(reference="1", job=job())), answer({"state": "success", "creations": []}))


def test_a_lost_submission_is_found_on_a_later_page_by_the_payload_of_the_task() -> None:
    other = {"id": "1", "prompt": "another prompt"}
    alike, ours = {"id": "2", "prompt": "a paper boat"}, {"id": "3", "prompt": "a paper boat"}
    asked, found = perform(
        Vidu().find(job()),
        answer({"tasks": [other, alike], "next_page_token": "p"}),
        answer({"id": "2", "state": "created", "payload": "task_1.2"}),
        answer({"tasks": [ours]}),
        answer({"id": "3", "state": "created", "payload": "task_1.1"}),
    )
    assert [request.url for request in asked] == [
        "/tasks",
        "/tasks/2/creations",
        "/tasks",
        "/tasks/3/creations",
    ]
    assert asked[0].query == (("created_at.from", "2025-12-31T23:59:00Z"),)
    assert asked[2].query == (*asked[0].query, ("pager.page_token", "p"))
    assert found is not None
    assert found.reference == "3"


def test_a_list_that_shows_payloads_is_enough() -> None:
    tasks = [{"id": "1", "payload": "task_1.11"}, {"id": "2", "payload": "task_1.1"}]
    asked, found = perform(Vidu().find(job()), answer({"tasks": tasks}))
    assert len(asked) == 1
    assert found is not None
    assert found.reference == "2"


def test_a_task_with_our_payload_is_ours_though_vidu_has_rewritten_its_prompt() -> None:
    task = {"id": "2", "payload": "task_1.1", "prompt": "A paper boat drifts, cinematic."}
    _, found = perform(Vidu().find(job()), answer({"tasks": [task]}))
    assert found is not None
    assert found.reference == "2"


def test_a_list_without_end_is_left_after_some_pages() -> None:
    pages = [answer({"tasks": [], "next_page_token": str(number)}) for number in range(20)]
    asked, found = perform(Vidu().find(job()), *pages)
    assert (len(asked), found) == (8, None)


def test_a_list_that_cannot_be_had_settles_nothing() -> None:
    with pytest.raises(Deferred):
        perform(Vidu().find(job()), answer({"code": 429, "reason": "TooManyRequests"}, 429))


@pytest.mark.parametrize("status", [400, 404, 409])
def test_what_cannot_be_cancelled_any_more_goes_on(status: int) -> None:
    talk = Vidu().cancel(Look(reference="8001", job=job()))
    (asked, *_), stopped = perform(talk, answer({"code": status, "reason": "BadRequest"}, status))
    assert (asked.url, asked.body) == ("/tasks/8001/cancel", b'{"id":"8001"}')
    assert stopped is False


def hear(announcement: Announcement, key: str = "vda_token") -> Any:
    return perform(Vidu().hear(announcement, Credentials({"key": key})))[1]


def test_a_callback_of_the_documented_signature_is_genuine() -> None:
    heard = hear(announced())
    assert (heard.verified, heard.reference) == (True, "8001")


@pytest.mark.parametrize(
    "changed",
    [
        {"path": "/callback2"},
        {"query": "a=1"},
        {"method": "PUT"},
        {"date": "Thu, 01 Jan 2026 00:00:01 GMT"},
        {"date": "soon"},
        {"x_request_nonce": "abc124"},
        {"x_hmac_signed_headers": "Date"},
        {"x_hmac_signed_headers": "Date;x-other"},
        {"x_hmac_signature": ""},
        {"x_hmac_algorithm": "hmac-sha1"},
        {"received_at": NEW_YEAR + 301_000},
        {"received_at": NEW_YEAR - 301_000},
    ],
)
def test_a_callback_that_was_changed_or_is_old_is_forged(changed: dict[str, Any]) -> None:
    with pytest.raises(Forged):
        hear(announced(**changed))


def test_another_key_makes_another_signature() -> None:
    with pytest.raises(Forged):
        hear(announced(), key="vda_other")
