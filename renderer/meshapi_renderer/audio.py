"""The ambient sound bed of a scene: which sounds belong to a plan, and how they are mixed.

A bed is a pure function from sample position to samples, so that it is made block by block while the
video is encoded, with the same memory for five seconds as for sixty.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from meshapi_renderer.plan import ScenePlan, Setting
from meshapi_renderer.rng import Rng
from meshapi_renderer.sounds import air, fire, life, music, town, water
from meshapi_renderer.sounds.shaping import CHANNELS, SAMPLE_RATE, Layer, Samples

__all__ = ["CHANNELS", "SAMPLE_RATE", "Bed", "Samples"]

_FADE_SECONDS: Final = 0.35


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
    return [(_SOURCES[name](rng.sub(name), plan), gain) for name, gain in sorted(parts(plan).items())]


def parts(plan: ScenePlan) -> dict[str, float]:
    """Return the sounds that belong to a plan, by name, with their gains."""
    chosen = dict(_SETTING_PARTS[plan.setting])
    if plan.setting in _SEALED:
        return chosen
    if plan.time == "night" and "birds" in chosen:
        chosen["crickets"] = chosen.pop("birds")
    if plan.time == "night":
        chosen.pop("gulls", None)
    if plan.weather in ("rain", "storm", "snow") or plan.season == "winter":
        for animal in ("birds", "crickets", "gulls"):
            chosen.pop(animal, None)
    for name, gain in _WEATHER_PARTS.get(plan.weather, {}).items():
        chosen[name] = chosen.get(name, 0.0) + gain
    return chosen


_SETTING_PARTS: Final[dict[Setting, dict[str, float]]] = {
    "lake": {"stream": 0.6, "wind": 0.5, "birds": 1.0},
    "beach": {"waves": 1.0, "wind": 0.4, "gulls": 1.0},
    "forest": {"wind": 0.9, "birds": 0.9},
    "city": {"traffic": 1.0},
    "dunes": {"wind": 1.1, "sand": 1.0},
    "neon": {"chord": 1.0},
    "aurora": {"wind": 0.55, "shimmer": 1.3},
    "ocean": {"sea": 1.0, "wind": 0.5, "gulls": 0.5},
    "sky": {"high wind": 1.0, "chord": 0.30},
    "space": {"drone": 1.0, "shimmer": 0.7},
    "underwater": {"deep": 1.0, "bubbles": 1.2},
    "fire": {"crackle": 1.6, "wind": 0.2, "birds": 0.4},
    "street": {"wet street": 1.0},
    "meadow": {"wind": 0.6, "birds": 1.2},
    "studio": {"plucks": 2.8, "chord": 0.6},
    "waterfall": {"cascade": 1.0, "birds": 0.6},
}
_SEALED: Final = frozenset({"space", "sky", "underwater", "studio"})
"""Settings that hear nothing of the weather or the season."""
_WEATHER_PARTS: Final[dict[str, dict[str, float]]] = {
    "rain": {"rain": 1.0},
    "storm": {"rain": 0.8, "wind": 0.6, "thunder": 0.8},
    "snow": {"wind": 0.3},
}
_SOURCES: Final[dict[str, Callable[[Rng, ScenePlan], Layer]]] = {
    "wind": air.wind,
    "sand": air.sand,
    "high wind": air.high_wind,
    "rain": air.rain,
    "thunder": air.thunder,
    "stream": water.stream,
    "waves": water.waves,
    "sea": water.sea,
    "cascade": water.cascade,
    "deep": water.deep,
    "bubbles": water.bubbles,
    "birds": life.birds,
    "gulls": life.gulls,
    "crickets": life.crickets,
    "traffic": town.traffic,
    "wet street": town.wet_street,
    "crackle": fire.crackle,
    "chord": music.chord,
    "drone": music.drone,
    "shimmer": music.shimmer,
    "plucks": music.plucks,
}
