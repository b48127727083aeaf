"""People under umbrellas and cars in a street, drawn at any distance from simple shapes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.elements.light_points import LightPoints
from meshapi_renderer.elements.street_things import StreetEye
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Scratch

_BITS = 4
_ONE = 1 << _BITS
Colour8 = tuple[int, int, int]
_UMBRELLAS: tuple[Colour8, ...] = (
    (214, 48, 56), (245, 190, 60), (64, 120, 214), (232, 232, 236), (60, 170, 130), (40, 42, 52),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Walker:
    """Someone on a pavement: metres right and away at the start, metres per second along the street."""

    right: float
    away: float
    pace: float
    tall: float
    step: float
    umbrella: Colour8
    coat: Colour8


@dataclass(frozen=True, slots=True)
class _Car:
    lane: float
    away: float
    pace: float
    paint: Colour8


@dataclass(frozen=True, slots=True)
class CarSeen:
    """A car and how many metres away it is."""

    car: _Car
    away: float


class StreetLife:
    """Everybody in one street."""

    def __init__(self, rng: Rng, walk: float, lane: float, rain: bool, light: float, dark: bool) -> None:
        """``walk`` and ``lane`` are metres right of the middle; ``light`` dims what is painted, 1 by day."""
        self._rain, self._dark, self._light = rain, dark, light
        self._walkers = [self._walker(rng.sub(f"walker {index}"), walk, index) for index in range(_WALKERS)]
        self._cars = [self._car(rng.sub(f"car {index}"), lane, index) for index in range(_CARS)]

    def _walker(self, rng: Rng, walk: float, index: int) -> _Walker:
        return _Walker(
            right=(-1 if index % 2 else 1) * (walk + rng.uniform(-0.8, 0.9)),
            away=_NEAREST_WALKER + (_FARTHEST_WALKER - _NEAREST_WALKER) * (index + rng.u()) / _WALKERS,
            pace=rng.uniform(0.9, 1.3) * (1 if index % 3 else -1),
            tall=rng.uniform(1.58, 1.84),
            step=rng.u(),
            umbrella=rng.pick(_UMBRELLAS),
            coat=rng.pick(_COATS),
        )

    @staticmethod
    def _car(rng: Rng, lane: float, index: int) -> _Car:
        coming = index % 2 == 0
        return _Car(
            lane=-lane if coming else lane,
            away=9.0 + (_FARTHEST_CAR - 9.0) * (index + 0.8 * rng.u()) / _CARS,
            pace=-rng.uniform(4.0, 5.5) if coming else rng.uniform(3.5, 5.0),
            paint=rng.pick(_PAINTS),
        )

    def draw(
        self, frame: Bytes8, eye: StreetEye, seconds: float, forward: float, wet: float, scratch: Scratch
    ) -> list[CarSeen]:
        """Draw everybody, far to near, over ``frame``; returns the cars with their distance.

        ``forward`` is how many metres the eye has gone; ``wet`` how strongly the ground mirrors.
        """
        cars = [
            CarSeen(car, _looped(car.away + car.pace * seconds, _NEAREST_CAR, _FARTHEST_CAR) - forward)
            for car in self._cars
        ]
        walkers = [
            (_looped(who.away + who.pace * seconds, _NEAREST_WALKER, _FARTHEST_WALKER) - forward, who)
            for who in self._walkers
        ]
        things: list[tuple[float, _Walker | _Car]] = [(seen.away, seen.car) for seen in cars]
        things += [(away, who) for away, who in walkers]
        things.sort(key=lambda item: -item[0])
        if wet > 0.2:
            self._mirror(frame, eye, things, seconds, wet, scratch)
        for away, thing in things:
            self._one(frame, eye, thing, away, seconds, mirror=False)
        return cars

    def _mirror(
        self,
        frame: Bytes8,
        eye: StreetEye,
        things: list[tuple[float, _Walker | _Car]],
        seconds: float,
        wet: float,
        scratch: Scratch,
    ) -> None:
        """Everybody upside down in the wet ground, drawn out and faint, in place."""
        first = min(frame.shape[0] - 2, max(0, math.floor(eye.row)))
        ground = frame[first:]
        image: Bytes8 = scratch.array("street mirror", ground.shape)
        image[...] = ground
        sunk = StreetEye(eye.column, eye.row - first, eye.focal, eye.height)
        for away, thing in things:
            self._one(image, sunk, thing, away, seconds, mirror=True)
        image = np.asarray(cv2.blur(image, (3, max(3, round(0.012 * frame.shape[0])) | 1)), np.uint8)
        cv2.addWeighted(ground, 1 - 0.55 * wet, image, 0.55 * wet, 0.0, ground)

    def _one(
        self, frame: Bytes8, eye: StreetEye, thing: _Walker | _Car, away: float, seconds: float, mirror: bool
    ) -> None:
        if isinstance(thing, _Car):
            if _NEAREST_CAR < away < 110:
                x, foot = eye.place(thing.lane, 0.0, away)
                self._draw_car(frame, _Shape(x, foot, eye.focal / away, 0.0, mirror), thing)
            return
        if away < 3.0:
            return
        swing = math.sin(math.tau * (seconds * 0.95 * abs(thing.pace) + thing.step))
        x, foot = eye.place(thing.right, 0.0, away)
        shape = _Shape(x, foot, eye.focal / away * thing.tall / 1.7, 0.02 * abs(swing), mirror, away > _FAR)
        self._draw_walker(frame, shape, thing, swing)

    def shine(self, lights: LightPoints, eye: StreetEye, cars: list[CarSeen], wet: float) -> None:
        """Head and tail lights with their streaks in the wet ground."""
        if not self._dark:
            return
        for seen in cars:
            car, away = seen.car, seen.away
            if away < _NEAREST_CAR:
                continue
            # Lights come up out of the distance and do not pop in.
            fade = min(1.0, (_FARTHEST_CAR - away) / 20.0)
            coming = car.pace < 0
            red, green, blue = (255.0, 236.0, 200.0) if coming else (255.0, 40.0, 26.0)
            gain = (0.95 if coming else 0.62) * fade
            for side in (-0.62, 0.62):
                x, y = eye.place(car.lane + side, 0.72, away)
                radius = min(0.030 * eye.focal, (0.13 if coming else 0.10) * eye.focal / away)
                lights.dot(x, y, radius, (gain * red, gain * green, gain * blue))
                foot = eye.place(car.lane + side, 0.0, away)[1]
                if wet > 0.2:
                    dim = 0.26 * wet * gain
                    start, end = foot + 0.1 * (foot - y), foot + 1.9 * (foot - y)
                    lights.streak(x, start, x, end, 1.1 * radius, (dim * red, dim * green, dim * blue))

    def _tone(self, colour: Colour8, gain: float = 1.0) -> list[float]:
        return [min(255.0, gain * self._light * channel) for channel in colour]

    def _draw_walker(self, frame: Bytes8, shape: _Shape, who: _Walker, swing: float) -> None:
        coat, dark = self._tone(who.coat), self._tone((20, 20, 26))
        if shape.far:
            # So far away a person is a coat under an umbrella.
            shape.fill(frame, _FAR_COAT, coat)
            if self._rain:
                shape.fill(frame, _CANOPY, self._tone(who.umbrella, 0.9))
            return
        stride = 0.20 * swing
        for leg in (-1, 1):
            hip, knee = 0.05 * leg, 0.05 * leg + 0.5 * leg * stride
            heel, lift = 0.05 * leg + leg * stride, 0.02 + 0.05 * max(0.0, leg * swing)
            shape.fill(
                frame,
                np.array(
                    [
                        (hip - 0.07, 0.82), (hip + 0.07, 0.82), (knee + 0.06, 0.45),
                        (heel + 0.06, lift), (heel - 0.05, lift), (knee - 0.06, 0.45),
                    ]
                ),
                dark,
            )  # fmt: skip
        shape.fill(frame, _COAT, coat)
        shape.disc(frame, (0.0, 1.54), 0.105, dark)
        if self._rain:
            shape.fill(frame, _CANOPY, self._tone(who.umbrella, 0.9))
            shape.fill(frame, _GORE, self._tone(who.umbrella, 1.25))

    def _draw_car(self, frame: Bytes8, shape: _Shape, car: _Car) -> None:
        dark, glass = self._tone((14, 14, 18)), self._tone((46, 56, 70))
        if not shape.mirror:
            shape.fill(frame, _SHADOW, self._tone((16, 16, 20)))
        for side in (-1, 1):
            shape.fill(frame, _WHEEL * (side, 1), dark)
        shape.fill(frame, _CABIN, self._tone(car.paint, 0.85))
        shape.fill(frame, _BODY, self._tone(car.paint))
        shape.fill(frame, _SKIRT, self._tone(car.paint, 0.62))
        shape.fill(frame, _HOOD, self._tone(car.paint, 1.35))
        shape.fill(frame, _SCREEN, glass)
        shape.fill(frame, _GLARE, self._tone((92, 106, 122)))
        shape.fill(frame, _GRILLE, dark)
        for side in (-1, 1):
            tone: Colour8 = (210, 205, 190) if car.pace < 0 else (150, 24, 22)
            shape.fill(frame, _LAMP * (side, 1), self._tone(tone))


_WALKERS, _CARS = 20, 6
_NEAREST_WALKER, _FARTHEST_WALKER = 5.0, 120.0
_NEAREST_CAR, _FARTHEST_CAR = 2.3, 150.0
Points = NDArray[np.float64]
_COATS: tuple[Colour8, ...] = ((34, 36, 46), (58, 44, 38), (30, 44, 62), (70, 34, 40), (40, 48, 40))
_COAT: Points = np.array(
    [(-0.20, 0.62), (0.20, 0.62), (0.19, 1.10), (0.15, 1.42), (-0.15, 1.42), (-0.19, 1.10)]
)
_ARC = [math.pi * step / 10 for step in range(11)]
_CANOPY: Points = np.array([(0.56 * math.cos(angle), 1.66 + 0.30 * math.sin(angle)) for angle in _ARC])
_GORE: Points = np.array([(0.30 * math.cos(angle) - 0.16, 1.66 + 0.27 * math.sin(angle)) for angle in _ARC])
_FAR_COAT: Points = np.array(
    [(-0.16, 0.0), (0.16, 0.0), (0.20, 1.0), (0.10, 1.62), (-0.10, 1.62), (-0.20, 1.0)]
)
_FAR = 44.0
"""Metres from which people are drawn in outline only."""
_WHEEL: Points = np.array([(0.86, 0.0), (0.60, 0.0), (0.60, 0.42), (0.86, 0.42)])
_BODY: Points = np.array([
    (-0.86, 0.20), (0.86, 0.20), (0.93, 0.34), (0.94, 0.68), (0.88, 0.86), (0.70, 0.93),
    (-0.70, 0.93), (-0.88, 0.86), (-0.94, 0.68), (-0.93, 0.34),
])  # fmt: skip
_SKIRT: Points = np.array(
    [(-0.86, 0.20), (0.86, 0.20), (0.93, 0.34), (0.935, 0.50), (-0.935, 0.50), (-0.93, 0.34)]
)
_SHADOW: Points = np.array([(-1.0, 0.0), (1.0, 0.0), (0.92, 0.10), (-0.92, 0.10)])
_HOOD: Points = np.array([(-0.84, 0.84), (0.84, 0.84), (0.70, 0.93), (-0.70, 0.93)])
_CABIN: Points = np.array(
    [(-0.80, 0.88), (0.80, 0.88), (0.64, 1.36), (0.52, 1.43), (-0.52, 1.43), (-0.64, 1.36)]
)
_SCREEN: Points = np.array([(-0.71, 0.94), (0.71, 0.94), (0.57, 1.35), (-0.57, 1.35)])
_GLARE: Points = np.array([(-0.40, 0.94), (-0.16, 0.94), (0.05, 1.35), (-0.13, 1.35)])
_GRILLE: Points = np.array([(-0.48, 0.34), (0.48, 0.34), (0.52, 0.52), (-0.52, 0.52)])
_LAMP: Points = np.array([(0.56, 0.62), (0.86, 0.62), (0.84, 0.78), (0.58, 0.76)])
_PAINTS: tuple[Colour8, ...] = ((52, 56, 66), (120, 26, 30), (196, 160, 44), (30, 52, 92), (150, 154, 160))


@dataclass(frozen=True, slots=True)
class _Shape:
    """Draws shapes given in metres over a foot point of the frame, upright or mirrored in the ground."""

    x: float
    foot: float
    unit: float
    bob: float
    mirror: bool
    far: bool = False

    def fill(self, frame: Bytes8, points: Points, colour: list[float]) -> None:
        turn = self.unit if self.mirror else -self.unit
        placed = points * (self.unit * _ONE, turn * _ONE)
        placed += (self.x * _ONE, (self.foot + self.bob * turn) * _ONE)
        cv2.fillPoly(frame, [np.rint(placed).astype(np.int32)], colour, cv2.LINE_AA, _BITS)

    def disc(self, frame: Bytes8, at: tuple[float, float], radius: float, colour: list[float]) -> None:
        turn = self.unit if self.mirror else -self.unit
        x, y = self.x + at[0] * self.unit, self.foot + (at[1] + self.bob) * turn
        size = max(4, round(radius * self.unit * _ONE))
        cv2.circle(frame, (round(x * _ONE), round(y * _ONE)), size, colour, -1, cv2.LINE_AA, _BITS)


def _looped(away: float, near: float, far: float) -> float:
    """A distance kept within a range: who leaves it at one end comes in at the other."""
    return near + (away - near) % (far - near)
