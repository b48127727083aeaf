"""Softens drawn trees: needles get grain, snow lies in rounded lumps instead of hard shapes."""

from __future__ import annotations

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.colour import smoothstep
from meshapi_renderer.noise import fbm
from meshapi_renderer.rng import Rng

_SIDE = 512
_LUMPS_PER_HEIGHT = 1.5
"""Noise textures per height of a tree."""
_GRAIN_PER_HEIGHT = 8.0


class Frost:
    """Shared noise, applied to sprites of (coverage, light, side, snow) bytes."""

    def __init__(self, rng: Rng) -> None:
        noise = fbm(_SIDE, _SIDE, 36, 3, rng, 0.6)
        self._noise = imaging.Torus((np.clip(noise, 0, 1) * 255).astype(np.uint8))
        levels = np.arange(256, dtype=np.float32) / np.float32(255)
        self._edge = (smoothstep(0.40, 0.62, levels) * 255).astype(np.uint8)

    def soften(self, sprite: Bytes8) -> Bytes8:
        """The sprite with grain and soft snow; a new array."""
        coverage, light, side, snow = (np.ascontiguousarray(sprite[..., k]) for k in range(4))
        height = sprite.shape[0]
        grain = self._pattern(sprite, _GRAIN_PER_HEIGHT)
        light = np.asarray(cv2.multiply(light, cv2.addWeighted(grain, 0.55, grain, 0.0, 60), scale=1 / 128))
        if snow.any():
            snow, light = self._round_snow(coverage, light, snow, height)
        return np.dstack([coverage, np.minimum(light, coverage), side, snow])

    def _round_snow(
        self, coverage: Bytes8, light: Bytes8, snow: Bytes8, height: int
    ) -> tuple[Bytes8, Bytes8]:
        """(snow, light) with the snow's edges blurred, roughened by lumps and made firm again."""
        sprite_blur = max(0.5, 0.0021 * height)
        wide_coverage = np.maximum(imaging.gaussian(coverage, sprite_blur), 1)
        share = cv2.divide(imaging.gaussian(snow, sprite_blur), wide_coverage, scale=255)
        lumps = self._pattern(coverage, _LUMPS_PER_HEIGHT)
        uneven = cv2.addWeighted(share, 1.0, lumps, 0.50, -0.25 * 255)
        lying = cv2.LUT(np.asarray(uneven, np.uint8), self._edge)
        rounded = cv2.multiply(lying, coverage, scale=1 / 255)
        # Light on snow changes slowly: blur it, then light the tops of the lumps and shade their feet.
        soft = cv2.divide(imaging.gaussian(light, 1.8 * sprite_blur), wide_coverage, scale=255)
        above = np.roll(uneven, max(1, round(0.0045 * height)), axis=0)
        soft = cv2.multiply(soft, cv2.addWeighted(uneven, 0.62, above, -0.62, 122), scale=1 / 128)
        soft = cv2.multiply(soft, coverage, scale=1 / 255)
        share_of_soft = cv2.multiply(lying, np.full_like(lying, 190), scale=1 / 255)
        kept = cv2.multiply(light, cv2.bitwise_not(share_of_soft), scale=1 / 255)
        mixed = cv2.add(kept, cv2.multiply(soft, share_of_soft, scale=1 / 255))
        return np.asarray(rounded, np.uint8), np.asarray(mixed, np.uint8)

    def _pattern(self, sprite: Bytes8, per_height: float) -> Bytes8:
        rows, columns = sprite.shape[:2]
        scale = np.float32(_SIDE * per_height / rows)
        y = np.arange(rows, dtype=np.float32)[:, None] * scale
        x = np.arange(columns, dtype=np.float32)[None] * scale
        return np.asarray(self._noise.at(x, y), np.uint8)
