"""Small things in the air of a wood: pollen in the light, fireflies by night, leaves in autumn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scratch

_BITS = 4
_ONE = 1 << _BITS

FloaterKind = Literal["pollen", "fireflies", "leaves"]
Colour8 = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Floater:
    """One speck: a place in shares of the frame, and how it moves."""

    x: float
    y: float
    size: float
    drift: float
    fall: float
    phase: float
    pace: float
    colour: Colour8


class Floaters:
    """A few dozen specks that wander through the frame and come in again on the other side."""

    def __init__(self, canvas: Canvas, rng: Rng, kind: FloaterKind, colours: tuple[Colour8, ...]) -> None:
        self._canvas = canvas
        self._kind = kind
        count = {"pollen": 60, "fireflies": 46, "leaves": 34}[kind]
        self._floaters = [self._one(rng.sub(f"{kind} {index}"), colours) for index in range(count)]

    def _one(self, rng: Rng, colours: tuple[Colour8, ...]) -> _Floater:
        low = {"fireflies": 0.42, "pollen": 0.34, "leaves": 0.0}[self._kind]
        size, fall, drift = {
            "pollen": (rng.uniform(0.5, 1.3), rng.uniform(-0.012, 0.016), rng.uniform(0.008, 0.03)),
            "fireflies": (rng.uniform(1.0, 2.2), rng.uniform(-0.01, 0.01), rng.uniform(-0.012, 0.012)),
            "leaves": (rng.uniform(3.0, 6.5), rng.uniform(0.07, 0.15), rng.uniform(0.015, 0.06)),
        }[self._kind]
        return _Floater(
            x=rng.u(),
            y=low + (1 - low) * rng.u(),
            size=size,
            drift=drift,
            fall=fall,
            phase=rng.u() * math.tau,
            pace=rng.uniform(0.6, 1.5),
            colour=rng.pick(colours),
        )

    def draw(self, frame: Bytes8, seconds: float, scratch: Scratch) -> None:
        """Draw the specks of that moment over ``frame``."""
        if self._kind == "leaves":
            for leaf in self._floaters:
                self._draw_leaf(frame, leaf, seconds)
            return
        height, width = frame.shape[:2]
        light: Bytes8 = scratch.array("floaters", (-(-height // 2), -(-width // 2), 3))
        light[...] = 0
        for speck in self._floaters:
            self._draw_speck(light, speck, seconds)
        if self._kind == "fireflies":
            halo = imaging.gaussian(light, 2.4 * self._canvas.scale)
            cv2.add(light, cv2.convertScaleAbs(halo, alpha=1.8), light)
        cv2.add(frame, imaging.resize(light, width, height), frame)

    def _place(self, speck: _Floater, seconds: float) -> tuple[float, float]:
        """Where the speck is, in pixels of the frame, wrapped in a border around it."""
        sway = 0.014 * math.sin(speck.pace * seconds + speck.phase)
        bob = 0.010 * math.sin(1.7 * speck.pace * seconds + 2.1 * speck.phase)
        x = (speck.x + speck.drift * seconds + sway + 0.05) % 1.1 - 0.05
        y = (speck.y + speck.fall * seconds + bob + 0.05) % 1.1 - 0.05
        return x * self._canvas.width, y * self._canvas.height

    def _draw_speck(self, light: Bytes8, speck: _Floater, seconds: float) -> None:
        x, y = self._place(speck, seconds)
        pulse = 0.5 + 0.5 * math.sin(1.9 * speck.pace * seconds + speck.phase)
        gain = pulse**2 if self._kind == "fireflies" else 0.16 + 0.34 * pulse
        # A speck smaller than a pixel is drawn as one, dimmed to keep its light.
        radius = 0.5 * speck.size * self._canvas.scale
        gain *= min(1.0, (radius / 0.5) ** 2)
        colour = [gain * channel for channel in speck.colour]
        centre = (round(0.5 * x * _ONE), round(0.5 * y * _ONE))
        cv2.circle(light, centre, max(8, round(radius * _ONE)), colour, -1, cv2.LINE_AA, _BITS)

    def _draw_leaf(self, frame: Bytes8, leaf: _Floater, seconds: float) -> None:
        x, y = self._place(leaf, seconds)
        turn = leaf.phase + 1.6 * leaf.pace * seconds
        flat = 0.25 + 0.75 * abs(math.sin(2.3 * leaf.pace * seconds + leaf.phase))
        long, wide = leaf.size * self._canvas.scale, 0.55 * leaf.size * flat * self._canvas.scale
        cosine, sine = math.cos(turn), math.sin(turn)
        outline = np.array([[-long, 0], [-0.2 * long, wide], [long, 0], [-0.2 * long, -wide]])
        spun = outline @ np.array([[cosine, sine], [-sine, cosine]]) + (x, y)
        shade = 0.7 + 0.3 * flat
        colour = [shade * channel for channel in leaf.colour]
        cv2.fillConvexPoly(frame, np.round(spun * _ONE).astype(np.int32), colour, cv2.LINE_AA, _BITS)
