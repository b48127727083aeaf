"""Facts about model cards: what the shipped ones say, and which mistakes in a card file are refused."""

import datetime
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # the package ships no types
import msgspec
import pytest

from meshapi_server.upstreams.card import ModelCard, Upstream
from meshapi_server.upstreams.catalogue import Catalogue
from meshapi_server.upstreams.limits import lines, shape
from meshapi_server.upstreams.rules import Situation

CATALOGUE = Catalogue.load()
CARDS = tuple(CATALOGUE)
every_card = pytest.mark.parametrize("card", CARDS, ids=[card.id for card in CARDS])

PLAIN: dict[str, Any] = {
    "id": "acme/one",
    "upstream_id": "one",
    "name": "One",
    "brand": "Acme",
    "description": "A card for tests.",
    "scenarios": ["text"],
    "durations": {"min": 4, "max": 10},
    "resolutions": ["720p", "1080p"],
    "ratios": ["16:9"],
    "audio": "switch",
    "price_unknown": "not asked",
}
PRICED: dict[str, Any] = {
    "source": "a price list",
    "date": datetime.date(2026, 11, 21),
    "certainty": "official",
    "lines": [{"unit": "second", "amount": "0.10"}],
}


with resources.as_file(resources.files("meshapi_server.upstreams") / "cards") as folder:
    CARD_FILES = tuple(sorted(folder.glob("*.toml")))
every_file = pytest.mark.parametrize("file", CARD_FILES, ids=[file.name for file in CARD_FILES])


def read(**changes: Any) -> ModelCard:
    fields = {name: value for name, value in {**PLAIN, **changes}.items() if value is not None}
    return msgspec.convert(fields, ModelCard)


@every_file
def test_every_card_file_meets_the_json_schema_of_its_type(file: Path) -> None:
    schema = msgspec.json.schema(Upstream)
    content = msgspec.json.decode(msgspec.json.encode(tomllib.loads(file.read_text("utf-8"))))
    jsonschema.validate(content, schema, cls=jsonschema.Draft202012Validator)


@every_file
def test_a_card_file_bears_the_name_of_its_upstream(file: Path) -> None:
    assert tomllib.loads(file.read_text("utf-8"))["upstream"] == file.stem


def test_the_catalogue_holds_well_over_sixty_models_of_many_upstreams() -> None:
    assert len(CARDS) >= 60
    assert {"mesh", "sandbox", "byteplus", "runway", "google", "xai", "fal", "kling"} <= set(
        CATALOGUE.upstreams
    )


@every_card
def test_a_price_is_given_with_its_source_or_a_reason_for_its_absence_is(card: ModelCard) -> None:
    if card.pricing is not None:
        assert card.pricing.source.strip()
        assert all(line.amount > 0 for line in card.pricing.lines)
        assert card.pricing.date <= datetime.date(2026, 11, 21)
    else:
        assert card.free or (card.price_unknown or "").strip()


def test_only_what_runs_on_this_machine_is_free() -> None:
    assert {card.provider for card in CARDS if card.free} == {"mesh", "sandbox"}


@every_card
def test_resolutions_and_ratios_are_names_whose_size_and_shape_are_known(card: ModelCard) -> None:
    assert all(lines(name) for name in card.resolutions)
    assert all(name == "adaptive" or shape(name) for name in card.ratios)


@every_card
def test_every_limit_that_is_known_has_a_default(card: ModelCard) -> None:
    if card.durations is not None:
        assert card.defaults.duration is not None
    if card.resolutions:
        assert card.defaults.resolution is not None
    if card.audio == "switch":
        assert card.defaults.generate_audio is not None


@every_card
def test_texts_on_a_card_are_sentences(card: ModelCard) -> None:
    assert card.description.endswith(".")
    assert card.price_unknown is None or card.price_unknown.endswith(".")
    assert not any(rule.because.endswith(".") for rule in card.rules)


def test_diorama_takes_what_the_renderer_can_make() -> None:
    card = CATALOGUE.get("mesh/diorama-1")
    assert card is not None
    assert (min(card.durations or ()), max(card.durations or ())) == (1, 60)
    assert (min(card.frames or ()), max(card.frames or ())) == (1, 1440)
    assert card.resolutions == ("480p", "720p", "1080p", "4k")
    assert set(card.ratios) == {"16:9", "4:3", "1:1", "3:4", "9:16", "21:9", "adaptive"}
    assert (card.defaults.duration, card.defaults.resolution, card.defaults.ratio) == (5, "720p", "16:9")
    assert card.roles == {"first_frame", "last_frame", "reference_image"}
    assert card.references is not None
    assert card.references.images == 4
    assert card.free


def test_every_sandbox_model_takes_all_that_diorama_takes_and_reference_media() -> None:
    diorama = CATALOGUE.get("mesh/diorama-1")
    assert diorama is not None
    names = set()
    for card in CATALOGUE.all(provider="sandbox"):
        names.add(card.upstream_id)
        assert set(card.durations or ()) >= set(diorama.durations or ())
        assert set(card.resolutions) >= set(diorama.resolutions)
        assert set(card.ratios) >= set(diorama.ratios)
        assert set(card.parameters) >= set(diorama.parameters)
        assert card.roles >= diorama.roles | {"reference_video", "reference_audio"}
    assert names == {"instant", "slow", "fails", "moderated", "flaky", "stuck"}


SEEDANCE = [
    # model, upstream's id, shortest, longest, may decide itself, largest, sound, flex, frames
    (
        "byteplus/dreamina-seedance-2-5",
        "dreamina-seedance-2-5-260628",
        4,
        30,
        True,
        "1080p",
        True,
        False,
        False,
    ),
    ("byteplus/dreamina-seedance-2-0", "dreamina-seedance-2-0-260128", 4, 15, True, "4k", True, False, False),
    (
        "byteplus/dreamina-seedance-2-0-fast",
        "dreamina-seedance-2-0-fast-260128",
        *(4, 15, True, "720p", True, False, False),
    ),
    (
        "byteplus/dreamina-seedance-2-0-mini",
        "dreamina-seedance-2-0-mini-260615",
        *(4, 15, True, "720p", True, False, False),
    ),
    ("byteplus/seedance-1-5-pro", "seedance-1-5-pro-251215", 4, 12, True, "1080p", True, True, False),
    ("byteplus/seedance-1-0-pro", "seedance-1-0-pro-250528", 2, 12, False, "1080p", False, True, True),
    (
        "byteplus/seedance-1-0-pro-fast",
        "seedance-1-0-pro-fast-251015",
        2,
        12,
        False,
        "1080p",
        False,
        True,
        True,
    ),
    (
        "byteplus/seedance-1-0-lite-t2v",
        "seedance-1-0-lite-t2v-250428",
        2,
        12,
        False,
        "1080p",
        False,
        True,
        True,
    ),
    (
        "byteplus/seedance-1-0-lite-i2v",
        "seedance-1-0-lite-i2v-250428",
        2,
        12,
        False,
        "1080p",
        False,
        True,
        True,
    ),
]


@pytest.mark.parametrize(
    ("model", "upstream_id", "shortest", "longest", "decides", "largest", "sound", "flex", "frames"), SEEDANCE
)
def test_the_limits_of_seedance_are_those_of_its_documentation(
    model: str,
    upstream_id: str,
    shortest: int,
    longest: int,
    decides: bool,
    largest: str,
    sound: bool,
    flex: bool,
    frames: bool,
) -> None:
    card = CATALOGUE.get(model)
    assert card is not None
    assert card.upstream_id == upstream_id
    assert (min(card.durations or ()), max(card.durations or ())) == (shortest, longest)
    assert card.model_decides_duration is decides
    assert card.resolutions[-1] == largest
    assert (card.audio == "switch") is sound
    assert ("flex" in card.service_tiers) is flex
    assert (card.frames is not None) is frames


def test_frames_of_seedance_1_0_are_29_to_289_of_the_form_25_plus_4n() -> None:
    card = CATALOGUE.get("byteplus/seedance-1-0-pro")
    assert card is not None
    assert card.frames is not None
    assert list(card.frames) == [number for number in range(29, 290) if (number - 25) % 4 == 0]


PRICES = [
    # model, situation, unit, amount (None: not known)
    ("google/veo-3.1", Situation(resolution="720p", generate_audio=True), "second", "0.40"),
    ("google/veo-3.1", Situation(resolution="4k", generate_audio=True), "second", "0.60"),
    ("google/veo-3.1", Situation(resolution="720p", generate_audio=False), None, None),
    ("xai/grok-imagine-video-1.5", Situation(resolution="1080p"), "second", "0.25"),
    ("byteplus/seedance-1-5-pro", Situation(generate_audio=True), "million_tokens", "2.4"),
    ("byteplus/seedance-1-5-pro", Situation(generate_audio=False), "million_tokens", "1.2"),
    (
        "byteplus/seedance-1-5-pro",
        Situation(generate_audio=True, service_tier="flex"),
        "million_tokens",
        "1.2",
    ),
    (
        "volcengine/doubao-seedance-2-0",
        Situation(resolution="1080p", roles=frozenset({"reference_video"})),
        "million_tokens",
        "31",
    ),
    ("volcengine/doubao-seedance-2-0", Situation(resolution="720p"), "million_tokens", "46"),
    ("minimax/MiniMax-Hailuo-2.3", Situation(resolution="768p", duration=10), "video", "0.56"),
    ("minimax/MiniMax-Hailuo-2.3", Situation(resolution="1080p", duration=10), None, None),
    ("luma/ray-2", Situation(resolution="4k", duration=9), "video", "11.47"),
    ("kling/kling-3.0", Situation(resolution="4k", generate_audio=True), None, None),
]


@pytest.mark.parametrize(("model", "situation", "unit", "amount"), PRICES)
def test_the_first_line_that_fits_the_request_prices_it(
    model: str, situation: Situation, unit: str | None, amount: str | None
) -> None:
    card = CATALOGUE.get(model)
    assert card is not None
    assert card.pricing is not None
    line = card.pricing.output(situation)
    assert (line and line.unit, line and str(line.amount)) == (unit, amount)


MISTAKES = [
    ({"colour": "red"}, "unknown field `colour`"),
    ({"id": "no-slash"}, "must look like provider/name"),
    ({"scenarios": []}, "at least one scenario"),
    ({"scenarios": ["text", "telepathy"]}, "Invalid enum value 'telepathy'"),
    ({"durations": {"min": 9, "max": 4}}, "max 4 is below min 9"),
    ({"durations": {"min": 4, "max": 9, "step": 2}}, "not reached from min 4 in steps of 2"),
    ({"defaults": {"duration": 11}}, "default duration 11 is outside its durations"),
    ({"defaults": {"duration": -1}}, "default duration -1 is outside its durations"),
    ({"defaults": {"resolution": "4k"}}, "default resolution 4k is outside its resolutions"),
    ({"defaults": {"ratio": "1:1"}}, "default ratio 1:1 is outside its ratios"),
    ({"audio": "never", "defaults": {"generate_audio": True}}, "no switch for it"),
    ({"audio": None}, "audio is neither given nor named in unsure"),
    ({"unsure": ["colours"]}, "unsure names 'colours'"),
    ({"references": {"images": 3}}, "must come together"),
    ({"scenarios": ["references"]}, "must come together"),
    ({"needs": ["first_frame"]}, "needs first_frame, which it does not take"),
    ({"service_tiers": ["flex"]}, "must contain 'default'"),
    ({"successor": "acme/one"}, "its own successor"),
    ({"price_unknown": None}, "exactly one of free, pricing and price_unknown"),
    ({"free": True}, "exactly one of free, pricing and price_unknown"),
    (
        {"price_unknown": None, "pricing": {**PRICED, "lines": [{"unit": "second", "amount": "0"}]}},
        "a price is above zero",
    ),
    ({"price_unknown": None, "pricing": {**PRICED, "lines": []}}, "at least one line"),
    ({"rules": [{"when": {}, "durations": [5], "because": "x"}]}, "a rule needs a condition"),
    ({"rules": [{"when": {"draft": True}, "because": "x"}]}, "must narrow or drop something"),
    (
        {"rules": [{"when": {"draft": True}, "durations": [11], "because": "x"}]},
        "a rule allows 11 seconds, which is outside its durations",
    ),
    (
        {"rules": [{"when": {"draft": True}, "resolutions": ["8k"], "because": "x"}]},
        "a rule names '8k', which is not among its resolutions",
    ),
]


@pytest.mark.parametrize(("change", "complaint"), MISTAKES, ids=[complaint for _, complaint in MISTAKES])
def test_a_mistake_on_a_card_is_refused_by_name(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refusal:
        read(**change)
    assert complaint in str(refusal.value)


def test_a_card_of_another_upstream_is_refused_in_a_file() -> None:
    with pytest.raises(msgspec.ValidationError, match="acme/one stands in the card file of other"):
        msgspec.convert({"upstream": "other", "name": "Other", "models": [PLAIN]}, Upstream)


def test_a_card_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        read().name = "Two"  # type: ignore[misc]


RETIREMENTS = [
    ({"retires": datetime.date(2026, 9, 24)}, datetime.date(2026, 9, 23), False),
    ({"retires": datetime.date(2026, 9, 24)}, datetime.date(2026, 9, 24), True),
    ({"retired": True}, datetime.date(2020, 1, 1), True),
    ({}, datetime.date(2099, 1, 1), False),
]


@pytest.mark.parametrize(("change", "day", "gone"), RETIREMENTS)
def test_a_model_is_gone_from_its_last_day_on(change: dict[str, Any], day: datetime.date, gone: bool) -> None:
    assert read(**change).is_retired(day) is gone
