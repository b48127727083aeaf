"""The still part of a beach, lit and baked: ground, shadows, parasols, trunks and lamps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import linear, mix, to8
from meshapi_renderer.elements.beach_ground import Ground, paint_ground
from meshapi_renderer.elements.beach_light import BeachLight
from meshapi_renderer.elements.coast import Coast, points_in_units
from meshapi_renderer.elements.grove import Palm, cast_shadows, paint_trunks
from meshapi_renderer.elements.palms import Crown
from meshapi_renderer.elements.parasols import Parasol, paint_parasols, shade_parasols

_BAND = 192
"""Rows painted at a time: floats of a whole large frame would not fit the memory budget."""
_TREE_HEIGHT = 1.0
"""Height of a crown over the ground, in crown radii."""
_LAMP_REACH = 0.055
_EVERY_LAMP = 3
"""One palm in so many has a lamp at its foot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BeachSite:
    """Where things stand; palms and parasols are in pixels of the layer, which has ``rows`` x ``columns``."""

    rows: int
    columns: int
    unit: float
    coast: Coast
    palms: list[Palm]
    crowns: tuple[Crown, ...]
    parasols: list[Parasol]
    bearing: float
    """Where shadows point, radians from +x."""
    snow: float


def bake_beach(site: BeachSite, light: BeachLight) -> Bytes8:
    """The lit ground as display bytes, (rows, columns, 3)."""
    shadow = _shadows(site, light)
    picture = np.empty((site.rows, site.columns, 3), np.uint8)
    # A band is painted with a few rows above and below, so that slopes and outlines do not show its ends.
    for first in range(0, site.rows, _BAND):
        last = min(site.rows, first + _BAND)
        above = 2 if first else 0
        below = 2 if last < site.rows else 0
        lit = _paint_band(site, light, shadow[first - above : last + below], first - above)
        picture[first:last] = to8(lit[above : above + last - first])
    return picture


def _shadows(site: BeachSite, light: BeachLight) -> Bytes8:
    shadow = np.zeros((site.rows, site.columns), np.uint8)
    cast_shadows(shadow, site.palms, site.crowns, light.shadow, _TREE_HEIGHT)
    shade_parasols(shadow, site.parasols, light.shadow)
    return imaging.gaussian(shadow, max(0.5, 0.0012 * site.unit))


def _paint_band(site: BeachSite, light: BeachLight, shadow: Bytes8, first: int) -> Floats:
    """Linear light of the rows that ``shadow`` covers, from row ``first`` on."""
    rows = shadow.shape[0]
    x, y = points_in_units(rows, site.columns, site.unit, first - (site.rows - rows) / 2)
    ground = paint_ground(site.coast, x, y, site.snow)
    albedo = ground.albedo * (1 - np.float32(0.20) * ground.wet * (1 - ground.sea))[..., None]
    albedo = np.ascontiguousarray(albedo, np.float32)
    paint_trunks(albedo, [palm.placed(1.0, 0.0, -first) for palm in site.palms])
    paint_parasols(albedo, [parasol.moved(-first) for parasol in site.parasols], site.bearing + math.pi)
    # Water blurs and lightens what falls on its bed.
    depth = shadow.astype(np.float32) * np.float32(1 / 255) * (1 - np.float32(0.6) * ground.sea)
    beam = mix(light.colour, light.water, ground.sea[..., None])
    shaded = mix(1.0, light.shade, depth[..., None]) * beam
    slope = cv2.Sobel(ground.relief, cv2.CV_32F, 1, 1, ksize=3, scale=site.unit / 1280.0)
    shaded = shaded * (1 - np.clip(slope * np.float32(6), -0.12, 0.12) * (1 - ground.sea))[..., None]
    lit = albedo * (shaded + _lamp_light(site, light, x, y))
    return _with_sky(lit, ground, light, x, y)


def _with_sky(lit: Floats, ground: Ground, light: BeachLight, x: Floats, y: Floats) -> Floats:
    """The sky's image in the water, stronger towards the far side of the picture: a flatter view."""
    reach = np.float32(max(0.1, math.hypot(*light.shadow)))
    towards_sun = -(x * np.float32(light.shadow[0]) + y * np.float32(light.shadow[1])) / reach
    image = mix(light.sky_far, light.sky_near_sun, np.clip(0.35 + 1.4 * towards_sun, 0, 1)[..., None])
    share = np.float32(light.sky_share) * np.clip(0.85 + 0.5 * towards_sun - 0.6 * y, 0.3, 1.6) * ground.sea
    return mix(lit, image, np.clip(share, 0, 0.8)[..., None])


def _lamp_light(site: BeachSite, light: BeachLight, x: Floats, y: Floats) -> Floats | float:
    """Light of the lamps at the feet of some palms and under the parasols, (h, w, 3)."""
    if light.lanterns <= 0:
        return 0.0
    lamps = [(palm.x + palm.lean_x, palm.y + palm.lean_y) for palm in site.palms[::_EVERY_LAMP]]
    lamps += [(parasol.x, parasol.y) for parasol in site.parasols[::2]]
    total = np.zeros(x.shape, np.float32)
    for lamp_x, lamp_y in lamps:
        dx = x[:1] - np.float32((lamp_x - site.columns / 2) / site.unit)
        dy = y[:, :1] - np.float32((lamp_y - site.rows / 2) / site.unit)
        if float(np.abs(dy).min()) > 4 * _LAMP_REACH:
            continue
        total += 1 / (1 + ((dx * dx + dy * dy) * np.float32(18 / _LAMP_REACH**2))) ** np.float32(1.15)
    return total[..., None] * linear("ffb45e") * np.float32(1.5 * light.lanterns)
