"""Lightning: bolts between cloud and land, and the light they throw on everything for a moment."""

from __future__ import annotations

import itertools
import math

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas
from meshapi_renderer.storm_clock import Strike, storm_light, strikes

_BITS = 4
_ONE = 1 << _BITS
_SHOWN = 0.42
"""Seconds a bolt can be seen."""
_FAINT = 0.02


class Bolts:
    """The bolts of one storm's sky."""

    def __init__(self, canvas: Canvas, horizon: float, rng: Rng) -> None:
        """``horizon`` is where bolts strike, as a share of the height."""
        self._canvas, self._horizon, self._rng = canvas, horizon, rng

    def draw(self, frame: Bytes8, seconds: float, shift: tuple[float, float], lowest_row: int) -> None:
        """Add the bolts of that moment, and the glow of their cloud, to the rows above ``lowest_row``."""
        for strike in strikes(seconds - _SHOWN, seconds + 0.001):
            light = strike.flash(seconds)
            if light > _FAINT:
                self._draw_one(frame[:lowest_row], strike, light, shift)

    def _draw_one(self, sky: Bytes8, strike: Strike, light: float, shift: tuple[float, float]) -> None:
        height, width = sky.shape[0] // 2, sky.shape[1] // 2
        if height < 8 or width < 8:
            return
        draws = self._rng.sub(f"bolt {strike.number}")
        canvas = self._canvas
        sheet = np.zeros((height, width), np.uint8)
        top = (draws.uniform(0.12, 0.88), -0.02)
        foot = (top[0] + 0.12 * draws.uniform(-1, 1), self._horizon + 0.01)
        offset = (0.5 * shift[0], 0.5 * shift[1])
        thick = max(1.0, 1.6 * canvas.scale / strike.kilometres**0.5)
        self._path(sheet, top, foot, thick, 255 * light, draws, offset, 3)
        scale = max(0.5, canvas.scale)
        glow = imaging.gaussian(sheet, 5.0 * scale)
        wide = imaging.gaussian(imaging.resize(sheet, width // 4, height // 4, imaging.AREA), 9.0 * scale)
        lit = cv2.add(sheet, cv2.convertScaleAbs(glow, alpha=1.5))
        lit = cv2.add(lit, cv2.convertScaleAbs(imaging.resize(wide, width, height), alpha=7.0))
        full = imaging.resize(np.asarray(lit, np.uint8), sky.shape[1], sky.shape[0])
        tinted = cv2.merge([cv2.convertScaleAbs(full, alpha=gain) for gain in (0.86, 0.90, 1.0)])
        cv2.add(sky, tinted, sky)

    def _path(
        self,
        sheet: Bytes8,
        start: tuple[float, float],
        end: tuple[float, float],
        thick: float,
        value: float,
        rng: Rng,
        offset: tuple[float, float],
        branches: int,
    ) -> None:
        """A jagged line by halving, with thinner branches; places are shares of the frame."""
        points = [start, end]
        sway = 0.16 * math.hypot(end[0] - start[0], end[1] - start[1])
        for _ in range(6):
            halved = [points[0]]
            for a, b in itertools.pairwise(points):
                middle = (0.5 * (a[0] + b[0]) + sway * rng.uniform(-1, 1), 0.5 * (a[1] + b[1]))
                halved += [middle, b]
            points, sway = halved, 0.52 * sway
        wide, high = 0.5 * self._canvas.width, 0.5 * self._canvas.height
        pixels = np.array([(x * wide + offset[0], y * high + offset[1]) for x, y in points])
        fixed = np.round(pixels * _ONE).astype(np.int32)
        cv2.polylines(sheet, [fixed], False, value, max(1, round(thick)), cv2.LINE_AA, _BITS)
        for _ in range(branches):
            begin = points[int(len(points) * rng.uniform(0.15, 0.7))]
            reach = rng.uniform(0.10, 0.28)
            tip = (begin[0] + reach * rng.uniform(-0.8, 0.8), begin[1] + reach)
            self._path(sheet, begin, tip, 0.5 * thick, 0.55 * value, rng, offset, branches - 2)


class Flashes:
    """The light of a storm's lightning on the whole picture."""

    def draw(self, frame: Bytes8, seconds: float) -> None:
        """Brighten ``frame`` by the lightning of that moment, in place."""
        light = storm_light(seconds)
        if light > _FAINT:
            cv2.convertScaleAbs(frame, frame, alpha=1.0 + 0.55 * light, beta=16.0 * light)
