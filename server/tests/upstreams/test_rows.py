"""Facts about the public rows of models, their schema, and the page that lists them all."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # the package ships no types
import msgspec
import pytest

from meshapi_server.upstreams.card import ModelCard
from meshapi_server.upstreams.catalogue import Catalogue
from meshapi_server.upstreams.models_page import page
from meshapi_server.upstreams.rows import ModelRow, model_row

CATALOGUE = Catalogue.load()
CARDS = tuple(CATALOGUE)
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "models.md"
every_card = pytest.mark.parametrize("card", CARDS, ids=[card.id for card in CARDS])


def wire(model: str) -> dict[str, Any]:
    card = CATALOGUE.get(model)
    assert card is not None
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(model_row(card)))
    return decoded


PROMISED = frozenset(
    (
        *("id", "name", "description", "provider", "brand", "model_type", "is_free"),
        *("input_modalities", "output_modalities", "pricing", "video"),
        *("supports_video_generation", "supports_video_first_frame", "supports_video_last_frame"),
        *("supports_video_reference_image", "supports_video_reference_video"),
        *("supports_video_reference_audio", "supports_video_negative_prompt"),
    )
)
PROMISED_OF_VIDEO = frozenset(
    (
        *("durations", "frames", "resolutions", "ratios", "fps"),
        *("audio", "seed", "camera_fixed", "draft", "max_images"),
    )
)


@every_card
def test_a_row_has_every_promised_field_and_meets_its_schema(card: ModelCard) -> None:
    row = wire(card.id)
    assert set(row) >= PROMISED
    assert set(row["video"]) >= PROMISED_OF_VIDEO
    jsonschema.validate(row, msgspec.json.schema(ModelRow), cls=jsonschema.Draft202012Validator)


@every_card
def test_pricing_holds_strings_and_nulls_only_and_its_amounts_are_decimals(card: ModelCard) -> None:
    pricing = wire(card.id)["pricing"]
    assert all(value is None or isinstance(value, str) for value in pricing.values())
    amounts = [value for name, value in pricing.items() if "usd" in name and value is not None]
    assert all(Decimal(amount) >= 0 for amount in amounts)
    assert (pricing["pricing_unit"] is None) == (pricing["output_usd_per_unit"] is None)


@every_card
def test_only_a_free_model_costs_zero(card: ModelCard) -> None:
    row = wire(card.id)
    assert (row["pricing"]["output_usd_per_unit"] == "0") == row["is_free"] == card.free


def test_the_row_of_the_built_in_model_says_what_it_can_do() -> None:
    row = wire("mesh/diorama-1")
    assert (row["provider"], row["brand"], row["model_type"], row["is_free"]) == (
        "mesh",
        "Mesh",
        "video",
        True,
    )
    assert row["input_modalities"] == ["text", "image"]
    assert row["output_modalities"] == ["video"]
    supported = {
        name.removeprefix("supports_video_") for name in row if name.startswith("supports_") and row[name]
    }
    assert supported == {"generation", "first_frame", "last_frame", "reference_image"}
    video = row["video"]
    assert video["durations"] == list(range(1, 61))
    assert video["frames"] == {"min": 1, "max": 1440, "step": 1}
    assert video["resolutions"] == ["480p", "720p", "1080p", "4k"]
    assert (video["fps"], video["audio"], video["seed"], video["max_images"]) == ([24], True, True, 4)
    assert (video["camera_fixed"], video["draft"], video["prices"]) == (True, True, [])


def test_the_row_of_seedance_lists_minus_one_and_reference_media() -> None:
    row = wire("byteplus/dreamina-seedance-2-0")
    assert row["video"]["durations"] == [-1, *range(4, 16)]
    assert row["video"]["frames"] is None
    assert row["video"]["max_images"] == 9
    assert row["input_modalities"] == ["text", "image", "video", "audio"]
    assert row["supports_video_negative_prompt"] is False


MAX_IMAGES = [
    ("replicate/veo-3.1", 0),
    ("byteplus/seedance-1-0-pro-fast", 1),
    ("byteplus/seedance-1-0-pro", 2),
    ("byteplus/seedance-1-0-lite-i2v", 4),
    ("alibaba/wan2.2-s2v", 1),
    ("alibaba/wan2.7-r2v", None),
]


@pytest.mark.parametrize(("model", "most"), MAX_IMAGES)
def test_max_images_is_the_most_that_one_request_may_carry(model: str, most: int | None) -> None:
    assert wire(model)["video"]["max_images"] == most


PRICING = [
    ("google/veo-3.1", "per_second", "0.40", None, "2026-11-21"),
    ("byteplus/seedance-1-0-pro", "per_1m_tokens", "2.5", "2.5", "2026-11-21"),
    ("minimax/MiniMax-H3", "per_second", "0.08", None, "2026-10-24"),
    ("minimax/MiniMax-Hailuo-2.3", "per_video", "0.28", None, "2026-11-21"),
    ("mesh/diorama-1", "per_second", "0", None, None),
    ("byteplus/dreamina-seedance-2-0", None, None, None, None),
    ("volcengine/doubao-seedance-2-0", None, None, None, "2026-11-21"),
]


@pytest.mark.parametrize(("model", "unit", "amount", "tokens", "read_on"), PRICING)
def test_the_headline_price_is_the_one_for_the_defaults_in_dollars(
    model: str, unit: str | None, amount: str | None, tokens: str | None, read_on: str | None
) -> None:
    pricing = wire(model)["pricing"]
    assert (pricing["pricing_unit"], pricing["output_usd_per_unit"]) == (unit, amount)
    assert pricing["completion_usd_per_1m"] == tokens
    assert pricing["effective_date"] == read_on


def test_an_unknown_price_comes_with_its_reason() -> None:
    assert "No source gives" in wire("byteplus/dreamina-seedance-2-0")["pricing"]["notes"]


def test_a_price_in_another_currency_stands_in_the_lines_with_its_conditions() -> None:
    lines = wire("volcengine/doubao-seedance-2-5")["video"]["prices"]
    assert [(line["amount"], line["currency"], line["when"]) for line in lines] == [
        ("42", "CNY", {"roles": ["reference_video"]}),
        ("70", "CNY", {}),
    ]


def test_the_price_of_an_input_image_is_given_beside_the_output() -> None:
    assert wire("xai/grok-imagine-video")["pricing"]["image_input_usd_per_image"] == "0.002"


def test_a_row_names_the_last_day_and_the_successor() -> None:
    row = wire("google/veo-3.1-preview")
    assert (row["retires"], row["successor"]) == ("2026-10-22", "google/gemini-omni-1.1-flash")
    assert (wire("mesh/diorama-1")["retires"], wire("mesh/diorama-1")["successor"]) == (None, None)


def test_the_page_of_models_is_what_the_script_prints() -> None:
    assert PAGE.read_text("utf-8") == page(CATALOGUE), (
        "write docs/reference/models.md anew; its head says how"
    )


@every_card
def test_the_page_names_every_model_once(card: ModelCard) -> None:
    assert page(CATALOGUE).count(f"\n| `{card.id}` |") == 1
