"""A turning globe in sunlight: its ground, its clouds and its glowing rim."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import linear, mix, rgb, smoothstep, to8
from meshapi_renderer.noise import fbm, line_noise, warp
from meshapi_renderer.plan import PlanetKind
from meshapi_renderer.rng import Rng

_ROWS, _COLUMNS = 512, 1024

_GIANTS = (
    ("d9b38c", "a8623c", "f2e2c4", "7a3d28"),
    ("c8d8e8", "6f9cc4", "eef4fa", "3d6a98"),
    ("e8c27a", "b5793a", "fff0c8", "8a5a3c"),
    ("b9a5d6", "6a4f9c", "efe4ff", "45306e"),
)
_FAMILIAR_GIANTS = (_GIANTS[0], _GIANTS[2])
_ICE_GIANTS = (("5f97d8", "2c5cb0", "93bdec", "1c3a80"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanetLook:
    """What a planet is like; colours linear."""

    kind: PlanetKind
    air: Floats
    """Colour of the rim's glow."""
    thickness: float
    """Height of the glowing air over the radius."""
    turns: float
    """Turns per second."""
    tilt: float
    """Of the axis, radians."""
    familiar: bool
    """Whether its colours are those of a planet of our sun."""


def planet_look(kind: PlanetKind, rng: Rng, *, familiar: bool = False) -> PlanetLook:
    """The air and the motion that go with a kind."""
    air = {
        "giant": linear("e8c49a"),
        "ice_giant": linear("7fb4ff"),
        "earth": linear("4f9dff"),
        "desert": linear("ff9a62"),
        "ice": linear("7fd4ff"),
    }[kind]
    return PlanetLook(
        kind=kind,
        air=air,
        thickness={"giant": 0.020, "ice_giant": 0.024, "earth": 0.040, "desert": 0.028, "ice": 0.032}[kind],
        turns=rng.uniform(0.014, 0.020) * rng.sign(),
        tilt=rng.uniform(-0.5, 0.5),
        familiar=familiar,
    )


class Planet:
    """A globe of one radius under one light, drawn into a square of its own."""

    def __init__(
        self,
        radius: float,
        light: tuple[float, float, float],
        look: PlanetLook,
        rng: Rng,
        shade: Callable[[Floats, Floats, Floats], Floats] | None = None,
    ) -> None:
        """``radius`` in pixels; ``light`` is the unit vector to the sun: right, up, towards the viewer.

        ``shade`` tells how much of the sun something keeps from points of the globe, 0 to 1.
        """
        self._look, self.kind = look, look.kind
        self.side = 2 * math.ceil(radius * (1 + 6 * look.thickness) + 2)
        half = self.side / 2
        y, x = np.mgrid[0 : self.side, 0 : self.side].astype(np.float32)
        x = (x + np.float32(0.5 - half)) / np.float32(radius)
        y = (np.float32(half - 0.5) - y) / np.float32(radius)
        distance = np.sqrt(x * x + y * y)
        z = np.sqrt(np.clip(1 - distance * distance, 0, 1))
        self._u, self._v = _places(x, y, z, look.tilt)
        ground, clouds = _surface(look, rng.sub("surface"))
        self._ground = imaging.Torus(np.asarray(cv2.cvtColor(to8(ground, tone=False), cv2.COLOR_RGB2RGBA)))
        self._clouds = None if clouds is None else imaging.Torus((clouds * 255).astype(np.uint8))
        facing = x * np.float32(light[0]) + y * np.float32(light[1]) + z * np.float32(light[2])
        self._shade, self._rim = _lighting(x, y, z, distance, facing, look)
        if shade is not None:
            kept = 1 - np.float32(0.72) * shade(x, y, z)
            self._shade = (self._shade * kept[..., None]).astype(np.uint8)
        inside = np.clip((1 - distance) * np.float32(radius) + np.float32(0.5), 0, 1)
        self._behind = (255 - inside * 255).astype(np.uint8)
        # One factor: light on the ground, and none beyond the disc.
        mask = imaging.triple((inside * 255).astype(np.uint8))
        self._shade = np.asarray(cv2.multiply(self._shade, mask, scale=1 / 255.0), np.uint8)

    def draw(self, seconds: float) -> Bytes8:
        """The globe's light, and as a fourth channel what it lets through from behind, (side, side, 4)."""
        turn = np.float32(self._look.turns * seconds * _COLUMNS)
        found = self._ground.at(self._u - turn, self._v)
        ground = np.asarray(cv2.cvtColor(found, cv2.COLOR_RGBA2RGB), np.uint8)
        if self._clouds is not None:
            cover = np.asarray(self._clouds.at(self._u - turn * np.float32(1.25), self._v), np.uint8)
            imaging.tint(ground, cover, (246, 248, 252))
        cv2.multiply(ground, self._shade, ground, 1 / 200.0)
        cv2.add(ground, self._rim, ground)
        whole = cv2.cvtColor(ground, cv2.COLOR_RGB2RGBA)
        return np.asarray(cv2.insertChannel(self._behind, whole, 3), np.uint8)


def _places(x: Floats, y: Floats, z: Floats, tilt: float) -> tuple[Floats, Floats]:
    """Texture coordinates of every point of the disc."""
    cosine, sine = np.float32(math.cos(tilt)), np.float32(math.sin(tilt))
    across, up = x * cosine + y * sine, y * cosine - x * sine
    longitude = np.arctan2(across, np.maximum(z, np.float32(1e-3)))
    latitude = np.arcsin(np.clip(up, -1, 1))
    u = longitude * np.float32(_COLUMNS / math.tau)
    v = (np.float32(0.5) - latitude * np.float32(1 / math.pi)) * np.float32(_ROWS - 2) + np.float32(0.5)
    return u.astype(np.float32), v.astype(np.float32)


def _lighting(
    x: Floats, y: Floats, z: Floats, distance: Floats, facing: Floats, look: PlanetLook
) -> tuple[Bytes8, Bytes8]:
    """(factor on the ground in 1/200, light of the air) on the square."""
    day = smoothstep(-0.10, 0.55, facing) * np.float32(0.96) + np.float32(0.012)
    limb = np.clip(z, 0, 1) ** np.float32(0.32)
    warm = smoothstep(0.30, 0.0, np.abs(facing - np.float32(0.06)))[..., None]
    tint = mix(rgb(1, 1, 1), rgb(1.0, 0.70, 0.45), warm * np.float32(0.5))
    shade = np.clip((day * limb)[..., None] * tint * np.float32(218), 0, 255).astype(np.uint8)
    edge = np.clip((1 - z), 0, 1) ** np.float32(3.4) * np.float32(0.55)
    outside = np.exp(-np.maximum(distance - 1, 0) / np.float32(look.thickness))
    ring = np.where(distance <= 1, edge, outside * np.float32(0.75))
    lit = smoothstep(-0.35, 0.5, facing)
    air = (ring * lit)[..., None] * look.air * np.float32(1.5)
    core = (outside * (distance > 1) * lit**3)[..., None] * rgb(1, 1, 1) * np.float32(0.10)
    # Starlight: the night side is dark, never a hole.
    night = (distance < 1)[..., None] * rgb(0.0105, 0.0125, 0.0200)
    return shade, to8(air + core + night)


def _surface(look: PlanetLook, rng: Rng) -> tuple[Floats, Floats | None]:
    """(ground colour, cloud cover) textures of a kind."""
    kind = look.kind
    if kind == "giant":
        return _bands(rng, _FAMILIAR_GIANTS if look.familiar else _GIANTS), None
    if kind == "ice_giant":
        return _bands(rng, _ICE_GIANTS), None
    if kind == "earth":
        return _continents(rng), _weather(rng.sub("clouds"), 0.47)
    if kind == "ice":
        return _ice(rng), _weather(rng.sub("clouds"), 0.66)
    return _desert(rng), _weather(rng.sub("clouds"), 0.68)


def _latitude() -> Floats:
    """-1 at the south pole to 1 at the north pole, (rows, 1)."""
    rows: Floats = np.linspace(1, -1, _ROWS, dtype=np.float32)[:, None]
    return rows


def _bands(rng: Rng, giants: tuple[tuple[str, ...], ...]) -> Floats:
    tones = [linear(name) for name in rng.pick(giants)]
    belts = line_noise(_ROWS, 15, 4, rng.sub("belts"), 0.62)
    turmoil = fbm(_ROWS, _COLUMNS, 7, 6, rng.sub("turmoil"), 0.56, aspect=1.0) - np.float32(0.5)
    fine = fbm(_ROWS, _COLUMNS, 34, 4, rng.sub("fine"), 0.55, aspect=0.22) - np.float32(0.5)
    rows = np.arange(_ROWS, dtype=np.float32)[:, None] + turmoil * np.float32(38) + fine * np.float32(30)
    storms = np.zeros((_ROWS, _COLUMNS), np.float32)
    draws = rng.sub("storms")
    for index in range(5):
        size = 34.0 if index == 0 else draws.uniform(7, 16)
        row, column = draws.uniform(0.30, 0.72) * _ROWS, draws.u() * _COLUMNS
        y = (np.arange(_ROWS, dtype=np.float32)[:, None] - np.float32(row)) / np.float32(size)
        x = np.arange(_COLUMNS, dtype=np.float32)[None] - np.float32(column)
        x = (x - np.round(x / np.float32(_COLUMNS)) * np.float32(_COLUMNS)) / np.float32(2.1 * size)
        reach = np.sqrt(x * x + y * y) + turmoil * np.float32(0.5)
        storms = np.maximum(storms, smoothstep(1.05, 0.55, reach) * (1 if index else 1.15))
        rows += np.exp(-reach * reach) * y * np.float32(size * 0.9)
    level = np.interp(np.clip(rows, 0, _ROWS - 1), np.arange(_ROWS), belts).astype(np.float32)
    level += fine * np.float32(0.30) + turmoil * np.float32(0.12)
    level = (level - np.float32(level.mean())) * np.float32(0.27 / max(float(level.std()), 1e-6))
    level = np.clip(level + np.float32(0.5), 0, 1) * 2
    colour = mix(tones[1], tones[0], np.clip(level, 0, 1)[..., None])
    colour = mix(colour, tones[2], np.clip(level - 1, 0, 1)[..., None])
    colour = mix(colour, tones[3], (storms * np.float32(0.75))[..., None])
    polar = smoothstep(0.55, 1.0, np.abs(_latitude()))[..., None]
    return mix(colour, colour * np.float32(0.45), polar)


def _continents(rng: Rng) -> Floats:
    bend = fbm(_ROWS, _COLUMNS, 4, 4, rng.sub("bend"), 0.5) - np.float32(0.5)
    land = warp(fbm(_ROWS, _COLUMNS, 4, 8, rng.sub("land"), 0.56, aspect=2), bend * 110, bend * 80)
    rough = fbm(_ROWS, _COLUMNS, 16, 6, rng.sub("rough"), 0.66, aspect=2)
    rough = (rough - np.float32(0.5)) * np.float32(1.7) + np.float32(0.5)
    level = (land - np.float32(0.53)) * np.float32(6)
    shore = smoothstep(0.0, 0.06, level)[..., None]
    deep = mix(linear("0a2f66"), linear("1d6f9c"), smoothstep(-1.2, -0.05, level)[..., None])
    dry = fbm(_ROWS, _COLUMNS, 4, 4, rng.sub("dry"), 0.5, aspect=2) + np.float32(0.32) * (
        1 - np.abs(np.abs(_latitude()) - np.float32(0.25)) * 3
    )
    ground = mix(linear("3f6b33"), linear("b8935a"), smoothstep(0.45, 0.75, dry)[..., None])
    ground = mix(ground * (np.float32(0.35) + np.float32(1.3) * rough[..., None]), linear("8c8276"),
                 smoothstep(0.62, 0.85, rough + level * np.float32(0.08))[..., None])  # fmt: skip
    colour = mix(deep, ground, shore)
    cold = smoothstep(0.74, 0.86, np.abs(_latitude()) + (rough - np.float32(0.5)) * np.float32(0.22))
    return mix(colour, rgb(0.86, 0.90, 0.95), cold[..., None])


def _desert(rng: Rng) -> Floats:
    bend = fbm(_ROWS, _COLUMNS, 4, 4, rng.sub("bend"), 0.5) - np.float32(0.5)
    plain = warp(fbm(_ROWS, _COLUMNS, 7, 7, rng.sub("plain"), 0.60, aspect=2), bend * 110, bend * 80)
    canyons = fbm(_ROWS, _COLUMNS, 7, 7, rng.sub("canyons"), 0.58, aspect=2, ridge=True)
    colour = mix(linear("7a3a20"), linear("d98a52"), smoothstep(0.32, 0.66, plain)[..., None])
    colour = mix(colour, linear("3f1d14"), (smoothstep(0.78, 0.93, canyons) * np.float32(0.8))[..., None])
    colour = mix(colour, linear("f0c08a"), (smoothstep(0.62, 0.82, plain) * np.float32(0.6))[..., None])
    cold = smoothstep(0.86, 0.93, np.abs(_latitude()) + bend * np.float32(0.16))
    return mix(colour, rgb(0.80, 0.78, 0.76), cold[..., None])


def _ice(rng: Rng) -> Floats:
    plain = fbm(_ROWS, _COLUMNS, 7, 7, rng.sub("plain"), 0.58, aspect=2)
    bend = fbm(_ROWS, _COLUMNS, 5, 4, rng.sub("bend"), 0.5) - np.float32(0.5)
    cracks = warp(
        fbm(_ROWS, _COLUMNS, 5, 6, rng.sub("cracks"), 0.52, aspect=2, ridge=True), bend * 70, bend * 70
    )
    colour = mix(linear("6f9cc0"), linear("c8dce8"), smoothstep(0.35, 0.62, plain)[..., None])
    return mix(colour, linear("3b6f9e"), (smoothstep(0.86, 0.97, cracks) * np.float32(0.75))[..., None])


def _weather(rng: Rng, bar: float) -> Floats:
    """Swirled clouds, denser in belts."""
    bend = fbm(_ROWS, _COLUMNS, 5, 5, rng.sub("bend"), 0.52, aspect=2) - np.float32(0.5)
    clouds = warp(fbm(_ROWS, _COLUMNS, 9, 6, rng.sub("clouds"), 0.60, aspect=1.5), bend * 170, bend * 90)
    belts = np.float32(0.05) * np.cos(_latitude() * np.float32(7.5))
    return smoothstep(bar, bar + 0.26, clouds + belts) * np.float32(0.85)
