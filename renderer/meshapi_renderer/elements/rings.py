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


def draw_rings(
    radius: float, tilt: float, opening: float, light: tuple[float, float, float], rng: Rng
) -> tuple[Bytes8, Bytes8, Bytes8]:
    """(colour, coverage behind the globe, coverage before it), on a square of 2.3 planet diameters.

    ``opening`` is the sine of the angle the rings are seen at; colours are display bytes, not premultiplied.
    """
    side = 2 * math.ceil(radius * (_OUTER + 0.05))
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    x = (x + np.float32(0.5 - side / 2)) / np.float32(radius)
    y = (np.float32(side / 2 - 0.5) - y) / np.float32(radius)
    cosine, sine = np.float32(math.cos(tilt)), np.float32(math.sin(tilt))
    across, up = x * cosine + y * sine, y * cosine - x * sine
    away = up / np.float32(opening)
    distance = np.sqrt(across * across + away * away)
    share = (distance - np.float32(_INNER)) / np.float32(_OUTER - _INNER)
    index = np.clip(share * np.float32(_SAMPLES - 1), 0, _SAMPLES - 1).astype(np.int32)
    density, tone = _profile(rng)
    edge = smoothstep(-0.01, 0.02, share) * smoothstep(1.01, 0.98, share)
    cover = density[index] * edge
    colour = mix(linear("7a5a40"), linear("ffe8c8"), tone[index][..., None])
    colour = colour * (1 - _shadow(across, away, opening, light)[..., None] * np.float32(0.9))
    behind = np.where(up > 0, cover, 0)
    before = np.where(up > 0, 0, cover)
    return (
        to8(colour * np.float32(0.8)),
        (behind * 255).astype(np.uint8),
        (before * 255).astype(np.uint8),
    )


def _profile(rng: Rng) -> tuple[Floats, Floats]:
    """Density and tone from the inner to the outer edge."""
    coarse = line_noise(_SAMPLES, 7, 4, rng.sub("coarse"), 0.6)
    fine = line_noise(_SAMPLES, 60, 3, rng.sub("fine"), 0.6)
    density = smoothstep(0.25, 0.65, coarse * np.float32(0.7) + fine * np.float32(0.35))
    place = np.linspace(0, 1, _SAMPLES, dtype=np.float32)
    gap = 1 - np.exp(-(((place - np.float32(0.62)) / np.float32(0.035)) ** 2)) * np.float32(0.95)
    return density * gap * np.float32(0.88), np.clip(coarse * np.float32(0.8) + fine * np.float32(0.4), 0, 1)


def _shadow(across: Floats, away: Floats, opening: float, light: tuple[float, float, float]) -> Floats:
    """Where the globe stands between the sun and the rings, 0 to 1."""
    # The rings' own plane: x across, z away; the sun's direction in it.
    tall = math.sqrt(max(0.0, 1 - opening * opening))
    sun_x = light[0]
    sun_z = -light[2] * tall + light[1] * opening
    norm = math.hypot(sun_x, sun_z) or 1.0
    ahead = across * np.float32(sun_x / norm) + away * np.float32(sun_z / norm)
    side = np.abs(across * np.float32(sun_z / norm) - away * np.float32(sun_x / norm))
    return np.where(ahead < 0, smoothstep(1.04, 0.94, side), np.float32(0))


def lay_rings(window: Bytes8, colour: Bytes8, cover: Bytes8) -> None:
    """Blend rings over a window of the same size, in place."""
    premultiplied = (colour.astype(np.uint16) * cover[..., None] // 255).astype(np.uint8)
    imaging.over(window, premultiplied, imaging.triple(255 - cover))
