"""When lightning strikes: the one clock of a storm's picture and its sound.

The moments are the same in every storm; where a bolt stands and how it looks is the scene's affair.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from meshapi_renderer.rng import Rng

_FIRST, _APART = 0.8, 3.9
_SOUND = 0.343
"""Kilometres per second."""


@dataclass(frozen=True, slots=True)
class Strike:
    """One stroke of lightning."""

    number: int
    seconds: float
    kilometres: float
    """How far away it is: so much later the thunder comes."""

    @property
    def thunder(self) -> float:
        """The moment its thunder is heard."""
        return self.seconds + self.kilometres / _SOUND

    def flash(self, seconds: float) -> float:
        """How bright it lights the sky at a moment, 0 to 1: a stroke and two after-strokes."""
        light = 0.0
        for delay, gain in ((0.0, 1.0), (0.11, 0.55), (0.24, 0.8)):
            age = seconds - self.seconds - delay
            if age >= 0:
                light = max(light, gain * math.exp(-age / 0.075))
        return light * min(1.0, 0.62 / math.sqrt(self.kilometres))


def strikes(begin: float, end: float) -> Iterator[Strike]:
    """All strokes from ``begin`` to ``end``, in seconds of the clip."""
    number = max(0, math.floor((begin - _FIRST - _APART) / _APART))
    while True:
        draws = Rng("storm", number)
        strike = Strike(number, _FIRST + _APART * number + draws.uniform(0.0, 1.5), draws.uniform(0.32, 0.80))
        if strike.seconds >= end:
            return
        if strike.seconds >= begin:
            yield strike
        number += 1


def storm_light(seconds: float) -> float:
    """How bright lightning is at a moment, 0 to 1."""
    return max((strike.flash(seconds) for strike in strikes(seconds - 1.5, seconds + 0.001)), default=0.0)
