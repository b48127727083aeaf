"""Northern lights over a snowed-in valley: curtains of light, far peaks, pines and a lit cabin."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera, Pose
from meshapi_renderer.colour import Palette, mix, palette, rgb, swatch8, to8
from meshapi_renderer.elements.aurora_curtains import AuroraCurtains
from meshapi_renderer.elements.cabin import Smoke, draw_cabin
from meshapi_renderer.elements.clouds import Clouds, cloud_style
from meshapi_renderer.elements.particles import weather_particles
from meshapi_renderer.elements.pines import PineLight
from meshapi_renderer.elements.ranges import Band, Range, Rock, Sunlight, light_vector
from meshapi_renderer.elements.sky import Body, Dome
from meshapi_renderer.elements.softlight import Enlarger, grid_canvas
from meshapi_renderer.elements.stars import Twinkle, star_field
from meshapi_renderer.elements.terrain import mountain_field
from meshapi_renderer.elements.woodland import Plane, Wood, WoodLight, reference_height, snow_ground
from meshapi_renderer.layers import Layer, draw_stack
from meshapi_renderer.plan import ScenePlan, TimeOfDay
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing
from meshapi_renderer.view import View
from meshapi_renderer.weather import air

_HORIZON = 0.67
_PLANES = (
    Plane(80, 0.035, 0.075, 22.0, 0.42, 0.006, 0.0, 0.0),
    Plane(64, 0.055, 0.115, 12.0, 0.26, 0.022, 0.05, 0.006),
    Plane(20, 0.12, 0.23, 5.4, 0.10, 0.060, 0.56, 0.02, saplings=8),
    Plane(9, 0.26, 0.46, 2.4, 0.03, 0.115, 0.74, 0.06, saplings=6),
    Plane(5, 0.50, 0.80, 1.0, 0.0, 0.215, 1.02, 0.10, saplings=3),
)
_CABIN_PLANE = 2
"""The layer the cabin stands on, counted from the farthest."""
_HOURS: dict[TimeOfDay, TimeOfDay] = {"night": "night"}
"""The lights show in the dark: any other hour becomes the polar twilight of dusk."""
_ON_SNOW = rgb(3.2, 4.4, 2.6)
"""How strongly the curtains' red, green and blue show on snow that is blue already."""
_SEEN = {
    "clear": 1.0,
    "cloudy": 0.85,
    "overcast": 0.45,
    "storm": 0.40,
    "rain": 0.40,
    "snow": 0.75,
    "fog": 0.6,
}


class Aurora:
    """See the module."""

    def __init__(self, plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> None:
        self._canvas, self._timing, self._speed = canvas, timing, plan.speed
        self._view = view = View(canvas, _HORIZON)
        self._camera = Camera(plan.camera, plan.speed, timing, canvas, horizon=view.horizon)
        hour = _HOURS.get(plan.time, "dusk")
        tones = palette(hour, "clear")
        self._wind = air(plan.weather).wind
        self._grid = grid_canvas(canvas)
        self._sky_rows = min(canvas.height, math.ceil(view.horizon_row) + 2)
        self._grid_rows = math.ceil(self._sky_rows * self._grid.height / canvas.height)
        self._enlarger = Enlarger(Canvas(canvas.width, self._sky_rows))
        self._curtains = AuroraCurtains(view, self._grid, rng.sub("curtains"), plan.colours, 1.0)
        self._strength = _SEEN[plan.weather] * (1.5 if hour == "night" else 1.2)
        body = Body(-0.25 * rng.sub("moon").sign(), 0.55, moon=True)
        self._dark = _dark_sky(view, self._grid, tones, body)
        self._stars8, self._twinkle = _stars(view, rng.sub("stars"), 0.9 if hour == "night" else 0.45)
        self._clouds: Clouds | None = None
        if plan.weather != "clear":
            cover = {"cloudy": 0.30, "snow": 0.36}.get(plan.weather, 0.55)
            style = cloud_style("veils", cover, 0.9)
            dim = replace(tones, cloud_lit=tones.cloud_lit * np.float32(0.3), exposure=0.7)
            pace = 0.006 * self._wind * plan.speed
            self._clouds = Clouds(view, dim, body, rng.sub("clouds"), style, (pace, 0.3 * pace))
        self._light = _light(tones, body, plan)
        self._peaks = _peaks(view, tones, body, rng.sub("peaks"))
        self._layers, self._chimney = self._land(rng.sub("land"))
        smoke = swatch8(rgb(0.16, 0.19, 0.23))
        tall = reference_height(view)
        self._smoke = Smoke(rng.sub("smoke"), 0.014 * tall, 0.24 * tall, smoke)
        self._falling = weather_particles(plan.weather, canvas, rng.sub("falling"), 0.45, speed=plan.speed)

    def _land(self, rng: Rng) -> tuple[list[Layer], tuple[float, float]]:
        """The planes of pines, far to near, and where the cabin's chimney ends, in the frame's pixels."""
        view = self._view
        wood = Wood(view, self._light, rng, _PLANES)
        layers = wood.layers()
        tall = reference_height(view)
        light = np.zeros((view.height, view.width, 3), np.float32)
        alpha = np.zeros((view.height, view.width), np.float32)
        across = wood.clearing.centre + 0.10 * rng.sub("cabin").sign()
        foot = (view.margin + across * view.canvas.width, view.horizon_row + 0.082 * tall)
        shade, lit = snow_ground(*_snow_light(self._light))
        mouth = draw_cabin(light, alpha, foot, 0.155 * tall, (shade, lit))
        depth = layers[_CABIN_PLANE - 1].depth
        layers.insert(_CABIN_PLANE, Layer.from_linear(light * np.float32(1.1), alpha, depth, view.margin))
        return layers, (mouth[0] - view.margin, mouth[1] - view.margin)

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """The picture at frame ``index``."""
        canvas, camera = self._canvas, self._camera
        frame: Bytes8 = scratch.array("frame", (canvas.height, canvas.width, 3))
        pose, seconds = camera.pose(index), self._timing.seconds(index)
        glow = self._paint_sky(frame, pose, seconds, scratch)
        stack = [
            (layer, camera.matrix(pose, layer.depth, layer.margin)) for layer in (self._peaks, *self._layers)
        ]
        draw_stack(frame, stack[: _CABIN_PLANE + 2])
        x, y = camera.project(pose, stack[_CABIN_PLANE + 1][0].depth, *self._chimney)
        self._smoke.draw(frame, (x, y), seconds, self._wind)
        draw_stack(frame, stack[_CABIN_PLANE + 2 :])
        self._shine(frame, glow, pose)
        if self._falling is not None:
            self._falling.draw(frame, seconds, scratch)
        return frame

    def _paint_sky(self, frame: Bytes8, pose: Pose, seconds: float, scratch: Scratch) -> Floats:
        """Sky, stars and curtains; returns the curtains' light on the grid."""
        canvas, grid, margin = self._canvas, self._grid, self._view.margin
        _, shift_x, shift_y = self._camera.scale_shift(pose, math.inf)
        small = grid.width / canvas.width
        rows = self._grid_rows
        curtains = self._curtains.light(seconds * self._speed, (shift_x * small, shift_y * small), rows)
        place = np.array([[1, 0, shift_x * small - margin * small], [0, 1, (shift_y - margin) * small]])
        sky = imaging.warp_affine(self._dark, place, grid.width, rows)
        sky += curtains * np.float32(self._strength)
        frame[: self._sky_rows] = self._enlarger.bytes(sky, scratch)
        frame[self._sky_rows :] = frame[self._sky_rows - 1]
        window = frame[: self._sky_rows]
        matrix = np.array([[1.0, 0.0, shift_x - margin], [0.0, 1.0, shift_y - margin]])
        cv2.add(window, imaging.warp_affine(self._stars8, matrix, canvas.width, self._sky_rows), window)
        self._twinkle.draw(frame, matrix, seconds, 0.9 * self._view.horizon * canvas.height)
        if self._clouds is not None:
            self._clouds.draw(frame, seconds, scratch, (shift_x, shift_y), self._sky_rows)
        return curtains

    def _shine(self, frame: Bytes8, glow: Floats, pose: Pose) -> None:
        """The curtains' light on the snow: what lies under a bright part of the sky is tinted by it."""
        canvas = self._canvas
        across = imaging.gaussian(np.ascontiguousarray(glow.mean(0)[None]), 0.09 * self._grid.width, 0.1)
        _, _, shift_y = self._camera.scale_shift(pose, 8.0)
        first = min(canvas.height - 2, max(0, round((_HORIZON - 0.04) * canvas.height + shift_y)))
        rows = canvas.height - first
        ramp = np.linspace(0, 1, 12, dtype=np.float32)[:, None, None] ** np.float32(0.6)
        level = 128 * (1 + self._strength * across * _ON_SNOW * ramp)
        factor = imaging.resize(np.clip(level, 0, 255).astype(np.uint8), canvas.width, rows)
        window = frame[first:]
        cv2.multiply(window, factor, window, 1 / 128.0)


def build(plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> Scene:
    """Northern lights: wished colours tint the curtains, the weather veils them."""
    return Aurora(plan, canvas, timing, rng)


def _dark_sky(view: View, grid: Canvas, tones: Palette, body: Body) -> Floats:
    """The sky behind the curtains on the grid and its border, exposed."""
    rows = math.ceil(view.horizon_row + 0.02 * view.canvas.height)
    dome = Dome(view, tones, body, rows, glow=False)
    share = grid.width / view.canvas.width
    width, height = round(view.width * share), max(2, round(rows * share))
    dim = np.float32(tones.exposure * (0.75 if tones.stars > 0.5 else 0.5))
    return imaging.resize(dome.light, width, height, imaging.AREA) * dim


def _stars(view: View, rng: Rng, visible: float) -> tuple[Bytes8, Twinkle]:
    rows = math.ceil(view.horizon_row)
    field = star_field(view, rows, rng.sub("field"), round(2600 * view.width / view.canvas.width))
    fade = np.clip(view.slopes(rows) * np.float32(7), 0, 1)[..., None] * np.float32(visible)
    bright = tuple(star for star in field.bright if star.y < 0.8 * rows)[:160]
    return to8(field.light * fade), Twinkle(view.canvas, bright, rng.sub("twinkle"))


def _snow_light(light: WoodLight) -> tuple[Floats, Floats]:
    """(sky, key) light that falls on snow, exposed."""
    return light.ground_shade * np.float32(1.2), light.ground_lit * np.float32(0.8)


def _light(tones: Palette, body: Body, plan: ScenePlan) -> WoodLight:
    """Starlight and a hidden moon: pale blue snow, dark pines."""
    dusk = tones.stars < 0.5
    sky = mix(tones.ambient, rgb(0.20, 0.30, 0.42), 0.5) * np.float32(1.25 if dusk else 0.95)
    key = rgb(0.26, 0.31, 0.42) * np.float32(0.55)
    shade, lit = (mix(tone, rgb(1, 1, 1) * tone.mean(), 0.12) for tone in snow_ground(sky, key))
    pines = PineLight(
        shade=rgb(0.006, 0.012, 0.015) * np.float32(0.8),
        lit=rgb(0.030, 0.050, 0.060),
        snow_shade=shade * np.float32(0.55),
        snow_lit=lit * np.float32(0.85),
        side=0.5 * math.copysign(1, body.x),
    )
    haze = mix(tones.horizon, rgb(0.05, 0.12, 0.16), 0.6) * np.float32(0.75)
    fog = 1.6 if plan.weather == "fog" else 1.0
    return WoodLight(
        pines=pines, autumn=None, grass=None, ground_shade=shade * np.float32(0.62),
        ground_lit=lit * np.float32(0.80), fog=haze, glow=haze * np.float32(0.0), body=body, fog_gain=fog,
        exposure=1.0, snow=1.0,
    )  # fmt: skip


def _peaks(view: View, tones: Palette, body: Body, rng: Rng) -> Layer:
    """Far white mountains under the lights."""
    field = mountain_field(640, rng.sub("field"))
    centre = rng.sub("summit").uniform(-0.30, 0.30)

    def envelope(azimuth: Floats) -> Floats:
        away = (azimuth - np.float32(centre)) / np.float32(0.34)
        return np.asarray(np.float32(0.42) + np.float32(0.50) * np.exp(-away * away))

    band = Band(
        near=9000, far=20000, steps=420, field=field, relief=1750, sharpness=1.15, sink=260, cell=30.0,
        offset=0, envelope=envelope, rise=1.3, eye=14.0, depth=24.0, snowline=0.02, trees=0.0, treeline=0.0,
    )  # fmt: skip
    night = replace(tones, ambient=rgb(0.10, 0.17, 0.24), sun=rgb(0.30, 0.37, 0.50), exposure=1.0)
    night = replace(night, haze=mix(tones.haze, rgb(0.03, 0.09, 0.11), 0.6), disc=0.0)
    light = Sunlight(
        palette=night, body=body, towards=light_vector(0.9 * math.copysign(1, body.x), 0.25, 0.5),
        strength=0.75, sky=0.6, visibility=30000, mist=0.5, mist_height=110.0, tree_colour=rgb(0, 0, 0),
    )  # fmt: skip
    oversampling = 1.5 if view.canvas.scale <= 1.1 else 1.0
    return Range(view, band, Rock(rng.sub("rock")), light, oversampling).layer()
