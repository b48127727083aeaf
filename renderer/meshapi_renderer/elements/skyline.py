"""Where the towers of a city stand and what kind they are: draws only, no pixels.

Lengths are in units of 1/960 of the geometric mean of the frame's sides, x from the middle of the frame and
heights up from the waterline; a portrait frame gets fewer, relatively taller towers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import linear
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas

Shape = Literal["box", "step", "taper", "round", "slant", "dome", "notch"]
Facade = Literal["punched", "bands", "fins", "curtain"]
Sign = Literal["edges", "rings", "screen", "stripe", "crown"]

_SHAPES: tuple[Shape, ...] = ("box", "box", "box", "step", "step", "taper", "round", "slant", "dome", "notch")
_LOW_SHAPES: tuple[Shape, ...] = ("box", "box", "step", "notch")
_FACADES: tuple[Facade, ...] = ("punched", "punched", "bands", "fins", "curtain", "curtain")
_SIGNS: tuple[Sign, ...] = ("edges", "edges", "rings", "rings", "screen", "stripe", "crown")
_WALLS = tuple(
    linear(c)
    for c in (
        "8d95a0", "b09a7c", "6f7c8a", "cfc6b4", "8a5f48", "46607e", "a9b4bc", "45525f", "a07a60", "d6d2c8",
        "2f5568", "79727c",
    )
)  # fmt: skip
_LOW_WALLS = tuple(
    linear(c)
    for c in (
        "9c5e48",
        "cfb586",
        "7d8a94",
        "d9d2c4",
        "85503f",
        "5f7880",
        "bb8a5c",
        "5a6470",
        "b7a890",
        "8b8c72",
    )
)
"""Of low houses: brick, render and painted wood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneSpec:
    """One row of towers at one distance."""

    low: float
    """Height of the lowest towers, as a share of the room above the waterline."""
    high: float
    narrow: float
    wide: float
    haze: float
    """Share of a tower's light that clear air swallows."""
    depth: float
    """As the camera reckons; 1 is the nearest plane there is."""
    pitch: float
    """Typical distance between windows."""


PLANES = (
    PlaneSpec(low=0.20, high=0.72, narrow=22, wide=50, haze=0.84, depth=9.0, pitch=2.3),
    PlaneSpec(low=0.22, high=0.98, narrow=28, wide=68, haze=0.56, depth=4.4, pitch=3.3),
    PlaneSpec(low=0.13, high=0.72, narrow=42, wide=104, haze=0.27, depth=2.3, pitch=4.7),
    PlaneSpec(low=0.06, high=0.22, narrow=58, wide=145, haze=0.09, depth=1.15, pitch=6.2),
)
"""Far to near."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tower:
    """One tower, in units."""

    left: float
    right: float
    height: float
    shape: Shape
    facade: Facade
    bend: float
    """0..1: how strongly the shape shows."""
    lean: float
    """-1 or 1: which way an uneven shape leans."""
    wall: Floats
    """Linear albedo."""
    pitch_x: float
    pitch_y: float
    busy: float
    """Factor on the share of lit windows."""
    warmth: float
    sign: Sign | None
    sign_colour: int
    sign_at: float
    spire: float
    """Height of the mast, 0 for none."""
    rng: Rng
    """The stream for its windows."""


def reference_unit(canvas: Canvas) -> float:
    """Pixels per unit."""
    return math.sqrt(canvas.width * canvas.height) / 960.0


def raise_skyline(
    spec: PlaneSpec, index: int, half_width: float, room: float, neon: float, rng: Rng
) -> list[Tower]:
    """The towers of one plane across ``half_width`` units to either side, tall ones first.

    ``room`` is the height in units from the waterline to the top of the frame; ``neon`` the share of towers
    that carry a sign.
    """
    draws = rng.sub("row")
    summit = (
        (0.16 if index % 2 else -0.16) * 2 * half_width * (0.6 + 0.8 * draws.u()) * rng.sub("side").sign()
    )
    towers = []
    x, number = -half_width - 20.0, 0
    while x < half_width + 20.0:
        own = rng.sub(f"tower {number}")
        width = own.uniform(spec.narrow, spec.wide)
        crowd = math.exp(-(((x + width / 2 - summit) / (0.52 * half_width)) ** 2))
        share = (0.30 + 0.70 * crowd) * (0.15 + 0.85 * own.u())
        height = 0.94 * room * (spec.low + (spec.high - spec.low) * share)
        towers.append(_tower(own, spec, x, width, height, neon))
        x += width * own.uniform(0.62, 1.18)
        number += 1
    return sorted(towers, key=lambda tower: -tower.height)


def _tower(rng: Rng, spec: PlaneSpec, x: float, width: float, height: float, neon: float) -> Tower:
    slender = height > 1.6 * width
    shape = rng.pick(_SHAPES if slender else _LOW_SHAPES)
    tint = np.float32(rng.uniform(0.7, 1.25))
    signed = rng.u() < neon
    sign = rng.pick(_SIGNS)
    spire = rng.uniform(0.08, 0.26) * height if rng.u() < 0.36 and slender else 0.0
    return Tower(
        left=x,
        right=x + width,
        height=height,
        shape=shape,
        facade=rng.pick(_FACADES),
        bend=rng.u(),
        lean=rng.sign(),
        wall=rng.pick(_WALLS if slender else _LOW_WALLS) * tint,
        pitch_x=spec.pitch * rng.uniform(0.8, 1.6),
        pitch_y=spec.pitch * rng.uniform(1.0, 1.7),
        busy=rng.uniform(0.35, 1.3),
        warmth=0.25 + 0.75 * rng.u(),
        sign=sign if signed else None,
        sign_colour=rng.integer(64),
        sign_at=rng.u(),
        spire=spire,
        rng=rng.sub("windows"),
    )
