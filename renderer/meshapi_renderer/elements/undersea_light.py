"""Light under water: blue depth, the bright rippled surface overhead, moving rays, caustics on the ground."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import mix, smoothstep
from meshapi_renderer.noise import fbm, value_noise, warp
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas
from meshapi_renderer.view import View

_SIDE = 512
_ANGLES, _MOMENTS = 1024, 64
_CEILING = 7.0
"""Metres from the eye up to the surface."""
_STEP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WaterColumn:
    """The water's colours, linear and exposed."""

    deep: Floats
    middle: Floats
    bright: Floats
    """Near the surface."""
    sun: Floats
    """Of rays and caustics."""
    rays: float
    """Strength of the rays, 0 for none."""
    sun_x: float
    """Where the light enters, in shares of the width from the middle."""

    def at(self, height: Floats) -> Floats:
        """Colour of far water by height in the frame: 0 at the lower edge, 1 at the upper one."""
        low = mix(self.deep, self.middle, smoothstep(0.0, 0.55, height)[..., None])
        return mix(low, self.bright, (smoothstep(0.45, 1.15, height) ** np.float32(1.6))[..., None])


def caustic_texture(rng: Rng) -> Floats:
    """A tileable net of light as a rippled surface throws it, about [0, 1]."""
    bend = fbm(_SIDE, _SIDE, 6, 3, rng.sub("bend"), 0.5) - np.float32(0.5)
    cells = fbm(_SIDE, _SIDE, 9, 2, rng.sub("cells"), 0.35)
    net = 1 - np.abs(warp(cells, bend * 60, np.roll(bend, 200, 0) * 60) * 2 - 1)
    return smoothstep(0.72, 1.0, net) ** np.float32(1.7)


class UnderseaLight:
    """The water behind everything, on a grid of the frame's shape."""

    def __init__(self, view: View, grid: Canvas, column: WaterColumn, rng: Rng, caustics: Floats) -> None:
        self._view, self._grid, self._column = view, grid, column
        self._net = imaging.Torus(caustics)
        rays = value_noise(_MOMENTS, _ANGLES, 10, 150, rng.sub("fine")) * np.float32(0.45)
        rays += value_noise(_MOMENTS, _ANGLES, 8, 52, rng.sub("broad")) * np.float32(0.55)
        self._rays = imaging.Torus(smoothstep(0.42, 0.80, rays))
        self._source = ((0.5 + column.sun_x) * grid.width, -0.55 * grid.height)

    def light(self, shift: tuple[float, float], seconds: float) -> Floats:
        """Linear light of that moment, (grid height, grid width, 3); ``shift`` in cells of the grid."""
        grid, column = self._grid, self._column
        y = np.arange(grid.height, dtype=np.float32)[:, None] + np.float32(0.5 - shift[1])
        x = np.arange(grid.width, dtype=np.float32)[None] + np.float32(0.5 - shift[0])
        height = 1 - y / np.float32(grid.height)
        light = np.repeat(column.at(height[:, 0])[:, None], grid.width, axis=1)
        away = (x - np.float32(self._source[0])) / np.float32(0.42 * grid.long)
        glow = np.exp(-away * away) * smoothstep(0.15, 1.1, height) ** np.float32(1.5)
        light += glow[..., None] * (column.bright * np.float32(0.55))
        light += self._ceiling(x, y, seconds)[..., None] * column.sun
        if column.rays > 0:
            light += self._beams(x, y, height, seconds)[..., None] * column.sun
        return light

    def _ceiling(self, x: Floats, y: Floats, seconds: float) -> Floats:
        """The rippled surface overhead, seen from below in perspective."""
        grid, view = self._grid, self._view
        focal = view.focal * grid.width / view.canvas.width
        slope = np.maximum((np.float32(view.horizon * grid.height) - y) / np.float32(focal), np.float32(0.04))
        distance = np.float32(_CEILING) / slope
        u = (x - np.float32(0.5 * grid.width)) / np.float32(focal) * distance * np.float32(40)
        v = np.broadcast_to(distance * np.float32(25), u.shape)
        t = np.float32(seconds)
        one = self._net.at(u + 21 * t, v - 13 * t)
        two = self._net.at(u * np.float32(0.7) - 17 * t, v * np.float32(0.8) + 9 * t)
        away = (x - np.float32(self._source[0])) / np.float32(0.36 * grid.long)
        where = smoothstep(0.16, 0.50, slope) * (np.float32(0.25) + np.exp(-away * away))
        return (one * two * np.float32(1.6) + (one + two) * np.float32(0.22)) * where * np.float32(0.55)

    def _beams(self, x: Floats, y: Floats, height: Floats, seconds: float) -> Floats:
        source_x, source_y = self._source
        across, down = x - np.float32(source_x), y - np.float32(source_y)
        angle = np.arctan2(across, down) * np.float32(_ANGLES / math.tau * 1.6)
        moment = np.broadcast_to(np.float32(2.0 * seconds), angle.shape)
        rays = self._rays.at(angle, moment)
        far = np.sqrt(across * across + down * down) / np.float32(self._grid.height)
        fall = np.exp(-np.maximum(far - np.float32(0.5), 0) * np.float32(1.5))
        narrow = np.exp(-((across / (np.float32(0.75) * np.maximum(down, 1))) ** 2))
        return np.asarray(rays * fall * narrow * np.float32(0.62 * self._column.rays))


class Caustics:
    """The net of light on a level ground under the horizon of a view."""

    def __init__(self, view: View, caustics: Floats, eye: float, strength: float) -> None:
        """``eye`` is metres above the ground; ``strength`` 1 doubles the light in the net's lines."""
        canvas = view.canvas
        self._net = imaging.Torus(caustics)
        self._top = round(view.horizon * canvas.height)
        rows = -(-(canvas.height - self._top + view.margin) // _STEP)
        columns = -(-canvas.width // _STEP)
        below = (np.arange(rows, dtype=np.float32)[:, None] + np.float32(0.5)) * np.float32(
            _STEP / view.focal
        )
        distance = np.float32(eye) / np.maximum(below, np.float32(0.02))
        across = (np.arange(columns, dtype=np.float32)[None] + np.float32(0.5)) * np.float32(_STEP)
        across = (across - np.float32(canvas.width / 2)) * distance * np.float32(1 / view.focal)
        self._u = across * np.float32(88)
        self._per_pixel = distance * np.float32(88 / view.focal)
        self._v = np.broadcast_to(distance * np.float32(88), across.shape).copy()
        fade = smoothstep(0.03, 0.16, below) * np.float32(strength)
        self._fade = np.broadcast_to(fade, across.shape).copy()

    def draw(self, frame: Bytes8, seconds: float, shift: tuple[float, float]) -> None:
        """Brighten the ground in ``frame`` by the net of that moment."""
        height, width = frame.shape[:2]
        top = min(max(0, round(self._top + shift[1])), height)
        rows = height - top
        if rows < 2:
            return
        t = np.float32(seconds)
        u = self._u - np.float32(shift[0]) * self._per_pixel
        one = self._net.at(u + 15 * t, self._v + 6 * t)
        two = self._net.at(u * np.float32(0.83) - 12 * t, self._v * np.float32(0.83) - 10 * t)
        net = np.minimum(one, two) * np.float32(2.4) + (one + two) * np.float32(0.30)
        level = np.float32(128) + (net * np.float32(128) - np.float32(26)) * self._fade
        level = np.clip(level, 0, 255).astype(np.uint8)
        factor = imaging.triple(imaging.enlarge(level, _STEP, width, rows))
        window = frame[top:]
        cv2.multiply(window, factor, window, 1 / 128.0)
