"""Sheets of mist that drift between the planes of a landscape."""

from __future__ import annotations

import math

import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.colour import smoothstep
from meshapi_renderer.noise import fbm
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas

_ROWS, _COLUMNS = 192, 1024
_STEP = 3


class MistSheet:
    """One band of mist across the frame, thickest along its middle row."""

    def __init__(
        self, canvas: Canvas, rng: Rng, colour: tuple[int, int, int], middle: float, height: float,
        strength: float, pace: float,
    ) -> None:  # fmt: skip
        """``middle`` and ``height`` are shares of the frame's height; ``pace`` frame widths per second."""
        self._canvas = canvas
        self._colour = colour
        self._middle, self._height = middle * canvas.height, height * canvas.height
        billows = smoothstep(0.36, 0.70, fbm(_ROWS, _COLUMNS, 2, 5, rng, 0.5, aspect=3))
        across = np.sin((np.arange(_ROWS, dtype=np.float32) + np.float32(0.5)) * np.float32(math.pi / _ROWS))[
            :, None
        ]
        self._texture = imaging.Torus((billows * across**1.5 * np.float32(255 * strength)).astype(np.uint8))
        self._pace = pace
        # One texture spans 1.3 long sides of the frame, so a narrow frame sees a part of it.
        self._texels = _COLUMNS / (1.3 * canvas.long)

    def draw(self, frame: Bytes8, seconds: float, shift: tuple[float, float] = (0.0, 0.0)) -> None:
        """Blend the mist of that moment over ``frame``; ``shift`` moves it with the camera, in pixels."""
        height, width = frame.shape[:2]
        first = self._middle + shift[1] - 0.5 * self._height
        top, bottom = max(0, math.floor(first)), min(height, math.ceil(first + self._height))
        rows = bottom - top
        if rows < 2:
            return
        small_rows, small_columns = -(-rows // _STEP), -(-width // _STEP)
        x = (np.arange(small_columns, dtype=np.float32)[None] + np.float32(0.5)) * np.float32(_STEP)
        y = (np.arange(small_rows, dtype=np.float32)[:, None] + np.float32(0.5)) * np.float32(_STEP)
        moved = np.float32(shift[0] + self._pace * self._canvas.width * seconds)
        u = (x - moved) * np.float32(self._texels)
        v = np.clip((y + np.float32(top - first)) * np.float32(_ROWS / self._height), 0, _ROWS - 1)
        mask = self._texture.at(u, v)
        full = imaging.enlarge(mask, _STEP, width, rows)
        imaging.tint(frame[top:bottom], full, self._colour)
