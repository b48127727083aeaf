"""Tileable noise: value, Perlin, fractal sums, and warps on a torus.

A generator's draws depend on its lattice, never on the size it is sampled at, and :func:`fbm` uses up one
draw whatever it does: a small picture and a large one show the same noise.
"""

from __future__ import annotations

import math
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Floats
from meshapi_renderer.rng import Rng

remap = imaging.remap
_ROTATIONS = ((1, 0), (2, 1), (1, -2), (2, 2), (-1, 2), (3, 1))
_SAMPLES_PER_CELL = 1.5


def _spline(samples: int, cells: int) -> tuple[NDArray[np.int64], Floats]:
    """Lattice indices and cubic B-spline weights, both (4, samples), of sample centres on a ring of cells."""
    position = (np.arange(samples, dtype=np.float64) + 0.5) * (cells / samples)
    base = np.floor(position).astype(np.int64)
    t = position - base
    weights = np.stack(
        [
            (1 - t) ** 3 / 6,
            (3 * t**3 - 6 * t**2 + 4) / 6,
            (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
            t**3 / 6,
        ]
    ).astype(np.float32)
    return (base[None] + np.arange(-1, 3)[:, None]) % cells, weights


def value_noise(h: int, w: int, cells_y: int, cells_x: int, rng: Rng) -> Floats:
    """Tileable cubic B-spline noise, about [0, 1], shape (h, w), from a lattice of cells_y x cells_x draws.

    The spline weights are exact, because a remap would quantise them into terraces.
    """
    rows, columns = max(1, cells_y), max(1, cells_x)
    lattice = (rng.u(rows, columns) - np.float32(0.5)) * np.float32(1.9) + np.float32(0.5)
    index_y, weight_y = _spline(h, rows)
    index_x, weight_x = _spline(w, columns)
    wide = np.zeros((rows, w), np.float32)
    for k in range(4):
        wide += lattice[:, index_x[k]] * weight_x[k][None]
    out = np.zeros((h, w), np.float32)
    for k in range(4):
        out += wide[index_y[k]] * weight_y[k][:, None]
    return out


def _quintic(t: Floats) -> Floats:
    return t * t * t * (t * (t * 6 - 15) + 10)


def _lattice_line(samples: int, cells: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    position = (np.arange(samples) + 0.5) * (cells / samples)
    base = np.floor(position).astype(np.int64)
    fraction = (position - base).astype(np.float32)
    return base % cells, (base + 1) % cells, fraction


def perlin(h: int, w: int, cells_y: int, cells_x: int, rng: Rng) -> Floats:
    """Tileable Perlin gradient noise, about [0, 1], shape (h, w) (Perlin, "Improving noise", 2002)."""
    rows, columns = max(1, cells_y), max(1, cells_x)
    angle = rng.u(rows, columns) * np.float32(2 * math.pi)
    gradient_x, gradient_y = np.cos(angle), np.sin(angle)
    top, bottom, fy = _lattice_line(h, rows)
    left, right, fx = _lattice_line(w, columns)
    fy, fx = fy[:, None], fx[None]
    ease_y, ease_x = _quintic(fy), _quintic(fx)

    def corner(row: NDArray[np.int64], column: NDArray[np.int64], oy: float, ox: float) -> Floats:
        along_x = gradient_x[row][:, column] * (fx - np.float32(ox))
        return np.asarray(along_x + gradient_y[row][:, column] * (fy - np.float32(oy)))

    upper = corner(top, left, 0, 0)
    upper += (corner(top, right, 0, 1) - upper) * ease_x
    lower = corner(bottom, left, 1, 0)
    lower += (corner(bottom, right, 1, 1) - lower) * ease_x
    return np.asarray((upper + (lower - upper) * ease_y) * np.float32(0.72) + np.float32(0.5))


def rotated_perlin(size: int, cells: float, rng: Rng, octave: int) -> Floats:
    """A square Perlin octave whose lattice is turned by an integer, tile-preserving map.

    Octaves turned against each other hide the lattice that aligned ones show as a grid.
    """
    a, b = _ROTATIONS[octave % len(_ROTATIONS)]
    count = max(1, round(cells / math.hypot(a, b)))
    flat = perlin(size, size, count, count, rng)
    if b == 0:
        return flat
    y, x = np.arange(size)[:, None], np.arange(size)[None]
    return np.asarray(flat[(a * y + b * x) % size, (a * x - b * y) % size])


def fbm(
    h: int,
    w: int,
    cells: float,
    octaves: int,
    rng: Rng,
    gain: float = 0.5,
    lacunarity: float = 2,
    aspect: float = 1.0,
    ridge: bool = False,
) -> Floats:
    """Fractal sum of value noise, about [0, 1], tileable, shape (h, w).

    ``cells`` is the lattice height of the first octave and ``cells * aspect`` its width. Octaves finer than
    the sampling can show are left out of the sum, not out of its weight, so sizes agree in brightness.
    """
    source = rng.fork()
    out = np.zeros((h, w), np.float32)
    amplitude, total = 1.0, 0.0
    rows, columns = float(cells), max(1.0, cells * aspect)
    for octave in range(octaves):
        if rows <= h / _SAMPLES_PER_CELL and columns <= w / _SAMPLES_PER_CELL:
            layer = value_noise(h, w, round(rows), round(columns), source.sub(f"octave {octave}"))
            if ridge:
                layer = 1 - np.abs(layer * 2 - 1)
            out += layer * np.float32(amplitude)
        else:
            out += np.float32(amplitude * 0.5)
        total += amplitude
        amplitude *= gain
        rows *= lacunarity
        columns *= lacunarity
    return out * np.float32(1 / total)


def line_noise(w: int, cells: int, octaves: int, rng: Rng, gain: float = 0.5) -> Floats:
    """Fractal noise along a line, about [0, 1], shape (w,); tileable."""
    source = rng.fork()
    out = np.zeros(w, np.float32)
    amplitude, total = 1.0, 0.0
    for octave in range(octaves):
        count = cells << octave
        if count <= w / _SAMPLES_PER_CELL:
            out += value_noise(1, w, 1, count, source.sub(f"octave {octave}"))[0] * np.float32(amplitude)
        else:
            out += np.float32(amplitude * 0.5)
        total += amplitude
        amplitude *= gain
    return out * np.float32(1 / total)


def wrap_blur(image: Floats, sigma: float) -> Floats:
    """Gaussian blur on a torus."""
    pad = int(sigma * 4) + 2
    widths = ((pad, pad), (pad, pad)) + ((0, 0),) * (image.ndim - 2)
    blurred = cv2.GaussianBlur(np.pad(image, widths, mode="wrap"), (0, 0), sigma)
    return np.ascontiguousarray(cast(Floats, blurred)[pad:-pad, pad:-pad])


def warp(image: Floats, dx: Floats | float, dy: Floats | float) -> Floats:
    """``image`` on a torus, displaced by (dx, dy) pixels."""
    h, w = image.shape[:2]
    columns = np.arange(w, dtype=np.float32)[None] + np.zeros((h, 1), np.float32)
    rows = np.arange(h, dtype=np.float32)[:, None] + np.zeros((1, w), np.float32)
    return cast(Floats, imaging.Torus(image).at(columns + dx, rows + dy))
