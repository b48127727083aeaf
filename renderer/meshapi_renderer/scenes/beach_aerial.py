"""A tropical beach from a drone: sea, surf, sand and palms seen from straight above."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera, Pose, margin
from meshapi_renderer.colour import luminance, mix, palette, smoothstep, swatch8
from meshapi_renderer.elements.beach_light import beach_light
from meshapi_renderer.elements.beach_picture import BeachSite, bake_beach
from meshapi_renderer.elements.coast import Coast, points_in_units, unit_pixels
from meshapi_renderer.elements.drift_texture import to_byte_mask
from meshapi_renderer.elements.grove import Canopy, plant_palms
from meshapi_renderer.elements.gulls import Gulls
from meshapi_renderer.elements.lit_tiles import Tile, lit_tiles
from meshapi_renderer.elements.palms import draw_crowns
from meshapi_renderer.elements.parasols import place_parasols
from meshapi_renderer.elements.particles import weather_particles
from meshapi_renderer.elements.sea_surface import SeaSurface
from meshapi_renderer.elements.softlight import grid_canvas
from meshapi_renderer.elements.sun_glitter import SunGlitter
from meshapi_renderer.elements.swash import Shallows, Surf, Swash
from meshapi_renderer.noise import fbm
from meshapi_renderer.plan import ScenePlan
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing
from meshapi_renderer.weather import air

_GROUND_DEPTH = 1.30
_CANOPY_DEPTH = 1.10
_GULL_DEPTH = 1.0
_MOST_PALMS = 46
_BANDS = 12
"""Bands of rows in which the ground is laid: each stays in the cache while it is."""
_ONE = 170
"""The byte that stands for a factor of one in the coarse tint."""
_VEIL_SIDE = 256
_HALF_TONE = 128
"""The byte that stands for a factor of one in the sea's factor."""
_WET_SAND = (np.float32(0.23), np.float32(0.26), np.float32(0.29))
"""What wet sand swallows more than dry sand: red, green, blue."""
_THIN_WATER = (np.float32(-0.16), np.float32(0.03), np.float32(0.06))
"""What a film of water adds."""
_SEA_STRENGTH = {"storm": 2.0, "rain": 1.3}


class Beach:
    """The built scene; see :func:`build`."""

    def __init__(self, plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> None:
        self._canvas, self._timing, self._speed = canvas, timing, plan.speed
        self._grid = grid_canvas(canvas)
        self._camera = Camera(plan.camera, plan.speed, timing, canvas)
        self._grid_camera = Camera(plan.camera, plan.speed, timing, self._grid)
        self._air = air(plan.weather)
        self._unit, self._margin = unit_pixels(canvas), margin(canvas)
        self._grid_margin = margin(self._grid)
        coast = Coast(rng.sub("coast"), _sea_shift(canvas))
        bearing = rng.sub("sun").uniform(-0.2, 1.0)
        self._light = beach_light(plan, bearing)
        site = _site(plan, canvas, coast, rng, bearing)
        self._centre = (site.columns / 2, site.rows / 2)
        # Four channels move in less than half the time of three.
        self._ground = cv2.cvtColor(bake_beach(site, self._light), cv2.COLOR_RGB2RGBA)
        self._canopy = Canopy(
            (site.rows, site.columns), site.palms, site.crowns, self._light.colour, self._unit, site.snow
        )
        self._swash, self._surface = self._water(plan, coast, site, rng)
        self._gulls = Gulls(rng.sub("gulls"), self._unit, self._light)
        self._foam = swatch8(mix(self._light.colour, self._light.sky_far, 0.12) * np.float32(1.15))
        layer = (site.rows, site.columns)
        self._glitter = SunGlitter(rng.sub("glitter"), layer, self._unit, self._light)
        self._veil = imaging.Torus(fbm(_VEIL_SIDE, _VEIL_SIDE, 3, 5, rng.sub("veil"), 0.5))
        self._cloud_shadow = _cloud_shadow(plan)
        self._fog = swatch8(palette(plan.time, plan.weather).haze)
        self._fog_amount = 0.54 if plan.weather == "fog" else 0.0
        bright = float(np.clip(luminance(self._light.colour), 0.25, 1.0))
        self._particles = weather_particles(
            plan.weather, canvas, rng.sub("weather"), bright, amount=0.8, speed=plan.speed
        )

    def _water(self, plan: ScenePlan, coast: Coast, site: BeachSite, rng: Rng) -> tuple[Swash, SeaSurface]:
        strength = _SEA_STRENGTH.get(plan.weather, 1.0)
        grid, border = self._grid, self._grid_margin
        unit = unit_pixels(grid)
        points = points_in_units(grid.height + 2 * border, grid.width + 2 * border, unit)
        swash = Swash(coast, rng.sub("swash"), points, (site.rows, site.columns), self._unit, strength)
        half = (site.rows // 2 + 2, site.columns // 2 + 2)
        sunny = float(np.clip(1 - luminance(self._light.shade), 0, 1))
        surface = SeaSurface(rng.sub("surface"), half, self._unit / 2, strength, sunny)
        return swash, surface

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """Frame ``index``; see `Scene`."""
        canvas = self._canvas
        seconds = self._timing.seconds(index)
        paced = seconds * self._speed
        pose = self._camera.pose(index)
        matrix = self._camera.matrix(pose, _GROUND_DEPTH, self._margin)
        grid_matrix = self._grid_camera.matrix(pose, _GROUND_DEPTH, self._grid_margin)
        shallows = self._swash.shallows(paced, grid_matrix, (self._grid.height, self._grid.width))
        size = (canvas.width, canvas.height)
        surf = self._swash.surf(shallows, paced, matrix, size, scratch)
        picture: Bytes8 = scratch.array("beach", (canvas.height, canvas.width, 3))
        self._lay_ground(picture, matrix)
        self._shade(picture, shallows, surf, pose, paced, matrix, scratch)
        for part in surf:
            imaging.tint(picture[part.tile.window], part.foam, self._foam)
        canopy = self._camera.matrix(pose, _CANOPY_DEPTH, self._margin)
        self._canopy.draw(picture, canopy, paced, self._air.wind, scratch)
        gulls = self._camera.matrix(pose, _GULL_DEPTH, self._margin)
        self._gulls.draw(picture, gulls, self._centre, paced)
        if self._fog_amount > 0:
            self._lay_fog(picture, pose, paced)
        if self._particles is not None:
            self._particles.draw(picture, seconds, scratch)
        return picture

    def _lay_ground(self, picture: Bytes8, matrix: Floats) -> None:
        height, width = picture.shape[:2]
        for top, bottom in pairwise([round(height * band / _BANDS) for band in range(_BANDS + 1)]):
            local = Tile(0, width, top, bottom).local(matrix)
            moved = imaging.warp_affine(self._ground, local, width, bottom - top)
            cv2.cvtColor(moved, cv2.COLOR_RGBA2RGB, picture[top:bottom])

    def _shade(
        self,
        picture: Bytes8,
        shallows: Shallows,
        surf: list[Surf],
        pose: Pose,
        seconds: float,
        matrix: Floats,
        scratch: Scratch,
    ) -> None:
        """Wet sand, thin water, ripples, wave fronts, flashes and the shadows of clouds, in place."""
        width, height = size = self._canvas.width, self._canvas.height
        small = self._tint(shallows, pose, seconds)
        tint = scratch.array("beach tint", (height, width, 3))
        cv2.resize(small, size, tint, interpolation=cv2.INTER_LINEAR)
        tinted = cv2.bitwise_not(cv2.inRange(small, (_ONE,) * 3, (_ONE,) * 3))
        for tile in lit_tiles(np.asarray(tinted, np.uint8), width, height):
            window = picture[tile.window]
            cv2.multiply(window, tint[tile.window], window, 1 / _ONE)
        half = np.array(matrix, np.float64)
        half[:, 2] *= 0.5
        factor = self._surface.factor(shallows, seconds, half, (-(-width // 2), -(-height // 2)), scratch)
        large = scratch.array("beach factor", (height, width))
        cv2.resize(factor, size, large, interpolation=cv2.INTER_LINEAR)
        for part in surf:
            window = large[part.tile.window]
            cv2.subtract(window, cv2.convertScaleAbs(part.face, alpha=0.11), window)
        for tile in lit_tiles(shallows.above < 0, width, height):
            window = picture[tile.window]
            cv2.multiply(window, imaging.triple(large[tile.window]), window, 1 / _HALF_TONE)
        if self._glitter.visible:
            self._glitter.draw(picture, shallows, seconds, matrix)

    def _tint(self, shallows: Shallows, pose: Pose, seconds: float) -> Bytes8:
        """Slow factors on the ground, on the grid, three channels in 1/170."""
        wet = smoothstep(0.026, -0.002, shallows.above) * smoothstep(-0.030, -0.004, shallows.above)
        film = smoothstep(0.002, -0.030, shallows.above) * smoothstep(-0.12, 0.0, shallows.inland)
        level = np.full_like(wet, _ONE)
        if self._cloud_shadow > 0:
            level = level * (1 - np.float32(self._cloud_shadow) * self._clouds(pose, seconds))
        planes = [
            np.clip(level * (1 - wet * soak) * (1 + film * clear), 0, 255).astype(np.uint8)
            for soak, clear in zip(_WET_SAND, _THIN_WATER, strict=True)
        ]
        return np.asarray(cv2.merge(planes), np.uint8)

    def _clouds(self, pose: Pose, seconds: float) -> Floats:
        """Shadows of passing clouds, 0 to 1, on the grid."""
        u, v = self._grid_points(pose, 0.8)
        drift = np.float32(0.020 * _VEIL_SIDE * self._air.wind * seconds)
        return smoothstep(0.42, 0.60, self._veil.at(u + drift, v - drift * np.float32(0.4)))

    def _grid_points(self, pose: Pose, scale: float) -> tuple[Floats, Floats]:
        """Ground coordinates of the grid's points, in texels of the veil repeated ``scale`` times."""
        grid = self._grid
        zoom, shift_x, shift_y = self._grid_camera.scale_shift(pose, _GROUND_DEPTH)
        step = np.float32(scale * _VEIL_SIDE / (zoom * grid.long))
        x = (np.arange(grid.width, dtype=np.float32)[None] - np.float32(shift_x)) * step
        y = (np.arange(grid.height, dtype=np.float32)[:, None] - np.float32(shift_y)) * step
        return x + np.zeros_like(y), y + np.zeros_like(x)

    def _lay_fog(self, picture: Bytes8, pose: Pose, seconds: float) -> None:
        """Banks of fog between the drone and the beach, in place."""
        u, v = self._grid_points(pose, 0.8)
        drift = np.float32(0.045 * _VEIL_SIDE * seconds)
        one = self._veil.at(u + drift, v)
        two = self._veil.at(u * np.float32(1.9) - drift, v * np.float32(1.9) + drift)
        density = np.clip(one * np.float32(0.9) + two * np.float32(0.5) - np.float32(0.12), 0.25, 1.0)
        alpha = to_byte_mask(density * np.float32(self._fog_amount))
        large = imaging.resize(alpha, self._canvas.width, self._canvas.height)
        imaging.tint(picture, large, self._fog)


def _site(plan: ScenePlan, canvas: Canvas, coast: Coast, rng: Rng, bearing: float) -> BeachSite:
    """Where everything stands, in pixels of the padded picture."""
    border, unit = margin(canvas), unit_pixels(canvas)
    rows, columns = canvas.height + 2 * border, canvas.width + 2 * border
    centre = (columns / 2, rows / 2)
    half_width, half_height = columns / 2 / unit + 0.05, rows / 2 / unit + 0.05
    rough = plan.weather in ("snow", "storm")
    palms = plant_palms(coast, rng.sub("palms"), half_width, half_height, _MOST_PALMS)
    return BeachSite(
        rows=rows,
        columns=columns,
        unit=unit,
        coast=coast,
        palms=[palm.placed(unit, *centre) for palm in palms],
        crowns=draw_crowns(rng.sub("crowns")),
        parasols=[] if rough else place_parasols(coast, rng.sub("parasols"), unit, centre),
        bearing=bearing,
        snow=0.9 if plan.weather == "snow" else 0.0,
    )


def _sea_shift(canvas: Canvas) -> float:
    """How many units an upright frame's coast lies lower, so that sea and land share the picture."""
    return 0.30 * max(0.0, 0.5 * canvas.height / unit_pixels(canvas) - 0.30)


def _cloud_shadow(plan: ScenePlan) -> float:
    """How dark the shadows of clouds are; only broken clouds throw any."""
    if plan.weather != "cloudy" or plan.time in ("dusk", "night"):
        return 0.12 if plan.weather in ("storm", "rain") else 0.0
    return 0.45


def build(plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> Scene:
    """A beach from above: the hour tints and shades it, the weather roughens or veils it."""
    return Beach(plan, canvas, timing, rng)
