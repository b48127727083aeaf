"""Moving lights: points and streaks added to the picture, with a glow around them."""

from __future__ import annotations

import cv2

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.scene import Canvas, Scratch

_BITS = 4
_ONE = 1 << _BITS
_BAND = 32
"""Rows of the sheet that are enlarged at a time: bands without light cost next to nothing."""
Colour = tuple[float, float, float]


class LightPoints:
    """A sheet of light at half the frame's size; make one, draw into it, add it to the frame."""

    __slots__ = ("_canvas", "_sheet")

    def __init__(self, canvas: Canvas, scratch: Scratch) -> None:
        self._canvas = canvas
        self._sheet: Bytes8 = scratch.array(
            "light points", (-(-canvas.height // 2), -(-canvas.width // 2), 3)
        )
        self._sheet[...] = 0

    def dot(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """A point of light; frame pixels, sRGB."""
        weight = min(1.0, radius / 1.2)
        size = max(round(0.5 * radius * _ONE), round(0.6 * _ONE))
        shown = tuple(channel * weight for channel in colour)
        cv2.circle(self._sheet, self._fixed(x, y), size, shown, -1, cv2.LINE_AA, _BITS)

    def streak(self, x0: float, y0: float, x1: float, y1: float, width: float, colour: Colour) -> None:
        """A line of light; frame pixels, sRGB."""
        weight = min(1.0, 0.5 * width)
        shown = tuple(channel * weight for channel in colour)
        thick = max(1, round(0.5 * width))
        cv2.line(self._sheet, self._fixed(x0, y0), self._fixed(x1, y1), shown, thick, cv2.LINE_AA, _BITS)

    @staticmethod
    def _fixed(x: float, y: float) -> tuple[int, int]:
        return round((0.5 * x - 0.25) * _ONE), round((0.5 * y - 0.25) * _ONE)

    def add_to(self, frame: Bytes8, rows: int) -> None:
        """Add the lights and their glow to the rows of ``frame`` above ``rows``."""
        rows = min(rows, frame.shape[0])
        half = self._sheet[: -(-rows // 2)]
        if rows < 8 or not half.any():
            return
        width = frame.shape[1]
        small = imaging.resize(half, max(1, width // 8), max(1, rows // 8), imaging.AREA)
        soft = imaging.gaussian(small, max(0.6, 2.0 * self._canvas.scale))
        glow = imaging.resize(cv2.convertScaleAbs(soft, alpha=1.8), half.shape[1], half.shape[0])
        for top in range(0, half.shape[0], _BAND):
            # One row more on either side, for the way up.
            part = slice(max(0, top - 1), min(half.shape[0], top + _BAND + 1))
            lit = cv2.add(half[part], glow[part])
            if not cv2.hasNonZero(lit.reshape(-1)):
                continue
            large = imaging.resize(lit, width, 2 * lit.shape[0])[2 * (top - part.start) :]
            window = frame[2 * top : min(rows, 2 * (top + _BAND))]
            cv2.add(window, large[: window.shape[0]], window)
