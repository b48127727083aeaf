"""Light that wanders over a whole picture: clouds that pass by day, the flicker of many signs by night."""

from __future__ import annotations

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.noise import value_noise
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas

_SIDE = 128
_CELLS = 20
"""Cells of the coarse factor along the long side."""
_STEP = 4
"""Pixels between two points of the fine factor."""


class PassingLight:
    """A slow, wide unevenness of brightness."""

    def __init__(self, canvas: Canvas, rng: Rng, strength: float, pace: float) -> None:
        """``strength`` is the greatest change of light; ``pace`` cells per second."""
        self._canvas, self._pace = canvas, pace
        field = value_noise(_SIDE, _SIDE, 26, 26, rng.sub("field")) - np.float32(0.5)
        self._field = imaging.Torus(field * np.float32(256 * strength))
        share = _CELLS / canvas.long
        self._size = (max(4, round(canvas.width * share)), max(4, round(canvas.height * share)))

    def draw(self, frame: Bytes8, seconds: float, rows: int) -> None:
        """Brighten and darken the first ``rows`` of ``frame`` as at that moment, in place."""
        wide, high = self._size
        drift = np.float32(self._pace * seconds)
        x = np.arange(wide, dtype=np.float32)[None] + drift
        y = np.arange(high, dtype=np.float32)[:, None] + drift * np.float32(0.6)
        level = np.clip(np.float32(128) + self._field.at(x, y), 64, 192).astype(np.float32)
        # Curved as far as the eye can follow, then straight in small steps, which costs a quarter.
        width, height = self._canvas.width, self._canvas.height
        fine = imaging.resize(level, width // _STEP, height // _STEP, cv2.INTER_CUBIC)
        full = imaging.resize(np.rint(fine).astype(np.uint8), width, height, cv2.INTER_LINEAR)[:rows]
        window = frame[:rows]
        cv2.multiply(window, imaging.triple(full), window, 1 / 128.0)
