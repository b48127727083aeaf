"""Palms seen from the side: leaning trunks and crowns of feathered fronds that stir in the wind."""

from __future__ import annotations

import math

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import mix, rgb
from meshapi_renderer.elements.sway import SwayingSheet
from meshapi_renderer.rng import Rng
from meshapi_renderer.view import View

_BITS = 4
_ONE = 1 << _BITS
_OVERSAMPLING = 2


def plant_palms(
    view: View,
    feet: list[tuple[float, float, float, float]],
    tones: tuple[Floats, Floats, Floats],
    depth: float,
    rng: Rng,
) -> SwayingSheet:
    """A sheet of palms: ``feet`` are (column, row, height, lean) in pixels of the padded picture.

    ``tones`` are linear, exposed colours of the trunk, of shaded and of lit fronds.
    """
    shape = (view.height * _OVERSAMPLING, view.width * _OVERSAMPLING)
    colour = np.zeros((*shape, 3), np.float32)
    cover = np.zeros(shape, np.float32)
    bend = np.zeros((view.height, view.width), np.float32)
    for index, (x, y, tall, lean) in enumerate(feet):
        pen = _Pen(colour, cover)
        _palm(pen, (x, y), tall, lean, tones, rng.sub(f"palm {index}"))
        _let_bend(bend, (x, y), tall, lean)
    alpha = imaging.resize(cover, view.width, view.height, imaging.AREA)
    light = imaging.resize(colour * cover[..., None], view.width, view.height, imaging.AREA)
    light = light / np.maximum(alpha, np.float32(1e-3))[..., None]
    return SwayingSheet(light, alpha, bend, depth, view.margin, rng.sub("sway"))


def _let_bend(bend: Floats, foot: tuple[float, float], tall: float, lean: float) -> None:
    """The higher over the foot, the farther a palm is pushed; smoothly, in place."""
    rows = np.arange(bend.shape[0], dtype=np.float32)[:, None]
    columns = np.arange(bend.shape[1], dtype=np.float32)[None]
    up = np.clip((np.float32(foot[1]) - rows) / np.float32(tall), 0, 1.3)
    away = (columns - np.float32(foot[0]) - up * np.float32(lean * tall)) / np.float32(0.75 * tall)
    np.maximum(bend, up * up * np.exp(-away * away) * np.float32(0.045 * tall), out=bend)


class _Pen:
    """Draws in pixels of the padded picture on an oversampled sheet."""

    def __init__(self, colour: Floats, cover: Floats) -> None:
        self._colour, self._cover = colour, cover

    def fill(self, points: list[tuple[float, float]], tone: Floats) -> None:
        fixed = np.round(np.array(points) * (_ONE * _OVERSAMPLING)).astype(np.int32)
        cv2.fillConvexPoly(self._colour, fixed, [float(c) for c in tone], cv2.LINE_8, _BITS)
        cv2.fillConvexPoly(self._cover, fixed, 1.0, cv2.LINE_8, _BITS)


def _palm(
    pen: _Pen,
    foot: tuple[float, float],
    tall: float,
    lean: float,
    tones: tuple[Floats, Floats, Floats],
    rng: Rng,
) -> None:
    trunk, shade, lit = tones
    curve = rng.uniform(0.25, 0.5)
    path = []
    for step in range(31):
        s = step / 30
        path.append((foot[0] + lean * tall * (s * (1 - curve) + curve * s * s), foot[1] - tall * s))
    for step in range(30):
        s = step / 30
        wide = tall * (0.030 * (1 - s) ** 1.5 + 0.0165)
        (x0, y0), (x1, y1) = path[step], path[step + 1]
        dark = trunk * np.float32(0.88 + 0.14 * (step % 2))
        pen.fill([(x0 - wide, y0), (x0 + wide, y0), (x1 + 0.93 * wide, y1), (x1 - 0.93 * wide, y1)], dark)
        pen.fill(
            [(x0 - wide, y0), (x0 - 0.35 * wide, y0), (x1 - 0.35 * wide, y1), (x1 - 0.93 * wide, y1)],
            dark * np.float32(1.7),
        )
    # A tuft hides where the trunk meets the sand.
    for _ in range(16):
        x, high = foot[0] + 0.055 * tall * rng.uniform(-1, 1), 0.055 * tall * rng.uniform(0.5, 1)
        tip = (x + 0.6 * high * rng.uniform(-1, 1), foot[1] - high)
        tone = mix(shade, lit, rng.uniform(0.1, 0.7))
        root = foot[1] + 0.006 * tall
        pen.fill([(x - 0.006 * tall, root), (x + 0.006 * tall, root), tip], tone)
    crown = path[-1]
    fronds = 15
    order = sorted(range(fronds), key=lambda index: -abs(index - fronds / 2))
    for index in order:
        angle = math.pi * (1.13 - 1.26 * index / (fronds - 1)) + rng.uniform(-0.08, 0.08)
        back = index % 3 == 0
        tone = mix(shade, lit, 0.15 if back else rng.uniform(0.45, 1.0))
        _frond(pen, crown, tall * rng.uniform(0.40, 0.50), angle, tone, rng)
    for side in (-1, 0, 1):
        nut = (crown[0] + 0.022 * tall * side, crown[1] + 0.025 * tall)
        ring = [math.tau * k / 10 for k in range(10)]
        pen.fill(
            [(nut[0] + 0.017 * tall * math.cos(a), nut[1] + 0.019 * tall * math.sin(a)) for a in ring],
            rgb(0.10, 0.065, 0.03) * np.float32(float(lit.mean()) * 4 + 0.2),
        )


def _frond(pen: _Pen, root: tuple[float, float], long: float, angle: float, tone: Floats, rng: Rng) -> None:
    """One leaf: a rib that droops to its end, feathered on both sides."""
    droop = rng.uniform(0.55, 0.95)
    leaflets = 26
    points = []
    for step in range(leaflets + 1):
        s = step / leaflets
        x = root[0] + long * s * math.cos(angle) * (1 - 0.10 * s)
        y = root[1] - long * (s * math.sin(angle) - droop * s * s)
        points.append((x, y))
    for step in range(1, leaflets + 1):
        s = step / leaflets
        (x0, y0), (x1, y1) = points[step - 1], points[step]
        along = math.atan2(y1 - y0, x1 - x0)
        size = long * 0.26 * math.sin(math.pi * min(1.0, 0.12 + 0.88 * s)) ** 0.8
        for side in (-1, 1):
            turn = along + side * (1.15 - 0.5 * s) + 0.12 * rng.uniform(-1, 1)
            tip = (x1 + size * math.cos(turn), y1 + size * math.sin(turn) + 0.30 * size)
            wide = 0.055 * size + 0.3
            shade = np.float32((0.75 if side > 0 else 1.1) * (0.85 + 0.3 * rng.u()))
            across = (math.sin(turn) * wide, -math.cos(turn) * wide)
            pen.fill([(x1 - across[0], y1 - across[1]), (x1 + across[0], y1 + across[1]), tip], tone * shade)
        thick = long * 0.006
        pen.fill(
            [(x0, y0 - thick), (x1, y1 - thick), (x1, y1 + thick), (x0, y0 + thick)], tone * np.float32(1.3)
        )
