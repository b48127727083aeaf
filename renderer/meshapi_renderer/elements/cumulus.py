"""Heaped clouds: flat bases, rounded heads, lit from where the sun stands; baked once, then drifting.

Each cloud is a union of spheres on a flat base, roughened by billow noise and shaded by its own slopes.
Clouds low over the horizon are far: smaller, closer together, paler and slower.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera, Pose
from meshapi_renderer.colour import Palette, mix, smoothstep
from meshapi_renderer.elements.sky import Body
from meshapi_renderer.layers import Layer
from meshapi_renderer.noise import fbm
from meshapi_renderer.raycast import gradients
from meshapi_renderer.rng import Rng
from meshapi_renderer.view import View

_NOISE_SIDE = 512
_COARSE = 2
"""Clouds are soft: they are baked at half size."""
_DEPTHS = (400.0, 200.0)


@dataclass(frozen=True, slots=True)
class _Heap:
    """One cloud: middle of its base and width, as tangents; and its own random stream."""

    x: float
    slope: float
    width: float
    tall: float
    rng: Rng


class Cumulus:
    """A sky of heaped clouds in two planes, the farther one drifting more slowly."""

    def __init__(
        self, view: View, palette: Palette, body: Body, rng: Rng, cover: float, drift: float
    ) -> None:
        """``drift`` is in frame widths per second of the nearer plane, positive to the right."""
        self._view = view
        self._drift = drift * view.canvas.width
        self._palette = palette
        self._body = body
        self._billow = imaging.Torus(_billow(rng.sub("billow")))
        heaps = _place(view, rng.sub("places"), cover, drift)
        middle = 0.36 * view.headroom
        far = [heap for heap in heaps if heap.slope < middle]
        near = [heap for heap in heaps if heap.slope >= middle]
        self._planes = [
            (self._plane(group, depth), pace)
            for group, depth, pace in ((far, _DEPTHS[0], 0.4), (near, _DEPTHS[1], 1.0))
            if group
        ]

    def draw(self, frame: Bytes8, camera: Camera, pose: Pose, seconds: float, lowest_row: int) -> None:
        """Draw the clouds of that moment over the rows of ``frame`` above ``lowest_row``."""
        window = frame[:lowest_row]
        if lowest_row < 1:
            return
        for layer, pace in self._planes:
            matrix = camera.matrix(pose, layer.depth, layer.margin)
            matrix[0, 2] += self._drift * pace * seconds
            layer.draw(window, matrix)

    def _plane(self, heaps: list[_Heap], depth: float) -> Layer:
        view = self._view
        rows, columns = math.ceil(view.horizon_row / _COARSE), math.ceil(view.width / _COARSE)
        light, alpha = np.zeros((rows, columns, 3), np.float32), np.zeros((rows, columns), np.float32)
        for heap in sorted(heaps, key=lambda one: one.slope):
            self._paint(light, alpha, heap)
        wide, high = columns * _COARSE, rows * _COARSE
        coverage = imaging.resize(alpha, wide, high)[:, : view.width]
        premultiplied = imaging.resize(light, wide, high)[:, : view.width]
        colour = premultiplied / np.maximum(coverage, np.float32(1e-3))[..., None]
        return Layer.from_linear(colour * np.float32(self._palette.exposure), coverage, depth, view.margin)

    def _paint(self, light: Floats, alpha: Floats, heap: _Heap) -> None:
        """Paint one cloud over premultiplied light and coverage, in place."""
        view = self._view
        focal = view.focal / _COARSE
        size = heap.width * focal
        left = (view.centre_column / _COARSE) + (heap.x - 0.62 * heap.width) * focal
        base = view.horizon_row / _COARSE - heap.slope * focal
        x0, x1 = max(0, math.floor(left)), min(alpha.shape[1], math.ceil(left + 1.24 * size))
        y0 = max(0, math.floor(base - (heap.tall + 0.2) * size))
        y1 = min(alpha.shape[0], math.ceil(base + 0.15 * size) + 1)
        if x1 - x0 < 4 or y1 - y0 < 4:
            return
        # Cloud units: the width is 1, x from the middle, y up from the base.
        x = (np.arange(x0, x1, dtype=np.float32) + np.float32(0.5 - left)) * np.float32(
            1 / size
        ) - np.float32(0.62)
        y = (np.float32(base) - np.arange(y0, y1, dtype=np.float32) - np.float32(0.5)) * np.float32(1 / size)
        coverage, shade = self._shape(heap, x[None], y[:, None])
        colour = self._colour(heap, shade)
        window = np.s_[y0:y1, x0:x1]
        light[window] = light[window] * (1 - coverage[..., None]) + colour * coverage[..., None]
        alpha[window] = alpha[window] * (1 - coverage) + coverage

    def _shape(self, heap: _Heap, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """(coverage, brightness 0 to 1) on a grid of cloud coordinates."""
        rng = heap.rng
        body = _spheres(rng.sub("puffs"), heap.tall, x, y)
        turn = rng.u() * _NOISE_SIDE
        scale = np.float32(_NOISE_SIDE * 0.62)
        rough = self._billow.at(x * scale + np.float32(turn), -y * scale + np.float32(turn * 0.7))
        fine = self._billow.at(x * scale * 3.1 + np.float32(turn), -y * scale * 3.1)
        surface = (
            body + (rough - np.float32(0.5)) * np.float32(0.16) + (fine - np.float32(0.5)) * np.float32(0.060)
        )
        flat = smoothstep(-0.03, 0.035, y + (rough - np.float32(0.5)) * np.float32(0.06))
        coverage = smoothstep(0.0, 0.085, surface) * flat
        grid = float(x[0, 1] - x[0, 0])
        down_x, down_y = gradients(imaging.gaussian(surface, max(0.5, 0.006 / grid)), grid)
        normal_x, normal_y = -down_x, down_y  # rows run down, y runs up
        upright = 1 / np.sqrt(normal_x * normal_x + normal_y * normal_y + np.float32(1.1))
        towards_x = max(-1.0, min(1.0, (self._body.x - heap.x) / 0.35))
        towards_y = max(-0.35, min(1.4, (self._body.slope - heap.slope - 0.3 * heap.width) / 0.30))
        norm = math.sqrt(towards_x**2 + towards_y**2 + 0.25)
        facing = (
            normal_x * np.float32(towards_x) + normal_y * np.float32(towards_y) + np.float32(0.25)
        ) * upright
        lift = smoothstep(-0.02, 0.55 * heap.tall, y + np.float32(0.35) * (rough - np.float32(0.5)))
        shade = np.float32(0.40) + np.float32(0.58 / norm) * facing
        thin = 1 - smoothstep(0.0, 0.12, surface)
        return coverage, np.clip(
            shade * (np.float32(0.24) + np.float32(0.76) * lift) + thin * np.float32(0.22), 0, 1
        )

    def _colour(self, heap: _Heap, shade: Floats) -> Floats:
        palette = self._palette
        distance = math.hypot(heap.x - self._body.x, heap.slope - self._body.slope)
        near_sun = math.exp(-2.4 * distance) * max(palette.disc, 0.2)
        lit = palette.cloud_lit * np.float32(1.08 + 1.1 * near_sun)
        dark = palette.cloud_dark * np.float32(0.9 + 0.3 * near_sun)
        hazy = 0.78 * math.exp(-heap.slope * 9.0)
        return mix(mix(dark, lit, shade[..., None]), palette.horizon, hazy)


def _billow(rng: Rng) -> Floats:
    """Rounded, cauliflower-like noise about [0, 1]."""
    return 1 - fbm(_NOISE_SIDE, _NOISE_SIDE, 9, 6, rng, 0.55, ridge=True)


def _place(view: View, rng: Rng, cover: float, drift: float) -> list[_Heap]:
    """Clouds over the frame and its margins, more and wider ones for more cover."""
    reach = 1.25 * view.half_width
    heaps = []
    count = round((6 + 30 * cover) * max(0.55, min(1.3, view.half_width / 0.5)))
    for index in range(count):
        own = rng.sub(f"heap {index}")
        # Evenly spread in slope, with a lean to the crowded horizon.
        share = (index + own.u()) / count
        slope = 0.02 + (1.02 * view.headroom - 0.02) * share**1.5
        width = (0.10 + 0.62 * slope) * own.uniform(0.65, 1.45) * (0.75 + 0.75 * cover)
        x = own.uniform(-1, 1) * (reach + 0.3 * width)
        heaps.append(_Heap(x, slope, width, own.uniform(0.20, 0.36), own))
    return heaps


def _spheres(rng: Rng, tall: float, x: Floats, y: Floats) -> Floats:
    """Height of a union of spheres over the picture plane, in cloud units; negative outside."""
    surface = np.full((y.shape[0], x.shape[1]), -0.06, np.float32)
    lean = rng.uniform(-0.5, 0.5)
    for count, small, large in ((12, 0.09, 0.17), (34, 0.045, 0.09)):
        for _ in range(count):
            across = rng.uniform(-0.48, 0.48)
            dome = tall * max(0.0, 1 - abs(2 * across) ** 1.7) ** 0.7 * (1 + lean * across)
            radius = rng.uniform(small, large) * (1 - 0.55 * abs(2 * across))
            up = rng.u() ** 0.8 * max(0.0, dome - radius)
            _raise(surface, x, y, across, up + 0.55 * radius, radius)
    return surface


def _raise(surface: Floats, x: Floats, y: Floats, at_x: float, at_y: float, radius: float) -> None:
    """Lift ``surface`` to one sphere where the sphere is higher."""
    columns = np.nonzero(np.abs(x[0] - np.float32(at_x)) < radius)[0]
    rows = np.nonzero(np.abs(y[:, 0] - np.float32(at_y)) < radius)[0]
    if len(columns) == 0 or len(rows) == 0:
        return
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    dx, dy = x[:, window[1]] - np.float32(at_x), y[window[0]] - np.float32(at_y)
    inside = np.float32(radius * radius) - dx * dx - dy * dy
    height = np.sqrt(np.maximum(inside, 0)) + np.minimum(inside, 0) * np.float32(1 / radius)
    np.maximum(surface[window], height, out=surface[window])
