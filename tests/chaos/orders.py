"""What the callers of a run will ask, drawn from its seed before it begins. Pure."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from .cards import USUAL, Seller, model_of

Follow = Literal["wait", "watch", "look"]
Then = Literal["keep", "delete", "download"]

# Ark's own rate (5 submissions a second) bounds how many of its tasks a run of the usual sellers can hold.
_USUAL: Mapping[str, float] = {
    model_of("openai-videos"): 0.52,
    model_of("byteplus"): 0.14,
    model_of("volcengine"): 0.14,
}
_PAID = 0.8
_SANDBOX: Mapping[str, float] = {
    "sandbox/instant": 0.10,
    "sandbox/flaky": 0.06,
    "sandbox/moderated": 0.01,
    "sandbox/fails": 0.02,
}
_RENDERED = "mesh/diorama-1"
_FOLLOWS: Mapping[Follow, float] = {"wait": 0.5, "watch": 0.3, "look": 0.2}
_THENS: Mapping[Then, float] = {"keep": 0.65, "delete": 0.3, "download": 0.05}
# The last one may have few tasks at upstreams at once, so it can only have few.
_CALLERS = {"owner": 0.45, "stranger": 0.45, "limited": 0.1}
_CANCELLED = 0.08
_TWICE = 0.06
_LONGEST_CANCEL = 3.0  # s after the create, at most
_STUCK = "sandbox/stuck"

Name = TypeVar("Name", bound=str)


@dataclass(frozen=True)
class Order:
    """One task that a caller wants. Times are seconds; ``at`` counts from the beginning of the run.

    ``cancel_after`` is None for a task that is let run; ``twice``: it is created by two calls at once, under
    one idempotency key, at whatever replicas they reach. ``caller`` picks one of the keys.
    """

    number: int
    at: float
    model: str
    caller: str
    follow: Follow
    then: Then
    cancel_after: float | None
    twice: bool
    priority: int

    @property
    def body(self) -> dict[str, object]:
        """The create's body; the prompt names the order."""
        text = [{"type": "text", "text": f"order {self.number}"}]
        body: dict[str, object] = {"model": self.model, "content": text, "priority": self.priority}
        if self.model == _RENDERED:
            body |= {"resolution": "480p", "frames": 12, "draft": True}
        return body


def shares(sellers: Sequence[Seller]) -> Mapping[str, float]:
    """How often each model is ordered; sellers other than the usual ones get as much each."""
    if tuple(sellers) == USUAL:
        return {**_USUAL, **_SANDBOX}
    return {**{seller.model: _PAID / len(sellers) for seller in sellers}, **_SANDBOX}


def draw(seed: int, count: int, seconds: float, renders: int, models: Mapping[str, float]) -> Sequence[Order]:
    """The orders of a run: ``count`` within ``seconds``, of which ``renders`` by the built-in model.

    ``models`` are the shares of the others.
    """
    chance = random.Random(f"orders {seed}")
    times = sorted(chance.uniform(0, seconds) for _ in range(count))
    rendered = set(chance.sample(range(count), renders))
    return [_order(chance, number, at, number in rendered, models) for number, at in enumerate(times)]


def _order(
    chance: random.Random, number: int, at: float, rendered: bool, models: Mapping[str, float]
) -> Order:
    model = _RENDERED if rendered else _drawn(chance, models)
    cancel_after = chance.uniform(0, _LONGEST_CANCEL) if chance.random() < _CANCELLED else None
    if cancel_after is not None and chance.random() < 0.2:
        model = _STUCK
    return Order(
        number=number,
        at=at,
        model=model,
        caller=_drawn(chance, _CALLERS),
        follow=_drawn(chance, _FOLLOWS),
        then=_drawn(chance, _THENS),
        cancel_after=cancel_after,
        twice=chance.random() < _TWICE,
        priority=chance.choice((0, 0, 0, 5, 9)),
    )


def _drawn(chance: random.Random, shares: Mapping[Name, float]) -> Name:
    return chance.choices(list(shares), list(shares.values()))[0]
