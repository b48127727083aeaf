"""A studio's seamless paper: wall that runs into floor, a moving light, shadows of leaves and things."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import mix, smoothstep
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas

_SIDE = 512
_BITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperLook:
    """Colours, linear and exposed."""

    wall: Floats
    floor: Floats
    key: Floats
    ambient: Floats
    glow: Floats
    """Coloured light on the wall from behind."""
    leaves: float
    """How dark the shadows of leaves are, 0 for none."""


@dataclass(frozen=True, slots=True)
class Shadow:
    """What a thing on the floor hides from the light; shares of the grid's width and height."""

    x: float
    y: float
    wide: float
    strength: float


class Paper:
    """The background of a studio on a grid of the frame's shape."""

    def __init__(self, grid: Canvas, horizon: float, rng: Rng, look: PaperLook) -> None:
        """``horizon`` is where the floor begins to turn up, as a share of the height."""
        self._grid, self._horizon, self._look = grid, horizon, look
        self._leaves = imaging.Torus(_leaf_shadows(rng.sub("leaves")))
        y = (np.arange(grid.height, dtype=np.float32)[:, None] + np.float32(0.5)) / np.float32(grid.height)
        self._floor = smoothstep(horizon - 0.08, horizon + 0.16, y)
        self._y = y
        self._x = (np.arange(grid.width, dtype=np.float32)[None] + np.float32(0.5)) / np.float32(grid.width)
        self._wide = grid.width / grid.height

    def light(
        self,
        key: tuple[float, float, float],
        seconds: float,
        shift: tuple[float, float],
        shadows: list[Shadow],
    ) -> Floats:
        """Linear light of a moment; ``shift`` moves the set, in shares of the frame."""
        look = self._look
        x, y = self._x - np.float32(shift[0]), self._y - np.float32(shift[1])
        aspect = np.float32(self._wide)
        pool_x = 0.5 + 0.10 * key[0]
        away = ((x - np.float32(pool_x)) * aspect) ** 2 * np.float32(1.5) + (y - np.float32(0.47)) ** 2 * 2
        pool = np.exp(-away * np.float32(1.9))
        lit = np.float32(0.22) + np.float32(0.85) * pool
        if look.leaves > 0:
            lit = lit * (1 - np.float32(look.leaves) * self._leaf_light(x, y, seconds))
        lit = np.broadcast_to(lit, (self._grid.height, self._grid.width)).copy()
        first = int(self._horizon * self._grid.height)
        for shadow in shadows:
            lit[first:] *= self._cast(shadow, key, x, y[first:])
        tone = mix(look.wall, look.floor, self._floor[..., None])
        light = tone * (look.ambient + look.key * lit[..., None])
        glow_x = np.float32(0.5 - 0.10 * key[0])
        halo = np.exp(-(((x - glow_x) * aspect) ** 2 + (y - np.float32(0.36)) ** 2) * np.float32(4.5))
        light += (halo * (1 - self._floor))[..., None] * look.glow
        return np.asarray(light, np.float32)

    def _leaf_light(self, x: Floats, y: Floats, seconds: float) -> Floats:
        """Shadows of twigs that stir before a window, on the wall mostly."""
        t = seconds
        u = x * np.float32(self._wide * 210) + np.float32(16 * math.sin(1.0 * t))
        v = y * np.float32(210) + np.float32(11 * math.sin(0.8 * t + 1.1))
        bend = np.sin(y * np.float32(7) + np.float32(1.5 * t)) * np.float32(8)
        one = self._leaves.at(u + bend + v * np.float32(0.35), v - u * np.float32(0.12))
        two = self._leaves.at(u * np.float32(0.8) - bend + 200, v * np.float32(0.8) + bend + 90)
        dark: Floats = np.maximum(one, two * np.float32(0.6)) * (1 - np.float32(0.55) * self._floor)
        return dark

    def _cast(self, shadow: Shadow, key: tuple[float, float, float], x: Floats, y: Floats) -> Floats:
        """A soft shadow on the floor, drawn out away from the light."""
        centre_x = shadow.x - 0.55 * shadow.wide * key[0]
        centre_y = shadow.y + 0.10 * shadow.wide * self._wide * key[2]
        across = (x - np.float32(centre_x)) / np.float32(1.25 * shadow.wide)
        down = (y - np.float32(centre_y)) / np.float32(0.42 * shadow.wide * self._wide)
        soft = np.exp(-(across * across + down * down) * np.float32(1.3))
        tight_x = (x - np.float32(shadow.x)) / np.float32(1.04 * shadow.wide)
        tight_y = (y - np.float32(shadow.y)) / np.float32(0.30 * shadow.wide * self._wide)
        contact = smoothstep(1.25, 0.85, np.sqrt(tight_x * tight_x + tight_y * tight_y))
        hidden = np.maximum(soft * np.float32(0.62), contact * np.float32(0.8)) * np.float32(shadow.strength)
        kept: Floats = 1 - hidden
        return kept


def _leaf_shadows(rng: Rng) -> Floats:
    """A tileable pattern of blurred leaves on twigs, 0 lit to 1 dark."""
    sheet = np.zeros((_SIDE, _SIDE), np.float32)
    for branch in range(7):
        own = rng.sub(f"branch {branch}")
        x, y, angle = own.u() * _SIDE, own.u() * _SIDE, own.uniform(-0.9, 0.9)
        for step in range(13):
            x, y = x + 17 * math.cos(angle), y + 17 * math.sin(angle)
            angle += own.uniform(-0.12, 0.12)
            for side in (-1, 1):
                turn = angle + side * own.uniform(0.6, 1.1)
                long = own.uniform(22, 38) * (1 - 0.035 * step)
                middle = (x + 0.5 * long * math.cos(turn), y + 0.5 * long * math.sin(turn))
                _stamp_leaf(sheet, middle, long, turn)
    return imaging.gaussian(np.minimum(sheet, 1), 4.5)


def _stamp_leaf(sheet: Floats, middle: tuple[float, float], long: float, turn: float) -> None:
    axes = (round(0.5 * long * (1 << _BITS)), round(0.15 * long * (1 << _BITS)))
    for wrap_x in (-_SIDE, 0, _SIDE):
        for wrap_y in (-_SIDE, 0, _SIDE):
            centre = (round((middle[0] + wrap_x) * (1 << _BITS)), round((middle[1] + wrap_y) * (1 << _BITS)))
            cv2.ellipse(sheet, centre, axes, math.degrees(turn), 0, 360, 1.0, -1, cv2.LINE_AA, _BITS)
