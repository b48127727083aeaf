"""Grass and flowers of a meadow, blade by blade, ready to bend in the wind."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import linear, mix, rgb
from meshapi_renderer.elements.sway import SwayingSheet
from meshapi_renderer.rng import Rng
from meshapi_renderer.view import View

_BITS = 4
_ONE = 1 << _BITS
_PARTS = 3
_BEND = 0.11
"""How far the grass is pushed, as a share of its height."""
FlowerKind = Literal["poppy", "daisy", "cornflower", "buttercup", "lavender", "tulip", "seed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantLight:
    """Colours of a meadow, linear and exposed."""

    root: Floats
    """Of grass near the ground."""
    tip: Floats
    dry: Floats
    """Of the withered blades among the green ones."""
    dry_share: float
    light: Floats
    """What falls on petals."""
    haze: Floats
    sun: tuple[float, float] = (0.0, 1.0)
    """Unit vector to the sun in the picture: right, up."""
    relief: float = 0.0
    """How much brighter a flower is towards the sun than away from it, at most 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sward:
    """One stretch of grass; heights as shares of the reference height."""

    depth: float
    blades: int
    low: float
    high: float
    """Shortest and tallest blades."""
    flowers: int
    flower: float
    """Height of a flower."""
    haze: float
    """Share of air before it."""


def sow(
    view: View,
    sward: Sward,
    edge: Floats,
    foot: float,
    tall: float,
    light: PlantLight,
    kinds: tuple[tuple[FlowerKind, Floats], ...],
    rng: Rng,
) -> SwayingSheet:
    """Grass rooted between the row ``edge`` of every column (w,) and the row ``foot``.

    ``tall`` is the reference height in pixels; ``kinds`` are the flowers with their petals' colour.
    """
    painter = _Painter(view, light, sward)
    plants: list[tuple[float, float, int]] = []
    places = rng.sub("places").u(sward.blades + sward.flowers, 2)
    for index, (across, down) in enumerate(places.tolist()):
        x = across * view.width
        top = float(edge[min(int(x), view.width - 1)])
        plants.append((top + (max(foot, top + 1) - top) * down, x, index))
    clumps = [(rng.sub("clumps").u(7, 3) * (1, 1, 1)).tolist()]
    for row, x, index in sorted(plants):
        own = rng.sub(f"plant {index}")
        if index < sward.blades:
            painter.blade(x, row, tall * own.uniform(sward.low, sward.high), own)
        elif kinds:
            kind, petals = _chosen(kinds, clumps[0], x / view.width, own)
            painter.flower(kind, petals, x, row, tall * sward.flower * own.uniform(0.7, 1.2), own)
    # The grass moves as one body: were every blade pushed for itself, those behind would tear it.
    push = np.full(painter.alpha.shape, _BEND * tall * sward.high, np.float32)
    return SwayingSheet(painter.colour, painter.alpha, push, sward.depth, view.margin, rng.sub("sway"))


def _chosen(
    kinds: tuple[tuple[FlowerKind, Floats], ...], clumps: list[list[float]], across: float, rng: Rng
) -> tuple[FlowerKind, Floats]:
    """A flower's kind: plants of one kind stand together."""
    nearest = min(range(len(clumps)), key=lambda index: abs(clumps[index][0] - across) + 0.25 * rng.u())
    return kinds[nearest % len(kinds)]


class _Painter:
    """Paints plants into a sheet of colour and coverage."""

    def __init__(self, view: View, light: PlantLight, sward: Sward) -> None:
        shape = (view.height, view.width)
        self.colour = np.zeros((*shape, 3), np.float32)
        self.alpha = np.zeros(shape, np.float32)
        self._light, self._sward = light, sward

    def _fill(self, points: list[tuple[float, float]], colour: Floats) -> None:
        fixed = np.round(np.array(points) * _ONE).astype(np.int32)
        seen = colour + (self._light.haze - colour) * np.float32(self._sward.haze)
        cv2.fillConvexPoly(self.colour, fixed, [float(c) for c in seen], cv2.LINE_8, _BITS)
        cv2.fillConvexPoly(self.alpha, fixed, 1.0, cv2.LINE_AA, _BITS)

    def _disc(self, x: float, y: float, wide: float, high: float, turn: float, colour: Floats) -> None:
        seen = [float(c) for c in colour + (self._light.haze - colour) * np.float32(self._sward.haze)]
        axes = (max(5, round(wide * _ONE)), max(5, round(high * _ONE)))
        middle = (round(x * _ONE), round(y * _ONE))
        angle = math.degrees(turn)
        cv2.ellipse(self.colour, middle, axes, angle, 0, 360, seen, -1, cv2.LINE_8, _BITS)
        cv2.ellipse(self.alpha, middle, axes, angle, 0, 360, 1.0, -1, cv2.LINE_AA, _BITS)

    def blade(self, x: float, row: float, height: float, rng: Rng) -> None:
        """One blade of grass, thin and curved, darker at its root."""
        light = self._light
        lean, curve = rng.uniform(-0.30, 0.30), rng.uniform(-0.25, 0.25)
        wide = height * rng.uniform(0.018, 0.034) + 0.35
        dry = rng.u() < light.dry_share
        bright = rng.uniform(0.65, 1.25)
        tip = (light.dry if dry else light.tip) * np.float32(bright)
        root = light.root * np.float32(0.8 + 0.3 * rng.u())
        spine = [
            (x + height * (lean * s + curve * s * s), row - height * s * (1 - 0.10 * abs(lean)))
            for s in (step / _PARTS for step in range(_PARTS + 1))
        ]
        for part in range(_PARTS):
            low, high = part / _PARTS, (part + 1) / _PARTS
            w0, w1 = wide * (1 - low * 0.85), wide * (1 - high * 0.95)
            a, b = spine[part], spine[part + 1]
            tone = mix(root, tip, (0.15 + 0.85 * high) ** 1.2)
            points = [(a[0] - w0, a[1]), (a[0] + w0, a[1]), (b[0] + w1, b[1]), (b[0] - w1, b[1])]
            self._fill(points, tone)

    def flower(self, kind: FlowerKind, petals: Floats, x: float, row: float, height: float, rng: Rng) -> None:
        """A stem with its flower."""
        light = self._light
        lean = rng.uniform(-0.16, 0.16)
        head = (x + lean * height, row - height)
        stem = mix(light.root, light.tip, 0.45)
        thick = 0.010 * height + 0.4
        for part in range(_PARTS):
            low, high = part / _PARTS, (part + 1) / _PARTS
            a = (x + lean * height * low * low, row - height * low)
            b = (x + lean * height * high * high, row - height * high)
            points = [(a[0] - thick, a[1]), (a[0] + thick, a[1]), (b[0] + thick, b[1]), (b[0] - thick, b[1])]
            self._fill(points, stem)
        draw = {
            "poppy": self._poppy, "daisy": self._daisy, "cornflower": self._cornflower,
            "buttercup": self._buttercup, "lavender": self._lavender, "tulip": self._tulip,
            "seed": self._seed,
        }[kind]  # fmt: skip
        # Some heads stand in the light, others among the blades; no two are of quite one colour.
        tone = petals * light.light * np.float32(rng.sub("tone").uniform(0.74, 1.10))
        tone = tone * (np.float32(0.94) + np.float32(0.12) * rng.sub("hue").u(3).astype(np.float32))
        size = 0.17 * height
        room = 2.1 * size + 2
        rows, columns = (
            slice(max(0, math.floor(at - room)), max(0, math.ceil(at + room))) for at in (head[1], head[0])
        )
        before = self.colour[rows, columns].copy()
        draw(head, size, tone * np.float32(0.86 if kind == "poppy" else 1.0), rng)
        self._round(head, size, rows, columns, before)

    def _round(
        self, head: tuple[float, float], size: float, rows: slice, columns: slice, before: Floats
    ) -> None:
        """Shade what has been painted over ``before``: lighter towards the sun, darker away and beneath."""
        after = self.colour[rows, columns]
        if self._light.relief <= 0 or after.size == 0:
            return
        right, up = self._light.sun
        y = np.arange(rows.start, rows.start + after.shape[0], dtype=np.float32)[:, None]
        x = np.arange(columns.start, columns.start + after.shape[1], dtype=np.float32)[None]
        towards = (x - np.float32(head[0])) * np.float32(right) - (y - np.float32(head[1])) * np.float32(up)
        slope = np.clip(towards / np.float32(size), -1.2, 1.2)
        shade = 1 + np.float32(self._light.relief) * (slope * np.float32(0.46) - np.float32(0.10))
        painted = (after != before).any(2)
        after *= np.where(painted, shade, np.float32(1))[..., None]

    def _poppy(self, at: tuple[float, float], size: float, tone: Floats, rng: Rng) -> None:
        x, y = at
        turn = rng.uniform(-0.3, 0.3)
        self._disc(x, y - 0.25 * size, 0.95 * size, 0.62 * size, turn, tone * np.float32(0.62))
        self._disc(x, y - 0.20 * size, 0.78 * size, 0.47 * size, turn, tone * np.float32(0.42))
        # The hollow of the cup: a dark heart in a ring of stamens.
        self._disc(x, y - 0.16 * size, 0.30 * size, 0.20 * size, 0.0, rgb(0.012, 0.010, 0.014))
        for index in range(9):
            angle = math.tau * index / 9 + turn
            spot = (x + 0.34 * size * math.cos(angle), y - 0.18 * size + 0.20 * size * math.sin(angle))
            self._disc(*spot, 0.045 * size, 0.040 * size, 0.0, self._light.light * rgb(0.10, 0.09, 0.05))
        for side in (-1, 1):
            self._disc(
                x + 0.50 * side * size, y + 0.08 * size, 0.54 * size, 0.46 * size, 0.5 * side,
                tone * np.float32(0.84 + 0.10 * side),
            )  # fmt: skip
        self._disc(x, y + 0.24 * size, 0.70 * size, 0.40 * size, turn, tone * np.float32(0.98))
        self._disc(x, y + 0.15 * size, 0.60 * size, 0.26 * size, turn, tone * np.float32(1.18))
        self._disc(x - 0.10 * size, y + 0.11 * size, 0.34 * size, 0.12 * size, turn, tone * np.float32(1.32))

    def _rays(
        self, at: tuple[float, float], size: float, tone: Floats, rng: Rng, count: int, flat: float
    ) -> None:
        start = rng.u() * math.tau
        for index in range(count):
            angle = start + math.tau * index / count
            x = at[0] + 0.55 * size * math.cos(angle)
            y = at[1] + 0.55 * size * math.sin(angle) * flat
            turn = math.atan2(math.sin(angle) * flat, math.cos(angle))
            shade = 0.80 + 0.25 * (index % 2) - 0.15 * math.sin(angle)
            self._disc(x, y, 0.48 * size, 0.17 * size, turn, tone * np.float32(shade))

    def _daisy(self, at: tuple[float, float], size: float, tone: Floats, rng: Rng) -> None:
        flat = rng.uniform(0.45, 0.95)
        self._rays(at, 0.9 * size, tone, rng, 13, flat)
        yellow = linear("ffc42e") * self._light.light
        x, y = at[0], at[1] - 0.04 * size
        self._disc(x, y + 0.05 * size, 0.29 * size, 0.25 * flat * size, 0.0, yellow * rgb(0.55, 0.42, 0.4))
        self._disc(x, y, 0.27 * size, 0.25 * flat * size, 0.0, yellow * np.float32(0.85))
        self._disc(x, y - 0.05 * size, 0.16 * size, 0.14 * flat * size, 0.0, yellow * np.float32(1.15))

    def _cornflower(self, at: tuple[float, float], size: float, tone: Floats, rng: Rng) -> None:
        self._rays(at, 0.85 * size, tone, rng, 9, 0.7)
        self._rays(at, 0.45 * size, tone * np.float32(0.6), rng, 7, 0.7)

    def _buttercup(self, at: tuple[float, float], size: float, tone: Floats, rng: Rng) -> None:
        for index in range(5):
            angle = math.tau * index / 5 + rng.uniform(-0.1, 0.1)
            x, y = at[0] + 0.30 * size * math.cos(angle), at[1] + 0.20 * size * math.sin(angle)
            shade = np.float32(0.85 - 0.2 * math.sin(angle))
            self._disc(x, y, 0.30 * size, 0.22 * size, angle, tone * shade)
        self._disc(at[0], at[1], 0.12 * size, 0.09 * size, 0.0, tone * np.float32(0.5))

    def _lavender(self, at: tuple[float, float], size: float, tone: Floats, rng: Rng) -> None:
        for index in range(15):
            share = index / 14
            side = (1 if index % 2 else -1) * 0.24 * size * (1 - 0.6 * share)
            y = at[1] + size * (1.2 - 2.6 * share)
            shade = np.float32(0.65 + 0.5 * share + 0.15 * rng.u())
            self._disc(at[0] + side, y, 0.22 * size, 0.15 * size, 0.4 * side, tone * shade)

    def _tulip(self, at: tuple[float, float], size: float, tone: Floats, rng: Rng) -> None:
        x, y = at
        for side in (-1, 1):
            self._disc(
                x + 0.24 * side * size, y, 0.34 * size, 0.74 * size, 0.25 * side, tone * np.float32(0.75)
            )
        self._disc(x, y + 0.05 * size, 0.36 * size, 0.72 * size, 0.0, tone * np.float32(1.1))

    def _seed(self, at: tuple[float, float], size: float, tone: Floats, rng: Rng) -> None:
        for index in range(9):
            y = at[1] + size * (0.7 - 0.17 * index)
            side = (1 if index % 2 else -1) * 0.10 * size
            self._disc(at[0] + side, y, 0.11 * size, 0.16 * size, 0.6 * (1 if index % 2 else -1), tone)
