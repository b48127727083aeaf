"""People under umbrellas and cars in a street, drawn at any distance from simple shapes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.colour import luminance
from meshapi_renderer.elements.city_light import CityLight
from meshapi_renderer.elements.light_points import LightPoints
from meshapi_renderer.elements.street_cars import PAINTS, CarLook, StreetCars
from meshapi_renderer.elements.street_things import StreetEye
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Scratch
from meshapi_renderer.subjects.paste import contact_shadow

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
    skin: Colour8


@dataclass(frozen=True, slots=True)
class _Car:
    lane: float
    away: float
    pace: float
    look: CarLook


@dataclass(frozen=True, slots=True)
class CarSeen:
    """A car and how many metres away it is."""

    car: _Car
    away: float


class StreetLife:
    """Everybody in one street."""

    def __init__(
        self,
        rng: Rng,
        walk: float,
        lane: float,
        rain: bool,
        light: CityLight,
        focal: float,
        wet: float,
        seconds: float,
    ) -> None:
        """``walk`` and ``lane`` are metres right of the middle, ``focal`` pixels, ``wet`` 0 dry to 1 soaked.

        ``seconds`` is how long everybody is seen.
        """
        self._rain, self._dark = rain, light.dark
        self._light = float(np.clip(luminance(light.front) * 1.6 + 0.16, 0.30, 1.0))
        self._walkers = [self._walker(rng.sub(f"walker {index}"), walk, index) for index in range(_WALKERS)]
        self._cars = [self._car(rng.sub(f"car {index}"), lane, index, seconds) for index in range(_CARS)]
        self._pictures = StreetCars([car.look for car in self._cars], light, focal, wet)

    def _walker(self, rng: Rng, walk: float, index: int) -> _Walker:
        return _Walker(
            right=(-1 if index % 2 else 1) * (walk + rng.uniform(-0.8, 0.9)),
            away=_NEAREST_WALKER + (_FARTHEST_WALKER - _NEAREST_WALKER) * (index + rng.u()) / _WALKERS,
            pace=rng.uniform(0.9, 1.3) * (1 if index % 3 else -1),
            tall=rng.uniform(1.58, 1.84),
            step=rng.u(),
            umbrella=rng.pick(_UMBRELLAS),
            coat=rng.pick(_COATS),
            skin=rng.pick(_SKINS),
        )

    @staticmethod
    def _car(rng: Rng, lane: float, index: int, seconds: float) -> _Car:
        coming = index % 2 == 0
        away = 9.0 + (_FARTHEST_CAR - 9.0) * (index + 0.8 * rng.u()) / _CARS
        pace = -rng.uniform(4.0, 5.5) if coming else rng.uniform(3.5, 5.0)
        last = away + pace * seconds
        # Who drives out of the street comes in again at its other end.
        nearest = min(away, last) if _NEAREST_CAR < last < _FARTHEST_CAR else _NEAREST_CAR
        look = CarLook(coming, rng.integer(len(PAINTS)), max(_NEAREST_CAR, nearest - _FORWARD))
        return _Car(lane=-lane if coming else lane, away=away, pace=pace, look=look)

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
                unit = eye.focal / away
                self._pictures.draw(frame, thing.look, x, foot, unit, mirror)
            return
        if away < 3.0:
            return
        swing = math.sin(math.tau * (seconds * 0.95 * abs(thing.pace) + thing.step))
        x, foot = eye.place(thing.right, 0.0, away)
        if not mirror and not self._dark and away < _GROUNDED:
            contact_shadow(frame, x, foot, 0.42 * eye.focal / away, 0.5)
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
        placing = shape.placing()
        if shape.far:
            # So far away a person is a coat under an umbrella.
            shape.fill(frame, _FAR_COAT, coat, placing)
            if self._rain:
                shape.fill(frame, _CANOPY, self._tone(who.umbrella, 0.9), placing)
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
                placing,
            )  # fmt: skip
        shape.fill(frame, _COAT, coat, placing)
        shape.fill(frame, _LIT_COAT, self._tone(who.coat, 1.55), placing)
        shape.disc(frame, (0.0, 1.54), 0.105, self._tone(who.skin))
        shape.fill(frame, _HAIR, dark, placing)
        if self._rain:
            shape.fill(frame, _CANOPY, self._tone(who.umbrella, 0.9), placing)
            shape.fill(frame, _GORE, self._tone(who.umbrella, 1.25), placing)


_WALKERS, _CARS = 20, 6
_NEAREST_WALKER, _FARTHEST_WALKER = 5.0, 120.0
_NEAREST_CAR, _FARTHEST_CAR = 2.3, 150.0
_FORWARD = 2.5
"""Metres the eye goes forward at most."""
Points = NDArray[np.float64]
_COATS: tuple[Colour8, ...] = (
    (52, 56, 72), (112, 84, 62), (44, 66, 96), (118, 46, 52), (66, 82, 62), (112, 102, 88),
)  # fmt: skip
_COAT: Points = np.array(
    [(-0.20, 0.62), (0.20, 0.62), (0.19, 1.10), (0.15, 1.42), (-0.15, 1.42), (-0.19, 1.10)]
)
_LIT_COAT: Points = np.array([(0.06, 0.62), (0.20, 0.62), (0.19, 1.10), (0.15, 1.42), (0.03, 1.42)])
_SKINS: tuple[Colour8, ...] = ((206, 158, 128), (160, 112, 84), (112, 76, 56), (222, 178, 150))
_ARC = [math.pi * step / 10 for step in range(11)]
_CANOPY: Points = np.array([(0.56 * math.cos(angle), 1.66 + 0.30 * math.sin(angle)) for angle in _ARC])
_HAIR: Points = np.array([(0.115 * math.cos(angle), 1.555 + 0.10 * math.sin(angle)) for angle in _ARC])
_GORE: Points = np.array([(0.30 * math.cos(angle) - 0.16, 1.66 + 0.27 * math.sin(angle)) for angle in _ARC])
_FAR_COAT: Points = np.array(
    [(-0.16, 0.0), (0.16, 0.0), (0.20, 1.0), (0.10, 1.62), (-0.10, 1.62), (-0.20, 1.0)]
)
_GROUNDED = 26.0
"""Metres up to which the shadow at somebody's feet is seen."""
_FAR = 44.0
"""Metres from which people are drawn in outline only."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """Draws shapes given in metres over a foot point of the frame, upright or mirrored in the ground."""

    x: float
    foot: float
    unit: float
    bob: float
    mirror: bool
    far: bool = False

    def placing(self) -> tuple[Points, Points]:
        """What points in metres are multiplied by and moved by to become fixed-point pixels."""
        turn = self.unit if self.mirror else -self.unit
        # Half a step is added: what is cut off next is rounded by it.
        shift = (self.x * _ONE + 0.5, (self.foot + self.bob * turn) * _ONE + 0.5)
        return np.array((self.unit * _ONE, turn * _ONE)), np.array(shift)

    def fill(
        self, frame: Bytes8, points: Points, colour: list[float], placing: tuple[Points, Points]
    ) -> None:
        placed = points * placing[0]
        placed += placing[1]
        cv2.fillPoly(frame, [placed.astype(np.int32)], colour, cv2.LINE_AA, _BITS)

    def disc(self, frame: Bytes8, at: tuple[float, float], radius: float, colour: list[float]) -> None:
        turn = self.unit if self.mirror else -self.unit
        x, y = self.x + at[0] * self.unit, self.foot + (at[1] + self.bob) * turn
        size = max(4, round(radius * self.unit * _ONE))
        cv2.circle(frame, (round(x * _ONE), round(y * _ONE)), size, colour, -1, cv2.LINE_AA, _BITS)


def _looped(away: float, near: float, far: float) -> float:
    """A distance kept within a range: who leaves it at one end comes in at the other."""
    return near + (away - near) % (far - near)
