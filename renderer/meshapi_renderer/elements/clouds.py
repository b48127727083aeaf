"""Clouds as a slab over the plain, looked at from below and lit by the sun, drifting with the wind.

A slab is a few horizontal slices of one tileable density field. Higher slices need more density and are
brighter, so a cloud shows a dark flat base and lit, rounded sides. Slices are composed at a third of the
frame's size, as one coverage and one brightness per pixel; towards the horizon, where many texture pixels
fall into one, coarser copies of the texture are read.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import Palette, mix, smoothstep, to8
from meshapi_renderer.elements.sky import Body
from meshapi_renderer.noise import fbm, warp
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Scratch
from meshapi_renderer.view import View

_SIDE = 1024
_STEP = 3
_LEVELS = 5
_DOME = 0.085
"""Added to every slope: the slab bends down towards the horizon instead of running to infinity."""

CloudKind = Literal["heaps", "veils", "sheet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudStyle:
    """Shape of a slab. Lengths are in slab heights."""

    kind: CloudKind
    cover: float
    opacity: float
    slices: int
    thickness: float
    softness: float
    texels: float
    """Texture pixels per slab height: fewer make larger clouds."""
    stretch: float
    """Across over along the view; above 1 draws the clouds into streaks."""
    haze: float
    """Slope at which the haze of the horizon lets the clouds through."""


_STYLES: dict[CloudKind, CloudStyle] = {
    "heaps": CloudStyle(
        kind="heaps", cover=0.3, opacity=0.96, slices=5, thickness=0.42, softness=0.055, texels=260,
        stretch=1.0, haze=0.07,
    ),
    "veils": CloudStyle(
        kind="veils", cover=0.42, opacity=0.92, slices=1, thickness=0.0, softness=0.20, texels=300,
        stretch=1.9, haze=0.13,
    ),
    "sheet": CloudStyle(
        kind="sheet", cover=0.9, opacity=0.96, slices=1, thickness=0.0, softness=0.22, texels=300,
        stretch=1.2, haze=0.07,
    ),
}  # fmt: skip


def cloud_style(kind: CloudKind, cover: float, opacity: float | None = None) -> CloudStyle:
    """Fair-weather heaps, thin high veils, or a closed sheet with dark bellies, covering that share."""
    base = _STYLES[kind]
    return CloudStyle(
        kind=kind,
        cover=cover,
        opacity=base.opacity if opacity is None else opacity,
        slices=base.slices,
        thickness=base.thickness,
        softness=base.softness,
        texels=base.texels,
        stretch=base.stretch,
        haze=base.haze,
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """A run of rows that reads one coarseness of the textures."""

    begin: int
    end: int
    level: int


class Clouds:
    """One slab of clouds over a view."""

    def __init__(
        self,
        view: View,
        palette: Palette,
        body: Body,
        rng: Rng,
        style: CloudStyle,
        wind: tuple[float, float] = (0.0035, 0.0012),
    ) -> None:
        """``wind`` is (rightward, towards the viewer) in texture widths per second."""
        self._view = view
        self._style = style
        self._wind = wind
        self._rows = math.ceil(view.horizon_row)
        self._textures = _pyramids(rng, style, body)
        slope = np.maximum(view.slopes(self._rows, _STEP), np.float32(0.0))
        azimuth = view.azimuths(_STEP)
        distance = 1 / (slope + np.float32(_DOME))
        self._across = azimuth * distance * np.float32(style.texels / style.stretch)
        self._along = np.asarray(distance * np.float32(style.texels))
        fade = smoothstep(0.0, style.haze, slope) * np.float32(style.opacity)
        self._fade = np.asarray(fade * np.float32(1 / 255), np.float32)
        self._runs = _runs(distance[:, 0], style.texels * _STEP / view.focal)
        self._lit8, self._dark8 = self._colours(palette, body, slope, azimuth)

    def _colours(self, palette: Palette, body: Body, slope: Floats, azimuth: Floats) -> tuple[Bytes8, Bytes8]:
        """What fully lit and fully shaded cloud look like in each direction, as display bytes."""
        r = np.sqrt((azimuth - np.float32(body.x)) ** 2 + (slope - np.float32(body.slope)) ** 2)
        near_sun = (np.exp(-r * np.float32(2.2)) * np.float32(max(palette.disc, 0.25)))[..., None]
        hazy = np.exp(-slope * np.float32(7))[..., None]
        lit = palette.cloud_lit * (1 + 1.6 * near_sun) * np.float32(0.95)
        dark = palette.cloud_dark * (1 + 0.3 * near_sun)
        exposure = np.float32(palette.exposure)
        lit = mix(lit, palette.horizon, hazy * np.float32(0.35)) * exposure
        dark = mix(dark, palette.horizon, hazy * np.float32(0.55)) * exposure
        return to8(lit), to8(dark)

    def draw(
        self,
        frame: Bytes8,
        seconds: float,
        scratch: Scratch,
        shift: tuple[float, float] = (0.0, 0.0),
        lowest_row: int | None = None,
    ) -> None:
        """Draw the clouds of that moment over ``frame``.

        ``shift`` is how far the sky has moved in the frame (pan and tilt, pixels); rows from
        ``lowest_row`` on are left alone.
        """
        margin, width = self._view.margin, frame.shape[1]
        rows = min(frame.shape[0], math.ceil(self._rows - margin + shift[1]))
        rows = rows if lowest_row is None else min(rows, lowest_row)
        if rows <= 0:
            return
        part = self._seen(shift, rows, width)
        colour, inverse = self._picture(part, seconds, scratch)
        # Where the first pixel of the part begins in the frame.
        left, top = (_STEP * cut.start - margin + moved for cut, moved in zip(part[::-1], shift, strict=True))
        if left == int(left) and top == int(top):
            cut = np.s_[-int(top) : rows - int(top), -int(left) : width - int(left)]
            high, wide = (_STEP * side for side in inverse.shape)
            full = imaging.resize(colour, wide, high)[cut]
            through = imaging.resize(inverse, wide, high)[cut]
        else:
            # Centres of the small pixels lie at _STEP * (i + 0.5).
            middle = 0.5 * (_STEP - 1)
            place = np.array([[_STEP, 0, left + middle], [0, _STEP, top + middle]], np.float64)
            packed = cv2.merge([*cv2.split(colour), inverse])
            moved = imaging.warp_affine(np.asarray(packed, np.uint8), place, width, rows)
            full = np.asarray(cv2.cvtColor(moved, cv2.COLOR_RGBA2RGB), np.uint8)
            through = np.asarray(cv2.extractChannel(moved, 3), np.uint8)
        imaging.over(frame[:rows], full, imaging.triple(np.ascontiguousarray(through)))

    def _seen(self, shift: tuple[float, float], rows: int, width: int) -> tuple[slice, slice]:
        """The small pixels that show in the upper ``rows`` of a frame, and one more around them."""
        margin, (high, wide) = self._view.margin, self._across.shape

        def span(moved: float, length: int, most: int) -> slice:
            first = math.floor((margin - moved) / _STEP) - 1
            last = math.ceil((margin - moved + length) / _STEP) + 1
            return slice(min(max(0, first), most - 1), max(1, min(most, last)))

        return span(shift[1], rows, high), span(shift[0], width, wide)

    def _picture(self, part: tuple[slice, slice], seconds: float, scratch: Scratch) -> tuple[Bytes8, Bytes8]:
        """Premultiplied colour and inverse coverage of a part of the slab, at the small size."""
        coverage, brightness = self._compose(part, seconds, scratch)
        lit, dark = self._lit8[part], self._dark8[part]
        colour = np.asarray(cv2.blendLinear(lit, dark, brightness, 1 - brightness), np.uint8)
        alpha = (coverage * np.float32(255)).astype(np.uint8)
        cv2.multiply(colour, imaging.triple(alpha), colour, 1 / 255.0)
        return colour, np.asarray(cv2.bitwise_not(alpha), np.uint8)

    def _compose(self, part: tuple[slice, slice], seconds: float, scratch: Scratch) -> tuple[Floats, Floats]:
        """(coverage, brightness) of a part of the slab, near slice first, at the small size."""
        style, across, along = self._style, self._across[part], self._along[part[0]]
        sample = scratch.array("cloud sample", (*across.shape, 2))
        drift_x = np.float32(self._wind[0] * _SIDE * seconds)
        drift_z = np.float32(self._wind[1] * _SIDE * seconds)
        through: Floats = np.ones((1, 1), np.float32)
        glow = np.zeros(across.shape, np.float32)
        for index, pyramid in enumerate(self._textures):
            lift = np.float32(1 + style.thickness * index / max(1, style.slices - 1))
            x, z = across * lift + drift_x, along * lift + drift_z
            for run in self._runs:
                rows = slice(max(0, run.begin - part[0].start), min(len(z), run.end - part[0].start))
                if rows.start < rows.stop:
                    shrink = np.float32(0.5**run.level)
                    sample[rows] = pyramid[run.level].at(x[rows] * shrink, z[rows] * shrink)
            # Both channels are premultiplied: what a slice hides and what it adds.
            glow += through * sample[..., 1]
            through = through - through * (sample[..., 0] * np.float32(1 / 255))
        covered = 255 * (1 - through)
        return covered * self._fade[part[0]], np.minimum(glow / np.maximum(covered, np.float32(1)), 1)


def _runs(distance: Floats, texels_per_slope: float) -> list[_Rows]:
    """Runs of rows by coarseness: how many texture pixels, along the view, fall into one small pixel."""
    footprint = distance * distance * np.float32(texels_per_slope * 0.45)
    levels = np.clip(np.floor(np.log2(np.maximum(footprint, 1))), 0, _LEVELS - 1).astype(np.int64)
    changes = [0, *(np.nonzero(np.diff(levels))[0] + 1).tolist(), len(levels)]
    return [_Rows(a, b, int(levels[a])) for a, b in itertools.pairwise(changes) if b > a]


def _quantile(field: Floats, share: float) -> float:
    ordered = np.sort(field, axis=None)
    return float(ordered[min(ordered.size - 1, max(0, int(share * (ordered.size - 1))))])


def _pyramids(rng: Rng, style: CloudStyle, body: Body) -> list[list[imaging.Torus]]:
    """Per slice, lowest first: (hides, adds) textures from full size to ever coarser ones."""
    density = _density(rng, style)
    edge = _quantile(density, 1 - style.cover)
    light = _light(density, edge, style, body)
    pyramids = []
    for index in range(style.slices):
        level = index / max(1, style.slices - 1)
        bar = edge + 0.10 * style.thickness / 0.42 * level**1.4
        alpha = smoothstep(bar, bar + style.softness, density)
        bright = light * np.float32(0.42 + 0.66 * level) if style.slices > 1 else light
        pair = np.dstack([alpha, alpha * np.clip(bright, 0, 1)]) * np.float32(255)
        pyramids.append(_pyramid((pair + np.float32(0.5)).astype(np.uint8)))
    return pyramids


def _pyramid(texture: Bytes8) -> list[imaging.Torus]:
    levels = [imaging.Torus(texture)]
    for level in range(1, _LEVELS):
        side = _SIDE >> level
        levels.append(imaging.Torus(imaging.resize(texture, side, side, imaging.AREA)))
    return levels


def _density(rng: Rng, style: CloudStyle) -> Floats:
    """Tileable cloud density, about [0, 1]."""
    if style.kind == "heaps":
        wide = fbm(_SIDE, _SIDE, 5, 4, rng.sub("wide"), 0.5)
        billow = 1 - fbm(_SIDE, _SIDE, 12, 5, rng.sub("billow"), 0.5, ridge=True)
        small = fbm(_SIDE, _SIDE, 16, 6, rng.sub("small"), 0.55)
        density = wide * np.float32(0.80) + billow * np.float32(0.16) + small * np.float32(0.30)
        bend = fbm(_SIDE, _SIDE, 9, 4, rng.sub("bend"), 0.5) - np.float32(0.5)
        return warp(density, bend * 60, np.roll(bend, 300, 0) * 60)
    base = fbm(_SIDE, _SIDE, 4, 8, rng.sub("base"), 0.53)
    wide = fbm(_SIDE, _SIDE, 3, 4, rng.sub("wide"), 0.5)
    density = warp(base, (wide - 0.5) * 160, (np.roll(wide, 300, 0) - 0.5) * 160)
    return density * np.float32(0.75) + wide * np.float32(0.25)


def _light(density: Floats, edge: float, style: CloudStyle, body: Body) -> Floats:
    """How bright each point of the cloud is, from the density between it and the sun."""
    reach = math.hypot(body.x, 1.0)
    towards_x, towards_z = body.x / reach, 1.0 / reach
    if style.kind == "sheet":
        # Seen from below, a closed sheet is dark where it is thick; relief comes from its rolls.
        thin = (np.float32(_quantile(density, 0.5)) - density) * np.float32(4.6)
        roll = (density - warp(density, towards_x * 14, towards_z * 12)) * np.float32(6.0)
        return np.asarray(np.clip(np.float32(0.5) + thin + roll, 0, 1))
    shade = np.zeros_like(density)
    stride = 5 if style.kind == "heaps" else 7
    for k in range(1, 6):
        shade += warp(density, towards_x * k * stride, towards_z * k * stride) - np.float32(edge)
    thick = np.clip((density - np.float32(edge)) * np.float32(2.2), 0, 1)
    lit = np.exp(-np.maximum(shade, 0) * np.float32(2.2))
    return np.asarray(np.clip(np.float32(1.05) * lit + np.float32(0.25) * (1 - thick), 0, 1.4))
