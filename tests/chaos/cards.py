"""Model cards of the paid upstreams in a chaos run: of one price, and said to be quick."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from server.tests.upstreams.suite.cases import CASES, Case

_MODEL = """
[[models]]
id = "{model}"
upstream_id = "{upstream_model}"
name = "Chaos"
brand = "Mesh"
description = "A model of the fake upstream."
scenarios = ["text"]
durations = {{ min = 1, max = 10 }}
resolutions = ["{resolution}"]
ratios = ["{ratio}"]
fps = [24]
audio = "{audio}"
parameters = ["seed"]
defaults = {{ {defaults} }}
usual_seconds = {usual_seconds}
pricing = {{ source = "this suite", date = 2026-11-21, certainty = "official", lines = [
  {{ unit = "video", amount = "{price}" }},
] }}
"""
PRICE_USD = "0.4"
"""What a video of any paid upstream costs in a run: as much as those fakes say that tell."""
_DEFAULTS = ("duration", "resolution", "ratio", "generate_audio")
_QUICK: Mapping[str, Any] = {"duration": 2, "resolution": "480p", "ratio": "16:9"}


@dataclass(frozen=True, kw_only=True)
class Seller:
    """A paid upstream of a run: its public model, what it calls that itself, and what turns it on.

    ``parameters`` are the card's defaults, and ``environment`` holds keys without a base URL.
    """

    upstream: str
    model: str
    upstream_model: str
    parameters: Mapping[str, Any] = field(default_factory=lambda: _QUICK)
    environment: Mapping[str, str] = field(default_factory=dict)
    usual_seconds: float = 2.0

    @property
    def card(self) -> str:
        """The model's part of its upstream's card file."""
        defaults = {name: self.parameters[name] for name in _DEFAULTS if name in self.parameters}
        return _MODEL.format(
            model=self.model,
            upstream_model=self.upstream_model,
            resolution=self.parameters.get("resolution", "720p"),
            ratio=self.parameters.get("ratio", "16:9"),
            usual_seconds=self.usual_seconds,
            price=PRICE_USD,
            audio="switch" if "generate_audio" in self.parameters else "never",
            defaults=", ".join(f"{name} = {json.dumps(value)}" for name, value in defaults.items()),
        )


def model_of(upstream: str, variant: str = "") -> str:
    """The public id of the model that a paid upstream serves."""
    return f"{upstream}/chaos-{variant}" if variant else f"{upstream}/chaos"


def _usual(upstream: str, **environment: str) -> Seller:
    return Seller(
        upstream=upstream, model=model_of(upstream), upstream_model="chaos-1", environment=environment
    )


_KEY = "fake-upstream-key-0123456789"
USUAL: tuple[Seller, ...] = (
    _usual("byteplus", ARK_API_KEY=_KEY),
    _usual("volcengine", VOLCENGINE_API_KEY=_KEY),
    _usual("openai-videos"),
)
"""Two clouds of Ark, and an engine that keeps no idempotency promise."""


def _of(case: Case) -> Seller:
    return Seller(
        upstream=case.name,
        model=model_of(case.name, case.variant),
        upstream_model=case.model,
        parameters=case.spec,
        environment=case.environment,
    )


EVERY: tuple[Seller, ...] = tuple(map(_of, CASES))
"""One for each case of the adapters' shared suite: every protocol that there is."""


def card_files(sellers: Iterable[Seller]) -> Mapping[str, str]:
    """Card files by the names of their upstreams."""
    files: dict[str, str] = {}
    for seller in sellers:
        head = f'upstream = "{seller.upstream}"\nname = "{seller.upstream}"\n'
        files[seller.upstream] = files.get(seller.upstream, head) + seller.card
    return files
