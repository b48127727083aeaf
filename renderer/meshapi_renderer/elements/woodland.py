"""A wood in planes: from grey trees in the fog to trunks beside the viewer, each on its own ground."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from meshapi_renderer.array_types import Floats
from meshapi_renderer.baking import side_by_side
from meshapi_renderer.colour import mix, rgb, smoothstep
from meshapi_renderer.elements.grass import Tufts
from meshapi_renderer.elements.pines import Grove, PineLight, lay_over, stamp
from meshapi_renderer.elements.sky import Body
from meshapi_renderer.imaging import Torus
from meshapi_renderer.layers import Layer
from meshapi_renderer.noise import fbm, line_noise
from meshapi_renderer.rng import Rng
from meshapi_renderer.view import View

_SIDE = 512
_MIDDLE = 0.98
"""Planes whose tallest trees are higher, in reference heights, are planted from finer sprites."""


@dataclass(frozen=True, slots=True)
class Plane:
    """One plane of trees. Heights and drops are shares of the stand's reference height."""

    trees: int
    low: float
    high: float
    depth: float
    fog: float
    """Share of fog before the plane."""
    drop: float
    """How far under the horizon its ground lies."""
    gap: float
    """Share of the half width left open in the middle."""
    mound: float
    """Rise of the ground towards the sides."""
    saplings: int = 0
    tufts: int = 0
    face: float = 1.0
    """How much of the ground under the edge shows, in sizes of a tuft."""


PLANES = (
    Plane(58, 0.12, 0.20, 26.0, 0.86, 0.012, 0.0, 0.0),
    Plane(64, 0.16, 0.28, 15.0, 0.66, 0.028, 0.0, 0.0),
    Plane(44, 0.26, 0.42, 8.5, 0.40, 0.055, 0.10, 0.01, saplings=26, tufts=90, face=1.2),
    Plane(24, 0.42, 0.66, 4.6, 0.18, 0.105, 0.30, 0.03, saplings=16, tufts=110, face=1.6),
    Plane(12, 0.66, 0.98, 2.3, 0.07, 0.185, 0.52, 0.07, saplings=9, tufts=130, face=2.2),
    Plane(6, 1.05, 1.45, 1.0, 0.02, 0.300, 0.80, 0.17, saplings=4, tufts=150, face=2.4),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WoodLight:
    """Colours of the wood, linear and before exposure."""

    pines: PineLight
    autumn: PineLight | None
    """Light on the trees that turn; None when none do."""
    grass: PineLight | None
    """Light on grass; None under snow."""
    ground_shade: Floats
    ground_lit: Floats
    fog: Floats
    glow: Floats
    body: Body
    fog_gain: float
    """Multiplies the fog in front of every plane."""
    exposure: float
    snow: float


class Stand:
    """The trees one wood is planted from: finer sprites for nearer planes."""

    def __init__(self, view: View, rng: Rng, snow: float, planes: tuple[Plane, ...]) -> None:
        tall = reference_height(view)
        cover = 0.78 * snow
        self._far = Grove(0.42 * tall, rng.sub("far"), 7, cover, 0.55)
        self._middle = Grove(0.98 * tall, rng.sub("middle"), 6, cover, 1.15)
        tallest = max(plane.high for plane in planes)
        self._near = self._middle
        if tallest > _MIDDLE:
            self._near = Grove(tallest * tall, rng.sub("near"), 4, cover, 3.0 if snow > 0 else 2.2)
        self.young = Grove(0.32 * tall, rng.sub("young"), 4, cover, 0.6)
        self.tufts = Tufts(0.10 * tall, rng.sub("tufts"))

    def grove(self, plane: Plane) -> Grove:
        """The sprites fit for a plane."""
        if plane.high <= 0.42:
            return self._far
        return self._middle if plane.high <= _MIDDLE else self._near


@dataclass(frozen=True, slots=True)
class Clearing:
    """The opening the viewer looks into: its middle as a share of the frame's width, and how wide it is."""

    centre: float
    openness: float


def reference_height(view: View) -> float:
    """What the planes' shares refer to: the frame's height, less in a tall narrow frame."""
    return min(view.canvas.height, 1.25 * view.canvas.width)


class Wood:
    """Paints planes of one wood into layers."""

    def __init__(self, view: View, light: WoodLight, rng: Rng, planes: tuple[Plane, ...] = PLANES) -> None:
        """``planes`` stand far to near."""
        self._view, self._light, self._rng, self._planes = view, light, rng, planes
        self._stand = Stand(view, rng.sub("stand"), light.snow, planes)
        self._texture = Torus(fbm(_SIDE, _SIDE, 5, 6, rng.sub("ground"), 0.55))
        self._tall = reference_height(view)
        share = view.canvas.width / view.canvas.height
        draws = rng.sub("clearing")
        # A narrow frame has no room to move its opening about.
        self.clearing = Clearing(
            0.5 + 0.11 * draws.uniform(-1, 1) * min(1.0, share), draws.uniform(0.82, 1.14)
        )
        self._density = min(1.35, max(0.45, share / 1.78))

    def layers(self) -> list[Layer]:
        """All planes, far to near; the two farthest share a layer, for they hardly move apart."""
        groups = [self._planes[:2], *((plane,) for plane in self._planes[2:])]
        first = [0, *range(2, len(self._planes))]
        return side_by_side([partial(self._composed, *part) for part in zip(groups, first, strict=True)])

    def _composed(self, planes: tuple[Plane, ...], first: int) -> Layer:
        view = self._view
        light = np.zeros((view.height, view.width, 3), np.float32)
        alpha = np.zeros((view.height, view.width), np.float32)
        for index, plane in enumerate(planes, first):
            colour, coverage = self._paint(plane, self._rng.sub(f"plane {index}"))
            lay_over(light, alpha, colour, coverage)
        return Layer.from_linear(light, alpha, planes[-1].depth, view.margin)

    def _paint(self, plane: Plane, rng: Rng) -> tuple[Floats, Floats]:
        """Exposed colour and coverage of one plane."""
        view, light = self._view, self._light
        profile = _profile(view, plane, self.clearing, rng.sub("profile"))
        colour, alpha = _ground(view, plane, self._texture, light, profile, rng.sub("ground").u() * _SIDE)
        for height, x, foot, own in self._places(plane, profile, rng):
            turned = light.autumn is not None and own.u() < 0.42
            tones = light.autumn if turned and light.autumn is not None else light.pines
            grove = self._stand.grove(plane) if height > 0.5 * plane.low else self._stand.young
            grove.plant(colour, alpha, (x, foot), height * self._tall, own, tones)
        if plane.tufts and light.grass is not None:
            self._grow_grass(plane, profile, colour, alpha, rng.sub("grass"), light.grass)
        _add_fog(view, plane, light, profile, colour)
        colour *= np.float32(light.exposure)
        return colour, alpha

    def _places(self, plane: Plane, profile: Floats, rng: Rng) -> list[tuple[float, float, float, Rng]]:
        """(height share, column, row of the foot, own stream) of every tree, small ones first."""
        draws = rng.sub("places")
        count = max(3, round(plane.trees * self._density))
        found = []
        for index in range(count):
            own = rng.sub(f"tree {index}")
            across = _across(plane, self.clearing, own, index, count)
            found.append((draws.uniform(plane.low, plane.high), across, own))
        for index in range(round(plane.saplings * self._density)):
            own = rng.sub(f"sapling {index}")
            reach = plane.gap * 0.75 + (1.1 - plane.gap * 0.75) * own.u()
            x = self.clearing.centre + 0.5 * own.sign() * reach
            found.append((plane.low * own.uniform(0.10, 0.30), x, own))
        placed = []
        for height, across, own in sorted(found, key=lambda one: one[0]):
            x = self._view.margin + self._view.canvas.width * across
            column = min(max(int(x), 0), self._view.width - 1)
            sunk = self._tall * (0.004 + 0.018 * plane.drop / 0.3 * own.u())
            placed.append((height, x, float(profile[column]) + sunk, own))
        return placed

    def _grow_grass(
        self, plane: Plane, profile: Floats, colour: Floats, alpha: Floats, rng: Rng, tones: PineLight
    ) -> None:
        """Tufts along the edge of the ground and over its face, larger towards the viewer."""
        view = self._view
        count = round(plane.tufts * self._density)
        size = self._tall * 0.085 / plane.depth**0.72
        spots = sorted((rng.u() ** 1.6, rng.u(), index) for index in range(count))
        for nearness, across, index in spots:
            own = rng.sub(f"tuft {index}")
            x = view.width * (across * 1.04 - 0.02)
            column = min(max(int(x), 0), view.width - 1)
            foot = float(profile[column]) + size * 0.25 + nearness * 1.6 * size * plane.face
            tall = size * (0.6 + 0.6 * own.u()) * (0.75 + 0.6 * nearness)
            sprite, wide = self._stand.tufts.pick(own)
            stamp(colour, alpha, sprite, (x, foot), (tall * wide, tall), tones.varied(own), own.u() < 0.5)


def _across(plane: Plane, clearing: Clearing, rng: Rng, index: int, count: int) -> float:
    """A place in shares of the frame's width: alternating sides, an opening at the clearing."""
    side = -1 if index % 2 else 1
    step = (index // 2 + rng.u()) / max(1, (count + 1) // 2)
    span = clearing.centre + 0.08 if side < 0 else 1.08 - clearing.centre
    inner = 0.5 * plane.gap * clearing.openness
    if plane.gap == 0.0:
        step += rng.uniform(-0.02, 0.02)
    return clearing.centre + side * (inner + (span - inner) * step)


def _profile(view: View, plane: Plane, clearing: Clearing, rng: Rng) -> Floats:
    """Row of the ground's edge per column of the padded picture."""
    canvas = view.canvas
    columns = (np.arange(view.width, dtype=np.float32) + np.float32(0.5 - view.margin)) / np.float32(
        canvas.width
    )
    waves = line_noise(1024, 3, 6, rng, 0.42)
    samples = np.clip((columns + np.float32(0.3)) * np.float32(1024 / 1.6), 0, 1023)
    index = np.minimum(samples.astype(np.int64), 1022)
    fraction = samples - index.astype(np.float32)
    uneven = waves[index] * (1 - fraction) + waves[index + 1] * fraction - np.float32(0.5)
    tall = reference_height(view)
    side = smoothstep(0.15, 1.05, np.abs(columns - np.float32(clearing.centre)) * 2)
    rows = view.horizon_row + tall * plane.drop + uneven * np.float32(tall * (0.03 + 0.16 * plane.drop))
    return np.asarray(rows - np.float32(tall * plane.mound) * side)


def _ground(
    view: View, plane: Plane, texture: Torus, light: WoodLight, profile: Floats, offset: float
) -> tuple[Floats, Floats]:
    """(colour, coverage) of the plane's ground."""
    first = min(max(0, int(profile.min()) - 2), view.height - 1)
    below = np.arange(first, view.height, dtype=np.float32)[:, None] + np.float32(0.5) - profile[None]
    colour = np.zeros((view.height, view.width, 3), np.float32)
    alpha = np.zeros((view.height, view.width), np.float32)
    alpha[first:] = np.clip(below + np.float32(0.5), 0, 1)
    long = view.canvas.long
    # Texture pixels shrink towards the plane's far edge, as on a floor.
    nearness = np.float32(0.012 * long) + np.maximum(below, 0)
    x = (np.arange(view.width, dtype=np.float32)[None] - np.float32(view.width / 2)) * np.float32(560 / long)
    u = x * (
        1 + np.float32(0.5) * np.float32(0.1 * long) / (nearness + np.float32(0.05 * long))
    ) + np.float32(offset)
    v = np.log(nearness / np.float32(0.012 * long)) * np.float32(150) + np.float32(offset)
    uneven = texture.at(u, v)
    fine = texture.at(u * np.float32(3.7), v * np.float32(3.1))
    rise = np.gradient(profile) * np.float32(1.1 * np.sign(light.body.x))
    facing = np.clip(np.float32(0.5) + rise, 0, 1)[None]
    edge = np.exp(-np.maximum(below, 0) / np.float32(0.05 * long))
    tone = (
        smoothstep(0.30, 0.70, uneven) * np.float32(0.52) + fine * np.float32(0.26) + edge * np.float32(0.20)
    )
    tone = tone * (np.float32(0.62) + np.float32(0.6) * facing)
    colour[first:] = mix(light.ground_shade, light.ground_lit, np.clip(tone, 0, 1.15)[..., None])
    return colour, alpha


def _add_fog(view: View, plane: Plane, light: WoodLight, profile: Floats, colour: Floats) -> None:
    """Fog in front of the plane, thicker at its foot and brighter towards the sun, in place."""
    azimuth = view.azimuths() - np.float32(light.body.x)
    rows = np.arange(view.height, dtype=np.float32)[:, None]
    towards = np.exp(-np.abs(azimuth) * np.float32(2.6))[..., None]
    fog = light.fog + light.glow * towards
    above = np.maximum(profile[None] + np.float32(0.014 * view.canvas.height) - rows, 0)
    foot = np.exp(above * np.float32(-1 / (0.09 * view.canvas.height)))
    share = min(0.97, plane.fog * light.fog_gain)
    pooled = np.float32(0.0 if plane.depth <= 1.0 else 0.48 * min(1.5, light.fog_gain))
    amount = np.clip(
        np.float32(share) + np.float32(1 - share) * pooled * foot * np.float32(min(1.0, 6 * plane.fog)), 0, 1
    )
    change = fog - colour
    change *= cv2.merge([amount, amount, amount])
    colour += change


def snow_ground(sky: Floats, key: Floats) -> tuple[Floats, Floats]:
    """(shade, lit) of snow under a sky and a key light."""
    tint = rgb(0.92, 0.95, 1.0)
    return sky * np.float32(0.62) * tint, (key * np.float32(0.60) + sky * np.float32(0.72)) * tint
