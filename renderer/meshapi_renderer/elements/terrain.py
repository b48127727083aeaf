"""Height fields of mountains, on a torus: ridges, then gullies that run down the slopes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import smoothstep
from meshapi_renderer.noise import fbm, rotated_perlin, wrap_blur
from meshapi_renderer.raycast import gradients
from meshapi_renderer.rng import Rng

_BLOCK = 32
"""Rows worked on at a time: their intermediate results stay in the cache."""


def massif(side: int, rng: Rng, cells: float = 3, octaves: int = 4, sharpness: float = 1.3) -> Floats:
    """The large forms, [0, 1]: three octaves of ridges with crests a little rounded, and rough ground."""
    height = np.zeros((side, side), np.float32)
    amplitude = 1.0
    for octave in range(octaves):
        noise = rotated_perlin(side, cells, rng.sub(f"octave {octave}"), octave + 1)
        if octave < 3:
            swing = noise * 2 - 1
            noise = 1 - np.sqrt(swing * swing + np.float32(0.01)) * np.float32(1.5)
        height += noise * np.float32(amplitude)
        amplitude *= 0.42
        cells *= 2
    return np.asarray(unit_range(height) ** np.float32(sharpness))


def unit_range(field: Floats) -> Floats:
    """``field`` moved and scaled to span [0, 1]."""
    low, high = float(field.min()), float(field.max())
    return (field - np.float32(low)) * np.float32(1 / max(high - low, 1e-9))


@dataclass(frozen=True, slots=True)
class Gullies:
    """Strength and size of the erosion marks."""

    depth: float = 0.10
    cells: int = 9
    octaves: int = 5
    gain: float = 0.52


def erode(field: Floats, rng: Rng, gullies: Gullies) -> Floats:
    """Carve gullies and ribs that follow the fall line.

    Each octave sums stripes, one per jittered lattice cell, whose crests point down the local slope; each
    octave adds its own slope to the next one's, so small gullies branch off large ones.
    """
    side = field.shape[0]
    slope_x, slope_z = gradients(wrap_blur(field, side / 170), 1.0)
    steep = np.sqrt(slope_x * slope_x + slope_z * slope_z)
    scale = np.float32(1.0 / (float(steep.mean()) + 1e-9))
    slope_x, slope_z = slope_x * scale, slope_z * scale
    # Summits and hollows have no fall line: there the stripes would meet in a knot.
    strength = smoothstep(0.12, 0.75, steep * scale)
    carved = field.copy()
    amplitude, cells = gullies.depth, gullies.cells
    for octave in range(gullies.octaves):
        steep = np.sqrt(slope_x * slope_x + slope_z * slope_z) + np.float32(1e-4)
        side_x, side_z = -slope_z / steep, slope_x / steep
        wave, push = _stripes(side, cells, side_x, side_z, rng.sub(f"gullies {octave}"))
        carved += np.float32(amplitude) * (wave - np.float32(0.25)) * strength
        slope_x = slope_x + side_x * push * np.float32(0.55)
        slope_z = slope_z + side_z * push * np.float32(0.55)
        amplitude *= gullies.gain
        cells *= 2
    return unit_range(carved)


def _stripes(side: int, cells: int, side_x: Floats, side_z: Floats, rng: Rng) -> tuple[Floats, Floats]:
    """(cosine, minus sine) of the blended stripes whose phase grows along (side_x, side_z)."""
    jitter_x, jitter_z = rng.uniform(-0.5, 0.5, cells, cells), rng.uniform(-0.5, 0.5, cells, cells)
    position = (np.arange(side, dtype=np.float32) + np.float32(0.5)) * np.float32(cells / side)
    cell = np.floor(position).astype(np.int64)
    fraction = position - cell.astype(np.float32)
    cosine, sine = np.empty_like(side_x), np.empty_like(side_x)
    for begin in range(0, side, _BLOCK):
        rows = slice(begin, min(side, begin + _BLOCK))
        across, along = side_x[rows], side_z[rows]
        total = np.full(across.shape, 1e-3, np.float32)
        even, odd = np.zeros_like(total), np.zeros_like(total)
        for down in (-1, 0, 1):
            lattice_rows = (cell[rows] + down) % cells
            for right in (-1, 0, 1):
                pick = np.ix_(lattice_rows, (cell + right) % cells)
                x = (fraction - np.float32(right + 0.5))[None] - jitter_x[pick]
                z = (fraction[rows] - np.float32(down + 0.5))[:, None] - jitter_z[pick]
                phase = x * across
                phase += z * along
                phase *= np.float32(math.tau * 0.95)
                x *= x
                z *= z
                x += z
                weight = np.maximum(1 - x * np.float32(1 / 1.6), 0)
                weight *= weight
                total += weight
                wave_even, wave_odd = cv2.polarToCart(weight, phase)
                even += wave_even
                odd += wave_odd
        cosine[rows], sine[rows] = even / total, -odd / total
    return cosine, sine


def mountain_field(side: int, rng: Rng) -> Floats:
    """Eroded mountains in [0, 1], tileable, shape (side, side)."""
    return erode(massif(side, rng.sub("massif")), rng.sub("gullies"), Gullies())


def hill_field(side: int, rng: Rng) -> Floats:
    """Softer wooded hills in [0, 1], tileable."""
    rolling = fbm(side, side, 4, 5, rng.sub("rolling"), 0.45)
    return erode(unit_range(rolling), rng.sub("gullies"), Gullies(0.05, 12, 3))
