"""A rocket: it climbs out of the picture's lower part on a flame, trailing smoke where there is air."""

from __future__ import annotations

import math

import numpy as np

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import rgb
from meshapi_renderer.scene import Scratch
from meshapi_renderer.subjects.curves import disc, polygon, smooth
from meshapi_renderer.subjects.flame import Flame, flicker
from meshapi_renderer.subjects.paste import Place, glow, paste
from meshapi_renderer.subjects.role import Lens, Role, fitted
from meshapi_renderer.subjects.sketch import Bounds, Paint, Sketch
from meshapi_renderer.subjects.smoke import Smoke

_HEIGHT = 0.26
"""Length in units."""
_BOUNDS = Bounds(-0.26, -0.12, 0.26, 1.03)
_PUFFS = 14
_PUFF_SECONDS = 0.42
_DEPTH = 5.0


class Rocket:
    """One rocket on a curved way up."""

    def __init__(self, role: Role) -> None:
        self._role = role
        self._space = role.medium == "space"
        self._scale = _HEIGHT * role.unit * (1.0 if self._space else 0.92)
        body = role.colour(rgb(0.72, 0.70, 0.68))
        self._cel = role.cel(
            _BOUNDS, self._scale, lambda sketch: _paint(sketch, body), 0.0 if self._space else 0.03
        )
        self._flame = Flame(role.rng.sub("flame"), cold=self._space, slender=2.1)
        self._smoke = Smoke(
            role.rng.sub("smoke"), role.light, rgb(0.62, 0.60, 0.58), role.light.haze, role.haze(0.12)
        )
        self._side = -role.side
        draws = role.rng.sub("puffs")
        self._puffs = [
            (draws.integer(4), draws.u() * math.tau, draws.uniform(0.8, 1.2)) for _ in range(_PUFFS)
        ]

    def _where(self, time: float) -> tuple[float, float, float]:
        """Share of the width and height, and turn in radians (0 = upright, positive leans left)."""
        if self._space:
            # A slow arc across; it never leaves the picture.
            angle = 0.16 * time
            x = 0.5 - self._side * (0.22 - 0.30 * math.sin(min(angle, 1.4)))
            row = 0.74 - 0.34 * math.sin(min(0.8 * angle, 1.3))
            return x, row, -self._side * (0.62 + 0.30 * min(angle, 1.2))
        climb = 1.0 - math.exp(-0.17 * (time + 1.6))
        x = 0.5 - self._side * (0.17 - 0.22 * climb * climb)
        row = 0.80 - 0.56 * climb
        return x, row, -self._side * (0.04 + 0.26 * climb)

    def draw(self, frame: Bytes8, lens: Lens, seconds: float, scratch: Scratch) -> None:
        """See `Actor`."""
        role = self._role
        time = seconds * role.speed
        if not self._space:
            self._trail(frame, lens, time)
        x, row, turn = self._where(time)
        px, py, zoom = lens.place(x, row, _DEPTH)
        scale = self._scale * zoom
        shake = 0.004 * scale * math.sin(43.0 * time)
        px += shake
        down = (-math.sin(turn), math.cos(turn))
        beat = flicker(time)
        length = (0.62 if self._space else 0.78) * scale * beat
        foot = (px - down[0] * 0.02 * scale, py - down[1] * 0.02 * scale)
        tint = (70.0, 120.0, 235.0) if self._space else (235.0, 130.0, 48.0)
        light = 0.62 + 0.3 * role.light.night
        colour = (light * beat * tint[0], light * beat * tint[1], light * beat * tint[2])
        tail = (foot[0] + down[0] * 0.16 * scale, foot[1] + down[1] * 0.16 * scale)
        glow(frame, tail[0], tail[1], 0.46 * scale, 0.46 * scale, colour)
        self._flame.draw(frame, foot[0], foot[1], length, 1.7 * time, turn + math.pi)
        self._flame.draw(frame, foot[0], foot[1], 0.55 * length, 2.3 * time + 0.4, turn + math.pi)
        paste(frame, self._cel, Place(px, py, fitted(self._cel, scale), turn))

    def _trail(self, frame: Bytes8, lens: Lens, time: float) -> None:
        """Smoke left along the way: every lump grows and drifts from where the rocket was."""
        newest = math.floor(time / _PUFF_SECONDS)
        for back in range(_PUFFS - 1, -1, -1):
            number = newest - back
            age = time - number * _PUFF_SECONDS
            born = number * _PUFF_SECONDS
            x, row, turn = self._where(max(born, -1.2))
            if born < -1.2:
                row += 0.05 * (-1.2 - born)
            kind, spin, large = self._puffs[number % _PUFFS]
            x += 0.0035 * age * self._side + 0.004 * math.sin(spin) * min(age, 3.0)
            px, py, zoom = lens.place(x, row, _DEPTH)
            scale = self._scale * zoom
            px += math.sin(turn) * -0.50 * scale
            py += math.cos(turn) * 0.50 * scale
            grown = 0.125 + 0.105 * math.sqrt(max(age, 0.0))
            last = _PUFFS * _PUFF_SECONDS
            strength = 0.80 * (1.0 - age / last) ** 1.2 * min(1.0, age / 0.25)
            self._smoke.draw(frame, px, py, grown * large * scale * 1.25, max(0.0, strength), kind, spin)


def _fuselage(body: Floats) -> Paint:
    red, dark = rgb(0.52, 0.045, 0.030), rgb(0.05, 0.05, 0.06)

    def painted(x: Floats, y: Floats) -> Floats:
        level = np.broadcast_to(y, (y.shape[0], x.shape[1]))[..., None]
        colour = np.where(level > 0.80, red, body)
        colour = np.where((level > 0.300) & (level < 0.345), red, colour)
        seams = np.minimum(np.abs(np.mod(level * 9.0, 1.0) - 0.5) * 9.0, 1.0)
        return np.asarray(np.where(level < 0.055, dark, colour * (0.86 + 0.14 * seams)), np.float32)

    return Paint(albedo=body, texture=painted, roundness=0.14, gloss=0.5)


def _paint(sketch: Sketch, body: Floats) -> None:
    fin = Paint(albedo=rgb(0.45, 0.040, 0.028), roundness=0.035, gloss=0.3)
    nozzle = Paint(albedo=rgb(0.045, 0.045, 0.05), roundness=0.05, gloss=0.4)
    sketch.add(polygon((-0.062, 0.04), (0.062, 0.04), (0.088, -0.060), (-0.088, -0.060)), nozzle)
    for side in (-1.0, 1.0):
        outline = [
            (0.105, 0.36),
            (0.150, 0.24),
            (0.235, 0.05),
            (0.240, -0.085),
            (0.165, 0.010),
            (0.105, 0.035),
        ]
        sketch.add(polygon(*[(side * x, y) for x, y in outline]), fin)
    hull = smooth(
        (0.0, 1.0), (0.060, 0.90), (0.112, 0.74), (0.132, 0.56), (0.134, 0.36), (0.118, 0.12), (0.092, 0.015),
        (-0.092, 0.015), (-0.118, 0.12), (-0.134, 0.36), (-0.132, 0.56), (-0.112, 0.74), (-0.060, 0.90),
    )  # fmt: skip
    sketch.add(hull, _fuselage(body))
    sketch.add(disc(0.0, 0.635, 0.062), Paint(albedo=rgb(0.30, 0.29, 0.28), roundness=0.03, gloss=0.6))
    lit = rgb(0.10, 0.075, 0.03) * np.float32(1.0 + 4.0 * sketch.light.night)
    glass = Paint(albedo=rgb(0.02, 0.05, 0.09), roundness=0.05, gloss=1.0, emission=lit)
    sketch.add(disc(0.0, 0.635, 0.045), glass)
    sketch.add(polygon((-0.010, 0.33), (0.010, 0.33), (0.014, -0.09), (-0.014, -0.09)), fin)
