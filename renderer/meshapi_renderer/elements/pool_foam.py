"""White water on a pool: foam that spreads from where a fall strikes it, and a faint bow in the spray."""

from __future__ import annotations

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.colour import linear, mix, smoothstep, to8
from meshapi_renderer.noise import fbm
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas

_STEP = 2


class PoolFoam:
    """Foam that drifts towards the viewer."""

    def __init__(self, canvas: Canvas, horizon: float, rng: Rng, tone: tuple[int, int, int]) -> None:
        """``horizon`` as a share of the height."""
        self._canvas, self._horizon, self._tone = canvas, horizon, tone
        self._tall = min(canvas.height, 1.25 * canvas.width)
        self._lace = imaging.Torus(fbm(512, 512, 12, 5, rng, 0.6, ridge=True))

    def draw(self, frame: Bytes8, waterline: int, column: float, seconds: float) -> None:
        """Lay the foam of that moment over ``frame`` below the waterline; the fall strikes at ``column``."""
        canvas = self._canvas
        rows = canvas.height - waterline
        if rows < 8:
            return
        below = np.float32(1 + waterline - self._horizon * canvas.height)
        y = np.arange(0, rows, _STEP, dtype=np.float32)[:, None] + below
        away = np.float32(0.11 * canvas.height) / np.maximum(y, 1)
        x = (np.arange(0, canvas.width, _STEP, dtype=np.float32)[None] - np.float32(column)) * away
        reach_x, reach_z = x / np.float32(self._tall), (1 - away) * np.float32(0.55)
        reach = np.sqrt(reach_x * reach_x * np.float32(1.2) + reach_z * reach_z)
        across = x * np.float32(420 / self._tall) * (1 + np.float32(0.6) * reach)
        along, flow = (1 - away) * np.float32(230), np.float32(16 * seconds)
        lace = self._lace.at(across, along - flow)
        more = self._lace.at(across * np.float32(1.7), along * np.float32(1.7) - flow * np.float32(1.4) + 80)
        amount = smoothstep(0.62, 0.0, reach)
        thick = np.maximum(lace, more) * np.float32(0.55) + amount * np.float32(0.42)
        mask = smoothstep(0.62, 0.80, thick) * amount * np.float32(190)
        full = imaging.enlarge(mask.astype(np.uint8), _STEP, canvas.width, rows)
        imaging.tint(frame[waterline:], np.ascontiguousarray(full), self._tone)


class Rainbow:
    """A bow of light in a square window, added to the picture."""

    def __init__(self, tall: float, strength: float) -> None:
        """``tall`` is the reference height in pixels."""
        side = round(0.86 * tall)
        y, x = np.mgrid[0:side, 0:side].astype(np.float32)
        reach = np.sqrt((x - side * 0.5) ** 2 + (y - side * 0.98) ** 2) / np.float32(side)
        share = (reach - np.float32(0.40)) / np.float32(0.055)
        inside = smoothstep(0.0, 0.15, share) * smoothstep(1.0, 0.85, share)
        hue = np.clip(share, 0, 1)[..., None]
        inner = mix(linear("7a4cff"), linear("2ee6a0"), smoothstep(0.0, 0.5, hue))
        bow = mix(inner, linear("ff5a3c"), smoothstep(0.5, 1.0, hue))
        high = y / np.float32(side)
        fade = smoothstep(0.98, 0.55, high) * smoothstep(0.0, 0.35, high)
        self._light = to8(bow * (inside * fade)[..., None] * np.float32(strength))

    def draw(self, frame: Bytes8, foot: tuple[float, float]) -> None:
        """Add the bow to ``frame``, its middle under (column, row)."""
        side = self._light.shape[0]
        left, top = round(foot[0] - 0.5 * side), round(foot[1] - 0.94 * side)
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(frame.shape[1], left + side), min(frame.shape[0], top + side)
        if x1 > x0 and y1 > y0:
            window = frame[y0:y1, x0:x1]
            part = self._light[y0 - top : y1 - top, x0 - left : x1 - left]
            cv2.add(window, np.ascontiguousarray(part), window)
