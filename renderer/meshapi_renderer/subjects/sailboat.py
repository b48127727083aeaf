"""Sailing boats: a hull, two filled sails that light shines through, their mirror image and a little wake."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import rgb, swatch8
from meshapi_renderer.scene import Scratch
from meshapi_renderer.subjects.curves import disc, moved, polygon, smooth
from meshapi_renderer.subjects.paste import Place, glow, mirror, paste
from meshapi_renderer.subjects.role import Lens, Role, fitted
from meshapi_renderer.subjects.sketch import Bounds, Cel, Paint, Sketch

_LENGTH = 0.235
"""Length of the hull in units."""
_BOUNDS = Bounds(-0.62, -0.06, 0.66, 1.50)
_HULLS = (rgb(0.62, 0.60, 0.56), rgb(0.030, 0.055, 0.12), rgb(0.34, 0.045, 0.035))
_CREAM = rgb(0.80, 0.77, 0.70)
_HEEL = -0.07
_MOST = 7


@dataclass(frozen=True, slots=True)
class _Boat:
    cel: Cel
    x: float
    row: float
    size: float
    heading: float
    phase: float


class Sailboats:
    """One or more boats under sail."""

    def __init__(self, role: Role) -> None:
        self._role = role
        self._sea = role.level.surface == "sea"
        self._foam = swatch8(role.light.sky * np.float32(0.5))
        draws = role.rng.sub("boats")
        heading = -role.side
        first_x = 0.5 + 0.55 * (min(0.72, max(0.28, role.light.source_x)) - 0.5) - 0.05 * heading
        self._boats = []
        for index in range(max(1, min(role.count or 1, _MOST))):
            back = 0.0 if index == 0 else draws.uniform(0.35, 0.80)
            row = role.level.row - back * (role.level.row - role.stage.horizon)
            size = role.level.size * (1.0 - 0.92 * back)
            x = first_x if index == 0 else (first_x + 0.23 * index * draws.uniform(0.8, 1.2)) % 0.86 + 0.07
            cel = self._painted(size, 0.03 + 0.22 * back, draws.integer(len(_HULLS)))
            self._boats.append(_Boat(cel, x, row, size, heading, draws.u() * math.tau))
        self._boats.sort(key=lambda boat: boat.row)

    def _painted(self, size: float, haze: float, hull: int) -> Cel:
        role = self._role
        sails = role.colour(_CREAM)
        return role.cel(
            _BOUNDS,
            _LENGTH * role.unit * size,
            lambda sketch: _paint(sketch, _HULLS[hull], sails),
            haze,
        )

    def draw(self, frame: Bytes8, lens: Lens, seconds: float, scratch: Scratch) -> None:
        """See `Actor`."""
        role = self._role
        time = seconds * role.speed
        for boat in self._boats:
            x = boat.x + boat.heading * 0.0085 * boat.size * time
            px, py, zoom = lens.place(x, boat.row, lens.depth_of(boat.row))
            scale = _LENGTH * role.unit * boat.size * zoom
            rough = 2.2 if self._sea else 1.0
            py += 0.018 * rough * scale * math.sin(1.5 * time + boat.phase)
            roll = 0.030 * rough * math.sin(1.15 * time + boat.phase) + 0.012 * math.sin(2.7 * time)
            place = Place(px, py, fitted(boat.cel, scale), roll, boat.heading < 0)
            mirror(
                frame, boat.cel, place, seconds, scratch,
                clarity=0.30 if self._sea else 0.70,
                ripple=0.030 * scale,
                fade=(0.5 if self._sea else 1.3) * scale,
            )  # fmt: skip
            paste(frame, boat.cel, place)
            self._wake(frame, px, py, scale, boat.heading, time)

    def _wake(self, frame: Bytes8, px: float, py: float, scale: float, heading: float, time: float) -> None:
        """Light on the broken water at the bow and along the hull."""
        beat = 0.75 + 0.25 * math.sin(2.9 * time)
        red, green, blue = (0.55 * beat * channel for channel in self._foam)
        for offset, half, gain in ((0.30, 0.20, 1.0), (-0.05, 0.42, 0.7), (-0.62, 0.26, 0.55)):
            colour = (gain * red, gain * green, gain * blue)
            glow(
                frame, px + heading * offset * scale, py + 0.012 * scale, half * scale, 0.020 * scale, colour
            )


def _sail_texture(colour: Floats, waist: float) -> Paint:
    def panels(x: Floats, y: Floats) -> Floats:
        seams = np.float32(0.90) + np.float32(0.10) * np.minimum(np.abs(np.sin(y * np.float32(21))) * 5, 1)
        camber = np.float32(0.86) + np.float32(0.22) * np.exp(
            -(((x - np.float32(waist)) / np.float32(0.16)) ** 2)
        )
        return np.asarray((seams * camber)[..., None] * colour, np.float32)

    return Paint(albedo=colour, texture=panels, roundness=0.22, translucency=0.85)


def _paint(sketch: Sketch, hull: Floats, sails: Floats) -> None:
    rig = [
        (polygon((0.012, 0.10), (0.026, 0.10), (0.020, 1.45), (0.014, 1.45)), rgb(0.25, 0.20, 0.16)),
        (polygon((0.0, 0.205), (0.0, 0.222), (-0.45, 0.205), (-0.45, 0.192)), rgb(0.25, 0.20, 0.16)),
        (polygon((0.505, 0.13), (0.511, 0.13), (0.022, 1.30), (0.018, 1.30)), rgb(0.05, 0.05, 0.05)),
    ]
    for outline, colour in rig:
        sketch.add(moved(outline, 0, 0, _HEEL), Paint(albedo=colour, roundness=0.01))
    jib = polygon(
        (0.49, 0.165), (0.40, 0.42), (0.27, 0.74), (0.13, 1.06), (0.03, 1.26), (0.060, 1.0),
        (0.065, 0.75), (0.045, 0.50), (0.0, 0.255), (0.22, 0.185),
    )  # fmt: skip
    sketch.add(moved(jib, 0, 0, _HEEL), _sail_texture(sails * np.float32(0.92), 0.16))
    main = polygon(
        (0.006, 0.235), (0.008, 0.60), (0.008, 1.0), (0.006, 1.40), (-0.035, 1.38), (-0.150, 1.10),
        (-0.265, 0.80), (-0.360, 0.52), (-0.435, 0.235), (-0.22, 0.222),
    )  # fmt: skip
    sketch.add(moved(main, 0, 0, _HEEL), _sail_texture(sails, -0.16))
    crew = Paint(albedo=rgb(0.05, 0.045, 0.05), roundness=0.03)
    sketch.add(
        [
            disc(-0.335, 0.225, 0.022, 0.026),
            smooth((-0.375, 0.10), (-0.36, 0.195), (-0.315, 0.195), (-0.30, 0.10)),
        ],
        crew,
    )
    cabin = smooth((-0.20, 0.10), (-0.17, 0.175), (0.08, 0.178), (0.16, 0.135), (0.19, 0.10))
    sketch.add(cabin, Paint(albedo=rgb(0.62, 0.58, 0.52), roundness=0.05))
    sketch.add(
        polygon((-0.12, 0.142), (0.06, 0.146), (0.055, 0.162), (-0.12, 0.160)),
        Paint(albedo=rgb(0.02, 0.025, 0.03), gloss=0.6),
    )
    body = polygon(
        (0.535, 0.150), (0.49, 0.095), (0.43, 0.035), (0.36, -0.02), (0.0, -0.035), (-0.36, -0.025),
        (-0.445, 0.03), (-0.475, 0.115), (-0.30, 0.100), (0.0, 0.098), (0.30, 0.115),
    )  # fmt: skip
    sketch.add(body, Paint(albedo=hull, roundness=0.085, gloss=0.35))
    stripe = polygon(
        (0.520, 0.136), (0.30, 0.103), (0.0, 0.086), (-0.30, 0.088), (-0.472, 0.103),
        (-0.468, 0.090), (-0.30, 0.076), (0.0, 0.074), (0.30, 0.090), (0.505, 0.120),
    )  # fmt: skip
    sketch.add(stripe, Paint(albedo=sails * np.float32(0.8), roundness=0.02))
