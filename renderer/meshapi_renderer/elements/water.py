"""A water plane that mirrors whatever is already in the frame above it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import mix, swatch8, to8
from meshapi_renderer.noise import fbm
from meshapi_renderer.raycast import gradients
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scratch

_SIDE = 512
_STEP = 2
_BAND_ROWS = 48
"""Rows mirrored at a time: their passes stay in the cache."""
_TEXELS_PER_METRE = _SIDE / 60.0
_NEAR_DISTANCE = 14.0
"""Metres of the plane the camera calls depth 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaterLook:
    """What one stretch of water looks like."""

    body: Floats
    """Linear colour seen where it does not mirror."""
    roughness: float
    clarity: float
    """How fast the mirror gives way to the body towards the viewer."""
    glitter: float
    """Strength of the sun's or moon's path, 0 for none."""
    glitter_colour: Floats
    glitter_x: float
    """Tangent of the path's direction."""
    eye: float = 6.0
    """Height of the eye over the water, in metres."""
    speed: float = 1.0


def _slopes(field: Floats) -> Floats:
    """Tileable slope map (h, w, 2), scaled to unit deviation along the view."""
    along_x, along_z = gradients(field, 1.0)
    scale = np.float32(1.0 / (float(along_z.std()) + 1e-6))
    return np.dstack([along_x * scale, along_z * scale]).astype(np.float32)


class Water:
    """Perspective ripples: two scrolling slope maps bend the mirror image, more so near the viewer."""

    def __init__(self, canvas: Canvas, focal: float, rows: int, rng: Rng, look: WaterLook) -> None:
        """``rows`` is the most rows of water any camera pose shows."""
        self._canvas = canvas
        self._focal = focal
        self._look = look
        self._swell = imaging.Torus(_slopes(fbm(_SIDE, _SIDE, 6, 6, rng.sub("swell"), 0.55, aspect=0.5)))
        self._ripple = imaging.Torus(_slopes(fbm(_SIDE, _SIDE, 9, 5, rng.sub("ripple"), 0.6, aspect=0.6)))
        self._glint = [channel / 255.0 for channel in swatch8(look.glitter_colour)]
        drop = (np.arange(rows, dtype=np.float32)[:, None] + np.float32(0.5)) / np.float32(focal)
        mirror = np.clip(1.0 - drop * np.float32(look.clarity * 1.9), 0.22, 0.97)
        mirror8 = np.repeat((mirror * 255).astype(np.uint8), canvas.width, 1)
        self._mirror8 = imaging.triple(mirror8)
        shades = mix(
            look.body, look.body * np.float32(0.35), np.clip(drop * np.float32(1.6), 0, 1)[..., None]
        )
        body8 = to8(np.broadcast_to(shades, (rows, canvas.width, 3)))
        self._body8 = cv2.multiply(body8, cv2.bitwise_not(self._mirror8), scale=1 / 255.0)

    def draw(  # the plane needs the whole pose
        self,
        frame: Bytes8,
        waterline: int,
        horizon: float,
        centre: float,
        seconds: float,
        scratch: Scratch,
        travel: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """Fill ``frame`` from row ``waterline`` down.

        ``horizon`` (row) and ``centre`` (column) are where the eye looks straight ahead; ``travel`` is how
        far the eye has moved (right, forward) in shares of the nearest plane's distance.
        """
        height, width = frame.shape[:2]
        rows = height - waterline
        if rows < 2:
            return
        slope_x, slope_z, sparkle, drop = self._slopes_at(rows, waterline, horizon, centre, seconds, travel)
        near = np.clip(drop * np.float32(3.2), 0, 1)
        amplitude = np.float32(self._look.roughness * self._focal / 1100.0)
        bend_x = scratch.array("water x", (rows, width), np.float32)
        bend_y = scratch.array("water y", (rows, width), np.float32)
        across = slope_x * (amplitude * (np.float32(0.7) + 5 * near))
        down = slope_z * (amplitude * (2 + 26 * near))
        cv2.resize(across, (width, rows), bend_x, interpolation=cv2.INTER_LINEAR)
        cv2.resize(down, (width, rows), bend_y, interpolation=cv2.INTER_LINEAR)
        self._mirror(frame, waterline, (bend_x, bend_y), scratch)
        if self._look.glitter > 0:
            self._add_glitter(frame[waterline:], slope_z + sparkle * near, near, centre)

    def _mirror(self, frame: Bytes8, waterline: int, bend: tuple[Floats, Floats], scratch: Scratch) -> None:
        """Lay what stands above the waterline over the water, bent by so many pixels, band by band."""
        width = frame.shape[1]
        rows = frame.shape[0] - waterline
        # OpenCV moves four channels faster than three.
        above: Bytes8 = scratch.array("water above", (waterline, width, 4))
        cv2.cvtColor(frame[:waterline], cv2.COLOR_RGB2RGBA, above)
        columns = np.arange(width, dtype=np.float32)[None]
        for top in range(0, rows, _BAND_ROWS):
            band = slice(top, min(rows, top + _BAND_ROWS))
            bend_x, bend_y = bend[0][band], np.abs(bend[1][band])
            mirrored = np.float32(waterline - 1) - np.arange(band.start, band.stop, dtype=np.float32)
            np.subtract(mirrored[:, None], bend_y, out=bend_y)
            bend_x += columns
            seen = cv2.remap(above, bend_x, bend_y, imaging.LINEAR, borderMode=imaging.REFLECT)
            mirror = cv2.cvtColor(seen, cv2.COLOR_RGBA2RGB)
            cv2.multiply(mirror, self._mirror8[band], mirror, 1 / 255.0)
            cv2.add(mirror, self._body8[band], frame[waterline + band.start : waterline + band.stop])

    def _slopes_at(
        self,
        rows: int,
        waterline: int,
        horizon: float,
        centre: float,
        seconds: float,
        travel: tuple[float, float],
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """Slopes across and along the view at the small size, fine slopes along it that only glint, and the
        tangent below the horizon per row.
        """
        width = self._canvas.width
        small_rows, small_columns = -(-rows // _STEP), -(-width // _STEP)
        y = (np.arange(small_rows, dtype=np.float32)[:, None] + np.float32(0.5)) * np.float32(_STEP)
        x = (np.arange(small_columns, dtype=np.float32)[None] + np.float32(0.5)) * np.float32(_STEP)
        below = np.maximum(y + np.float32(waterline - horizon), np.float32(1.5 * self._canvas.scale))
        drop = below / np.float32(self._focal)
        distance = np.float32(self._look.eye) / drop
        k, t = _TEXELS_PER_METRE, seconds * self._look.speed
        across = (x - np.float32(centre)) * (distance * np.float32(k / self._focal))
        across += np.float32(k * _NEAR_DISTANCE * travel[0])
        along = np.broadcast_to(
            distance * np.float32(k) + np.float32(k * _NEAR_DISTANCE * travel[1]), across.shape
        )
        swell = self._swell.at(across + np.float32(9 * t), along - np.float32(14 * t))
        ripple = self._ripple.at(
            across * np.float32(1.7) - np.float32(11 * t),
            along * np.float32(1.55) - np.float32(6 * t),
        )
        fine = np.zeros_like(across)
        if self._look.glitter > 0:
            fine = self._ripple.at(
                across * np.float32(5.1) + np.float32(13 * t), along * np.float32(4.3) - np.float32(19 * t)
            )[..., 1] * np.float32(0.9)
        return swell[..., 0] + ripple[..., 0], swell[..., 1] + ripple[..., 1], fine, drop

    def _add_glitter(self, mirror: Bytes8, slope_z: Floats, near: Floats, centre: float) -> None:
        """Add the sun's path: facets tilted far enough towards the viewer flash."""
        look, width = self._look, self._canvas.width
        columns = (np.arange(slope_z.shape[1], dtype=np.float32)[None] + np.float32(0.5)) * np.float32(_STEP)
        offset = columns - np.float32(centre + look.glitter_x * self._focal)
        spread = np.float32(self._canvas.long) * (np.float32(0.035) + np.float32(0.13) * near)
        path = np.exp(-((offset / spread) ** 2)) * np.float32(look.glitter * 5)
        flash = np.clip(slope_z * np.float32(0.55) - np.float32(0.42), 0, 1)
        flash *= flash * path
        strength = (np.minimum(flash, 1) * np.float32(255)).astype(np.uint8)
        glints = cv2.merge([cv2.convertScaleAbs(strength, alpha=gain) for gain in self._glint])
        cv2.add(mirror, imaging.resize(np.asarray(glints, np.uint8), width, mirror.shape[0]), mirror)


def water_rows(canvas: Canvas, waterline: float, reach: float) -> int:
    """Rows of water to bake when the waterline may rise by ``reach`` pixels."""
    return min(canvas.height, math.ceil(canvas.height - waterline + reach) + 2)
