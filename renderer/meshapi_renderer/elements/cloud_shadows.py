"""Shadows of drifting clouds that slide over open land."""

from __future__ import annotations

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.colour import smoothstep
from meshapi_renderer.noise import fbm
from meshapi_renderer.rng import Rng
from meshapi_renderer.view import View

_SIDE = 512
_STEP = 4
_METRES = 1200.0
"""Side of the torus of shadows."""
_LENGTHENED = np.float32(0.45)
"""Shadows reach this much less far across than away: a flat eye would see only stripes of round ones."""


class CloudShadows:
    """Darkens a ground plane below the horizon, in place."""

    def __init__(self, view: View, rng: Rng, depth: float, pace: float, eye: float = 40.0) -> None:
        """``depth`` is how much light the middle of a shadow takes, ``pace`` metres per second."""
        canvas = view.canvas
        self._top = round(view.horizon * canvas.height)
        # As many rows more as a tilt may bring in from below.
        rows = -(-(canvas.height - self._top + view.margin) // _STEP)
        columns = -(-canvas.width // _STEP)
        # Clouds as large as these, seen aslant, are long bands already: finer ones would be streaks.
        cover = smoothstep(0.55, 0.66, fbm(_SIDE, _SIDE, 11, 3, rng.sub("shadows"), 0.42))
        self._texture = imaging.Torus((cover * 255).astype(np.uint8))
        below = (np.arange(rows, dtype=np.float32)[:, None] + np.float32(0.5)) * np.float32(_STEP)
        drop = (below + np.float32(self._top - view.horizon * canvas.height)) / np.float32(view.focal)
        distance = np.float32(eye) / (np.maximum(drop, 0) + np.float32(0.02))
        across = (np.arange(columns, dtype=np.float32)[None] + np.float32(0.5)) * np.float32(_STEP)
        across = (across - np.float32(canvas.width / 2)) * distance * np.float32(1 / view.focal)
        texels = np.float32(_SIDE / _METRES)
        self._x, self._z = (
            across * texels,
            np.broadcast_to(distance * (texels * _LENGTHENED), across.shape).copy(),
        )
        fade = smoothstep(0.006, 0.055, drop) * np.float32(depth)
        self._fade = np.broadcast_to(fade, self._x.shape).copy()
        self._speed = float(pace * texels)
        self._lean = rng.sub("wind").sign()

    def draw(self, frame: Bytes8, seconds: float, shift: tuple[float, float] = (0.0, 0.0)) -> None:
        """Darken ``frame`` by the shadows of that moment; ``shift`` moves the plane, in pixels."""
        height, width = frame.shape[:2]
        top = min(max(0, round(self._top + shift[1])), height)
        rows = height - top
        if rows < 2:
            return
        drift = np.float32(self._speed * seconds)
        shade = self._texture.at(self._x - np.float32(self._lean) * drift, self._z + np.float32(0.4) * drift)
        light = (255 - shade * self._fade).astype(np.uint8)
        full = imaging.triple(imaging.enlarge(light, _STEP, width, rows))
        window = frame[top:]
        cv2.multiply(window, full, window, 1 / 255.0)
