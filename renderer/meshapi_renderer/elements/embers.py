"""Embers: sparks that a fire throws up, that waver, cool from yellow to red and go out."""

from __future__ import annotations

import math
from dataclasses import dataclass

from meshapi_renderer.elements.light_points import Colour, LightPoints
from meshapi_renderer.rng import Rng

_TRAIL = 0.03
"""Seconds of its way a spark shows at once."""


@dataclass(frozen=True, slots=True)
class _Ember:
    """One spark, lit again and again: its life in seconds, its way in fire heights."""

    begin: float
    life: float
    root: float
    lean: float
    rise: float
    swirl: float
    pace: float
    phase: float
    size: float


class Embers:
    """All sparks of one fire."""

    def __init__(self, rng: Rng, count: int = 120, hues: tuple[Colour, Colour] | None = None) -> None:
        """``hues`` are the young and the old spark's display colours."""
        self._young, self._old = hues if hues is not None else ((255.0, 214.0, 120.0), (255.0, 70.0, 12.0))
        self._embers = []
        for index in range(count):
            own = rng.sub(f"ember {index}")
            life = own.uniform(1.4, 4.2)
            self._embers.append(
                _Ember(
                    begin=own.u() * life, life=life, root=own.uniform(-0.26, 0.26),
                    lean=own.uniform(-0.34, 0.34), rise=own.uniform(0.7, 1.9), swirl=own.uniform(0.02, 0.09),
                    pace=own.uniform(2.0, 5.5),
                    phase=own.u() * math.tau, size=own.uniform(0.6, 1.7),
                )
            )  # fmt: skip

    def draw(
        self, lights: LightPoints, foot: tuple[float, float], height: float, seconds: float, scale: float
    ) -> None:
        """Draw the sparks of that moment; ``foot`` is the fire's, ``height`` its flames', in pixels."""
        for ember in self._embers:
            age = (seconds + ember.begin) % ember.life / ember.life
            x, y = self._place(ember, age)
            before = self._place(ember, max(0.0, age - _TRAIL / ember.life))
            bright = math.sin(math.pi * min(1.0, age * 1.02)) ** 0.7
            bright *= 0.65 + 0.35 * math.sin(11 * seconds + 5 * ember.phase)
            red, green, blue = (
                bright * (young + (old - young) * age)
                for young, old in zip(self._young, self._old, strict=True)
            )
            size = ember.size * scale * (1.3 - 0.6 * age)
            start = foot[0] + before[0] * height, foot[1] - before[1] * height
            end = foot[0] + x * height, foot[1] - y * height
            lights.dot(*end, 1.15 * size, (red, green, blue))
            lights.dot(0.5 * (start[0] + end[0]), 0.5 * (start[1] + end[1]), 0.8 * size, (red, green, blue))

    @staticmethod
    def _place(ember: _Ember, age: float) -> tuple[float, float]:
        up = ember.rise * age**0.8
        curl = ember.swirl * (0.4 + up) * math.sin(ember.pace * age * ember.life + ember.phase)
        return ember.root * (1 - 0.4 * min(1.0, up)) + ember.lean * age * age + curl, 0.08 + up
