"""Sounds without a cause in the picture: slow chords, the drone of empty space, a shimmer, plucked notes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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

_Chords = tuple[tuple[float, ...], ...]
_WARM: _Chords = ((1.0, 1.25, 1.5, 1.875), (0.8909, 1.125, 1.3348, 1.6818), (0.75, 0.9375, 1.125, 1.5))
_OPEN: _Chords = ((0.5, 1.0, 1.5, 2.25), (0.4454, 0.8909, 1.3348, 2.0), (0.5612, 1.1225, 1.6818, 2.2449))


@dataclass(frozen=True, slots=True)
class _Chord:
    """Slow chords of detuned sines, one flowing into the next."""

    root: float
    chords: _Chords = _WARM
    step: float = 3.2
    held: float = 4.3

    def read(self, start: int, count: int) -> Samples:
        time = np.arange(start, start + count, dtype=np.float64) / SAMPLE_RATE
        sides = np.zeros((CHANNELS, count), np.float64)
        first = max(-1, math.floor((start / SAMPLE_RATE - self.held) / self.step))
        last = math.floor((start + count) / SAMPLE_RATE / self.step)
        for index in range(first, last + 1):
            local = time - index * self.step
            envelope = np.clip(np.minimum(local / 0.9, (self.held - local) / 1.1), 0, 1) * 0.022
            if not envelope.any():
                continue
            for side, detune in enumerate((0.9975, 1.0025)):
                sides[side] += self._voices(self.chords[index % len(self.chords)], time, detune) * envelope
        return sides.astype(np.float32)

    def _voices(
        self, ratios: tuple[float, ...], time: NDArray[np.float64], detune: float
    ) -> NDArray[np.float64]:
        sound = np.zeros_like(time)
        for ratio in ratios:
            angle = time * (math.tau * self.root * ratio)
            sound += np.sin(angle) + np.sin(angle * detune) + 0.35 * np.sin(2 * angle * detune)
        return sound


def chord(rng: Rng, plan: ScenePlan) -> Layer:
    """Return warm chords on a random root."""
    return _Chord(root=110.0 * 2 ** (rng.integer(5) / 12))


def drone(rng: Rng, plan: ScenePlan) -> Layer:
    """Return the sound films give to empty space: low open fifths that move slowly, and a far rush."""
    low = _Chord(root=55.0 * 2 ** (rng.integer(5) / 12), chords=_OPEN, step=5.2, held=7.0)
    rush = Loop(noise(rng.sub("rush"), 60, 260, 0.7, 0.05), Swell.make(rng.sub("swell"), 0.2, 0.3, 1.0))
    return Mix((low, rush))


def shimmer(rng: Rng, plan: ScenePlan) -> Layer:
    """Return high glassy notes that come and go by themselves."""
    sound = np.zeros((CHANNELS, EVENT_LOOP), np.float32)
    root = 880.0 * 2 ** (rng.integer(5) / 12)
    for index in range(int(1.3 * EVENT_LOOP / SAMPLE_RATE)):
        draw = rng.sub(f"note {index}")
        pitch = root * draw.pick((1.0, 1.125, 1.25, 1.5, 1.6667, 2.0))
        share = np.linspace(0, 1, int(draw.uniform(1.2, 2.6) * SAMPLE_RATE), dtype=np.float64)
        time = share * share.size / SAMPLE_RATE
        tone = np.sin(math.tau * pitch * time) + 0.4 * np.sin(math.tau * pitch * 2.003 * time)
        tone *= np.sin(math.pi * share) ** 2 * (0.8 + 0.2 * np.sin(math.tau * 4.5 * time))
        place = draw.integer(EVENT_LOOP)
        add_panned(sound, place, (tone * draw.uniform(0.004, 0.012)).astype(np.float32), draw.u())
    return Loop(sound)


def plucks(rng: Rng, plan: ScenePlan) -> Layer:
    """Return plucked notes in an easy rhythm."""
    sound = np.zeros((CHANNELS, EVENT_LOOP), np.float32)
    root, beat = 220.0 * 2 ** (rng.integer(5) / 12), EVENT_LOOP // 56
    size = int(1.1 * SAMPLE_RATE)
    time = np.arange(size, dtype=np.float64) / SAMPLE_RATE
    scale = (1.0, 1.125, 1.25, 1.5, 1.6667, 2.0, 2.5)
    for index in range(56):
        draw = rng.sub(f"pluck {index}")
        if draw.u() < 0.34:
            continue
        pitch = root * draw.pick(scale)
        tone = sum(
            np.sin(math.tau * pitch * k * time) * np.exp(-time * (3.2 + 2.4 * k)) / k for k in (1, 2, 3)
        )
        tone = np.asarray(tone) * np.minimum(time * 400, 1) * draw.uniform(0.020, 0.045)
        tone *= np.clip((1.1 - time) * 8, 0, 1)
        add_panned(sound, index * beat, tone.astype(np.float32), draw.uniform(0.3, 0.7))
    return Loop(sound)
