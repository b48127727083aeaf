"""Facts about the catalogue: lookups, filters, succession, and what it refuses to be made of."""

import datetime
from typing import Any

import msgspec
import pytest

from meshapi_server.upstreams.card import Upstream
from meshapi_server.upstreams.catalogue import Catalogue, CatalogueError

CATALOGUE = Catalogue.load()
BEFORE_THE_PREVIEWS_WENT = datetime.date(2026, 10, 21)
AFTER_THE_PREVIEWS_WENT = datetime.date(2026, 10, 22)


def card(name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": f"acme/{name}",
        "upstream_id": name,
        "name": name,
        "brand": "Acme",
        "description": "A card for tests.",
        "scenarios": ["text"],
        "audio": "never",
        "free": True,
        **more,
    }


def catalogue(*cards: dict[str, Any]) -> Catalogue:
    return Catalogue((msgspec.convert({"upstream": "acme", "name": "Acme", "models": cards}, Upstream),))


def test_the_model_of_the_first_example_is_in_the_catalogue() -> None:
    found = CATALOGUE.get("byteplus/dreamina-seedance-2-0")
    assert found is not None
    assert found.provider == "byteplus"


@pytest.mark.parametrize("model_id", ["Mesh/diorama-1", "mesh/Diorama-1", "mesh/diorama", "diorama-1", ""])
def test_a_lookup_wants_the_exact_id(model_id: str) -> None:
    assert CATALOGUE.get(model_id) is None


def test_every_card_is_found_by_its_id_and_counted_once() -> None:
    assert all(CATALOGUE.get(each.id) is each for each in CATALOGUE)
    assert len(CATALOGUE) == len({each.id for each in CATALOGUE})


def test_all_filters_by_provider() -> None:
    assert {each.provider for each in CATALOGUE.all(provider="kling")} == {"kling"}
    assert CATALOGUE.all(provider="nobody") == ()


def test_all_filters_by_type_and_video_is_the_only_one() -> None:
    assert CATALOGUE.all("video") == CATALOGUE.all() == tuple(CATALOGUE)
    assert CATALOGUE.all("image") == ()


def test_all_leaves_out_what_is_retired_on_a_day() -> None:
    before = {each.id for each in CATALOGUE.all(live_on=BEFORE_THE_PREVIEWS_WENT)}
    after = {each.id for each in CATALOGUE.all(live_on=AFTER_THE_PREVIEWS_WENT)}
    assert before - after == {
        "google/veo-3.1-preview",
        "google/veo-3.1-fast-preview",
        "google/veo-3.1-lite-preview",
    }
    assert "byteplus/seedance-1-0-lite-t2v" not in before


def test_a_retired_model_leads_to_its_successor() -> None:
    heir = CATALOGUE.successor("google/veo-3.1-preview", AFTER_THE_PREVIEWS_WENT)
    assert heir is CATALOGUE.get("google/gemini-omni-1.1-flash")


def test_a_model_without_a_replacement_has_no_successor() -> None:
    assert CATALOGUE.successor("openai/sora-2", AFTER_THE_PREVIEWS_WENT) is None
    assert CATALOGUE.successor("nobody/nothing", AFTER_THE_PREVIEWS_WENT) is None


def test_succession_skips_heirs_that_are_gone_themselves() -> None:
    line = catalogue(
        card("a", retired=True, successor="acme/b"),
        card("b", retires=datetime.date(2026, 1, 1), successor="acme/c"),
        card("c"),
    )
    assert line.successor("acme/a", datetime.date(2026, 1, 1)) is line.get("acme/c")
    assert line.successor("acme/a", datetime.date(2025, 12, 31)) is line.get("acme/b")


def test_upstreams_are_listed_with_their_names() -> None:
    assert CATALOGUE.upstreams["byteplus"].name == "BytePlus ModelArk"
    assert all(upstream.models for upstream in CATALOGUE.upstreams.values())


def test_two_cards_of_one_id_are_refused() -> None:
    with pytest.raises(CatalogueError, match="acme/a has two cards"):
        catalogue(card("a"), card("a"))


def test_a_successor_without_a_card_is_refused() -> None:
    with pytest.raises(CatalogueError, match="acme/a is succeeded by acme/z, which has no card"):
        catalogue(card("a", successor="acme/z"))


def test_a_circle_of_successors_is_refused() -> None:
    with pytest.raises(CatalogueError, match="succeeded by itself"):
        catalogue(card("a", successor="acme/b"), card("b", successor="acme/a"))


def test_the_catalogue_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        CATALOGUE.upstreams["acme"] = CATALOGUE.upstreams["mesh"]  # type: ignore[index]
    with pytest.raises(AttributeError):
        CATALOGUE.extra = 1  # type: ignore[attr-defined]
