"""A row of towers as one layer: towers, haze, and the glow around everything that shines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import mix, to8
from meshapi_renderer.elements.city_light import CityLight
from meshapi_renderer.elements.skyline import PlaneSpec, Tower
from meshapi_renderer.elements.towers import Beacon, PlaneSheet, paint_tower
from meshapi_renderer.elements.waterfront import Waterfront, paint_waterfront
from meshapi_renderer.layers import Layer
from meshapi_renderer.view import View

_GLOWS = ((2.0, 0.50, 1), (7.0, 0.50, 4), (24.0, 0.60, 8))
"""Reach in units, weight and reduction of each halo."""


@dataclass(frozen=True, slots=True)
class CityPlane:
    """One baked row of towers."""

    layer: Layer
    beacons: tuple[Beacon, ...]


def bake_plane(
    view: View,
    spec: PlaneSpec,
    towers: list[Tower],
    light: CityLight,
    unit: float,
    foot: float,
    sun: float,
    waterfront: Waterfront | None = None,
) -> CityPlane:
    """Paint the towers of one plane; ``foot`` and ``sun`` are a row and a column of the padded picture."""
    rows = min(view.height, int(foot + 40 * unit) + 2)
    shape = (rows, view.width)
    sheet = PlaneSheet(
        light=np.zeros((*shape, 3), np.float32),
        alpha=np.zeros(shape, np.float32),
        glow=np.zeros((*shape, 3), np.float32),
        unit=unit,
        centre=view.centre_column,
        foot=foot,
        sun=sun,
    )
    beacons = [paint_tower(sheet, tower, light) for tower in towers]
    if waterfront is None:
        ground = int(foot)
        sheet.light[ground:] = light.street * np.float32(0.5)
        sheet.alpha[ground:] = 1
    else:
        paint_waterfront(sheet, waterfront, light)
    _fill_with_haze(sheet, spec, light, view)
    layer = _finish(sheet, spec, light, view)
    return CityPlane(layer, tuple(beacon for beacon in beacons if beacon is not None))


def _fill_with_haze(sheet: PlaneSheet, spec: PlaneSpec, light: CityLight, view: View) -> None:
    """Fade the plane into the air, thicker near the ground, in place."""
    row = np.arange(sheet.alpha.shape[0], dtype=np.float32)[:, None, None]
    height = np.maximum(np.float32(sheet.foot) - row, 0) / np.float32(0.30 * view.canvas.height)
    density = np.float32(spec.haze * 0.88) * (np.float32(0.45) + np.float32(0.55) * np.exp(-height))
    share = 1 - np.power(1 - density, np.float32(light.haze_power))
    sheet.light[...] = mix(sheet.light, light.haze, share)
    sheet.glow[...] *= 1 - np.float32(0.75) * share


def _finish(sheet: PlaneSheet, spec: PlaneSpec, light: CityLight, view: View) -> Layer:
    halo = _halo(sheet.glow, sheet.unit) * np.float32(light.bloom)
    halo8 = to8(halo)
    # The dither lifts black by up to a level: without light there must be no trace of a halo.
    halo8[halo.max(2) < 1e-3] = 0
    colour = to8(sheet.light).astype(np.float32) * sheet.alpha[..., None]
    colour8 = np.minimum(colour + halo8, 255).astype(np.uint8)
    inverse = 255 - (sheet.alpha * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    # A layer draws only what is painted: mark the halo in the sky as painted, all but transparent.
    inverse[(inverse == 255) & (halo8.max(2) > 0)] = 254
    full = _to_bottom(colour8, view.height), _to_bottom(inverse, view.height)
    return Layer(*full, spec.depth, view.margin)


def _to_bottom(image: imaging.Picture, rows: int) -> imaging.Picture:
    """The image with its last row repeated down to ``rows`` rows."""
    missing = rows - image.shape[0]
    if missing <= 0:
        return image
    return np.concatenate([image, np.repeat(image[-1:], missing, 0)])


def _halo(glow: Floats, unit: float) -> Floats:
    """Light scattered around what shines; wide halos are blurred at a smaller size."""
    rows, columns = glow.shape[:2]
    total = np.zeros_like(glow)
    for reach, weight, reduction in _GLOWS:
        small = glow
        if reduction > 1:
            small = imaging.resize(
                glow, max(2, columns // reduction), max(2, rows // reduction), imaging.AREA
            )
        sigma = max(0.3, reach * unit / reduction)
        blurred = imaging.gaussian(small, sigma)
        total += imaging.resize(blurred, columns, rows) * np.float32(weight)
    return total
