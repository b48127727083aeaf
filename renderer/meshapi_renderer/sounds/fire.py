"""The sound of a fire: a soft roar that flutters, snaps and crackles of burning wood."""

from __future__ import annotations

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
    Swell,
    add_panned,
    levelled,
    noise,
    shaped,
)


def crackle(rng: Rng, plan: ScenePlan) -> Layer:
    """Return a wood fire."""
    roar = Loop(noise(rng.sub("roar"), 45, 320, 0.5, 0.060), Swell.make(rng.sub("flutter"), 7.0, 0.35, 1.0))
    breath = Loop(noise(rng.sub("breath"), 400, 2400, 0.4, 0.016), Swell.make(rng.sub("gust"), 2.2, 0.3, 1.0))
    return Mix((roar, breath, Loop(_snaps(rng.sub("snaps")))))


def _snaps(rng: Rng) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Snaps of all sizes, in flurries: many small ones, few that make one start."""
    sound = np.zeros((CHANNELS, EVENT_LOOP), np.float32)
    length = int(0.05 * SAMPLE_RATE)
    time = np.arange(length, dtype=np.float32) / SAMPLE_RATE
    kinds = []
    for index in range(12):
        draw = rng.sub(f"kind {index}")
        body = levelled(shaped(draw.u(length) * 2 - 1, draw.uniform(700, 2600), 9500, 0.5), 1.0)
        kinds.append(body * np.exp(-time * np.float32(draw.uniform(90, 420))))
    flurries = rng.sub("flurries")
    for _ in range(int(3.2 * EVENT_LOOP / SAMPLE_RATE)):
        start, across = flurries.integer(EVENT_LOOP), flurries.uniform(0.25, 0.75)
        for _ in range(1 + flurries.integer(5)):
            start += int(flurries.uniform(0.006, 0.09) * SAMPLE_RATE)
            loudness = 0.012 + 0.10 * flurries.u() ** 5
            add_panned(sound, start, kinds[flurries.integer(len(kinds))] * np.float32(loudness), across)
    return sound
