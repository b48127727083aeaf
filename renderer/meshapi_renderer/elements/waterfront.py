"""The edge of a city at the water: a stone quay, trees and street lamps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import linear, mix, rgb, smoothstep
from meshapi_renderer.elements.city_light import CityLight
from meshapi_renderer.elements.towers import PlaneSheet
from meshapi_renderer.noise import line_noise
from meshapi_renderer.rng import Rng

QUAY = 7.5
"""Units from the promenade down to the water."""
_LAMP_STEP = 15.0
_LAMP_HEIGHT = 5.0
_TREE = 9.0
_STONE = linear("8b8680")
_LAMP = linear("ffc27a")


@dataclass(frozen=True, slots=True)
class Waterfront:
    """What the quay looks like: the stream its trees grow from, and the colour of the leaves' season."""

    rng: Rng
    leaves: Floats


def paint_waterfront(sheet: PlaneSheet, waterfront: Waterfront, light: CityLight) -> None:
    """Paint trees, the quay and its lamps over the towers' feet, in place; solid below."""
    _paint_trees(sheet, waterfront, light)
    _paint_quay(sheet, light)
    if light.dark or light.lit > 0.2:
        _paint_lamps(sheet, light)


def _paint_trees(sheet: PlaneSheet, waterfront: Waterfront, light: CityLight) -> None:
    rows, columns = sheet.alpha.shape
    # The noise is drawn along units, the same number for every size, and read off at the pixels.
    span = columns / sheet.unit
    samples = 2048
    crowns = line_noise(samples, max(8, round(span / 9.0)), 3, waterfront.rng.sub("crowns"), 0.55)
    groups = line_noise(samples, max(3, round(span / 70.0)), 2, waterfront.rng.sub("groups"), 0.5)
    place = (np.arange(columns, dtype=np.float32) + np.float32(0.5)) * np.float32(samples / columns)
    here = np.arange(samples, dtype=np.float32) + np.float32(0.5)
    height = np.interp(place, here, smoothstep(0.40, 0.58, groups) * (0.45 + 0.9 * crowns)).astype(np.float32)
    top = np.float32(sheet.foot) - height * np.float32(_TREE * sheet.unit)
    first = max(0, math.floor(float(top.min())))
    row = np.arange(first, min(rows, math.ceil(sheet.foot) + 1), dtype=np.float32)[:, None]
    cover = np.clip(row + 1 - top[None], 0, 1) * smoothstep(0.05, 0.15, height)[None]
    bright = 0.55 + 0.75 * np.clip((np.float32(sheet.foot) - row) / np.float32(_TREE * sheet.unit), 0, 1)
    leaf = mix(waterfront.leaves, rgb(0.8, 0.83, 0.88), 0.8 * light.snow)
    colour = bright[..., None] * leaf * (light.front * np.float32(0.8) + light.street * 2)
    window = slice(first, first + row.shape[0])
    sheet.light[window] += (colour - sheet.light[window]) * cover[..., None]
    sheet.glow[window] *= (1 - cover)[..., None]
    sheet.alpha[window] = np.maximum(sheet.alpha[window], cover)


def _paint_quay(sheet: PlaneSheet, light: CityLight) -> None:
    """Stone below the towers' feet, its upper edge lit, its foot wet and dark."""
    rows = sheet.alpha.shape[0]
    first = max(0, math.floor(sheet.foot))
    row = np.arange(first, rows, dtype=np.float32)[:, None, None] + np.float32(0.5)
    down = np.clip((row - np.float32(sheet.foot)) / np.float32(QUAY * sheet.unit), 0, 1)
    coping = np.exp(-((down / np.float32(0.12)) ** 2))
    stone = mix(_STONE, rgb(0.85, 0.88, 0.92), light.snow * np.clip(coping * 1.4, 0, 1))
    wall = stone * (light.front * (np.float32(0.55) - np.float32(0.35) * down + np.float32(0.5) * coping))
    wall = wall + light.street * (np.float32(0.5) * (1 - down))
    cover = np.clip(row + np.float32(0.5) - np.float32(sheet.foot), 0, 1)
    window = slice(first, rows)
    sheet.light[window] += (wall - sheet.light[window]) * cover
    sheet.glow[window] *= 1 - cover
    sheet.alpha[window] = np.maximum(sheet.alpha[window], cover[..., 0])


def _paint_lamps(sheet: PlaneSheet, light: CityLight) -> None:
    """A row of lamps; each lights a patch of the quay below it."""
    unit, (rows, columns) = sheet.unit, sheet.alpha.shape
    half = math.floor(0.5 * columns / (unit * _LAMP_STEP))
    column = np.arange(columns, dtype=np.float32) + np.float32(0.5)
    row = np.arange(rows, dtype=np.float32) + np.float32(0.5)
    lamp_row, reach = sheet.foot - _LAMP_HEIGHT * unit, 1.05 * unit
    first, last = max(0, math.floor(lamp_row - 4 * unit)), min(rows, math.ceil(sheet.foot + QUAY * unit) + 1)
    y = row[first:last, None]
    dim = np.float32(1.0 if light.dark else 0.5)
    for number in range(-half, half + 1):
        x = sheet.centre + number * _LAMP_STEP * unit
        left, right = max(0, math.floor(x - 9 * unit)), min(columns, math.ceil(x + 9 * unit) + 1)
        if right <= left:
            continue
        across = column[None, left:right] - np.float32(x)
        bulb = np.clip((reach - np.hypot(across, y - np.float32(lamp_row))) / np.float32(0.6 * unit), 0, 1)
        shine = (bulb * np.float32(2.6) * dim)[..., None] * _LAMP
        down = (y - np.float32(sheet.foot)) / unit
        pool = np.exp(-((across / (5 * unit)) ** 2) - np.abs(down) / 4) * (down > 0)
        window = slice(first, last), slice(left, right)
        sheet.light[window] += shine + (pool * np.float32(0.10) * dim)[..., None] * _LAMP
        sheet.glow[window] += shine
        sheet.alpha[window] = np.maximum(sheet.alpha[window], bulb)
