"""Falling water: strands that leave a lip, gather speed, fray, and end in spray."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import smoothstep
from meshapi_renderer.elements.drift_texture import to_byte_mask
from meshapi_renderer.noise import fbm, line_noise
from meshapi_renderer.rng import Rng

_SIDE = 512
_ROWS = 288
_VECTOR = 16
"""OpenCV looks so many pixels of a row up at a time, and what is left over several times more slowly."""
_WIDEN = 1.2
"""Columns of the pattern per row: strands are finer across than along."""
Colour8 = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class FallShape:
    """One fall in the frame at rest, in pixels: its lip, its foot and its width."""

    x: float
    top: float
    foot: float
    width: float


class FallingWater:
    """One fall, drawn over a window of the frame."""

    def __init__(self, shape: FallShape, rng: Rng, bright: Colour8, shade: Colour8, pace: float) -> None:
        """``bright`` and ``shade`` are lit and shaded water as display bytes; ``pace`` scales time."""
        self._shape, self._pace = shape, pace
        self._bright, self._shade = bright, shade
        # The pattern has one size whatever the frame's: a draft shows the strands of the final.
        high = _ROWS
        self._cell = (shape.foot - shape.top) / high
        wide = max(1, -(-round(1.7 * shape.width / self._cell * _WIDEN) // _VECTOR)) * _VECTOR
        self._size = (wide, high)
        down = (np.arange(high, dtype=np.float32)[:, None] + np.float32(0.5)) / np.float32(high)
        across = (np.arange(wide, dtype=np.float32)[None] + np.float32(0.5 - wide / 2)) / np.float32(
            0.5 * shape.width / self._cell * _WIDEN
        )
        # The edges of the fall: ragged, spreading a little on the way down.
        left = line_noise(high * 2, 4, 5, rng.sub("left"), 0.55)[:high, None] - np.float32(0.5)
        right = line_noise(high * 2, 4, 5, rng.sub("right"), 0.55)[:high, None] - np.float32(0.5)
        reach = np.float32(0.80) + np.float32(0.22) * down
        inside = np.minimum(reach + left * np.float32(0.5) + across, reach + right * np.float32(0.5) - across)
        lip = np.float32(0.035) * across * across
        foam = np.broadcast_to(smoothstep(0.72, 1.0, down) * np.float32(0.30), inside.shape)
        self._foam = np.ascontiguousarray(foam)
        self._edge = np.clip(inside * np.float32(1.6), -0.6, 1).astype(np.float32) + foam
        self._begun = to_byte_mask(smoothstep(0.0, 0.03, down - lip))
        # Seconds since the water left the lip decide which part of the pattern is where.
        self._fallen = np.sqrt(down * np.float32(1.0) + np.float32(0.004))
        self._across = across
        strands = fbm(_SIDE, _SIDE, 4, 5, rng.sub("strands"), 0.6, aspect=7.0)
        clumps = fbm(_SIDE, _SIDE, 6, 5, rng.sub("clumps"), 0.58, aspect=2.2)
        self._strands = imaging.Torus(to_byte_mask(strands))
        self._clumps = imaging.Torus(to_byte_mask(clumps))
        self._seed = rng.u() * _SIDE

    def draw(self, frame: Bytes8, scale: float, shift: tuple[float, float], seconds: float) -> None:
        """Blend the water of that moment over ``frame``; scale and shift place the plane it falls in."""
        wide, high = self._size
        across, down = scale * self._cell / _WIDEN, scale * self._cell
        left = scale * self._shape.x - 0.5 * across * wide + shift[0]
        top = scale * self._shape.top + shift[1]
        x0, y0 = max(0, math.floor(left)), max(0, math.floor(top))
        x1 = math.ceil(left + across * wide)
        x1 = min(frame.shape[1], x1 + (x0 - x1) % _VECTOR)
        y1 = min(frame.shape[0], math.ceil(top + down * high))
        if x1 - x0 < 2 or y1 - y0 < 2:
            return
        cover, light = self._water(seconds * self._pace)
        packed = np.dstack([cover, light])
        matrix = np.array([[across, 0.0, left - x0], [0.0, down, top - y0]])
        moved = imaging.warp_affine(packed, matrix, x1 - x0, y1 - y0, cv2.BORDER_CONSTANT)
        mask = np.ascontiguousarray(moved[..., 0])
        window = frame[y0:y1, x0:x1]
        imaging.tint(window, mask, self._shade)
        imaging.tint(window, np.ascontiguousarray(moved[..., 1]), self._bright)

    def _water(self, t: float) -> tuple[Bytes8, Bytes8]:
        """How much of the rock the water hides, and how much of it is lit, both 0 to 255."""
        o = np.float32(self._seed)
        fall = self._fallen * np.float32(150) - np.float32(118 * t)
        strands = self._strands.at(self._across * 84 + o, fall * np.float32(0.50))
        clumps = self._clumps.at(self._across * 74 - o, fall * np.float32(1.05) + o)
        fine = self._clumps.at(self._across * 190 + o, fall * np.float32(2.3) - o)
        # Strands, not a line, are the edge of the fall.
        frayed = cv2.addWeighted(strands, 0.93 / 255, fine, 0.558 / 255, -0.744, dtype=cv2.CV_32F)
        cover = cv2.multiply(_stepped(frayed, self._edge, 0.16, 0.46), self._begun, scale=1 / 255.0)
        lit = cv2.addWeighted(strands, 0.44 / 255, clumps, 0.34 / 255, 0.0, dtype=cv2.CV_32F)
        lit = cv2.addWeighted(lit, 1.0, fine, 0.24 / 255, 0.0, dtype=cv2.CV_32F)
        light = cv2.LUT(_stepped(lit, self._foam, 0.40, 0.60), _SHOWN)
        shown = cv2.multiply(cover, light, scale=1 / 255.0)
        return np.asarray(cv2.convertScaleAbs(cover, alpha=240 / 255.0), np.uint8), np.asarray(
            shown, np.uint8
        )


def _stepped(values: imaging.Picture, more: Floats, low: float, high: float) -> Bytes8:
    """The smooth step of a sum from ``low`` to ``high``, as bytes."""
    steep = 255 / (high - low)
    share = cv2.addWeighted(values, steep, more, steep, -low * steep, dtype=cv2.CV_8U)
    return np.asarray(cv2.LUT(share, _SMOOTH), np.uint8)


_SHARE = np.arange(256, dtype=np.float32) / np.float32(255)
_SMOOTH = to_byte_mask(smoothstep(0, 1, _SHARE))
_SHOWN = ((np.float32(0.10) + np.float32(0.90) * _SHARE) * np.float32(235) + np.float32(0.5)).astype(np.uint8)
"""How bright water is by the light that falls on it."""


class Spray:
    """The cloud a fall raises where it strikes: it boils up, spreads and thins."""

    def __init__(self, rng: Rng, wide: float, tall: float, colour: Colour8, strength: float) -> None:
        """``wide`` and ``tall`` in pixels; ``strength`` 0 to 1."""
        self._wide, self._tall, self._colour, self._strength = wide, tall, colour, strength
        self._noise = imaging.Torus(fbm(256, 256, 5, 5, rng.sub("noise"), 0.55))
        self._side = rng.sub("wind").sign()

    def draw(self, frame: Bytes8, foot: tuple[float, float], seconds: float) -> None:
        """Blend the spray of that moment over ``frame``, rising from ``foot`` (column, row)."""
        step = 3
        x0, x1 = max(0, round(foot[0] - self._wide)), min(frame.shape[1], round(foot[0] + self._wide))
        y0, y1 = max(0, round(foot[1] - self._tall)), min(frame.shape[0], round(foot[1] + 0.35 * self._tall))
        if x1 - x0 < 6 or y1 - y0 < 6:
            return
        x = (np.arange(x0, x1, step, dtype=np.float32)[None] - np.float32(foot[0])) / np.float32(self._wide)
        y = (np.float32(foot[1]) - np.arange(y0, y1, step, dtype=np.float32)[:, None]) / np.float32(
            self._tall
        )
        t = np.float32(seconds)
        up = np.maximum(y, 0)
        drift = np.float32(self._side) * t * np.float32(5)
        one = self._noise.at(x * (62 / (1 + up)) + drift, y * np.float32(46) - t * np.float32(-26))
        two = self._noise.at(x * np.float32(110) - drift, y * np.float32(80) + t * np.float32(39))
        body = one * np.float32(0.62) + two * np.float32(0.38)
        wide = np.float32(0.42) + np.float32(0.40) * up
        shape = np.exp(-((x / wide) ** 2)) * np.exp(-up * np.float32(2.4)) * smoothstep(-0.34, 0.02, y)
        shape = shape * smoothstep(1.0, 0.55, up) * smoothstep(1.0, 0.8, np.abs(x))
        mask = np.clip(shape * (smoothstep(0.22, 0.72, body) + np.float32(0.25)), 0, 1) * np.float32(
            255 * self._strength
        )
        full = imaging.enlarge(mask.astype(np.uint8), step, x1 - x0, y1 - y0)
        imaging.tint(frame[y0:y1, x0:x1], np.ascontiguousarray(full), self._colour)
