"""Embers: sparks that a fire throws up, that waver, cool from yellow to red and go out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from meshapi_renderer.elements.light_points import Colour, LightPoints
from meshapi_renderer.rng import Rng

_TRAIL = 0.03
"""Seconds of its way a spark shows at once."""


class Embers:
    """All sparks of one fire."""

    def __init__(self, rng: Rng, count: int = 120, hues: tuple[Colour, Colour] | None = None) -> None:
        """``hues`` are the young and the old spark's display colours."""
        self._young, self._old = hues if hues is not None else ((255.0, 214.0, 120.0), (255.0, 70.0, 12.0))
        sparks = np.array([_spark(rng.sub(f"ember {index}")) for index in range(count)], np.float64)
        self._life, self._begin, self._root, self._lean, self._rise = sparks.T[:5]
        self._swirl, self._pace, self._phase, self._size = sparks.T[5:]

    def draw(
        self, lights: LightPoints, foot: tuple[float, float], height: float, seconds: float, scale: float
    ) -> None:
        """Draw the sparks of that moment; ``foot`` is the fire's, ``height`` its flames', in pixels."""
        life, begin = self._life, self._begin
        age = (seconds + begin) % life / life
        bright = np.sin(math.pi * np.minimum(1.0, age * 1.02)) ** 0.7
        bright *= 0.65 + 0.35 * np.sin(11 * seconds + 5 * self._phase)
        young, old = np.array(self._young), np.array(self._old)
        colours = (bright[:, None] * (young + (old - young) * age[:, None])).tolist()
        sizes = (self._size * scale * (1.3 - 0.6 * age)).tolist()
        ends = self._place(age)
        middles = 0.5 * (ends + self._place(np.maximum(0.0, age - _TRAIL / life)))
        ways = np.hstack([ends, middles]) * (height, -height, height, -height)
        places = (ways + np.array((*foot, *foot))).tolist()
        for (x, y, middle_x, middle_y), size, (red, green, blue) in zip(places, sizes, colours, strict=True):
            lights.dot(x, y, 1.15 * size, (red, green, blue))
            lights.dot(middle_x, middle_y, 0.8 * size, (red, green, blue))

    def _place(self, age: NDArray[np.float64]) -> NDArray[np.float64]:
        """(right, up) of every spark at an age of 0 to 1, in heights of the flames, shape (sparks, 2)."""
        up = self._rise * age**0.8
        curl = self._swirl * (0.4 + up) * np.sin(self._pace * age * self._life + self._phase)
        right = self._root * (1 - 0.4 * np.minimum(1.0, up)) + self._lean * age * age + curl
        return np.stack([right, 0.08 + up], 1)


def _spark(rng: Rng) -> tuple[float, ...]:
    """Life in seconds and where in it the clip begins, then root, lean, rise, swirl, pace, phase and size.

    Each is lit again and again; its way is measured in heights of the flames.
    """
    life = rng.uniform(1.4, 4.2)
    return (
        life, rng.u() * life, rng.uniform(-0.26, 0.26), rng.uniform(-0.34, 0.34), rng.uniform(0.7, 1.9),
        rng.uniform(0.02, 0.09), rng.uniform(2.0, 5.5), rng.u() * math.tau, rng.uniform(0.6, 1.7),
    )  # fmt: skip
