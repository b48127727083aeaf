"""Birds: one that glides and beats, or a flock that crosses the sky in a loose wedge."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.colour import mix, rgb, swatch8
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Scratch
from meshapi_renderer.subjects.role import Lens, Role, crossing

_BITS = 5
_FLOCK = 13
_MOST = 40
_FLOCK_SPAN = 0.070
_LONE_SPAN = 0.20
_DEPTH = 7.0
Colour8 = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Bird:
    behind: float
    """Place in the flock, in units: behind its leader, and above."""
    above: float
    size: float
    phase: float
    beat: float


class Birds:
    """A flock, or a lone bird when one is asked for."""

    def __init__(self, role: Role) -> None:
        self._role = role
        draws = role.rng.sub("birds")
        self._heading = draws.sign()
        self._lone = role.count == 1
        count = min(role.count or _FLOCK, _MOST)
        self._span = (_LONE_SPAN if self._lone else _FLOCK_SPAN) * role.unit
        self._birds = [_place(index, draws.sub(str(index))) for index in range(count)]
        air = role.stage.air or (0.15, 0.4)
        self._row = air[0] + (air[1] - air[0]) * (0.55 if self._lone else draws.uniform(0.40, 0.70))
        light = role.light
        veil = role.haze(0.05 if self._lone else 0.14)
        feathers = role.colour(rgb(0.085, 0.075, 0.070))
        day = light.sky * np.float32(1.0 - 0.6 * light.behind)
        dark = mix(feathers * (light.ground * np.float32(0.8) + day * np.float32(0.25)), light.haze, veil)
        lit = mix(
            feathers * (day + light.key * np.float32(0.7)) + light.rim * np.float32(0.03), light.haze, veil
        )
        self._dark, self._lit = swatch8(dark), swatch8(lit)

    def draw(self, frame: Bytes8, lens: Lens, seconds: float, scratch: Scratch) -> None:
        """See `Actor`."""
        role = self._role
        time = seconds * role.speed
        pace = 0.055 if self._lone else 0.065
        start = 0.5 - self._heading * (0.16 if self._lone else 0.10)
        for bird in self._birds:
            behind = bird.behind / role.width
            x = crossing(start - self._heading * behind, self._heading * pace, time, 0.25)
            sway = 0.010 * math.sin(0.8 * time + bird.phase) + 0.006 * math.sin(2.1 * time + 2 * bird.phase)
            row = self._row + (bird.above + sway) * role.unit / role.canvas.height
            if self._lone:
                row += 0.03 * math.sin(0.55 * time + 1.0)
            px, py, zoom = lens.place(x, row, _DEPTH)
            self._bird(frame, px, py, self._span * bird.size * zoom, bird, time)

    def _bird(self, frame: Bytes8, x: float, y: float, span: float, bird: _Bird, time: float) -> None:
        stroke = _stroke(bird, time, self._lone)
        y -= 0.05 * span * stroke
        half, heading = 0.5 * span, self._heading
        # Far wing, body, near wing; seen a little from behind and below.
        self._wing(frame, x, y, half * 0.92, stroke, -1.0, self._dark)
        body = [(0.30, 0.0), (0.20, 0.045), (0.02, 0.055), (-0.20, 0.025), (-0.36, 0.045), (-0.35, -0.02),
                (-0.16, -0.035), (0.08, -0.050), (0.22, -0.030)]  # fmt: skip
        _fill(frame, [(x + heading * span * 0.62 * a, y - span * 0.62 * b) for a, b in body], self._dark)
        self._wing(frame, x, y, half, stroke, 1.0, self._lit if stroke < 0.25 else self._dark)

    def _wing(
        self, frame: Bytes8, x: float, y: float, half: float, stroke: float, side: float, colour: Colour8
    ) -> None:
        """An arm and a hand; the hand lags behind the arm's beat."""
        heading = self._heading
        rise = 0.62 * stroke
        inner = (0.46 * math.cos(rise), 0.46 * math.sin(rise))
        tip_rise = 1.15 * stroke - 0.10
        outer = (inner[0] + 0.58 * math.cos(tip_rise), inner[1] + 0.58 * math.sin(tip_rise))
        # The wings reach across the view; perspective folds the far one up, the near one down a little.
        lean = 0.34 * side

        def at(reach: tuple[float, float], along: float) -> tuple[float, float]:
            return (
                x + half * (side * 0.80 * reach[0] + heading * along),
                y + half * (lean * reach[0] - reach[1]),
            )

        root, wrist, tip = (0.0, 0.0), inner, outer
        _fill(
            frame,
            [
                at(root, 0.17),
                at(wrist, 0.16),
                at(tip, -0.16),
                at(tip, -0.24),
                at(wrist, -0.13),
                at(root, -0.20),
            ],
            colour,
        )


def _place(index: int, draws: Rng) -> _Bird:
    """Place of a bird in a loose wedge."""
    rank, side = (index + 1) // 2, 1.0 if index % 2 else -1.0
    return _Bird(
        behind=0.072 * rank + 0.018 * draws.normal(),
        above=side * 0.030 * rank + 0.014 * draws.normal(),
        size=1.0 if index == 0 else draws.uniform(0.78, 1.06),
        phase=draws.u() * math.tau,
        beat=draws.uniform(0.92, 1.10),
    )


def _stroke(bird: _Bird, time: float, lone: bool) -> float:
    """Height of the wings, -1 down to 1 up: the down stroke is quicker; a lone bird glides in between."""
    turn = (9.5 if not lone else 6.0) * bird.beat * time + bird.phase
    beat = math.sin(turn + 0.35 * math.sin(turn))
    if not lone:
        return 0.12 + 0.75 * beat
    glide = 0.5 + 0.5 * math.sin(0.9 * time + bird.phase)
    flapping = min(1.0, max(0.0, 2.6 * glide - 0.8))
    return 0.22 + 0.70 * beat * flapping


def _fill(frame: Bytes8, points: list[tuple[float, float]], colour: Colour8) -> None:
    fixed = np.round(np.array(points) * (1 << _BITS)).astype(np.int32)
    cv2.fillPoly(frame, [fixed], colour, cv2.LINE_AA, _BITS)
