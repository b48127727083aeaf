"""Every model the server knows, read once from the packaged card files and never changed afterwards."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from types import MappingProxyType

import msgspec

from meshapi_server.upstreams.card import ModelCard, Upstream


class CatalogueError(Exception):
    """A card file that cannot be used; the message names the file or the model, and what is wrong."""


class Catalogue:
    """An immutable set of cards. Lookups are one dictionary access; ids are case-sensitive."""

    __slots__ = ("_cards", "_upstreams")

    def __init__(self, upstreams: tuple[Upstream, ...]) -> None:
        cards: dict[str, ModelCard] = {}
        for card in (card for upstream in upstreams for card in upstream.models):
            if card.id in cards:
                raise CatalogueError(f"{card.id} has two cards")
            cards[card.id] = card
        self._cards: Mapping[str, ModelCard] = MappingProxyType(cards)
        self._upstreams = MappingProxyType({upstream.upstream: upstream for upstream in upstreams})
        for card in cards.values():
            self._line_of_succession(card)

    @classmethod
    def load(cls, further: Sequence[Path] = (), made: Sequence[Upstream] = ()) -> "Catalogue":
        """Reads the card files in the package and ``further`` ones; ``made`` take the place of such files.

        Raises CatalogueError for a file that does not validate.
        """
        files = (_read(file.name, file.read_bytes()) for file in further)
        return cls((*_read_card_files(), *files, *made))

    def __len__(self) -> int:
        return len(self._cards)

    def __iter__(self) -> Iterator[ModelCard]:
        return iter(self._cards.values())

    @property
    def upstreams(self) -> Mapping[str, Upstream]:
        """The card files by upstream, in the order of their names."""
        return self._upstreams

    def get(self, model_id: str) -> ModelCard | None:
        """The card of a model; ``None`` when there is none of exactly that id."""
        return self._cards.get(model_id)

    def all(
        self,
        type: str | None = None,  # noqa: A002 - the name of the query parameter it serves
        provider: str | None = None,
        *,
        live_on: datetime.date | None = None,
    ) -> tuple[ModelCard, ...]:
        """The cards that match every filter given; ``live_on`` leaves out what is retired on that day."""
        return tuple(
            card
            for card in self._cards.values()
            if (type is None or card.model_type == type)
            and (provider is None or card.provider == provider)
            and (live_on is None or not card.is_retired(live_on))
        )

    def successor(self, model_id: str, day: datetime.date) -> ModelCard | None:
        """The first model in the line of succession that still lives on that day, never the model itself."""
        card = self._cards.get(model_id)
        line = self._line_of_succession(card) if card else ()
        return next((heir for heir in line if not heir.is_retired(day)), None)

    def _line_of_succession(self, card: ModelCard) -> tuple[ModelCard, ...]:
        line: list[ModelCard] = []
        seen, name = {card.id}, card.successor
        while name is not None:
            heir = self._cards.get(name)
            if heir is None:
                raise CatalogueError(f"{card.id} is succeeded by {name}, which has no card")
            if name in seen:
                raise CatalogueError(f"{card.id} is in the end succeeded by itself")
            seen.add(name)
            line.append(heir)
            name = heir.successor
        return tuple(line)


def _read_card_files() -> Iterator[Upstream]:
    folder = resources.files(__package__).joinpath("cards")
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".toml"):
            continue
        yield _read(file.name, file.read_bytes())


def _read(name: str, text: bytes) -> Upstream:
    try:
        return msgspec.toml.decode(text, type=Upstream)
    except (msgspec.MsgspecError, ValueError) as problem:
        raise CatalogueError(f"{name}: {problem}") from problem
