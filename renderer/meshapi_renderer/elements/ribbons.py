"""Ribbons of light: bundles of curves that wave, fold and twist, drawn as silk and as threads.

Lengths are in units of the geometric mean of the frame's sides, so that a portrait frame shows the same
waves as a wide one, only fewer of them. The silk is the density of a ribbon's surface seen edge-on: where
the surface folds, light gathers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import mix
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scratch

Indices: TypeAlias = NDArray[np.int32]

KNOTS = 97
"""Points along each drawn curve; the spacing is far below the shortest wave."""
SILK_STRANDS = 72
_SILK_STEP = 2
"""Grid columns per column of silk: it changes slowly along its length."""
_SILK_GAIN = 9.0
_SUBPIXEL_BITS = 4
_SUBPIXEL = 1 << _SUBPIXEL_BITS
_THREAD_LEVEL = 178.0
"""Display level of a thread of full brightness."""
_OVERHANG = 0.12
"""Share of the frame's width that the curves run on beyond each side, for the camera."""


@dataclass(frozen=True, slots=True)
class Wave:
    """One sine along a ribbon."""

    frequency: float
    """Cycles per unit length."""
    rate: float
    """Radians per second."""
    phase: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ribbon:
    """One bundle of threads."""

    threads: int
    level: float
    """Height of its middle, as a share of the frame from the top."""
    waves: tuple[Wave, ...]
    spread: float
    twist: float
    phase: float
    pace: float
    first: Floats
    """Linear colour of one edge."""
    second: Floats
    """Linear colour of the other edge."""
    brightness: float
    depth: float


def scatter_ribbons(rng: Rng, colours: tuple[Floats, ...], count: int = 4) -> tuple[Ribbon, ...]:
    """``count`` ribbons, far to near, in neighbouring pairs of the given linear colours."""
    return tuple(_ribbon(rng.sub(f"ribbon {index}"), index, count, colours) for index in range(count))


def _ribbon(rng: Rng, index: int, count: int, colours: tuple[Floats, ...]) -> Ribbon:
    nearness = index / max(1, count - 1)
    amplitude = rng.uniform(0.055, 0.125)
    waves = tuple(
        Wave(
            frequency=rng.uniform(0.45, 1.15),
            rate=rng.uniform(0.40, 0.95) * rng.sign(),
            phase=rng.u() * math.tau,
            height=amplitude / (order + 1),
        )
        for order in range(3)
    )
    return Ribbon(
        threads=24 + rng.integer(14),
        level=rng.uniform(0.32, 0.49),
        waves=waves,
        spread=rng.uniform(0.055, 0.105),
        twist=rng.uniform(0.35, 0.85),
        phase=rng.u() * math.tau,
        pace=rng.uniform(0.8, 1.2),
        first=colours[index % len(colours)],
        second=colours[(index + 1) % len(colours)],
        brightness=0.55 + 0.45 * nearness,
        depth=2.4 - 1.4 * nearness,
    )


def curves(ribbon: Ribbon, along: Floats, across: Floats, seconds: float) -> Floats:
    """Heights below the ribbon's middle, in units, for positions ``along`` (1, n) and ``across`` (m, 1).

    ``across`` runs from -1 at one edge to 1 at the other.
    """
    t = seconds * ribbon.pace
    middle = np.zeros_like(along)
    for wave in ribbon.waves:
        middle += np.sin(along * (math.tau * wave.frequency) + (wave.rate * t + wave.phase)) * wave.height
    breadth = ribbon.spread * (1.0 + 0.85 * np.sin(along * (math.tau * 0.72) + (0.5 * t + ribbon.phase)))
    turn = np.sin(along * (math.tau * ribbon.twist) + across * 0.95 + (0.6 * t + 2 * ribbon.phase))
    flutter = 0.010 * np.sin(along * 7.0 + across * 3.0 + t)
    return np.asarray(middle + breadth * across * turn + flutter, np.float32)


def pulse(ribbon: Ribbon, along: Floats, seconds: float) -> Floats:
    """Brightness 0.55 to 1 that runs along the ribbon."""
    run = np.sin(along * (math.tau * 0.55) - (1.25 * ribbon.pace * seconds - ribbon.phase))
    return np.asarray(0.78 + 0.22 * run, np.float32)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a ribbon's plane lies in the picture: frame pixels are scale * plane pixels + shift."""

    scale: float
    shift_x: float
    shift_y: float


def _unit(canvas: Canvas) -> float:
    """Pixels per unit: the geometric mean of the sides, a little more in portrait to fill its height."""
    upright = math.pow(max(1.0, canvas.height / canvas.width), 0.35)
    return math.sqrt(canvas.width * canvas.height) * upright


def _positions(canvas: Canvas, count: int) -> tuple[Floats, Floats]:
    """Plane pixels and positions in units of ``count`` knots that run past both sides, shape (1, n)."""
    share = np.linspace(-_OVERHANG, 1 + _OVERHANG, count, dtype=np.float32)[None]
    pixels = share * np.float32(canvas.width)
    return pixels, (pixels - np.float32(0.5 * canvas.width)) / np.float32(_unit(canvas))


def draw_threads(
    picture: Bytes8, ribbon: Ribbon, canvas: Canvas, placement: Placement, seconds: float, scratch: Scratch
) -> None:
    """Add the ribbon's threads to display bytes, frame size, as antialiased curves."""
    pixels, along = _positions(canvas, KNOTS)
    across = np.linspace(-1, 1, ribbon.threads, dtype=np.float32)[:, None]
    rows = curves(ribbon, along, across, seconds) * np.float32(_unit(canvas))
    rows += np.float32(ribbon.level * canvas.height)
    x = np.broadcast_to(pixels * np.float32(placement.scale) + np.float32(placement.shift_x), rows.shape)
    y = rows * np.float32(placement.scale) + np.float32(placement.shift_y)
    points = np.round(np.stack([x, y], -1) * _SUBPIXEL).astype(np.int32)
    top = max(0, math.floor(float(y.min())) - 3)
    bottom = min(canvas.height, math.ceil(float(y.max())) + 3)
    if bottom <= top:
        return
    points[..., 1] -= top * _SUBPIXEL
    layer = scratch.array("threads", (canvas.height, canvas.width, 3))[top:bottom]
    layer[...] = 0
    thicknesses, colours = _thread_looks(ribbon, canvas)
    for line, thickness, colour in zip(points, thicknesses, colours, strict=True):
        cv2.polylines(layer, [line], False, colour, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)
    window = picture[top:bottom]
    cv2.add(window, layer, window)


def _thread_looks(ribbon: Ribbon, canvas: Canvas) -> tuple[list[int], list[list[float]]]:
    """Thickness in pixels and display colour of every thread: the ribbon's edges are thicker and brighter."""
    share = np.linspace(0, 1, ribbon.threads, dtype=np.float32)[:, None]
    edge = np.abs(2 * share - 1) ** np.float32(2.2)
    wished = np.float32(canvas.scale) * (1 + np.float32(0.7) * edge)
    thickness = np.maximum(1, np.round(wished))
    # A line cannot be thinner than a pixel: draw it fainter instead, so that a small frame keeps its look.
    weight = np.minimum(1, wished / thickness) * np.float32(_THREAD_LEVEL)
    light = mix(ribbon.first, ribbon.second, share)
    light = light * ((np.float32(0.24) + np.float32(0.76) * edge) * np.float32(ribbon.brightness))
    colours = np.power(np.clip(light, 0, 1), np.float32(1 / 2.2)) * weight
    return [int(value) for value in thickness[:, 0]], colours.tolist()


def add_silk(light: Floats, ribbon: Ribbon, canvas: Canvas, placement: Placement, seconds: float) -> Floats:
    """Add the ribbon's surface to linear light on a grid canvas, in place; returns its density (h, w).

    ``light`` comes as three planes, shape (3, h, w): one-colour sums on planes are several times faster.
    """
    height, width = light.shape[1:]
    columns = max(2, width // _SILK_STEP)
    _, along = _positions(canvas, KNOTS)
    across = np.linspace(-1, 1, SILK_STRANDS, dtype=np.float32)[:, None]
    rows = curves(ribbon, along, across, seconds) * np.float32(_unit(canvas))
    rows += np.float32(ribbon.level * canvas.height)
    knot, part = _knots_of_columns(columns, canvas, placement)
    y = rows[:, knot] * (1 - part) + rows[:, knot + 1] * part
    y = y * np.float32(placement.scale) + np.float32(placement.shift_y)
    run = pulse(ribbon, along, seconds)
    glow = run[:, knot] * (1 - part) + run[:, knot + 1] * part
    # Strands per row of the grid fall with the grid's height and rise with the number of strands.
    share = np.float32(ribbon.brightness * _SILK_GAIN * height / (SILK_STRANDS * 243.0))
    first, second = (
        cv2.resize(plane * (glow * share), (width, height), interpolation=cv2.INTER_LINEAR)
        for plane in _splat(y, across, height)
    )
    for plane, one, other in zip(light, ribbon.first, ribbon.second, strict=True):
        cv2.scaleAdd(first, float(one), plane, plane)
        cv2.scaleAdd(second, float(other), plane, plane)
    return np.asarray(first + second, np.float32)


def _knots_of_columns(columns: int, canvas: Canvas, placement: Placement) -> tuple[Indices, Floats]:
    """For each silk column, the knot before it and how far it is from there to the next one."""
    centre = (np.arange(columns, dtype=np.float32) + np.float32(0.5)) * np.float32(canvas.width / columns)
    pixel = (centre - np.float32(placement.shift_x)) / np.float32(placement.scale)
    share = (pixel / np.float32(canvas.width) + np.float32(_OVERHANG)) / np.float32(1 + 2 * _OVERHANG)
    knot = share * np.float32(KNOTS - 1)
    base = np.clip(np.floor(knot).astype(np.int32), 0, KNOTS - 2)
    return base, np.clip(knot - base, 0, 1).astype(np.float32)


def _splat(y: Floats, across: Floats, height: int) -> tuple[Floats, Floats]:
    """Densities (height, w) of strands at rows ``y`` (m, w), weighted towards either edge colour."""
    width = y.shape[1]
    row = np.floor(y)
    part = y - row
    inside = np.clip(row, -1, height).astype(np.int32) + np.int32(1)
    index = (inside * np.int32(width) + np.arange(width, dtype=np.int32)[None]).ravel()
    tilt = (across + np.float32(1)) * np.float32(0.5)
    edge = np.float32(0.55) + np.float32(0.45) * np.abs(across) ** 3
    cells = (height + 3) * width
    planes = []
    for weight in ((1 - tilt) * edge, tilt * edge):
        lower = weight * part
        upper = np.bincount(index, (weight - lower).ravel(), cells)
        plane = upper + np.bincount(index + np.int32(width), lower.ravel(), cells)
        kept = plane.reshape(height + 3, width)[1 : height + 1].astype(np.float32)
        planes.append(imaging.gaussian(kept, 0.6, 0.9))
    return planes[0], planes[1]
