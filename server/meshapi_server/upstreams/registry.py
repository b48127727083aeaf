"""Who serves which model here: the catalogue, the upstreams that are on, routes, and simulation."""

import datetime
from collections.abc import Mapping, Set
from decimal import Decimal

from msgspec.structs import replace

from meshapi_server.tasks.errors import ModelUnknown, ProviderOff, RequestInvalid, unknown_model
from meshapi_server.tasks.ports import Prepared
from meshapi_server.tasks.price import Price
from meshapi_server.tasks.spec import Spec
from meshapi_server.tasks.task import Route

from .card import ModelCard
from .catalogue import Catalogue, CatalogueError
from .fit import OutsideCard, fit
from .quote import price
from .routing import Candidate, RouteSetting, dearest, ordered
from .rows import ModelRow, model_row

SIMULATED_BY = "mesh/diorama-1"


class Registry:
    """Implements the Models port (tasks/ports.py) and the source of model rows.

    ``on`` are the providers that can be asked; with ``simulate`` every other catalogue model is served by
    the built-in one, and says so (wire.md section 10). ``routes`` maps public ids to the models behind them;
    ids that it does not have stand for the model of that name. Raises CatalogueError for a route to nowhere.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        on: Set[str],
        *,
        simulate: bool,
        cny_per_usd: Decimal | None = None,
        routes: Mapping[str, RouteSetting] | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._on = frozenset(on)
        self._simulate = simulate
        self._cny_per_usd = cny_per_usd
        self._routes = routes or {}
        self._rows = {card.id: model_row(card) for card in catalogue.all(live_on=_today())}
        for public_id, setting in self._routes.items():
            self._rows[public_id] = model_row(self._renamed(public_id, setting))

    def prepare(self, spec: Spec) -> Prepared:
        """Fit a request to its models' cards and name who serves it, in order (see the port)."""
        setting = self._routes.get(spec.model)
        cards = [self._live(name) for name in setting.models] if setting else [self._live(spec.model)]
        serving = [card for card in cards if card.provider in self._on]
        if not serving:
            return self._simulated(spec, cards[0])
        by = setting.by if setting else "order"
        chosen = ordered(self._candidates(spec, serving), by)
        first = chosen[0]
        return Prepared(
            spec=first.spec,
            unsupported=first.unsupported,
            routes=tuple(_route(each, first.spec) for each in chosen),
            price=dearest(chosen),
        )

    def rows(self) -> tuple[ModelRow, ...]:
        """Every model that is not retired, and every route's public id."""
        return tuple(self._rows.values())

    def row(self, model_id: str) -> ModelRow | None:
        """One model."""
        return self._rows.get(model_id)

    def _candidates(self, spec: Spec, cards: list[ModelCard]) -> list[Candidate]:
        """Those that can serve the request; when none can, the first one's complaints are raised."""
        found, complaints = [], []
        for card in cards:
            try:
                fitted = fit(spec, card)
            except OutsideCard as outside:
                complaints.append(outside)
                continue
            cost = price(fitted.spec, card, cny_per_usd=self._cny_per_usd)
            found.append(Candidate(card=card, spec=fitted.spec, unsupported=fitted.unsupported, price=cost))
        if not found:
            raise RequestInvalid(complaints[0].details)
        return found

    def _simulated(self, spec: Spec, card: ModelCard) -> Prepared:
        stand_in = self._catalogue.get(SIMULATED_BY) if self._simulate else None
        if stand_in is None:
            raise ProviderOff(
                f"The model {spec.model!r} cannot be served here: the upstream {card.provider!r} is off."
            )
        try:
            fitted = fit(spec, card)
        except OutsideCard as outside:
            raise RequestInvalid(outside.details) from None
        reason = f"Simulated here by {stand_in.id}, at no cost."
        free = Price(cost_usd=Decimal(0), reason=reason)
        served = Candidate(card=stand_in, spec=fitted.spec, unsupported=fitted.unsupported, price=free)
        return Prepared(
            spec=served.spec,
            unsupported=served.unsupported,
            routes=(replace(_route(served, served.spec), simulated=True, takes_seed=_takes_seed(card)),),
            price=free,
        )

    def _live(self, model_id: str) -> ModelCard:
        card = self._catalogue.get(model_id)
        if card is None:
            raise ModelUnknown(unknown_model(model_id))
        if card.is_retired(_today()):
            heir = self._catalogue.successor(model_id, _today())
            advice = f"use {heir.id!r}" if heir else "see GET /v1/models"
            raise ModelUnknown(f"The model {model_id!r} is retired; {advice}.")
        return card

    def _renamed(self, public_id: str, setting: RouteSetting) -> ModelCard:
        for name in setting.models:
            if self._catalogue.get(name) is None:
                raise CatalogueError(f"routes: {public_id!r} leads to {name!r}, which has no card")
        try:
            return replace(self._live(setting.models[0]), id=public_id)
        except (ValueError, ModelUnknown) as problem:
            raise CatalogueError(f"routes: {public_id!r}: {problem}") from None


def _route(candidate: Candidate, first: Spec) -> Route:
    card = candidate.card
    return Route(
        upstream=card.provider,
        model=card.id,
        upstream_model=card.upstream_id,
        usual_seconds=card.usual_seconds,
        takes_seed=_takes_seed(card),
        spec=None if candidate.spec == first else candidate.spec,
        tariff=candidate.price.tariff,
    )


def _takes_seed(card: ModelCard) -> bool:
    return "seed" in card.parameters or card.leaves_open("seed")


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()
