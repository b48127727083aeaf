"""What lies under the drone: sand, scrub and the sea floor through the water, as albedo.

Colours are linear albedo before any light. The sea absorbs red first (Beer-Lambert law), so sand under
growing depth turns turquoise and then blue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import linear, mix, rgb, smoothstep
from meshapi_renderer.elements.coast import Coast, sample

_ABSORPTION = rgb(5.2, 0.95, 0.70)
"""Per unit of optical depth, red, green and blue."""
SCRUB_FROM = 0.225
"""Units inland where plants begin, on average."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Albedo (h, w, 3) and three masks (h, w) in [0, 1]."""

    albedo: Floats
    sea: Floats
    """Permanently under water."""
    wet: Floats
    """Sand that the waves reach."""
    relief: Floats
    """Height of small sand forms, for shading."""


def paint_ground(coast: Coast, x: Floats, y: Floats, snow: float) -> Ground:
    """The ground at points (x, y) in units, shape (h, w); ``snow`` is how much of it is covered, 0 to 1."""
    along, across = coast.locate(x, y)
    inland = coast.inland(along, across)

    def look(texture: Floats, scale: float, offset: float = 0.0) -> Floats:
        shift = np.float32(offset)
        return sample(texture, along * np.float32(scale) + shift, across * np.float32(scale) + shift)

    forms = look(coast.middle, 0.8, 0.6)
    sand = _sand(coast, look, along, across, inland, forms)
    land = _with_scrub(coast, look, sand, inland)
    if snow > 0:
        cover = smoothstep(0.045, 0.085, inland + (look(coast.fine, 3.0) - 0.5) * 0.03)
        drifts = 0.75 + 0.35 * look(coast.fine, 7.0, 0.2)
        land = mix(land, rgb(0.80, 0.84, 0.90) * drifts[..., None], (cover * np.float32(snow))[..., None])
    floor = _sea_floor(coast, look, sand, inland)
    sea = smoothstep(0.004, -0.034, inland)
    wet = smoothstep(0.048, 0.022, inland + (look(coast.fine, 2.0, 0.1) - 0.5) * 0.012)
    return Ground(mix(land, floor, sea[..., None]), sea, wet, forms)


class _Look(Protocol):
    """Looks a texture up at the points being painted, at a scale and an offset."""

    def __call__(self, texture: Floats, scale: float, offset: float = 0.0) -> Floats: ...


def _sand(coast: Coast, look: _Look, along: Floats, across: Floats, inland: Floats, forms: Floats) -> Floats:
    grain = look(coast.fine, 6) * np.float32(0.5) + look(coast.fine, 17, 0.3) * np.float32(0.5)
    tone = grain * np.float32(0.7) + look(coast.middle, 1.2) * np.float32(0.5)
    sand = mix(linear("d3b486"), linear("f2dfb8"), tone[..., None])
    bend = (look(coast.middle, 2) - np.float32(0.5)) * np.float32(26)
    ripples = np.sin(across * np.float32(260) + bend) * smoothstep(0.07, 0.16, inland)
    pits = (look(coast.fine, 41, 0.7) > np.float32(0.80)) * np.float32(0.07)
    shade = (0.97 + 0.035 * ripples - pits) * (0.84 + 0.36 * forms)
    sand = sand * shade[..., None]
    # The line of weed and shells that the last high tide left.
    line = (
        sample(coast.middle, along * np.float32(1.6), across * np.float32(0.2) + np.float32(0.2)) - 0.5
    ) * 0.05
    wrack = np.exp(-(((inland - np.float32(0.085) - line) / np.float32(0.0045)) ** 2))
    wrack *= smoothstep(0.48, 0.72, look(coast.fine, 2.5)) * smoothstep(0.35, 0.6, look(coast.fine, 19, 0.1))
    return mix(sand, linear("5a4630"), (wrack * np.float32(0.7))[..., None])


def _with_scrub(coast: Coast, look: _Look, sand: Floats, inland: Floats) -> Floats:
    """Grass and low bushes inland, ragged at the edge, darker where they are dense."""
    ragged = (look(coast.middle, 1.5, 0.35) - np.float32(0.5)) * np.float32(0.22)
    tufts = (look(coast.fine, 2.6, 0.45) - np.float32(0.5)) * np.float32(0.10)
    dense = smoothstep(SCRUB_FROM - 0.012, SCRUB_FROM + 0.05, inland + ragged + tufts)
    leaf = look(coast.fine, 5.0, 0.15) * np.float32(0.6) + look(coast.fine, 13.0, 0.55) * np.float32(0.4)
    clump = look(coast.middle, 3.0, 0.8)
    green = mix(linear("2f4a1f"), linear("8fa653"), np.clip(leaf * 1.9 - 0.5, 0, 1)[..., None])
    dry = mix(green, linear("b09a5a"), (smoothstep(0.5, 0.75, clump) * np.float32(0.55))[..., None])
    return mix(sand, dry * np.float32(0.85), (dense * np.float32(0.93))[..., None])


def _sea_floor(coast: Coast, look: _Look, sand: Floats, inland: Floats) -> Floats:
    """Sand, reef and weed seen through the water."""
    depth = -inland
    banks = (look(coast.broad, 1.3, 0.2) - np.float32(0.5)) * np.float32(0.40) * smoothstep(0.0, 0.22, depth)
    optical = np.clip(depth * np.float32(3.3) + banks, 0, 4)
    reef = smoothstep(0.54, 0.70, look(coast.middle, 0.9, 0.4)) * smoothstep(0.08, 0.2, depth)
    speckle = np.float32(0.55) + np.float32(0.45) * smoothstep(0.4, 0.6, look(coast.fine, 3.2, 0.25))
    pale = mix(sand, linear("f1ead8"), 0.45)
    bottom = mix(pale * np.float32(0.95), linear("37564a"), (reef * speckle * np.float32(0.8))[..., None])
    through = np.exp(optical[..., None] * (_ABSORPTION * np.float32(-1.15)))
    deep = mix(linear("12b3c2"), linear("05478a"), smoothstep(0.15, 1.4, optical)[..., None])
    return np.asarray(bottom * through + deep * (1 - through) * np.float32(0.82), np.float32)
