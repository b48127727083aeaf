"""Parasols and towels on the sand, seen from above."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import linear
from meshapi_renderer.elements.coast import Coast
from meshapi_renderer.rng import Rng

_BITS = 4
_SECTORS = 10
_PAIRS = (
    ("e8452c", "f6efe2"),
    ("1f8fb8", "f6efe2"),
    ("f2b632", "f6efe2"),
    ("e8452c", "f2b632"),
    ("14806f", "f0e6cf"),
    ("d94f7c", "f8ead0"),
)
_TOWELS = ("f3f0e8", "3a7fb0", "e2703a", "d9c24a", "b04a6a", "4fa08c")
_SPOTS = 15


@dataclass(frozen=True, slots=True)
class Parasol:
    """One parasol with its towels; lengths in pixels of the layer."""

    x: float
    y: float
    radius: float
    turn: float
    colours: tuple[str, str]
    towels: tuple[tuple[float, str], ...]
    """Bearing from the pole and colour of each."""

    def moved(self, rows: float) -> Parasol:
        """The same parasol ``rows`` further down."""
        return replace(self, y=self.y + rows)


def place_parasols(coast: Coast, rng: Rng, unit: float, centre: tuple[float, float]) -> list[Parasol]:
    """A loose row along the dry sand; ``centre`` is the middle of the picture in layer pixels."""
    found: list[Parasol] = []
    start = rng.uniform(-0.75, -0.70)
    pairs = [rng.pick(_PAIRS) for _ in range(2)]
    for spot in range(_SPOTS):
        # Draw everything for every spot, so that skipping one does not change the next.
        aside, row, keep, turn = rng.uniform(-0.025, 0.025), rng.uniform(0.092, 0.132), rng.u(), rng.u()
        colours, radius = rng.pick(pairs), rng.uniform(0.0115, 0.0145)
        towels = tuple((rng.uniform(-0.9, 0.9), rng.pick(_TOWELS)) for _ in range(2))
        point = _on_sand(coast, start + 0.103 * spot + aside, row)
        if keep < 0.62:
            x, y = point[0] * unit + centre[0], point[1] * unit + centre[1]
            seaward = math.atan2(-coast.inland_direction[1], -coast.inland_direction[0])
            bearings = tuple((seaward + bearing, colour) for bearing, colour in towels)
            found.append(Parasol(x, y, radius * unit, turn * math.tau, colours, bearings))
    return found


def _on_sand(coast: Coast, along: float, inland: float) -> tuple[float, float]:
    """The point of the picture at a distance along the beach and inland, in units."""
    into_x, into_y = coast.inland_direction
    side_x, side_y = into_y, -into_x
    far = 0.0
    for _ in range(4):
        x, y = side_x * along + into_x * far, side_y * along + into_y * far
        here = coast.inland(*coast.locate(np.full((1, 1), x, np.float32), np.full((1, 1), y, np.float32)))
        far += inland - float(here[0, 0])
    return side_x * along + into_x * far, side_y * along + into_y * far


def paint_parasols(albedo: Floats, parasols: list[Parasol], sun_bearing: float) -> None:
    """Draw them onto the ground's albedo (h, w, 3) in place; light comes from ``sun_bearing`` (radians)."""
    for parasol in parasols:
        for bearing, colour in parasol.towels:
            _towel(albedo, parasol, bearing, colour)
        for sector in range(_SECTORS):
            begin = parasol.turn + math.tau * sector / _SECTORS
            middle = begin + math.pi / _SECTORS
            shade = 0.78 + 0.22 * math.cos(middle - sun_bearing)
            corners = [(parasol.x, parasol.y)]
            for step in (0.0, 0.5, 1.0):
                reach = parasol.radius * (0.965 if step == 0.5 else 1.0)
                angle = begin + step * math.tau / _SECTORS
                corners.append((parasol.x + reach * math.cos(angle), parasol.y + reach * math.sin(angle)))
            _fill(albedo, corners, linear(parasol.colours[sector % 2]) * np.float32(shade))
        _disc(albedo, parasol.x, parasol.y, parasol.radius * 0.07, linear("f6efe2"))


def shade_parasols(shadow: Bytes8, parasols: list[Parasol], way: tuple[float, float]) -> None:
    """Draw their shadows into ``shadow``; ``way`` is where the shadow of a unit of height falls."""
    for parasol in parasols:
        height = 1.15 * parasol.radius
        x, y = parasol.x + way[0] * height, parasol.y + way[1] * height
        _disc(shadow, x, y, parasol.radius * 1.02, 225.0)


def _towel(albedo: Floats, parasol: Parasol, bearing: float, colour: str) -> None:
    reach, length, width = 1.9 * parasol.radius, 0.78 * parasol.radius, 0.36 * parasol.radius
    x, y = parasol.x + reach * math.cos(bearing), parasol.y + reach * math.sin(bearing)
    along = (math.cos(bearing), math.sin(bearing))
    for share, tone in ((1.0, linear(colour)), (0.55, linear(colour) * np.float32(0.7) + np.float32(0.12))):
        corners = [
            (
                x + a * length * along[0] - b * width * share * along[1],
                y + a * length * along[1] + b * width * share * along[0],
            )
            for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ]
        _fill(albedo, corners, tone)


def _fill(target: Floats, corners: list[tuple[float, float]], colour: Floats) -> None:
    points = np.round(np.array(corners) * (1 << _BITS)).astype(np.int32)
    cv2.fillConvexPoly(target, points, [float(v) for v in colour], cv2.LINE_AA, _BITS)


def _disc(target: Floats | Bytes8, x: float, y: float, radius: float, colour: Floats | float) -> None:
    centre = (round(x * (1 << _BITS)), round(y * (1 << _BITS)))
    value = [float(v) for v in np.atleast_1d(np.asarray(colour))]
    cv2.circle(target, centre, max(4, round(radius * (1 << _BITS))), value, -1, cv2.LINE_AA, _BITS)
