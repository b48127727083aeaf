"""Waves of wind that run over a field: paler where the grass lies over, darker where it stands up."""

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
_METRES = 60.0


class WindWaves:
    """Brightens and darkens a ground plane below the horizon, in place."""

    def __init__(self, view: View, rng: Rng, strength: float, pace: float, eye: float) -> None:
        """``strength`` is the greatest change of light, ``pace`` metres per second, ``eye`` metres."""
        canvas = view.canvas
        self._top = round(view.horizon * canvas.height)
        rows = -(-(canvas.height - self._top + view.margin) // _STEP)
        columns = -(-canvas.width // _STEP)
        bend = fbm(_SIDE, _SIDE, 4, 3, rng.sub("bend"), 0.5) - np.float32(0.5)
        waves = warp(fbm(_SIDE, _SIDE, 9, 4, rng.sub("waves"), 0.55, aspect=1.8), bend * 70, bend * 70)
        gusts = smoothstep(0.35, 0.65, fbm(_SIDE, _SIDE, 3, 3, rng.sub("gusts"), 0.5))
        field = (waves - np.float32(waves.mean())) * (np.float32(0.35) + np.float32(0.65) * gusts)
        self._field = imaging.Torus(field * np.float32(1 / max(float(field.std()), 1e-6)))
        below = (np.arange(rows, dtype=np.float32)[:, None] + np.float32(0.5)) * np.float32(
            _STEP / view.focal
        )
        distance = np.float32(eye) / np.maximum(below, np.float32(0.008))
        across = (np.arange(columns, dtype=np.float32)[None] + np.float32(0.5)) * np.float32(_STEP)
        across = (across - np.float32(canvas.width / 2)) * distance * np.float32(1 / view.focal)
        texels = np.float32(_SIDE / _METRES)
        self._x = across * texels
        self._z = np.broadcast_to(distance * texels, across.shape).copy()
        fade = smoothstep(0.004, 0.05, below) * np.float32(128 * 0.5 * strength)
        self._fade = np.broadcast_to(fade, across.shape).copy()
        self._pace = pace * float(texels)
        self._side = rng.sub("side").sign()

    def draw(self, frame: Bytes8, seconds: float, shift: tuple[float, float] = (0.0, 0.0)) -> None:
        """Lay the waves of that moment over ``frame``; ``shift`` moves the plane, in pixels."""
        height, width = frame.shape[:2]
        top = min(max(0, round(self._top + shift[1])), height)
        rows = height - top
        if rows < 2:
            return
        drift = np.float32(self._pace * seconds)
        wave = self._field.at(self._x - np.float32(self._side) * drift, self._z + np.float32(0.45) * drift)
        level = np.clip(np.float32(128) + wave * self._fade, 60, 230).astype(np.uint8)
        full = imaging.triple(imaging.enlarge(level, _STEP, width, rows))
        window = frame[top:]
        cv2.multiply(window, full, window, 1 / 128.0)
