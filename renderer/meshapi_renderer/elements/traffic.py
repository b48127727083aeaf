"""Lights that move through a city: cars on the quay, flying lanes between towers, blinking beacons."""

from __future__ import annotations

import math
from dataclasses import dataclass

from meshapi_renderer.camera import Camera, Pose
from meshapi_renderer.elements.light_points import LightPoints
from meshapi_renderer.elements.skyline import PLANES
from meshapi_renderer.elements.towers import Beacon
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas

_HEAD = (255.0, 240.0, 212.0)
_TAIL = (255.0, 58.0, 36.0)
_FLIER_HEAD = (205.0, 232.0, 255.0)
_CARS = 44


@dataclass(frozen=True, slots=True)
class _Car:
    """A place along a lane, 0 to 1 at the start, and a pace in lane lengths per second."""

    along: float
    pace: float


@dataclass(frozen=True, slots=True)
class _Lane:
    """A straight lane on a plane: x runs over ``span`` units around the middle, ``level`` units up."""

    level: float
    slope: float
    span: float
    forward: bool
    plane: int
    size: float
    cars: tuple[_Car, ...]


class Traffic:
    """All moving lights of one city."""

    def __init__(self, canvas: Canvas, rng: Rng, unit: float, room: float, dark: bool) -> None:
        """``unit`` in pixels; ``room`` is the height of the sky over the water in units."""
        self._canvas = canvas
        self._unit = unit
        self._dark = dark
        half = 0.5 * canvas.width / unit
        self._road = [self._road_lane(rng.sub(f"road {way}"), half, way) for way in (True, False)]
        count = 7 if dark else 3
        self._air = [self._air_lane(rng.sub(f"air {index}"), half, room) for index in range(count)]

    @staticmethod
    def _road_lane(rng: Rng, half: float, forward: bool) -> _Lane:
        span = 2.3 * half
        cars = tuple(
            _Car(rng.u(), rng.uniform(24.0, 44.0) / span) for _ in range(max(6, round(_CARS * half / 640)))
        )
        return _Lane(-1.2 if forward else 0.6, 0.0, span, forward, len(PLANES) - 1, 1.25, cars)

    @staticmethod
    def _air_lane(rng: Rng, half: float, room: float) -> _Lane:
        plane = rng.integer(3)
        nearness = (0.5, 0.8, 1.15)[plane]
        span = 2.6 * half
        cars = tuple(
            _Car(rng.u(), rng.uniform(48.0, 70.0) * nearness / span) for _ in range(4 + rng.integer(8))
        )
        level = room * rng.uniform(0.12, 0.66)
        return _Lane(level, rng.uniform(-0.05, 0.05), span, rng.u() < 0.5, plane, nearness, cars)

    def draw_behind(
        self, lights: LightPoints, camera: Camera, pose: Pose, seconds: float, foot: float, nearest: bool
    ) -> None:
        """Draw the lanes of the far planes, or with ``nearest`` those of the near ones and the quay.

        ``foot`` is the frame row of the waterfront when the camera has not moved.
        """
        for lane in self._air:
            if (lane.plane >= 2) == nearest:
                self._draw_lane(lights, lane, camera, pose, seconds, foot, _FLIER_HEAD, 11.0)
        if nearest:
            for lane in self._road:
                self._draw_lane(lights, lane, camera, pose, seconds, foot, _HEAD, 3.0)

    def _draw_lane(
        self,
        lights: LightPoints,
        lane: _Lane,
        camera: Camera,
        pose: Pose,
        seconds: float,
        foot: float,
        head: tuple[float, float, float],
        trail: float,
    ) -> None:
        unit, dim = self._unit, 1.0 if self._dark else 0.45
        way = 1.0 if lane.forward else -1.0
        depth = PLANES[lane.plane].depth
        colour = head if lane.forward else _TAIL
        faint = _scaled(colour, 0.42 * dim)
        for car in lane.cars:
            along = (car.along + way * car.pace * seconds) % 1.0 - 0.5
            x = 0.5 * self._canvas.width + along * lane.span * unit
            y = foot - (lane.level + lane.slope * along * lane.span) * unit
            x, y = camera.project(pose, depth, x, y)
            back = way * trail * lane.size * unit
            lights.streak(x, y, x - back, y + back * lane.slope, 1.5 * lane.size * unit, faint)
            lights.dot(x, y, 1.35 * lane.size * unit, _scaled(colour, dim))

    def draw_beacons(
        self, lights: LightPoints, beacons: tuple[Beacon, ...], depth: float, camera: Camera, pose: Pose,
        seconds: float, margin: int,
    ) -> None:  # fmt: skip
        """Red lights on masts, each blinking in its own time."""
        for beacon in beacons:
            level = max(0.0, math.sin((0.42 * seconds + beacon.phase) * math.tau)) ** 3
            if level > 0.02:
                x, y = camera.project(pose, depth, beacon.x - margin, beacon.y - margin)
                lights.dot(x, y, 2.1 * self._unit, _scaled((255.0, 44.0, 40.0), level))


def _scaled(colour: tuple[float, float, float], gain: float) -> tuple[float, float, float]:
    return colour[0] * gain, colour[1] * gain, colour[2] * gain
