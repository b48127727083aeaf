"""What a request costs by its card: the price list's own examples, upper bounds, and honest ignorance."""

from decimal import Decimal
from typing import Any, Literal

import pytest

from meshapi_server.tasks.price import Price
from meshapi_server.tasks.spec import ContentItem, Role, Spec
from meshapi_server.upstreams.catalogue import Catalogue
from meshapi_server.upstreams.fit import fit
from meshapi_server.upstreams.quote import price

CATALOGUE = Catalogue.load()
TEXT = ContentItem(kind="text", index=0, text="a lake")


def quoted(model: str, *, rate: str | None = None, **fields: Any) -> Price:
    card = CATALOGUE.get(model)
    assert card is not None
    fitted = fit(Spec(model=model, **{"content": (TEXT,), **fields}), card).spec
    return price(fitted, card, cny_per_usd=None if rate is None else Decimal(rate))


@pytest.mark.parametrize(
    ("model", "fields", "cost"),
    [
        ("fal/veo-3.1", {"duration": 8, "generate_audio": True}, "3.20"),
        ("fal/veo-3.1", {"duration": 4, "generate_audio": False}, "0.80"),
        ("google/veo-3.1-lite", {"duration": 8}, "0.40"),
        ("runway/gen-4.5", {"duration": 5}, "0.60"),
        ("mesh/diorama-1", {}, "0"),
    ],
)
def test_a_price_per_second_is_multiplied_by_the_seconds(
    model: str, fields: dict[str, Any], cost: str
) -> None:
    assert quoted(model, **fields).cost_usd == Decimal(cost)


def test_tokens_are_counted_as_the_upstream_counts_them() -> None:
    # 1280 x 720 pixels, 24 frames a second, 5 seconds, / 1024 = 108,000 tokens; 2.40 USD a million.
    found = quoted("byteplus/seedance-1-5-pro", duration=5, resolution="720p", generate_audio=True)
    assert (found.cost_usd, found.items[0].quantity) == (Decimal("0.2592"), Decimal("0.108"))
    assert "estimated" in (found.reason or "")


def test_a_length_that_the_model_decides_costs_at_most_what_its_longest_costs() -> None:
    longest = quoted("volcengine/doubao-seedance-2-0", rate="7", duration=15)
    open_end = quoted("volcengine/doubao-seedance-2-0", rate="7", duration=-1)
    assert open_end.cost_usd == longest.cost_usd
    assert "longest" in (open_end.reason or "")


def test_a_price_that_nobody_publishes_is_unknown_with_the_reason_and_never_zero() -> None:
    found = quoted("byteplus/dreamina-seedance-2-0")
    assert found.cost_usd is None
    assert found.reason == "No source gives a USD price of the 2.x models on BytePlus."


def test_a_combination_that_the_price_list_leaves_out_is_unknown() -> None:
    found = quoted("luma/ray-3.2")
    assert found.cost_usd is None
    assert "does not say" in (found.reason or "")


def reference(index: int, kind: Literal["image", "video"] = "image") -> ContentItem:
    role: Role = "reference_image" if kind == "image" else "reference_video"
    return ContentItem(kind=kind, index=index, url="https://x.example/a", role=role)


@pytest.mark.parametrize(
    ("images", "cost"), [(0, "0.40"), (1, "0.40"), (5, "0.40"), (6, "0.44"), (9, "0.56")]
)
def test_images_that_the_price_includes_cost_nothing_more(images: int, cost: str) -> None:
    content = (TEXT, *(reference(index) for index in range(1, images + 1)))
    assert quoted("minimax/MiniMax-H3", content=content, duration=5).cost_usd == Decimal(cost)


def test_what_an_input_of_unknown_length_costs_makes_the_whole_price_unknown() -> None:
    found = quoted("minimax/MiniMax-H3", content=(TEXT, reference(1, "video")), duration=5)
    assert found.cost_usd is None
    assert "does not say" in (found.reason or "")


def test_yuan_need_an_exchange_rate() -> None:
    assert "cny_per_usd" in (quoted("volcengine/doubao-seedance-2-0").reason or "")
    at_seven = quoted("volcengine/doubao-seedance-2-0", rate="7").cost_usd
    at_fourteen = quoted("volcengine/doubao-seedance-2-0", rate="14").cost_usd
    assert at_seven is not None
    assert at_fourteen is not None
    assert abs(at_seven - 2 * at_fourteen) <= Decimal("0.0001")


@pytest.mark.parametrize("card", [card for card in CATALOGUE if card.pricing and not card.needs])
def test_every_quote_adds_up_or_says_why_there_is_none(card: Any) -> None:
    if "text" not in card.scenarios:
        return
    found = quoted(card.id, rate="7.1")
    if found.cost_usd is None:
        assert found.reason
    else:
        assert found.cost_usd == sum(item.cost_usd for item in found.items)
        assert found.cost_usd > 0
