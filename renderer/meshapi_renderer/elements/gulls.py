"""Gulls that glide and flap over the beach, with their shadows far below."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import luminance, swatch8
from meshapi_renderer.elements.beach_light import BeachLight
from meshapi_renderer.rng import Rng

_BITS = 4
_SPAN = 0.013
"""Half a wing span in units."""
_LOOP = 1.7
"""Units a gull flies before it comes back from the other side."""


@dataclass(frozen=True, slots=True)
class _Gull:
    """One bird: where it is at the start (units), heading, pace in units per second, and its rhythm."""

    along: float
    aside: float
    size: float
    pace: float
    phase: float
    weave: float


class Gulls:
    """A few birds on one heading."""

    def __init__(self, rng: Rng, unit: float, light: BeachLight) -> None:
        """``unit`` is in pixels."""
        self._unit = unit
        self._heading = rng.uniform(-0.5, 0.5) + (math.pi if rng.u() < 0.5 else 0.0)
        self._way = light.shadow
        self._shade = float(1 - luminance(light.shade))
        self._white = swatch8(light.colour * np.float32(0.92))
        self._grey = swatch8(light.colour * np.float32(0.52))
        count = 3 + rng.integer(3)
        middle = rng.uniform(-0.25, 0.25)
        self._gulls = [
            _Gull(
                along=-0.35 + 0.22 * index + rng.uniform(-0.06, 0.06),
                aside=middle + rng.uniform(-0.20, 0.20),
                size=rng.uniform(0.8, 1.25),
                pace=rng.uniform(0.050, 0.068),
                phase=rng.u() * math.tau,
                weave=rng.uniform(0.008, 0.02),
            )
            for index in range(count)
        ]

    def draw(self, frame: Bytes8, matrix: Floats, centre: tuple[float, float], seconds: float) -> None:
        """Draw the birds of that moment; ``matrix`` maps layer to frame pixels, ``centre`` is its middle."""
        for gull in self._gulls:
            x, y, heading = self._place(gull, seconds, centre)
            scale = float(matrix[0, 0])
            point = (scale * x + float(matrix[0, 2]), scale * y + float(matrix[1, 2]))
            size = _SPAN * gull.size * self._unit * scale
            wings = _wings(gull, seconds)
            if self._shade > 0.05:
                fall = 5.0 * size
                below = (point[0] + self._way[0] * fall, point[1] + self._way[1] * fall)
                self._shadow(frame, below, size, heading, wings)
            _bird(frame, point, size, heading, wings, self._white, self._grey)

    def _place(self, gull: _Gull, seconds: float, centre: tuple[float, float]) -> tuple[float, float, float]:
        """Layer pixel and heading of a gull."""
        travelled = gull.along + gull.pace * seconds
        along = (travelled + 0.5 * _LOOP) % _LOOP - 0.5 * _LOOP
        sway = 0.5 * seconds + gull.phase
        aside = gull.aside + gull.weave * math.sin(sway)
        turn = math.atan2(gull.weave * 0.5 * math.cos(sway), gull.pace)
        cosine, sine = math.cos(self._heading), math.sin(self._heading)
        x = centre[0] + (along * cosine - aside * sine) * self._unit
        y = centre[1] + (along * sine + aside * cosine) * self._unit
        return x, y, self._heading + turn

    def _shadow(
        self, frame: Bytes8, point: tuple[float, float], size: float, heading: float, wings: float
    ) -> None:
        reach = math.ceil(size * 2) + 2
        left, top = math.floor(point[0]) - reach, math.floor(point[1]) - reach
        height, width = frame.shape[:2]
        if left < 0 or top < 0 or left + 2 * reach >= width or top + 2 * reach >= height:
            return
        mask = np.zeros((2 * reach, 2 * reach, 3), np.uint8)
        tone = (int(120 * self._shade),) * 3
        _bird(mask, (point[0] - left, point[1] - top), size, heading, wings, tone, tone)
        mask = imaging.gaussian(mask, max(0.6, size * 0.12))
        window = frame[top : top + 2 * reach, left : left + 2 * reach]
        cv2.multiply(window, cv2.bitwise_not(mask), window, 1 / 255.0)


def _wings(gull: _Gull, seconds: float) -> float:
    """Spread of the wings, 1 when level: bursts of beats between glides."""
    burst = max(0.0, math.sin(0.7 * seconds + 2.3 * gull.phase))
    return 1.0 - 0.34 * burst * (0.5 - 0.5 * math.cos(11.0 * seconds + gull.phase))


def _bird(
    target: Bytes8,
    point: tuple[float, float],
    size: float,
    heading: float,
    wings: float,
    body: tuple[int, int, int],
    tips: tuple[int, int, int],
) -> None:
    """A gull from above: swept wings with dark tips, a slim body with a tail."""
    cosine, sine = math.cos(heading), math.sin(heading)

    def at(ahead: float, aside: float) -> tuple[int, int]:
        x = point[0] + size * (ahead * cosine - aside * sine)
        y = point[1] + size * (ahead * sine + aside * cosine)
        return round(x * (1 << _BITS)), round(y * (1 << _BITS))

    for flank in (-1.0, 1.0):
        wrist, tip = 0.48 * wings * flank, 1.0 * wings * flank
        inner = [at(0.16, 0.0), at(0.26, wrist), at(0.04, wrist), at(-0.14, 0.0)]
        outer = [at(0.26, wrist), at(0.03, 0.84 * tip), at(-0.06, 0.80 * tip), at(0.04, wrist)]
        end = [at(0.05, 0.80 * tip), at(-0.17, tip), at(-0.07, 0.78 * tip)]
        for shape, colour in ((inner, body), (outer, body), (end, tips)):
            cv2.fillConvexPoly(target, np.array(shape, np.int32), colour, cv2.LINE_AA, _BITS)
    trunk = [at(0.40, 0.0), at(0.12, 0.09), at(-0.42, 0.10), at(-0.42, -0.10), at(0.12, -0.09)]
    cv2.fillConvexPoly(target, np.array(trunk, np.int32), body, cv2.LINE_AA, _BITS)
