"""A desert of dunes under a wide sky; at night under the Milky Way."""

from __future__ import annotations

import math

import numpy as np

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.camera import Camera
from meshapi_renderer.colour import Palette, palette, swatch8
from meshapi_renderer.elements.backdrop import Backdrop, BackdropLook
from meshapi_renderer.elements.cloud_shadows import CloudShadows
from meshapi_renderer.elements.dunes import (
    DuneBand,
    DuneField,
    DuneRange,
    SandLight,
    sand_colours,
    sand_grain,
)
from meshapi_renderer.elements.particles import weather_particles
from meshapi_renderer.elements.ranges import light_vector
from meshapi_renderer.elements.sky import Body
from meshapi_renderer.elements.spindrift import Spindrift
from meshapi_renderer.layers import Layer, covered_from, draw_stack
from meshapi_renderer.plan import ScenePlan, TimeOfDay
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing
from meshapi_renderer.view import View
from meshapi_renderer.weather import air

_BANDS = (
    DuneBand(
        near=2600, far=9000, steps=240, tile=3072, relief=260, base=-92, eye=95, offset=900, depth=14.0,
    ),
    DuneBand(
        near=820, far=2600, steps=300, tile=1740, relief=120, base=-35, eye=62, offset=300, depth=4.4,
    ),
    DuneBand(
        near=120, far=820, steps=480, tile=640, relief=52, base=-28, eye=31, offset=60, depth=1.3, valley=9,
        ripples=0.40,
    ),
    DuneBand(
        near=21, far=118, steps=520, tile=640, relief=46, base=-28, eye=31, offset=265, depth=1.0, valley=13,
        rise=1.9, ripples=0.62, pitch=1.8, grain=7.0, contrast=0.62,
    ),
)  # fmt: skip
_TANGENTS: dict[TimeOfDay, float] = {
    "sunrise": 0.24,
    "golden": 0.34,
    "noon": 0.80,
    "sunset": 0.22,
    "dusk": 0.30,
    "night": 0.45,
}
"""Tangent of the key light's elevation: kept above the visible sun's, or shadows would swallow the land."""


class Dunes:
    """See the module."""

    def __init__(self, plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> None:
        self._canvas = canvas
        self._timing = timing
        night = plan.time == "night"
        high = plan.viewpoint == "aerial"
        self._view = view = View(canvas, 0.26 if high else 0.60 if night else 0.52)
        tones = palette(plan.time, plan.weather).tinted(plan.colours)
        self._camera = Camera(plan.camera, plan.speed, timing, canvas, horizon=view.horizon)
        look = BackdropLook(
            below=0.04,
            stars=5200,
            milky_way=1.6,
            meteors=3,
            turn=2.6,
            cover=0.24 if plan.weather == "clear" and plan.time in ("noon", "golden") else None,
            clear_clouds=not night,
            sun_radius=0.022,
            moon=False,
        )
        self._sky = Backdrop(plan, view, tones, timing, rng, look)
        light = _light(plan, tones, self._sky.body)
        self._layers = _land(view, light, rng.sub("land"))
        glow = light.sand * (light.sun + light.sky) * np.float32(light.exposure * 0.8)
        wind = air(plan.weather).wind
        # Blown sand shows best against a low sun.
        low_sun = plan.time in ("sunrise", "golden", "sunset", "dusk")
        blown = (0.46 if low_sun else 0.26 if night else 0.24) + 0.08 * wind
        pace = 14.0 * wind * plan.speed
        self._sand = Spindrift(view, rng.sub("spindrift"), swatch8(glow), blown, pace, eye=14.0)
        sunny = plan.weather in ("clear", "cloudy") and plan.time in ("noon", "golden")
        self._shadows: CloudShadows | None = None
        if sunny:
            self._shadows = CloudShadows(view, rng.sub("cloud shadows"), 0.40, 95.0 * wind * plan.speed)
        brightness = min(1.0, 0.25 + 1.4 * float(tones.horizon.mean()) * tones.exposure)
        self._falling = weather_particles(
            plan.weather, canvas, rng.sub("falling"), brightness, speed=plan.speed
        )

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """The picture at frame ``index``."""
        canvas, camera = self._canvas, self._camera
        frame: Bytes8 = scratch.array("frame", (canvas.height, canvas.width, 3))
        pose, seconds = camera.pose(index), self._timing.seconds(index)
        stack = [(layer, camera.matrix(pose, layer.depth, layer.margin)) for layer in self._layers]
        self._sky.draw(frame, camera, pose, index, scratch, covered_from(frame, stack))
        draw_stack(frame, stack)
        _, shift_x, shift_y = camera.scale_shift(pose, 1.6)
        self._sand.draw(frame, seconds, (shift_x, shift_y))
        # Blown sand lies in the shadows of clouds as the ground does.
        if self._shadows is not None:
            self._shadows.draw(frame, seconds, (shift_x, shift_y))
        if self._falling is not None:
            self._falling.draw(frame, seconds, scratch)
        return frame


def build(plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> Scene:
    """The dunes of ``plan``."""
    return Dunes(plan, canvas, timing, rng)


def _light(plan: ScenePlan, tones: Palette, body: Body) -> SandLight:
    night = plan.time == "night"
    conditions = air(plan.weather)
    sand, sun, sky, haze = sand_colours(tones, night)
    side = math.copysign(1, body.x)
    clouded = tones.disc < 0.15 and plan.time not in ("noon", "dusk")
    return SandLight(
        sand=sand,
        sun=sun * np.float32(0.6 if clouded else (0.62 if plan.time == "noon" else 1.0)),
        sky=sky * np.float32(2.0 if clouded else 1.0),
        haze=haze,
        glow=tones.glow * np.float32(0.0 if night else 0.2 * tones.disc),
        body=body,
        towards=light_vector(0.94 * side, 0.34, _TANGENTS[plan.time]),
        visibility=9000 * conditions.visibility * (0.8 if night else 1.0),
        exposure=tones.exposure,
        shade=0.45 if clouded else 0.08,
        snow=0.85 if plan.weather == "snow" else 0.0,
    )


def _land(view: View, light: SandLight, rng: Rng) -> list[Layer]:
    field = DuneField(rng.sub("field"))
    grain = sand_grain(rng.sub("grain"))
    scale = view.canvas.scale
    oversampling = 2.0 if scale <= 0.8 else (1.75 if scale <= 1.1 else (1.5 if scale <= 1.6 else 1.0))
    return [DuneRange(view, field, band, light, grain, oversampling).layer() for band in _BANDS]
