"""Conifers: sprites built twig by twig, lit from any side when they are planted.

A sprite holds, premultiplied by coverage in 8 bits: coverage, light (how open to the sky a twig hangs),
side (left 0 to right 255) and snow. Colour comes at planting time, so one sprite serves every hour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import mix
from meshapi_renderer.elements.frost import Frost
from meshapi_renderer.rng import Rng

_BITS = 4
_ONE = 1 << _BITS
_ASPECT = 0.62
"""Width of a sprite over its height."""
_OVERSAMPLING = 2
_LIES = np.float32(0.92)
_CROWN_END = 0.86
"""Where the lowest branches hang, as a share of the height from the top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PineShape:
    """Habit of one tree; shares of its height."""

    whorls: int = 26
    branches: int = 8
    twigs: int = 7
    reach: float = 0.19
    droop: float = 0.42
    bare: float = 0.0
    """Share of branches missing."""
    twig: float = 1.0
    """Length of a twig: shorter on trees seen close by, which have more of them."""
    snow: float = 0.0
    """How much of every branch is covered, 0 to 1."""


def pine_shape(rng: Rng, snow: float, detail: float = 1.0) -> PineShape:
    """A random habit; ``detail`` scales the number of twigs for trees seen close by."""
    return PineShape(
        whorls=round((25 + rng.integer(9)) * detail**0.6),
        branches=round((7 + rng.integer(3)) * detail**0.35),
        twigs=round(11 * detail**0.6),
        reach=rng.uniform(0.145, 0.225),
        droop=rng.uniform(0.30, 0.58),
        bare=rng.uniform(0.0, 0.14),
        twig=min(1.1, detail**-0.36),
        snow=snow,
    )


def grow(height: float, rng: Rng, shape: PineShape) -> Bytes8:
    """The sprite, (height, 0.62 * height, 4), of one tree ``height`` pixels tall."""
    rows = max(8, round(height)) * _OVERSAMPLING
    columns = max(6, round(height * _ASPECT)) * _OVERSAMPLING
    image = np.zeros((rows, columns, 4), np.uint8)
    pen = _Pen(image, rows, columns / 2)
    bend = rng.uniform(-0.02, 0.02)
    branches = _branches(rng, shape)
    _draw_branches(pen, [branch for branch in branches if branch.front < 0], bend, shape)
    trunk = np.array(
        [[[-0.009, 1.0], [0.009, 1.0], [bend * 0.2 + 0.0015, 0.01], [bend * 0.2 - 0.0015, 0.01]]]
    )
    pen.polygons(trunk.astype(np.float32), np.array([[255, 26, 128, 0]]))
    _draw_branches(pen, [branch for branch in branches if branch.front >= 0], bend, shape)
    return imaging.resize(image, columns // _OVERSAMPLING, rows // _OVERSAMPLING, imaging.AREA)


class _Pen:
    """Draws convex polygons given in shares of the tree's height, x from the trunk, y from the top."""

    def __init__(self, image: Bytes8, rows: int, trunk: float) -> None:
        self._image = image
        self._scale = np.float32(rows * _ONE)
        self._trunk = np.float32(trunk * _ONE)

    def polygons(self, points: Floats, values: NDArray[np.int64]) -> None:
        """Fill polygons (n, corners, 2) with values (n, 4), one after the other."""
        # Nothing hangs below the foot: the lowest twigs lie on the ground instead.
        y = points[..., 1]
        points[..., 1] = np.where(y > _LIES, _LIES + (y - _LIES) * np.float32(0.3), y)
        fixed = points * self._scale
        fixed[..., 0] += self._trunk
        for corners, value in zip(np.round(fixed).astype(np.int32), values.tolist(), strict=True):
            cv2.fillConvexPoly(self._image, corners, value, cv2.LINE_AA, _BITS)


def _leaves(start: Floats, tip: Floats, width: Floats, blunt: float) -> Floats:
    """Hanging twigs, (n, 5, 2): broad where they start, ``blunt`` of that width at the tip.

    Starts and tips are (..., 2), widths (...).
    """
    start, tip, width = start.reshape(-1, 2), tip.reshape(-1, 2), width.ravel()
    out = np.empty((len(start), 5, 2), np.float32)
    out[:, 0] = out[:, 1] = out[:, 2] = start
    out[:, 3] = out[:, 4] = tip
    out[:, 0, 0] -= width
    out[:, 2, 0] += width
    out[:, 1, 1] -= 0.5 * width
    out[:, 3, 0] += blunt * width
    out[:, 4, 0] -= blunt * width
    return out


@dataclass(frozen=True, slots=True)
class _Branch:
    """One branch: where it leaves the trunk, where it points, and its random twigs."""

    y: float
    """Share of the height from the top."""
    level: float
    """0 at the tip of the crown, 1 at its base."""
    across: float
    """Sideways part of its direction, -1 to 1."""
    front: float
    """Towards the viewer, -1 to 1."""
    length: float
    droop: float
    light: float
    noise: Floats
    """Draws in [0, 1), shape (twigs, 6)."""


def _branches(rng: Rng, shape: PineShape) -> list[_Branch]:
    """All branches in painting order: from the lowest whorl up, the outermost ones of a whorl first."""
    found: list[_Branch] = []
    for index in range(shape.whorls, -1, -1):
        level = index / shape.whorls
        y = 0.018 + (_CROWN_END - 0.018) * level**0.94
        reach = shape.reach * (0.05 + level**0.80) * (1.0 - 0.22 * max(0.0, level - 0.75) / 0.25)
        reach *= rng.uniform(0.88, 1.12)
        count = max(3, round(shape.branches * (0.45 + 0.55 * level)))
        turn = rng.u() * math.tau
        whorl: list[_Branch] = []
        for k in range(count):
            angle = turn + (k + rng.uniform(-0.3, 0.3)) * math.tau / count
            length, droop, light = rng.uniform(0.75, 1.2), rng.uniform(0.75, 1.3), rng.u()
            noise = rng.u(shape.twigs, 6)
            y_jitter = rng.uniform(-0.35, 0.35) * (_CROWN_END / shape.whorls)
            if rng.u() < shape.bare * level:
                continue
            droop *= shape.droop * (level**0.6) - 0.12 * (1 - level)
            across, front = math.sin(angle), math.cos(angle)
            whorl.append(_Branch(y + y_jitter, level, across, front, reach * length, droop, light, noise))
        whorl.sort(key=lambda branch: -abs(branch.across))
        found.extend(whorl)
    return found


def _draw_branches(pen: _Pen, branches: list[_Branch], bend: float, shape: PineShape) -> None:
    """Twigs along every branch, hanging outwards and down, each with the snow that lies on it."""
    if not branches:
        return
    across, front, length, level, light = (
        np.array([[getattr(branch, name)] for branch in branches], np.float32)
        for name in ("across", "front", "length", "level", "light")
    )
    noise = np.stack([branch.noise for branch in branches])
    share = (np.arange(shape.twigs, dtype=np.float32) + noise[..., 0]) / np.float32(shape.twigs)
    share = np.clip(np.float32(0.12) + np.float32(0.9) * share, 0, 1)
    start = _along(branches, share, bend)
    hang = length * (0.20 + 0.30 * noise[..., 1]) * (1.05 - 0.45 * share) * shape.twig + np.float32(0.006)
    outward = across * (0.55 + 0.5 * noise[..., 2]) + (noise[..., 3] - 0.5) * 0.9
    downward = 0.65 + 0.35 * np.maximum(front, 0) + 0.2 * noise[..., 2]
    norm = np.sqrt(outward * outward + downward * downward)
    tip = start + np.stack([outward / norm * hang, downward / norm * hang], -1)
    thick = np.float32(0.13) * hang + np.float32(0.0020)
    behind = np.where(front < 0, np.float32(0.62), np.float32(1))
    open_sky = (0.24 + 0.76 * share) * (0.72 + 0.28 * (1 - level)) * behind
    value = open_sky * (70 + 120 * light * noise[..., 3] + 55 * noise[..., 1])
    side = np.round(128 + 118 * across)
    twigs = _values(value, side, snow=0)
    if shape.snow <= 0:
        pen.polygons(_leaves(start, tip, thick, 0.25), twigs)
        return
    reach = (0.36 + 0.34 * noise[..., 5])[..., None]
    lump = thick * (0.85 + 0.55 * noise[..., 2])
    begin = start.copy()
    begin[..., 1] -= np.float32(0.35) * lump
    glow = (0.55 + 0.45 * open_sky) * (120 + 135 * noise[..., 5])
    cushions = _leaves(begin, start + (tip - start) * reach, lump, 0.6)
    # Snow lies on its own twig and under the next one: draw them in turns.
    covered = noise[..., 4] < shape.snow * np.where(front > -0.5, np.float32(0.95), np.float32(0.4))
    order = np.stack([np.ones_like(covered), covered], -1).ravel()
    both = np.stack([_leaves(start, tip, thick, 0.25), cushions], 1).reshape(-1, 5, 2)
    values = np.stack([twigs, _values(glow, side, snow=255)], 1).reshape(-1, 4)
    pen.polygons(both[order], values[order])


def _values(light: Floats, side: Floats, snow: int) -> NDArray[np.int64]:
    """Pixel values of twigs, one a row: coverage, light, side, snow."""
    values = np.empty((*light.shape, 4), np.int64)
    values[:] = (255, 0, 0, snow)
    values[..., 1] = np.minimum(light, 255)
    values[..., 2] = side
    return values.reshape(-1, 4)


def _along(branches: list[_Branch], share: Floats, bend: float) -> Floats:
    """Points (branches, twigs, 2) at shares (branches, twigs) of the branches' lengths."""
    across, front, length, droop, y = (
        np.array([[getattr(branch, name)] for branch in branches], np.float32)
        for name in ("across", "front", "length", "droop", "y")
    )
    right = across * length * share + np.float32(0.2 * bend) * (1 - y)
    towards = np.float32(0.16) * front * length * share
    down = y + droop * length * share ** np.float32(1.5) + towards
    return np.stack([right, down], -1)


@dataclass(frozen=True, slots=True)
class PineLight:
    """Colours a planted tree takes, linear, and from which side (-1 left to 1 right) the light comes."""

    shade: Floats
    lit: Floats
    snow_shade: Floats
    snow_lit: Floats
    side: float = 0.0

    def varied(self, rng: Rng) -> PineLight:
        """This light on one plant among many: brightness and hue a little its own."""
        bright, warm = rng.uniform(0.78, 1.22), rng.uniform(-0.08, 0.08)
        tint = np.array([1 + warm, 1.0, 1 - warm], np.float32) * np.float32(bright)
        return PineLight(self.shade * tint, self.lit * tint, self.snow_shade, self.snow_lit, self.side)


def stamp(
    light: Floats, alpha: Floats, sprite: Bytes8, foot: tuple[float, float], size: tuple[float, float],
    colours: PineLight, mirror: bool = False,
) -> None:  # fmt: skip
    """Paint a sprite of ``size`` (width, height) over a layer in progress, its trunk ending at ``foot``.

    ``light`` is (h, w, 3) linear colour and ``alpha`` (h, w) coverage, both changed in place.
    """
    columns, rows = max(2, round(size[0])), max(3, round(size[1]))
    left, top = round(foot[0] - columns / 2), round(foot[1] - rows)
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(alpha.shape[1], left + columns), min(alpha.shape[0], top + rows)
    if x1 <= x0 or y1 <= y0:
        return
    scaled = imaging.resize(sprite, columns, rows, imaging.AREA)
    if mirror:
        scaled = scaled[:, ::-1]
    part = scaled[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.float32) * np.float32(1 / 255)
    coverage = part[..., 0:1]
    inverse = 1 / np.maximum(coverage, np.float32(1e-3))
    open_sky, snow = part[..., 1:2] * inverse, part[..., 3:4] * inverse
    side = (part[..., 2:3] * inverse * 2 - 1) * np.float32(-1 if mirror else 1)
    facing = 1 + np.float32(0.75 * colours.side) * side
    needles = mix(colours.shade, colours.lit, np.clip(open_sky * facing, 0, 1.3))
    colour = needles
    if scaled[..., 3].any():
        bright = np.clip(open_sky * facing * np.float32(0.85), 0, 1.1)
        colour = mix(needles, mix(colours.snow_shade, colours.snow_lit, bright), np.clip(snow, 0, 1))
    window = np.s_[y0:y1, x0:x1]
    lay_over(light[window], alpha[window], colour, coverage[..., 0])


def lay_over(light: Floats, alpha: Floats, colour: Floats, coverage: Floats) -> None:
    """Lay ``colour`` of some coverage over a layer in progress, in place; colours are not premultiplied."""
    total = alpha * (1 - coverage)
    total += coverage
    alpha[...] = total
    share = coverage / np.maximum(total, np.float32(1e-4))
    change = colour - light
    change *= cv2.merge([share, share, share])
    light += change


class Grove:
    """A set of different trees to plant from, so that a wood does not repeat itself."""

    def __init__(self, height: float, rng: Rng, count: int, snow: float, detail: float = 1.0) -> None:
        """``height`` in pixels of the tallest tree that will be planted from it."""
        frost = Frost(rng.sub("frost"))
        shapes = [pine_shape(rng.sub(f"shape {index}"), snow, detail) for index in range(count)]
        self.sprites = [
            frost.soften(grow(height, rng.sub(f"pine {index}"), shape)) for index, shape in enumerate(shapes)
        ]

    def plant(
        self,
        light: Floats,
        alpha: Floats,
        foot: tuple[float, float],
        height: float,
        rng: Rng,
        colours: PineLight,
    ) -> None:
        """Plant a random tree; its width, brightness and hue vary a little."""
        sprite, mirror = rng.pick(self.sprites), rng.u() < 0.5
        width = height * _ASPECT * rng.uniform(0.85, 1.18)
        stamp(light, alpha, sprite, foot, (width, height), colours.varied(rng), mirror)
