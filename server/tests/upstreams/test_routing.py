"""Public ids that stand for several upstream models: order, fit, price, simulation, and routes to nowhere."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from meshapi_server.tasks.errors import ProviderOff, RequestInvalid
from meshapi_server.tasks.ports import Prepared
from meshapi_server.tasks.spec import ContentItem, Spec
from meshapi_server.upstreams.catalogue import Catalogue, CatalogueError
from meshapi_server.upstreams.registry import Registry
from meshapi_server.upstreams.routing import By, RouteSetting

CATALOGUE = Catalogue.load()
TEXT = (ContentItem(kind="text", index=0, text="a lake"),)
DEAR, CHEAP, SLOW = "google/veo-3.1", "google/veo-3.1-lite", "runway/veo-3.1-fast"


def registry(
    models: Iterable[str],
    by: By = "order",
    on: Iterable[str] = ("google", "runway"),
    *,
    simulate: bool = False,
) -> Registry:
    routes = {"team/video": RouteSetting(models=tuple(models), by=by)}
    return Registry(CATALOGUE, {"mesh", *on}, simulate=simulate, routes=routes)


def prepared(found: Registry, **fields: Any) -> Prepared:
    return found.prepare(Spec(model="team/video", **{"content": TEXT, **fields}))


def test_the_listed_order_is_the_order_in_which_they_are_asked() -> None:
    routes = prepared(registry([DEAR, SLOW, CHEAP])).routes
    assert [route.model for route in routes] == [DEAR, SLOW, CHEAP]


def test_by_price_the_cheapest_for_this_request_is_asked_first() -> None:
    routes = prepared(registry([DEAR, SLOW, CHEAP], "price"), duration=8).routes
    assert [route.model for route in routes] == [CHEAP, SLOW, DEAR]


def test_by_speed_the_usually_quickest_is_asked_first_and_the_unknown_last() -> None:
    found = prepared(registry([DEAR, SLOW, CHEAP], "speed")).routes
    usual = [route.usual_seconds or float("inf") for route in found]
    assert usual == sorted(usual)


def test_what_has_to_be_there_beforehand_is_the_price_of_the_dearest() -> None:
    price = prepared(registry([CHEAP, DEAR]), duration=8).price
    assert price is not None
    assert price.cost_usd == Decimal("3.20")


def test_an_upstream_that_is_off_is_left_out() -> None:
    routes = prepared(registry([SLOW, CHEAP], on=["google"])).routes
    assert [route.model for route in routes] == [CHEAP]


def test_a_model_that_cannot_make_this_request_is_left_out() -> None:
    found = registry(["google/gemini-omni-1.1-flash", DEAR])
    assert [route.model for route in prepared(found, duration=8, resolution="4k").routes][-1] == DEAR
    with pytest.raises(RequestInvalid):
        prepared(found, duration=77)


def test_a_model_with_other_parameters_is_asked_in_its_own_terms() -> None:
    first, second = prepared(registry([DEAR, "runway/gen-4.5"]), negative_prompt="rain", duration=8).routes
    assert first.spec is None
    assert second.spec is not None
    assert second.spec.negative_prompt is None


def test_with_every_upstream_off_it_is_simulated_or_refused() -> None:
    (route,) = prepared(registry([DEAR], on=[], simulate=True)).routes
    assert (route.model, route.simulated) == ("mesh/diorama-1", True)
    with pytest.raises(ProviderOff, match="team/video"):
        prepared(registry([DEAR], on=[]))


def test_a_public_id_is_listed_like_a_model() -> None:
    row = registry([DEAR]).row("team/video")
    assert row is not None
    assert row.id == "team/video"


@pytest.mark.parametrize("models", [["no/such"], [DEAR, "no/such"]])
def test_a_route_to_nowhere_is_told_when_the_server_starts(models: list[str]) -> None:
    with pytest.raises(CatalogueError, match="no/such"):
        registry(models)


@pytest.mark.parametrize("models", [[], [DEAR, DEAR]])
def test_a_route_needs_models_and_each_once(models: list[str]) -> None:
    with pytest.raises(ValueError, match="models"):
        RouteSetting(models=tuple(models))
