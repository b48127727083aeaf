"""Who serves which model here: the catalogue, the upstreams that are on, and simulation."""

import datetime
from collections.abc import Set
from decimal import Decimal

from meshapi_server.tasks.errors import ModelUnknown, ProviderOff, RequestInvalid
from meshapi_server.tasks.ports import Prepared
from meshapi_server.tasks.price import Price
from meshapi_server.tasks.spec import Spec
from meshapi_server.tasks.task import Route

from .card import ModelCard
from .catalogue import Catalogue
from .fit import OutsideCard, fit
from .quote import price
from .rows import ModelRow, model_row

SIMULATED_BY = "mesh/diorama-1"


class Registry:
    """Implements the Models port (tasks/ports.py) and the source of model rows.

    ``on`` are the providers that can be asked; with ``simulate`` every other catalogue model is served by
    the built-in one, and says so (wire.md section 10).
    """

    def __init__(
        self, catalogue: Catalogue, on: Set[str], *, simulate: bool, cny_per_usd: Decimal | None = None
    ) -> None:
        self._catalogue = catalogue
        self._on = frozenset(on)
        self._simulate = simulate
        self._cny_per_usd = cny_per_usd
        self._rows = {card.id: model_row(card) for card in catalogue.all(live_on=_today())}

    def prepare(self, spec: Spec) -> Prepared:
        """Fit a request to its model's card and name who serves it (see the port)."""
        card = self._card(spec.model)
        served = self._serve(card)
        try:
            fitted = fit(spec, card)
        except OutsideCard as outside:
            raise RequestInvalid(outside.details) from None
        return Prepared(
            spec=fitted.spec,
            unsupported=fitted.unsupported,
            price=self._price(fitted.spec, card, served),
            routes=(
                Route(
                    upstream=served.provider,
                    model=served.id,
                    upstream_model=served.upstream_id,
                    usual_seconds=served.usual_seconds,
                ),
            ),
        )

    def _price(self, spec: Spec, card: ModelCard, served: ModelCard) -> Price:
        if served is not card:
            return Price(cost_usd=Decimal(0), reason=f"Simulated here by {served.id}, at no cost.")
        return price(spec, card, cny_per_usd=self._cny_per_usd)

    def rows(self) -> tuple[ModelRow, ...]:
        """Every model that is not retired."""
        return tuple(self._rows.values())

    def row(self, model_id: str) -> ModelRow | None:
        """One model."""
        return self._rows.get(model_id)

    def _card(self, model_id: str) -> ModelCard:
        card = self._catalogue.get(model_id)
        if card is None:
            raise ModelUnknown(f"There is no model {model_id[:200]!r}; see GET /v1/models.")
        if card.is_retired(_today()):
            heir = self._catalogue.successor(model_id, _today())
            advice = f"use {heir.id!r}" if heir else "see GET /v1/models"
            raise ModelUnknown(f"The model {model_id!r} is retired; {advice}.")
        return card

    def _serve(self, card: ModelCard) -> ModelCard:
        if card.provider in self._on:
            return card
        stand_in = self._catalogue.get(SIMULATED_BY) if self._simulate else None
        if stand_in is None:
            raise ProviderOff(
                f"The model {card.id!r} cannot be served here: the upstream {card.provider!r} is off."
            )
        return stand_in


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()
