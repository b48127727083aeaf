"""Mountain ranges: bands of a height field, cast, lit and hazed into parallax layers.

Every band has its own full silhouette, so bands may move against each other without holes. A band rises
from below at its front, or its cut would show as a wall.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer import imaging, raycast
from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import Palette, mix, rgb, smoothstep
from meshapi_renderer.elements.sky import Body
from meshapi_renderer.layers import Layer
from meshapi_renderer.noise import fbm
from meshapi_renderer.raycast import Hit, gradients
from meshapi_renderer.rng import Rng
from meshapi_renderer.view import View

_TEXTURE = 512
_CHUNK = 64
"""Rows shaded at a time, to stay in the cache and within memory at any size."""

Envelope = Callable[[Floats], Floats]
"""Height factor by azimuth (tangent), for placing summits and gaps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """One range: a slice of distances of a height field. Lengths in metres."""

    near: float
    far: float
    steps: int
    field: Floats
    """Heights in [0, 1] on a torus."""
    relief: float
    sharpness: float
    sink: float
    """Metres of the field's foot that lie below the plain."""
    cell: float
    """Metres between samples of the field."""
    offset: float
    envelope: Envelope
    rise: float
    """The front reaches its full height at this multiple of ``near``."""
    eye: float
    depth: float
    """Parallax depth of the layer."""
    snowline: float
    """Share of the relief above which snow lies; above 1.5 none does."""
    trees: float
    """Share of the ground under trees below the tree line."""
    treeline: float
    """Share of the relief at which trees end."""
    tree_height: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sunlight:
    """Direct and sky light on the ground, and what the air adds with distance."""

    palette: Palette
    body: Body
    towards: tuple[float, float, float]
    """Unit vector to the light: right, up, away."""
    strength: float
    sky: float = 0.85
    """Strength of the sky's light."""
    visibility: float
    """Distance in metres over which haze takes 63 %."""
    mist: float
    mist_height: float
    tree_colour: Floats
    tree_snow: float = 0.0
    wood_variety: Floats | None = None
    """A second tree colour that stands in patches, as in autumn."""


def light_vector(azimuth_x: float, azimuth_z: float, tan_elevation: float) -> tuple[float, float, float]:
    """Unit vector (right, up, away) of a light in a compass direction at a tangent of elevation."""
    flat = math.hypot(azimuth_x, azimuth_z)
    cosine = 1 / math.hypot(1.0, tan_elevation)
    return (azimuth_x / flat * cosine, tan_elevation * cosine, azimuth_z / flat * cosine)


class Rock:
    """Shared tileable textures of stone: value and slopes of grain and of cracks."""

    def __init__(self, rng: Rng) -> None:
        grain = fbm(_TEXTURE, _TEXTURE, 16, 5, rng.sub("grain"), 0.6)
        cracks = fbm(_TEXTURE, _TEXTURE, 8, 6, rng.sub("cracks"), 0.62, ridge=True)
        self.grain = imaging.Torus(np.dstack([grain, *gradients(grain, 1.0)]).astype(np.float32))
        self.cracks = imaging.Torus(np.dstack([cracks, *gradients(cracks, 1.0)]).astype(np.float32))
        tufts = fbm(_TEXTURE, _TEXTURE, 128, 2, rng.sub("tufts"), 0.5)
        self.tufts = imaging.Torus(
            np.clip((tufts - np.float32(0.42)) * np.float32(2.6), 0, 1) ** np.float32(0.8)
        )


class Range:
    """One band, ready to be painted into a layer of a view."""

    def __init__(self, view: View, band: Band, rock: Rock, light: Sunlight, oversampling: float) -> None:
        self._view = view
        self._band = band
        self._rock = rock
        self._light = light
        self._oversampling = oversampling
        self._width = int(view.width * oversampling)
        self._height = int(view.height * oversampling)
        self._focal = view.focal * oversampling
        self._horizon = view.horizon_row * oversampling
        columns = np.arange(self._width, dtype=np.float32) + np.float32(0.5)
        self._azimuth = (columns - np.float32(self._width / 2)) / np.float32(self._focal)
        heights = band.field ** np.float32(band.sharpness) * np.float32(band.relief)
        self._ground = imaging.Torus(heights)
        slope_x, slope_z = gradients(heights, band.cell)
        x, up, z = light.towards
        flat = math.hypot(x, z)
        shadow = raycast.sun_shadow(heights, band.cell, x / flat, z / flat, up / flat, 32)
        self._slopes = imaging.Torus(np.dstack([slope_x, slope_z, shadow]).astype(np.float32))

    def layer(self) -> Layer:
        """Cast, shade and average the band."""
        band, view = self._band, self._view
        found = self._cast()
        colour = np.empty((*found.depth.shape, 3), np.float32)
        for begin in range(0, found.depth.shape[0], _CHUNK):
            rows = slice(begin, min(begin + _CHUNK, found.depth.shape[0]))
            colour[rows] = self._shade(found.rows[rows], found.depth[rows])
        lin, alpha = raycast.downsample_window(
            colour, found.coverage, found.top, found.bottom, self._oversampling, view.width, view.height
        )
        return Layer.from_linear(lin, alpha, band.depth, view.margin)

    def _cast(self) -> Hit:
        band = self._band
        depths = np.geomspace(band.near, band.far, band.steps).astype(np.float32)
        across = depths[:, None] * self._azimuth[None]
        u = (across + np.float32(band.offset)) * np.float32(1 / band.cell)
        v = depths[:, None] * np.float32(1 / band.cell)
        heights = self._ground.at(u, v) - np.float32(band.sink)
        above = heights > 0
        rise = smoothstep(band.near, band.near * band.rise, depths)[:, None]
        heights = np.where(above, heights * band.envelope(self._azimuth)[None] * rise, heights)
        # Broken rock and trees roughen the outline beyond what the field's samples can hold.
        rough = self._rock.cracks.at(u * np.float32(2.3), v * np.float32(2.3))[..., 0]
        heights += above * (rough - np.float32(0.5)) * np.float32(0.016 * band.relief) * rise
        if band.tree_height > 0:
            tufts = self._rock.tufts.at(across * np.float32(1 / 3.2), depths[:, None] * np.float32(1 / 3.2))
            wooded = smoothstep(
                band.relief * (band.treeline + 0.1), band.relief * (band.treeline - 0.1), heights
            )
            heights += tufts * wooded * (heights > 3) * np.float32(band.tree_height)
        # A ridge along the view would come out as a comb: no form may be narrower than two depth steps.
        heights = np.asarray(cv2.GaussianBlur(heights, (1, 5), 0.0, sigmaY=0.9), np.float32)
        lowest = self._horizon + self._focal * band.eye / band.near + 2
        return raycast.hit(heights, depths, self._focal, self._horizon, band.eye, self._height, lowest)

    def _shade(self, rows: Floats, depth: Floats) -> Floats:
        band, light, palette = self._band, self._light, self._light.palette
        per_metre = np.float32(1 / band.cell)
        u = (depth * self._azimuth[None] + np.float32(band.offset)) * per_metre
        v = depth * per_metre
        height = (np.float32(self._horizon) - rows) * depth * np.float32(1 / self._focal) + np.float32(
            band.eye
        )
        # Height folded into the coordinates: detail does not smear down cliffs.
        folded_u, folded_v = (
            u + height * per_metre * np.float32(0.9),
            v + height * per_metre * np.float32(0.55),
        )

        def detail(texture: imaging.Torus, scale: float, offset: float = 0.0) -> Floats:
            k, o = np.float32(scale), np.float32(offset)
            return texture.at(folded_u * k + o, folded_v * k + o)

        ground = self._slopes.at(u, v)
        coarse, fine = detail(self._rock.grain, 3.1), detail(self._rock.grain, 11.3, 37)
        wide, narrow = detail(self._rock.cracks, 2.3), detail(self._rock.cracks, 6.1, 19)
        hair = detail(self._rock.cracks, 15.7, 71)[..., 0]
        grain = coarse[..., 0] * np.float32(0.6) + fine[..., 0] * np.float32(0.4)
        cracks = wide[..., 0] * np.float32(0.5) + narrow[..., 0] * np.float32(0.35) + hair * np.float32(0.15)
        cracks = np.clip((cracks - np.float32(0.40)) * np.float32(2.6), 0, 1)
        bump = coarse[..., 1:] * np.float32(7.0) + fine[..., 1:] * np.float32(6.5)
        bump -= wide[..., 1:] * np.float32(13.0) + narrow[..., 1:] * np.float32(11.0)
        normal_x, normal_z = -(ground[..., 0] + bump[..., 0]), -(ground[..., 1] + bump[..., 1])
        upright = 1 / np.sqrt(normal_x * normal_x + normal_z * normal_z + 1)
        plain = 1 / np.sqrt(ground[..., 0] ** 2 + ground[..., 1] ** 2 + 1)
        albedo = self._albedo(
            height, plain * np.float32(0.55) + upright * np.float32(0.45), grain, cracks, detail
        )
        x, up, z = light.towards
        facing = np.clip(
            (normal_x * np.float32(x) + np.float32(up) + normal_z * np.float32(z)) * upright, 0, 1
        )
        direct = facing * ground[..., 2] * np.float32(light.strength)
        sky = (np.float32(0.45) + np.float32(0.55) * upright) * (np.float32(0.6) + np.float32(0.4) * cracks)
        lit = albedo * (
            palette.sun * direct[..., None] + palette.ambient * (sky * np.float32(light.sky))[..., None]
        )
        return self._through_air(lit, height, depth) * np.float32(palette.exposure)

    def _albedo(
        self, height: Floats, upright: Floats, grain: Floats, cracks: Floats, detail: Callable[..., Floats]
    ) -> Floats:
        band, light = self._band, self._light
        strata = np.sin(height * np.float32(0.045) + grain * np.float32(7.0)) * np.float32(0.12)
        stone = grain * np.float32(0.45) + cracks * np.float32(0.55) + strata
        stone = np.clip((stone - np.float32(0.5)) * np.float32(1.5) + np.float32(0.48), 0, 1)
        albedo = mix(rgb(0.034, 0.032, 0.034), rgb(0.205, 0.184, 0.166), stone[..., None])
        share = height * np.float32(1 / band.relief)
        uneven = (grain - np.float32(0.5)) * np.float32(0.35) + (cracks - np.float32(0.5)) * np.float32(0.16)
        if band.snowline < 1.5:
            high = smoothstep(band.snowline - 0.09, band.snowline + 0.11, share + uneven)
            flat = smoothstep(0.47, 0.62, upright + (grain - np.float32(0.5)) * np.float32(0.22))
            albedo = mix(albedo, rgb(0.86, 0.90, 0.97), (high * flat)[..., None])
        if band.trees > 0:
            tone = np.float32(0.55) + np.float32(1.1) * detail(self._rock.grain, 23.0, 11)[..., 0:1]
            leaves = light.tree_colour * tone
            if light.wood_variety is not None:
                trees = detail(self._rock.grain, 19.0, 31)[..., 0] * np.float32(0.7)
                patches = smoothstep(
                    0.42, 0.62, trees + detail(self._rock.grain, 4.1, 23)[..., 0] * np.float32(0.35)
                )
                hue = mix(
                    light.wood_variety, rgb(0.20, 0.035, 0.010), smoothstep(0.4, 0.65, grain)[..., None]
                )
                leaves = mix(leaves, hue * tone, (patches * np.float32(0.85))[..., None])
            if light.tree_snow > 0:
                dusted = smoothstep(0.30, 0.75, detail(self._rock.grain, 23.0, 11)[..., 0])
                leaves = mix(leaves, rgb(0.40, 0.44, 0.50), (dusted * np.float32(light.tree_snow))[..., None])
            wooded = smoothstep(band.treeline + 0.08, band.treeline - 0.14, share + uneven)
            steep = smoothstep(0.34, 0.5, upright + np.float32(0.1))
            albedo = mix(albedo, leaves, (wooded * steep * np.float32(band.trees))[..., None])
        return albedo

    def _through_air(self, colour: Floats, height: Floats, depth: Floats) -> Floats:
        """Haze that warms towards the sun, and mist lying in the hollows."""
        light, palette = self._light, self._light.palette
        closeness = np.exp(-np.abs(self._azimuth - np.float32(light.body.x)) * np.float32(2.3))
        closeness = closeness * np.float32(0.8 * min(1.0, palette.disc) * (not light.body.moon))
        bright = palette.horizon * np.float32(1.05) + palette.glow * np.float32(0.25)
        air = mix(palette.haze, bright, closeness[:, None])[None]
        haze = 1 - np.exp(depth * np.float32(-1 / light.visibility))
        mist = np.exp(np.maximum(height, 0) * np.float32(-1 / light.mist_height)) * np.float32(light.mist)
        mist *= 1 - np.exp(depth * np.float32(-1 / 2600))
        share = np.clip(haze + (1 - haze) * mist, 0, 1)[..., None]
        return mix(colour, air, share)
