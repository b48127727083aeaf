"""The painter of figures: outlines are filled, rounded as if inflated, and lit, part over part."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import mix, to8
from meshapi_renderer.subjects.curves import Outline
from meshapi_renderer.subjects.light import Light

_OVERSAMPLING = 2
_BITS = 4
_BORDER = 3

Texture: TypeAlias = Callable[[Floats, Floats], Floats]
"""Albedo (h, w, 3) at figure coordinates x (1, w) and y (h, 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paint:
    """What a part is made of."""

    albedo: Floats
    """Linear reflectance, shape (3,)."""
    roundness: float = 0.1
    """How far in from its edge the part curves, in figure units."""
    gloss: float = 0.0
    """Strength of a highlight."""
    translucency: float = 0.0
    """Share of the light from behind that comes through, as in sails and wings."""
    emission: Floats | None = None
    """Own light, linear, shape (3,)."""
    texture: Texture | None = None
    """Albedo that varies, in place of `albedo`."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The room a figure needs, in figure units; its origin stands on the ground or turns in the air."""

    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True, slots=True)
class Cel:
    """One painted picture of a figure: premultiplied display bytes and inverse alpha, (h, w, 4)."""

    pixels: Bytes8
    origin: tuple[float, float]
    """Column and row of the figure's origin."""
    scale: float
    """Pixels per figure unit."""


class Sketch:
    """A figure being painted."""

    def __init__(self, bounds: Bounds, scale: float, light: Light) -> None:
        """``scale`` is pixels per figure unit."""
        self.light = light
        self._scale = scale
        self._left, self._top = bounds.left - _BORDER / scale, bounds.top + _BORDER / scale
        width = math.ceil((bounds.right - bounds.left) * scale) + 2 * _BORDER
        height = math.ceil((bounds.top - bounds.bottom) * scale) + 2 * _BORDER
        self._colour = np.zeros((height, width, 3), np.float32)
        self._alpha = np.zeros((height, width), np.float32)

    def add(self, shapes: Sequence[Outline] | Outline, paint: Paint, opacity: float = 1.0) -> None:
        """Paint the union of outlines over what is there."""
        outlines = [shapes] if isinstance(shapes, np.ndarray) else list(shapes)
        points = [(outline - (self._left, self._top)) * (self._scale, -self._scale) for outline in outlines]
        window = self._window(points)
        if window is None:
            return
        rows, columns = window
        cover = _coverage(points, columns.start, rows.start, cover_size(window))
        lit = self._lit(cover, paint, rows, columns)
        cover = cover * np.float32(opacity)
        self._colour[window] = self._colour[window] * (1 - cover[..., None]) + lit * cover[..., None]
        self._alpha[window] = self._alpha[window] * (1 - cover) + cover

    def finish(self, haze: Floats, haze_share: float) -> Cel:
        """The painted figure seen through the air."""
        alpha = self._alpha[..., None]
        colour = self._colour / np.maximum(alpha, np.float32(1e-4))
        shown = to8(mix(colour, haze, haze_share))
        premultiplied = (shown * alpha + np.float32(0.5)).astype(np.uint8)
        inverse = 255 - (self._alpha * np.float32(255) + np.float32(0.5)).astype(np.uint8)
        origin = (-self._left * self._scale, self._top * self._scale)
        return Cel(np.dstack([premultiplied, inverse]), origin, self._scale)

    def _window(self, points: list[Outline]) -> tuple[slice, slice] | None:
        every = np.concatenate(points)
        height, width = self._alpha.shape
        left, top = np.maximum(np.floor(every.min(0)).astype(int) - 2, 0)
        right, bottom = np.minimum(np.ceil(every.max(0)).astype(int) + 3, (width, height))
        if right <= left or bottom <= top:
            return None
        return slice(int(top), int(bottom)), slice(int(left), int(right))

    def _lit(self, cover: Floats, paint: Paint, rows: slice, columns: slice) -> Floats:
        """Linear light from a part: sky and ground by its slope, the key light, edges facing the source."""
        light = self.light
        across, up, out, depth = _normals(cover, max(1.0, paint.roundness * self._scale))
        albedo: Floats = paint.albedo
        if paint.texture is not None:
            x = np.arange(columns.start, columns.stop, dtype=np.float32)[None] / np.float32(self._scale)
            y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] / np.float32(self._scale)
            albedo = paint.texture(x + np.float32(self._left), np.float32(self._top) - y)
        dim = np.float32(1.0 - 0.68 * light.behind)
        around = mix(light.ground, light.sky, (0.5 + 0.5 * up)[..., None]) * dim
        around = around * (np.float32(0.62) + np.float32(0.38) * depth)[..., None]
        right, above, front = (np.float32(share) for share in light.towards)
        facing = np.clip(across * right + up * above + out * front, 0, 1)
        received = around + facing[..., None] * (light.key * dim)
        if paint.translucency > 0:
            through = light.key * np.float32(0.5) + light.rim * np.float32(
                0.30 * light.behind * (1.0 - 0.7 * light.night)
            )
            received = received + through * np.float32(paint.translucency)
        lit = received * albedo
        side = math.copysign(1.0, float(right))
        edge = np.clip(1.15 * (1 - out), 0, 1) ** 2 * np.clip(
            0.25 + across * np.float32(side) + 0.45 * up, 0, 1
        )
        sheen = np.float32(0.10 + 0.45 * light.behind) + np.float32(paint.gloss)
        lit += (edge * sheen)[..., None] * light.rim * np.float32(0.55)
        if paint.gloss > 0:
            mirror = np.clip(facing, 0, 1) ** 14 * np.float32(2.2 * paint.gloss)
            lit += mirror[..., None] * light.key
        if paint.emission is not None:
            lit = lit + paint.emission
        return np.asarray(lit, np.float32)


def cover_size(window: tuple[slice, slice]) -> tuple[int, int]:
    """Height and width of a window."""
    rows, columns = window
    return rows.stop - rows.start, columns.stop - columns.start


def _coverage(points: list[Outline], left: int, top: int, size: tuple[int, int]) -> Floats:
    """Coverage 0..1 of the union of outlines given in pixels."""
    height, width = size
    large = np.zeros((height * _OVERSAMPLING, width * _OVERSAMPLING), np.uint8)
    for outline in points:
        placed = (outline - (left, top)) * _OVERSAMPLING - 0.5
        fixed = np.round(placed * (1 << _BITS)).astype(np.int32)
        cv2.fillPoly(large, [fixed], 255, cv2.LINE_AA, _BITS)
    return imaging.resize(large, width, height, imaging.AREA).astype(np.float32) * np.float32(1 / 255)


def _normals(cover: Floats, radius: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Normals (right, up, to the viewer) of the inflated part, and how deep inside a pixel lies, 0..1."""
    inside = np.pad((cover > 0.5).astype(np.uint8), 1)
    distance = np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, 3), np.float32)[1:-1, 1:-1]
    depth = np.clip(distance * np.float32(1 / radius), 0, 1)
    height = np.float32(radius) * np.sqrt(depth * (2 - depth))
    height = imaging.gaussian(height, min(6.0, max(0.8, 0.14 * radius)))
    slope_x = np.asarray(cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=1 / 8), np.float32)
    slope_y = np.asarray(cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=1 / 8), np.float32)
    length = 1 / np.sqrt(slope_x * slope_x + slope_y * slope_y + 1)
    return -slope_x * length, slope_y * length, length, depth
