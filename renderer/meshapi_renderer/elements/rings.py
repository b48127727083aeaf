"""Rings around a planet: a flat disc of bands seen aslant, half before the globe and half behind it."""

from __future__ import annotations

import math

import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import linear, mix, smoothstep, to8
from meshapi_renderer.noise import line_noise
from meshapi_renderer.rng import Rng

_INNER, _OUTER = 1.28, 2.25
"""Radii over the planet's."""
_SAMPLES = 1024
_GRAZING = 0.02
"""Height of the sun over the rings, as a sine, below which their shadow is a line nobody sees."""


class Rings:
    """The rings of one globe, in units of its radius, as they lie to the viewer and to the sun."""

    def __init__(self, tilt: float, opening: float, light: tuple[float, float, float], rng: Rng) -> None:
        """``tilt`` turns them in the picture (radians); ``opening`` is the sine of the angle of the view.

        ``light`` is the unit vector to the sun: right, up, towards the viewer.
        """
        self._cosine, self._sine = np.float32(math.cos(tilt)), np.float32(math.sin(tilt))
        self._opening = np.float32(opening)
        self._tall = np.float32(math.sqrt(max(0.0, 1 - opening * opening)))
        x, y, z = (np.float32(part) for part in light)
        self._sun = x * self._cosine + y * self._sine, y * self._cosine - x * self._sine, z
        self._density, self._tone = _profile(rng)

    def draw(self, radius: float) -> tuple[Bytes8, Bytes8, Bytes8]:
        """(colour, coverage behind the globe, coverage before it), on a square of 2.3 planet diameters.

        ``radius`` is the globe's in pixels; colours are display bytes, not premultiplied.
        """
        side = 2 * math.ceil(radius * (_OUTER + 0.05))
        y, x = np.mgrid[0:side, 0:side].astype(np.float32)
        x = (x + np.float32(0.5 - side / 2)) / np.float32(radius)
        y = (np.float32(side / 2 - 0.5) - y) / np.float32(radius)
        across, up = x * self._cosine + y * self._sine, y * self._cosine - x * self._sine
        away = up / self._opening
        cover, tone = self._bands(np.sqrt(across * across + away * away))
        colour = mix(linear("7a5a40"), linear("ffe8c8"), tone[..., None])
        shadow = self._globe_shadow(across, away)
        colour = colour * (1 - shadow[..., None] * np.float32(0.96))
        # What is not lit is hardly there: it hides only some of the sky behind it.
        cover = cover * (1 - shadow * np.float32(0.55))
        behind = np.where(up > 0, cover, 0)
        before = np.where(up > 0, 0, cover)
        return (
            to8(colour * np.float32(0.8)),
            (behind * 255).astype(np.uint8),
            (before * 255).astype(np.uint8),
        )

    def shade_globe(self, x: Floats, y: Floats, z: Floats) -> Floats:
        """How much of the sun the rings keep from points of the globe, 0 to 1; to the viewer is ``z``."""
        across, up = x * self._cosine + y * self._sine, y * self._cosine - x * self._sine
        sun_across, sun_up, sun_out = self._sun
        # The rings lie where height over their plane is 0; the way there along the sunlight is `reach`.
        rising = sun_up * self._tall + sun_out * self._opening
        if abs(float(rising)) < _GRAZING:
            return np.zeros_like(across)
        reach = -(up * self._tall + z * self._opening) / rising
        hit = (across + reach * sun_across, up + reach * sun_up, z + reach * sun_out)
        density, _ = self._bands(np.sqrt(hit[0] * hit[0] + hit[1] * hit[1] + hit[2] * hit[2]))
        return np.where(reach > 0, density, np.float32(0))

    def _bands(self, distance: Floats) -> tuple[Floats, Floats]:
        """Density and tone at distances from the globe's middle."""
        share = (distance - np.float32(_INNER)) / np.float32(_OUTER - _INNER)
        index = np.clip(share * np.float32(_SAMPLES - 1), 0, _SAMPLES - 1).astype(np.int32)
        edge = smoothstep(-0.01, 0.02, share) * smoothstep(1.01, 0.98, share)
        return self._density[index] * edge, self._tone[index]

    def _globe_shadow(self, across: Floats, away: Floats) -> Floats:
        """Where the globe stands between the sun and the rings, 0 to 1: a cylinder of its own outline."""
        up, out = away * self._opening, -away * self._tall
        sun_across, sun_up, sun_out = self._sun
        ahead = across * sun_across + up * sun_up + out * sun_out
        off = np.sqrt(np.maximum(across * across + away * away - ahead * ahead, 0))
        # The edge grows softer with the distance from the globe.
        soft = np.float32(0.03) + np.float32(0.05) * np.maximum(-ahead, 0)
        share = np.clip((1 - off) / soft * np.float32(0.5) + np.float32(0.5), 0, 1)
        return np.where(ahead < 0, share * share * (3 - 2 * share), np.float32(0))


def _profile(rng: Rng) -> tuple[Floats, Floats]:
    """Density and tone from the inner to the outer edge."""
    coarse = line_noise(_SAMPLES, 7, 4, rng.sub("coarse"), 0.6)
    fine = line_noise(_SAMPLES, 60, 3, rng.sub("fine"), 0.6)
    density = smoothstep(0.25, 0.65, coarse * np.float32(0.7) + fine * np.float32(0.35))
    place = np.linspace(0, 1, _SAMPLES, dtype=np.float32)
    gap = 1 - np.exp(-(((place - np.float32(0.62)) / np.float32(0.035)) ** 2)) * np.float32(0.95)
    return density * gap * np.float32(0.88), np.clip(coarse * np.float32(0.8) + fine * np.float32(0.4), 0, 1)


def lay_rings(window: Bytes8, colour: Bytes8, cover: Bytes8) -> None:
    """Blend rings over a window of the same size, in place."""
    premultiplied = (colour.astype(np.uint16) * cover[..., None] // 255).astype(np.uint8)
    imaging.over(window, premultiplied, imaging.triple(255 - cover))
