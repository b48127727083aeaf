"""Whatever a card allows, the adapter of its upstream can put into the upstream's terms."""

from collections.abc import Iterator

import pytest

from meshapi_server.tasks.spec import ItemKind, Role
from meshapi_server.upstreams.adapter import Adapter, ContentItem, Job, Spec
from meshapi_server.upstreams.adapters import registrations
from meshapi_server.upstreams.card import ModelCard
from meshapi_server.upstreams.catalogue import Catalogue
from meshapi_server.upstreams.fit import fit
from meshapi_server.upstreams.http import data_uri

OPTIONS = {"google": {"key": "k", "project": "p"}}
# For the model's schema, or for a place to put inputs: their own tests go on from there.
ASKS_FIRST = {"replicate", "pixverse"}
KINDS: dict[Role, ItemKind] = {"reference_video": "video", "reference_audio": "audio"}
CARDS = [
    card for card in Catalogue.load() if card.provider in registrations(published=()).keys() - ASKS_FIRST
]


def adapter_of(card: ModelCard) -> Adapter:
    registration = registrations(published=())[card.provider]
    return registration.build({"base_url": registration.base_url, **OPTIONS.get(card.provider, {})})


def inputs(card: ModelCard) -> Iterator[tuple[Role, ...]]:
    """The roles of every kind of request that the card takes, with those that it cannot do without."""
    for roles in _inputs(card):
        yield (*roles, *(role for role in card.needs if role not in roles))


def _inputs(card: ModelCard) -> Iterator[tuple[Role, ...]]:
    for scenario in card.scenarios:
        match scenario:
            case "text":
                yield ()
            case "first_frame":
                yield ("first_frame",)
            case "first_last_frame":
                yield ("first_frame", "last_frame")
            case "references":
                roles = card.references.roles() if card.references else frozenset()
                yield from ((role,) for role in sorted(roles - {"reference_audio"}))
                if {"reference_image", "reference_audio"} <= roles:
                    yield ("reference_image", "reference_audio")


def job(card: ModelCard, roles: tuple[Role, ...], *, data: bool = False) -> Job:
    """A request with these inputs as URLs, or as data, as the server fits it to the card."""
    media = [
        ContentItem(
            kind=KINDS.get(role, "image"),
            index=index,
            url=data_uri("image/png", b"x") if data else f"https://inputs.example/{index}",
            role=role,
        )
        for index, role in enumerate(roles, 1)
    ]
    text = ContentItem(kind="text", index=0, text="a paper boat")
    spec = fit(Spec(model=card.id, content=(text, *media), seed=1, generate_audio=True), card).spec
    return Job(
        task_id="task_1", attempt=1, submission=1, model=card.upstream_id, spec=spec, seed=1, submitted_at=0
    )


@pytest.mark.parametrize("card", CARDS, ids=lambda card: str(card.id))
def test_every_kind_of_request_that_a_card_takes_becomes_one_post(card: ModelCard) -> None:
    adapter = adapter_of(card)
    kinds = list(inputs(card))
    assert kinds
    for roles in kinds:
        wanted = job(card, roles)
        data = bool(adapter.inlines(wanted))
        request = next(adapter.submit(job(card, roles, data=True) if data else wanted))
        assert request.method == "POST"
        assert b"a paper boat" in request.body
        mark = b"eA==" if data else b"https://inputs.example/"
        assert request.body.count(mark) == len(roles), "every input is in the body"
