"""A snowed-in cabin with light in its windows, and the smoke of its stove."""

from __future__ import annotations

import math

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import rgb, smoothstep
from meshapi_renderer.noise import fbm
from meshapi_renderer.rng import Rng

_BITS = 4
_OVERSAMPLING = 3
_WALL, _ROOF, _REACH = 0.42, 0.40, 0.62
"""Shares of the cabin's width: height of the walls, height of the roof above them, half of the eaves."""
_LAMP = rgb(3.0, 1.35, 0.36)


def draw_cabin(
    light: Floats, alpha: Floats, foot: tuple[float, float], width: float, snow: tuple[Floats, Floats]
) -> tuple[float, float]:
    """Paint a cabin ``width`` pixels wide over a layer in progress, in place; returns its chimney's mouth.

    The layer must be empty there. ``snow`` is the colour of snow in the shade and in the light.
    """
    side = math.ceil(2.2 * width) * _OVERSAMPLING
    pen = _Pen(side, width * _OVERSAMPLING)
    _build(pen, *snow)
    small = math.ceil(2.2 * width)
    colour = imaging.resize(pen.colour, small, small, imaging.AREA)
    cover = imaging.resize(pen.cover, small, small, imaging.AREA)
    left, top = round(foot[0] - small / 2), round(foot[1] - 0.8 * small)
    _glow(light, alpha, foot, width)
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(alpha.shape[1], left + small), min(alpha.shape[0], top + small)
    if x1 > x0 and y1 > y0:
        part = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
        share = cover[part][..., None]
        window = light[y0:y1, x0:x1]
        window += (colour[part] / np.maximum(share, np.float32(1e-3)) - window) * share
        np.maximum(alpha[y0:y1, x0:x1], cover[part], out=alpha[y0:y1, x0:x1])
    return foot[0] + 0.27 * width, foot[1] - 0.93 * width


class _Pen:
    """Fills polygons in shares of the cabin's width, x from its middle, y up from its foot."""

    def __init__(self, side: int, width: float) -> None:
        self.colour = np.zeros((side, side, 3), np.float32)
        self.cover = np.zeros((side, side), np.float32)
        self._middle, self._foot, self._width = side / 2, 0.8 * side, width

    def fill(self, points: list[tuple[float, float]], colour: Floats) -> None:
        corners = np.array(
            [(self._middle + x * self._width, self._foot - y * self._width) for x, y in points]
        )
        fixed = np.round(corners * (1 << _BITS)).astype(np.int32)
        cv2.fillPoly(self.colour, [fixed], [float(c) for c in colour], cv2.LINE_8, _BITS)
        cv2.fillPoly(self.cover, [fixed], 1.0, cv2.LINE_8, _BITS)

    def box(self, x0: float, x1: float, y0: float, y1: float, colour: Floats) -> None:
        self.fill([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour)


def _build(pen: _Pen, shade: Floats, lit: Floats) -> None:
    dark, warm = rgb(0.030, 0.020, 0.014), rgb(0.085, 0.050, 0.028)
    pen.box(0.22, 0.32, 0.30, 0.90, rgb(0.030, 0.030, 0.034))
    pen.box(0.205, 0.335, 0.88, 0.935, lit)
    for log in range(7):
        y = _WALL * log / 7
        pen.box(-0.5, 0.5, y, y + _WALL / 7, dark)
        pen.box(-0.5, 0.5, y + 0.010, y + 0.040, warm * np.float32(0.55 + 0.1 * (log % 3)))
    for side in (-1.0, 1.0):
        pen.box(side * 0.5 - 0.03, side * 0.5 + 0.03, 0.0, _WALL, warm * np.float32(0.6))
    pen.fill([(-0.5, _WALL), (0.5, _WALL), (0.0, _WALL + 0.34)], dark)
    # A thick quilt of snow on both slopes of the roof.
    peak, quilt = _WALL + _ROOF, 0.105
    for side, tone in ((-1.0, lit), (1.0, shade * np.float32(0.8) + lit * np.float32(0.2))):
        eave = (side * _REACH, _WALL - 0.045)
        pen.fill([(0.0, peak - 0.05), (eave[0], eave[1] - 0.02), (eave[0], eave[1] + 0.02), (0, peak)], dark)
        pen.fill(
            [
                (0.0, peak - 0.02),
                (eave[0], eave[1] + 0.01),
                (side * (_REACH + 0.015), eave[1] + 0.06),
                (side * (_REACH - 0.03), eave[1] + quilt),
                (side * 0.05, peak + quilt * 0.85),
                (0.0, peak + quilt),
            ],
            tone,
        )
    pen.box(-0.09, 0.09, 0.0, 0.30, rgb(0.045, 0.024, 0.012))
    pen.box(-0.055, 0.055, 0.17, 0.27, _LAMP * np.float32(0.75))
    for x in (-0.30, 0.30):
        pen.box(x - 0.10, x + 0.10, 0.13, 0.31, dark)
        for across in (-1, 1):
            for up in (0, 1):
                pane_x, pane_y = x + across * 0.044, 0.145 + up * 0.078
                tone = _LAMP * np.float32(0.85 + 0.25 * up)
                pen.box(pane_x - 0.037, pane_x + 0.037, pane_y, pane_y + 0.066, tone)
        pen.box(x - 0.12, x + 0.12, 0.100, 0.132, lit)
    pen.fill([(-0.07, 0.50), (0.07, 0.50), (0.0, 0.60)], _LAMP * np.float32(0.6))
    pen.fill([(-0.75, 0.0), (-0.55, 0.055), (-0.1, 0.03), (0.1, 0.03), (0.55, 0.06), (0.75, 0.0)], lit)


def _glow(light: Floats, alpha: Floats, foot: tuple[float, float], width: float) -> None:
    """Lamp light on the snow before the windows, in place."""
    y0, y1 = max(0, round(foot[1] - 0.5 * width)), min(alpha.shape[0], round(foot[1] + 1.1 * width))
    x0, x1 = max(0, round(foot[0] - 1.6 * width)), min(alpha.shape[1], round(foot[0] + 1.6 * width))
    if y1 <= y0 or x1 <= x0:
        return
    y = (np.arange(y0, y1, dtype=np.float32)[:, None] - np.float32(foot[1])) / np.float32(width)
    x = (np.arange(x0, x1, dtype=np.float32)[None] - np.float32(foot[0])) / np.float32(width)
    spread = np.float32(0.16) + np.float32(0.42) * np.maximum(y, 0)
    pools = np.zeros_like(x + y)
    for at in (-0.30, 0.0, 0.30):
        away = (x - np.float32(at) * (1 + np.maximum(y, 0))) / spread
        pools += np.exp(-away * away) * np.float32(1.0 if at else 0.5)
    fall = np.exp(-np.maximum(y, 0) * np.float32(3.4)) * smoothstep(-0.06, 0.05, y)
    share = np.clip(pools * fall * np.float32(0.80), 0, 0.85)
    light[y0:y1, x0:x1] = _LAMP * rgb(0.34, 0.26, 0.20)
    np.maximum(alpha[y0:y1, x0:x1], share, out=alpha[y0:y1, x0:x1])


class Smoke:
    """A thread of smoke that rises, leans with the wind and thins out."""

    _ROWS = 256

    def __init__(self, rng: Rng, width: float, height: float, colour: tuple[int, int, int]) -> None:
        """``width`` of the chimney's mouth and ``height`` of the thread, in pixels."""
        self._wide, self._tall, self._colour = width, height, colour
        self._noise = imaging.Torus(fbm(self._ROWS, self._ROWS, 6, 4, rng.sub("noise"), 0.55))
        self._side = rng.sub("wind").sign()

    def draw(self, frame: Bytes8, mouth: tuple[float, float], seconds: float, wind: float) -> None:
        """Blend the smoke of that moment over ``frame``, rising from ``mouth`` (column, row)."""
        reach = 0.55 * self._tall
        x0, x1 = round(mouth[0] - reach), round(mouth[0] + reach)
        y0, y1 = round(mouth[1] - self._tall), round(mouth[1])
        left, right = max(0, x0), min(frame.shape[1], x1)
        top, bottom = max(0, y0), min(frame.shape[0], y1)
        if right - left < 2 or bottom - top < 2:
            return
        # Smoke is soft: half the size will do.
        rows, columns = -(-(bottom - top) // 2), -(-(right - left) // 2)
        row = np.arange(rows, dtype=np.float32)[:, None] * 2 + np.float32(top + 0.5)
        up = np.clip((np.float32(mouth[1]) - row) / np.float32(self._tall), 0, 1)
        column = np.arange(columns, dtype=np.float32)[None] * 2 + np.float32(left + 0.5)
        x = (column - np.float32(mouth[0])) / np.float32(self._tall)
        drift = np.float32(0.16 * wind * self._side) * up * (1 + up)
        flow = self._noise.at(
            np.float32(40) + up * 0 + x * 60, up * np.float32(90) + np.float32(42 * seconds)
        )
        sway = (flow - np.float32(0.5)) * np.float32(0.34) * up
        spread = np.float32(0.6 * self._wide / self._tall) + np.float32(0.085) * up**0.8
        away = (x - drift - sway) / spread
        body = self._noise.at(x * 210 + np.float32(9), up * np.float32(120) + np.float32(60 * seconds))
        density = np.exp(-away * away) * smoothstep(0.25, 0.70, body) * (1 - up) ** np.float32(1.4)
        density *= smoothstep(0.0, 0.03, up) * np.float32(190)
        mask = imaging.enlarge(density.astype(np.uint8), 2, right - left, bottom - top)
        imaging.tint(frame[top:bottom, left:right], np.ascontiguousarray(mask), self._colour)
