"""Dogs on the trot: diagonal legs together, ears that flap, a tail that wags."""

from __future__ import annotations

import math

import numpy as np

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import mix, rgb
from meshapi_renderer.scene import Scratch
from meshapi_renderer.subjects.curves import Outline, bend, disc, limb, moved, smooth
from meshapi_renderer.subjects.ground import Standing
from meshapi_renderer.subjects.paste import Place
from meshapi_renderer.subjects.role import Lens, Role, crossing, fitted
from meshapi_renderer.subjects.sketch import Bounds, Paint, Sketch, Texture
from meshapi_renderer.subjects.walk import foot, way_per_cycle

_PHASES = 20
_SECONDS_PER_CYCLE = 0.72
_REACH = 0.125
_SIZE = 0.185
"""Height to the top of the head in units."""
_BOUNDS = Bounds(-0.84, -0.03, 0.92, 1.04)
_GOLD = rgb(0.46, 0.245, 0.085)
_MOST = 4


class Dogs:
    """One or more dogs crossing the picture."""

    def __init__(self, role: Role) -> None:
        self._role = role
        self._scale = _SIZE * role.unit * role.level.size
        coat = role.colour(_GOLD)

        def painted(sketch: Sketch, phase: float) -> None:
            _paint(sketch, phase, coat)

        cels = role.cels(_PHASES, _BOUNDS, self._scale, painted, 0.01)
        self._standing = Standing(role, cels, footprint=0.34)
        self._size = fitted(cels[0], self._scale)
        self._pace = way_per_cycle(_REACH) * self._scale / role.canvas.width / _SECONDS_PER_CYCLE
        self._heading = role.side
        draws = role.rng.sub("dogs")
        count = max(1, min(role.count or 1, _MOST))
        self._dogs = [
            (index * 0.19 * role.level.size, 0.030 * (index % 2), draws.u()) for index in range(count)
        ]

    def draw(self, frame: Bytes8, lens: Lens, seconds: float, scratch: Scratch) -> None:
        """See `Actor`."""
        time = seconds * self._role.speed
        for behind, back, offset in sorted(self._dogs, key=lambda dog: -dog[1]):
            start = 0.5 - self._heading * (0.18 + behind)
            x = crossing(start, self._heading * self._pace, time, 0.15)
            row = self._role.level.row - back * self._role.level.size
            px, py, zoom = lens.place(x, row, lens.depth_of(row))
            phase = int((time / _SECONDS_PER_CYCLE + offset) * _PHASES) % _PHASES
            place = Place(px, py, self._size * zoom * (1 - 1.5 * back), mirrored=self._heading < 0)
            self._standing.draw(frame, phase, place, seconds, scratch)


def _foreleg(phase: float, shoulder: tuple[float, float]) -> list[Outline]:
    across, up = foot(phase, _REACH, 0.10)
    paw = (shoulder[0] + across + 0.01, 0.035 + up)
    elbow = bend(shoulder, paw, 0.235, 0.245, -1.0)
    shapes = limb((shoulder, elbow, (paw[0], paw[1] + 0.03)), (0.085, 0.052, 0.034))
    return [*shapes, disc(paw[0] + 0.022, paw[1] - 0.004, 0.052, 0.032)]


def _hindleg(phase: float, hip: tuple[float, float]) -> list[Outline]:
    across, up = foot(phase, _REACH, 0.09)
    paw = (hip[0] + across - 0.02, 0.035 + up)
    hock = (paw[0] - 0.075 + 0.25 * up, paw[1] + 0.165)
    knee = bend(hip, hock, 0.20, 0.185, 1.0)
    shapes = limb((hip, knee, hock, (paw[0] - 0.01, paw[1] + 0.02)), (0.125, 0.085, 0.042, 0.033))
    return [*shapes, disc(paw[0] + 0.022, paw[1] - 0.004, 0.052, 0.031)]


def _paint(sketch: Sketch, phase: float, coat: Floats) -> None:
    bob = 0.014 * math.cos(4 * math.pi * phase + 0.6)
    light_coat = mix(coat, rgb(0.80, 0.70, 0.55), 0.45)
    fur = Paint(albedo=coat, roundness=0.15, texture=_fur(coat))
    far = Paint(albedo=coat * np.float32(0.55), roundness=0.06)
    near = Paint(albedo=coat * np.float32(0.92), roundness=0.07)
    pale = Paint(albedo=light_coat, roundness=0.07)
    shoulder, hip = (0.26, 0.44 + bob), (-0.31, 0.45 + bob)
    sketch.add(_foreleg(phase + 0.5, (shoulder[0] + 0.03, shoulder[1])), far)
    sketch.add(_hindleg(phase, (hip[0] + 0.03, hip[1])), far)
    wag = 0.20 * math.sin(math.tau * (2 * phase + 0.1))
    tail = [
        (-0.40, 0.60 + bob),
        (-0.53, 0.68 + bob),
        (-0.64, 0.80 + 0.10 * wag + bob),
        (-0.70, 0.93 + 0.25 * wag + bob),
    ]
    sketch.add(limb(tail, (0.045, 0.060, 0.055, 0.020)), pale)
    sketch.add(
        smooth(
            (-0.45, 0.52 + bob), (-0.41, 0.64 + bob), (-0.28, 0.685 + bob), (-0.02, 0.655 + bob),
            (0.20, 0.685 + bob), (0.36, 0.72 + bob), (0.425, 0.60 + bob), (0.37, 0.44 + bob),
            (0.22, 0.365 + bob), (-0.02, 0.40 + bob), (-0.25, 0.42 + bob), (-0.40, 0.42 + bob),
        ),
        fur,
    )  # fmt: skip
    chest = smooth(
        (0.28, 0.62 + bob), (0.43, 0.60 + bob), (0.40, 0.42 + bob), (0.28, 0.36 + bob), (0.22, 0.46 + bob)
    )
    sketch.add(chest, pale, 0.55)
    sketch.add(_foreleg(phase, shoulder), near)
    sketch.add(_hindleg(phase + 0.5, hip), near)
    nod = 0.05 * math.sin(4 * math.pi * phase)
    _head(sketch, coat, light_coat, bob, nod, phase)


def _head(sketch: Sketch, coat: Floats, light_coat: Floats, bob: float, nod: float, phase: float) -> None:
    pivot = (0.36, 0.66 + bob)

    def at(outline: Outline) -> Outline:
        return moved(outline - pivot_of(), pivot[0], pivot[1], nod)

    def pivot_of() -> tuple[float, float]:
        return 0.36, 0.66

    fur = Paint(albedo=coat, roundness=0.10, texture=_fur(coat))
    black = Paint(albedo=rgb(0.014, 0.012, 0.011), roundness=0.02, gloss=0.9)
    sketch.add(
        at(smooth((0.24, 0.66), (0.34, 0.80), (0.44, 0.88), (0.54, 0.80), (0.46, 0.62), (0.36, 0.52))), fur
    )
    sketch.add(
        at(smooth((0.385, 0.83), (0.44, 0.955), (0.55, 0.985), (0.645, 0.935), (0.69, 0.875), (0.80, 0.850),
                  (0.835, 0.800), (0.80, 0.755), (0.66, 0.735), (0.54, 0.730), (0.43, 0.75))),
        fur,
    )  # fmt: skip
    muzzle = smooth((0.62, 0.775), (0.70, 0.830), (0.80, 0.815), (0.815, 0.775), (0.77, 0.748), (0.66, 0.742))
    sketch.add(at(muzzle), Paint(albedo=light_coat, roundness=0.05), 0.7)
    sketch.add(at(smooth((0.66, 0.742), (0.715, 0.735), (0.745, 0.695), (0.700, 0.690), (0.662, 0.715))),
               Paint(albedo=rgb(0.50, 0.10, 0.10), roundness=0.03, gloss=0.3))  # fmt: skip
    sketch.add(at(disc(0.815, 0.825, 0.030, 0.026)), black)
    sketch.add(at(disc(0.632, 0.880, 0.021, 0.023)), black)
    flap = 0.22 * math.sin(4 * math.pi * phase + 1.0)
    ear = smooth((0.0, 0.02), (0.06, 0.01), (0.075, -0.11), (0.035, -0.20), (-0.03, -0.19), (-0.05, -0.08))
    sketch.add(
        at(moved(ear, 0.465, 0.925, -0.25 - flap)), Paint(albedo=coat * np.float32(0.62), roundness=0.06)
    )
    collar = at(smooth((0.315, 0.745), (0.345, 0.765), (0.485, 0.640), (0.465, 0.610)))
    sketch.add(collar, Paint(albedo=rgb(0.45, 0.03, 0.03), roundness=0.02, gloss=0.4))


def _fur(coat: Floats) -> Texture:
    def strands(x: Floats, y: Floats) -> Floats:
        lie = x * np.float32(31) + y * np.float32(74) + np.sin(x * np.float32(13)) * np.float32(2.4)
        wave = np.sin(lie) * np.sin(x * np.float32(23) - y * np.float32(41))
        return np.asarray((np.float32(1.0) + np.float32(0.09) * wave)[..., None] * coat, np.float32)

    return strands
