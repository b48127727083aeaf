"""Sunbeams: rays from a point behind the trees, slowly changing as if leaves moved before the sun."""

from __future__ import annotations

import math

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import smoothstep
from meshapi_renderer.noise import value_noise
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scratch

_STEP = 4
_ANGLES, _MOMENTS = 512, 64
_TEXELS_PER_SECOND = 1.6


class Sunbeams:
    """Additive rays over a finished frame."""

    def __init__(
        self,
        canvas: Canvas,
        rng: Rng,
        source: tuple[float, float],
        colour: tuple[int, int, int],
        strength: float,
    ) -> None:
        """``source`` is the pixel the rays come from; ``strength`` 1 is strong."""
        self._colour = colour
        rays = value_noise(_MOMENTS, _ANGLES, 8, 90, rng.sub("fine")) * np.float32(0.6)
        rays += value_noise(_MOMENTS, _ANGLES, 5, 28, rng.sub("broad")) * np.float32(0.4)
        self._rays = imaging.Torus(smoothstep(0.42, 0.78, rays))
        rows, columns = -(-canvas.height // _STEP), -(-canvas.width // _STEP)
        x = (np.arange(columns, dtype=np.float32)[None] + np.float32(0.5)) * np.float32(_STEP) - np.float32(
            source[0]
        )
        y = (np.arange(rows, dtype=np.float32)[:, None] + np.float32(0.5)) * np.float32(_STEP) - np.float32(
            source[1]
        )
        self._angle = (np.arctan2(x, y) * np.float32(_ANGLES / math.tau)).astype(np.float32)
        distance = np.sqrt(x * x + y * y) * np.float32(1 / canvas.long)
        fall = np.exp(distance * np.float32(-2.6)) * smoothstep(0.02, 0.16, distance)
        self._fall = (fall * np.float32(90 * strength)).astype(np.float32)

    def draw(self, frame: Bytes8, seconds: float, scratch: Scratch) -> None:
        """Add the rays of that moment to ``frame``."""
        height, width = frame.shape[:2]
        moment: Floats = scratch.array("beam moment", self._angle.shape, np.float32)
        moment[...] = np.float32(_TEXELS_PER_SECOND * seconds)
        light = self._rays.at(self._angle, moment) * self._fall
        glow = imaging.enlarge(light.astype(np.uint8), _STEP, width, height)
        rays = cv2.merge([cv2.convertScaleAbs(glow, alpha=channel / 255.0) for channel in self._colour])
        cv2.add(frame, rays, frame)
