"""A polished dark floor: mirrors the light above its horizon, more blurred the nearer it comes."""

from __future__ import annotations

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import smoothstep
from meshapi_renderer.noise import fbm
from meshapi_renderer.rng import Rng

_SIDE = 256


class GlossyFloor:
    """The floor of a grid picture; everything is linear light on the grid."""

    def __init__(self, rng: Rng, body: Floats, ripple: float) -> None:
        """``body`` is the floor's own linear colour; ``ripple`` moves its grain, 1 is a wet floor in rain."""
        self._body = body
        self._ripple = ripple
        self._grain = imaging.Torus(fbm(_SIDE, _SIDE, 6, 5, rng.sub("grain"), 0.55))
        self._saturation = _saturation_matrix(1.35)

    def lay(self, light: Floats, horizon: float, centre: float, seconds: float, travel: float) -> Floats:
        """``light`` with its part below row ``horizon`` replaced by the mirror image of what is above.

        ``centre`` is the column of the vanishing point, ``travel`` how far the eye has moved to the right
        in shares of the width.
        """
        height, width = light.shape[:2]
        first = max(0, int(horizon))
        rows = height - first
        if rows < 2:
            return light
        mirror = self._mirror(light, horizon, first)
        distance = ((np.arange(rows, dtype=np.float32) + first + 0.5) - horizon) / np.float32(height)
        nearness = np.clip(distance / np.float32(1 - horizon / height), 0, 1)
        mirror = self._soften(mirror, nearness)
        grain = self._grain_at(distance, width, centre, seconds, travel)
        mirror = mirror * (np.float32(0.80) + np.float32(0.40) * grain)[..., None]
        # Fresnel: a grazing view mirrors nearly all, a steep one little.
        share = np.float32(0.24) + np.float32(0.66) * (1 - nearness) ** 2
        floor = (
            mirror * share[:, None, None]
            + self._body * (np.float32(0.4) + np.float32(0.6) * nearness)[:, None, None]
        )
        cover = smoothstep(-0.004, 0.010, distance)[:, None, None]
        laid = light.copy()
        laid[first:] += (floor - laid[first:]) * cover
        return laid

    def _mirror(self, light: Floats, horizon: float, first: int) -> Floats:
        height, width = light.shape[:2]
        flip = np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 2.0 * horizon - 1.0 - first]])
        mirrored = imaging.warp_affine(light, flip, width, height - first, imaging.REFLECT)
        return np.maximum(cv2.transform(mirrored, self._saturation), 0)

    @staticmethod
    def _soften(mirror: Floats, nearness: Floats) -> Floats:
        """Blur growing towards the viewer, more along the view than across it."""
        sharp = imaging.gaussian(mirror, 0.8, 1.6)
        soft = imaging.gaussian(mirror, 2.6, 8.0)
        share = smoothstep(0.02, 0.75, nearness)[:, None, None]
        return sharp + (soft - sharp) * share

    def _grain_at(self, distance: Floats, width: int, centre: float, seconds: float, travel: float) -> Floats:
        """Unevenness of the polish in perspective, about [0, 1]."""
        depth = np.float32(0.10) / np.maximum(distance, np.float32(0.006))[:, None]
        across = (np.arange(width, dtype=np.float32)[None] - np.float32(centre)) / np.float32(width)
        u = (across * depth * np.float32(1.2) + np.float32(travel)) * np.float32(_SIDE)
        v = np.broadcast_to(depth * np.float32(0.8) * np.float32(_SIDE), u.shape)
        drift = np.float32(_SIDE * 0.02 * self._ripple * seconds)
        return np.asarray(self._grain.at(u + drift, v - drift), np.float32)


def _saturation_matrix(amount: float) -> Floats:
    """3x3 matrix that scales the distance of a linear colour from its grey (Rec. 709 weights)."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    return np.asarray((1 - amount) * np.tile(weights, (3, 1)) + amount * np.eye(3), np.float32)
