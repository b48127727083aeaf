"""A person walking, nearly a silhouette: a long coat, a scarf in the wind, an umbrella in the rain."""

from __future__ import annotations

import math
from dataclasses import dataclass

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import rgb
from meshapi_renderer.scene import Scratch
from meshapi_renderer.subjects.curves import Outline, bend, disc, limb, polygon, smooth
from meshapi_renderer.subjects.ground import Standing
from meshapi_renderer.subjects.paste import Place
from meshapi_renderer.subjects.role import Lens, Role, crossing, fitted
from meshapi_renderer.subjects.sketch import Bounds, Paint, Sketch
from meshapi_renderer.subjects.walk import foot, way_per_cycle

_PHASES = 24
_SECONDS_PER_CYCLE = 1.12
_REACH = 0.145
_HIP = 0.512
_LEG = 0.240
_HEIGHT = 0.30
"""Height in units."""
_BOUNDS = Bounds(-0.42, -0.04, 0.42, 1.28)


@dataclass(frozen=True, slots=True)
class _Clothes:
    coat: Floats
    trousers: Floats
    scarf: Floats
    skin: Floats
    hair: Floats
    umbrella: Floats | None


class Walkers:
    """One or more people crossing the picture."""

    def __init__(self, role: Role) -> None:
        self._role = role
        self._scale = _HEIGHT * role.unit * role.level.size
        clothes = _dressed(role)

        def painted(sketch: Sketch, phase: float) -> None:
            _paint(sketch, phase, clothes)

        cels = role.cels(_PHASES, _BOUNDS, self._scale, painted, 0.01)
        self._standing = Standing(role, cels)
        self._size = fitted(cels[0], self._scale)
        self._pace = way_per_cycle(_REACH) * _HEIGHT * role.level.size / role.width / _SECONDS_PER_CYCLE
        draws = role.rng.sub("people")
        self._heading = role.side
        count = max(1, min(role.count or 1, 5))
        self._people = [
            (index * -0.085 * self._heading * role.level.size + (0.02 * draws.normal() if index else 0.0),
             0.022 * (index % 2), draws.u())
            for index in range(count)
        ]  # fmt: skip

    def draw(self, frame: Bytes8, lens: Lens, seconds: float, scratch: Scratch) -> None:
        """See `Actor`."""
        time = seconds * self._role.speed
        start = 0.5 - 0.20 * self._heading
        for behind, back, offset in sorted(self._people, key=lambda person: -person[1]):
            x = crossing(start + behind, self._heading * self._pace, time, 0.12)
            row = self._role.level.row - back * self._role.level.size
            depth = lens.depth_of(row)
            px, py, zoom = lens.place(x, row, depth)
            size = self._size * zoom * (1.0 - 1.6 * back)
            phase = int((time / _SECONDS_PER_CYCLE + offset) * _PHASES) % _PHASES
            place = Place(px, py, size, mirrored=self._heading < 0)
            self._standing.draw(frame, phase, place, seconds, scratch)


def _dressed(role: Role) -> _Clothes:
    draws = role.rng.sub("clothes")
    coats = (rgb(0.030, 0.036, 0.055), rgb(0.060, 0.040, 0.028), rgb(0.045, 0.050, 0.040))
    wet = role.plan.weather in ("rain", "storm")
    accent = rgb(0.50, 0.055, 0.040)
    return _Clothes(
        coat=draws.pick(coats) if role.plan.subject_colour is None else role.colour(coats[0]),
        trousers=rgb(0.020, 0.022, 0.030),
        scarf=accent,
        skin=rgb(0.34, 0.20, 0.14),
        hair=rgb(0.025, 0.017, 0.012),
        umbrella=accent if wet else None,
    )


def _leg(phase: float, hip: tuple[float, float]) -> tuple[list[Outline], Outline]:
    """A trouser leg and its shoe."""
    across, up = foot(phase, _REACH, 0.075)
    ankle = (across, 0.045 + up)
    knee = bend(hip, ankle, _LEG, _LEG - 0.012, 1.0)
    toe = -0.5 * math.sin(math.pi * max(0.0, (phase % 1.0 - 0.5) / 0.5)) if phase % 1.0 > 0.5 else 0.0
    tip = (ankle[0] + 0.085 * math.cos(toe), ankle[1] - 0.022 + 0.085 * math.sin(toe))
    shoe = smooth(
        (ankle[0] - 0.035, ankle[1] - 0.042), (ankle[0] - 0.03, ankle[1] + 0.01),
        (ankle[0] + 0.03, ankle[1] + 0.01), (tip[0], tip[1] + 0.004), (tip[0], tip[1] - 0.022),
    )  # fmt: skip
    return limb((hip, knee, ankle), (0.062, 0.045, 0.030)), shoe


def _arm(shoulder: tuple[float, float], swing: float) -> list[Outline]:
    elbow = (shoulder[0] + 0.16 * math.sin(swing), shoulder[1] - 0.16 * math.cos(swing))
    bent = swing + 0.35 + 0.25 * max(0.0, swing)
    hand = (elbow[0] + 0.15 * math.sin(bent), elbow[1] - 0.15 * math.cos(bent))
    return limb((shoulder, elbow, hand), (0.042, 0.036, 0.027))


def _paint(sketch: Sketch, phase: float, clothes: _Clothes) -> None:
    bob = 0.010 * math.cos(4 * math.pi * phase)
    hip = (0.0, _HIP + bob)
    shoulder = (0.012, 0.795 + bob)
    swing = 0.42 * math.cos(math.tau * phase)
    trousers = Paint(albedo=clothes.trousers, roundness=0.05)
    coat = Paint(albedo=clothes.coat, roundness=0.09)
    leather = Paint(albedo=clothes.hair, roundness=0.03, gloss=0.2)
    far_leg, far_shoe = _leg(phase + 0.5, hip)
    near_leg, near_shoe = _leg(phase, hip)
    sketch.add(_arm(shoulder, swing), coat)
    sketch.add(far_shoe, leather)
    sketch.add(far_leg, trousers)
    sketch.add(near_shoe, leather)
    sketch.add(near_leg, trousers)
    flare = 0.020 * math.sin(math.tau * (2 * phase + 0.2))
    sketch.add(
        smooth(
            (-0.055, 0.85 + bob), (0.05, 0.85 + bob), (0.088, 0.77 + bob), (0.082, 0.62 + bob),
            (0.100, 0.46 + bob), (0.135 + 0.3 * flare, 0.335 + bob), (-0.125 + flare, 0.325 + bob),
            (-0.085, 0.48 + bob), (-0.066, 0.62 + bob), (-0.085, 0.76 + bob),
        ),
        coat,
    )  # fmt: skip
    head = (0.028, 0.925 + bob)
    sketch.add(disc(head[0], head[1], 0.052, 0.066, -0.15), Paint(albedo=clothes.skin, roundness=0.06))
    sketch.add(
        smooth(
            (-0.038, 0.895 + bob), (-0.034, 0.965 + bob), (0.02, 1.002 + bob), (0.075, 0.972 + bob),
            (0.050, 0.952 + bob), (0.005, 0.945 + bob), (-0.008, 0.89 + bob),
        ),
        Paint(albedo=clothes.hair, roundness=0.05),
    )  # fmt: skip
    wave = 0.030 * math.sin(math.tau * 2 * phase)
    scarf = Paint(albedo=clothes.scarf, roundness=0.04, translucency=0.1)
    sketch.add(
        smooth(
            (-0.03, 0.845 + bob), (-0.12, 0.835 + bob + wave), (-0.21, 0.80 + bob - wave),
            (-0.215, 0.765 + bob - wave), (-0.12, 0.795 + bob + wave), (-0.02, 0.81 + bob),
        ),
        scarf,
    )  # fmt: skip
    sketch.add(disc(0.006, 0.842 + bob, 0.064, 0.034, 0.05), scarf)
    sketch.add(_arm(shoulder, -swing if clothes.umbrella is None else 0.9), coat)
    if clothes.umbrella is not None:
        _umbrella(sketch, clothes.umbrella, bob)


def _umbrella(sketch: Sketch, colour: Floats, bob: float) -> None:
    stick = polygon((0.168, 0.68 + bob), (0.178, 0.68 + bob), (0.112, 1.16 + bob), (0.104, 1.16 + bob))
    sketch.add(stick, Paint(albedo=rgb(0.03, 0.03, 0.03), roundness=0.01))
    rim = [(0.36 - 0.105 * k, 1.02 + 0.030 * k + bob - (0.022 if k % 2 else 0.0)) for k in range(6)]
    top = [(-0.17 + 0.03, 1.185 + bob), (0.02, 1.245 + bob), (0.16, 1.235 + bob), (0.29, 1.15 + bob)]
    sketch.add(polygon(*rim, *top), Paint(albedo=colour, roundness=0.16, translucency=0.25))
