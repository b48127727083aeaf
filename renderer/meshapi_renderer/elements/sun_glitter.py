"""The sun's or moon's path on the sea from above: a soft sheen full of small flashes."""

from __future__ import annotations

import math

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import smoothstep, swatch8
from meshapi_renderer.elements.beach_light import BeachLight
from meshapi_renderer.elements.drift_texture import DriftTexture, to_byte_mask
from meshapi_renderer.elements.swash import Shallows
from meshapi_renderer.noise import fbm
from meshapi_renderer.rng import Rng

_SIDE = 0.29
_BAR = 230.0
"""Level two facets' product has to pass to flash; the path's middle lowers it."""
_FAINT = 12
_DARK = 5


class SunGlitter:
    """Flashes over the part of the sea that mirrors the sun."""

    def __init__(self, rng: Rng, layer: tuple[int, int], unit: float, light: BeachLight) -> None:
        """``layer`` is the padded picture's (rows, columns); ``unit`` is in pixels."""
        self._unit = unit
        side = max(16, round(_SIDE * unit))
        self._facets = DriftTexture(_facets(side, 84, rng.sub("facets")), *layer)
        self._counter = DriftTexture(_facets(round(side * 0.78), 71, rng.sub("counter facets")), *layer)
        self._flash = swatch8(light.glitter * np.float32(1.7))
        self._sheen = swatch8(light.glitter * np.float32(0.07))
        length = max(0.1, math.hypot(*light.shadow))
        far = min(0.30, 0.13 * length)
        # The sun stands opposite to the shadows; the sea fills the upper part of the picture.
        self._spot = (-light.shadow[0] / length * far, -light.shadow[1] / length * far - 0.12)

    @property
    def visible(self) -> bool:
        """Whether there is anything to draw."""
        return max(self._flash) > _FAINT

    def draw(self, picture: Bytes8, shallows: Shallows, seconds: float, matrix: Floats) -> None:
        """Add the path of a moment to ``picture`` in place."""
        height, width = picture.shape[:2]
        path = self._path(shallows)
        rows, columns = _lit_window(path, height, width)
        window = picture[rows, columns]
        where = imaging.resize(path, width, height)[rows, columns]
        local = np.array(matrix, np.float64)
        local[:, 2] -= (columns.start, rows.start)
        size = (window.shape[1], window.shape[0])
        pace = self._unit * seconds
        one = self._facets.seen(local, 0.0105 * pace, 0.0060 * pace, *size)
        two = self._counter.seen(local, -0.0085 * pace, 0.0095 * pace, *size)
        tilt = cv2.addWeighted(cv2.multiply(one, two, scale=1 / 255.0), 1.0, where, 0.40, -_BAR)
        flashes = cv2.multiply(cv2.convertScaleAbs(tilt, alpha=3.2), where, scale=1.5 / 255.0)
        cv2.add(window, coloured(np.asarray(flashes, np.uint8), self._flash), window)
        cv2.add(window, coloured(where, self._sheen), window)

    def _path(self, shallows: Shallows) -> Bytes8:
        """How likely a flash is, 0 to 255, on the grid."""
        height, width = shallows.above.shape
        long_side = max(height, width)
        x = (np.arange(width, dtype=np.float32)[None] + np.float32(0.5 - width / 2)) / np.float32(long_side)
        y = (np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5 - height / 2)) / np.float32(
            long_side
        )
        across, along = (x - np.float32(self._spot[0])) / 0.24, (y - np.float32(self._spot[1])) / 0.20
        path = np.exp(-(across * across + along * along))
        return to_byte_mask(path * smoothstep(-0.02, -0.07, shallows.above))


def _lit_window(path: Bytes8, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of the frame that hold all of the path on the grid."""
    lit = path > _DARK
    if not lit.any():
        return slice(0, 1), slice(0, 1)
    tall, wide = height / path.shape[0], width / path.shape[1]
    across, down = np.nonzero(lit.any(0))[0], np.nonzero(lit.any(1))[0]
    rows = slice(max(0, int((down[0] - 1) * tall)), min(height, int((down[-1] + 2) * tall)))
    return rows, slice(max(0, int((across[0] - 1) * wide)), min(width, int((across[-1] + 2) * wide)))


def coloured(mask: Bytes8, colour: tuple[int, int, int]) -> Bytes8:
    """``colour`` (sRGB bytes) weighted by an 8-bit mask, (h, w, 3)."""
    planes = [cv2.convertScaleAbs(mask, alpha=channel / 255.0) for channel in colour]
    return np.asarray(cv2.merge(planes), np.uint8)


def _facets(side: int, cells: int, rng: Rng) -> Bytes8:
    return to_byte_mask(fbm(side, side, cells, 2, rng, 0.4) * np.float32(1.7) - np.float32(0.25))
