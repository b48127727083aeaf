"""Light without edges: computed on a small grid in linear floats, shown at full size without banding.

Glow, silk and mirror images hold no detail finer than their grid, so their cost does not grow with the
frame. The way up keeps sixteen bits until a dither has been added.
"""

from __future__ import annotations

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import tonemap
from meshapi_renderer.scene import Canvas, Scratch

GRID_LONG_SIDE = 288
"""Long side of the grid in cells, whatever the frame's size."""
_BRIGHTEST = 8.0
_LUT_TOP = 65535
_BAYER_DOUBLINGS = 4
_UNIT16 = 256.0


def grid_canvas(canvas: Canvas) -> Canvas:
    """The grid for a frame: the same shape, `GRID_LONG_SIDE` on its long side."""
    share = min(1.0, GRID_LONG_SIDE / canvas.long)
    return Canvas(max(2, round(canvas.width * share)), max(2, round(canvas.height * share)))


def _bayer() -> Floats:
    """Bayer's ordered dither matrix (1973), values in [0, 1)."""
    matrix = np.zeros((1, 1), np.int64)
    for _ in range(_BAYER_DOUBLINGS):
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    return matrix.astype(np.float32) / np.float32(matrix.size)


def _display_lut() -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    """Linear light 0..8 on 65,536 steps of its square root to display values in units of 1/256 level."""
    root = np.linspace(0, 1, _LUT_TOP + 1)
    unit = tonemap((root * root * _BRIGHTEST).astype(np.float32)).astype(np.float64)
    encoded = np.where(unit <= 0.0031308, 12.92 * unit, 1.055 * unit ** (1 / 2.4) - 0.055)
    return np.asarray(encoded * 254.0 * _UNIT16 + 0.5).astype(np.uint16)


_LUT = _display_lut()


class Enlarger:
    """Turns linear light on the grid into display bytes of the frame."""

    __slots__ = ("_canvas", "_dither")

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        side = 1 << _BAYER_DOUBLINGS
        repeats = (-(-canvas.height // side), -(-canvas.width // side))
        level = (np.tile(_bayer(), repeats) * _UNIT16)[: canvas.height, : canvas.width].astype(np.uint16)
        self._dither = np.ascontiguousarray(np.repeat(level[..., None], 3, axis=2))

    def bytes(self, lin: Floats, scratch: Scratch) -> Bytes8:
        """Display bytes (film curve, sRGB, dither), shape (height, width, 3), for light on the grid."""
        height, width = self._canvas.height, self._canvas.width
        root = np.clip(lin, 0, _BRIGHTEST)
        np.sqrt(root, out=root)
        root *= np.float32(_LUT_TOP / _BRIGHTEST**0.5)
        small = _LUT.take(root.astype(np.uint16))
        large = scratch.array("softlight 16", (height, width, 3), np.uint16)
        cv2.resize(small, (width, height), large, interpolation=cv2.INTER_LINEAR)
        cv2.add(large, self._dither, large)
        shown = scratch.array("softlight 8", (height, width, 3))
        # Half a level down, because the conversion rounds and the dither means to floor.
        cv2.convertScaleAbs(large, shown, alpha=1 / _UNIT16, beta=-0.498)
        return shown


def light_of_bytes(picture: Bytes8, grid: Canvas) -> Floats:
    """Display bytes averaged down to the grid, as (approximately) linear light."""
    small = picture
    # Halving is far cheaper than averaging by an odd factor; less than a factor of two is left for the end.
    while small.shape[1] >= 2 * grid.width:
        small = imaging.resize(small, small.shape[1] // 2, small.shape[0] // 2, imaging.AREA)
    small = imaging.resize(small, grid.width, grid.height, imaging.LINEAR)
    return _LINEAR_OF_BYTE[small]


_LINEAR_OF_BYTE = ((np.arange(256, dtype=np.float32) / np.float32(255)) ** np.float32(2.2)).astype(np.float32)


def bloom(light: Floats, near: float, far: float) -> Floats:
    """Glow around light on a grid: a tight halo of weight ``near`` and a wide one of weight ``far``."""
    height, width = light.shape[:2]
    tight = imaging.gaussian(light, 3.0)
    small = imaging.resize(tight, max(1, width // 4), max(1, height // 4), imaging.AREA)
    wide = imaging.resize(imaging.gaussian(small, 5.0), width, height, cv2.INTER_CUBIC)
    return tight * np.float32(near) + np.maximum(wide, 0) * np.float32(far)
