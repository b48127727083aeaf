"""A hearth in the open: a ring of stones, logs laid across one another, a bed of coals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import mix, rgb, smoothstep
from meshapi_renderer.elements.pines import lay_over
from meshapi_renderer.noise import fbm
from meshapi_renderer.rng import Rng

_SIDE = 256
_FIRE = rgb(2.4, 0.85, 0.20)
_FLAT = 0.34
"""How much the ring on the ground is flattened by the view."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HearthLook:
    """Where the hearth lies and what lights it; lengths in pixels, colours linear and exposed."""

    centre: tuple[float, float]
    radius: float
    sky: Floats
    fire: float
    """Strength of the fire's light on stones and logs."""
    snow: float


class Hearth:
    """Paints a hearth into layers in progress: what lies behind the flames, then what lies before them."""

    def __init__(self, look: HearthLook, rng: Rng) -> None:
        self._look, self._rng = look, rng
        grain = fbm(_SIDE, _SIDE, 8, 5, rng.sub("grain"), 0.6)
        self._grain = imaging.Torus(grain)
        self._bark = imaging.Torus(fbm(_SIDE, _SIDE, 5, 5, rng.sub("bark"), 0.62, aspect=5, ridge=True))

    def behind(self, light: Floats, alpha: Floats) -> None:
        """The far half of the ring, the coals and the far logs, in place."""
        self._ash(light, alpha)
        self._ring(light, alpha, far=True)
        self._coals(light, alpha)
        for index, turn in enumerate((-0.25, 0.30)):
            self._log(light, alpha, turn, -0.16 - 0.10 * index, self._rng.sub(f"far log {index}"))

    def before(self, light: Floats, alpha: Floats) -> None:
        """The near logs and the near half of the ring, in place."""
        for index, (turn, down) in enumerate(((0.22, 0.10), (-0.30, 0.20))):
            self._log(light, alpha, turn, down, self._rng.sub(f"near log {index}"))
        self._ring(light, alpha, far=False)

    def _ash(self, light: Floats, alpha: Floats) -> None:
        x, y, window = self._window(alpha, 1.35)
        if window is None:
            return
        reach = np.sqrt(x * x + (y / np.float32(_FLAT)) ** 2)
        grain = self._grain.at(x * 120, y * 300)
        cover = smoothstep(1.25, 0.85, reach + (grain - np.float32(0.5)) * np.float32(0.4)) * np.float32(0.9)
        glow = np.exp(-reach * np.float32(1.5)) * np.float32(self._look.fire)
        ground = rgb(0.055, 0.045, 0.040) * (np.float32(0.5) + grain)[..., None]
        colour = ground * (self._look.sky + _FIRE * np.float32(0.55) * glow[..., None])
        self._lay(light, alpha, window, colour, cover)

    def _coals(self, light: Floats, alpha: Floats) -> None:
        x, y, window = self._window(alpha, 0.9)
        if window is None:
            return
        reach = np.sqrt(x * x + (y / np.float32(_FLAT)) ** 2)
        lumps = self._grain.at(x * 150 + 40, y * 330)
        cracks = self._bark.at(x * 260, y * 260)
        cover = smoothstep(0.78, 0.52, reach + (lumps - np.float32(0.5)) * np.float32(0.5))
        heat = np.exp(-reach * reach * np.float32(5)) * smoothstep(
            0.35, 0.75, cracks + lumps * np.float32(0.35)
        )
        colour = rgb(0.012, 0.010, 0.010) + heat[..., None] * rgb(1.6, 0.36, 0.04) * np.float32(
            self._look.fire
        )
        self._lay(light, alpha, window, colour, cover)

    def _ring(self, light: Floats, alpha: Floats, far: bool) -> None:
        """Stones on the ring, those farther from the viewer first."""
        count = 15
        stones = []
        for index in range(count):
            own = self._rng.sub(f"stone {index}")
            angle = math.tau * (index + 0.3 * own.uniform(-1, 1)) / count
            stones.append((math.sin(angle), math.cos(angle), own))
        for down, across, own in sorted(stones, key=lambda stone: stone[0]):
            if (down < 0.05) == far:
                self._stone(light, alpha, across, down * _FLAT, own)

    def _stone(self, light: Floats, alpha: Floats, across: float, down: float, rng: Rng) -> None:
        look = self._look
        size = rng.uniform(0.13, 0.19) * (1 + 0.25 * down)
        x, y, window = self._window(alpha, size * 1.3, (across, down))
        if window is None:
            return
        turn = rng.u() * _SIDE
        dent = self._grain.at(x / size * 34 + np.float32(turn), y / size * 34) - np.float32(0.5)
        fine = self._grain.at(x / size * 120, y / size * 120 + np.float32(turn)) - np.float32(0.5)
        flat = rng.uniform(0.62, 0.80)
        inside = 1 - (x / size) ** 2 - (y / (size * flat)) ** 2 + dent * np.float32(0.35)
        height = np.sqrt(np.maximum(inside, 0))
        normal_x, normal_y = x / size + dent * np.float32(0.5), -y / (size * flat) + fine * np.float32(0.4)
        # The fire stands at the ring's middle, a little over the ground.
        towards_x, towards_y = -across, 0.55 + down
        facing = (
            normal_x * np.float32(towards_x)
            + normal_y * np.float32(towards_y)
            + height * np.float32(-0.55 * down / _FLAT)
        )
        warm = np.clip(facing, 0, 1.3) ** np.float32(1.2) * np.float32(look.fire)
        above = np.clip(np.float32(0.35) + np.float32(0.65) * normal_y, 0, 1)
        stone = mix(rgb(0.11, 0.105, 0.10), rgb(0.23, 0.215, 0.20), (fine + np.float32(0.5))[..., None])
        if look.snow > 0:
            cap = smoothstep(0.35, 0.6, normal_y + dent) * np.float32(look.snow)
            stone = mix(stone, rgb(0.8, 0.84, 0.9), cap[..., None])
        colour = stone * (look.sky * above[..., None] + _FIRE * warm[..., None])
        self._lay(light, alpha, window, colour, smoothstep(0.0, 0.10, inside))

    def _log(self, light: Floats, alpha: Floats, turn: float, down: float, rng: Rng) -> None:
        """One log across the fire: bark that turns to char and ember towards the middle."""
        look = self._look
        x, y, window = self._window(alpha, 1.15)
        if window is None:
            return
        middle_y = down * _FLAT - 0.10
        cosine, sine = np.float32(math.cos(turn)), np.float32(math.sin(turn))
        dy = y - np.float32(middle_y)
        along, across = x * cosine + dy * sine, dy * cosine - x * sine
        long, radius = rng.uniform(0.74, 0.88), np.float32(rng.uniform(0.075, 0.10))
        thick = radius * (1 + np.float32(0.12) * np.sin(along * 7 + np.float32(rng.u() * 6)))
        bark = self._bark.at(along * 130 + np.float32(rng.u() * 256), across / thick * 26)
        t = across / thick + (bark - np.float32(0.5)) * np.float32(0.22)
        inside = np.minimum(1 - t * t, (np.float32(long) - np.abs(along)) * 12)
        round_up = -t
        burnt = np.exp(-((along / np.float32(0.42)) ** 2))
        wood = mix(rgb(0.05, 0.03, 0.02), rgb(0.22, 0.13, 0.07), bark[..., None])
        wood = mix(wood, rgb(0.010, 0.009, 0.009), (burnt * np.float32(0.9))[..., None])
        ends = smoothstep(long - 0.05, long, np.abs(along))
        wood = mix(wood, rgb(0.34, 0.22, 0.12), (ends * np.float32(0.7))[..., None])
        side = np.float32(-1.0 if down > 0 else 1.0)
        warm = np.clip(np.float32(0.25) + np.float32(0.9) * round_up * (-side) * np.float32(-1.0), 0.05, 1.2)
        warm = warm * np.exp(-np.abs(along) * np.float32(1.2)) * np.float32(look.fire)
        above = np.clip(np.float32(0.3) + np.float32(0.7) * round_up, 0, 1)
        colour = wood * (look.sky * above[..., None] + _FIRE * warm[..., None])
        glow = smoothstep(0.62, 0.92, bark) * burnt * np.float32(1.3 * look.fire)
        colour = colour + glow[..., None] * rgb(1.5, 0.34, 0.04)
        self._lay(light, alpha, window, colour, smoothstep(0.0, 0.22, inside))

    def _window(
        self, alpha: Floats, reach: float, at: tuple[float, float] = (0.0, 0.0)
    ) -> tuple[Floats, Floats, tuple[slice, slice] | None]:
        """Coordinates in ring radii around a point of the hearth, and the part of the layer they cover."""
        look = self._look
        middle_x = look.centre[0] + at[0] * look.radius
        middle_y = look.centre[1] + at[1] * look.radius
        span = reach * look.radius
        y0, y1 = max(0, round(middle_y - span)), min(alpha.shape[0], round(middle_y + span))
        x0, x1 = max(0, round(middle_x - span)), min(alpha.shape[1], round(middle_x + span))
        if y1 - y0 < 2 or x1 - x0 < 2:
            return np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32), None
        x = (np.arange(x0, x1, dtype=np.float32)[None] + np.float32(0.5 - middle_x)) / np.float32(look.radius)
        y = (np.arange(y0, y1, dtype=np.float32)[:, None] + np.float32(0.5 - middle_y)) / np.float32(
            look.radius
        )
        zeros = np.zeros((y1 - y0, x1 - x0), np.float32)
        return x + zeros, y + zeros, (slice(y0, y1), slice(x0, x1))

    @staticmethod
    def _lay(
        light: Floats, alpha: Floats, window: tuple[slice, slice], colour: Floats, cover: Floats
    ) -> None:
        part_light, part_alpha = light[window], alpha[window]
        lay_over(part_light, part_alpha, colour, cover)
