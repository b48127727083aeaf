"""Walls of rock: upright columns broken by ledges, lit across their relief, green where moss can root."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import mix, rgb, smoothstep
from meshapi_renderer.noise import fbm, warp
from meshapi_renderer.raycast import gradients
from meshapi_renderer.rng import Rng

_SIDE = 640


@dataclass(frozen=True, slots=True, kw_only=True)
class CliffLight:
    """Light on rock and green, linear and exposed."""

    towards: tuple[float, float, float]
    """Unit vector to the light: right, up, towards the viewer."""
    key: Floats
    sky: Floats
    haze: Floats
    moss: Floats
    snow: float
    wet: float = 0.0


class Cliff:
    """A tileable wall of rock as relief, its slopes and where it is green."""

    def __init__(self, rng: Rng) -> None:
        bend = fbm(_SIDE, _SIDE, 4, 4, rng.sub("bend"), 0.5) - np.float32(0.5)
        columns = fbm(_SIDE, _SIDE, 3, 6, rng.sub("columns"), 0.55, aspect=3.2, ridge=True)
        columns = warp(columns, bend * 46, bend * 20)
        ledges = fbm(_SIDE, _SIDE, 9, 5, rng.sub("ledges"), 0.55, aspect=0.28)
        ledges = warp(ledges, bend * 30, np.roll(bend, 200, 1) * 46)
        rough = fbm(_SIDE, _SIDE, 18, 5, rng.sub("rough"), 0.62)
        blocks = warp(
            fbm(_SIDE, _SIDE, 8, 4, rng.sub("blocks"), 0.5, aspect=1.5, ridge=True), bend * 40, bend * 40
        )
        cracks = smoothstep(0.74, 0.93, blocks)
        relief = columns * np.float32(0.46) + ledges * np.float32(0.56) + rough * np.float32(0.34)
        relief -= cracks * np.float32(0.20)
        slope_x, slope_y = gradients(relief, 1.0)
        self._data = imaging.Torus(np.dstack([relief, slope_x, slope_y, rough]).astype(np.float32))
        self._green = imaging.Torus(fbm(_SIDE, _SIDE, 7, 5, rng.sub("green"), 0.58))

    def paint(
        self, x: Floats, y: Floats, depth_below: Floats, light: CliffLight, haze: float, bump: float = 62.0
    ) -> Floats:
        """Colour of the wall at texture coordinates; ``depth_below`` is how far under its edge, in shares."""
        data = self._data.at(x, y)
        relief, slope_x, slope_y, rough = (np.ascontiguousarray(data[..., k]) for k in range(4))
        fine = self._data.at(x * np.float32(3.3), y * np.float32(3.3))
        slope_x = slope_x + np.ascontiguousarray(fine[..., 1]) * np.float32(0.6)
        slope_y = slope_y + np.ascontiguousarray(fine[..., 2]) * np.float32(0.6)
        nx, ny = -slope_x * np.float32(bump), slope_y * np.float32(bump)
        norm = 1 / np.sqrt(nx * nx + ny * ny + 1)
        lx, ly, lz = (np.float32(part) for part in light.towards)
        facing = np.clip((nx * lx + ny * ly + lz) * norm, 0, 1)
        hollow = smoothstep(0.36, 0.78, relief)
        stone = mix(
            rgb(0.085, 0.074, 0.064), rgb(0.34, 0.29, 0.24), np.clip(rough * 1.6 - 0.3, 0, 1)[..., None]
        )
        stone = stone * (np.float32(0.30) + np.float32(0.85) * hollow)[..., None]
        up = np.clip(ny * norm, 0, 1)
        green = self._green.at(x * np.float32(1.4), y * np.float32(1.4))
        rooted = smoothstep(0.43, 0.55, green + up * np.float32(0.22) - depth_below * np.float32(0.12))
        rooted *= smoothstep(0.10, 0.45, up + np.float32(0.08)) * np.float32(0.95)
        leaf = light.moss * (np.float32(0.45) + np.float32(1.1) * rough)[..., None]
        colour = mix(stone, leaf, rooted[..., None])
        if light.snow > 0:
            lying = smoothstep(0.18, 0.42, up + (green - np.float32(0.5)) * np.float32(0.4))
            colour = mix(colour, rgb(0.80, 0.84, 0.90), (lying * np.float32(light.snow))[..., None])
        colour = colour * np.float32(1 - 0.45 * light.wet)
        sky = np.float32(0.30) + np.float32(0.50) * up + np.float32(0.20) * norm
        sky = sky * (np.float32(0.20) + np.float32(0.80) * hollow)
        lit = colour * (light.key * facing[..., None] + light.sky * sky[..., None])
        lit = lit + (facing**12 * np.float32(0.10 * light.wet))[..., None] * light.key
        return np.asarray(lit + (light.haze - lit) * np.float32(haze), np.float32)
