"""The model card: what one model of one upstream takes, within which limits, at which price.

Cards are data (``cards/*.toml``), because model ids and limits change within months. Three conventions:

* A limit that is absent means that the model has no such parameter, unless its name stands in ``unsure``:
  then the parameter exists but its values are not known, and every value passes.
* A limit that is given *and* named in ``unsure`` comes from thin or contradicting sources.
* ``defaults`` are the values this catalogue fills in and sends explicitly, so that the result and its price
  do not hang on an upstream's own default; where the upstream's default is known, it is the same.
"""

import datetime
import re
from typing import Literal, get_args

from msgspec import Struct

from meshapi_server.tasks.spec import Role
from meshapi_server.upstreams.limits import Numbers, Span
from meshapi_server.upstreams.rules import Pricing, Rule, Scenario, Situation

Audio = Literal["never", "switch", "always"]
Parameter = Literal[
    "seed",
    "camera_fixed",
    "watermark",
    "return_last_frame",
    "draft",
    "negative_prompt",
    "guidance_scale",
    "num_inference_steps",
]
ModelType = Literal["video"]

MODEL_DECIDES = -1
"""The duration that leaves the length to the model (wire.md section 2)."""

_ID = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*/[A-Za-z0-9][A-Za-z0-9._-]*$")


class References(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many reference items of each kind are taken; ``true`` where some are but no number is known."""

    images: int | bool = 0
    videos: int | bool = 0
    audios: int | bool = 0
    total: int | None = None
    audio_alone: bool = False

    def roles(self) -> frozenset[Role]:
        """The reference roles of which at least one item is taken."""
        counts: tuple[tuple[Role, int | bool], ...] = (
            ("reference_image", self.images),
            ("reference_video", self.videos),
            ("reference_audio", self.audios),
        )
        return frozenset(role for role, count in counts if count)


class Defaults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is filled in for a parameter that the request leaves out."""

    duration: int | None = None
    resolution: str | None = None
    ratio: str | None = None
    generate_audio: bool | None = None


class ModelCard(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model. ``id`` is the public name, ``upstream_id`` what the upstream calls it.

    ``needs`` are roles without which the model cannot work; ``max_prompt`` counts characters;
    ``usual_seconds`` is how long a run usually takes; ``retired`` is for a model that is known to be gone
    without a known day. The other conventions stand at the top of this module.
    """

    id: str
    upstream_id: str
    name: str
    brand: str
    description: str
    scenarios: tuple[Scenario, ...]
    references: References | None = None
    needs: tuple[Role, ...] = ()
    mixes_scenarios: bool = False
    needs_text: bool = False
    max_prompt: int | None = None
    durations: Numbers | None = None
    model_decides_duration: bool = False
    frames: Span | None = None
    resolutions: tuple[str, ...] = ()
    ratios: tuple[str, ...] = ()
    fps: tuple[int, ...] = ()
    audio: Audio | None = None
    parameters: tuple[Parameter, ...] = ()
    max_seed: int | None = None
    service_tiers: tuple[str, ...] = ("default",)
    output_formats: tuple[str, ...] = ()
    task_types: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    defaults: Defaults = Defaults()
    free: bool = False
    pricing: Pricing | None = None
    price_unknown: str | None = None
    usual_seconds: float | None = None
    retires: datetime.date | None = None
    retired: bool = False
    successor: str | None = None
    unsure: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for complaint in (*_identity(self), *_inputs(self), *_limits(self), *_money(self)):
            raise ValueError(f"{self.id}: {complaint}")

    @property
    def provider(self) -> str:
        """The upstream that serves the model: the first part of its id."""
        return self.id.partition("/")[0]

    @property
    def model_type(self) -> ModelType:
        """What the model makes. The catalogue holds video models only."""
        return "video"

    @property
    def roles(self) -> frozenset[Role]:
        """The roles that some request to this model may use."""
        frames: set[Role] = set()
        if "first_frame" in self.scenarios or "first_last_frame" in self.scenarios:
            frames.add("first_frame")
        if "first_last_frame" in self.scenarios:
            frames.add("last_frame")
        return frozenset(frames) | (self.references.roles() if self.references else frozenset())

    @property
    def usual_situation(self) -> Situation:
        """A request that states nothing but what its first scenario needs, after the defaults."""
        return Situation(
            scenario=self.scenarios[0],
            roles=frozenset(self.needs),
            resolution=self.defaults.resolution,
            duration=self.defaults.duration,
            generate_audio=self.defaults.generate_audio,
        )

    def leaves_open(self, field: str) -> bool:
        """Whether the parameter behind this limit exists while its allowed values are not known."""
        return field in self.unsure and not getattr(self, field)

    def is_retired(self, day: datetime.date) -> bool:
        """Whether the model is gone on that day."""
        return self.retired or (self.retires is not None and day >= self.retires)


class Upstream(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One card file: who serves, and which models. ``poll_seconds`` is the advised pause between polls."""

    upstream: str
    name: str
    models: tuple[ModelCard, ...]
    poll_seconds: float | None = None

    def __post_init__(self) -> None:
        for card in self.models:
            if card.provider != self.upstream:
                raise ValueError(f"{card.id} stands in the card file of {self.upstream}")


def _identity(card: ModelCard) -> list[str]:
    known = {*card.__struct_fields__, *get_args(Parameter)}
    complaints = [f"unsure names {name!r}, which no card has" for name in card.unsure if name not in known]
    if not _ID.match(card.id):
        complaints.append("the id must look like provider/name")
    if card.successor == card.id:
        complaints.append("a model cannot be its own successor")
    return complaints


def _inputs(card: ModelCard) -> list[str]:
    complaints = []
    if not card.scenarios:
        complaints.append("a model needs at least one scenario")
    taken = card.references.roles() if card.references else frozenset()
    if bool(taken) != ("references" in card.scenarios):
        complaints.append("the scenario 'references' and the counts in references must come together")
    complaints += [f"needs {role}, which it does not take" for role in card.needs if role not in card.roles]
    return complaints


def _limits(card: ModelCard) -> list[str]:
    chosen, complaints = card.defaults, []
    if chosen.duration is not None and not _allowed_duration(card, chosen.duration):
        complaints.append(f"the default duration {chosen.duration} is outside its durations")
    if chosen.resolution is not None and chosen.resolution not in card.resolutions:
        complaints.append(f"the default resolution {chosen.resolution} is outside its resolutions")
    if chosen.ratio is not None and chosen.ratio not in card.ratios:
        complaints.append(f"the default ratio {chosen.ratio} is outside its ratios")
    if chosen.generate_audio is not None and card.audio != "switch":
        complaints.append("generate_audio has a default but the model has no switch for it")
    if "default" not in card.service_tiers:
        complaints.append("service_tiers must contain 'default'")
    if card.audio is None and "audio" not in card.unsure:
        complaints.append("audio is neither given nor named in unsure")
    for rule in card.rules:
        complaints += _rule_beyond_card(rule, card)
    return complaints


def _rule_beyond_card(rule: Rule, card: ModelCard) -> list[str]:
    pairs = (
        ("resolutions", rule.resolutions, card.resolutions),
        ("ratios", rule.ratios, card.ratios),
        ("service_tiers", rule.service_tiers, card.service_tiers),
        ("scenarios", rule.when.scenarios, card.scenarios),
    )
    return [
        f"a rule names {value!r}, which is not among its {field}"
        for field, named, known in pairs
        for value in named
        if value not in known
    ] + [
        f"a rule allows {value} seconds, which is outside its durations"
        for value in rule.durations or ()
        if card.durations is None or value not in card.durations
    ]


def _money(card: ModelCard) -> list[str]:
    stated = [card.free, card.pricing is not None, card.price_unknown is not None]
    if sum(stated) != 1:
        return ["exactly one of free, pricing and price_unknown must be given"]
    return []


def _allowed_duration(card: ModelCard, value: int) -> bool:
    if value == MODEL_DECIDES:
        return card.model_decides_duration
    return card.durations is not None and value in card.durations
