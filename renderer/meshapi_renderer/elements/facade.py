"""Windows of a facade, averaged exactly over every pixel.

A lattice of windows finer than the pixels turns into an even glow and a coarse one into sharp panes, so a
small frame shows the building of a large one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meshapi_renderer.array_types import Floats
from meshapi_renderer.rng import Rng


@dataclass(frozen=True, slots=True)
class Lattice:
    """Windows along one direction of a facade, in pixels."""

    start: float
    """Where the first cell begins."""
    pitch: float
    fill: float
    """Share of a cell that is glass, in its middle."""
    count: int


def lattice(start: float, length: float, pitch: float, fill: float) -> Lattice:
    """As many whole cells of about ``pitch`` as fit into ``length``, at least one."""
    count = max(1, round(length / pitch))
    return Lattice(start, length / count, fill, count)


def _running(lattice: Lattice, values: Floats, edges: Floats) -> Floats:
    """Integral of the windows' values from the start to each pixel edge, in cells."""
    place = np.clip((edges - np.float32(lattice.start)) / np.float32(lattice.pitch), 0, lattice.count)
    cell = np.minimum(place.astype(np.int32), lattice.count - 1)
    gap = np.float32(0.5 * (1 - lattice.fill))
    inside = np.clip(place - cell - gap, 0, lattice.fill).astype(np.float32)
    whole = np.zeros((lattice.count + 1, *values.shape[1:]), np.float32)
    np.cumsum(values, 0, out=whole[1:])
    shape = (-1,) + (1,) * (values.ndim - 1)
    total: Floats = whole[cell] * np.float32(lattice.fill) + values[cell] * inside.reshape(shape)
    return total


def spread(lattice: Lattice, values: Floats, first: int, pixels: int) -> Floats:
    """Mean of ``values`` (count, ...) over each of ``pixels`` pixels from ``first`` on: (pixels, ...)."""
    edges = np.arange(first, first + pixels + 1, dtype=np.float32)
    return np.asarray(np.diff(_running(lattice, values, edges), axis=0) * np.float32(lattice.pitch))


def panes(rows: Lattice, columns: Lattice, window: tuple[slice, slice]) -> Floats:
    """Share of glass in every pixel of a window of the picture, (h, w)."""
    down, across = window
    vertical = spread(rows, np.ones(rows.count, np.float32), down.start, down.stop - down.start)
    horizontal = spread(columns, np.ones(columns.count, np.float32), across.start, across.stop - across.start)
    return vertical[:, None] * horizontal[None]


def lit_panes(rows: Lattice, columns: Lattice, values: Floats, window: tuple[slice, slice]) -> Floats:
    """Light of windows ``values`` (rows, columns, k) in every pixel of a window of the picture, (h, w, k)."""
    down, across = window
    tall = spread(rows, values, down.start, down.stop - down.start)
    wide = spread(columns, np.swapaxes(tall, 0, 1), across.start, across.stop - across.start)
    return np.swapaxes(wide, 0, 1)


def occupancy(rng: Rng, rows: int, columns: int, share: float, warmth: float) -> Floats:
    """Which windows are lit and how: warm and cool light per window, (rows, columns, 2).

    Whole floors and columns are busier than others, as in an office at night.
    """
    floors = np.clip(rng.u(rows, 1) * 1.5 - 0.25, 0, 1)
    shafts = np.clip(rng.u(1, columns) * 0.8 + 0.3, 0, 1)
    lit = rng.u(rows, columns) < share * (0.35 + 1.1 * floors) * shafts
    tint = np.clip(warmth + rng.normal(rows, columns) * 0.22, 0, 1)
    level = (0.25 + rng.u(rows, columns) ** 2 * 1.5) * lit
    return np.dstack([level * tint, level * (1 - tint)]).astype(np.float32)
