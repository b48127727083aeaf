"""What is special to MiniMax: two versions by model, refusals under HTTP 200, files, challenges."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from tests.upstreams.fake import FakeUpstream
from tests.upstreams.minimax.dialect import MiniMax as Dialect

from meshapi_server.tasks.clock import system_clock
from meshapi_server.upstreams.adapter import (
    Announcement,
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
from meshapi_server.upstreams.catalogue import Catalogue
from meshapi_server.upstreams.enabled import enabled
from meshapi_server.upstreams.http import HttpResponse
from meshapi_server.upstreams.minimax import MINIMAX, MiniMax, second
from meshapi_server.upstreams.refusals import Unclear

from .stub import perform

TEXT = ContentItem(kind="text", index=0, text="a paper boat [Push in]")
FIRST = ContentItem(kind="image", index=1, url="https://x.example/a.png", role="first_frame")
LAST = ContentItem(kind="image", index=2, url="https://x.example/b.png", role="last_frame")
PERSON = ContentItem(kind="image", index=1, url="https://x.example/p.png", role="reference_image")
CLIP = ContentItem(kind="video", index=2, url="https://x.example/c.mp4", role="reference_video")
VOICE = ContentItem(kind="audio", index=3, url="https://x.example/v.mp3", role="reference_audio")


def job(
    *items: ContentItem, model: str = "MiniMax-H3", callback_url: str | None = None, **fields: Any
) -> Job:
    return Job(
        task_id="task_1",
        attempt=1,
        submission=1,
        model=model,
        spec=Spec(model="minimax/x", content=items or (TEXT,), **fields),
        seed=3,
        submitted_at=0,
        callback_url=callback_url,
    )


def older(*items: ContentItem, **fields: Any) -> Job:
    return job(*items, model="MiniMax-Hailuo-02", **fields)


def answer(value: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status=status, body=msgspec.json.encode(value), received_at=10_000_000)


def base(code: int, words: str = "", **task: Any) -> HttpResponse:
    return answer({**task, "base_resp": {"status_code": code, "status_msg": words}})


def error(status: int, kind: str, words: str) -> HttpResponse:
    said = {"type": kind, "message": words, "http_code": str(status)}
    return answer({"type": "error", "error": said, "request_id": "r"}, status)


def looked(asked: Job, response: HttpResponse) -> Progress | Exception:
    _, (found,) = perform(MiniMax().poll([Look(reference="t", job=asked)]), response)
    assert isinstance(found, (Progress, Exception))
    return found


def announced(body: bytes) -> Announcement:
    return Announcement(method="POST", path="/hook", query="", headers={}, body=body, received_at=0)


def body_of(asked: Job) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(next(MiniMax().submit(asked)).body)
    return found


def test_the_model_tells_which_version_is_asked() -> None:
    models = ("MiniMax-H3", "MiniMax-H3-Max", "MiniMax-Hailuo-2.3", "MiniMax-Hailuo-02", "S2V-01")
    places = [next(MiniMax().submit(job(model=model))).url for model in models]
    assert places == ["/v2/video_generation"] * 2 + ["/v1/video_generation"] * 3


def test_every_model_of_the_cards_is_asked_by_its_version() -> None:
    cards = [card for card in Catalogue.load() if card.provider == "minimax"]
    assert {card.upstream_id for card in cards if second.has(card.upstream_id)} == {
        "MiniMax-H3",
        "MiniMax-H3-Max",
    }


@pytest.mark.parametrize(
    ("keys", "served"),
    [
        ((), {"MiniMax-H3", "S2V-01"}),
        (("key",), {"MiniMax-H3", "S2V-01"}),
        (("key", "h3"), {"MiniMax-H3", "S2V-01"}),
        (("h3", "hailuo"), {"MiniMax-H3", "S2V-01"}),
        (("h3",), {"MiniMax-H3"}),
        (("hailuo",), {"S2V-01"}),
    ],
)
def test_a_key_of_one_version_opens_that_version_only(keys: tuple[str, ...], served: set[str]) -> None:
    adapter = MINIMAX.build(dict.fromkeys(keys, "k"))
    assert {model for model in ("MiniMax-H3", "S2V-01") if adapter.serves(model)} == served
    assert adapter.abilities.cancels is ("MiniMax-H3" in served)


def test_a_model_without_a_key_is_not_asked_for() -> None:
    with pytest.raises(Unserved, match="no key of MiniMax for MiniMax-H3"):
        next(MiniMax(h3=False).submit(job()))


def test_each_version_gets_its_own_key_and_the_common_one_where_it_has_none() -> None:
    keys = Credentials({"key": "common", "h3": "newer"})
    hailuo, h3 = (next(MiniMax().submit(asked)) for asked in (older(), job()))
    assert MiniMax().authorise(hailuo, keys, 0) == {"authorization": "Bearer common"}
    assert MiniMax().authorise(h3, keys, 0) == {"authorization": "Bearer newer"}


def test_the_first_version_has_a_field_for_each_kind_of_image() -> None:
    wishes: dict[str, Any] = {"duration": 6, "resolution": "768p", "watermark": True}
    assert body_of(older(TEXT, FIRST, LAST, callback_url="https://x.example/hook", **wishes)) == {
        "model": "MiniMax-Hailuo-02",
        "prompt": "a paper boat [Push in]",
        "first_frame_image": FIRST.url,
        "last_frame_image": LAST.url,
        "duration": 6,
        "resolution": "768P",
        "aigc_watermark": True,
        "callback_url": "https://x.example/hook",
    }
    assert body_of(job(TEXT, PERSON, model="S2V-01"))["subject_reference"] == [
        {"type": "character", "image": [PERSON.url]}
    ]


def test_the_second_version_takes_content_with_roles() -> None:
    wishes: dict[str, Any] = {"duration": 6, "resolution": "2k", "ratio": "adaptive"}
    assert body_of(job(TEXT, PERSON, CLIP, VOICE, **wishes)) == {
        "model": "MiniMax-H3",
        "content": [
            {"type": "text", "text": "a paper boat [Push in]"},
            {"type": "image_url", "image_url": {"url": PERSON.url}, "role": "reference_image"},
            {"type": "video_url", "video_url": {"url": CLIP.url}, "role": "reference_video"},
            {"type": "audio_url", "audio_url": {"url": VOICE.url}, "role": "reference_audio"},
        ],
        "resolution": "2K",
        "duration": 6,
        "ratio": "adaptive",
    }


@pytest.mark.parametrize("item", [CLIP, VOICE])
def test_an_input_that_the_first_version_lacks_is_refused_before_anything_is_asked(item: ContentItem) -> None:
    with pytest.raises(Rejected, match=f"content {item.index}: .* takes no {item.role}"):
        next(MiniMax().submit(older(TEXT, item)))
    with pytest.raises(Rejected, match="takes no reference_image"):
        next(MiniMax().submit(older(TEXT, PERSON, PERSON)))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (1002, Deferred),
        (1039, Deferred),
        (1004, Unserved),
        (2049, Unserved),
        (1008, Unserved),
        (2061, Unserved),
        (1026, Rejected),
        (2013, Rejected),
        (1000, Unclear),
        (1001, Unclear),
        (1033, Unclear),
        (4711, Unclear),
    ],
)
def test_a_refusal_of_the_first_version_hides_under_http_200(code: int, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        perform(MiniMax().submit(older()), base(code, "no", task_id=""))


@pytest.mark.parametrize(
    ("status", "kind", "words", "expected"),
    [
        (401, "authorized_error", "login fail (1004)", Unserved),
        (402, "insufficient_balance_error", "insufficient balance (1008)", Unserved),
        (422, "unprocessable_entity_error", "contains sensitive content (1026)", Rejected),
        (400, "bad_request_error", "invalid params (2013)", Rejected),
        (429, "rate_limit_error", "please retry later (1002)", Deferred),
        (529, "overloaded_error", "busy (1000)", Deferred),
        (500, "server_error", "internal error (1000)", Unclear),
    ],
)
def test_a_refusal_of_the_second_version_has_a_type_and_a_number(
    status: int, kind: str, words: str, expected: type[Exception]
) -> None:
    with pytest.raises(expected) as raised:
        perform(MiniMax().submit(job()), error(status, kind, words))
    if isinstance(raised.value, Rejected):
        moderated = status == 422
        assert raised.value.error.code == ("content_policy_violation" if moderated else "invalid_input")
        assert raised.value.error.provider_code == ("1026" if moderated else "2013")


def test_an_answer_without_an_id_leaves_it_open_whether_the_task_was_taken() -> None:
    for asked in (job(), older()):
        with pytest.raises(Unreadable):
            perform(MiniMax().submit(asked), base(0))


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("Preparing", "queued"),
        ("Queueing", "queued"),
        ("processing", "running"),
        ("Success", "succeeded"),
        ("Fail", "failed"),
        ("Failed", "failed"),
        ("Unknown", "running"),
    ],
)
def test_the_words_of_the_first_version_are_read_without_regard_to_case(word: str, state: str) -> None:
    stands = looked(older(), base(0, status=word))
    assert isinstance(stands, Progress)
    assert stands.state == state


def test_a_withheld_video_of_the_first_version_is_told_by_its_code() -> None:
    for status in ("Fail", "Processing"):
        stands = looked(older(), base(1027, "output sensitive", status=status))
        assert isinstance(stands, Progress)
        assert stands.error is not None
        assert (stands.error.code, stands.error.charged) == ("content_policy_violation", "no")


def test_a_task_id_that_is_not_taken_any_more_is_lost_and_other_trouble_is_not() -> None:
    for asked, gone in (
        (older(), base(2013, "invalid params, invalid task_id")),
        (job(), error(400, "bad_request_error", "invalid task_id (2013)")),
        (job(), error(404, "not_found", "no")),
    ):
        stands = looked(asked, gone)
        assert isinstance(stands, Progress)
        assert stands.state == "failed"
    assert isinstance(looked(older(), base(1033, "system error")), Unclear)
    assert isinstance(looked(older(), base(1002, "rate limit")), Deferred)


@pytest.mark.parametrize(
    ("error", "code", "retryable"),
    [
        ({"code": "1027", "message": "output sensitive"}, "content_policy_violation", True),
        ({"message": "the input is sensitive (1026)"}, "content_policy_violation", False),
        ({"code": 1000, "message": "unknown"}, "upstream_error", True),
        (None, "upstream_error", True),
    ],
)
def test_a_failure_of_the_second_version_is_judged_by_its_number(
    error: Any, code: str, retryable: bool
) -> None:
    stands = looked(job(), answer({"task": {"id": "t", "status": "failed", "error": error}}))
    assert isinstance(stands, Progress)
    assert stands.error is not None
    assert (stands.error.code, stands.error.retryable, stands.error.charged) == (code, retryable, "no")


@pytest.mark.parametrize("status", ["cancelled", "expired"])
def test_what_was_stopped_or_ran_out_has_failed_as_such(status: str) -> None:
    stands = looked(job(), answer({"task": {"id": "t", "status": status}}))
    assert isinstance(stands, Progress)
    assert stands.error is not None
    assert stands.error.code == status


@pytest.mark.parametrize("number", [2**60 + 1, str(2**60 + 1)])
def test_a_file_is_asked_for_by_all_digits_of_its_number(number: Any) -> None:
    asked, result = perform(
        MiniMax().result(Look(reference="t", job=older())),
        base(0, status="Success", file_id=number, video_width=1366, video_height=768),
        base(0, file={"file_id": number, "download_url": "https://x.example/v.mp4"}),
    )
    assert asked[1].query == (("file_id", "1152921504606846977"),)
    assert (result.video.url, result.video.authorised) == ("https://x.example/v.mp4", False)
    assert (result.facts.width, result.facts.height) == (1366, 768)


def test_a_success_without_a_file_or_with_a_removed_one_has_failed() -> None:
    look = Look(reference="t", job=older())
    with pytest.raises(Rejected, match="without a video"):
        perform(MiniMax().result(look), base(0, status="Success", file_id=""))
    with pytest.raises(Rejected, match="does not know"):
        perform(MiniMax().result(look), base(0, status="Success", file_id="7"), base(2013, "no such file"))


def test_what_h3_made_is_told_in_our_words() -> None:
    task = {"status": "succeeded", "content": {"url": "https://x.example/v.mp4"}}
    facts = {"resolution": "2K", "duration": 6, "ratio": "16:9"}
    _, result = perform(MiniMax().result(Look(reference="t", job=job())), answer({"task": {**task, **facts}}))
    assert (result.facts.resolution, result.facts.duration, result.facts.ratio) == ("2k", 6.0, "16:9")


def test_the_first_version_is_not_asked_to_cancel() -> None:
    asked, stopped = perform(MiniMax().cancel(Look(reference="t", job=older())))
    assert (asked, stopped) == ([], False)


def test_a_task_that_began_meanwhile_is_not_cancelled() -> None:
    asked, stopped = perform(
        MiniMax().cancel(Look(reference="t", job=job())),
        answer({"task": {"id": "t", "status": "queued"}}),
        error(400, "bad_request_error", "a running task cannot be cancelled (2013)"),
    )
    assert [request.method for request in asked] == ["GET", "DELETE"]
    assert stopped is False


def test_a_challenge_is_repeated() -> None:
    _, heard = perform(MiniMax().hear(announced(b'{"challenge":"abc"}'), Credentials()))
    assert (heard.status, heard.body, heard.media_type) == (200, b'{"challenge":"abc"}', "application/json")
    assert (heard.reference, heard.verified) == (None, False)


@pytest.mark.parametrize(
    "body",
    [
        b'{"task_id":"t","status":"success","base_resp":{"status_code":0}}',
        b'{"task":{"id":"t","status":"running"}}',
        b'{"id":"t","status":"running"}',
    ],
)
def test_a_callback_of_either_version_only_wakes(body: bytes) -> None:
    _, heard = perform(MiniMax().hear(announced(body), Credentials()))
    assert (heard.reference, heard.verified) == ("t", False)


@asynccontextmanager
async def callbacks_of(upstream: Any) -> AsyncIterator[str]:
    """A URL that hands what it hears to the adapter, and answers as that wants."""

    async def hear(request: web.Request) -> web.Response:
        heard = await upstream.hear(announced(await request.read()))
        return web.Response(body=heard.body, status=heard.status, content_type=heard.media_type)

    app = web.Application()
    app.router.add_post("/hook", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("model", ["MiniMax-H3", "MiniMax-Hailuo-02"])
async def test_a_task_is_taken_once_its_callback_url_has_repeated_the_challenge(
    tmp_path: Path, model: str
) -> None:
    async with FakeUpstream(tmp_path / "log", key="k", dialects=(Dialect(challenges=True),)) as fake:
        environment = {"MINIMAX_API_KEY": "k", "MESHAPI_MINIMAX_BASE_URL": fake.base_url("minimax")}
        (upstream,) = enabled(environment, system_clock)
        wishes: dict[str, Any] = {"model": model, "duration": 6, "resolution": "768p", "ratio": "16:9"}
        async with callbacks_of(upstream) as url:
            accepted = await upstream.submit(job(callback_url=url, **wishes))
            assert accepted.reference in fake.shop.sales
            with pytest.raises(Rejected, match="did not repeat"):
                await upstream.submit(job(callback_url=url + "s", **wishes))
        await upstream.close()
