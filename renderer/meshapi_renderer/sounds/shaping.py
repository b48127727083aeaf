"""How sounds are made: shaped noise on a circle, slow swells, single events on a circle.

A noise shaped as a circle repeats without a seam, and slow random swells over it hide that it repeats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from meshapi_renderer.rng import Rng

SAMPLE_RATE: Final = 48_000
CHANNELS: Final = 2
NOISE_LOOP: Final = 1 << 19
EVENT_LOOP: Final = 1 << 20

Samples: TypeAlias = NDArray[np.float32]
"""Shape (2, count): left and right."""
Mono: TypeAlias = NDArray[np.float32]


class Layer(Protocol):
    """One sound of a bed."""

    def read(self, start: int, count: int) -> Samples:
        """Return samples start..start+count. Pure: any order, any block size, the same samples."""
        ...


@dataclass(frozen=True, slots=True)
class Swell:
    """A smooth random gain over time: `rate` new values a second between low and high."""

    values: Mono
    rate: float
    low: float
    high: float

    @classmethod
    def make(cls, rng: Rng, rate: float, low: float, high: float) -> Swell:
        """Return a swell of random values."""
        return cls(rng.u(1024).astype(np.float32), rate, low, high)

    def read(self, start: int, count: int) -> Mono:
        """Return the gain of samples start..start+count."""
        position = np.arange(start, start + count, dtype=np.float64) * (self.rate / SAMPLE_RATE)
        index = np.floor(position).astype(np.int64)
        share = (position - index).astype(np.float32)
        share *= share * (np.float32(3) - np.float32(2) * share)
        here, following = self.values[index % 1024], self.values[(index + 1) % 1024]
        gain: Mono = np.float32(self.low) + np.float32(self.high - self.low) * (
            here + (following - here) * share
        )
        return gain


@dataclass(frozen=True, slots=True)
class Loop:
    """A circle of sound, under one swell for both sides or without."""

    sound: Samples
    swell: Swell | None = None

    def read(self, start: int, count: int) -> Samples:
        """Return samples start..start+count of the circle."""
        length = self.sound.shape[1]
        index = np.arange(start, start + count) % length
        block = self.sound[:, index]
        if self.swell is not None:
            block *= self.swell.read(start, count)
        return block


@dataclass(frozen=True, slots=True)
class Mix:
    """Layers added up."""

    layers: tuple[Layer, ...]

    def read(self, start: int, count: int) -> Samples:
        """Return the sum of samples start..start+count."""
        sides = np.zeros((CHANNELS, count), np.float32)
        for layer in self.layers:
            sides += layer.read(start, count)
        return sides


def noise(rng: Rng, low: float, high: float, slope: float, rms: float) -> Samples:
    """Return a circle of noise between two frequencies in Hz, the same loudness on both sides."""
    sides = [shaped(rng.sub(side).u(NOISE_LOOP) * 2 - 1, low, high, slope) for side in ("left", "right")]
    return np.stack([levelled(side, rms) for side in sides])


def shaped(sound: Mono, low: float, high: float, slope: float) -> Mono:
    """Pass a circle of sound through a band; `slope` is the steepness of its flanks."""
    spectrum = np.fft.rfft(sound.astype(np.float64))
    frequency = np.maximum(np.fft.rfftfreq(sound.size, 1 / SAMPLE_RATE), 1.0)
    band = 1 / (1 + (low / frequency) ** (4 * slope)) / (1 + (frequency / high) ** (4 * slope))
    return np.fft.irfft(spectrum * band, sound.size).astype(np.float32)


def levelled(sound: Mono, rms: float) -> Mono:
    """Return a sound at that loudness."""
    level = math.sqrt(float(np.mean(np.square(sound, dtype=np.float64))))
    evened: Mono = sound * np.float32(rms / (level + 1e-9))
    return evened


def add_circular(circle: Mono, start: int, sound: Mono) -> None:
    """Add a sound to a circle in place, around its end where it reaches so far."""
    length = circle.size
    start %= length
    head = min(sound.size, length - start)
    circle[start : start + head] += sound[:head]
    circle[: sound.size - head] += sound[head:]


def add_panned(circle: Samples, start: int, sound: Mono, across: float) -> None:
    """Add a sound at a place between left (0) and right (1) to a circle in place."""
    add_circular(circle[0], start, sound * np.float32(1 - 0.8 * across))
    add_circular(circle[1], start, sound * np.float32(0.2 + 0.8 * across))
