"""Facts about fitting a request to a card: what is dropped, filled in, refused, and in which words."""

import itertools
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from meshapi_server.tasks.spec import ContentItem, ItemKind, Role, Spec
from meshapi_server.upstreams.card import ModelCard
from meshapi_server.upstreams.catalogue import Catalogue
from meshapi_server.upstreams.fit import Detail, Fitted, OutsideCard, fit
from meshapi_server.upstreams.rules import Scenario

CATALOGUE = Catalogue.load()
CARDS = tuple(CATALOGUE)
every_card = pytest.mark.parametrize("card", CARDS, ids=[card.id for card in CARDS])

SEEDANCE_25 = "byteplus/dreamina-seedance-2-5"
SEEDANCE_20 = "byteplus/dreamina-seedance-2-0"
SEEDANCE_15 = "byteplus/seedance-1-5-pro"
SEEDANCE_10 = "byteplus/seedance-1-0-pro"
DIORAMA = "mesh/diorama-1"

KIND_OF_ROLE: dict[Role, ItemKind] = {
    "first_frame": "image",
    "last_frame": "image",
    "reference_image": "image",
    "reference_video": "video",
    "reference_audio": "audio",
}
ROLES_OF_SCENARIO: dict[Scenario, tuple[Role, ...]] = {
    "text": (),
    "first_frame": ("first_frame",),
    "first_last_frame": ("first_frame", "last_frame"),
}


def known(model: str) -> ModelCard:
    card = CATALOGUE.get(model)
    assert card is not None, model
    return card


def changed(model: str, **changes: Any) -> ModelCard:
    return structs.replace(known(model), **changes)


def text(content: str = "a paper boat on a canal") -> dict[str, Any]:
    return {"kind": "text", "text": content}


def media(role: Role | None, kind: ItemKind = "image") -> dict[str, Any]:
    kind = KIND_OF_ROLE[role] if role else kind
    return {"kind": kind, "role": role, "url": f"https://media.example/{kind}"}


def draft_task() -> dict[str, Any]:
    return {"kind": "draft_task", "task_id": "task_1"}


def spec(model: str, *items: dict[str, Any], **parameters: Any) -> Spec:
    content = tuple(ContentItem(index=index, **item) for index, item in enumerate(items or (text(),)))
    return Spec(model=model, content=content, **parameters)


def fitted(model: str, *items: dict[str, Any], **parameters: Any) -> Fitted:
    return fit(spec(model, *items, **parameters), known(model))


def refusal(
    model: str, *items: dict[str, Any], **parameters: Any
) -> tuple[tuple[str, tuple[Any, ...], str], ...]:
    with pytest.raises(OutsideCard) as caught:
        fitted(model, *items, **parameters)
    return tuple((detail.type, detail.loc, detail.msg) for detail in caught.value.details)


def outcome(request: Spec, card: ModelCard) -> Fitted | OutsideCard:
    try:
        return fit(request, card)
    except OutsideCard as outside:
        return outside


def details(result: Fitted | OutsideCard) -> tuple[Detail, ...]:
    return result.details if isinstance(result, OutsideCard) else ()


def minimal_content(card: ModelCard, scenario: Scenario) -> tuple[dict[str, Any], ...]:
    if scenario == "draft_task":
        return (draft_task(),)
    if scenario == "references":
        assert card.references is not None
        visual = sorted(card.references.roles() - {"reference_audio"})
        roles = set(card.needs) | set(visual[:1] if not card.needs else ())
    else:
        roles = {*ROLES_OF_SCENARIO[scenario], *card.needs}
    return (text(), *(media(role) for role in sorted(roles)))


# --- filling in ---

DEFAULTS = [
    # model, parameters, duration, resolution, ratio, sound
    (DIORAMA, {}, 5, "720p", "16:9", True),
    (DIORAMA, {"duration": 12, "resolution": "480p"}, 12, "480p", "16:9", True),
    (SEEDANCE_20, {}, 5, "720p", "adaptive", True),
    (SEEDANCE_20, {"duration": -1}, -1, "720p", "adaptive", True),
    (SEEDANCE_20, {"generate_audio": False}, 5, "720p", "adaptive", False),
    (SEEDANCE_10, {}, 5, "720p", "16:9", None),
    (SEEDANCE_15, {"draft": True}, 5, "480p", "adaptive", True),
    ("xai/grok-imagine-video", {}, 8, "480p", "16:9", True),
    ("google/veo-3.1", {"resolution": "1080p"}, 8, "1080p", "16:9", True),
    ("minimax/MiniMax-Hailuo-2.3", {"resolution": "1080p"}, 6, "1080p", None, None),
    ("kling/kling-2.6", {"generate_audio": True}, 5, "1080p", "16:9", True),
    ("pixverse/v5", {"resolution": "1080p"}, 5, "1080p", "16:9", None),
    ("replicate/veo-3.1", {}, None, None, None, None),
]


@pytest.mark.parametrize(("model", "parameters", "duration", "resolution", "ratio", "sound"), DEFAULTS)
def test_what_is_left_out_is_filled_in_from_the_card(
    model: str,
    parameters: dict[str, Any],
    duration: int | None,
    resolution: str | None,
    ratio: str | None,
    sound: bool | None,
) -> None:
    result = fitted(model, **parameters)
    assert result.unsupported == ()
    assert result.spec.duration == duration
    assert result.spec.resolution == resolution
    assert result.spec.ratio == ratio
    assert result.spec.generate_audio == sound


def test_frames_take_the_place_of_a_default_duration() -> None:
    result = fitted(DIORAMA, frames=48)
    assert (result.spec.frames, result.spec.duration) == (48, None)


def test_frames_that_the_model_lacks_leave_the_default_duration() -> None:
    result = fitted(SEEDANCE_20, frames=48)
    assert (result.spec.frames, result.spec.duration, result.unsupported) == (None, 5, ("frames",))


@pytest.mark.parametrize(("spelling", "canonical"), [("720P", "720p"), ("4K", "4k"), ("1080p", "1080p")])
def test_a_resolution_may_be_spelt_in_capitals(spelling: str, canonical: str) -> None:
    assert fitted(DIORAMA, resolution=spelling).spec.resolution == canonical


@every_card
def test_a_request_that_states_nothing_fits_in_every_scenario_of_its_model(card: ModelCard) -> None:
    for scenario in card.scenarios:
        result = fit(spec(card.id, *minimal_content(card, scenario)), card)
        assert result.unsupported == ()


def single_values(card: ModelCard) -> Iterator[dict[str, Any]]:
    yield from ({"duration": value} for value in card.durations or ())
    yield from ({"resolution": value} for value in card.resolutions)
    yield from ({"service_tier": value} for value in card.service_tiers)
    yield from ({"frames": value} for value in itertools.islice(card.frames or (), 3))
    yield from ({"output_format": value} for value in card.output_formats)
    if card.audio == "switch":
        yield from ({"generate_audio": value} for value in (True, False))
    if "draft" in card.parameters:
        yield {"draft": True}


@every_card
def test_no_default_turns_a_single_allowed_value_into_a_refusal(card: ModelCard) -> None:
    """In the scenario whose rules leave the value alone; a rule that narrows it is named in the refusal."""
    for scenario in card.scenarios:
        for values in single_values(card):
            result = outcome(spec(card.id, *minimal_content(card, scenario), **values), card)
            if isinstance(result, OutsideCard):
                because = {rule.because for rule in card.rules if rule.when.scenarios or rule.when.roles}
                assert all(any(reason in detail.msg for reason in because) for detail in result.details)
            else:
                assert all(getattr(result.spec, name) == value for name, value in values.items())


# --- dropping ---

DROPPED = [
    (SEEDANCE_20, {"camera_fixed": True}, ("camera_fixed",)),
    (SEEDANCE_20, {"camera_fixed": False}, ("camera_fixed",)),
    (SEEDANCE_20, {"negative_prompt": "rain", "draft": True}, ("draft", "negative_prompt")),
    (
        SEEDANCE_20,
        {"guidance_scale": 7.5, "num_inference_steps": 30},
        ("guidance_scale", "num_inference_steps"),
    ),
    (SEEDANCE_20, {"output_format": "mov"}, ("output_format",)),
    (SEEDANCE_20, {"omni_reference_task_type": "edit"}, ("omni_reference_task_type",)),
    (SEEDANCE_25, {"output_format": "mov", "omni_reference_task_type": "edit"}, ()),
    (SEEDANCE_10, {"generate_audio": True}, ("generate_audio",)),
    (SEEDANCE_15, {"draft": True, "return_last_frame": True}, ("return_last_frame",)),
    (SEEDANCE_15, {"draft": False, "return_last_frame": True}, ()),
    ("minimax/MiniMax-Hailuo-2.3", {"ratio": "16:9", "seed": 7}, ("ratio", "seed")),
    ("minimax/MiniMax-H3", {"generate_audio": True}, ()),
    ("minimax/MiniMax-H3", {"generate_audio": False}, ("generate_audio",)),
    ("google/veo-3.1", {"negative_prompt": "rain"}, ()),
    (
        DIORAMA,
        {"seed": 7, "watermark": True, "camera_fixed": True, "return_last_frame": True, "draft": True},
        (),
    ),
]


@pytest.mark.parametrize(("model", "parameters", "unsupported"), DROPPED)
def test_a_parameter_the_model_lacks_is_dropped_and_named(
    model: str, parameters: dict[str, Any], unsupported: tuple[str, ...]
) -> None:
    result = fitted(model, **parameters)
    assert result.unsupported == unsupported
    for name, value in parameters.items():
        assert getattr(result.spec, name) == (None if name in unsupported else value)


def test_a_ratio_beside_an_image_is_dropped_where_the_image_decides_the_shape() -> None:
    result = fitted("kling/kling-3.0", text(), media("first_frame"), ratio="9:16")
    assert (result.spec.ratio, result.unsupported) == (None, ("ratio",))
    assert fitted("kling/kling-3.0", text(), ratio="9:16").spec.ratio == "9:16"


PLATFORM = {
    "priority": 3,
    "metadata": {"order": "7"},
    "execution_expires_after": 3600,
    "safety_identifier": "user-1",
    "callback_url": "https://app.example/hook",
    "service_tier": "default",
}


@every_card
def test_parameters_of_the_platform_pass_every_card(card: ModelCard) -> None:
    result = fit(spec(card.id, *minimal_content(card, card.scenarios[0]), **PLATFORM), card)
    assert result.unsupported == ()
    assert {name: getattr(result.spec, name) for name in PLATFORM} == PLATFORM


# --- refusing values ---

REFUSED_VALUES = [
    # model, parameters, field, what the message must say
    (
        SEEDANCE_20,
        {"duration": 20},
        "duration",
        ("4 to 15", "-1 (the model decides)", "nearest is 15", SEEDANCE_20),
    ),
    (SEEDANCE_20, {"duration": 3}, "duration", ("nearest is 4",)),
    (SEEDANCE_20, {"duration": 0}, "duration", ("nearest is 4",)),
    (SEEDANCE_10, {"duration": -1}, "duration", ("2 to 12", "nearest is 5")),
    (SEEDANCE_10, {"frames": 48}, "frames", ("29 to 289 in steps of 4", "nearest is 49")),
    (DIORAMA, {"duration": 61}, "duration", ("1 to 60", "nearest is 60")),
    (DIORAMA, {"frames": 1441}, "frames", ("1 to 1440", "nearest is 1440")),
    ("google/veo-3.1", {"duration": 5}, "duration", ("4, 6, 8", "nearest is 4")),
    (
        "google/veo-3.1",
        {"duration": 4, "resolution": "4k"},
        "duration",
        ("allowed: 8", "1080p and 4k are made at 8"),
    ),
    (
        "minimax/MiniMax-Hailuo-2.3",
        {"duration": 10, "resolution": "1080p"},
        "duration",
        ("allowed: 6", "1080p is"),
    ),
    ("replicate/veo-3.1", {"duration": 0}, "duration", ("a whole number of seconds from 1",)),
    ("replicate/veo-3.1", {"duration": -1}, "duration", ("a whole number of seconds from 1",)),
    (DIORAMA, {"resolution": "2k"}, "resolution", ("480p, 720p, 1080p, 4k", "nearest is 1080p")),
    (DIORAMA, {"resolution": "8k"}, "resolution", ("nearest is 4k",)),
    (DIORAMA, {"resolution": "large"}, "resolution", ("'large'", "480p, 720p, 1080p, 4k")),
    (SEEDANCE_15, {"draft": True, "resolution": "720p"}, "resolution", ("allowed: 480p", "drafts are 480p")),
    (SEEDANCE_15, {"draft": True, "service_tier": "flex"}, "service_tier", ("allowed: default",)),
    ("replicate/veo-3.1", {"resolution": "large"}, "resolution", ("names such as 480p",)),
    (DIORAMA, {"ratio": "2:1"}, "ratio", ("16:9", "adaptive", "nearest is 16:9")),
    (DIORAMA, {"ratio": "2:3"}, "ratio", ("nearest is 3:4",)),
    (DIORAMA, {"ratio": "wide"}, "ratio", ("'wide'", "16:9, 4:3")),
    (SEEDANCE_10, {"ratio": "adaptive"}, "ratio", ("16:9, 4:3", "nothing to adapt to")),
    ("replicate/veo-3.1", {"ratio": "wide"}, "ratio", ("such as 16:9",)),
    (SEEDANCE_20, {"service_tier": "flex"}, "service_tier", ("'flex'", "allowed: default")),
    (SEEDANCE_10, {"service_tier": "turbo"}, "service_tier", ("default, flex",)),
    (SEEDANCE_25, {"output_format": "webm"}, "output_format", ("mp4, mov",)),
    (
        SEEDANCE_25,
        {"omni_reference_task_type": "dance"},
        "omni_reference_task_type",
        ("auto, reference, edit",),
    ),
    ("pixverse/v6", {"seed": 4294967295}, "seed", ("2147483647", "-1 (random)")),
]


@pytest.mark.parametrize(("model", "parameters", "field", "said"), REFUSED_VALUES)
def test_a_value_outside_the_card_is_refused_with_what_would_do(
    model: str, parameters: dict[str, Any], field: str, said: tuple[str, ...]
) -> None:
    ((kind, loc, message),) = refusal(model, **parameters)
    assert kind == "value_not_allowed"
    assert loc == ("body", field)
    assert str(parameters[field]) in message
    assert all(piece in message for piece in said), message


def test_every_problem_is_reported_at_once_with_its_place() -> None:
    reasons = refusal(
        SEEDANCE_20,
        text(),
        media("first_frame"),
        media("first_frame"),
        duration=99,
        resolution="9p",
        ratio="5:1",
    )
    assert [loc for _, loc, _ in reasons] == [
        ("body", "content", 2, "role"),
        ("body", "duration"),
        ("body", "resolution"),
        ("body", "ratio"),
    ]
    with pytest.raises(OutsideCard, match=r"duration 99 .*; resolution '9p'"):
        fitted(SEEDANCE_20, duration=99, resolution="9p")


def test_a_frame_count_of_an_unjudged_model_is_at_least_one() -> None:
    card = changed("replicate/veo-3.1", unsure=("frames", "audio"))
    assert fit(spec(card.id, frames=9), card).spec.frames == 9
    with pytest.raises(OutsideCard, match="frames 0 is not possible"):
        fit(spec(card.id, frames=0), card)


def test_a_model_that_only_decides_itself_takes_no_other_duration() -> None:
    card = changed("replicate/veo-3.1", unsure=("audio",), model_decides_duration=True)
    assert fit(spec(card.id, duration=-1), card).spec.duration == -1
    with pytest.raises(OutsideCard, match=r"allowed: -1 \(the model decides\)"):
        fit(spec(card.id, duration=5), card)


# --- content ---

FITTING_CONTENT = [
    (SEEDANCE_20, [text()], "adaptive"),
    (SEEDANCE_20, [media("first_frame")], "adaptive"),
    (SEEDANCE_20, [text(), media("first_frame"), media("last_frame")], "adaptive"),
    (SEEDANCE_20, [text(), *(media("reference_image") for _ in range(9))], "adaptive"),
    (SEEDANCE_20, [text(), media("reference_audio"), media("reference_image")], "adaptive"),
    (SEEDANCE_25, [text(), media("reference_audio")], "adaptive"),
    (SEEDANCE_15, [draft_task()], "adaptive"),
    (SEEDANCE_10, [text(), media("first_frame")], "adaptive"),
    ("alibaba/wan2.2-s2v", [media("first_frame"), media("reference_audio")], None),
    ("runway/aleph-2", [text(), media("reference_video")], None),
    ("alibaba/wan2.7-r2v", [text(), *(media("reference_image") for _ in range(40))], None),
]


@pytest.mark.parametrize(("model", "items", "ratio"), FITTING_CONTENT)
def test_content_that_the_model_takes_fits(
    model: str, items: list[dict[str, Any]], ratio: str | None
) -> None:
    result = fitted(model, *items)
    assert result.spec.ratio == ratio
    assert [item.role for item in result.spec.content] == [item.get("role") for item in items]


DEFAULT_ROLES = [
    ([media(None)], ["first_frame"]),
    ([text(), media(None, "video")], [None, "reference_video"]),
    ([text(), media("reference_image"), media(None, "audio")], [None, "reference_image", "reference_audio"]),
]


@pytest.mark.parametrize(("items", "roles"), DEFAULT_ROLES)
def test_media_without_a_role_get_the_usual_one(items: list[dict[str, Any]], roles: list[str | None]) -> None:
    assert [item.role for item in fitted(SEEDANCE_20, *items).spec.content] == roles


REFUSED_CONTENT = [
    # model, items, the refusals' types and places, what the first message must say
    (
        SEEDANCE_10,
        [text(), media("reference_image")],
        [("role_not_allowed", (1, "role"))],
        ("content[1]", "reference_image", "first_frame, last_frame"),
    ),
    (
        "byteplus/seedance-1-0-pro-fast",
        [text(), media("first_frame"), media("last_frame")],
        [("role_not_allowed", (2, "role"))],
        ("content[2]", "last_frame", "it takes first_frame"),
    ),
    (
        "replicate/veo-3.1",
        [text(), media("first_frame")],
        [("role_not_allowed", (1, "role"))],
        ("it takes text only",),
    ),
    (
        SEEDANCE_20,
        [text(), media("first_frame"), media("reference_image")],
        [("scenario_mixed", (2, "role"))],
        ("content[2]", "reference items cannot stand beside frame items"),
    ),
    (
        SEEDANCE_20,
        [media("reference_image"), media("reference_video"), media("first_frame")],
        [("scenario_mixed", (2, "role"))],
        ("frame items cannot stand beside reference items",),
    ),
    (SEEDANCE_20, [text(), media("last_frame")], [("missing_item", ())], ("last_frame needs a first_frame",)),
    (
        SEEDANCE_20,
        [text(), media("first_frame"), media("first_frame")],
        [("too_many_items", (2, "role"))],
        ("already a first_frame",),
    ),
    (
        SEEDANCE_20,
        [text(), *(media("reference_image") for _ in range(10))],
        [("too_many_items", (10, "role"))],
        ("content[10]", "10 reference_image items", "at most 9"),
    ),
    (
        SEEDANCE_20,
        [
            text(),
            *(media("reference_video") for _ in range(4)),
            *(media("reference_audio") for _ in range(5)),
        ],
        [("too_many_items", (4, "role")), ("too_many_items", (8, "role"))],
        ("at most 3",),
    ),
    (
        SEEDANCE_25,
        [
            *(media("reference_image") for _ in range(30)),
            *(media("reference_video") for _ in range(10)),
            *(media("reference_audio") for _ in range(10)),
            text(),
            media("reference_audio"),
        ],
        [("too_many_items", (51, "role")), ("too_many_items", (51, "role"))],
        ("11 reference_audio items",),
    ),
    (
        SEEDANCE_20,
        [text(), media("reference_audio")],
        [("audio_alone", (1, "role"))],
        ("add a reference image",),
    ),
    (SEEDANCE_20, [draft_task()], [("content_not_allowed", (0, "type"))], ("takes no draft_task",)),
    (
        SEEDANCE_15,
        [draft_task(), media("first_frame")],
        [("scenario_mixed", (1, "role"))],
        ("frame items cannot stand beside draft_task items",),
    ),
    (SEEDANCE_15, [draft_task(), draft_task()], [("too_many_items", (1, "type"))], ("already a draft_task",)),
    (
        SEEDANCE_20,
        [text(), media(None), media(None)],
        [("role_ambiguous", (1, "role")), ("role_ambiguous", (2, "role"))],
        ("first_frame, last_frame, reference_image",),
    ),
    (
        SEEDANCE_20,
        [text(), {"kind": "video", "role": "first_frame", "url": "https://media.example/a.mp4"}],
        [("role_mismatch", (1, "role"))],
        ("role first_frame belongs to an image, not to a video",),
    ),
    (
        "byteplus/seedance-1-0-lite-i2v",
        [text()],
        [("scenario_not_allowed", ())],
        ("cannot work from text alone", "a first_frame image or"),
    ),
    (
        "jimeng/i2v-first-tail-v30",
        [text(), media("first_frame")],
        [("scenario_not_allowed", ())],
        ("a first_frame and a last_frame image",),
    ),
    (
        "alibaba/wan2.2-s2v",
        [media("first_frame")],
        [("missing_item", ())],
        ("needs a reference_audio item",),
    ),
    (SEEDANCE_20, [text("  ")], [("missing_item", ())], ("needs a text item that is not empty",)),
    ("xai/grok-imagine-video", [media("first_frame")], [("missing_item", ())], ("needs a text item",)),
    (
        "runway/gen-4.5",
        [text("x" * 600), text("y" * 400)],
        [("text_too_long", (1, "text"))],
        ("1001 characters", "at most 1000"),
    ),
]


@pytest.mark.parametrize(("model", "items", "expected", "said"), REFUSED_CONTENT)
def test_content_that_the_model_cannot_take_is_refused_by_its_place(
    model: str,
    items: list[dict[str, Any]],
    expected: list[tuple[str, tuple[Any, ...]]],
    said: tuple[str, ...],
) -> None:
    reasons = refusal(model, *items)
    assert [(kind, loc) for kind, loc, _ in reasons] == [
        (kind, ("body", "content", *place)) for kind, place in expected
    ]
    assert all(piece in reasons[0][2] for piece in said), reasons[0][2]


def test_the_place_is_that_of_the_callers_request() -> None:
    item = ContentItem(kind="image", index=7, role="reference_image", url="https://media.example/a.png")
    request = Spec(model=SEEDANCE_10, content=(ContentItem(kind="text", index=3, text="boat"), item))
    with pytest.raises(OutsideCard) as caught:
        fit(request, known(SEEDANCE_10))
    assert caught.value.details[0].loc == ("body", "content", 7, "role")


def test_frames_and_references_mix_where_the_card_says_so() -> None:
    card = changed(SEEDANCE_20, mixes_scenarios=True)
    result = fit(spec(card.id, text(), media("first_frame"), media("reference_image")), card)
    assert result.unsupported == ()


def test_reference_images_of_seedance_1_0_lite_are_rendered_up_to_720p() -> None:
    model = "byteplus/seedance-1-0-lite-i2v"
    assert fitted(model, text(), media("first_frame"), resolution="1080p").spec.resolution == "1080p"
    ((_, loc, message),) = refusal(model, text(), media("reference_image"), resolution="1080p")
    assert loc == ("body", "resolution")
    assert "nearest is 720p" in message


def test_a_reference_video_shortens_wan_2_7() -> None:
    model = "alibaba/wan2.7-r2v"
    assert fitted(model, text(), media("reference_image"), duration=15).spec.duration == 15
    ((_, _, message),) = refusal(model, text(), media("reference_video"), duration=15)
    assert "2 to 10" in message


# --- for every request ---

names = ["480p", "720P", "1080p", "4k", "2k", "768p", "16:9", "adaptive", "2:3"]
words = st.none() | st.sampled_from(names) | st.text(max_size=6)
switches = st.none() | st.booleans()
items = st.lists(
    st.one_of(
        st.builds(text, st.text(max_size=20)),
        st.builds(media, st.sampled_from([*KIND_OF_ROLE])),
        st.builds(media, st.none(), st.sampled_from(["image", "video", "audio"])),
        st.builds(
            lambda kind, role: {"kind": kind, "role": role, "url": "https://media.example/x"},
            st.sampled_from(["image", "video", "audio"]),
            st.sampled_from([*KIND_OF_ROLE]),
        ),
        st.builds(draft_task),
    ),
    max_size=12,
)
parameters = st.fixed_dictionaries(
    {
        "duration": st.none() | st.integers(-3, 70) | st.integers(),
        "frames": st.none() | st.integers(-3, 300) | st.integers(),
        "resolution": words,
        "ratio": words,
        "seed": st.none() | st.integers(-1, 2**32 - 1),
        "generate_audio": switches,
        "return_last_frame": switches,
        "camera_fixed": switches,
        "watermark": switches,
        "draft": switches,
        "service_tier": st.sampled_from([None, "default", "flex", "turbo"]),
        "negative_prompt": st.none() | st.text(max_size=5),
        "guidance_scale": st.none() | st.floats(allow_nan=False),
        "num_inference_steps": st.none() | st.integers(),
        "output_format": st.sampled_from([None, "mp4", "mov", "gif"]),
        "omni_reference_task_type": st.sampled_from([None, "auto", "edit", "x"]),
    }
)


@settings(max_examples=600, deadline=None)
@given(card=st.sampled_from(CARDS), items=items, parameters=parameters)
def test_fitting_refuses_with_reasons_or_gives_a_request_that_fits_unchanged(
    card: ModelCard, items: list[dict[str, Any]], parameters: dict[str, Any]
) -> None:
    content = tuple(ContentItem(index=index, **item) for index, item in enumerate(items))
    request = Spec(model=card.id, content=content, **parameters)
    result = outcome(request, card)
    if isinstance(result, OutsideCard):
        assert result.details
        assert all(detail.loc[0] == "body" and detail.msg for detail in result.details)
        return
    again = fit(result.spec, card)
    assert again.spec == result.spec
    assert again.unsupported == ()
    given_names = {name for name, value in parameters.items() if value is not None}
    assert set(result.unsupported) <= given_names
    assert all(getattr(result.spec, name) is None for name in result.unsupported)
    assert msgspec.convert(msgspec.to_builtins(result.spec), Spec) == result.spec


@settings(max_examples=300, deadline=None)
@given(card=st.sampled_from(CARDS), parameters=parameters, data=st.data())
def test_what_a_refusal_calls_nearest_is_accepted_in_its_place(
    card: ModelCard, parameters: dict[str, Any], data: st.DataObject
) -> None:
    scenario = data.draw(st.sampled_from(card.scenarios))
    request = spec(card.id, *minimal_content(card, scenario), **parameters)
    for detail in details(outcome(request, card)):
        _, found, nearest = detail.msg.rpartition("nearest is ")
        if not found:
            continue
        field = str(detail.loc[1])
        value: str | int = int(nearest) if field in {"duration", "frames", "seed"} else nearest
        better = structs.replace(request, **{field: value})
        assert detail.loc not in [each.loc for each in details(outcome(better, card))]
