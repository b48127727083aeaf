"""Sand dunes: asymmetric ridges evaluated exactly at every point, so that crests stay sharp at any size.

A dune's phase runs across the wind, bent by smooth noise; its profile climbs gently on the windward side
and falls steeply on the lee. Only the smooth noise is kept as textures, on a torus.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer import imaging, raycast
from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import Palette, mix, rgb, smoothstep
from meshapi_renderer.elements.sky import Body
from meshapi_renderer.layers import Layer
from meshapi_renderer.noise import fbm, wrap_blur
from meshapi_renderer.rng import Rng
from meshapi_renderer.view import View

_SIDE = 512
_CREST = 0.70
"""Share of a wave that is the windward slope."""
_CHUNK = 64
_DOUBLINGS = 3
_SYSTEMS = ((3, 1, 1.0, 1.1), (5, -2, 0.42, 1.5), (9, 2, 0.12, 1.8))
"""(waves across the tile, along it, height, bend) of each system of dunes."""
_SWELL = 1.3
_TALLEST = 2.35
"""Height of the sum of systems that is called 1."""


class DuneField:
    """A torus of dunes of side 1 and height about 1, evaluated at any point."""

    def __init__(self, rng: Rng) -> None:
        broad = fbm(_SIDE, _SIDE, 2, 4, rng.sub("broad"), 0.5)
        height = fbm(_SIDE, _SIDE, 3, 5, rng.sub("height"), 0.5)
        small = fbm(_SIDE, _SIDE, 7, 4, rng.sub("small"), 0.5)
        self._texture = np.dstack([broad, height, small]).astype(np.float32)
        self._torus = imaging.Torus(self._texture)

    def heights(self, x: Floats, z: Floats, rounding: float = 0.0, window: Window | None = None) -> Floats:
        """Height at tile coordinates (1 is a tile's side); crests are rounded over ``rounding`` of a tile."""
        bend, level, ripple = self._noise(x, z, window)
        total = (bend - np.float32(0.5)) * np.float32(_SWELL)
        for index, system in enumerate(_SYSTEMS):
            across, along, height, wander = system
            phase = x * np.float32(across) + z * np.float32(along) + bend * np.float32(1.9 * wander)
            phase += ripple * np.float32(0.30 * wander)
            total += np.float32(height) * _profile(phase, rounding * across) * _strength(level, index)
        return total * np.float32(1 / _TALLEST) + np.float32(0.15)

    def _noise(self, x: Floats, z: Floats, window: Window | None) -> tuple[Floats, Floats, Floats]:
        if window is None:
            u, v = x * np.float32(_SIDE) - np.float32(0.5), z * np.float32(_SIDE) - np.float32(0.5)
            sample = self._torus.at(u, v)
        else:
            u, v = window.pixels(x, z)
            sample = window.texture.at(u, v)
        return sample[..., 0], sample[..., 1], sample[..., 2]

    def window(self, x0: float, x1: float, z0: float, z1: float) -> Window:
        """An enlarged part of the noise, for ground seen so near that texture look-ups would show steps."""
        pad = 3
        left, right = math.floor(x0 * _SIDE) - pad, math.ceil(x1 * _SIDE) + pad
        low, high = math.floor(z0 * _SIDE) - pad, math.ceil(z1 * _SIDE) + pad
        part = self._texture[np.ix_(np.arange(low, high) % _SIDE, np.arange(left, right) % _SIDE)]
        for _ in range(_DOUBLINGS):
            # One step of cubic B-spline subdivision: slopes stay smooth, where cubic resizing would ripple.
            part = np.asarray(cv2.pyrUp(part), np.float32)
        return Window(imaging.Torus(part), left / _SIDE, low / _SIDE)


@dataclass(frozen=True, slots=True)
class Window:
    """An enlarged part of the noise textures and its corner in tile coordinates."""

    texture: imaging.Torus
    left: float
    low: float

    def pixels(self, x: Floats, z: Floats) -> tuple[Floats, Floats]:
        """Pixel coordinates of tile coordinates."""
        side, zoom = np.float32(_SIDE), np.float32(1 << _DOUBLINGS)
        u = ((x - np.float32(self.left)) * side - np.float32(0.5)) * zoom
        return u, ((z - np.float32(self.low)) * side - np.float32(0.5)) * zoom


def _profile(phase: Floats, rounding: float) -> Floats:
    """One wave, 0 in the trough to 1 on the crest, the crest rounded over that much phase."""
    share = phase - np.floor(phase)
    windward = share * np.float32(1 / _CREST)
    windward *= windward * np.float32(0.42) + np.float32(0.58)
    lee = (1 - share) * np.float32(1 / (1 - _CREST))
    lee *= lee * np.float32(0.18) + np.float32(0.82)
    lower = np.minimum(windward, lee)
    if rounding > 0:
        reach = np.float32(max(1e-4, rounding * (1.35 / _CREST + 1.15 / (1 - _CREST))))
        overlap = np.maximum(reach - np.abs(windward - lee), 0) / reach
        lower = lower - overlap * overlap * reach * np.float32(0.25)
    return np.asarray(lower)


def _strength(level: Floats, index: int) -> Floats:
    """Where each system of dunes is tall; smooth, different for each system."""
    shifted = level if index == 0 else (1 - level if index == 1 else np.abs(level - np.float32(0.5)) * 2)
    return np.float32(0.30) + np.float32(0.85) * smoothstep(0.25, 0.75, shifted)


@dataclass(frozen=True, slots=True, kw_only=True)
class DuneBand:
    """One slice of distances of the field, in metres."""

    near: float
    far: float
    steps: int
    tile: float
    """Side of the torus."""
    relief: float
    base: float
    """Height of the field's zero."""
    eye: float
    offset: float
    depth: float
    valley: float = 0.0
    """Rise towards the frame's sides, in metres: opens the view in the middle."""
    rise: float = 1.15
    ripples: float = 0.0
    """Slope of the wind's ripples."""
    pitch: float = 1.0
    """Ripples over their usual number a metre."""
    grain: float = 1.0
    """Fineness of the speckle: near sand needs finer texture pixels, or their lattice shows."""
    contrast: float = 0.38
    """Of the speckle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandLight:
    """Light on sand; colours linear."""

    sand: Floats
    sun: Floats
    sky: Floats
    haze: Floats
    glow: Floats
    body: Body
    towards: tuple[float, float, float]
    visibility: float
    exposure: float
    shade: float
    """Light left in a cast shadow."""
    snow: float = 0.0


class DuneRange:
    """One band of dunes, cast and shaded into a layer."""

    def __init__(
        self,
        view: View,
        field: DuneField,
        band: DuneBand,
        light: SandLight,
        grain: SandGrain,
        oversampling: float,
    ) -> None:
        self._view, self._field, self._band, self._light = view, field, band, light
        self._grain = grain
        self._oversampling = oversampling
        self._width, self._height = int(view.width * oversampling), int(view.height * oversampling)
        self._focal = view.focal * oversampling
        self._horizon = view.horizon_row * oversampling
        columns = np.arange(self._width, dtype=np.float32) + np.float32(0.5)
        self._azimuth = (columns - np.float32(self._width / 2)) / np.float32(self._focal)
        # Crests sharper than the depth steps would come out serrated.
        step = (band.far / band.near) ** (1 / band.steps) - 1
        self._rounding = 1.5 * step * 0.6 * band.far / band.tile
        self._step = step
        self._window = self._near_window() if band.far / band.tile < 0.5 else None
        self._lit = self._shadow_map()

    def _near_window(self) -> Window:
        band = self._band
        reach = float(self._azimuth[-1]) * band.far / band.tile
        x = band.offset / band.tile
        return self._field.window(x - reach, x + reach, 0.0, band.far / band.tile)

    def _shadow_map(self) -> imaging.Torus:
        """Where the sun reaches, on the torus, (side, side)."""
        grid = (np.arange(_SIDE, dtype=np.float32) + np.float32(0.5)) / np.float32(_SIDE)
        z, x = np.broadcast_arrays(grid[:, None], grid[None])
        heights = self._field.heights(np.ascontiguousarray(x), np.ascontiguousarray(z)) * np.float32(
            self._band.relief
        )
        right, up, away = self._light.towards
        flat = math.hypot(right, away)
        shadow = raycast.sun_shadow(
            heights, self._band.tile / _SIDE, right / flat, away / flat, up / flat, 30
        )
        return imaging.Torus(wrap_blur(shadow, 0.9))

    def _surface(self, x: Floats, z: Floats) -> Floats:
        """Height in metres at world coordinates (right, away)."""
        band = self._band
        scale = np.float32(1 / band.tile)
        return self._field.heights(
            (x + np.float32(band.offset)) * scale, z * scale, self._rounding, self._window
        ) * np.float32(band.relief) + np.float32(band.base)

    def layer(self) -> Layer:
        """Cast, shade and average the band."""
        band, view = self._band, self._view
        depths = np.geomspace(band.near, band.far, band.steps).astype(np.float32)
        x = depths[:, None] * self._azimuth[None]
        heights = self._surface(x, np.broadcast_to(depths[:, None], x.shape).copy())
        heights += np.float32(band.valley) * smoothstep(0.05, 0.6, np.abs(self._azimuth))[None]
        heights -= (
            np.float32(band.relief) * (1 - smoothstep(band.near, band.near * band.rise, depths))[:, None]
        )
        found = raycast.hit(heights, depths, self._focal, self._horizon, band.eye, self._height)
        colour = np.empty((*found.depth.shape, 3), np.float32)
        for begin in range(0, found.depth.shape[0], _CHUNK):
            rows = slice(begin, min(begin + _CHUNK, found.depth.shape[0]))
            colour[rows] = self._shade(found.depth[rows])
        lin, alpha = raycast.downsample_window(
            colour, found.coverage, found.top, found.bottom, self._oversampling, view.width, view.height
        )
        return Layer.from_linear(lin, alpha, band.depth, view.margin)

    def _shade(self, depth: Floats) -> Floats:
        band, light = self._band, self._light
        x = depth * self._azimuth[None]
        # Shorter steps would show the 1/32 pixel grid of the look-up as a weave.
        coarse = band.tile * (4e-4 if self._window is not None else 2e-3)
        reach = np.maximum(depth * np.float32(max(1.0 / self._focal, 0.5 * self._step)), np.float32(coarse))
        # Towards the viewer: a step away from a crest would find the slope nobody sees.
        here = self._surface(x, depth)
        slope_x = (self._surface(x + reach * np.float32(0.5), depth) - here) / (reach * np.float32(0.5))
        slope_z = (here - self._surface(x, depth - reach)) / reach
        pixels = np.float32(_SIDE / band.tile)
        lit = self._lit.at((x + np.float32(band.offset)) * pixels, depth * pixels)
        fine = self._speckle(x, depth, 0.9) * np.float32(0.5) + self._speckle(x, depth, 3.1) * np.float32(0.5)
        normal_x, normal_z = -slope_x, -slope_z
        if band.ripples > 0:
            ripple = self._ripples(x, depth, slope_x)
            normal_x = normal_x + ripple * np.float32(0.80)
            normal_z = normal_z + ripple
        upright = 1 / np.sqrt(normal_x * normal_x + normal_z * normal_z + 1)
        right, up, away = light.towards
        facing = (normal_x * np.float32(right) + np.float32(up) + normal_z * np.float32(away)) * upright
        direct = np.clip(facing, 0, 1) * (np.float32(light.shade) + np.float32(1 - light.shade) * lit)
        sand = (
            light.sand
            * (np.float32(0.99 - 0.5 * band.contrast) + np.float32(band.contrast) * fine)[..., None]
        )
        if light.snow > 0:
            lying = smoothstep(0.62, 0.86, upright + (fine - np.float32(0.5)) * np.float32(0.3))
            sand = mix(sand, rgb(0.82, 0.86, 0.92), (lying * np.float32(light.snow))[..., None])
        sky = np.float32(0.55) + np.float32(0.45) * upright
        colour = sand * (light.sun * (direct * 2)[..., None] + light.sky * sky[..., None])
        haze = (1 - np.exp(depth * np.float32(-1 / light.visibility)))[..., None]
        air = (
            light.haze
            + light.glow * np.exp(-np.abs(self._azimuth - np.float32(light.body.x)) * 2.5)[None, :, None]
        )
        return mix(colour, air, haze) * np.float32(light.exposure)

    def _speckle(self, x: Floats, z: Floats, texels_per_metre: float) -> Floats:
        # Fewer texture pixels per metre in wider bands: grain is a matter of the picture, not of sand.
        k = np.float32(texels_per_metre * self._band.grain * 635.0 / self._band.tile)
        return self._grain.speckle.at(x * k, z * k)

    def _wander(self, x: Floats, z: Floats, texels_per_metre: float) -> Floats:
        k = np.float32(texels_per_metre)
        return self._grain.wander.at(x * k, z * k)

    def _ripples(self, x: Floats, z: Floats, slope_x: Floats) -> Floats:
        """Wind ripples as a slope: none on the steep lee, fading with distance."""
        band = self._band
        wander = self._wander(x, z, 0.9) * np.float32(26) + self._wander(x, z, 4.3) * np.float32(3.0)
        phase = (x * np.float32(0.8) + z * np.float32(2.6)) * np.float32(1.25 * band.pitch) + wander
        wave = np.sin(phase) + np.float32(0.35) * np.sin(phase * 2 + np.float32(0.9))
        lee = smoothstep(1.1, 0.5, np.abs(slope_x))
        patch = np.float32(0.45) + np.float32(0.75) * self._wander(x, z, 0.6)
        # A low sun draws out every ripple: gentler ones show as much.
        slope = band.ripples * min(1.0, max(0.45, 1.6 * self._light.towards[1]))
        fade = np.exp(z * np.float32(-1 / 150.0)) * np.float32(slope)
        fade *= np.float32(0.3) + np.float32(0.7) * smoothstep(22.0, 50.0, z)
        waves = wave * patch * fade
        # Nearer still, the small ripples that lie across the large ones.
        close = np.exp(z * np.float32(-1 / 38.0)) * np.float32(1.8 * slope)
        fine = (x * np.float32(2.1) + z * np.float32(5.2)) * np.float32(1.6) + wander * np.float32(1.7)
        waves += np.sin(fine + np.sin(fine * np.float32(0.31)) * np.float32(0.8)) * close
        return np.asarray(waves * lee)


@dataclass(frozen=True, slots=True)
class SandGrain:
    """Tileable textures of (512, 512), about [0, 1]: fine speckle, and the smooth wander of ripples."""

    speckle: imaging.Torus
    wander: imaging.Torus


def sand_grain(rng: Rng) -> SandGrain:
    """Speckle and wander drawn from ``rng``."""
    return SandGrain(
        imaging.Torus(fbm(_SIDE, _SIDE, 12, 6, rng.sub("speckle"), 0.6)),
        imaging.Torus(fbm(_SIDE, _SIDE, 9, 2, rng.sub("wander"), 0.4)),
    )


def sand_colours(palette: Palette, night: bool) -> tuple[Floats, Floats, Floats, Floats]:
    """(sand, sun, sky, haze) for a palette, linear."""
    if night:
        return (
            rgb(0.66, 0.36, 0.14),
            rgb(0.34, 0.40, 0.52) * np.float32(0.4 + palette.disc),
            palette.ambient * np.float32(1.1),
            mix(palette.horizon, palette.haze, 0.4),
        )
    return (
        rgb(0.68, 0.38, 0.155),
        palette.sun * np.float32(1.5),
        palette.ambient * np.float32(0.55),
        mix(palette.haze, palette.horizon, 0.6),
    )
