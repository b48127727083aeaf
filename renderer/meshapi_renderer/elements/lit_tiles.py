"""Where on the frame a coarse field has anything to show, so that nothing else is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from meshapi_renderer.array_types import Floats

_STRIPS = 12
_VECTOR = 16
"""OpenCV looks so many pixels of a row up at a time, and what is left over several times more slowly."""
Mask: TypeAlias = NDArray[np.bool_] | NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle of the frame, in pixels."""

    left: int
    right: int
    top: int
    bottom: int

    @property
    def window(self) -> tuple[slice, slice]:
        """Index of the tile in arrays of the frame's size."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def size(self) -> tuple[int, int]:
        """(columns, rows)."""
        return self.right - self.left, self.bottom - self.top

    def local(self, matrix: Floats) -> Floats:
        """``matrix``, a 2x3 map to pixels of the frame, as a map to pixels of the tile."""
        moved = np.array(matrix, np.float64)
        moved[:, 2] -= (self.left, self.top)
        return moved


def lit_tiles(mask: Mask, width: int, height: int, strips: int = _STRIPS) -> list[Tile]:
    """One tile for every one of ``strips`` of a frame in which ``mask``, on its grid, holds anywhere.

    A tile reaches a cell beyond the mask, as far as enlarging the grid spreads what stands in a cell.
    """
    rows, columns = mask.shape
    lit = mask.view(np.uint8)
    wide, tall = width / columns, height / rows
    tiles = []
    for left, right in pairwise(_edges(width, strips)):
        begin, end = max(0, int(left / wide) - 1), min(columns, int(right / wide) + 2)
        _, first, _, count = cv2.boundingRect(lit[:, begin:end])
        if right > left and count:
            top, bottom = int((first - 1) * tall), int((first + count + 1) * tall) + 1
            tiles.append(Tile(left, right, max(0, top), min(height, bottom)))
    return tiles


def _edges(width: int, strips: int) -> list[int]:
    """The columns at which the strips begin, and the width as the last."""
    return [*(round(width * index / (strips * _VECTOR)) * _VECTOR for index in range(strips)), width]
