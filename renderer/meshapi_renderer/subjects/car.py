"""A car crossing the picture: turning wheels, glossy paint, and headlights when it is dark."""

from __future__ import annotations

import math

import numpy as np

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import rgb
from meshapi_renderer.scene import Scratch
from meshapi_renderer.subjects.curves import Outline, disc, polygon, smooth
from meshapi_renderer.subjects.ground import Standing
from meshapi_renderer.subjects.paste import Place, glow, paste
from meshapi_renderer.subjects.role import Lens, Role, crossing, fitted
from meshapi_renderer.subjects.sketch import Bounds, Cel, Paint, Sketch

_LENGTH = 0.40
"""Length in units; one figure unit is the car's length."""
_BOUNDS = Bounds(-0.52, -0.01, 0.53, 0.36)
_WHEEL = 0.072
_AXLES = (-0.305, 0.300)
_COLOURS = (rgb(0.46, 0.030, 0.024), rgb(0.035, 0.10, 0.27), rgb(0.55, 0.34, 0.05), rgb(0.06, 0.16, 0.11))
_PACE = 0.105
_MOST = 4
_IN_TRAFFIC = 1.7


class Car:
    """One or more cars."""

    def __init__(self, role: Role) -> None:
        self._role = role
        # In a street the car measures up to those of the scene; in a landscape it is a smaller thing.
        in_traffic = role.plan.setting == "street"
        self._size = role.level.size * (_IN_TRAFFIC if in_traffic else 1.0)
        self._row = role.level.row + (0.06 if in_traffic else 0.0)
        self._scale = _LENGTH * role.unit * self._size
        draws = role.rng.sub("cars")
        first = draws.integer(len(_COLOURS))
        count = max(1, min(role.count or 1, _MOST))

        def painted(number: int) -> Cel:
            body = role.colour(_COLOURS[(first + number) % len(_COLOURS)])
            return role.cel(_BOUNDS, self._scale, lambda sketch: _paint(sketch, body), 0.01)

        cels = [painted(number) for number in range(count)]
        self._standing = Standing(role, cels, footprint=0.36)
        side = _WHEEL + 0.004
        self._wheel = role.cel(Bounds(-side, -side, side, side), self._scale, _paint_wheel, 0.01)
        self._heading = role.side
        self._lamps = max(role.light.night, 0.7 if role.plan.weather in ("rain", "storm", "fog") else 0.15)

    def draw(self, frame: Bytes8, lens: Lens, seconds: float, scratch: Scratch) -> None:
        """See `Actor`."""
        role = self._role
        time = seconds * role.speed
        size, gloss = self._size, role.level.surface == "gloss"
        for number in range(len(self._standing.cels)):
            start = 0.5 - self._heading * (0.18 + 0.62 * number * size / max(role.width, 1.0) * 0.9)
            room = 0.30 * size
            x = crossing(start, self._heading * _PACE * size, time, room)
            row = self._row
            px, py, zoom = lens.place(x, row, lens.depth_of(row))
            scale = self._scale * zoom
            bounce = 0.0035 * scale * (math.sin(11.0 * time + number) + 0.6 * math.sin(17.0 * time))
            place = Place(px, py, fitted(self._wheel, scale), mirrored=self._heading < 0)
            turned = -(_PACE * size * role.canvas.width * time) / (_WHEEL * self._scale)
            if gloss:
                self._lights(frame, px, 2 * py - (py - 0.15 * scale), scale, 0.35)
            self._standing.draw(
                frame, number, Place(px, py + bounce, place.size, mirrored=place.mirrored), seconds, scratch
            )
            for axle in _AXLES:
                hub = (px + self._heading * axle * scale, py - _WHEEL * scale)
                turn = turned * self._heading
                paste(frame, self._wheel, Place(hub[0], hub[1], place.size, turn))
            self._lights(frame, px, py - 0.15 * scale + bounce, scale, 1.0)

    def _lights(self, frame: Bytes8, px: float, y: float, scale: float, share: float) -> None:
        """Head and tail lights, and the beam on the road."""
        gain = self._lamps * share
        front, back = px + self._heading * 0.475 * scale, px - self._heading * 0.485 * scale
        glow(frame, front, y, 0.10 * scale, 0.085 * scale, (255 * gain, 240 * gain, 205 * gain))
        glow(frame, front + self._heading * 0.16 * scale, y + 0.015 * scale, 0.24 * scale, 0.060 * scale,
             (120 * gain, 108 * gain, 80 * gain))  # fmt: skip
        glow(frame, back, y + 0.002 * scale, 0.085 * scale, 0.07 * scale, (230 * gain, 26 * gain, 16 * gain))
        if share == 1.0:
            road = y + 0.155 * scale
            glow(frame, front + self._heading * 0.34 * scale, road, 0.42 * scale, 0.050 * scale,
                 (105 * gain, 95 * gain, 72 * gain))  # fmt: skip
            glow(frame, front + self._heading * 0.42 * scale, y + 0.02 * scale, 0.50 * scale, 0.10 * scale,
                 (46 * gain, 42 * gain, 32 * gain))  # fmt: skip


def _paint(sketch: Sketch, body: Floats) -> None:
    dark = Paint(albedo=rgb(0.012, 0.012, 0.014), roundness=0.03)
    paint = Paint(albedo=body, roundness=0.060, gloss=0.9)
    sketch.add(smooth((-0.47, 0.05), (-0.45, 0.13), (0.45, 0.12), (0.485, 0.05), (0.0, 0.035)), dark)
    cabin = smooth(
        (-0.345, 0.185), (-0.262, 0.262), (-0.170, 0.300), (0.010, 0.305), (0.100, 0.270), (0.190, 0.190),
        (0.0, 0.165),
    )  # fmt: skip
    sketch.add(cabin, paint)
    lamp = np.float32(0.5 + 2.0 * sketch.light.night)
    inside = rgb(0.045, 0.036, 0.020) * np.float32(sketch.light.night)
    glass = Paint(albedo=rgb(0.016, 0.022, 0.028), roundness=0.05, gloss=1.1, emission=inside)
    sketch.add(
        polygon((-0.290, 0.198), (-0.235, 0.256), (-0.165, 0.283), (-0.085, 0.288), (-0.085, 0.200)), glass
    )
    sketch.add(
        polygon((-0.062, 0.200), (-0.062, 0.288), (0.008, 0.289), (0.082, 0.260), (0.150, 0.198)), glass
    )
    hull = smooth(
        (-0.492, 0.115), (-0.488, 0.170), (-0.440, 0.196), (-0.330, 0.203), (-0.150, 0.206), (0.060, 0.205),
        (0.200, 0.200), (0.340, 0.180), (0.450, 0.152), (0.492, 0.120), (0.496, 0.085), (0.470, 0.058),
        (0.0, 0.050), (-0.470, 0.060),
    )  # fmt: skip
    sketch.add(hull, paint)
    crease = polygon((-0.45, 0.150), (0.40, 0.140), (0.44, 0.132), (-0.45, 0.143))
    sketch.add(crease, Paint(albedo=body * np.float32(0.45), roundness=0.01))
    for axle in _AXLES:
        sketch.add(disc(axle, _WHEEL + 0.004, _WHEEL + 0.017, _WHEEL + 0.017), dark)
    sill = polygon((-0.22, 0.050), (0.215, 0.050), (0.215, 0.066), (-0.22, 0.066))
    sketch.add(sill, dark)
    seam = Paint(albedo=body * np.float32(0.25), roundness=0.004)
    sketch.add(polygon((-0.072, 0.203), (-0.066, 0.203), (-0.070, 0.075), (-0.076, 0.075)), seam)
    sketch.add(polygon((0.162, 0.198), (0.168, 0.198), (0.190, 0.075), (0.184, 0.075)), seam)
    chrome = Paint(albedo=rgb(0.55, 0.55, 0.56), roundness=0.006, gloss=1.0)
    sketch.add(polygon((-0.058, 0.168), (-0.018, 0.169), (-0.018, 0.176), (-0.058, 0.175)), chrome)
    sketch.add(smooth((0.118, 0.206), (0.150, 0.206), (0.155, 0.226), (0.125, 0.228)), paint)
    white = Paint(albedo=rgb(0.6, 0.6, 0.55), roundness=0.02, gloss=1.0, emission=rgb(0.9, 0.8, 0.55) * lamp)
    sketch.add(smooth((0.405, 0.146), (0.470, 0.124), (0.488, 0.104), (0.440, 0.116)), white)
    red = Paint(albedo=rgb(0.4, 0.02, 0.02), roundness=0.02, emission=rgb(0.40, 0.012, 0.008) * lamp)
    sketch.add(smooth((-0.490, 0.150), (-0.455, 0.170), (-0.450, 0.146), (-0.490, 0.130)), red)


def _paint_wheel(sketch: Sketch) -> None:
    sketch.add(disc(0, 0, _WHEEL), Paint(albedo=rgb(0.016, 0.016, 0.017), roundness=0.025, gloss=0.1))
    sketch.add(disc(0, 0, 0.66 * _WHEEL), Paint(albedo=rgb(0.03, 0.03, 0.032), roundness=0.02))
    steel = Paint(albedo=rgb(0.42, 0.42, 0.43), roundness=0.010, gloss=0.8)
    spokes: list[Outline] = []
    for number in range(5):
        turn = math.tau * number / 5
        along, aside = np.array([math.cos(turn), math.sin(turn)]), np.array([-math.sin(turn), math.cos(turn)])
        rim = 0.62 * _WHEEL * along
        spokes.append(np.array([0.012 * aside, rim + 0.006 * aside, rim - 0.006 * aside, -0.012 * aside]))
    sketch.add([*spokes, disc(0, 0, 0.016)], steel)
    ring = Paint(albedo=rgb(0.36, 0.36, 0.37), roundness=0.006, gloss=0.6)
    angle = np.linspace(0, math.tau, 48)
    outer = np.stack([np.cos(angle), np.sin(angle)], 1) * (0.70 * _WHEEL)
    inner = outer[::-1] * 0.90
    sketch.add(np.concatenate([outer, inner]), ring)
