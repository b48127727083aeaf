"""Curtains of the northern lights: folded bands of light that hang over the plain and ripple.

The foot of every curtain is a line on a level floor high above the ground, a contour of slowly flowing
noise. Going up a ray of light changes only its distance, so in a picture whose rows are spaced by the
logarithm of the slope a curtain is its foot drawn upwards by the same amount everywhere: one vertical
filter per colour paints the whole sky.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import linear, luminance, mix, rgb, smoothstep
from meshapi_renderer.noise import fbm, value_noise
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas
from meshapi_renderer.view import View

_ROWS, _COLUMNS = 232, 368
_SIDE = 512
_BEND = 0.115
"""Added to every slope: the floor of light bends down towards the horizon."""
_LOWEST = 0.42
"""The lowest foot that still sends light into the picture, as a share of the bend."""
_RAYS = 1024
_MEAN = 0.085
"""Mean light of the sky, whatever the seed."""
_GREEN, _TEAL, _VIOLET, _FRINGE = "2fff8c", "2ad9c8", "8a3dff", "ff4fa8"


class AuroraCurtains:
    """The light of the sky's upper air, linear, on the grid of a frame."""

    def __init__(self, view: View, grid: Canvas, rng: Rng, colours: tuple[str, ...], pace: float) -> None:
        """``colours`` replace the usual green, teal and violet; ``pace`` 1 is a lively night."""
        self._view, self._grid, self._pace = view, grid, pace
        self._focal = view.focal * grid.width / view.canvas.width
        reach = 1.35 * view.half_width + 0.12
        low, high = math.log(_BEND * _LOWEST), math.log(_BEND + 1.25 * view.headroom)
        self._low, self._step, self._reach = low, (high - low) / (_ROWS - 1), reach
        height = np.exp(np.linspace(low, high, _ROWS, dtype=np.float32))[:, None]
        azimuth = np.linspace(-reach, reach, _COLUMNS, dtype=np.float32)[None]
        self._x = azimuth / height
        self._z = np.broadcast_to(1 / height, self._x.shape).copy()
        self._flow = imaging.Torus(fbm(_SIDE, _SIDE, 5, 3, rng.sub("flow"), 0.42))
        self._patches = imaging.Torus(fbm(_SIDE, _SIDE, 7, 3, rng.sub("patches"), 0.5))
        rays = value_noise(64, _RAYS, 16, 230, rng.sub("rays")) * np.float32(0.55)
        rays += value_noise(64, _RAYS, 12, 90, rng.sub("broad rays")) * np.float32(0.45)
        self._rays = imaging.Torus(rays.astype(np.float32))
        self._shift, self._slant = rng.u() * _SIDE, rng.sign() * rng.uniform(0.7, 1.4)
        # Feet thin out towards the horizon and fade before they stand overhead.
        self._fade = smoothstep(math.exp(low), 1.5 * _BEND, height)
        self._kernels = [self._kernel(*shape) for shape in ((0.012, 0.15), (0.05, 0.22), (0.20, 0.30))]
        # From the parts of a ray, and one that counts for nothing, to red, green and blue.
        self._tints = np.stack([*_tints(colours), np.zeros(3, np.float32)], 1).astype(np.float32)
        self._gain = 1.0
        self._gain = self._evened()

    def _evened(self) -> float:
        """The gain that gives every night of a few moments the same mean light."""
        rows = max(2, round(self._view.horizon * self._grid.height))
        means = [float(self.light(t, (0.0, 0.0), rows).mean()) for t in (0.0, 2.5, 5.0)]
        return min(6.0, max(0.5, _MEAN / max(sum(means) / len(means), 1e-6)))

    def _kernel(self, rise: float, fall: float) -> Floats:
        """Brightness up one ray, lowest last as the filter wants it, by the logarithm of height."""
        count = max(8, round(1.25 / self._step))
        up = np.arange(count, dtype=np.float32) * np.float32(self._step)
        ray = (1 - np.exp(-up / np.float32(rise))) * np.exp(-up / np.float32(fall))
        ray *= np.float32(self._step / fall)
        return np.ascontiguousarray(ray[::-1, None], np.float32)

    def light(self, seconds: float, shift: tuple[float, float], rows: int) -> Floats:
        """Light of that moment on the first ``rows`` of the grid, (rows, grid width, 3).

        ``shift`` is how far the sky has moved in the frame, in pixels of the grid.
        """
        feet, rays = self._feet(seconds * self._pace)
        tall = feet * rays
        parts = (feet * (np.float32(0.35) + np.float32(0.65) * rays), tall, tall * rays)
        drawn = [
            cv2.filter2D(part, -1, kernel, anchor=(0, len(kernel) - 1), borderType=cv2.BORDER_CONSTANT)
            for part, kernel in zip(parts, self._kernels, strict=True)
        ]
        # Four channels are looked up faster than three; the last one is left out again by the tints.
        return self._seen(np.asarray(cv2.merge([*drawn, drawn[0]]), np.float32), shift, rows)

    def _feet(self, t: float) -> tuple[Floats, Floats]:
        """How bright every point of the floor is, and its rays' strength, both (rows, columns)."""
        x, z, o = self._x, self._z, np.float32(self._shift)
        wide = self._flow.at(x * 24 + np.float32(5.5 * t) + o, z * 13 - np.float32(3.0 * t) + o)
        small = self._flow.at(x * 74 - np.float32(9.0 * t), z * 40 + np.float32(5.0 * t) + o)
        phase = z * np.float32(0.20) + x * np.float32(0.16 * self._slant)
        phase += wide * np.float32(3.0) + small * np.float32(0.55)
        band = np.floor(phase)
        away = (phase - band - np.float32(0.5)) * 2
        lit = np.exp(-away * away * np.float32(1 / 0.13**2)) + np.float32(0.16) * np.exp(
            -away * away * np.float32(1 / 0.5**2)
        )
        glow = self._patches.at(x * 17 + np.float32(11 * t) + band * 91, band * 53 + np.float32(7 * t) + o)
        strength = smoothstep(0.30, 0.60, glow) * np.float32(0.88) + np.float32(0.12)
        across = x * np.float32(95) + small * np.float32(150) + band * 311 + np.float32(4 * t)
        rays = smoothstep(0.25, 0.85, self._rays.at(across, band * 17 + np.float32(2.6 * t)))
        return lit * strength * self._fade, rays

    def _seen(self, parts: Floats, shift: tuple[float, float], rows: int) -> Floats:
        """The parts of the rays, (rows, columns, 4), as light in the picture."""
        grid = self._grid
        horizon = self._view.horizon * grid.height + shift[1]
        y = np.arange(rows, dtype=np.float32)[:, None] + np.float32(0.5)
        slope = np.maximum((np.float32(horizon) - y) / np.float32(self._focal), np.float32(-0.05))
        map_y = (np.log(slope + np.float32(_BEND)) - np.float32(self._low)) * np.float32(1 / self._step)
        x = np.arange(grid.width, dtype=np.float32)[None] + np.float32(0.5)
        azimuth = (x - np.float32(0.5 * grid.width + shift[0])) * np.float32(1 / self._focal)
        map_x = (azimuth + np.float32(self._reach)) * np.float32((_COLUMNS - 1) / (2 * self._reach))
        found = imaging.remap(parts, map_x, map_y, imaging.LINEAR, imaging.REPLICATE)
        seen = cv2.transform(found, self._tints)
        # Light that low shines through all of the air between.
        clear = smoothstep(-0.005, 0.09, slope) * np.float32(self._gain)
        return np.asarray(seen * clear[..., None])


def _tints(colours: tuple[str, ...]) -> tuple[Floats, Floats, Floats]:
    """Colours of the foot, the middle and the top of a ray."""
    if not colours:
        foot = mix(linear(_GREEN), linear(_FRINGE), 0.06)
        return foot * np.float32(1.0), linear(_TEAL) * np.float32(0.55), linear(_VIOLET) * np.float32(1.5)
    wished = [linear(colour) for colour in colours]
    picks = (wished[0], wished[len(wished) // 2], wished[-1])
    even = [pick * np.float32(0.5 / max(float(luminance(pick)), 0.12)) for pick in picks]
    white = rgb(1.0, 1.0, 1.0) * np.float32(0.02)
    return even[0] + white, even[1] * np.float32(0.5), even[2] * np.float32(0.9)
