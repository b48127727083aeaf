"""A campfire: logs in a ring of stones, flames, sparks, smoke, and its warm light on the ground."""

from __future__ import annotations

import math
from dataclasses import dataclass

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.colour import rgb
from meshapi_renderer.scene import Scratch
from meshapi_renderer.subjects.curves import disc, limb, smooth
from meshapi_renderer.subjects.flame import Flame, flicker
from meshapi_renderer.subjects.ground import Standing
from meshapi_renderer.subjects.paste import Place, glow
from meshapi_renderer.subjects.role import Lens, Role, fitted
from meshapi_renderer.subjects.sketch import Bounds, Paint, Sketch
from meshapi_renderer.subjects.smoke import Smoke

_SIZE = 0.26
"""One figure unit: the height of the flames, in units."""
_BOUNDS = Bounds(-0.62, -0.10, 0.62, 0.34)
_SPARKS = 16
_PUFFS = 4


@dataclass(frozen=True, slots=True)
class _Spark:
    start: float
    life: float
    x: float
    sway: float
    rise: float


class Campfire:
    """One fire."""

    def __init__(self, role: Role) -> None:
        self._role = role
        self._scale = _SIZE * role.unit * role.level.size
        seed = role.rng.sub("wood")
        tones = [seed.uniform(0.75, 1.25) for _ in range(11)]
        cel = role.cel(_BOUNDS, self._scale, lambda sketch: _paint(sketch, tones), 0.01)
        self._standing = Standing(role, [cel], footprint=0.42)
        self._size = fitted(cel, self._scale)
        self._flames = [
            Flame(role.rng.sub(f"flame {index}"), slender=slender)
            for index, slender in enumerate((0.95, 1.25))
        ]
        self._smoke = Smoke(
            role.rng.sub("smoke"), role.light, rgb(0.30, 0.29, 0.28), role.light.haze, role.haze(0.05)
        )
        draws = role.rng.sub("sparks")
        self._sparks = [
            _Spark(
                draws.u() * 3.0,
                draws.uniform(0.9, 2.2),
                draws.normal() * 0.09,
                draws.u() * math.tau,
                draws.uniform(0.6, 1.3),
            )
            for _ in range(_SPARKS)
        ]
        self._x = role.stage.middle - 0.10 * role.side

    def draw(self, frame: Bytes8, lens: Lens, seconds: float, scratch: Scratch) -> None:
        """See `Actor`."""
        role = self._role
        time = seconds * role.speed
        row = role.level.row
        px, py, zoom = lens.place(self._x, row, lens.depth_of(row))
        scale = self._scale * zoom
        beat = flicker(time)
        dark = 0.30 + 0.70 * role.light.night
        reach = (2.1 + 1.2 * role.light.night) * scale
        glow(frame, px, py + 0.02 * scale, reach, 0.32 * reach, _warm(86.0 * dark * beat))
        self._standing.draw(frame, 0, Place(px, py, self._size * zoom), seconds, scratch)
        for puff in range(_PUFFS):
            age = (0.42 * time + puff / _PUFFS) % 1.0
            self._smoke.draw(
                frame,
                px + (0.16 * math.sin(2.0 * age + puff) + 0.30 * age * age) * scale,
                py - (0.75 + 1.5 * age) * scale,
                (0.13 + 0.26 * age) * scale,
                0.34 * math.sin(math.pi * age) ** 0.8,
                puff,
                puff + 0.6 * age,
            )
        # The flames stand in for what they hide: first their dark foot is lit, then tongue over tongue.
        flames = ((0, -0.15, 0.66), (1, 0.15, 0.70), (0, 0.01, 1.02))
        for number, (kind, aside, tall) in enumerate(flames):
            self._flames[kind].draw(
                frame, px + aside * scale, py - 0.055 * scale, tall * scale * (0.94 + 0.06 * beat),
                (1.0 + 0.07 * number) * time + 0.31 * number, 0.05 * math.sin(2.3 * time + number), 0.80,
            )  # fmt: skip
        glow(frame, px, py - 0.30 * scale, 1.15 * scale, 1.05 * scale, _warm(62.0 * dark * beat))
        self._fly(frame, px, py, scale, time)

    def _fly(self, frame: Bytes8, px: float, py: float, scale: float, time: float) -> None:
        for spark in self._sparks:
            age = ((time + spark.start) % (spark.life + 0.8)) / spark.life
            if age >= 1.0:
                continue
            x = px + (spark.x * (1 + age) + 0.14 * age * math.sin(3.0 * age + spark.sway)) * scale
            y = py - (0.25 + 1.75 * spark.rise * age) * scale
            left = (1.0 - age) ** 1.3
            radius = max(1.6, 0.026 * scale * (0.5 + left))
            glow(frame, x, y, radius, radius, (255.0 * left, (130 + 90 * left) * left, 60.0 * left * left))


def _warm(level: float) -> tuple[float, float, float]:
    return level, 0.50 * level, 0.16 * level


def _paint(sketch: Sketch, tones: list[float]) -> None:
    fire = rgb(0.55, 0.17, 0.035)
    for number in range(11):
        # The far stones first, then the logs, then the near stones.
        angle = math.pi * (number + 0.5) / 6
        if number >= 6:
            continue
        _stone(sketch, angle, tones[number], lit=True)
    logs = (
        ((-0.36, 0.00), (0.10, 0.17), 0.060),
        ((0.36, -0.01), (-0.10, 0.18), 0.058),
        ((-0.20, -0.035), (0.06, 0.22), 0.052),
        ((0.22, -0.040), (-0.04, 0.20), 0.050),
    )
    for start, end, thick in logs:
        glowing = fire * sketch.light.exposure
        sketch.add(
            limb((start, end), (thick, 0.8 * thick)),
            Paint(albedo=rgb(0.060, 0.035, 0.020), roundness=0.05, emission=glowing * 0.10),
        )
        sketch.add(
            disc(start[0], start[1], 0.9 * thick, 0.9 * thick),
            Paint(albedo=rgb(0.20, 0.125, 0.065), roundness=0.02, emission=glowing * 0.06),
        )
    embers = smooth((-0.22, -0.02), (-0.10, 0.06), (0.10, 0.06), (0.22, -0.02), (0.0, -0.05))
    sketch.add(embers, Paint(albedo=rgb(0.10, 0.03, 0.01), roundness=0.03, emission=fire * 1.6), 0.85)
    for number in range(6, 11):
        _stone(sketch, math.pi + math.pi * (number - 6 + 0.5) / 5, tones[number], lit=False)


def _stone(sketch: Sketch, angle: float, tone: float, *, lit: bool) -> None:
    x, y = 0.47 * math.cos(angle), 0.075 * math.sin(angle)
    glowing = rgb(0.22, 0.075, 0.018) * (1.0 if lit else 0.12)
    paint = Paint(albedo=rgb(0.12, 0.115, 0.11) * tone, roundness=0.06, emission=glowing)
    sketch.add(
        disc(
            x, y + 0.015, 0.085 * (0.85 + 0.2 * tone), 0.060 * (0.8 + 0.25 * tone), 0.2 * math.sin(7 * tone)
        ),
        paint,
    )
