"""A tropical beach seen from the sand: breakers, wet sand, palms that lean over, a far headland."""

from __future__ import annotations

import math

import numpy as np

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera
from meshapi_renderer.colour import Palette, linear, luminance, mix, palette, rgb
from meshapi_renderer.elements.backdrop import Backdrop, BackdropLook
from meshapi_renderer.elements.palm_trees import plant_palms
from meshapi_renderer.elements.particles import weather_particles
from meshapi_renderer.elements.ranges import Band, Range, Rock, Sunlight, light_vector
from meshapi_renderer.elements.sea_light import SeaLook
from meshapi_renderer.elements.shore_surface import ShoreLook, ShoreSurface, shore_eye
from meshapi_renderer.elements.sky import Body
from meshapi_renderer.elements.sway import SwayingSheet
from meshapi_renderer.elements.terrain import hill_field
from meshapi_renderer.layers import Layer, covered_from, draw_stack
from meshapi_renderer.plan import ScenePlan
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing
from meshapi_renderer.view import View
from meshapi_renderer.weather import air

_HORIZON = 0.50
_PALM_DEPTH = 1.5


class GroundBeach:
    """See the module."""

    def __init__(self, plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> None:
        self._canvas, self._timing, self._speed = canvas, timing, plan.speed
        self._view = view = View(canvas, _HORIZON)
        tones = palette(plan.time, plan.weather).tinted(plan.colours)
        self._camera = Camera(plan.camera, plan.speed, timing, canvas, horizon=view.horizon)
        look = BackdropLook(below=0.03, stars=1600, milky_way=0.7 if plan.time == "night" else 0.0)
        self._sky = Backdrop(plan, view, tones, timing, rng.sub("sky"), look)
        body = self._sky.body
        self._wind = air(plan.weather).wind
        light = _daylight(plan, tones)
        self._headland = _headland(plan, view, tones, body, rng.sub("headland"))
        look_at_sea = _sea_look(plan, tones, body, shore_eye(view))
        self._sea = ShoreSurface(view, rng.sub("sea"), look_at_sea, _shore(plan, light))
        self._palms = _palms(view, light, body, plan, rng.sub("palms"))
        brightness = min(1.0, 0.25 + 1.4 * float(tones.horizon.mean()) * tones.exposure)
        self._falling = weather_particles(
            plan.weather, canvas, rng.sub("falling"), brightness, speed=plan.speed
        )

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """The picture at frame ``index``."""
        canvas, camera = self._canvas, self._camera
        frame: Bytes8 = scratch.array("frame", (canvas.height, canvas.width, 3))
        pose, seconds = camera.pose(index), self._timing.seconds(index)
        stack = [(self._headland, camera.matrix(pose, self._headland.depth, self._headland.margin))]
        self._sky.draw(frame, camera, pose, index, scratch, covered_from(frame, stack))
        draw_stack(frame, stack)
        self._sea.draw(frame, camera, pose, seconds, scratch)
        self.draw_foreground(frame, index)
        if self._falling is not None:
            self._falling.draw(frame, seconds, scratch)
        return frame

    def draw_foreground(self, frame: Bytes8, index: int) -> None:
        """Draw the palms of frame ``index``: what stands before anything on the sea."""
        pose, seconds = self._camera.pose(index), self._timing.seconds(index)
        matrix = self._camera.matrix(pose, _PALM_DEPTH, self._palms.margin)
        self._palms.draw(frame, matrix, seconds * self._speed, 3.4 * self._wind, 0.25 * self._wind)


def build(plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> Scene:
    """The beach of ``plan`` from the sand."""
    return GroundBeach(plan, canvas, timing, rng)


def _daylight(plan: ScenePlan, tones: Palette) -> Floats:
    """What falls on sand and palms, exposed."""
    night = plan.time == "night"
    clouded = tones.disc < 0.15 and plan.time not in ("noon", "dusk", "night")
    key = tones.sun * np.float32({"noon": 0.62, "night": 0.8}.get(plan.time, 0.25 if clouded else 0.60))
    light = tones.ambient * np.float32(0.62 if not night else 1.5) + key
    if tones.disc < 0.15:
        light = light + tones.horizon * np.float32(0.18)
    return mix(light, rgb(1, 1, 1) * luminance(light), 0.22) * np.float32(tones.exposure)


def _shore(plan: ScenePlan, light: Floats) -> ShoreLook:
    snow = plan.weather == "snow"
    dry = linear("f0e4e4") if snow else linear("f2d096")
    return ShoreLook(
        dry=dry * light * np.float32(0.95),
        wet=linear("a8895e") * light * np.float32(0.62),
        shallow=linear("6fd6c4") * light * np.float32(0.72),
        foam=rgb(0.95, 0.97, 0.98) * light * np.float32(1.05) + rgb(0.01, 0.01, 0.012),
        strength=0.75 + 0.30 * air(plan.weather).wind,
    )


def _sea_look(plan: ScenePlan, tones: Palette, body: Body, eye: float) -> SeaLook:
    exposure = np.float32(tones.exposure)
    day = tones.ambient * exposure
    low = tones.disc if body.moon else 1.3 * tones.disc
    return SeaLook(
        deep=linear("0d5f78") * day * np.float32(1.5) + rgb(0.001, 0.003, 0.005),
        crest=linear("35c4ae") * (day * np.float32(0.5) + tones.sun * exposure * np.float32(0.35)),
        zenith=tones.zenith * exposure,
        middle=tones.middle * exposure,
        horizon=tones.horizon * exposure,
        glow=mix(tones.glow, rgb(0.80, 0.84, 0.80), 0.55 if body.moon else 0.0) * exposure,
        glow_x=body.x,
        glow_slope=max(body.slope, 0.03),
        glitter=low if low > 0 else (0.2 if plan.weather in ("clear", "cloudy") else 0.0),
        foam=(tones.ambient + tones.sun * np.float32(0.4)) * exposure * np.float32(0.8),
        wind=0.7 * air(plan.weather).wind,
        eye=eye,
        speed=plan.speed,
    )


def _palms(view: View, light: Floats, body: Body, plan: ScenePlan, rng: Rng) -> SwayingSheet:
    """Two or three palms on the side away from the sun, leaning over the water."""
    side = -math.copysign(1.0, body.x)
    tall = min(view.canvas.height, 1.25 * view.canvas.width)
    half = 0.5 * view.canvas.width / tall
    feet = []
    for index, (inner, high, row) in enumerate(((0.96, 0.98, 0.86), (0.78, 0.78, 0.68), (1.10, 0.70, 0.64))):
        own = rng.sub(f"palm {index}")
        across = side * (inner + 0.06 * own.uniform(-1, 1)) * min(half, 0.92)
        x = view.margin + 0.5 * view.canvas.width + across * tall
        y = view.horizon_row + row * (1 - _HORIZON) * view.canvas.height
        feet.append((x, y, high * tall * own.uniform(0.92, 1.05), -side * own.uniform(0.10, 0.26)))
    against = plan.time in ("sunrise", "sunset", "dusk")
    dim = np.float32(0.28 if against else 1.0)
    tones = (
        linear("7a6248") * light * dim,
        linear("1f4a18") * light * dim,
        linear("86b83e") * light * np.float32(0.35 if against else 0.9),
    )
    return plant_palms(view, feet, tones, _PALM_DEPTH, rng.sub("sheet"))


def _headland(plan: ScenePlan, view: View, tones: Palette, body: Body, rng: Rng) -> Layer:
    """Green hills that run out into the sea on one side."""
    field = hill_field(512, rng.sub("field"))
    side = math.copysign(1.0, -body.x)

    def envelope(azimuth: Floats) -> Floats:
        inward = azimuth * np.float32(side)
        return np.asarray(np.clip((inward - np.float32(0.02)) * np.float32(2.6), 0, 1) ** np.float32(0.8))

    band = Band(
        near=2400, far=5200, steps=340, field=field, relief=330, sharpness=1.2, sink=40, cell=12.0,
        offset=0, envelope=envelope, rise=1.2, eye=4.0, depth=18.0, snowline=2.0,
        trees=1.0, treeline=1.6, tree_height=12.0,
    )  # fmt: skip
    high = plan.time in ("noon", "golden") or tones.disc < 0.15
    light = Sunlight(
        palette=tones, body=body, towards=light_vector(-0.8 * side if high else -0.9 * side, -0.2, 0.7),
        strength=3.2 if body.moon else 1.5, sky=2.0 if body.moon else 0.95,
        visibility=9000 * air(plan.weather).visibility, mist=0.5, mist_height=40.0,
        tree_colour=linear("3f6b2c") * np.float32(0.6),
    )  # fmt: skip
    oversampling = 1.5 if view.canvas.scale <= 1.1 else 1.0
    return Range(view, band, Rock(rng.sub("rock")), light, oversampling).layer()
