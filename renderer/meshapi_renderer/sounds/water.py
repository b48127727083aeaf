"""Sounds of water: a stream, surf in step with the picture, the open sea, a fall, the deep."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from meshapi_renderer.elements.surf_rhythm import PERIOD
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
    Swell,
    add_panned,
    noise,
)

_DRONE_PERIOD = 6.6
"""Seconds between the waves of the beach seen from above."""


def stream(rng: Rng, plan: ScenePlan) -> Layer:
    """Return a brook: bright water that bubbles over a deeper flow."""
    bright = Loop(noise(rng.sub("bright"), 400, 3500, 0.5, 0.05), Swell.make(rng.sub("bubble"), 6, 0.55, 1.0))
    return Mix((bright, Loop(noise(rng.sub("deep"), 120, 500, 0.7, 0.03))))


@dataclass(frozen=True, slots=True)
class _Waves:
    """Breakers: a deep wash that swells and falls, and hiss on its crest."""

    wash: Samples
    hiss: Samples
    period: float
    peak: float
    """Where in the period, 0 to 1, the water stands highest."""

    def read(self, start: int, count: int) -> Samples:
        turns = np.arange(start, start + count) / (self.period * SAMPLE_RATE) - self.peak
        # Quick to rise and slow to fall, as the wash on the sand is.
        share = turns - np.floor(turns)
        fall = 0.5 + 0.5 * np.cos(math.pi * np.minimum(share / 0.72, 1.0))
        climb = np.clip((share - 0.72) / 0.28, 0, 1)
        height = np.maximum(fall, climb * climb * (3 - 2 * climb)) ** 1.6 * 0.9 + 0.14
        rise = height.astype(np.float32)
        sides = Loop(self.wash).read(start, count)
        sides += Loop(self.hiss).read(start, count) * rise
        sides *= rise
        return sides


def waves(rng: Rng, plan: ScenePlan) -> Layer:
    """Return surf in step with the picture's: it is loudest when the water stands highest on the sand."""
    wash = noise(rng.sub("wash"), 180, 1500, 0.5, 0.15)
    hiss = noise(rng.sub("hiss"), 1500, 7000, 0.5, 0.05)
    if plan.viewpoint == "aerial":
        return _Waves(wash, hiss, _DRONE_PERIOD / plan.speed, 0.17)
    return _Waves(wash, hiss, PERIOD / plan.speed, _HIGHEST)


_HIGHEST = 0.20
"""Where in its period `surf_rhythm.run_up` is highest."""


def sea(rng: Rng, plan: ScenePlan) -> Layer:
    """Return the open sea: long heaves of dark water with a little white on them."""
    heave = Loop(noise(rng.sub("heave"), 60, 420, 0.5, 0.14), Swell.make(rng.sub("long"), 0.32, 0.25, 1.0))
    wash = Loop(noise(rng.sub("wash"), 350, 2200, 0.5, 0.055), Swell.make(rng.sub("short"), 0.55, 0.10, 1.0))
    spray = Loop(noise(rng.sub("spray"), 2500, 8000, 0.5, 0.016), Swell.make(rng.sub("crest"), 0.8, 0.0, 1.0))
    return Mix((heave, wash, spray))


def cascade(rng: Rng, plan: ScenePlan) -> Layer:
    """Return falling water: a roar below, a bright curtain above, both never still."""
    roar = Loop(noise(rng.sub("roar"), 70, 600, 0.4, 0.10), Swell.make(rng.sub("pulse"), 3.0, 0.8, 1.0))
    curtain = Loop(
        noise(rng.sub("curtain"), 700, 6500, 0.4, 0.062), Swell.make(rng.sub("fray"), 7.0, 0.72, 1.0)
    )
    return Mix((roar, curtain))


def deep(rng: Rng, plan: ScenePlan) -> Layer:
    """Return what one hears under water: a dull pressure that comes and goes."""
    low = Loop(noise(rng.sub("low"), 35, 190, 0.8, 0.13), Swell.make(rng.sub("swell"), 0.35, 0.4, 1.0))
    dull = Loop(noise(rng.sub("dull"), 180, 620, 0.9, 0.030), Swell.make(rng.sub("drift"), 0.7, 0.2, 1.0))
    return Mix((low, dull))


def bubbles(rng: Rng, plan: ScenePlan) -> Layer:
    """Return strings of bubbles: short tones that rise as a bubble shrinks."""
    sound = np.zeros((CHANNELS, EVENT_LOOP), np.float32)
    for index in range(int(1.1 * EVENT_LOOP / SAMPLE_RATE)):
        draw = rng.sub(f"string {index}")
        start, across = draw.integer(EVENT_LOOP), draw.u()
        for _ in range(2 + draw.integer(7)):
            start += int(draw.uniform(0.03, 0.13) * SAMPLE_RATE)
            size = int(draw.uniform(0.04, 0.09) * SAMPLE_RATE)
            share = np.linspace(0, 1, size, dtype=np.float64)
            pitch = draw.uniform(260, 900) * (1 + 0.9 * share * share)
            tone = (
                np.sin(np.cumsum(pitch) * (math.tau / SAMPLE_RATE))
                * np.sin(math.pi * share) ** 2
                * (1 - share)
            )
            add_panned(sound, start, (tone * draw.uniform(0.02, 0.07)).astype(np.float32), across)
    return Loop(sound)
