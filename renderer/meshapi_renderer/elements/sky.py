"""The clear sky behind everything: gradient, glow, sun and moon, in linear light."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import Palette, mix, rgb, smoothstep
from meshapi_renderer.noise import fbm
from meshapi_renderer.rng import Rng
from meshapi_renderer.view import View


@dataclass(frozen=True, slots=True)
class Body:
    """Where the sun or the moon stands: tangents right of the middle and above the horizon."""

    x: float
    slope: float
    moon: bool = False


def place_body(view: View, palette: Palette, rng: Rng, moon: bool) -> Body:
    """The sun at its palette's elevation, or the moon high inside the frame, on a side drawn by ``rng``."""
    side, share = rng.sign(), rng.u()
    reach = min(0.26, 0.62 * view.half_width)
    x = side * (0.42 + 0.58 * share) * reach
    slope = math.tan(palette.sun_elevation)
    if moon:
        slope = min(slope, (0.66 + 0.14 * rng.u()) * view.headroom)
    return Body(x, slope, moon)


class Dome:
    """The part of a view above some row, as a field of directions and the light that comes from them."""

    def __init__(self, view: View, palette: Palette, body: Body, rows: int, glow: bool = True) -> None:
        """``rows`` of the padded picture are painted."""
        self.view = view
        self.palette = palette
        self.body = body
        self.rows = rows
        self.slope = view.slopes(rows)
        self.azimuth = view.azimuths()
        self._dx = self.azimuth - np.float32(body.x)
        self._dy = self.slope - np.float32(body.slope)
        self._distance = np.sqrt(self._dx * self._dx + self._dy * self._dy)
        self.light = self._gradient()
        if glow:
            self._add_glow()

    def _gradient(self) -> Floats:
        palette = self.palette
        elevation = np.clip(np.arctan(self.slope) / np.float32(0.75), 0, 1)[..., None]
        near_horizon = 1 - np.exp(-elevation * np.float32(5.0))
        towards_zenith = np.clip(elevation * np.float32(1.5), 0, 1) ** np.float32(0.85)
        column = mix(mix(palette.horizon, palette.middle, near_horizon), palette.zenith, towards_zenith)
        return np.broadcast_to(column, (self.rows, self.view.width, 3)).copy()

    def _add_glow(self) -> None:
        r, palette = self._distance, self.palette
        if self.body.moon:
            glow = np.exp(-r * 7) * np.float32(0.30) + np.exp(-r * 24) * np.float32(0.55)
            self.light += (glow * np.float32(palette.disc))[..., None] * palette.glow
        else:
            # A broad band along the horizon and ever tighter halos, as forward scattering gives.
            band = np.exp(-np.abs(self._dx) * 1.6) * np.exp(-np.maximum(self.slope, 0) * 9)
            glow = band * np.float32(0.55) + np.exp(-r * 3.2) * np.float32(0.55)
            glow += np.exp(-r * 11) * np.float32(0.9) + np.exp(-r * 34) * np.float32(2.2)
            strength = palette.disc if palette.disc > 0 else (0.35 if palette.sun_elevation > 0.65 else 0.0)
            self.light += (glow * np.float32(strength))[..., None] * palette.glow

    def deepen_night(self) -> None:
        """A moonless night: blue-black overhead, paler blue low down, a last warmth on one side."""
        low = np.clip(self.slope / np.float32(max(0.42, self.view.headroom)), 0, 1)[..., None] ** np.float32(
            0.55
        )
        sky = mix(rgb(0.018, 0.061, 0.174), rgb(0.0007, 0.0013, 0.0075), low)
        warm = np.exp(-np.maximum(self.slope, 0) * 12) * np.exp(-(self._dx * self._dx) * 5)
        self.light[:] = sky
        self.light += warm[..., None] * rgb(0.094, 0.038, 0.011)

    def add_sun(self, radius: float = 0.016, gain: float = 14.0) -> None:
        """The sun's disc; nothing when the palette hides it."""
        if self.palette.disc <= 0.3:
            return
        disc = smoothstep(radius, radius * 0.82, self._distance) * np.float32(gain * self.palette.disc)
        self.light += disc[..., None] * mix(self.palette.glow, rgb(1, 1, 0.95), 0.55)

    def add_moon(self, rng: Rng, radius: float = 0.026, gain: float = 2.8) -> None:
        """The moon's disc with maria and a soft terminator; dimmed by the palette, nothing when hidden."""
        if self.palette.disc <= 0.05:
            return
        r = self._distance
        face = smoothstep(radius * 1.02, radius * 0.97, r)
        rows, columns = np.nonzero(face)
        if len(rows) == 0:
            return
        window = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        seas = fbm(256, 256, 3, 6, rng, 0.55)
        x, y = self._dx[:, window[1]] / np.float32(radius), self._dy[window[0]] / np.float32(radius)
        pattern = imaging.remap(seas, x * 80 + 128, y * 80 + 128)
        limb = np.clip(1 - (r[window] / np.float32(radius)) ** 2, 0, 1) ** np.float32(0.175)
        phase = smoothstep(-1.25, 0.35, -x * np.float32(math.copysign(1, self.body.x)) + y * np.float32(0.25))
        shade = (np.float32(0.55) + np.float32(0.6) * smoothstep(0.38, 0.62, pattern)) * limb * phase
        alpha = face[window]
        moonlight = (alpha * shade * np.float32(gain * min(1.0, self.palette.disc / 0.6)))[..., None]
        behind = self.light[window] * (1 - np.float32(0.7) * alpha[..., None])
        self.light[window] = behind + moonlight * rgb(1.0, 0.97, 0.90)
