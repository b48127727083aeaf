"""Sounds of the air: wind, blown sand, rain, and the thunder that follows the lightning of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meshapi_renderer.plan import ScenePlan
from meshapi_renderer.rng import Rng
from meshapi_renderer.sounds.shaping import (
    CHANNELS,
    SAMPLE_RATE,
    Layer,
    Loop,
    Mix,
    Mono,
    Samples,
    Swell,
    add_circular,
    levelled,
    noise,
    shaped,
)
from meshapi_renderer.storm_clock import strikes

_ROLL_SECONDS = 4.5
_ROLLS = 4


def wind(rng: Rng, plan: ScenePlan) -> Layer:
    """Return gusts: a low rush and a higher whistle, each swelling on its own."""
    low = Loop(noise(rng.sub("low"), 90, 420, 0.6, 0.10), Swell.make(rng.sub("swell"), 0.45, 0.3, 1.0))
    high = Loop(noise(rng.sub("high"), 500, 1600, 0.5, 0.018), Swell.make(rng.sub("gusts"), 0.6, 0.1, 1.0))
    return Mix((low, high))


def sand(rng: Rng, plan: ScenePlan) -> Layer:
    """Return the hiss of grains that the gusts carry."""
    return Loop(noise(rng.sub("hiss"), 3200, 9000, 0.5, 0.030), Swell.make(rng.sub("gusts"), 0.5, 0.05, 1.0))


def high_wind(rng: Rng, plan: ScenePlan) -> Layer:
    """Return the even rush of a flight above the clouds."""
    rush = Loop(noise(rng.sub("rush"), 160, 900, 0.4, 0.075), Swell.make(rng.sub("swell"), 0.25, 0.75, 1.0))
    thin = Loop(noise(rng.sub("thin"), 1800, 5200, 0.4, 0.012), Swell.make(rng.sub("air"), 0.4, 0.4, 1.0))
    return Mix((rush, thin))


def rain(rng: Rng, plan: ScenePlan) -> Layer:
    """Return steady rain with drops that strike near the ear."""
    sound = noise(rng.sub("fall"), 900, 9000, 0.4, 0.075)
    drops = rng.sub("drops")
    time = np.arange(260, dtype=np.float32)
    for _ in range(int(90 * sound.shape[1] / SAMPLE_RATE)):
        place, pitch, side = drops.u(), drops.u(), drops.integer(CHANNELS)
        drop = np.sin(time * np.float32(0.12 + 0.3 * pitch)) * np.exp(time * np.float32(-1 / 40))
        add_circular(sound[side], int(place * sound.shape[1]), drop * np.float32(0.10 * pitch**3))
    return Loop(sound)


@dataclass(frozen=True, slots=True)
class _Thunder:
    """Rolls of thunder, each after the flash it belongs to."""

    rolls: tuple[Mono, ...]

    def read(self, start: int, count: int) -> Samples:
        sides = np.zeros((CHANNELS, count), np.float32)
        begin, end = start / SAMPLE_RATE, (start + count) / SAMPLE_RATE
        for strike in strikes(begin - _ROLL_SECONDS - 4.0, end):
            roll = self.rolls[strike.number % len(self.rolls)]
            gain = np.float32(min(1.3, 0.45 / strike.kilometres))
            for side in range(CHANNELS):
                # A roll reaches one ear a little later than the other.
                first = round(strike.thunder * SAMPLE_RATE) + 400 * side - start
                low, high = max(0, first), min(count, first + roll.size)
                if low < high:
                    sides[side, low:high] += roll[low - first : high - first] * gain
        return sides


def thunder(rng: Rng, plan: ScenePlan) -> Layer:
    """Return thunder that rolls when the sound of each stroke has come over."""
    time = np.arange(int(_ROLL_SECONDS * SAMPLE_RATE), dtype=np.float32) / SAMPLE_RATE
    rolls = []
    for index in range(_ROLLS):
        draw = rng.sub(f"roll {index}")
        envelope = np.minimum(time / np.float32(0.05), 1) * np.exp(-time / np.float32(draw.uniform(0.9, 1.6)))
        envelope *= np.clip((np.float32(_ROLL_SECONDS) - time) * 2, 0, 1)
        rumble = levelled(shaped(draw.u(time.size) * 2 - 1, 25, 140, 0.7), 0.26)
        crack = levelled(shaped(draw.u(time.size) * 2 - 1, 200, 1800, 0.5), 0.10) * np.exp(
            -time * np.float32(9)
        )
        swing = Swell.make(draw.sub("roll"), 5, 0.3, 1.0).read(0, time.size)
        rolls.append((rumble * envelope * swing + crack * np.minimum(time * 60, 1)).astype(np.float32))
    return _Thunder(tuple(rolls))
