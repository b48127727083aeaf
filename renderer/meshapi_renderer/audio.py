"""The ambient sound bed of a scene: wind, water, birds, rain, traffic or a slow chord.

A bed is a pure function from sample position to samples, so that it is made block by block while the
video is encoded, with the same memory for five seconds as for sixty. Noises are shaped once in the
frequency domain; a noise shaped as a circle repeats without a seam, and slow random swells over it hide
that it repeats.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from meshapi_renderer.plan import ScenePlan
from meshapi_renderer.rng import Rng

SAMPLE_RATE: Final = 48_000
CHANNELS: Final = 2

_NOISE_LOOP: Final = 1 << 19
_EVENT_LOOP: Final = 1 << 20
_FADE_SECONDS: Final = 0.35

Samples: TypeAlias = NDArray[np.float32]
"""Shape (2, count): left and right."""
Mono: TypeAlias = NDArray[np.float32]


class Layer(Protocol):
    """One sound of a bed."""

    def read(self, start: int, count: int) -> Samples:
        """Return samples start..start+count. Pure: any order, any block size, the same samples."""
        ...


class Bed:
    """The mixed sound of one clip, faded in and out, with a soft ceiling at 0.8."""

    def __init__(self, plan: ScenePlan, sample_count: int, rng: Rng) -> None:
        self.sample_count = sample_count
        self._layers = _layers(plan, rng)
        self._fade = max(1, min(int(_FADE_SECONDS * SAMPLE_RATE), sample_count // 4))

    def read(self, start: int, count: int) -> Samples:
        """Return samples start..start+count of the clip; shorter at its end."""
        count = max(0, min(count, self.sample_count - start))
        mix = np.zeros((CHANNELS, count), np.float32)
        for layer, gain in self._layers:
            mix += layer.read(start, count) * np.float32(gain)
        position = np.arange(start, start + count, dtype=np.float32)
        edge = np.minimum(position, np.float32(self.sample_count - 1) - position)
        fade = np.clip(edge * np.float32(1 / self._fade), 0, 1)
        faded: Samples = np.tanh(mix * np.float32(1.4)) * (np.float32(0.8) * fade)
        return faded


def _layers(plan: ScenePlan, rng: Rng) -> list[tuple[Layer, float]]:
    """Return the layers of a plan with their gains."""
    parts = dict(_SETTING_PARTS[plan.setting])
    if plan.time == "night" and "birds" in parts:
        parts["crickets"] = parts.pop("birds")
    if plan.weather in ("rain", "storm", "snow") or plan.season == "winter":
        parts.pop("birds", None)
        parts.pop("crickets", None)
    for name, gain in _WEATHER_PARTS.get(plan.weather, {}).items():
        parts[name] = parts.get(name, 0.0) + gain
    return [(_SOURCES[name](rng.sub(name)), gain) for name, gain in sorted(parts.items())]


_SETTING_PARTS: Final[dict[str, dict[str, float]]] = {
    "lake": {"stream": 0.6, "wind": 0.5, "birds": 1.0},
    "beach": {"waves": 1.0, "wind": 0.4, "birds": 0.3},
    "forest": {"wind": 0.9, "birds": 0.9},
    "city": {"traffic": 1.0},
    "dunes": {"wind": 1.2},
    "neon": {"chord": 1.0},
    "aurora": {"wind": 0.7, "chord": 0.45},
    "ocean": {"waves": 1.0, "wind": 0.5},
    "sky": {"wind": 0.9, "chord": 0.4},
    "space": {"chord": 1.0, "wind": 0.25},
    "underwater": {"chord": 0.8, "stream": 0.5},
    "fire": {"wind": 0.8},
    "street": {"traffic": 0.9},
    "meadow": {"wind": 0.7, "birds": 1.1},
    "studio": {"chord": 0.8},
    "waterfall": {"stream": 1.0, "birds": 0.6},
}
_WEATHER_PARTS: Final[dict[str, dict[str, float]]] = {
    "rain": {"rain": 1.0},
    "storm": {"rain": 0.8, "wind": 0.6, "thunder": 0.8},
    "snow": {"wind": 0.3},
}


@dataclass(frozen=True, slots=True)
class _Swell:
    """A smooth random gain over time: `rate` new values a second between low and high."""

    values: Mono
    rate: float
    low: float
    high: float

    @classmethod
    def make(cls, rng: Rng, rate: float, low: float, high: float) -> _Swell:
        return cls(rng.u(1024).astype(np.float32), rate, low, high)

    def read(self, start: int, count: int) -> Mono:
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
class _Loop:
    """A circle of sound, under one swell for both sides or without."""

    sound: Samples
    swell: _Swell | None = None

    def read(self, start: int, count: int) -> Samples:
        length = self.sound.shape[1]
        index = np.arange(start, start + count) % length
        block = self.sound[:, index]
        if self.swell is not None:
            block *= self.swell.read(start, count)
        return block


@dataclass(frozen=True, slots=True)
class _Mix:
    """Layers added up."""

    layers: tuple[Layer, ...]

    def read(self, start: int, count: int) -> Samples:
        sides = np.zeros((CHANNELS, count), np.float32)
        for layer in self.layers:
            sides += layer.read(start, count)
        return sides


def _noise(rng: Rng, low: float, high: float, slope: float, rms: float) -> Samples:
    """Return a circle of noise between two frequencies in Hz, the same loudness on both sides."""
    sides = [_shaped(rng.sub(side).u(_NOISE_LOOP) * 2 - 1, low, high, slope) for side in ("left", "right")]
    return np.stack([_levelled(side, rms) for side in sides])


def _shaped(sound: Mono, low: float, high: float, slope: float) -> Mono:
    """Pass a circle of sound through a band; `slope` is the steepness of its flanks."""
    spectrum = np.fft.rfft(sound.astype(np.float64))
    frequency = np.maximum(np.fft.rfftfreq(sound.size, 1 / SAMPLE_RATE), 1.0)
    band = 1 / (1 + (low / frequency) ** (4 * slope)) / (1 + (frequency / high) ** (4 * slope))
    return np.fft.irfft(spectrum * band, sound.size).astype(np.float32)


def _levelled(sound: Mono, rms: float) -> Mono:
    level = math.sqrt(float(np.mean(np.square(sound, dtype=np.float64))))
    levelled: Mono = sound * np.float32(rms / (level + 1e-9))
    return levelled


def _wind(rng: Rng) -> Layer:
    low = _Loop(_noise(rng.sub("low"), 90, 420, 0.6, 0.10), _Swell.make(rng.sub("swell"), 0.45, 0.3, 1.0))
    high = _Loop(_noise(rng.sub("high"), 500, 1600, 0.5, 0.018), _Swell.make(rng.sub("gusts"), 0.6, 0.1, 1.0))
    return _Mix((low, high))


def _stream(rng: Rng) -> Layer:
    bright = _Loop(
        _noise(rng.sub("bright"), 400, 3500, 0.5, 0.05), _Swell.make(rng.sub("bubble"), 6, 0.55, 1.0)
    )
    return _Mix((bright, _Loop(_noise(rng.sub("deep"), 120, 500, 0.7, 0.03))))


@dataclass(frozen=True, slots=True)
class _Waves:
    """Breakers: a deep wash that swells and falls, and hiss on its crest."""

    wash: Samples
    hiss: Samples
    period: float = 6.6

    def read(self, start: int, count: int) -> Samples:
        angle = np.arange(start, start + count) * (math.tau / self.period / SAMPLE_RATE) + 0.5
        height = (0.5 + 0.5 * np.sin(angle)) ** 2.2 * 0.9 + 0.14
        rise = height.astype(np.float32)
        sides = _Loop(self.wash).read(start, count)
        sides += _Loop(self.hiss).read(start, count) * rise
        sides *= rise
        return sides


def _waves(rng: Rng) -> Layer:
    wash = _noise(rng.sub("wash"), 180, 1500, 0.5, 0.15)
    return _Waves(wash, _noise(rng.sub("hiss"), 1500, 7000, 0.5, 0.05))


def _rain(rng: Rng) -> Layer:
    sound = _noise(rng.sub("fall"), 900, 9000, 0.4, 0.075)
    drops = rng.sub("drops")
    time = np.arange(260, dtype=np.float32)
    for _ in range(int(90 * sound.shape[1] / SAMPLE_RATE)):
        place, pitch, side = drops.u(), drops.u(), drops.integer(CHANNELS)
        drop = np.sin(time * np.float32(0.12 + 0.3 * pitch)) * np.exp(time * np.float32(-1 / 40))
        _add_circular(sound[side], int(place * sound.shape[1]), drop * np.float32(0.10 * pitch**3))
    return _Loop(sound)


def _thunder(rng: Rng) -> Layer:
    """Return rolling thunder, the first clap within three seconds."""
    sound = np.zeros((CHANNELS, _EVENT_LOOP), np.float32)
    time = np.arange(int(4.5 * SAMPLE_RATE), dtype=np.float32) / SAMPLE_RATE
    for clap in range(3):
        draw = rng.sub(f"clap {clap}")
        start = int((0.4 + 7.0 * clap + 2.4 * draw.u()) * SAMPLE_RATE)
        envelope = np.minimum(time / np.float32(0.05), 1) * np.exp(-time / np.float32(draw.uniform(0.9, 1.6)))
        rumble = _shaped(draw.u(time.size) * 2 - 1, 25, 140, 0.7)
        roll = (
            _levelled(rumble, 0.26) * envelope * _Swell.make(draw.sub("roll"), 5, 0.3, 1.0).read(0, time.size)
        )
        for side in range(CHANNELS):
            _add_circular(sound[side], start + 400 * side, roll)
    return _Loop(sound)


def _birds(rng: Rng) -> Layer:
    """Return sparse calls of a few notes each, somewhere between left and right."""
    sound = np.zeros((CHANNELS, _EVENT_LOOP), np.float32)
    for _ in range(int(0.9 * _EVENT_LOOP / SAMPLE_RATE)):
        start, pitch = rng.integer(_EVENT_LOOP), rng.uniform(2200, 4800)
        loudness, pan, sweep = rng.uniform(0.02, 0.08), rng.u(), rng.uniform(0.5, 1.5)
        for note in range(1 + rng.integer(4)):
            tone = _chirp(pitch, rng.uniform(0.05, 0.13), sweep) * np.float32(loudness)
            place = start + int(0.16 * note * SAMPLE_RATE)
            _add_circular(sound[0], place, tone * np.float32(1 - 0.8 * pan))
            _add_circular(sound[1], place, tone * np.float32(0.2 + 0.8 * pan))
    return _Loop(sound)


def _chirp(pitch: float, seconds: float, sweep: float) -> Mono:
    share = np.linspace(0, 1, int(seconds * SAMPLE_RATE), dtype=np.float64)
    frequency = pitch * (1 + 0.25 * np.sin(math.tau * share * sweep))
    phase = np.cumsum(frequency) * (math.tau / SAMPLE_RATE)
    return (np.sin(phase) * np.sin(math.pi * share) ** 1.5).astype(np.float32)


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


def _crickets(rng: Rng) -> Layer:
    return _Crickets(tuple(rng.u() * math.tau for _ in range(3)))


@dataclass(frozen=True, slots=True)
class _Hum:
    """Low tones of a town far below."""

    def read(self, start: int, count: int) -> Samples:
        time = np.arange(start, start + count, dtype=np.float64) * (math.tau / SAMPLE_RATE)
        tone = sum(np.sin(pitch * time + pitch) for pitch in (55.0, 110.4, 164.6))
        return np.broadcast_to(np.asarray(tone * 0.012, np.float32), (CHANNELS, count))


def _traffic(rng: Rng) -> Layer:
    """Return a city's rumble with cars passing from one side to the other."""
    passing = np.zeros((CHANNELS, _EVENT_LOOP), np.float32)
    for index in range(13):
        draw = rng.sub(f"car {index}")
        size = int(draw.uniform(1.4, 3.0) * SAMPLE_RATE)
        share = np.linspace(0, 1, size, dtype=np.float32)
        sound = _levelled(_shaped(draw.u(size) * 2 - 1, 250, 1400, 0.5), draw.uniform(0.03, 0.07))
        sound *= np.sin(np.float32(math.pi) * share) ** 3
        across = share if draw.u() < 0.5 else 1 - share
        start = int((index + draw.u()) / 13 * _EVENT_LOOP)
        _add_circular(passing[0], start, sound * (1 - np.float32(0.8) * across))
        _add_circular(passing[1], start, sound * (np.float32(0.2) + np.float32(0.8) * across))
    return _Mix((_Loop(_noise(rng.sub("rumble"), 50, 260, 0.8, 0.09)), _Loop(passing), _Hum()))


@dataclass(frozen=True, slots=True)
class _Chord:
    """Slow chords of detuned sines, one flowing into the next."""

    root: float
    chords: tuple[tuple[float, ...], ...] = (
        (1.0, 1.25, 1.5, 1.875),
        (0.8909, 1.125, 1.3348, 1.6818),
        (0.75, 0.9375, 1.125, 1.5),
    )
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


def _chord(rng: Rng) -> Layer:
    return _Chord(root=110.0 * 2 ** (rng.integer(5) / 12))


def _add_circular(circle: Mono, start: int, sound: Mono) -> None:
    """Add a sound to a circle in place, around its end where it reaches so far."""
    length = circle.size
    start %= length
    head = min(sound.size, length - start)
    circle[start : start + head] += sound[:head]
    circle[: sound.size - head] += sound[head:]


_SOURCES: Final[dict[str, Callable[[Rng], Layer]]] = {
    "wind": _wind,
    "stream": _stream,
    "waves": _waves,
    "rain": _rain,
    "thunder": _thunder,
    "birds": _birds,
    "crickets": _crickets,
    "traffic": _traffic,
    "chord": _chord,
}
