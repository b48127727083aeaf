"""Small life of the sea: bubbles that rise, shoals of little fish far off, glowing jellyfish by night."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.camera import Camera, Pose
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scratch

_BITS = 4
_ONE = 1 << _BITS
Colour8 = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Bubble:
    """One bubble of a column; x in shares of the width, pace in heights per second."""

    x: float
    start: float
    size: float
    pace: float
    phase: float


class Bubbles:
    """A few threads of bubbles that waver as they rise."""

    def __init__(self, canvas: Canvas, rng: Rng, colour: Colour8, columns: int = 4) -> None:
        self._canvas, self._colour = canvas, colour
        self._bubbles = []
        for column in range(columns):
            own = rng.sub(f"column {column}")
            x = own.uniform(0.06, 0.94)
            pace = own.uniform(0.16, 0.24)
            for _ in range(11):
                size = own.uniform(0.0018, 0.0075)
                bubble = _Bubble(
                    x + 0.012 * own.uniform(-1, 1),
                    own.u() * 1.25,
                    size,
                    pace * (0.7 + 60 * size),
                    own.u() * 6,
                )
                self._bubbles.append(bubble)

    def draw(self, frame: Bytes8, seconds: float) -> None:
        """Draw the bubbles of that moment over ``frame``."""
        canvas = self._canvas
        for bubble in self._bubbles:
            rise = (bubble.start + bubble.pace * seconds) % 1.25
            y = (1.05 - rise) * canvas.height
            x = bubble.x * canvas.width + 0.010 * canvas.long * math.sin(
                3.1 * seconds + bubble.phase + 9 * rise
            )
            radius = max(0.9, bubble.size * canvas.long * (0.7 + 0.45 * rise))
            centre = (round(x * _ONE), round(y * _ONE))
            thick = max(1, round(0.18 * radius))
            dim = [0.62 * channel for channel in self._colour]
            cv2.circle(frame, centre, round(radius * _ONE), dim, thick, cv2.LINE_AA, _BITS)
            spot = (round((x - 0.35 * radius) * _ONE), round((y - 0.38 * radius) * _ONE))
            cv2.circle(frame, spot, max(6, round(0.26 * radius * _ONE)), self._colour, -1, cv2.LINE_AA, _BITS)


@dataclass(frozen=True, slots=True)
class _Fish:
    """One fish of a shoal: its place in the shoal in shoal sizes, its own size and rhythm."""

    x: float
    y: float
    size: float
    phase: float


class Shoal:
    """Little fish that keep together, turn with one another and shimmer."""

    def __init__(
        self,
        canvas: Canvas,
        rng: Rng,
        colours: tuple[Colour8, Colour8],
        count: int,
        size: float,
        depth: float,
    ) -> None:
        """``colours`` are of the back and the belly; ``size`` of a fish in shares of the long side."""
        self._canvas, self._colours, self._size, self._depth = canvas, colours, size, depth
        self._heading = rng.sign()
        self._start = (rng.uniform(0.15, 0.45), rng.uniform(0.28, 0.48))
        self._pace = rng.uniform(0.030, 0.045)
        self._phase = rng.u() * math.tau
        self._fish = [
            _Fish(0.5 * rng.normal(), 0.5 * rng.normal(), rng.uniform(0.75, 1.2), rng.u() * math.tau)
            for _ in range(count)
        ]

    def draw(self, frame: Bytes8, camera: Camera, pose: Pose, seconds: float) -> None:
        """Draw the shoal of that moment over ``frame``."""
        canvas = self._canvas
        along = self._start[0] + self._pace * seconds
        x = along if self._heading > 0 else 1 - along
        y = self._start[1] + 0.03 * math.sin(0.6 * seconds + self._phase)
        for fish in self._fish:
            wander = 0.35 * math.sin(0.8 * seconds + fish.phase)
            fx = x * canvas.width + (fish.x + 0.2 * wander) * 0.13 * canvas.long
            fy = (
                y * canvas.height
                + (fish.y + 0.25 * math.cos(0.7 * seconds + fish.phase)) * 0.055 * canvas.long
            )
            self._one(frame, fish, camera.project(pose, self._depth, fx, fy), seconds)

    def _one(self, frame: Bytes8, fish: _Fish, at: tuple[float, float], seconds: float) -> None:
        long = self._size * fish.size * self._canvas.long
        beat = math.sin(9.0 * seconds + fish.phase)
        turn = 1.0 - 0.18 * max(0.0, math.sin(0.9 * seconds + 2.3 * fish.phase))
        face, tall = self._heading * turn, 0.36 * long
        outline = np.array(
            [
                (0.50, 0.0), (0.30, -0.30), (0.0, -0.46), (-0.30, -0.22), (-0.40, -0.08),
                (-0.66, -0.36 + 0.12 * beat), (-0.58, 0.02 * beat), (-0.66, 0.36 + 0.12 * beat),
                (-0.40, 0.10), (-0.28, 0.26), (0.0, 0.46), (0.30, 0.28),
            ]
        )  # fmt: skip
        points = outline * (long * face, tall) + at
        glint = 0.75 + 0.25 * math.sin(2.1 * seconds + 3 * fish.phase)
        back, belly = ([glint * channel for channel in colour] for colour in self._colours)
        fixed = np.round(points * _ONE).astype(np.int32)
        cv2.fillPoly(frame, [fixed], back, cv2.LINE_AA, _BITS)
        lower = np.round((outline[[0, 11, 10, 9, 8, 4]] * (long * face, tall) + at) * _ONE).astype(np.int32)
        cv2.fillPoly(frame, [lower], belly, cv2.LINE_AA, _BITS)


class Jellyfish:
    """Glowing bells that pulse and drift, drawn as light."""

    def __init__(self, canvas: Canvas, rng: Rng, colours: tuple[Colour8, ...], count: int = 5) -> None:
        self._canvas = canvas
        self._bells = [
            (
                rng.uniform(0.08, 0.92), rng.uniform(0.16, 0.72), rng.uniform(0.018, 0.042),
                rng.u() * math.tau, rng.pick(colours), rng.uniform(1.4, 4.0),
            )
            for _ in range(count)
        ]  # fmt: skip

    def draw(self, frame: Bytes8, camera: Camera, pose: Pose, seconds: float, scratch: Scratch) -> None:
        """Add the bells of that moment to ``frame``."""
        canvas = self._canvas
        half = (-(-canvas.height // 2), -(-canvas.width // 2), 3)
        sheet: Bytes8 = scratch.array("jellyfish", half)
        sheet[...] = 0
        for x, y, size, phase, colour, depth in self._bells:
            pulse = math.sin(1.9 * seconds + phase)
            rise = 0.012 * seconds + 0.004 * math.sin(3.8 * seconds + 2 * phase)
            at = camera.project(pose, depth, x * canvas.width, (y - rise) * canvas.height)
            self._bell(
                sheet, (0.5 * at[0], 0.5 * at[1]), 0.5 * size * canvas.long, pulse, phase, colour, seconds
            )
        glow = imaging.gaussian(sheet, max(0.8, 5.0 * canvas.scale))
        cv2.add(sheet, cv2.convertScaleAbs(glow, alpha=1.3), sheet)
        cv2.add(frame, imaging.resize(sheet, canvas.width, canvas.height), frame)

    @staticmethod
    def _bell(
        sheet: Bytes8,
        at: tuple[float, float],
        size: float,
        pulse: float,
        phase: float,
        colour: Colour8,
        seconds: float,
    ) -> None:
        wide, tall = size * (0.92 + 0.10 * pulse), size * (0.78 - 0.10 * pulse)
        for arm in range(7):
            root = at[0] + wide * (arm - 3) / 3.6
            points = []
            for step in range(7):
                down = step / 6
                wave = 0.16 * size * down * math.sin(2.2 * seconds - 3.5 * down + phase + arm)
                points.append((root + wave - 0.08 * (arm - 3) * size * down, at[1] + 2.1 * size * down))
            line = np.round(np.array(points) * _ONE).astype(np.int32)
            cv2.polylines(sheet, [line], False, [0.30 * c for c in colour], 1, cv2.LINE_AA, _BITS)
        centre = (round(at[0] * _ONE), round(at[1] * _ONE))
        axes = (max(8, round(wide * _ONE)), max(8, round(tall * _ONE)))
        cv2.ellipse(sheet, centre, axes, 0, 180, 360, [0.34 * c for c in colour], -1, cv2.LINE_AA, _BITS)
        cv2.ellipse(sheet, centre, axes, 0, 180, 360, [0.75 * c for c in colour], 1, cv2.LINE_AA, _BITS)
        inner = (max(6, axes[0] // 2), max(6, axes[1] // 2))
        cv2.ellipse(sheet, centre, inner, 0, 180, 360, [0.62 * c for c in colour], -1, cv2.LINE_AA, _BITS)
