"""A tileable height field that travels over the plane: heights and slopes at any place and coarseness."""

from __future__ import annotations

import math

import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Floats
from meshapi_renderer.raycast import gradients

_SMALLEST = 64


class MovingRelief:
    """One height field as a pyramid of textures."""

    def __init__(self, heights: Floats, tile: float, velocity: tuple[float, float]) -> None:
        """``heights`` in metres on a square torus of side ``tile``; ``velocity`` (right, away) in m/s."""
        self.tile = tile
        self._velocity = velocity
        self._side = heights.shape[0]
        slope_x, slope_z = gradients(heights, tile / self._side)
        # Four channels are looked up in place, three would be copied.
        texture = np.dstack([heights, slope_x, slope_z, np.zeros_like(heights)]).astype(np.float32)
        self._levels = [imaging.Torus(texture)]
        half = imaging.resize(heights.astype(np.float32), self._side // 2, self._side // 2, imaging.AREA)
        self._heights = imaging.Torus(half)
        side = self._side
        while side > _SMALLEST:
            side //= 2
            texture = imaging.resize(texture, side, side, imaging.AREA)
            self._levels.append(imaging.Torus(texture))

    def at(self, x: Floats, z: Floats, seconds: float, level: int = 0) -> imaging.Picture:
        """(height, slope right, slope away, 0) at places in metres; ``level`` halves the detail so often."""
        per_metre = np.float32(self._side / self.tile * 0.5**level)
        u = (x - np.float32(self._velocity[0] * seconds)) * per_metre
        v = (z - np.float32(self._velocity[1] * seconds)) * per_metre
        return self._levels[level].at(u, v)

    def height_at(self, x: Floats, z: Floats, seconds: float) -> Floats:
        """The height alone, at half the detail: several times quicker than :meth:`at`."""
        per_metre = np.float32(0.5 * self._side / self.tile)
        u = (x - np.float32(self._velocity[0] * seconds)) * per_metre
        v = (z - np.float32(self._velocity[1] * seconds)) * per_metre
        return np.asarray(self._heights.at(u, v), np.float32)

    def level_for(self, spacing: float) -> int:
        """How coarse the texture has to be for samples that far apart."""
        cells = spacing * self._side / (2 * self.tile)
        return min(len(self._levels) - 1, max(0, math.floor(math.log2(max(cells, 1.0)))))
