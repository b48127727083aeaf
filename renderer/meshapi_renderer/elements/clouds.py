"""Clouds as a slab over the plain, looked at from below and lit by the sun, drifting with the wind.

A slab is a few horizontal slices of one tileable density texture. Higher slices need more density and are
brighter, so a cloud shows a dark flat base and lit, rounded sides. Slices are composed at a third of the
frame's size, as one coverage and one brightness per pixel.
"""

from __future__ import annotations

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
_DOME = 0.085
"""Added to every slope: the slab bends down towards the horizon instead of running to infinity."""

CloudKind = Literal["heaps", "veils", "sheet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudStyle:
    """Shape of a slab. Lengths are in slab heights."""

    cover: float
    opacity: float
    slices: int
    thickness: float
    softness: float
    texels: float
    """Texture pixels per slab height: fewer make larger clouds."""
    stretch: float
    """Across over along the view; above 1 draws the clouds into streaks."""
    relief: float
    """Contrast between lit and shaded cloud."""
    billow: float
    """Share of rounded, cauliflower-like detail."""


def cloud_style(kind: CloudKind, cover: float, opacity: float = 0.95) -> CloudStyle:
    """Fair-weather heaps, thin high veils, or a closed sheet with dark bellies."""
    if kind == "heaps":
        return CloudStyle(
            cover=cover, opacity=opacity, slices=5, thickness=0.55, softness=0.10, texels=150, stretch=1.0,
            relief=1.0, billow=0.6,
        )  # fmt: skip
    if kind == "veils":
        return CloudStyle(
            cover=cover, opacity=opacity, slices=2, thickness=0.10, softness=0.30, texels=165, stretch=1.9,
            relief=0.75, billow=0.0,
        )  # fmt: skip
    return CloudStyle(
        cover=cover, opacity=opacity, slices=3, thickness=0.35, softness=0.34, texels=130, stretch=1.25,
        relief=1.25, billow=0.35,
    )  # fmt: skip


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
        density, light = _texture(rng, style, body)
        self._threshold = _quantile(density, 1 - style.cover)
        self._texture = np.dstack([density, light]).astype(np.float32)
        slope = np.maximum(view.slopes(self._rows, _STEP), np.float32(0.004))
        azimuth = view.azimuths(_STEP)
        distance = 1 / (slope + np.float32(_DOME))
        self._across = azimuth * distance * np.float32(style.texels / style.stretch)
        self._along = np.broadcast_to(distance * np.float32(style.texels), self._across.shape).copy()
        self._fade = (smoothstep(0.0, 0.11, slope) * np.float32(style.opacity)).astype(np.float32)
        self._lit8, self._dark8 = self._colours(palette, body, slope, azimuth)

    def _colours(self, palette: Palette, body: Body, slope: Floats, azimuth: Floats) -> tuple[Bytes8, Bytes8]:
        """What fully lit and fully shaded cloud look like in each direction, as display bytes."""
        r = np.sqrt((azimuth - np.float32(body.x)) ** 2 + (slope - np.float32(body.slope)) ** 2)
        near_sun = (np.exp(-r * np.float32(2.2)) * np.float32(max(palette.disc, 0.25)))[..., None]
        hazy = np.exp(-np.maximum(slope, 0) * np.float32(7))[..., None]
        lit = palette.cloud_lit * (1 + 1.6 * near_sun) * np.float32(0.9)
        dark = palette.cloud_dark * (1 + 0.3 * near_sun)
        exposure = np.float32(palette.exposure)
        lit = mix(lit, palette.horizon, hazy * np.float32(0.45)) * exposure
        dark = mix(dark, palette.horizon, hazy * np.float32(0.6)) * exposure
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
        coverage, brightness = self._compose(seconds, scratch)
        colour = cv2.blendLinear(self._lit8, self._dark8, brightness, 1 - brightness)
        margin, width = self._view.margin, frame.shape[1]
        rows = min(frame.shape[0], math.ceil(self._rows - margin + shift[1]))
        rows = rows if lowest_row is None else min(rows, lowest_row)
        if rows <= 0:
            return
        # Centres of the small pixels lie at _STEP * (i + 0.5).
        offset = 0.5 * (_STEP - 1) - margin
        place = np.array([[_STEP, 0, offset + shift[0]], [0, _STEP, offset + shift[1]]], np.float64)
        alpha8 = (coverage * np.float32(255)).astype(np.uint8)
        alpha = imaging.triple(imaging.warp_affine(alpha8, place, width, rows))
        full = imaging.warp_affine(np.asarray(colour, np.uint8), place, width, rows)
        window = frame[:rows]
        imaging.over(window, cv2.multiply(full, alpha, scale=1 / 255.0), cv2.bitwise_not(alpha))

    def _compose(self, seconds: float, scratch: Scratch) -> tuple[Floats, Floats]:
        """(coverage, brightness) of the slab, near slice first, at the small size."""
        style = self._style
        shape = self._across.shape
        through = scratch.array("cloud through", shape, np.float32)
        glow = scratch.array("cloud glow", shape, np.float32)
        through[...] = 1
        glow[...] = 0
        drift_x = np.float32(self._wind[0] * _SIDE * seconds)
        drift_z = np.float32(self._wind[1] * _SIDE * seconds)
        for index in range(style.slices):
            level = index / max(1, style.slices - 1)
            lift = np.float32(1 + style.thickness * level)
            sample = imaging.remap(self._texture, self._across * lift + drift_x, self._along * lift + drift_z)
            density, light = sample[..., 0], sample[..., 1]
            bar = self._threshold + 0.16 * style.thickness * level**1.3
            alpha = np.clip((density - np.float32(bar)) * np.float32(1 / style.softness), 0, 1)
            alpha *= alpha * (3 - 2 * alpha)
            bright = light * np.float32(0.45 + 0.65 * level) if style.slices > 2 else light
            part = through * alpha
            glow += part * bright
            through -= part
        covered = 1 - through
        brightness = np.clip(glow / np.maximum(covered, np.float32(1e-3)), 0, 1)
        return covered * self._fade, brightness


def _quantile(field: Floats, share: float) -> float:
    ordered = np.sort(field, axis=None)
    return float(ordered[min(ordered.size - 1, max(0, int(share * (ordered.size - 1))))])


def _texture(rng: Rng, style: CloudStyle, body: Body) -> tuple[Floats, Floats]:
    """Tileable density and, for each point, how much sun reaches it, both about [0, 1]."""
    base = fbm(_SIDE, _SIDE, 4, 8, rng.sub("base"), 0.53)
    wide = fbm(_SIDE, _SIDE, 3, 4, rng.sub("wide"), 0.5)
    density = warp(base, (wide - 0.5) * 160, (np.roll(wide, 300, 0) - 0.5) * 160)
    density = density * np.float32(0.75) + wide * np.float32(0.25)
    if style.billow > 0:
        cauliflower = 1 - fbm(_SIDE, _SIDE, 10, 5, rng.sub("billow"), 0.52, ridge=True)
        density -= (cauliflower - np.float32(0.4)) * np.float32(0.30 * style.billow)
    edge = _quantile(density, 1 - style.cover)
    reach = math.hypot(body.x, 1.0)
    towards_x, towards_z = body.x / reach, 1.0 / reach
    shade = np.zeros_like(density)
    for k in range(1, 6):
        shade += warp(density, towards_x * k * 7, towards_z * k * 7) - np.float32(edge)
    thick = np.clip((density - np.float32(edge)) * np.float32(2.2), 0, 1)
    lit = np.exp(-np.maximum(shade, 0) * np.float32(2.4 * style.relief))
    light = np.clip(np.float32(1.05) * lit + np.float32(0.25) * (1 - thick), 0, 1.4)
    return density, np.asarray(light, np.float32)
