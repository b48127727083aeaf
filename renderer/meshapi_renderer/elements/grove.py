"""A grove of palms over a beach: where the trees stand, their shadows, and the canopy in the wind.

The canopy is one picture. The wind bends it by a smooth field of small displacements, so that every frond
moves and no tree has to be drawn again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import linear, mix, to8
from meshapi_renderer.elements.coast import Coast
from meshapi_renderer.elements.palms import SPRITE, VARIANTS, Crown
from meshapi_renderer.layers import strip_edges
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Scratch

CROWN_RADIUS = 0.060
"""Units from the heart of an average crown to its tips."""
_TRIES = 900
_GUST_STEP = 10
"""Pixels of the frame per cell of the wind's field."""
_SWAY = 0.0040
"""Largest displacement by a light breeze, in units."""
_BITS = 4


@dataclass(frozen=True, slots=True)
class _Gust:
    """One wave of wind: radians per unit along x and y, radians per second, phase, and its push."""

    along_x: float
    along_y: float
    rate: float
    phase: float
    push_x: float
    push_y: float


_GUSTS = (
    _Gust(23.0, 14.0, 1.9, 0.0, 0.50, -0.20),
    _Gust(-13.0, 27.0, 2.7, 1.7, 0.25, 0.35),
    _Gust(36.0, -19.0, 3.9, 4.1, 0.25, 0.20),
)


@dataclass(frozen=True, slots=True)
class Palm:
    """One tree; lengths in units, or in pixels once placed on a layer."""

    x: float
    y: float
    radius: float
    turn: float
    variant: int
    lean_x: float
    """From the crown's heart to the foot of the trunk."""
    lean_y: float

    def placed(self, unit: float, centre_x: float, centre_y: float) -> Palm:
        """The same tree in pixels."""
        return Palm(
            self.x * unit + centre_x,
            self.y * unit + centre_y,
            self.radius * unit,
            self.turn,
            self.variant,
            self.lean_x * unit,
            self.lean_y * unit,
        )


def plant_palms(coast: Coast, rng: Rng, half_width: float, half_height: float, most: int) -> list[Palm]:
    """At most ``most`` palms in groups inland, small ones first so that tall crowns cover low ones.

    The painted picture reaches ``half_width`` and ``half_height`` units from the middle.
    """
    x = rng.uniform(-half_width, half_width, _TRIES)
    y = rng.uniform(-half_height, half_height, _TRIES)
    along, across = coast.locate(x[None], y[None])
    inland = coast.inland(along, across)[0]
    clearing = 0.5 + 0.5 * np.sin(along[0] * 11.0) * np.cos(along[0] * 5.3 + 1.0)
    bar = 0.150 + 0.10 * clearing + 0.05 * rng.u(_TRIES)
    chosen: list[Palm] = []
    for index in np.nonzero(inland > bar)[0]:
        here = float(x[index]), float(y[index])
        radius = CROWN_RADIUS * rng.uniform(0.70, 1.18)
        turn, variant = rng.u() * math.tau, rng.integer(VARIANTS)
        bend, lean = rng.uniform(0.2, 0.55) * radius, rng.u() * math.tau
        if len(chosen) == most:
            break
        if all(math.dist(here, (other.x, other.y)) > 0.66 * (radius + other.radius) for other in chosen):
            chosen.append(Palm(*here, radius, turn, variant, bend * math.cos(lean), bend * math.sin(lean)))
    return sorted(chosen, key=lambda palm: palm.radius)


def cast_shadows(
    shadow: Bytes8, palms: list[Palm], crowns: tuple[Crown, ...], way: tuple[float, float], height: float
) -> None:
    """Darken ``shadow`` (0 none, 255 full) by crowns and trunks.

    ``way`` is where the shadow of a unit of height falls; a tree is ``height`` crown radii tall.
    """
    for palm in palms:
        tall = height * palm.radius
        x, y = palm.x + palm.lean_x + way[0] * tall, palm.y + palm.lean_y + way[1] * tall
        matrix = _placing(x, y, palm.radius, palm.turn, way)
        window = _window(matrix, shadow.shape)
        if window is not None:
            part = (_laid(crowns[palm.variant].alpha, matrix, window) * np.float32(235)).astype(np.uint8)
            cv2.max(shadow[window], part, shadow[window])
        foot = (palm.x + palm.lean_x, palm.y + palm.lean_y)
        _line(shadow, foot, (x, y), 215, palm.radius * 0.085)


def paint_trunks(albedo: Floats, palms: list[Palm]) -> None:
    """Draw the trunks onto the ground's albedo (h, w, 3), from foot to heart, in place."""
    for palm in palms:
        foot = (palm.x + palm.lean_x, palm.y + palm.lean_y)
        _line(albedo, foot, (palm.x, palm.y), linear("6e5b45"), palm.radius * 0.10)


def _line(
    target: Bytes8 | Floats,
    start: tuple[float, float],
    end: tuple[float, float],
    value: float | Floats,
    width: float,
) -> None:
    ends = [tuple(round(v * (1 << _BITS)) for v in point) for point in (start, end)]
    colour = [float(v) for v in np.atleast_1d(np.asarray(value))]
    cv2.line(target, ends[0], ends[1], colour, max(1, round(width)), cv2.LINE_AA, _BITS)


def _placing(x: float, y: float, radius: float, turn: float, way: tuple[float, float] | None) -> Floats:
    """Sprite pixels to layer pixels: centred on (x, y), turned, scaled, drawn out along a low sun."""
    scale = 2 * radius / SPRITE
    cosine, sine = math.cos(turn) * scale, math.sin(turn) * scale
    matrix = np.array([[cosine, -sine], [sine, cosine]])
    length = 0.0 if way is None else math.hypot(*way)
    if way is not None and length > 1.0:
        along = np.array(way) / length
        matrix = (np.eye(2) + 0.25 * (length - 1.0) * np.outer(along, along)) @ matrix
    half = np.full(2, SPRITE / 2)
    return np.column_stack([matrix, np.array([x, y]) - matrix @ half])


def _window(matrix: Floats, shape: tuple[int, ...]) -> tuple[slice, slice] | None:
    """Rows and columns of a layer that the sprite touches under ``matrix``; None when it misses."""
    corners = np.array([[0, 0, 1], [SPRITE, 0, 1], [0, SPRITE, 1], [SPRITE, SPRITE, 1]]) @ matrix.T
    left, top = (max(0, math.floor(v)) for v in corners.min(0))
    right = min(shape[1], math.ceil(corners[:, 0].max()) + 1)
    bottom = min(shape[0], math.ceil(corners[:, 1].max()) + 1)
    if right <= left or bottom <= top:
        return None
    return slice(top, bottom), slice(left, right)


def _laid(sprite: Bytes8, matrix: Floats, window: tuple[slice, slice]) -> Floats:
    """The sprite on a window of the layer in [0, 1], averaged as far as it shrinks."""
    rows, columns = window
    local = np.array(matrix, np.float64)
    local[:, 2] -= (columns.start, rows.start)
    plane = sprite
    while math.hypot(local[0, 0], local[1, 0]) < 0.6:
        plane = imaging.resize(plane, plane.shape[1] // 2, plane.shape[0] // 2, imaging.AREA)
        # A pixel of the smaller picture is centred between two of the larger one.
        local[:, 2] += local[:, :2] @ np.full(2, 0.5)
        local[:, :2] *= 2
    size = (columns.stop - columns.start, rows.stop - rows.start)
    moved = imaging.warp_affine(plane, local, *size, cv2.BORDER_CONSTANT)
    return moved.astype(np.float32) / np.float32(255)


class Canopy:
    """The crowns as one picture over the ground."""

    def __init__(
        self,
        shape: tuple[int, int],
        palms: list[Palm],
        crowns: tuple[Crown, ...],
        light: Floats,
        unit: float,
        snow: float = 0.0,
    ) -> None:
        """``shape`` is the layer's (rows, columns); palms are placed on it; ``light`` is linear, (3,)."""
        self._unit = unit
        self._picture = np.zeros((*shape, 4), np.uint8)
        self._picture[..., 3] = 255
        for palm in palms:
            self._paint(palm, crowns[palm.variant], light, snow)
        painted = self._picture[..., 3] < 255
        self._first = np.where(painted.any(0), painted.argmax(0), shape[0])
        self._last = np.where(painted.any(0), shape[0] - painted[::-1].argmax(0), 0)

    def _paint(self, palm: Palm, crown: Crown, light: Floats, snow: float) -> None:
        matrix = _placing(palm.x, palm.y, palm.radius, palm.turn, None)
        window = _window(matrix, self._picture.shape)
        if window is None:
            return
        alpha, tone = _laid(crown.alpha, matrix, window), _laid(crown.tone, matrix, window)
        tone = np.clip(tone / np.maximum(alpha, np.float32(0.05)), 0, 1)
        leaf = mix(linear("132718"), linear("86a04c"), np.power(tone, np.float32(1.3))[..., None])
        if snow > 0:
            leaf = mix(
                leaf, 0.85, (np.clip(tone * np.float32(1.6) - np.float32(0.5), 0, 1) * snow)[..., None]
            )
        shown = to8(leaf * light).astype(np.float32)
        through = 1 - alpha[..., None]
        below = self._picture[window]
        below[..., :3] = (below[..., :3] * through + shown * alpha[..., None] + np.float32(0.5)).astype(
            np.uint8
        )
        below[..., 3] = (below[..., 3] * through[..., 0] + np.float32(0.5)).astype(np.uint8)

    def draw(self, frame: Bytes8, matrix: Floats, seconds: float, wind: float, scratch: Scratch) -> None:
        """Draw the canopy of that moment over ``frame``; ``matrix`` maps layer pixels to the frame's."""
        height, width = frame.shape[:2]
        scale, shift_x, shift_y = float(matrix[0, 0]), float(matrix[0, 2]), float(matrix[1, 2])
        bend_x, bend_y = self._bend(matrix, (width, height), seconds, wind, scratch)
        x = (np.arange(width, dtype=np.float32)[None] - np.float32(shift_x)) / np.float32(scale)
        y = (np.arange(height, dtype=np.float32)[:, None] - np.float32(shift_y)) / np.float32(scale)
        reach = 2 * _SWAY * wind * self._unit + 2
        edges = strip_edges(width)
        for left, right in pairwise(edges):
            begin = max(0, math.floor((left - shift_x) / scale - reach))
            end = max(begin + 1, math.ceil((right - shift_x) / scale + reach))
            top = max(0, math.floor(scale * (int(self._first[begin:end].min()) - reach) + shift_y))
            bottom = min(height, math.ceil(scale * (int(self._last[begin:end].max()) + reach) + shift_y))
            if top < bottom:
                part = np.s_[top:bottom, left:right]
                self._blend(frame[part], x[:, left:right] + bend_x[part], y[top:bottom] + bend_y[part])

    def _blend(self, window: Bytes8, x: Floats, y: Floats) -> None:
        picture = imaging.remap(self._picture, x, y, imaging.LINEAR, imaging.REPLICATE)
        through = imaging.triple(np.asarray(cv2.extractChannel(picture, 3), np.uint8))
        cv2.multiply(window, through, window, 1 / 255.0)
        cv2.add(window, cv2.cvtColor(picture, cv2.COLOR_RGBA2RGB), window)

    def _bend(
        self, matrix: Floats, size: tuple[int, int], seconds: float, wind: float, scratch: Scratch
    ) -> tuple[Floats, Floats]:
        """How many pixels the wind bends the canopy; computed coarsely, since gusts have no detail."""
        width, height = size
        rows, columns = max(2, height // _GUST_STEP), max(2, width // _GUST_STEP)
        pixel = np.float32(1 / (float(matrix[0, 0]) * self._unit))
        left, top = np.float32(matrix[0, 2]), np.float32(matrix[1, 2])
        x = (
            (np.arange(columns, dtype=np.float32)[None] + np.float32(0.5)) * np.float32(width / columns)
            - left
        ) * pixel
        y = (
            (np.arange(rows, dtype=np.float32)[:, None] + np.float32(0.5)) * np.float32(height / rows) - top
        ) * pixel
        total_x = np.zeros((rows, columns), np.float32)
        total_y = np.zeros((rows, columns), np.float32)
        for gust in _GUSTS:
            wave = np.sin(
                x * np.float32(gust.along_x)
                + y * np.float32(gust.along_y)
                + np.float32(gust.rate * seconds + gust.phase)
            )
            total_x += wave * np.float32(gust.push_x)
            total_y += wave * np.float32(gust.push_y)
        amount = np.float32(_SWAY * wind * self._unit)
        bend_x = scratch.array("canopy bend x", (height, width), np.float32)
        bend_y = scratch.array("canopy bend y", (height, width), np.float32)
        cv2.resize(total_x * amount, size, bend_x, interpolation=cv2.INTER_LINEAR)
        cv2.resize(total_y * amount, size, bend_y, interpolation=cv2.INTER_LINEAR)
        return bend_x, bend_y
