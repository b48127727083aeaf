"""What is special to Kling: two path families, codes in an envelope, tokens from key pairs, signatures."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.upstreams.fake import FakeUpstream
from tests.upstreams.kling.dialect import Kling as Dialect

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
from meshapi_server.upstreams.catalogue import Catalogue
from meshapi_server.upstreams.enabled import enabled, is_on
from meshapi_server.upstreams.http import HttpResponse, get
from meshapi_server.upstreams.kling import KLING, Kling
from meshapi_server.upstreams.kling.request import body_of, kind_of
from meshapi_server.upstreams.kling.signature import check
from meshapi_server.upstreams.kling.token import token_of
from meshapi_server.upstreams.refusals import Unclear

from .stub import perform

TEXT = ContentItem(kind="text", index=0, text="a paper boat")
FIRST = ContentItem(kind="image", index=1, url="https://x.example/a.png", role="first_frame")
LAST = ContentItem(kind="image", index=2, url="https://x.example/b.png", role="last_frame")
CAT = ContentItem(
    kind="image", index=2, url="https://x.example/cat.png", role="reference_image", subject="cat"
)
REFERENCE = ContentItem(kind="image", index=1, url="https://x.example/r.png", role="reference_image")

# The vector of Kling's own documentation.
SECRET = "whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI="
SIGNED = {
    "webhook-id": "9876543210",
    "webhook-timestamp": "1781080794",
    "webhook-signature": "v1,UsKlJP00XoQyOn410NM9xv34sP+Gl0jnOO9Lcpr7NJ4=",
}
BODY = (
    b'{"id":"1234567890","status":"succeeded","message":"","create_time":1781080778802,'
    b'"update_time":1781080794151}'
)


def job(*items: ContentItem, model: str = "kling-3.0", callback_url: str | None = None, **fields: Any) -> Job:
    return Job(
        task_id="task_1",
        attempt=1,
        submission=1,
        model=model,
        spec=Spec(model="kling/x", content=items or (TEXT,), **fields),
        seed=3,
        submitted_at=0,
        callback_url=callback_url,
    )


def answer(data: Any = None, code: int = 0, status: int = 200, message: str = "") -> HttpResponse:
    body = msgspec.json.encode({"code": code, "message": message, "request_id": "r", "data": data})
    return HttpResponse(status=status, body=body, received_at=10_000_000)


def looked(**task: Any) -> Progress:
    look = Look(reference="8936", job=job())
    _, (found,) = perform(Kling().poll([look]), answer([{"id": "8936", **task}]))
    assert isinstance(found, Progress)
    return found


def announced(body: bytes = BODY, received_at: int = 1_781_080_800_000, **changed: str) -> Announcement:
    headers = {**SIGNED, **{f"webhook-{name}": value for name, value in changed.items()}}
    return Announcement(
        method="POST", path="/hook", query="", headers=headers, body=body, received_at=received_at
    )


@pytest.mark.parametrize(
    ("model", "items", "place"),
    [
        ("kling-3.0", (TEXT,), "/text-to-video/kling-3.0"),
        ("kling-2.5-turbo", (TEXT, FIRST), "/image-to-video/kling-2.5-turbo"),
        ("kling-3.0-omni", (TEXT,), "/omni-video/kling-3.0-omni"),
        ("kling-o1", (TEXT, REFERENCE), "/omni-video/kling-o1"),
        ("kling-v2-6", (TEXT,), "/v1/videos/text2video"),
        ("kling-v3", (TEXT, FIRST), "/v1/videos/image2video"),
    ],
)
def test_model_and_inputs_tell_where_a_task_is_made(
    model: str, items: tuple[ContentItem, ...], place: str
) -> None:
    assert next(Kling().submit(job(*items, model=model))).url == place


def test_text_alone_is_a_prompt_with_settings_and_options() -> None:
    wishes: dict[str, Any] = {
        "duration": 5,
        "resolution": "1080p",
        "ratio": "16:9",
        "generate_audio": True,
        "watermark": False,
    }
    assert body_of(job(callback_url="https://x.example/hook", **wishes)) == {
        "prompt": "a paper boat",
        "settings": {"resolution": "1080p", "aspect_ratio": "16:9", "duration": 5, "audio": "native"},
        "options": {
            "external_task_id": "task_1.1",
            "callback_url": "https://x.example/hook",
            "watermark_info": {"enabled": False},
        },
    }


def test_frames_stand_beside_the_prompt_and_silence_is_said() -> None:
    body = body_of(job(TEXT, FIRST, LAST, generate_audio=False))
    assert body["contents"] == [
        {"type": "prompt", "text": "a paper boat"},
        {"type": "first_frame", "url": FIRST.url},
        {"type": "last_frame", "url": LAST.url},
    ]
    assert body["settings"] == {"audio": "off"}


def test_a_data_uri_is_sent_as_its_base64_alone() -> None:
    data = ContentItem(kind="image", index=1, url="data:image/png;base64,eA==", role="first_frame")
    assert body_of(job(TEXT, data))["contents"][1] == {"type": "first_frame", "url": "eA=="}
    request = next(Kling().submit(job(TEXT, data, model="kling-v2-6")))
    assert msgspec.json.decode(request.body)["image"] == "eA=="


def test_references_are_numbered_and_cited_by_their_numbers() -> None:
    prompt = ContentItem(kind="text", index=0, text="@cat meets @dog")
    body = body_of(job(prompt, REFERENCE, CAT, model="kling-3.0-omni"))
    assert body["contents"] == [
        {"type": "prompt", "text": "<<<image_2>>> meets @dog"},
        {"type": "refer_image", "id": "image_1", "url": REFERENCE.url},
        {"type": "refer_image", "id": "image_2", "url": CAT.url},
    ]


def test_the_older_family_has_its_own_words() -> None:
    wishes: dict[str, Any] = {"duration": 10, "resolution": "1080p", "ratio": "1:1", "generate_audio": True}
    request = next(
        Kling().submit(job(TEXT, FIRST, LAST, model="kling-v2-6", negative_prompt="fog", **wishes))
    )
    assert msgspec.json.decode(request.body) == {
        "model_name": "kling-v2-6",
        "mode": "pro",
        "prompt": "a paper boat",
        "negative_prompt": "fog",
        "image": FIRST.url,
        "image_tail": LAST.url,
        "duration": "10",
        "aspect_ratio": "1:1",
        "sound": "on",
        "external_task_id": "task_1.1",
    }


@pytest.mark.parametrize("model", ["kling-3.0", "kling-v2-6"])
def test_an_input_that_a_place_lacks_is_refused_before_anything_is_asked(model: str) -> None:
    with pytest.raises(Rejected, match=r"content 1: .* takes no reference_image"):
        next(Kling().submit(job(TEXT, REFERENCE, model=model)))


def test_a_video_without_images_is_no_text_to_video() -> None:
    video = ContentItem(kind="video", index=1, url="https://x.example/v.mp4", role="reference_video")
    for model in ("kling-3.0", "kling-3.0-omni"):
        with pytest.raises(Rejected, match=r"content 1: .* takes no reference_video"):
            body_of(job(TEXT, video, model=model))


def test_every_model_of_the_cards_belongs_to_the_current_family() -> None:
    cards = [card for card in Catalogue.load() if card.provider == "kling"]
    assert cards
    for card in cards:
        asked = job(REFERENCE if "references" in card.scenarios else TEXT, model=card.upstream_id)
        assert next(Kling().submit(asked)).url == f"/{kind_of(asked)}/{card.upstream_id}"


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        (1001, 401, Unserved),
        (1101, 429, Unserved),
        (1304, 429, Unserved),
        (1201, 400, Rejected),
        (1301, 400, Rejected),
        (1302, 429, Deferred),
        (1303, 429, Deferred),
        (5001, 503, Deferred),
        (5000, 500, Unclear),
        (5002, 504, Unclear),
        (1303, 200, Deferred),
    ],
)
def test_a_code_says_more_than_its_http_status(code: int, status: int, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        perform(Kling().submit(job()), answer(code=code, status=status, message="no"))


def test_both_spellings_of_success_are_taken() -> None:
    for word in ("succeed", "succeeded"):
        assert looked(status=word).state == "succeeded"
    assert looked(status="submitted").state == "queued"
    assert looked(status="of_tomorrow").state == "running"


@pytest.mark.parametrize(
    ("words", "code", "retryable"),
    [
        ("Failure to pass the risk control system", "content_policy_violation", False),
        ("The generated video did not pass risk control", "content_policy_violation", True),
        ("Something broke", "upstream_error", True),
        (None, "upstream_error", True),
    ],
)
def test_a_failure_is_judged_by_its_words(words: str | None, code: str, retryable: bool) -> None:
    ended = looked(status="failed", message=words)
    assert ended.error is not None
    assert (ended.error.code, ended.error.retryable, ended.error.charged) == (code, retryable, "unknown")
    assert (ended.error.provider_error or {})["status"] == "failed"


@pytest.mark.parametrize("model", ["kling-3.0", "kling-v2-6"])
@pytest.mark.parametrize(("code", "status"), [(1201, 400), (1203, 404), (1201, 200)])
def test_an_id_that_is_refused_is_one_of_no_task(model: str, code: int, status: int) -> None:
    asked, refused = job(model=model), answer(code=code, status=status, message="task not found")
    _, (stands,) = perform(Kling().poll([Look(reference="8936", job=asked)]), refused)
    assert isinstance(stands, Progress)
    assert stands.state == "failed"
    _, found = perform(Kling().find(asked), refused)
    assert found is None


@pytest.mark.parametrize(("code", "status"), [(1002, 401), (1302, 429), (5000, 500)])
def test_trouble_with_a_look_up_is_not_the_absence_of_a_task(code: int, status: int) -> None:
    with pytest.raises((Unclear, Deferred)):
        perform(Kling().find(job()), answer(code=code, status=status, message="no"))


def test_an_id_may_come_as_a_number() -> None:
    _, accepted = perform(Kling().submit(job()), answer({"id": 8936, "status": "submitted"}))
    assert accepted.reference == "8936"


def test_a_look_at_many_that_is_refused_is_made_one_by_one() -> None:
    looks = [Look(reference=name, job=job()) for name in ("a", "b")]
    asked, stands = perform(
        Kling().poll(looks),
        answer(code=1201, status=400, message="too many"),
        answer([{"id": "a", "status": "processing"}]),
        answer([{"id": "b", "status": "succeeded"}]),
    )
    assert [request.query[0][1] for request in asked] == ["a,b", "a", "b"]
    assert [stand.state for stand in stands] == ["running", "succeeded"]


def test_each_family_is_looked_at_in_its_own_place() -> None:
    looks = [
        Look(reference=f"{number}", job=job(model=model))
        for number, model in enumerate(("kling-3.0", "kling-v2-6", "kling-3.0", "kling-v2-6"))
    ]
    asked, stands = perform(
        Kling().poll(looks),
        answer([{"id": "2", "status": "submitted"}, {"id": "0", "status": "succeeded"}]),
        answer([{"task_id": "3", "task_status": "succeed"}, {"task_id": "1", "task_status": "failed"}]),
    )
    assert [request.url for request in asked] == ["/tasks", "/v1/videos/text2video"]
    assert [stand.state for stand in stands] == ["succeeded", "failed", "queued", "succeeded"]


def test_the_result_is_the_copy_with_a_watermark_only_where_one_was_asked_for() -> None:
    video = {"type": "video", "url": "https://x.example/v.mp4", "watermark_url": "https://x.example/w.mp4"}
    task = {"id": "8936", "status": "succeeded", "outputs": [{**video, "duration": "5.041"}]}
    for watermark, url in ((None, "v"), (False, "v"), (True, "w")):
        _, result = perform(
            Kling().result(Look(reference="8936", job=job(watermark=watermark))), answer([task])
        )
        assert (result.video.url, result.video.authorised) == (f"https://x.example/{url}.mp4", False)
        assert result.facts.duration == 5.041


@pytest.mark.parametrize(
    ("billing", "cost"),
    [
        ([{"charge_type": "cash", "amount": "0.56", "currency": "USD"}], "0.56"),
        ([{"amount": "0.50", "currency": "USD"}, {"amount": 0.06, "currency": "USD"}], "0.56"),
        ([{"amount": "0.50", "currency": "USD"}, {"amount": "1", "currency": "CNY"}], None),
        ([{"charge_type": "resource_pack", "amount": "4"}], None),
        ([{"amount": "much", "currency": "USD"}], None),
        ([{"amount": "1e99999999", "currency": "USD"}], None),
        ([], None),
        (None, None),
    ],
)
def test_a_task_costs_what_its_bill_says_in_dollars(billing: Any, cost: str | None) -> None:
    video = {"type": "video", "url": "https://x.example/v.mp4"}
    task = {"id": "8936", "status": "succeeded", "outputs": [video], "billing": billing}
    _, result = perform(Kling().result(Look(reference="8936", job=job())), answer([task]))
    assert result.facts.cost_usd == cost


def test_a_success_without_a_video_has_failed() -> None:
    with pytest.raises(Rejected, match="without a video"):
        perform(
            Kling().result(Look(reference="8936", job=job())), answer([{"id": "8936", "status": "succeed"}])
        )


def test_a_task_with_another_token_is_not_the_one_looked_for() -> None:
    _, found = perform(Kling().find(job()), answer([{"id": "1", "external_id": "task_1.11"}]))
    assert found is None


def test_the_token_for_a_pair_of_keys_is_that_of_the_documented_recipe() -> None:
    assert token_of("AK_EXAMPLE", "SK_EXAMPLE", 1_780_001_000) == (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
        "eyJpc3MiOiJBS19FWEFNUExFIiwiZXhwIjoxNzgwMDAyODAwLCJuYmYiOjE3ODAwMDA5OTV9."
        "n11dJkADDE0ONaC510GRZSew1pxJxpz48ylIKkmsiXo"
    )


def test_an_api_key_needs_no_token_and_a_pair_is_on_only_when_it_is_whole() -> None:
    key = Credentials({"key": "k", "access": "a", "secret": "s"})
    assert Kling().login(key, 0) is None
    assert Kling().authorise(get("/tasks"), key, 0) == {"authorization": "Bearer k"}
    assert is_on(KLING, {"KLING_API_KEY": "k"})
    assert is_on(KLING, {"KLING_ACCESS_KEY": "a", "KLING_SECRET_KEY": "s"})
    assert not is_on(KLING, {"KLING_ACCESS_KEY": "a"})


async def test_a_pair_of_keys_opens_the_upstream_and_its_token_shows_nowhere(tmp_path: Path) -> None:
    async with FakeUpstream(tmp_path / "log.jsonl", key="the secret key", dialects=(Dialect(),)) as fake:
        environment = {
            "KLING_ACCESS_KEY": "the access key",
            "KLING_SECRET_KEY": "the secret key",
            "MESHAPI_KLING_BASE_URL": fake.base_url("kling"),
        }
        (upstream,) = enabled(environment, system_clock)
        accepted = await upstream.submit(job())
        assert accepted.reference in fake.shop.sales
        fake.script.next("invalid")
        with pytest.raises(Rejected) as raised:
            await upstream.submit(job())
        (first, _) = fake.shop.received
        token = first.headers["authorization"].removeprefix("Bearer ")
        assert token not in repr(raised.value.error)
        assert "refused (invalid)" in repr(raised.value.error)
        await upstream.close()


def test_the_published_vector_of_a_signed_callback_is_accepted() -> None:
    _, heard = perform(Kling(signs=True).hear(announced(), Credentials({"webhook_secret": SECRET})))
    assert (heard.reference, heard.verified, heard.status) == ("1234567890", True, 200)


def test_the_official_vector_of_standard_webhooks_is_accepted() -> None:
    check(
        announced(
            body=b'{"test": 2432232314}',
            received_at=1_614_265_400_000,
            id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp="1614265330",
            signature="v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )


def test_a_callback_without_a_signature_is_forged_where_there_is_a_secret() -> None:
    bare = Announcement(method="POST", path="/hook", query="", headers={}, body=BODY, received_at=0)
    with pytest.raises(Forged, match="webhook-id is missing"):
        perform(Kling(signs=True).hear(bare, Credentials({"webhook_secret": SECRET})))


def test_one_of_two_signatures_is_enough_while_keys_change() -> None:
    check(announced(signature=f"v1,{'A' * 43}= {SIGNED['webhook-signature']}"), SECRET)


@pytest.mark.parametrize(
    ("forged", "why"),
    [
        (announced(body=BODY + b" "), "another"),
        (announced(id="9876543211"), "another"),
        (announced(signature="v1,AAAA"), "another"),
        (announced(signature=""), "missing"),
        (announced(timestamp="soon"), "no number"),
        (announced(received_at=1_781_080_794_000 + 301_000), "too far"),
        (announced(received_at=1_781_080_794_000 - 301_000), "too far"),
    ],
)
def test_a_callback_that_is_not_signed_like_that_is_forged(forged: Announcement, why: str) -> None:
    with pytest.raises(Forged, match=why):
        check(forged, SECRET)


def test_an_unsigned_callback_of_either_family_only_wakes() -> None:
    for body in (BODY, b'{"task_id":"1234567890","task_status":"processing"}'):
        _, heard = perform(Kling().hear(announced(body=body), Credentials()))
        assert (heard.reference, heard.verified) == ("1234567890", False)
