"""Height fields seen in perspective: one ray per pixel, found without a loop over pixels.

The height field is sampled on a grid of depth steps (near to far) by screen columns. Going away from the
eye, a column's visible surface is the running minimum of the projected rows; counting how many steps have
risen above a pixel gives the step its ray hits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Floats


@dataclass(frozen=True, slots=True)
class Hit:
    """What the rays of a window of rows struck."""

    top: int
    bottom: int
    """The window: rows [top, bottom) of the picture."""
    rows: Floats
    """Centres of the window's rows, shape (bottom - top, 1)."""
    depth: Floats
    """Distance of the surface per pixel, shape (bottom - top, width)."""
    coverage: Floats
    """How much of each pixel the surface covers, 0 to 1, same shape."""


def hit(
    heights: Floats,
    depths: Floats,
    focal: float,
    horizon: float,
    camera_height: float,
    height: int,
    lowest_row: float | None = None,
) -> Hit:
    """Cast one ray per pixel of a picture ``height`` rows high and ``heights.shape[1]`` columns wide.

    ``heights`` is (steps, width), its rows at the distances ``depths`` (near to far, shape (steps,)); world
    units are whatever ``camera_height`` uses. ``focal`` and ``horizon`` (a row) are in pixels. Rows below
    ``lowest_row`` are left out.
    """
    steps, width = heights.shape
    drop = (heights - np.float32(camera_height)) * (np.float32(focal) / depths[:, None])
    skyline = np.minimum.accumulate(np.float32(horizon) - drop, axis=0)
    top = min(max(0, math.floor(float(skyline[-1].min())) - 1), height - 2)
    bottom = height if lowest_row is None else min(height, int(lowest_row))
    bottom = max(bottom, min(height, top + 2))
    count = bottom - top
    first = np.clip(np.ceil(skyline - np.float32(0.5)).astype(np.int32) - top, 0, count)
    columns = np.arange(width, dtype=np.int32)[None]
    risen = np.bincount((first * width + columns).ravel(), minlength=(count + 1) * width)
    passed = np.cumsum(risen.reshape(count + 1, width), 0, dtype=np.int32)[:count]
    # Rows above the skyline take the crest's depth, not that of whatever lies unseen behind it.
    crest = np.argmax(skyline <= skyline[-1][None], axis=0)[None]
    struck = np.minimum(np.clip(steps - passed, 0, steps - 1), crest)
    before = np.maximum(struck - 1, 0)
    row_struck = np.take_along_axis(skyline, struck, 0)
    row_before = np.take_along_axis(skyline, before, 0)
    rows = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5)
    t = np.clip((row_before - rows) / np.maximum(row_before - row_struck, np.float32(1e-3)), 0, 1)
    depth = depths[before] + (depths[struck] - depths[before]) * t
    coverage = np.clip(rows + np.float32(0.5) - skyline[-1][None], 0, 1)
    return Hit(top, bottom, rows, depth, coverage)


def gradients(field: Floats, cell: float) -> tuple[Floats, Floats]:
    """Central differences (d/dx, d/dz) of a height field on a torus whose samples are ``cell`` apart."""
    half = np.float32(0.5 / cell)
    along_x = (np.roll(field, -1, 1) - np.roll(field, 1, 1)) * half
    along_z = (np.roll(field, -1, 0) - np.roll(field, 1, 0)) * half
    return along_x, along_z


def sun_shadow(
    field: Floats, cell: float, sun_x: float, sun_z: float, tan_elevation: float, steps: int = 48
) -> Floats:
    """Soft light map, 1 lit to 0 in shade, of a toroidal height field.

    The sun stands in the direction (sun_x, sun_z), a unit vector, at an elevation of that tangent; the
    penumbra widens with the distance of the occluder. Strides grow from two samples by 6 % a step.
    """
    side = field.shape[0]
    torus = imaging.Torus(field)
    occlusion = np.full_like(field, -1e9)
    z, x = np.mgrid[0:side, 0:side].astype(np.float32)
    distance, stride = 0.0, 2.0
    for _ in range(steps):
        distance += stride
        stride *= 1.06
        reach = distance * cell
        towards = torus.at(x + np.float32(sun_x * distance), z + np.float32(sun_z * distance))
        above = towards - field - np.float32(reach * tan_elevation)
        np.maximum(occlusion, above * np.float32(1.0 / (reach * 0.06 + cell)), out=occlusion)
    return np.asarray(1 - np.clip(occlusion + np.float32(0.5), 0, 1))


def downsample_window(
    colour: Floats, alpha: Floats, top: int, bottom: int, oversampling: float, width: int, height: int
) -> tuple[Floats, Floats]:
    """A supersampled window of rows [top, bottom) averaged into a whole picture.

    Returns colour (height, width, 3) and coverage (height, width); rows outside the window are empty. A
    window that reaches the bottom of the supersampled picture stays solid to the last row.
    """
    first = int(top // oversampling)
    last = min(height, math.ceil(bottom / oversampling))
    begin, end = round(first * oversampling), round(last * oversampling)
    count = end - begin
    lead = top - begin
    body = min(count - lead, colour.shape[0])
    wide_colour = np.empty((count, colour.shape[1], 3), np.float32)
    wide_alpha = np.zeros((count, colour.shape[1]), np.float32)
    wide_colour[:lead] = colour[0]
    wide_colour[lead : lead + body] = colour[:body]
    wide_colour[lead + body :] = colour[body - 1]
    wide_alpha[lead : lead + body] = alpha[:body]
    if bottom >= int(height * oversampling) - 2:
        wide_alpha[lead + body :] = 1
    out_colour = np.zeros((height, width, 3), np.float32)
    out_alpha = np.zeros((height, width), np.float32)
    # Averaged premultiplied: the colour of empty samples must not bleed into the silhouette.
    rows = last - first
    out_alpha[first:last] = imaging.resize(wide_alpha, width, rows, imaging.AREA)
    weighted = imaging.resize(wide_colour * wide_alpha[..., None], width, rows, imaging.AREA)
    out_colour[first:last] = weighted / np.maximum(out_alpha[first:last], np.float32(1e-4))[..., None]
    return out_colour, out_alpha
