"""A tileable 8-bit texture that lies on a plane under the camera and drifts over it."""

from __future__ import annotations

import math

import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats


class DriftTexture:
    """A torus repeated often enough that every camera pose and drift finds it in one piece."""

    __slots__ = ("_image", "_side")

    def __init__(self, tile: Bytes8, layer_height: int, layer_width: int) -> None:
        """``tile`` is square; the layer is the picture with its margins, in the tile's own pixels."""
        self._side = tile.shape[0]
        rows, columns = layer_height + self._side, layer_width + self._side
        repeats = (math.ceil(rows / self._side), math.ceil(columns / self._side))
        self._image = np.ascontiguousarray(np.tile(tile, repeats)[:rows, :columns])

    def seen(self, matrix: Floats, drift_x: float, drift_y: float, width: int, height: int) -> Bytes8:
        """The texture as the camera sees it, moved by a drift in its own pixels.

        ``matrix`` is the 2x3 map from layer pixels to the frame's.
        """
        moved = np.array(matrix, np.float64)
        moved[0, 2] -= matrix[0, 0] * ((-drift_x) % self._side)
        moved[1, 2] -= matrix[1, 1] * ((-drift_y) % self._side)
        return imaging.warp_affine(self._image, moved, width, height)


def to_byte_mask(values: Floats) -> Bytes8:
    """Values in [0, 1] as bytes."""
    return (np.clip(values, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)
