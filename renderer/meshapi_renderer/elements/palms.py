"""Crowns of coconut palms seen from above, drawn as feathered fronds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.rng import Rng

Line: TypeAlias = NDArray[np.float64]

SPRITE = 256
"""Side of a crown drawing; its longest frond reaches the edge."""
_OVERSAMPLING = 2
_BITS = 3
_ONE = 1 << _BITS
_POINTS = 22
VARIANTS = 5


@dataclass(frozen=True, slots=True)
class Crown:
    """One drawing: coverage and brightness of its leaves, both bytes, square."""

    alpha: Bytes8
    tone: Bytes8


def draw_crowns(rng: Rng) -> tuple[Crown, ...]:
    """The few different crowns that all palms share, turned and scaled."""
    return tuple(_draw_crown(rng.sub(f"crown {index}")) for index in range(VARIANTS))


def _draw_crown(rng: Rng) -> Crown:
    side = SPRITE * _OVERSAMPLING
    alpha = np.zeros((side, side), np.uint8)
    tone = np.zeros((side, side), np.uint8)
    fronds = 13 + rng.integer(5)
    order = sorted(range(fronds), key=lambda index: (index * 7) % fronds)
    for rank, index in enumerate(order):
        bearing = math.tau * index / fronds + rng.normal() * 0.11
        young = rank / fronds
        reach = side / 2 * (rng.uniform(0.80, 0.97) - 0.30 * young)
        _draw_frond(alpha, tone, bearing, reach, rng.uniform(0.62, 0.92) + 0.18 * young, rng)
    heart = (side // 2 * _ONE, side // 2 * _ONE)
    cv2.circle(tone, heart, round(side * 0.016 * _ONE), 120, -1, cv2.LINE_AA, _BITS)
    small = (SPRITE, SPRITE, imaging.AREA)
    return Crown(imaging.resize(alpha, *small), imaging.resize(tone, *small))


def _draw_frond(alpha: Bytes8, tone: Bytes8, bearing: float, reach: float, light: float, rng: Rng) -> None:
    """One feather: leaflets on both sides of a bent midrib, over the shadow it throws on lower ones."""
    side = alpha.shape[0]
    share = np.linspace(0.04, 1, _POINTS)
    angle = bearing + rng.normal() * 0.30 * share**2
    x = side / 2 + np.cos(angle) * reach * share
    y = side / 2 + np.sin(angle) * reach * share
    thick = max(1, round(side * 0.0052))
    leaflets = list(_leaflets(x, y, angle, share, reach))
    gap = side * 0.009
    for leaflet in leaflets:
        leaflet.draw(tone, 34, thick, gap)
    for leaflet in leaflets:
        value = light * (0.84 + 0.16 * leaflet.flank) + 0.13 * rng.normal()
        leaflet.draw(alpha, 255, thick)
        leaflet.draw(tone, 255 * min(1.0, max(0.1, value)), thick)
    rib = np.round(np.stack([x, y], 1) * _ONE).astype(np.int32)
    cv2.polylines(tone, [rib], False, 240 * min(1.0, light + 0.1), max(1, thick // 2), cv2.LINE_AA, _BITS)


@dataclass(frozen=True, slots=True)
class _Leaflet:
    """One blade from its root to its tip, in pixels, on one flank (-1 or 1) of its frond."""

    x: float
    y: float
    tip_x: float
    tip_y: float
    flank: int

    def draw(self, target: Bytes8, value: float, thick: int, shift: float = 0.0) -> None:
        start = (round((self.x + shift) * _ONE), round((self.y + shift) * _ONE))
        end = (round((self.tip_x + shift) * _ONE), round((self.tip_y + shift) * _ONE))
        cv2.line(target, start, end, value, thick, cv2.LINE_AA, _BITS)


def _leaflets(x: Line, y: Line, angle: Line, share: Line, reach: float) -> Iterator[_Leaflet]:
    """The blades along a midrib through the points (x, y), root to tip."""
    for i in range(1, _POINTS):
        length = reach * 0.27 * math.sin(math.pi * min(1.0, share[i] * 0.88 + 0.10)) ** 0.6
        for flank in (-1, 1):
            way = float(angle[i] + flank * (1.05 - 0.55 * share[i]))
            tip_x, tip_y = x[i] + math.cos(way) * length, y[i] + math.sin(way) * length
            yield _Leaflet(float(x[i]), float(y[i]), float(tip_x), float(tip_y), flank)
