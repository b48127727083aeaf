"""Outlines of towers as signed distances, so that their edges are smooth at every size."""

from __future__ import annotations

import numpy as np

from meshapi_renderer.array_types import Floats
from meshapi_renderer.elements.skyline import Tower


def coverage(tower: Tower, u: Floats, v: Floats, width: float, height: float) -> Floats:
    """How much of each pixel the tower covers, (h, w).

    ``u`` (1, w) runs from 0 at its left wall to 1 at its right, ``v`` (h, 1) from 0 at its top to 1 at its
    foot; ``width`` and ``height`` are in pixels.
    """
    side = np.minimum(u, 1 - u) * np.float32(width)
    top = v * np.float32(height)
    distance = np.minimum(side, top)
    if tower.shape == "step":
        distance = _stepped(tower, u, v, width, height)
    elif tower.shape == "taper":
        half = 0.5 * np.clip(
            0.26 + 0.74 * (np.maximum(v, 0) * np.float32(0.9 + 0.5 * tower.bend)) ** np.float32(0.6), 0, 1
        )
        distance = np.minimum((half - np.abs(u - np.float32(0.5))) * np.float32(width), top)
    elif tower.shape == "slant":
        drop = np.float32(0.07 + 0.13 * tower.bend)
        ramp = drop * (np.float32(0.5) + (u - np.float32(0.5)) * np.float32(tower.lean))
        distance = np.minimum(side, (v - ramp) * np.float32(height))
    elif tower.shape == "dome":
        distance = np.minimum(side, _domed(tower, u, v, width, height))
    elif tower.shape == "notch":
        at, reach = 0.5 + 0.2 * tower.lean * tower.bend, 0.10 + 0.08 * tower.bend
        gap = np.maximum(np.abs(u - np.float32(at)) - np.float32(reach), 0) * np.float32(width)
        distance = np.minimum(distance, np.maximum(gap, (v - np.float32(0.10)) * np.float32(height)))
    return np.asarray(np.clip(distance + np.float32(0.5), 0, 1), np.float32)


def _stepped(tower: Tower, u: Floats, v: Floats, width: float, height: float) -> Floats:
    """Set back twice towards the top."""
    first = 0.07 + 0.11 * tower.bend
    distance = np.full(np.broadcast_shapes(u.shape, v.shape), -1e6, np.float32)
    for begins, inset in ((0.0, 0.25), (first, 0.125), (2.2 * first, 0.0)):
        aside = (np.minimum(u, 1 - u) - np.float32(inset)) * np.float32(width)
        distance = np.maximum(distance, np.minimum(aside, (v - np.float32(begins)) * np.float32(height)))
    return distance


def _domed(tower: Tower, u: Floats, v: Floats, width: float, height: float) -> Floats:
    """A rounded top as high as half the tower is wide, or less."""
    rise = min(0.4, (0.25 + 0.3 * tower.bend) * width / height)
    aside = np.clip(np.abs(u - np.float32(0.5)) * 2, 0, 1)
    roof = np.float32(rise) * (1 - np.sqrt(np.maximum(1 - aside * aside, 0)))
    return np.asarray((v - roof) * np.float32(height))
