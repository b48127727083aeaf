"""A coast seen from straight above: where the sea ends and how far every point is from there.

Points are in units: 0, 0 is the middle of the frame, y grows downwards, and one unit is about the long side.
"""

from __future__ import annotations

import math

import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Floats
from meshapi_renderer.noise import fbm
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas

_SIDE = 1024
_WIDE_FRAME = 0.5625


def unit_pixels(canvas: Canvas) -> float:
    """Pixels per unit: the long side, a little less in very wide frames and more in upright ones."""
    squareness = canvas.short / canvas.long / _WIDE_FRAME
    return canvas.long * math.pow(squareness, 0.4 if squareness < 1 else 0.3)


class Coast:
    """The shoreline and the noise that everything along it shares."""

    __slots__ = ("_along", "_cosine", "_offset", "_sine", "broad", "fine", "middle")

    def __init__(self, rng: Rng, shift: float = 0.0) -> None:
        """``shift`` moves the waterline down the picture, in units."""
        angle = rng.uniform(0.20, 0.48) * rng.sign()
        self._cosine, self._sine = math.cos(angle), math.sin(angle)
        self._offset = rng.uniform(0.02, 0.06) - shift
        self._along = rng.u()
        self.broad = fbm(_SIDE, _SIDE, 3, 6, rng.sub("broad"), 0.5)
        self.middle = fbm(_SIDE, _SIDE, 6, 7, rng.sub("middle"), 0.55)
        self.fine = fbm(_SIDE, _SIDE, 40, 4, rng.sub("fine"), 0.6)

    def locate(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """(along, across) the mean shoreline; across grows inland."""
        along = x * np.float32(self._cosine) + y * np.float32(self._sine)
        across = y * np.float32(self._cosine) - x * np.float32(self._sine)
        return along + np.float32(self._along), across

    def inland(self, along: Floats, across: Floats) -> Floats:
        """Distance from the mean waterline in units, negative at sea."""
        wobble = (sample(self.broad, along * np.float32(0.55), across * np.float32(0.25)) - 0.5) * 0.16
        return np.asarray(across + wobble + np.float32(self._offset), np.float32)

    @property
    def inland_direction(self) -> tuple[float, float]:
        """Unit vector (x, y) of the picture that points from the sea to the land."""
        return -self._sine, self._cosine


def points_in_units(rows: int, columns: int, unit: float, lower: float = 0.0) -> tuple[Floats, Floats]:
    """x and y of the pixels of a picture, (rows, columns) each, in units from the middle.

    ``unit`` is in pixels; ``lower`` is how many rows the picture's middle lies below the origin.
    """
    x = (np.arange(columns, dtype=np.float32) + np.float32(0.5 - columns / 2)) * np.float32(1 / unit)
    y = (np.arange(rows, dtype=np.float32) + np.float32(0.5 - rows / 2 + lower)) * np.float32(1 / unit)
    across, down = np.meshgrid(x, y)
    return np.ascontiguousarray(across), np.ascontiguousarray(down)


def sample(texture: Floats, u: Floats, v: Floats) -> Floats:
    """A square tileable texture at coordinates where its side is 1."""
    side = np.float32(texture.shape[0])
    return imaging.remap(texture, u * side, v * side)
