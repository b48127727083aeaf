"""Which upstream models serve a public id, and in which order they are asked. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from meshapi_server.tasks.price import Price
from meshapi_server.tasks.spec import Spec

from .card import ModelCard

By = Literal["order", "price", "speed"]


class RouteSetting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of ``[routes]`` in ``meshapi.toml``: the models behind a public id.

    ``by``: as listed, the cheapest first for the request at hand, or the usually quickest first.
    """

    models: tuple[str, ...]
    by: By = "order"

    def __post_init__(self) -> None:
        if not self.models:
            raise ValueError("models must name at least one model")
        if len(set(self.models)) != len(self.models):
            raise ValueError("models names a model twice")


class Candidate(Struct, frozen=True, kw_only=True):
    """One model that can serve a request: what it would be asked, and what that costs."""

    card: ModelCard
    spec: Spec
    unsupported: tuple[str, ...]
    price: Price


_UNKNOWN_PRICE = Decimal("Infinity")
_UNKNOWN_SPEED = float("inf")


def ordered(candidates: Sequence[Candidate], by: By) -> list[Candidate]:
    """The candidates in the order in which they are asked; what is not known comes last, ties as listed."""
    if by == "price":
        return sorted(candidates, key=lambda each: _price(each.price))
    if by == "speed":
        return sorted(candidates, key=lambda each: each.card.usual_seconds or _UNKNOWN_SPEED)
    return list(candidates)


def dearest(candidates: Sequence[Candidate]) -> Price:
    """The most that any of them costs: what has to be there before one of them is asked. Unknown wins."""
    return max((each.price for each in candidates), key=_price)


def _price(price: Price) -> Decimal:
    return _UNKNOWN_PRICE if price.cost_usd is None else price.cost_usd
