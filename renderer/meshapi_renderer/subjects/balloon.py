"""Hot air balloons: striped silk on a slow drift, lit from within towards night when the burner fires."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import linear, mix, rgb
from meshapi_renderer.scene import Scratch
from meshapi_renderer.subjects.curves import disc, polygon, smooth
from meshapi_renderer.subjects.flame import Flame
from meshapi_renderer.subjects.paste import Place, glow, paste
from meshapi_renderer.subjects.role import Lens, Role, fitted
from meshapi_renderer.subjects.sketch import Bounds, Cel, Paint, Sketch

_HEIGHT = 0.30
"""Height of the nearest balloon in units."""
_BOUNDS = Bounds(-0.42, -0.03, 0.42, 1.03)
_MOST = 9
_SCHEMES = (
    ("c8321e", "f2c14e", "f5ead2"),
    ("1f5fa8", "f4f1e6", "e0552d"),
    ("5b2a86", "f29e4c", "f1d6ab"),
    ("0f7a6c", "f6e7cb", "ef8354"),
    ("d7263d", "f4f4f2", "1b2a49"),
)
_GORES = 16
_WIDEST = 0.66
"""Height of the widest girth."""
_RADIUS = 0.365


@dataclass(frozen=True, slots=True)
class _Balloon:
    cel: Cel
    x: float
    row: float
    size: float
    drift: float
    phase: float
    depth: float


class Balloons:
    """One near balloon, and others far off when several are asked for or the number is open."""

    def __init__(self, role: Role) -> None:
        self._role = role
        draws = role.rng.sub("balloons")
        top, bottom = role.stage.air or (0.1, 0.4)
        count = max(1, min(role.count or 1, _MOST))
        side = -role.side
        first_x = 0.5 + side * 0.13 * min(1.0, role.width)
        shift = draws.integer(len(_SCHEMES))
        self._balloons = []
        for index in range(count):
            back = 0.0 if index == 0 else draws.uniform(0.35, 0.85)
            x = first_x if index == 0 else (first_x + 0.21 * index + 0.06 * draws.normal()) % 0.88 + 0.06
            height = 0.62 if index == 0 else draws.u()
            size = 1.0 - 0.80 * back
            row = top + (bottom - top) * height + (0.10 if index == 0 else 0.02)
            # The whole balloon stays in the picture, with a little room to rise.
            row = max(row, 0.05 + 1.03 * _HEIGHT * size * role.unit / role.canvas.height)
            drift = draws.sign() * draws.uniform(0.35, 1.0) if index else side * -0.8
            self._balloons.append(
                _Balloon(
                    self._painted(size, 0.02 + 0.30 * back, index + shift),
                    x, row, size, drift, draws.u() * math.tau, 4.0 + 14.0 * back,
                )
            )  # fmt: skip
        self._balloons.sort(key=lambda balloon: balloon.size)
        self._flame = Flame(role.rng.sub("burner"), slender=1.5)

    def _painted(self, size: float, haze: float, scheme_number: int) -> Cel:
        role = self._role
        names = _SCHEMES[scheme_number % len(_SCHEMES)]
        scheme = [linear(colour) * np.float32(0.85) for colour in names]
        if role.plan.subject_colour is not None:
            scheme = [role.colour(scheme[0]), rgb(0.80, 0.76, 0.68), scheme[2]]
        glowing = 0.55 * role.light.night
        return role.cel(
            _BOUNDS, _HEIGHT * role.unit * size, lambda sketch: _paint(sketch, scheme, glowing), haze
        )

    def draw(self, frame: Bytes8, lens: Lens, seconds: float, scratch: Scratch) -> None:
        """See `Actor`."""
        role = self._role
        time = seconds * role.speed
        for balloon in self._balloons:
            rise = 0.012 * math.sin(0.42 * time + balloon.phase) - 0.0045 * time * balloon.size
            x = balloon.x + 0.0060 * balloon.drift * balloon.size * time
            px, py, zoom = lens.place(x, balloon.row + rise, balloon.depth)
            scale = _HEIGHT * role.unit * balloon.size * zoom
            turn = 0.020 * math.sin(0.7 * time + balloon.phase)
            paste(frame, balloon.cel, Place(px, py, fitted(balloon.cel, scale), turn))
            self._burn(frame, px, py, scale, time, balloon.phase)

    def _burn(self, frame: Bytes8, px: float, py: float, scale: float, time: float, phase: float) -> None:
        """The burner fires now and then; in the dark it lights the silk from within."""
        burst = max(0.0, math.sin(1.15 * time + phase)) ** 2
        if burst < 0.05:
            return
        self._flame.draw(frame, px, py - 0.12 * scale, 0.13 * scale, time + phase, gain=0.4 + 0.6 * burst)
        light = 105.0 * self._role.light.night * burst
        glow(frame, px, py - 0.42 * scale, 0.42 * scale, 0.52 * scale, (light, 0.62 * light, 0.24 * light))


def _radius(y: Floats) -> Floats:
    """Half width of the silk at a height, 0 outside."""
    upper = np.sqrt(np.clip(1 - ((y - np.float32(_WIDEST)) / np.float32(0.345)) ** 2, 0, 1))
    share = np.clip((np.float32(_WIDEST) - y) / np.float32(_WIDEST - 0.235), 0, 1)
    lower = 1 - np.float32(0.80) * share ** np.float32(1.75)
    return np.asarray(np.float32(_RADIUS) * np.where(y > _WIDEST, upper, lower), np.float32)


def _silk(scheme: list[Floats]) -> Paint:
    def gores(x: Floats, y: Floats) -> Floats:
        girth = np.clip(x / np.maximum(_radius(y), 1e-3), -0.999, 0.999)
        angle = np.arcsin(girth) * np.float32(_GORES / math.pi)
        number = np.floor(angle + np.float32(0.5))
        odd = (np.mod(number, 2) > 0.5)[..., None]
        colour = np.where(odd, scheme[0], scheme[1])
        zigzag = np.abs(np.mod(angle + np.float32(0.5), 1) - np.float32(0.5)) * np.float32(0.10)
        band = (np.abs(y - np.float32(0.60) - zigzag) < 0.040)[..., None]
        colour = np.where(band, scheme[2], colour)
        seam = np.clip(np.abs(np.mod(angle + np.float32(0.5), 1) - np.float32(0.5)) * 2, 0, 1)
        bulge = np.float32(1.0) - np.float32(0.22) * seam ** np.float32(6)
        return np.asarray(colour * bulge[..., None], np.float32)

    return Paint(albedo=scheme[0], texture=gores, roundness=0.33, translucency=0.30, gloss=0.12)


def _paint(sketch: Sketch, scheme: list[Floats], glowing: float) -> None:
    heights = np.linspace(0.235, 1.004, 44).astype(np.float32)
    half = _radius(heights)
    outline = np.concatenate([np.stack([half, heights], 1), np.stack([-half, heights], 1)[::-1]])
    rope = Paint(albedo=rgb(0.06, 0.05, 0.04), roundness=0.005)
    for side in (-1.0, -0.4, 0.4, 1.0):
        sketch.add(
            polygon((0.070 * side, 0.24), (0.074 * side, 0.24), (0.045 * side, 0.07), (0.041 * side, 0.07)),
            rope,
        )
    sketch.add(outline.astype(np.float64), _silk(scheme))
    if glowing > 0:
        # Light from the burner through the silk, strongest low down.
        warm = rgb(1.0, 0.42, 0.10)
        for share in (1.0, 0.72, 0.45):
            inner = outline * (0.96 * share + 0.02, 1.0) + (0.0, 0.0)
            lower = inner[inner[:, 1] < 0.36 + 0.55 * share].astype(np.float64)
            if len(lower) > 2:
                emission = mix(scheme[1], warm, 0.6) * np.float32(glowing)
                sketch.add(lower, Paint(albedo=scheme[0], emission=emission, roundness=0.3), 0.16)
    sketch.add(disc(0.0, 0.238, 0.075, 0.018), Paint(albedo=rgb(0.05, 0.03, 0.02), roundness=0.02))
    wicker = Paint(albedo=rgb(0.16, 0.085, 0.035), roundness=0.03)
    sketch.add(smooth((-0.050, 0.075), (-0.045, 0.0), (0.045, 0.0), (0.050, 0.075)), wicker)
    sketch.add(
        polygon((-0.058, 0.070), (0.058, 0.070), (0.058, 0.084), (-0.058, 0.084)),
        Paint(albedo=rgb(0.05, 0.03, 0.02)),
    )
    crew = Paint(albedo=rgb(0.03, 0.03, 0.035), roundness=0.02)
    sketch.add([disc(-0.018, 0.112, 0.014), disc(-0.018, 0.088, 0.018, 0.02)], crew)
    sketch.add([disc(0.022, 0.108, 0.014), disc(0.022, 0.086, 0.018, 0.02)], crew)
