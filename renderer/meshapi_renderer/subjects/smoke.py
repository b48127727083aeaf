"""Smoke and steam: soft lumps that grow, thin out and drift, each a picture made once."""

from __future__ import annotations

import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import mix, smoothstep, to8
from meshapi_renderer.noise import fbm
from meshapi_renderer.rng import Rng
from meshapi_renderer.subjects.light import Light
from meshapi_renderer.subjects.paste import Place, paste
from meshapi_renderer.subjects.sketch import Cel

_SIDE = 96
_KINDS = 4
_STRENGTHS = 10


class Smoke:
    """Lumps of one kind of smoke in the light of a scene."""

    def __init__(self, rng: Rng, light: Light, albedo: Floats, haze: Floats, haze_share: float) -> None:
        self._cels = [
            _strengths(_lump(rng.sub(str(kind)), light, albedo, haze, haze_share)) for kind in range(_KINDS)
        ]

    def draw(
        self, frame: Bytes8, x: float, y: float, radius: float, strength: float, kind: int, turn: float
    ) -> None:
        """Draw a lump of ``radius`` pixels; ``strength`` 0..1 is its opacity."""
        level = round(strength * (_STRENGTHS - 1))
        if level > 0:
            cel = self._cels[kind % _KINDS][level]
            paste(frame, cel, Place(x, y, 2 * radius / _SIDE, turn))


def _lump(rng: Rng, light: Light, albedo: Floats, haze: Floats, haze_share: float) -> Bytes8:
    axis = (np.arange(_SIDE, dtype=np.float32) + np.float32(0.5)) / np.float32(_SIDE / 2) - 1
    across, up = axis[None], -axis[:, None]
    billow = fbm(128, 128, 5, 4, rng, 0.55)[:_SIDE, :_SIDE]
    distance = np.sqrt(across**2 + up**2) + (billow - np.float32(0.5)) * np.float32(0.75)
    alpha = smoothstep(0.92, 0.30, distance) * smoothstep(1.0, 0.8, np.sqrt(across**2 + up**2))
    relief = imaging.gaussian(billow, 1.5) * np.float32(0.8) + np.sqrt(np.clip(1 - distance**2, 0, 1))
    slope_y, slope_x = np.gradient(relief * np.float32(_SIDE / 6))
    length = 1 / np.sqrt(slope_x**2 + slope_y**2 + 1)
    x, y, z = light.towards
    facing = np.clip((-slope_x * x + slope_y * y + z) * length, 0, 1)
    above = np.clip(0.5 + 0.5 * slope_y * length, 0, 1)
    received = mix(light.ground, light.sky, above[..., None]) + facing[..., None] * light.key
    received = received + light.rim * np.float32(0.10 * light.behind)
    shown = to8(mix(received * albedo, haze, haze_share))
    opacity = np.asarray(alpha * np.float32(0.85), np.float32)
    premultiplied = (shown * opacity[..., None] + np.float32(0.5)).astype(np.uint8)
    inverse = 255 - (opacity * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    return np.dstack([premultiplied, inverse])


def _strengths(lump: Bytes8) -> list[Cel]:
    cels = []
    for level in range(_STRENGTHS):
        share = np.float32(level / (_STRENGTHS - 1))
        colour = (lump[..., :3] * share + np.float32(0.5)).astype(np.uint8)
        inverse = 255 - ((255 - lump[..., 3]) * share + np.float32(0.5)).astype(np.uint8)
        cels.append(Cel(np.dstack([colour, inverse]), (_SIDE / 2, _SIDE / 2), 1.0))
    return cels
