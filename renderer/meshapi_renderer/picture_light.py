"""The light and air of a prompt, laid over a given picture: it grows dark, warm or hazy in the clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import palette, smoothstep, swatch8
from meshapi_renderer.noise import fbm
from meshapi_renderer.plan import ScenePlan, TimeOfDay, Weather
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Scratch

_GRID_LONG_SIDE: Final = 160
_TEXTURE_SIDE: Final = 256
_VEILS: Final[dict[Weather, float]] = {"fog": 0.88, "rain": 0.34, "snow": 0.40, "storm": 0.30}
"""How much of what is farthest each weather hides."""


@dataclass(frozen=True, slots=True)
class _Hour:
    """What an hour does to a picture taken in daylight."""

    gains: tuple[float, float, float]
    colour: float
    """Share of the colour that is left."""


_HOURS: Final[dict[TimeOfDay, _Hour]] = {
    "sunrise": _Hour((1.04, 0.93, 0.88), 0.95),
    "golden": _Hour((1.07, 0.97, 0.80), 1.0),
    "noon": _Hour((1.04, 1.04, 1.02), 1.0),
    "sunset": _Hour((1.05, 0.82, 0.66), 0.95),
    "dusk": _Hour((0.60, 0.60, 0.82), 0.75),
    "night": _Hour((0.30, 0.37, 0.56), 0.50),
}
_WEATHERS: Final[dict[Weather, _Hour]] = {
    "overcast": _Hour((0.90, 0.92, 0.95), 0.80),
    "rain": _Hour((0.80, 0.84, 0.88), 0.70),
    "snow": _Hour((0.95, 0.97, 1.0), 0.75),
    "storm": _Hour((0.58, 0.62, 0.68), 0.65),
}
"""What a weather does to a picture taken in fair weather."""

_DARK_MEAN: Final = 55.0
_BRIGHT_MEAN: Final = 115.0
"""Means, in levels, of pictures that are taken for night and for day already."""


class PictureLight:
    """A colour map that takes a picture towards an hour and a weather."""

    def __init__(self, picture: Bytes8, hour: TimeOfDay | None, weather: Weather) -> None:
        mean = float(picture.mean())
        day = min(1.0, max(0.0, (mean - _DARK_MEAN) / (_BRIGHT_MEAN - _DARK_MEAN)))
        # What is dark already is not darkened as much again.
        darkening = 0.25 + 0.75 * day
        strength = darkening if hour in ("dusk", "night") else 1.0
        self._map = _map(_HOURS.get(hour) if hour else None, strength) @ _map(
            _WEATHERS.get(weather), darkening
        )

    def matrix(self, share: float, gain: float) -> NDArray[np.float64]:
        """The 3x3 map of RGB at ``share`` (0 none, 1 all) of the change, times ``gain``."""
        mixed: NDArray[np.float64] = gain * (share * self._map + (1 - share) * np.eye(3))
        return mixed


def _map(look: _Hour | None, strength: float) -> NDArray[np.float64]:
    """The 3x3 map of a look by ``strength`` (0 nothing, 1 all)."""
    if look is None:
        return np.eye(3)
    grey = np.full((3, 3), (1 - look.colour) / 3)
    full: NDArray[np.float64] = np.diag(look.gains) @ (look.colour * np.eye(3) + grey)
    return strength * full + (1 - strength) * np.eye(3)


class Veil:
    """Air that hides what is far, in drifting banks."""

    def __init__(self, plan: ScenePlan, near: Floats, picture: Bytes8, rng: Rng) -> None:
        """``near`` is 0 for the farthest and 1 for the nearest pixel, at the picture's size."""
        height, width = near.shape
        scale = _GRID_LONG_SIDE / max(height, width)
        self._size = (max(2, round(width * scale)), max(2, round(height * scale)))
        far = 1 - imaging.resize(near, *self._size, imaging.AREA)
        self._most = smoothstep(0.05, 0.85, far) * np.float32(_VEILS[plan.weather])
        self._banks = imaging.Torus(fbm(_TEXTURE_SIDE, _TEXTURE_SIDE, 3, 4, rng, 0.5, aspect=0.5))
        haze = np.array(swatch8(palette("noon", plan.weather).haze), np.float32)
        # The air is as bright as the brighter part of the picture lets it be.
        level = float(np.percentile(picture, 80)) / max(float(haze.mean()), 1.0)
        red, green, blue = (haze * np.float32(min(1.05, 0.35 + 0.65 * level))).clip(0, 255)
        self._colour = (int(red), int(green), int(blue))
        self._speed = plan.speed

    def draw(self, frame: Bytes8, share: float, seconds: float, scratch: Scratch) -> None:
        """Lay ``share`` of the veil over the frame."""
        columns, rows = self._size
        x = np.arange(columns, dtype=np.float32)[None] * np.float32(1.6)
        y = np.arange(rows, dtype=np.float32)[:, None] * np.float32(1.6)
        drift = np.float32(5.0 * self._speed * seconds)
        bank = self._banks.at(x + drift, y) * np.float32(0.7) + self._banks.at(
            x * 2 - drift, y * 2
        ) * np.float32(0.5)
        density = self._most * np.clip(bank + np.float32(0.42), 0, 1.12) * np.float32(share)
        mask = (np.clip(density, 0, 1) * np.float32(255)).astype(np.uint8)
        large: Bytes8 = scratch.array("veil", frame.shape[:2])
        cv2.resize(mask, (frame.shape[1], frame.shape[0]), large, interpolation=cv2.INTER_LINEAR)
        imaging.tint(frame, large, self._colour)


def changes_light(hour: TimeOfDay | None, weather: Weather) -> bool:
    """Whether an hour that was asked for, or a weather, changes the light of a picture."""
    return hour is not None or weather in _WEATHERS


def veiled(weather: Weather) -> bool:
    """Whether a weather hides what is far."""
    return weather in _VEILS
