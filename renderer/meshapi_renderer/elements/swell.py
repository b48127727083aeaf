"""Waves of the open sea: long swell, cross swell and chop, as heights and slopes on the plane."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from meshapi_renderer.array_types import Floats
from meshapi_renderer.elements.moving_relief import MovingRelief
from meshapi_renderer.rng import Rng

_SIDE = 512
_WAVES = 44


@dataclass(frozen=True, slots=True, kw_only=True)
class Train:
    """One family of waves. Lengths in metres, angles in radians from straight towards the viewer."""

    tile: float
    """Side of the torus it repeats on."""
    longest: float
    shortest: float
    height: float
    """Standard deviation of its height."""
    heading: float
    spread: float
    pace: float
    """Metres per second."""
    sharp: float
    """How much crests are steeper than troughs are deep."""


class Swell:
    """The sea's surface as a function of place and time."""

    def __init__(self, trains: tuple[Train, ...], rng: Rng) -> None:
        self._trains = trains
        self._fields = [WaveField(train, rng.sub(f"train {index}")) for index, train in enumerate(trains)]

    @property
    def fields(self) -> list[WaveField]:
        """The families of waves, longest first."""
        return self._fields

    @property
    def height(self) -> float:
        """Standard deviation of the whole surface."""
        return math.sqrt(sum(train.height**2 for train in self._trains))


class WaveField(MovingRelief):
    """One family of waves."""

    def __init__(self, train: Train, rng: Rng) -> None:
        self.train = train
        velocity = (train.pace * math.sin(train.heading), -train.pace * math.cos(train.heading))
        super().__init__(_synthesise(train, rng), train.tile, velocity)


def _synthesise(train: Train, rng: Rng) -> Floats:
    """A sum of plane waves that fit the torus, crests sharpened; mean 0, the train's deviation."""
    y, x = np.mgrid[0:_SIDE, 0:_SIDE].astype(np.float32) * np.float32(math.tau / _SIDE)
    total = np.zeros((_SIDE, _SIDE), np.float32)
    ratio = train.longest / train.shortest
    for _ in range(_WAVES):
        share = rng.u()
        length = train.longest * ratio**-share
        angle = train.heading + train.spread * rng.normal() * 0.6
        count = train.tile / length
        across, along = round(count * math.sin(angle)), round(count * math.cos(angle))
        phase = rng.u() * math.tau
        if across == 0 and along == 0:
            continue
        actual = train.tile / math.hypot(across, along)
        amplitude = (actual / train.longest) ** 1.15
        total += np.float32(amplitude) * np.cos(x * across + y * along + np.float32(phase))
    total *= np.float32(1 / max(float(total.std()), 1e-6))
    sharpened = np.exp(total * np.float32(train.sharp))
    sharpened -= np.float32(sharpened.mean())
    return np.asarray(sharpened * np.float32(train.height / max(float(sharpened.std()), 1e-6)))
