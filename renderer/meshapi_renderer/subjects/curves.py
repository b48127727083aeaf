"""Outlines of figures: closed curves, limbs and discs as arrays of points (n, 2) in figure units, y up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Outline: TypeAlias = NDArray[np.float64]
"""Points (n, 2) of a closed outline."""
Point: TypeAlias = tuple[float, float]


def polygon(*points: Point) -> Outline:
    """An outline with corners."""
    return np.array(points, np.float64)


def smooth(*points: Point, steps: int = 8) -> Outline:
    """A closed curve through all points (Catmull-Rom), each span cut into ``steps``."""
    knots = np.array(points, np.float64)
    before, after, next_after = np.roll(knots, 1, 0), np.roll(knots, -1, 0), np.roll(knots, -2, 0)
    t = (np.arange(steps) / steps)[None, :, None]
    p0, p1, p2, p3 = (item[:, None] for item in (before, knots, after, next_after))
    curve = p1 + 0.5 * t * ((p2 - p0) + t * ((2 * p0 - 5 * p1 + 4 * p2 - p3) + t * (3 * (p1 - p2) + p3 - p0)))
    return np.asarray(curve.reshape(-1, 2))


def disc(x: float, y: float, radius_x: float, radius_y: float | None = None, turn: float = 0.0) -> Outline:
    """An ellipse; ``turn`` in radians, counter-clockwise."""
    angle = np.linspace(0, math.tau, 40, endpoint=False)
    across, up = radius_x * np.cos(angle), (radius_x if radius_y is None else radius_y) * np.sin(angle)
    cosine, sine = math.cos(turn), math.sin(turn)
    return np.stack([x + across * cosine - up * sine, y + across * sine + up * cosine], axis=1)


def limb(points: Sequence[Point], radii: Sequence[float]) -> list[Outline]:
    """A rounded limb along joints, each with its thickness: discs and the tapers between them."""
    shapes = [disc(x, y, radius) for (x, y), radius in zip(points, radii, strict=True)]
    for index in range(len(points) - 1):
        start, end = np.array(points[index]), np.array(points[index + 1])
        along = end - start
        length = float(np.hypot(*along))
        if length > 1e-6:
            aside = np.array([-along[1], along[0]]) / length
            first, last = aside * radii[index], aside * radii[index + 1]
            shapes.append(np.array([start + first, end + last, end - last, start - first]))
    return shapes


def bend(start: Point, end: Point, upper: float, lower: float, forward: float) -> Point:
    """Where the joint of a two-part limb lies; ``forward`` (+1 or -1) is the side it bends to.

    A limb too short to reach is stretched straight.
    """
    across, up = end[0] - start[0], end[1] - start[1]
    reach = min(max(math.hypot(across, up), 1e-6), 0.999 * (upper + lower))
    cosine = (upper * upper + reach * reach - lower * lower) / (2 * upper * reach)
    angle = math.atan2(up, across) + forward * math.acos(min(1.0, max(-1.0, cosine)))
    return start[0] + upper * math.cos(angle), start[1] + upper * math.sin(angle)


def moved(outline: Outline, x: float, y: float, turn: float = 0.0) -> Outline:
    """The outline turned about its origin by ``turn`` radians, then shifted."""
    cosine, sine = math.cos(turn), math.sin(turn)
    return np.asarray(outline @ np.array([[cosine, sine], [-sine, cosine]]) + (x, y))
