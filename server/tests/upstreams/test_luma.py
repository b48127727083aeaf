"""What is special to Luma: two APIs with keys of their own, frames as URLs or bytes, failures in words."""

from typing import Any

import msgspec
import pytest

from meshapi_server.upstreams.adapter import (
    ContentItem,
    Credentials,
    Job,
    Look,
    Progress,
    Rejected,
    Spec,
)
from meshapi_server.upstreams.catalogue import Catalogue
from meshapi_server.upstreams.enabled import is_on
from meshapi_server.upstreams.http import HttpResponse, get
from meshapi_server.upstreams.luma import LUMA, Luma
from meshapi_server.upstreams.luma.request import agents_body, dream_body

from .stub import perform

TEXT = ContentItem(kind="text", index=0, text="a paper boat")
FIRST = ContentItem(kind="image", index=1, url="https://x.example/a.png", role="first_frame")
LAST = ContentItem(kind="image", index=2, url="https://x.example/b.png", role="last_frame")
DATA = ContentItem(kind="image", index=1, url="data:image/png;base64,eA==", role="first_frame")
REFERENCE = ContentItem(kind="image", index=1, url="https://x.example/r.png", role="reference_image")
WISHES: dict[str, Any] = {"duration": 5, "resolution": "720p", "ratio": "16:9"}


def job(model: str, *items: ContentItem, **fields: Any) -> Job:
    spec = Spec(model=f"luma/{model}", content=items or (TEXT,), **fields)
    return Job(task_id="task_1", attempt=1, submission=1, model=model, spec=spec, seed=3, submitted_at=0)


def answer(value: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status=status, body=msgspec.json.encode(value), received_at=10_000_000)


def looked(**generation: Any) -> Progress:
    talk = Luma().poll([Look(reference="g", job=job("ray-3.2"))])
    _, (found,) = perform(talk, answer(generation))
    assert isinstance(found, Progress)
    return found


def test_the_model_tells_which_api_is_asked() -> None:
    asked = [next(Luma().submit(job(model))).url for model in ("ray-3.2", "ray-2", "ray-flash-2")]
    dream = "https://api.lumalabs.ai/dream-machine/v1/generations/video"
    assert asked == ["/generations", dream, dream]
    looks = [next(Luma().poll([Look(reference="g", job=job(model))])).url for model in ("ray-3.2", "ray-2")]
    assert looks == ["/generations/g", "https://api.lumalabs.ai/dream-machine/v1/generations/g"]


def test_every_model_of_the_cards_is_asked_for_with_all_that_its_card_allows() -> None:
    cards = [card for card in Catalogue.load() if card.provider == "luma"]
    assert len(cards) == 3
    for card in cards:
        request = next(Luma().submit(job(card.upstream_id, TEXT, FIRST, LAST, **WISHES)))
        for word in (card.upstream_id, FIRST.url, LAST.url, "5s", "720p", "16:9"):
            assert f'"{word}"'.encode() in request.body, card.id


def test_agents_is_told_of_frames_by_url_or_with_their_bytes() -> None:
    assert agents_body(job("ray-3.2", TEXT, FIRST, LAST, **WISHES)) == {
        "model": "ray-3.2",
        "type": "video",
        "prompt": "a paper boat",
        "aspect_ratio": "16:9",
        "video": {
            "resolution": "720p",
            "duration": "5s",
            "start_frame": {"url": FIRST.url},
            "end_frame": {"url": LAST.url},
        },
    }
    video = agents_body(job("ray-3.2", TEXT, DATA))["video"]
    assert video == {"start_frame": {"data": "eA==", "media_type": "image/png"}}


def test_frames_served_by_plain_http_are_sent_along_where_the_api_takes_bytes() -> None:
    plain = ContentItem(kind="image", index=1, url="http://x.example/a.png", role="first_frame")
    assert Luma().inlines(job("ray-3.2", TEXT, plain)) == {1}
    assert Luma().inlines(job("ray-3.2", TEXT, FIRST)) == Luma().inlines(job("ray-2", TEXT, plain)) == set()


def test_dream_machine_is_told_of_frames_as_keyframes() -> None:
    assert dream_body(job("ray-2", TEXT, LAST, **WISHES)) == {
        "model": "ray-2",
        "prompt": "a paper boat",
        "aspect_ratio": "16:9",
        "duration": "5s",
        "resolution": "720p",
        "keyframes": {"frame1": {"type": "image", "url": LAST.url}},
    }


def test_inputs_that_an_api_lacks_are_refused_before_anything_is_asked() -> None:
    with pytest.raises(Rejected, match=r"content 1: ray-2 .* URL only"):
        dream_body(job("ray-2", TEXT, DATA))
    for body in (agents_body, dream_body):
        with pytest.raises(Rejected, match="takes no reference_image"):
            body(job("ray-3.2", TEXT, REFERENCE))


def test_each_api_gets_its_own_key_and_the_other_where_there_is_no_other() -> None:
    luma = Luma()
    ours, dreams = get("/generations/g"), get(f"{luma.dream_url}/generations/g")
    both = Credentials({"agents": "a", "dream": "d"})
    assert luma.authorise(ours, both, 0) == {"authorization": "Bearer a"}
    assert luma.authorise(dreams, both, 0) == {"authorization": "Bearer d"}
    assert luma.authorise(dreams, Credentials({"agents": "a"}), 0) == {"authorization": "Bearer a"}


@pytest.mark.parametrize("name", ["LUMA_AGENTS_API_KEY", "LUMA_API_KEY", "LUMAAI_API_KEY"])
def test_one_key_is_enough_to_be_on(name: str) -> None:
    assert is_on(LUMA, {name: "k"})
    assert not is_on(LUMA, {})


def test_dream_machine_is_beside_an_agents_api_that_is_not_lumas_own() -> None:
    beside = Luma("http://127.0.0.1:1/v1")
    assert beside.dream_url == "http://127.0.0.1:1/dream-machine/v1"
    assert Luma("http://a:1", "http://b:2/dm").hosts == ("http://b:2/dm",)


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        ("content_moderated", "no", ("content_policy_violation", False)),
        (None, "The prompt failed moderation.", ("content_policy_violation", False)),
        ("image_too_large", "no", ("invalid_input", False)),
        ("generation_failed", "no", ("upstream_error", True)),
        ("output_not_found", "no", ("upstream_error", True)),
        ("budget_exhausted", "no", ("upstream_error", False)),
        ("rate_limited", "no", ("upstream_error", True)),
        ("of_tomorrow", None, ("upstream_error", True)),
    ],
)
def test_a_failure_says_whose_it_was_and_whether_a_retry_makes_sense(
    code: str | None, reason: str | None, expected: tuple[str, bool]
) -> None:
    ended = looked(state="failed", failure_code=code, failure_reason=reason)
    assert ended.error is not None
    assert (ended.error.code, ended.error.retryable) == expected
    assert ended.error.provider_error == {"failure_code": code, "failure_reason": reason}


@pytest.mark.parametrize(
    "generation",
    [
        {"output": [{"type": "exr", "url": "https://x/e"}, {"type": "video", "url": "https://x/v"}]},
        {"assets": {"image": "https://x/i", "progress_video": "https://x/p", "video": "https://x/v"}},
    ],
)
def test_the_video_is_found_in_the_words_of_either_api(generation: dict[str, Any]) -> None:
    talk = Luma().result(Look(reference="g", job=job("ray-3.2")))
    _, result = perform(talk, answer({"state": "completed", **generation}))
    assert (result.video.url, result.video.authorised) == ("https://x/v", False)


def test_a_finished_generation_without_a_video_is_a_failure_of_luma() -> None:
    talk = Luma().result(Look(reference="g", job=job("ray-3.2")))
    with pytest.raises(Rejected, match="without a video"):
        perform(talk, answer({"state": "completed", "output": []}))
