"""A wet street floor: the houses' lights drawn out in it, sharper in puddles, and the rings of raindrops."""

from __future__ import annotations

import math

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.colour import smoothstep
from meshapi_renderer.noise import fbm
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Scratch
from meshapi_renderer.view import View

_SIDE = 512
_METRES = 13.0
_BITS = 4
_RINGS = 120
_BAND = 64
"""Rows of rings that are lit at a time."""


class WetRoad:
    """Mirrors the street in its own ground. The ray of a column strikes the wall of that column.

    What a level floor mirrors in one column of the picture is the wall standing in that column, upside
    down about the line where wall and floor meet.
    """

    def __init__(self, view: View, rng: Rng, wall: float, eye: float, wet: float, rain: bool) -> None:
        """``wall`` metres to either side, ``eye`` metres above; ``wet`` 0 dry to 1 soaked."""
        self._view, self._wall, self._eye, self._wet = view, wall, eye, wet
        self._puddles = imaging.Torus(fbm(_SIDE, _SIDE, 5, 5, rng.sub("puddles"), 0.52))
        self._tremble = imaging.Torus(fbm(_SIDE, _SIDE, 24, 3, rng.sub("tremble"), 0.6) - np.float32(0.5))
        draws = rng.sub("rings")
        self._rings = [(draws.u(), draws.u(), draws.u(), draws.uniform(0.55, 1.1)) for _ in range(_RINGS)]
        self._rain = rain

    @property
    def visible(self) -> bool:
        """Whether the floor mirrors anything."""
        return self._wet > 0.02

    def draw(
        self,
        frame: Bytes8,
        horizon: float,
        centre: float,
        travel: tuple[float, float],
        seconds: float,
        scratch: Scratch,
    ) -> None:
        """Add the mirror image to the ground of ``frame``; ``travel`` is metres gone right and forward."""
        height, width = frame.shape[:2]
        top = min(height - 4, max(1, math.floor(horizon)))
        half_width, half_top = -(-width // 2), top // 2
        half_height = -(-height // 2)
        tall = max(3, round(0.035 * height)) | 1
        rows = half_height - half_top
        y = np.arange(half_top, half_height, dtype=np.float32)[:, None] + np.float32(0.5)
        x = np.arange(half_width, dtype=np.float32)[None] + np.float32(0.5)
        offset = np.abs(x - np.float32(0.5 * centre))
        foot = np.float32(0.5 * horizon) + offset * np.float32(self._eye / self._wall)
        # Nothing that stands lower than the feet of the walls is mirrored.
        needed = min(half_height, math.ceil(float(foot.max())) + tall)
        small = imaging.resize(frame[: 2 * needed], half_width, needed, imaging.AREA)
        drawn_out = cv2.blur(small, (3, tall))
        below = np.maximum(y - np.float32(0.5 * horizon), np.float32(0.5))
        away = np.float32(0.5 * self._view.focal * self._eye) / below
        texels = _SIDE / _METRES
        u = (x - np.float32(0.5 * centre)) * np.float32(2 * texels / self._view.focal) * away
        u += np.float32(travel[0] * texels)
        v = (away + np.float32(travel[1])) * np.float32(texels)
        t = np.float32(seconds)
        puddle = smoothstep(0.47, 0.60, self._puddles.at(u, v))
        u *= 2
        u += 31 * t
        wave = self._tremble.at(u, v * 2 - 23 * t)
        near = np.clip(below * np.float32(2 / height), 0, 1)
        swing = (np.float32(2.0) + np.float32(22.0 if self._rain else 10.0) * near) * np.float32(height / 720)
        jolt = wave * swing
        map_x = jolt * np.float32(0.35)
        map_x += x - np.float32(0.5)
        map_y = (2 * foot - np.float32(0.5)) - y
        map_y -= np.abs(jolt, out=jolt)
        np.maximum(map_y, 0, out=map_y)
        mirror = imaging.remap(drawn_out, map_x, map_y, imaging.LINEAR, imaging.REPLICATE)
        # Fresnel: far ground mirrors nearly all of the light, ground at the viewer's feet little.
        graze = np.float32(0.30) + np.float32(0.70) * np.exp(-near * np.float32(1.7))
        share = puddle * np.float32(0.55)
        share += np.float32(0.34)
        share *= graze * np.float32(self._wet)
        share *= smoothstep(-0.5, 2.0, y - foot)
        mask = imaging.triple((np.minimum(share, 1) * np.float32(255)).astype(np.uint8))
        lit = cv2.multiply(mirror, mask, scale=1 / 255.0)
        full = imaging.resize(np.asarray(lit, np.uint8), 2 * half_width, 2 * rows)[
            : height - 2 * half_top, :width
        ]
        window = frame[2 * half_top :]
        # Wet ground swallows some of its own light.
        cv2.add(window, np.ascontiguousarray(full), window)
        if self._rain:
            self._draw_rings(frame, horizon, centre, seconds, scratch)

    def _draw_rings(
        self, frame: Bytes8, horizon: float, centre: float, seconds: float, scratch: Scratch
    ) -> None:
        """Rings where drops have fallen, widening and fading."""
        height, width = frame.shape[:2]
        focal, eye = self._view.focal, self._eye
        sheet: Bytes8 = scratch.array("rain rings", (height, width))
        sheet[...] = 0
        for index, (across, down, start, life) in enumerate(self._rings):
            turns = seconds / life + start
            age = turns % 1.0
            beat = int(turns)
            # Every drop falls in a new place.
            x_share = (across + 0.618034 * beat + 0.013 * index) % 1.0
            d_share = (down + 0.754877 * beat) % 1.0
            y = horizon + (height - horizon) * (0.08 + 0.98 * d_share**0.7)
            away = focal * eye / max(y - horizon, 1.0)
            x = centre + (2 * x_share - 1) * 0.62 * width
            radius = (0.03 + 0.15 * age) * focal / away
            if radius < 0.8:
                continue
            axes = (round(radius * (1 << _BITS)), max(4, round(0.24 * radius * (1 << _BITS))))
            middle = (round(x * (1 << _BITS)), round(y * (1 << _BITS)))
            cv2.ellipse(sheet, middle, axes, 0, 0, 360, 70 * (1 - age) ** 1.4, 1, cv2.LINE_AA, _BITS)
        first = max(0, math.floor(horizon))
        # A band's few passes stay in the cache.
        for top in range(first, height, _BAND):
            window, rings = frame[top : top + _BAND], sheet[top : top + _BAND]
            lit = cv2.multiply(window, imaging.triple(rings), scale=2.2 / 255.0)
            glint = np.asarray(cv2.convertScaleAbs(rings, alpha=0.28), np.uint8)
            cv2.add(window, cv2.add(lit, imaging.triple(glint)), window)
