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
from meshapi_renderer.rng import Rng

_BITS = 4
_ONE = 1 << _BITS
_ASPECT = 0.62
"""Width of a sprite over its height."""
_OVERSAMPLING = 2
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
    for branch in branches:
        if branch.front < 0:
            _draw_branch(pen, branch, bend, shape)
    pen.polygon(np.array([[-0.009, 1.0], [0.009, 1.0], [bend * 0.2 + 0.0015, 0.01], [bend * 0.2 - 0.0015, 0.01]]),
                (255, 26, 128, 0))  # fmt: skip
    for branch in branches:
        if branch.front >= 0:
            _draw_branch(pen, branch, bend, shape)
    return imaging.resize(image, columns // _OVERSAMPLING, rows // _OVERSAMPLING, imaging.AREA)


class _Pen:
    """Draws polygons given in shares of the tree's height, x from the trunk, y from the top."""

    def __init__(self, image: Bytes8, rows: int, trunk: float) -> None:
        self._image = image
        self._scale = np.array([rows, rows], np.float32)
        self._origin = np.array([trunk, 0.0], np.float32)

    def polygon(self, points: Floats, value: tuple[int, int, int, int]) -> None:
        cv2.fillConvexPoly(self._image, self._fixed(points), value, cv2.LINE_AA, _BITS)

    def leaf(
        self, start: Floats, tip: Floats, width: float, value: tuple[int, int, int, int], blunt: float = 0.25
    ) -> None:
        """A hanging twig: broad where it starts, ``blunt`` of that width at its tip."""
        x, y, end_x, end_y = float(start[0]), float(start[1]), float(tip[0]), float(tip[1])
        point = blunt * width
        self.polygon(
            np.array(
                [
                    [x - width, y],
                    [x, y - 0.5 * width],
                    [x + width, y],
                    [end_x + point, end_y],
                    [end_x - point, end_y],
                ],
                np.float32,
            ),
            value,
        )

    def _fixed(self, points: Floats) -> NDArray[np.int32]:
        return np.round((points * self._scale + self._origin) * _ONE).astype(np.int32)


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


def _draw_branch(pen: _Pen, branch: _Branch, bend: float, shape: PineShape) -> None:
    """Twigs along the branch, hanging outwards and down, each with the snow that lies on it."""
    share = (np.arange(shape.twigs, dtype=np.float32) + branch.noise[:, 0]) / np.float32(shape.twigs)
    share = np.clip(np.float32(0.12) + np.float32(0.9) * share, 0, 1)
    start = _along(branch, share, bend)
    hang = branch.length * (0.20 + 0.30 * branch.noise[:, 1]) * (1.05 - 0.45 * share) + np.float32(0.006)
    outward = branch.across * (0.55 + 0.5 * branch.noise[:, 2]) + (branch.noise[:, 3] - 0.5) * 0.9
    downward = 0.65 + 0.35 * max(branch.front, 0.0) + 0.2 * branch.noise[:, 2]
    norm = np.sqrt(outward * outward + downward * downward)
    tip = start + np.stack([outward / norm * hang, downward / norm * hang], 1)
    thick = np.float32(0.13) * hang + np.float32(0.0020)
    behind = 0.62 if branch.front < 0 else 1.0
    open_sky = (0.24 + 0.76 * share) * (0.72 + 0.28 * (1 - branch.level)) * behind
    covered = branch.noise[:, 4] < shape.snow * (0.95 if branch.front > -0.5 else 0.4)
    side = round(128 + 118 * branch.across)
    for j in range(shape.twigs):
        value = open_sky[j] * (70 + 120 * branch.light * branch.noise[j, 3] + 55 * branch.noise[j, 1])
        pen.leaf(start[j], tip[j], float(thick[j]), (255, min(255, int(value)), side, 0))
        if covered[j]:
            reach = np.float32(0.42 + 0.34 * branch.noise[j, 5])
            end = start[j] + (tip[j] - start[j]) * reach
            width = float(thick[j]) * (1.0 + 0.5 * float(branch.noise[j, 2]))
            glow = min(255, int((0.62 + 0.38 * open_sky[j]) * (150 + 105 * branch.noise[j, 5])))
            pen.leaf(start[j] - np.float32(0.35 * width), end, width, (255, glow, side, 255), blunt=0.75)


def _along(branch: _Branch, share: Floats, bend: float) -> Floats:
    """Points (n, 2) at shares of a branch's length."""
    x = branch.across * branch.length * share + np.float32(bend * (1 - branch.y) * 0.2)
    towards = np.float32(0.16 * branch.front * branch.length) * share
    y = branch.y + branch.droop * branch.length * share ** np.float32(1.5) + towards
    return np.stack([x, y], 1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class PineLight:
    """Colours a planted tree takes, linear, and from which side (-1 left to 1 right) the light comes."""

    shade: Floats
    lit: Floats
    snow_shade: Floats
    snow_lit: Floats
    side: float = 0.0


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
    cushion = mix(colours.snow_shade, colours.snow_lit, np.clip(open_sky * facing * np.float32(0.85), 0, 1.1))
    colour = mix(needles, cushion, np.clip(snow, 0, 1))
    window = np.s_[y0:y1, x0:x1]
    light[window] = light[window] * (1 - coverage) + colour * coverage
    np.maximum(alpha[window], coverage[..., 0], out=alpha[window])


class Grove:
    """A set of different trees to plant from, so that a wood does not repeat itself."""

    def __init__(self, height: float, rng: Rng, count: int, snow: float, detail: float = 1.0) -> None:
        """``height`` in pixels of the tallest tree that will be planted from it."""
        self.sprites = [
            grow(height, rng.sub(f"pine {index}"), pine_shape(rng.sub(f"shape {index}"), snow, detail))
            for index in range(count)
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
        bright, warm = rng.uniform(0.78, 1.22), rng.uniform(-0.08, 0.08)
        tint = np.array([1 + warm, 1.0, 1 - warm], np.float32) * np.float32(bright)
        own = PineLight(
            colours.shade * tint, colours.lit * tint, colours.snow_shade, colours.snow_lit, colours.side
        )
        stamp(light, alpha, sprite, foot, (width, height), own, mirror)
