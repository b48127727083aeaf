"""Sounds of animals: birds by day, gulls by the sea, crickets by night."""

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
    Mono,
    Samples,
    add_panned,
)


def birds(rng: Rng, plan: ScenePlan) -> Layer:
    """Return sparse calls of a few notes each, somewhere between left and right."""
    sound = np.zeros((CHANNELS, EVENT_LOOP), np.float32)
    for _ in range(int(0.9 * EVENT_LOOP / SAMPLE_RATE)):
        start, pitch = rng.integer(EVENT_LOOP), rng.uniform(2200, 4800)
        loudness, across, sweep = rng.uniform(0.02, 0.08), rng.u(), rng.uniform(0.5, 1.5)
        for note in range(1 + rng.integer(4)):
            tone = _chirp(pitch, rng.uniform(0.05, 0.13), sweep) * np.float32(loudness)
            add_panned(sound, start + int(0.16 * note * SAMPLE_RATE), tone, across)
    return Loop(sound)


def _chirp(pitch: float, seconds: float, sweep: float) -> Mono:
    share = np.linspace(0, 1, int(seconds * SAMPLE_RATE), dtype=np.float64)
    frequency = pitch * (1 + 0.25 * np.sin(math.tau * share * sweep))
    phase = np.cumsum(frequency) * (math.tau / SAMPLE_RATE)
    return (np.sin(phase) * np.sin(math.pi * share) ** 1.5).astype(np.float32)


def gulls(rng: Rng, plan: ScenePlan) -> Layer:
    """Return gulls: hoarse calls that fall in pitch, two or three in a row, now and then."""
    sound = np.zeros((CHANNELS, EVENT_LOOP), np.float32)
    for index in range(int(0.28 * EVENT_LOOP / SAMPLE_RATE)):
        draw = rng.sub(f"gull {index}")
        start, across, pitch = draw.integer(EVENT_LOOP), draw.u(), draw.uniform(950, 1350)
        loudness = draw.uniform(0.015, 0.045)
        for call in range(1 + draw.integer(4)):
            size = int(draw.uniform(0.22, 0.42) * SAMPLE_RATE)
            share = np.linspace(0, 1, size, dtype=np.float64)
            glide = pitch * (1.25 - 0.5 * share + 0.12 * np.sin(math.pi * share))
            phase = np.cumsum(glide) * (math.tau / SAMPLE_RATE)
            voice = np.sin(phase) + 0.6 * np.sin(2 * phase + 0.4) + 0.35 * np.sin(3 * phase)
            voice *= np.sin(math.pi * share) ** 0.7 * (1 + 0.3 * np.sin(share * 180))
            place = start + int(call * 0.52 * SAMPLE_RATE)
            add_panned(sound, place, (voice * loudness).astype(np.float32), across)
    return Loop(sound)


@dataclass(frozen=True, slots=True)
class _Crickets:
    """Three insects chirping in and out of step."""

    phases: tuple[float, ...]

    def read(self, start: int, count: int) -> Samples:
        time = np.arange(start, start + count, dtype=np.float64) / SAMPLE_RATE
        sides = np.zeros((CHANNELS, count), np.float32)
        for index, (pitch, phase) in enumerate(zip((4100.0, 4380.0, 4700.0), self.phases, strict=True)):
            pulse = np.clip(np.sin(math.tau * 17 * time + phase) * 3, 0, 1)
            rest = np.clip(np.sin(math.tau * (0.55 + pitch / 9000) * time + phase) * 2 + 0.6, 0, 1)
            song = (np.sin(math.tau * pitch * time) * pulse * rest * 0.014).astype(np.float32)
            pan = np.float32(index / 2)
            sides[0] += song * (np.float32(1) - np.float32(0.7) * pan)
            sides[1] += song * (np.float32(0.3) + np.float32(0.7) * pan)
        return sides


def crickets(rng: Rng, plan: ScenePlan) -> Layer:
    """Return a warm night's crickets."""
    return _Crickets(tuple(rng.u() * math.tau for _ in range(3)))
