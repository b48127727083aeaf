"""Sounds of a town: its rumble, cars that pass, wet tyres, steps on the pavement."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from meshapi_renderer.plan import ScenePlan
from meshapi_renderer.rng import Rng
from meshapi_renderer.sounds.shaping import (
    CHANNELS,
    EVENT_LOOP,
    SAMPLE_RATE,
    Layer,
    Loop,
    Mix,
    Samples,
    add_circular,
    add_panned,
    levelled,
    noise,
    shaped,
)


@dataclass(frozen=True, slots=True)
class _Hum:
    """Low tones of a town far below."""

    def read(self, start: int, count: int) -> Samples:
        time = np.arange(start, start + count, dtype=np.float64) * (math.tau / SAMPLE_RATE)
        tone = sum(np.sin(pitch * time + pitch) for pitch in (55.0, 110.4, 164.6))
        return np.broadcast_to(np.asarray(tone * 0.012, np.float32), (CHANNELS, count))


_PARTS_OF_SECOND = 10
"""How long a car is heard is told in these: lengths of small factors are transformed several times faster."""


def traffic(rng: Rng, plan: ScenePlan) -> Layer:
    """Return a city's rumble with cars passing from one side to the other."""
    passing = _passing(rng, 13, (250, 1400), (1.4, 3.0), (0.03, 0.07))
    return Mix((Loop(noise(rng.sub("rumble"), 50, 260, 0.8, 0.09)), Loop(passing), _Hum()))


def wet_street(rng: Rng, plan: ScenePlan) -> Layer:
    """Return a street at its edge: tyres hissing through water, a hum, steps that go by."""
    hiss = _passing(rng.sub("tyres"), 8, (900, 5200), (1.8, 3.2), (0.035, 0.075))
    engines = _passing(rng.sub("engines"), 8, (70, 320), (1.8, 3.2), (0.04, 0.08))
    rumble = Loop(noise(rng.sub("rumble"), 50, 240, 0.8, 0.055))
    return Mix((rumble, Loop(hiss), Loop(engines), Loop(_steps(rng.sub("steps"))), _Hum()))


def _passing(
    rng: Rng,
    count: int,
    band: tuple[float, float],
    seconds: tuple[float, float],
    loudness: tuple[float, float],
) -> Samples:
    """Cars that swell and fade while they cross from one side to the other."""
    sound = np.zeros((CHANNELS, EVENT_LOOP), np.float32)
    for index in range(count):
        draw = rng.sub(f"car {index}")
        size = round(draw.uniform(*seconds) * _PARTS_OF_SECOND) * (SAMPLE_RATE // _PARTS_OF_SECOND)
        share = np.linspace(0, 1, size, dtype=np.float32)
        car = levelled(shaped(draw.u(size) * 2 - 1, *band, 0.5), draw.uniform(*loudness))
        car *= np.sin(np.float32(math.pi) * share) ** 3
        across = share if draw.u() < 0.5 else 1 - share
        start = int((index + draw.u()) / count * EVENT_LOOP)
        add_circular(sound[0], start, car * (1 - np.float32(0.8) * across))
        add_circular(sound[1], start, car * (np.float32(0.2) + np.float32(0.8) * across))
    return sound


def _steps(rng: Rng) -> Samples:
    """People who walk past on wet stone."""
    sound = np.zeros((CHANNELS, EVENT_LOOP), np.float32)
    size = int(0.09 * SAMPLE_RATE)
    time = np.arange(size, dtype=np.float32) / SAMPLE_RATE
    for index in range(5):
        draw = rng.sub(f"walker {index}")
        step = levelled(shaped(draw.u(size) * 2 - 1, 500, 3800, 0.5), 0.05) * np.exp(-time * np.float32(55))
        start, pace, towards = draw.integer(EVENT_LOOP), draw.uniform(0.48, 0.60), draw.u() < 0.5
        for count in range(9):
            share = count / 8
            near = math.sin(math.pi * (0.08 + 0.84 * share))
            place = start + int(count * pace * SAMPLE_RATE)
            add_panned(sound, place, step * np.float32(near), share if towards else 1 - share)
    return sound
