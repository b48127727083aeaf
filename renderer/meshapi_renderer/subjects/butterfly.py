"""Butterflies on their wavering way: wings that open and close, lit through when the light is behind them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import mix, rgb
from meshapi_renderer.scene import Scratch
from meshapi_renderer.subjects.curves import Outline, disc, limb, smooth
from meshapi_renderer.subjects.paste import Place, paste
from meshapi_renderer.subjects.role import Lens, Role, fitted
from meshapi_renderer.subjects.sketch import Bounds, Cel, Paint, Sketch, Texture

_SPAN = 0.115
"""Wing span of the nearest butterfly in units."""
_BOUNDS = Bounds(-0.55, -0.42, 0.55, 0.42)
_PHASES = 16
_MOST = 9
_WINGS = (
    rgb(0.62, 0.20, 0.018),
    rgb(0.06, 0.22, 0.66),
    rgb(0.72, 0.52, 0.06),
    rgb(0.64, 0.60, 0.54),
)


@dataclass(frozen=True, slots=True)
class _Butterfly:
    cels: tuple[Cel, ...]
    x: float
    row: float
    size: float
    phase: float
    beat: float
    depth: float


class Butterflies:
    """One or more butterflies."""

    def __init__(self, role: Role) -> None:
        self._role = role
        draws = role.rng.sub("butterflies")
        count = max(1, min(role.count or 3, _MOST))
        first = draws.integer(len(_WINGS))
        self._butterflies = []
        for index in range(count):
            size = 1.35 if index == 0 else draws.uniform(0.45, 0.95)
            wing = role.colour(_WINGS[(first + (index > 0) * draws.integer(len(_WINGS))) % len(_WINGS)])
            x = 0.5 if index == 0 else 0.16 + 0.68 * draws.u()
            row = 0.58 if index == 0 else 0.40 + 0.36 * draws.u()
            self._butterflies.append(
                _Butterfly(
                    self._painted(size, wing), x, row, size,
                    draws.u() * math.tau, draws.uniform(0.85, 1.15), 1.2 + 1.2 / size,
                )
            )  # fmt: skip
        self._butterflies.sort(key=lambda butterfly: butterfly.size)

    def _painted(self, size: float, wing: Floats) -> tuple[Cel, ...]:
        def painted(sketch: Sketch, phase: float) -> None:
            _paint(sketch, phase, wing)

        return tuple(self._role.cels(_PHASES, _BOUNDS, _SPAN * self._role.unit * size, painted, 0.02))

    def draw(self, frame: Bytes8, lens: Lens, seconds: float, scratch: Scratch) -> None:
        """See `Actor`."""
        role = self._role
        time = seconds * role.speed
        for butterfly in self._butterflies:
            x, row = self._where(butterfly, time)
            ahead, above = self._where(butterfly, time + 0.05)
            px, py, zoom = lens.place(x, row, butterfly.depth)
            scale = _SPAN * role.unit * butterfly.size * zoom
            # Short glides between bursts of beats.
            turn = 3.1 * butterfly.beat * time + 0.9 * math.sin(1.3 * time + butterfly.phase)
            phase = int((turn + butterfly.phase) * _PHASES) % _PHASES
            lift = 0.10 * math.cos(math.tau * phase / _PHASES)
            way = math.atan2((row - above) * role.canvas.height, (ahead - x) * role.canvas.width + 1e-6)
            lean = 0.45 * math.cos(way) + 0.25 * math.sin(0.7 * time + butterfly.phase)
            cel = butterfly.cels[phase]
            paste(frame, cel, Place(px, py - lift * scale, fitted(cel, scale), -lean))

    def _where(self, butterfly: _Butterfly, time: float) -> tuple[float, float]:
        phase, role = butterfly.phase, self._role
        across = 0.15 * math.sin(0.46 * time + phase) + 0.045 * math.sin(1.33 * time + 2 * phase)
        up = 0.080 * math.sin(0.61 * time + 1.7 * phase) + 0.035 * math.sin(1.9 * time + phase)
        return (
            butterfly.x + across * min(1.0, 1.2 / role.width) - 0.15 * math.sin(phase) * 0.6,
            butterfly.row + up * role.unit / role.canvas.height,
        )


def _wing(side: float, open_share: float, points: list[tuple[float, float]]) -> Outline:
    """A wing seen as open as it is: it foreshortens across and lifts a little as it closes."""
    lift = 0.30 * (1.0 - open_share)
    return smooth(*[(side * x * open_share, y + lift * x) for x, y in points], steps=6)


def _paint(sketch: Sketch, phase: float, colour: Floats) -> None:
    share = 0.18 + 0.82 * (0.5 + 0.5 * math.cos(math.tau * phase))
    hind = [
        (0.02, 0.02),
        (0.22, 0.05),
        (0.36, -0.05),
        (0.37, -0.20),
        (0.26, -0.345),
        (0.13, -0.30),
        (0.04, -0.14),
    ]
    fore = [
        (0.02, 0.05),
        (0.12, 0.22),
        (0.30, 0.365),
        (0.475, 0.375),
        (0.50, 0.28),
        (0.43, 0.11),
        (0.28, 0.01),
        (0.05, -0.02),
    ]
    for side in (-1.0, 1.0):
        for points, pattern in (
            (hind, _pattern(colour, side, share, 0.30)),
            (fore, _pattern(colour, side, share, 0.42)),
        ):
            wing = _wing(side, share, points)
            sketch.add(wing, Paint(albedo=colour, texture=pattern, roundness=0.05, translucency=0.55))
    body = Paint(albedo=rgb(0.022, 0.018, 0.015), roundness=0.02)
    sketch.add(limb(((0.0, 0.12), (0.0, 0.0), (0.0, -0.19)), (0.022, 0.026, 0.010)), body)
    sketch.add(disc(0.0, 0.145, 0.024), body)
    for side in (-1.0, 1.0):
        sketch.add(
            limb(((0.006 * side, 0.155), (0.05 * side, 0.25), (0.085 * side, 0.29)), (0.005, 0.004, 0.009)),
            body,
        )


def _pattern(colour: Floats, side: float, share: float, reach: float) -> Texture:
    """Veins, a dark border with pale spots."""
    dark, pale = rgb(0.018, 0.014, 0.012), rgb(0.75, 0.72, 0.66)

    def pattern(x: Floats, y: Floats) -> Floats:
        flat = x * np.float32(side / share)
        lifted = y - np.float32(0.30 * (1.0 - share)) * flat
        radius, angle = np.hypot(flat, lifted), np.arctan2(lifted, flat + np.float32(1e-4))
        edge = np.clip((radius - np.float32(reach - 0.06)) * np.float32(26), 0, 1)
        veins = np.clip(1 - np.abs(np.sin(angle * np.float32(7.0))) * np.float32(11), 0, 1) * np.float32(0.7)
        wash = mix(mix(colour, rgb(0.85, 0.62, 0.25), 0.25), colour, np.clip(radius * 3, 0, 1)[..., None])
        tone = mix(wash, dark, np.maximum(edge, veins)[..., None])
        spot = np.clip(np.sin(angle * np.float32(19.0)) * 3 - np.float32(1.6), 0, 1)
        ring = np.clip(1 - np.abs(radius - np.float32(reach + 0.035)) * np.float32(45), 0, 1)
        return np.asarray(mix(tone, pale, (spot * ring)[..., None]), np.float32)

    return pattern
