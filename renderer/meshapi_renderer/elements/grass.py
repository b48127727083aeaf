"""Tufts of grass as sprites of the same kind as the pines': coverage, light, side, snow."""

from __future__ import annotations

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.rng import Rng

_BITS = 4
_ONE = 1 << _BITS
_OVERSAMPLING = 3
_BLADES = 34


class Tufts:
    """A few tufts to sow from."""

    def __init__(self, height: float, rng: Rng, count: int = 5) -> None:
        """``height`` in pixels of the tallest tuft that will be sown."""
        self._tufts = [_tuft(height, rng.sub(f"tuft {index}")) for index in range(count)]

    def pick(self, rng: Rng) -> tuple[Bytes8, float]:
        """One tuft's sprite and its width over its height."""
        return rng.pick(self._tufts)


def _tuft(height: float, rng: Rng) -> tuple[Bytes8, float]:
    wide = rng.uniform(1.5, 2.4)
    rows = max(6, round(height)) * _OVERSAMPLING
    columns = max(8, round(height * wide)) * _OVERSAMPLING
    image = np.zeros((rows, columns, 4), np.uint8)
    for _ in range(_BLADES):
        _blade(image, rows, columns, wide, rng)
    return imaging.resize(image, columns // _OVERSAMPLING, rows // _OVERSAMPLING, imaging.AREA), wide


def _blade(image: Bytes8, rows: int, columns: int, wide: float, rng: Rng) -> None:
    """One blade: a thin curved triangle leaning away from the middle."""
    root = rng.uniform(-0.36, 0.36) * wide
    lean = rng.uniform(-0.35, 0.35) + 0.5 * root / wide
    tall = rng.uniform(0.35, 0.98) * (1 - 0.6 * abs(root) / wide)
    thick = rng.uniform(0.012, 0.028)
    foot = 0.22 * rng.u() * (1 - (2 * root / wide) ** 2)
    middle = (root + 0.35 * lean * tall, 0.55 * tall)
    tip = (root + lean * tall, tall)
    left, right = (middle[0] - 0.7 * thick, middle[1]), (middle[0] + 0.7 * thick, middle[1])
    outline = np.array([(root - thick, foot), left, tip, right, (root + thick, foot)])
    points = np.stack([columns / 2 + outline[:, 0] * rows, (1 - outline[:, 1]) * rows], 1)
    value = (
        255,
        int(50 + 190 * rng.u() * (0.4 + 0.6 * tall)),
        int(128 + 110 * max(-1.0, min(1.0, 2 * lean))),
        0,
    )
    cv2.fillPoly(image, [np.round(points * _ONE).astype(np.int32)], value, cv2.LINE_AA, _BITS)
