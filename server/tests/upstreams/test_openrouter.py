"""What is special to OpenRouter: inputs by URL only, errors in words, content by key, signed webhooks."""

import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from meshapi_server.tasks.clock import system_clock
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
from meshapi_server.upstreams.enabled import close, enabled
from meshapi_server.upstreams.http import HttpResponse, data_uri
from meshapi_server.upstreams.openrouter import OpenRouter
from meshapi_server.upstreams.openrouter.request import body_of
from meshapi_server.upstreams.openrouter.signature import signature_of
from meshapi_server.upstreams.refusals import Unclear

from .stub import perform

sys.path.insert(0, str(Path(__file__).parents[3]))  # the repository: the fake belongs to no distribution

from tests.upstreams.dialects import every_dialect
from tests.upstreams.fake import FakeUpstream
from tests.upstreams.fake.files import FILES

TEXT = ContentItem(kind="text", index=0, text="a paper boat")
FIRST = ContentItem(kind="image", index=1, url="https://x.example/a.png", role="first_frame")
LAST = ContentItem(kind="image", index=2, url="https://x.example/b.png", role="last_frame")
IMAGE = ContentItem(kind="image", index=3, url="https://x.example/c.png", role="reference_image")
VIDEO = ContentItem(kind="video", index=4, url="https://x.example/d.mp4", role="reference_video")
SOUND = ContentItem(kind="audio", index=5, url="https://x.example/e.mp3", role="reference_audio")
DATA = ContentItem(kind="image", index=6, url=data_uri("image/png", b"x"), role="first_frame")

# The vector of the providers' paper, made from the documented recipe.
STAMP = 1_780_000_000
BODY = b'{"type":"video.generation.completed"}'
SIGNATURE = "0c2fd6e94a0abd69ac53e119faa05730535330ade221593750e34897ccfb1b6f"


def job(*items: ContentItem, callback_url: str | None = None, **fields: Any) -> Job:
    spec = Spec(model="openrouter/x", content=items or (TEXT,), **fields)
    return Job(
        task_id="task_1",
        attempt=1,
        submission=1,
        model="google/veo-3.1-fast",
        spec=spec,
        seed=3,
        submitted_at=0,
        callback_url=callback_url,
    )


def answer(value: Any, status: int = 200, **headers: str) -> HttpResponse:
    body = msgspec.json.encode(value)
    return HttpResponse(status=status, headers=headers, body=body, received_at=10_000_000)


def error(code: int, message: str = "words", **metadata: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "metadata": metadata}}


def refused(response: HttpResponse) -> Exception:
    with pytest.raises(Exception, match=r".") as raised:
        perform(OpenRouter().submit(job()), response)
    return raised.value


def looked(told: Any, status: int = 200) -> Progress | Exception:
    _, (found,) = perform(OpenRouter().poll([Look(reference="gen-vid-1", job=job())]), answer(told, status))
    assert isinstance(found, (Progress, Exception))
    return found


@pytest.mark.parametrize(
    ("items", "fields", "body"),
    [
        (
            (TEXT,),
            {"duration": 8, "resolution": "4k", "ratio": "16:9", "generate_audio": False, "seed": 3},
            {
                "duration": 8,
                "resolution": "4K",
                "aspect_ratio": "16:9",
                "generate_audio": False,
                "seed": 3,
            },
        ),
        (
            (TEXT, LAST, FIRST),
            {"resolution": "720p", "ratio": "adaptive", "duration": -1},
            {
                "resolution": "720p",
                "frame_images": [
                    {"type": "image_url", "image_url": {"url": FIRST.url}, "frame_type": "first_frame"},
                    {"type": "image_url", "image_url": {"url": LAST.url}, "frame_type": "last_frame"},
                ],
            },
        ),
        (
            (TEXT, IMAGE, VIDEO, SOUND),
            {},
            {
                "input_references": [
                    {"type": "image_url", "image_url": {"url": IMAGE.url}},
                    {"type": "video_url", "video_url": {"url": VIDEO.url}},
                    {"type": "audio_url", "audio_url": {"url": SOUND.url}},
                ]
            },
        ),
    ],
)
def test_a_job_is_put_into_openrouters_words(
    items: tuple[ContentItem, ...], fields: dict[str, Any], body: dict[str, Any]
) -> None:
    expected = {"model": "google/veo-3.1-fast", "prompt": "a paper boat", **body}
    assert body_of(job(*items, **fields), None) == expected


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ((TEXT, DATA), "by public URL only"),
        ((TEXT, FIRST, IMAGE), "content 3: .* no references beside frames"),
        ((TEXT, FIRST, FIRST), "takes no first_frame"),
    ],
)
def test_inputs_that_have_no_place_are_refused_before_anything_is_asked(
    items: tuple[ContentItem, ...], words: str
) -> None:
    with pytest.raises(Rejected, match=words):
        body_of(job(*items), None)


@pytest.mark.parametrize(
    ("base_url", "callback", "sent"),
    [
        ("", "https://gw.example/hook", True),
        ("", "http://gw.example/hook", False),
        ("https://openrouter.ai/api/v1/", "http://gw.example/hook", False),
        ("http://127.0.0.1:1/api/v1", "http://127.0.0.1:2/hook", True),
    ],
)
def test_a_callback_that_openrouter_would_refuse_is_left_out(
    base_url: str, callback: str, sent: bool
) -> None:
    request = next(OpenRouter(base_url).submit(job(callback_url=callback)))
    assert msgspec.json.decode(request.body).get("callback_url") == (callback if sent else None)


@pytest.mark.parametrize(
    ("status", "told", "expected"),
    [
        (400, error(400, "duration is not supported"), Rejected),
        (401, error(401), Unserved),
        (402, error(402), Unserved),
        (403, error(403, "your key may not do this"), Unserved),
        (403, error(403, "words", reasons=["violence"], flagged_input="a"), Rejected),
        (403, error(403, "The input was flagged"), Rejected),
        (404, error(404), Unserved),
        (413, error(413), Rejected),
        (429, error(429), Deferred),
        (499, error(499), Unclear),
        (500, error(500), Unclear),
        (502, error(502), Unclear),
        (503, error(503), Deferred),
        (200, error(402), Unserved),
    ],
)
def test_the_status_decides_and_words_tell_moderation_from_permission(
    status: int, told: dict[str, Any], expected: type[Exception]
) -> None:
    fault = refused(answer(told, status))
    assert isinstance(fault, expected)
    if isinstance(fault, Rejected):
        moderated = status == 403
        assert (fault.error.code == "content_policy_violation") is moderated


@pytest.mark.parametrize(
    ("told", "code", "charged", "retryable"),
    [
        ({"status": "failed", "error": "it broke"}, "upstream_error", "unknown", True),
        (
            {"status": "failed", "error": "blocked by content filter", "usage": {"cost": 0}},
            "content_policy_violation",
            "no",
            False,
        ),
        (
            {"status": "failed", "error": "The generated video was flagged", "usage": {"cost": 0.8}},
            "content_policy_violation",
            "yes",
            True,
        ),
        ({"status": "failed", "error": {"code": 500, "message": "words"}}, "upstream_error", "unknown", True),
        ({"status": "cancelled"}, "cancelled", "unknown", None),
        ({"status": "expired", "usage": {"cost": None}}, "expired", "unknown", True),
    ],
)
def test_an_ended_job_tells_why_and_what_it_cost(
    told: dict[str, Any], code: str, charged: str, retryable: bool | None
) -> None:
    found = looked({"id": "gen-vid-1", **told})
    assert isinstance(found, Progress)
    assert found.error is not None
    assert (found.error.code, found.error.charged, found.error.retryable) == (code, charged, retryable)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", "queued"),
        ("in_progress", "running"),
        ("of_tomorrow", "running"),
        ("completed", "succeeded"),
    ],
)
def test_each_status_has_its_meaning(status: str, state: str) -> None:
    found = looked({"id": "gen-vid-1", "status": status})
    assert isinstance(found, Progress)
    assert found.state == state


def test_an_error_in_a_good_answer_to_a_look_ends_nothing() -> None:
    assert isinstance(looked(error(500)), Exception)


def test_a_signed_url_is_fetched_without_the_key() -> None:
    made = {"id": "j", "status": "completed", "urls": ["https://cdn.example/v.mp4?sig=1"]}
    talk = OpenRouter().result(Look(reference="j", job=job(seed=3)))
    _, result = perform(talk, answer(made))
    assert (result.video.url, result.video.authorised) == ("https://cdn.example/v.mp4?sig=1", False)
    assert result.facts.seed == 3


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"cost": 0.8, "is_byok": False}, "0.8"),
        ({"cost": 1e-05}, "0.00001"),
        ({"cost": 0}, "0"),
        ({"cost": 0.01, "is_byok": True}, None),
        ({"cost": "much"}, None),
        (None, None),
    ],
)
def test_a_finished_job_costs_what_openrouter_says(usage: Any, cost: str | None) -> None:
    made = {"id": "j", "status": "completed", "usage": usage}
    _, result = perform(OpenRouter().result(Look(reference="j", job=job())), answer(made))
    assert result.facts.cost_usd == cost


@pytest.mark.parametrize("urls", [{}, {"urls": []}, {"urls": ["javascript:alert(1)"]}])
def test_without_a_signed_url_the_content_is_asked_for_at_openrouter(urls: dict[str, Any]) -> None:
    made = {"id": "j", "status": "completed", "unsigned_urls": ["https://elsewhere.example/x"], **urls}
    _, result = perform(OpenRouter().result(Look(reference="j", job=job())), answer(made))
    assert (result.video.url, result.video.query) == ("/videos/j/content", (("index", "0"),))
    assert result.video.authorised is True


async def test_a_video_of_which_openrouter_keeps_no_copy_comes_by_the_key(tmp_path: Path) -> None:
    key = "sk-or-of-this-test-0123456789"
    async with FakeUpstream(tmp_path / "log", key=key, dialects=every_dialect()) as fake:
        fake.script.next("no_result")
        environment = {
            "OPENROUTER_API_KEY": key,
            "MESHAPI_OPENROUTER_BASE_URL": fake.base_url("openrouter"),
        }
        upstreams = enabled(environment, system_clock)
        (upstream,) = upstreams
        reference = (await upstream.submit(job())).reference
        rendered = await upstream.fetch(reference, job(), tmp_path)
        assert rendered.video.read_bytes() == FILES["video.mp4"].read_bytes()
        await close(upstreams)


def announced(body: bytes, header: str, received_at: int = STAMP * 1000 + 60_000) -> Announcement:
    headers = {"x-openrouter-signature": header} if header else {}
    return Announcement(
        method="POST", path="/hook", query="", headers=headers, body=body, received_at=received_at
    )


def hear(announcement: Announcement, **credentials: str) -> Any:
    return perform(OpenRouter(signs=True).hear(announcement, Credentials(credentials)))[1]


def test_the_signature_is_the_documented_one() -> None:
    assert signature_of(str(STAMP), BODY, "secret") == SIGNATURE.encode()


def test_a_webhook_of_the_workspaces_secret_is_genuine() -> None:
    body = b'{"type":"video.generation.completed","data":{"id":"gen-vid-1","status":"completed"}}'
    made = signature_of(str(STAMP), body, "secret").decode()
    for header in (f"t={STAMP},v1={made}", f"t={STAMP},v1={'0' * 64},v1={made}"):
        heard = hear(announced(body, header), webhook_secret="secret")
        assert (heard.verified, heard.reference) == (True, "gen-vid-1")


@pytest.mark.parametrize(
    ("header", "body", "late"),
    [
        (f"t={STAMP},v1={SIGNATURE}", BODY + b" ", 0),
        (f"t={STAMP + 1},v1={SIGNATURE}", BODY, 0),
        (f"t={STAMP},v1={SIGNATURE[::-1]}", BODY, 0),
        (f"t={STAMP},v2={SIGNATURE}", BODY, 0),
        (f"v1={SIGNATURE}", BODY, 0),
        (f"t=soon,v1={SIGNATURE}", BODY, 0),
        ("", BODY, 0),
        (f"t={STAMP},v1={SIGNATURE}", BODY, 301_000),
        (f"t={STAMP},v1={SIGNATURE}", BODY, -301_000),
    ],
)
def test_a_webhook_that_was_changed_or_is_old_is_forged(header: str, body: bytes, late: int) -> None:
    with pytest.raises(Forged):
        hear(announced(body, header, STAMP * 1000 + late), webhook_secret="secret")


def test_without_a_secret_a_webhook_is_a_hint() -> None:
    body = b'{"type":"video.generation.failed","data":{"id":"gen-vid-1"}}'
    heard = hear(announced(body, ""), key="k")
    assert (heard.verified, heard.reference) == (False, "gen-vid-1")
    assert OpenRouter().supports.signed_callbacks is False
