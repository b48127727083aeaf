"""Limits and prices that depend on each other: what holds when a request looks a certain way.

A card says "1080p is made at 6 seconds only" as a rule and "1080p costs more" as a price line; both ask the
same question of the same value, the situation of one request.
"""

import datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from meshapi_server.tasks.spec import Role
from meshapi_server.upstreams.limits import Numbers

Scenario = Literal["text", "first_frame", "first_last_frame", "references", "draft_task"]
"""What a request gives the model to start from (wire.md section 3)."""

Droppable = Literal["ratio", "return_last_frame", "camera_fixed", "watermark", "seed", "negative_prompt"]
"""Parameters that a rule may take away. None of them is asked about by a rule, so rules need no order."""

Certainty = Literal["official", "agreed", "reported"]
"""The vendor's own word; two independent sources that agree; one third-party source."""

Unit = Literal["second", "video", "million_tokens", "input_image"]
"""What is counted: seconds of output, finished videos, millions of video tokens, images handed in."""


class Situation(Struct, frozen=True, kw_only=True):
    """What rules and prices look at in one request. ``None`` is "not known" and matches no condition."""

    scenario: Scenario | None = None
    roles: frozenset[Role] = frozenset()
    resolution: str | None = None
    duration: int | None = None
    generate_audio: bool | None = None
    draft: bool = False
    service_tier: str = "default"


class When(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A condition: every part that is given must hold; within a part one match is enough."""

    scenarios: tuple[Scenario, ...] = ()
    roles: tuple[Role, ...] = ()
    resolutions: tuple[str, ...] = ()
    durations: tuple[int, ...] = ()
    service_tiers: tuple[str, ...] = ()
    generate_audio: bool | None = None
    draft: bool | None = None

    def holds(self, situation: Situation) -> bool:
        """Whether the situation meets every part of this condition; an empty condition always holds."""
        return (
            (not self.scenarios or situation.scenario in self.scenarios)
            and (not self.roles or not situation.roles.isdisjoint(self.roles))
            and (not self.resolutions or situation.resolution in self.resolutions)
            and (not self.durations or situation.duration in self.durations)
            and (not self.service_tiers or situation.service_tier in self.service_tiers)
            and (self.generate_audio is None or situation.generate_audio is self.generate_audio)
            and (self.draft is None or situation.draft is self.draft)
        )


ALWAYS = When()


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Narrower limits under a condition. ``because`` completes the error message for the caller."""

    when: When
    because: str
    durations: Numbers | None = None
    resolutions: tuple[str, ...] = ()
    ratios: tuple[str, ...] = ()
    service_tiers: tuple[str, ...] = ()
    drops: tuple[Droppable, ...] = ()

    def __post_init__(self) -> None:
        if self.when == ALWAYS:
            raise ValueError("a rule needs a condition; a limit that always holds belongs on the card itself")
        if not (self.durations or self.resolutions or self.ratios or self.service_tiers or self.drops):
            raise ValueError("a rule must narrow or drop something")


class PriceLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One price. Lines stand in order: of those that count the same unit, the first whose condition holds.

    Of what is handed in, the first ``included`` cost nothing more.
    """

    unit: Unit
    amount: Decimal
    when: When = ALWAYS
    included: int = 0
    note: str | None = None

    def __post_init__(self) -> None:
        if not self.amount.is_finite() or self.amount <= 0:
            raise ValueError(
                f"amount is {self.amount}; a price is above zero, and an unknown price is left out"
            )


class Pricing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model costs, who says so, and on which day that was read.

    ``open_with`` are inputs that cost something which is not known in advance.
    """

    source: str
    date: datetime.date
    certainty: Certainty
    lines: tuple[PriceLine, ...]
    currency: Literal["USD", "CNY"] = "USD"
    open_with: tuple[Role, ...] = ()

    def __post_init__(self) -> None:
        if not self.lines:
            raise ValueError("pricing needs at least one line")

    def output(self, situation: Situation) -> PriceLine | None:
        """The line that prices the output in this situation; ``None`` when the source does not say."""
        if not situation.roles.isdisjoint(self.open_with):
            return None
        return self._first(situation, ("second", "video", "million_tokens"))

    def input_image(self, situation: Situation) -> PriceLine | None:
        """The line that prices each image handed in, where there is one."""
        return self._first(situation, ("input_image",))

    def _first(self, situation: Situation, units: tuple[Unit, ...]) -> PriceLine | None:
        return next((line for line in self.lines if line.unit in units and line.when.holds(situation)), None)
