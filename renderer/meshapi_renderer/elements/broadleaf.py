"""A broad-leaved tree: trunk, boughs and a crown of leaf masses, lit from one side."""

from __future__ import annotations

import math

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import mix
from meshapi_renderer.elements.pines import lay_over
from meshapi_renderer.rng import Rng

_BITS = 4
_ONE = 1 << _BITS
_OVERSAMPLING = 2


def grow_tree(
    light: Floats,
    alpha: Floats,
    foot: tuple[float, float],
    height: float,
    tones: tuple[Floats, Floats, Floats],
    side: float,
    rng: Rng,
    leaves: float = 1.0,
) -> None:
    """Paint a tree ``height`` pixels tall over a layer in progress, in place.

    ``tones`` are the bark, the shaded and the lit leaves; light falls from ``side`` (-1 left to 1 right);
    ``leaves`` 0 leaves it bare.
    """
    rows = max(12, round(1.06 * height))
    columns = max(12, round(1.25 * height))
    canvas = _Canvas(rows * _OVERSAMPLING, columns * _OVERSAMPLING, height * _OVERSAMPLING)
    tips = _boughs(canvas, tones[0], rng.sub("boughs"))
    if leaves > 0:
        _crown(canvas, tips, tones[1], tones[2], side, leaves, rng.sub("crown"))
    cover = imaging.resize(canvas.cover, columns, rows, imaging.AREA)
    colour = imaging.resize(canvas.colour * canvas.cover[..., None], columns, rows, imaging.AREA)
    colour = colour / np.maximum(cover, np.float32(1e-3))[..., None]
    left, top = round(foot[0] - columns / 2), round(foot[1] - rows)
    y0, y1 = max(0, top), min(alpha.shape[0], top + rows)
    x0, x1 = max(0, left), min(alpha.shape[1], left + columns)
    if y1 <= y0 or x1 <= x0:
        return
    part = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    lay_over(light[y0:y1, x0:x1], alpha[y0:y1, x0:x1], colour[part], cover[part])


class _Canvas:
    """Lines and discs in shares of the tree's height, x from its foot, y up."""

    def __init__(self, rows: int, columns: int, height: float) -> None:
        self.colour = np.zeros((rows, columns, 3), np.float32)
        self.cover = np.zeros((rows, columns), np.float32)
        self._rows, self._middle, self._height = rows, columns / 2, height

    def _at(self, x: float, y: float) -> tuple[int, int]:
        return round((self._middle + x * self._height) * _ONE), round((self._rows - y * self._height) * _ONE)

    def line(self, a: tuple[float, float], b: tuple[float, float], width: float, tone: Floats) -> None:
        thick = max(1, round(width * self._height))
        cv2.line(self.colour, self._at(*a), self._at(*b), [float(c) for c in tone], thick, cv2.LINE_8, _BITS)
        cv2.line(self.cover, self._at(*a), self._at(*b), 1.0, thick, cv2.LINE_8, _BITS)

    def leaf(self, x: float, y: float, size: float, turn: float, tone: Floats) -> None:
        axes = max(6, round(size * self._height * _ONE)), max(5, round(0.62 * size * self._height * _ONE))
        shade = [float(c) for c in tone]
        cv2.ellipse(self.colour, self._at(x, y), axes, turn, 0, 360, shade, -1, cv2.LINE_8, _BITS)
        cv2.ellipse(self.cover, self._at(x, y), axes, turn, 0, 360, 1.0, -1, cv2.LINE_8, _BITS)


def _boughs(canvas: _Canvas, bark: Floats, rng: Rng) -> list[tuple[float, float]]:
    """Trunk and boughs; returns where they end."""
    tips: list[tuple[float, float]] = []

    def limb(x: float, y: float, angle: float, length: float, width: float, level: int) -> None:
        bend = angle + rng.uniform(-0.12, 0.12)
        end = (x + length * math.sin(bend), y + length * math.cos(bend))
        canvas.line((x, y), end, width, bark * np.float32(rng.uniform(0.8, 1.2)))
        if level == 0:
            tips.append(end)
            return
        for _ in range(3 if level > 1 else 2):
            turn = 0.80 * bend + rng.uniform(-0.85, 0.85)
            limb(*end, turn, length * rng.uniform(0.60, 0.84), 0.60 * width, level - 1)

    limb(0.0, 0.0, rng.uniform(-0.05, 0.05), 0.24, 0.044, 4)
    return tips


def _crown(
    canvas: _Canvas,
    tips: list[tuple[float, float]],
    shade: Floats,
    lit: Floats,
    side: float,
    leaves: float,
    rng: Rng,
) -> None:
    """Masses of leaves round the ends of the boughs: the hidden ones dark, the outer ones in the light."""
    points = np.array(tips)
    middle, reach = points.mean(0), max(0.05, float(points.std()))
    specks = []
    for tip in tips:
        for _ in range(round(26 * leaves)):
            angle, away = rng.u() * math.tau, 0.105 * math.sqrt(rng.u())
            x, y = tip[0] + away * math.cos(angle), min(0.985, tip[1] + 0.8 * away * math.sin(angle))
            out = (side * 0.55 * (x - middle[0]) + 0.80 * (y - middle[1])) / reach
            own = (side * 0.45 * math.cos(angle) + 0.75 * math.sin(angle)) * away / 0.105
            specks.append((0.30 * out + 0.22 * own + 0.42 + 0.16 * rng.uniform(-1, 1), x, y, rng.u()))
    for level, x, y, chance in sorted(specks):
        tone = mix(shade, lit, min(1.15, max(0.0, level)))
        canvas.leaf(x, y, 0.011 + 0.010 * chance, 180 * chance, tone * np.float32(0.85 + 0.3 * chance))
