"""What hangs and stands in a street: signs that jut out, lamps, strings of bulbs, all as painted light."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import linear, rgb
from meshapi_renderer.elements.city_light import CityLight
from meshapi_renderer.rng import Rng

_BITS = 4


@dataclass(frozen=True, slots=True)
class StreetEye:
    """Where the street is looked at from: a pixel of the vanishing point, focal length, height in metres."""

    column: float
    row: float
    focal: float
    height: float

    def place(self, right: float, up: float, away: float) -> tuple[float, float]:
        """The pixel of a point in metres."""
        return self.column + self.focal * right / away, self.row + self.focal * (self.height - up) / away


class Brush:
    """Fills polygons and lines of linear light on a picture in progress."""

    def __init__(self, light: Floats, alpha: Floats, eye: StreetEye) -> None:
        self._light, self._alpha, self._eye = light, alpha, eye

    def quad(self, corners: list[tuple[float, float, float]], colour: Floats) -> None:
        """A filled shape whose corners are (right, up, away) in metres."""
        points = [self._eye.place(*corner) for corner in corners]
        fixed = np.round(np.array(points) * (1 << _BITS)).astype(np.int32)
        cv2.fillConvexPoly(self._light, fixed, [float(c) for c in colour], cv2.LINE_8, _BITS)
        cv2.fillConvexPoly(self._alpha, fixed, 1.0, cv2.LINE_8, _BITS)

    def line(
        self, a: tuple[float, float, float], b: tuple[float, float, float], width: float, colour: Floats
    ) -> None:
        """A line ``width`` metres thick; a line thinner than a pixel is drawn paler."""
        pixels = width * self._eye.focal / (0.5 * (a[2] + b[2]))
        share = min(1.0, pixels)
        start, end = (np.round(np.array(self._eye.place(*p)) * (1 << _BITS)).astype(int) for p in (a, b))
        thick = max(1, round(pixels))
        shade = [float(c) for c in colour]
        cv2.line(self._light, tuple(start.tolist()), tuple(end.tolist()), shade, thick, cv2.LINE_8, _BITS)
        if share > 0.3:
            cv2.line(self._alpha, tuple(start.tolist()), tuple(end.tolist()), share, thick, cv2.LINE_8, _BITS)

    def ball(self, at: tuple[float, float, float], radius: float, colour: Floats) -> None:
        """A small disc of light."""
        pixels = max(0.6, radius * self._eye.focal / at[2])
        centre = np.round(np.array(self._eye.place(*at)) * (1 << _BITS)).astype(int)
        size = round(pixels * (1 << _BITS))
        middle = (int(centre[0]), int(centre[1]))
        cv2.circle(self._light, middle, size, [float(c) for c in colour], -1, cv2.LINE_8, _BITS)
        cv2.circle(self._alpha, middle, size, 1.0, -1, cv2.LINE_8, _BITS)


def jut_out_sign(brush: Brush, side: float, wall: float, away: float, light: CityLight, rng: Rng) -> None:
    """A tall sign that stands out from the wall and faces the viewer, with strokes like writing."""
    wide, low = rng.uniform(0.7, 1.15), rng.uniform(4.0, 6.2)
    tall = rng.uniform(2.4, 5.2)
    inner, outer = wall - 0.15, wall - 0.15 - wide
    tone = rng.pick(light.neon_colours)
    other = rng.pick(light.neon_colours)
    shine = np.float32(1.0 if light.dark else 0.18)
    board = tone * np.float32(0.10) * shine + light.front * np.float32(0.05) + rgb(0.006, 0.006, 0.009)
    filled = rng.u() < 0.4

    def rect(x0: float, x1: float, y0: float, y1: float, colour: Floats) -> None:
        a, b = side * x0, side * x1
        brush.quad([(a, y0, away), (b, y0, away), (b, y1, away), (a, y1, away)], colour)

    rect(outer - 0.05, inner + 0.05, low - 0.05, low + tall + 0.05, tone * np.float32(1.1) * shine + board)
    rect(
        outer + 0.03,
        inner - 0.03,
        low + 0.03,
        low + tall - 0.03,
        tone * np.float32(0.75) * shine if filled else board,
    )
    signs = max(2, round(tall / (0.95 * wide)))
    ink = (rgb(1.0, 0.98, 0.94) * np.float32(1.6) if filled else other * np.float32(1.9)) * shine
    cell = tall / signs
    for index in range(signs):
        base = low + tall - (index + 1) * cell
        for _ in range(3 + rng.integer(3)):
            if rng.u() < 0.55:
                y = base + cell * rng.uniform(0.2, 0.85)
                x = outer + wide * rng.uniform(0.14, 0.35)
                rect(x, x + wide * rng.uniform(0.3, 0.5), y, y + 0.09 * cell, ink)
            else:
                x = outer + wide * rng.uniform(0.2, 0.8)
                y = base + cell * rng.uniform(0.12, 0.4)
                rect(x, x + 0.09 * wide, y, y + cell * rng.uniform(0.3, 0.5), ink)


def lamp_post(brush: Brush, side: float, kerb: float, away: float, light: CityLight) -> None:
    """A lamp on a post at the kerb, its arm over the road."""
    metal = rgb(0.012, 0.013, 0.015) + light.front * np.float32(0.05)
    x = side * kerb
    brush.line((x, 0.0, away), (x, 5.6, away), 0.14, metal)
    brush.line((x, 5.6, away), (x - side * 1.3, 6.0, away), 0.09, metal)
    glow = linear("ffdca8") * np.float32(3.4 if light.dark else 0.25)
    brush.quad(
        [
            (x - side * 0.9, 5.92, away), (x - side * 1.75, 5.98, away),
            (x - side * 1.75, 5.84, away), (x - side * 0.9, 5.78, away),
        ],
        glow,
    )  # fmt: skip


def bulb_string(brush: Brush, wall: float, away: float, light: CityLight, rng: Rng) -> None:
    """A sagging string of bulbs from house to house."""
    high, sag = rng.uniform(6.0, 8.0), rng.uniform(0.9, 1.6)
    tone = linear("ffcf8a") * np.float32(2.4 if light.dark else 0.4)
    wire = rgb(0.008, 0.008, 0.01)
    points = []
    for index in range(23):
        share = index / 22
        points.append((wall * (2 * share - 1), high - sag * math.sin(math.pi * share), away))
    for a, b in itertools.pairwise(points):
        brush.line(a, b, 0.025, wire)
    for point in points[1:-1]:
        brush.ball((point[0], point[1] - 0.12, away), 0.075, tone)
