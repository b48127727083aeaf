"""Sand or snow blown low over the ground: faint streaks in perspective, running with the wind."""

from __future__ import annotations

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.colour import smoothstep
from meshapi_renderer.noise import fbm, warp
from meshapi_renderer.rng import Rng
from meshapi_renderer.view import View

_SIDE = 512
_STEP = 3


class Spindrift:
    """Streaks over a ground plane below the horizon."""

    def __init__(
        self,
        view: View,
        rng: Rng,
        colour: tuple[int, int, int],
        strength: float,
        pace: float,
        eye: float = 4.0,
    ) -> None:
        """``pace`` is in metres per second to the right, ``eye`` metres above the plane of the streaks."""
        canvas = view.canvas
        self._colour = colour
        self._pace = pace
        self._bright = max(30.0, 0.8 * sum(colour) / 3)
        self._top = round(view.horizon * canvas.height)
        # As many rows more as a tilt may bring in from below.
        rows = -(-(canvas.height - self._top + view.margin) // _STEP)
        columns = -(-canvas.width // _STEP)
        bend = fbm(_SIDE, _SIDE, 5, 3, rng.sub("bend"), 0.5) - np.float32(0.5)
        streaks = warp(fbm(_SIDE, _SIDE, 22, 4, rng.sub("streaks"), 0.6, aspect=0.34), bend * 30, bend * 46)
        gusts = fbm(_SIDE, _SIDE, 3, 3, rng.sub("gusts"), 0.5)
        texture = smoothstep(0.50, 0.80, streaks) * (
            np.float32(0.45) + np.float32(0.55) * smoothstep(0.4, 0.7, gusts)
        )
        self._texture = imaging.Torus((texture * 255).astype(np.uint8))
        drop = (np.arange(rows, dtype=np.float32)[:, None] + np.float32(0.5)) * np.float32(_STEP / view.focal)
        across = (np.arange(columns, dtype=np.float32)[None] + np.float32(0.5)) * np.float32(
            _STEP
        ) - np.float32(canvas.width / 2)
        distance = np.float32(eye) / np.maximum(drop, np.float32(0.02))
        self._texels = _SIDE / 90.0
        self._x = across * distance * np.float32(self._texels / view.focal)
        self._z = np.broadcast_to(distance * np.float32(self._texels * 2.2), self._x.shape).copy()
        fade = smoothstep(0.015, 0.09, drop) * np.float32(strength)
        self._fade = np.broadcast_to(fade, self._x.shape).copy()

    def draw(self, frame: Bytes8, seconds: float, shift: tuple[float, float] = (0.0, 0.0)) -> None:
        """Blend the streaks of that moment over ``frame``; ``shift`` moves the ground plane, in pixels."""
        height, width = frame.shape[:2]
        top = min(max(0, round(self._top + shift[1])), height)
        rows = height - top
        if rows < 2:
            return
        drift = np.float32(self._pace * self._texels * seconds)
        strength = self._texture.at(self._x - drift, self._z + np.float32(0.12) * drift) * self._fade
        # Dust in the shade is in the shade: it takes the light of the ground behind it.
        rows_small, columns_small = strength.shape
        ground = frame[top : top + rows_small * _STEP : _STEP, : columns_small * _STEP : _STEP]
        lit = np.asarray(cv2.cvtColor(np.ascontiguousarray(ground), cv2.COLOR_RGB2GRAY), np.float32)
        lit = imaging.gaussian(lit, 2.0)
        strength[: lit.shape[0]] *= np.minimum(lit * np.float32(1 / self._bright), 1)
        mask = imaging.enlarge(strength.astype(np.uint8), _STEP, width, rows)
        imaging.tint(frame[top:], mask, self._colour)
