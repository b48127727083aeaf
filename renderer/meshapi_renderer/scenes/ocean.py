"""The open sea under a wide sky: rolling swell, the sun's path, whitecaps in wind."""

from __future__ import annotations

import numpy as np

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.camera import Camera
from meshapi_renderer.colour import Palette, linear, mix, palette, rgb
from meshapi_renderer.elements.backdrop import Backdrop, BackdropLook
from meshapi_renderer.elements.ocean_surface import OceanSurface
from meshapi_renderer.elements.particles import weather_particles
from meshapi_renderer.elements.sea_light import SeaLook
from meshapi_renderer.elements.sky import Body
from meshapi_renderer.plan import ScenePlan
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing
from meshapi_renderer.view import View
from meshapi_renderer.weather import air


class Ocean:
    """See the module."""

    def __init__(self, plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> None:
        self._canvas, self._timing = canvas, timing
        aerial = plan.viewpoint == "aerial"
        self._view = view = View(canvas, 0.20 if aerial else 0.50)
        tones = palette(plan.time, plan.weather).tinted(plan.colours)
        self._camera = Camera(plan.camera, plan.speed, timing, canvas, horizon=view.horizon)
        look = BackdropLook(below=0.02, stars=1600, milky_way=0.8 if plan.time == "night" else 0.0)
        self._sky = Backdrop(plan, view, tones, timing, rng.sub("sky"), look)
        self._sea = OceanSurface(view, rng.sub("sea"), _sea_look(plan, tones, self._sky.body, aerial))
        brightness = min(1.0, 0.25 + 1.4 * float(tones.horizon.mean()) * tones.exposure)
        self._falling = weather_particles(
            plan.weather, canvas, rng.sub("falling"), brightness, speed=plan.speed
        )

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """The picture at frame ``index``."""
        canvas = self._canvas
        frame: Bytes8 = scratch.array("frame", (canvas.height, canvas.width, 3))
        pose, seconds = self._camera.pose(index), self._timing.seconds(index)
        self._sky.draw(frame, self._camera, pose, index, scratch, canvas.height)
        self._sea.draw(frame, self._camera, pose, seconds, scratch)
        if self._falling is not None:
            self._falling.draw(frame, seconds, scratch)
        return frame


def build(plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> Scene:
    """The sea of ``plan``: the hour colours it, the weather raises its waves."""
    return Ocean(plan, canvas, timing, rng)


def _glitter(plan: ScenePlan, tones: Palette, body: Body) -> float:
    """Strength of the path of light on the water; a high sun leaves a faint one."""
    if body.moon:
        return 2.0 * tones.disc
    if tones.disc > 0:
        return 1.3 * tones.disc
    return 0.22 if plan.weather in ("clear", "cloudy") and plan.time == "noon" else 0.0


def _sea_look(plan: ScenePlan, tones: Palette, body: Body, aerial: bool) -> SeaLook:
    wind = air(plan.weather).wind
    exposure = np.float32(tones.exposure)
    day = tones.ambient * exposure
    blue = mix(linear("0a3a52"), linear("06283f"), 0.5)
    deep = blue * day * np.float32(1.4) + rgb(0.001, 0.003, 0.006)
    crest = linear("1fa08c") * (day * np.float32(0.5) + tones.sun * exposure * np.float32(0.35))
    return SeaLook(
        deep=deep,
        crest=crest,
        zenith=tones.zenith * exposure,
        middle=tones.middle * exposure,
        horizon=tones.horizon * exposure,
        glow=mix(tones.glow, rgb(0.80, 0.84, 0.80), 0.55 if body.moon else 0.0) * exposure,
        glow_x=body.x,
        glow_slope=max(body.slope, 0.03),
        glitter=_glitter(plan, tones, body),
        foam=(tones.ambient + tones.sun * np.float32(0.4)) * exposure * np.float32(0.8),
        wind=wind,
        eye=26.0 if aerial else 3.4 + 0.8 * max(0.0, wind - 1.0),
        speed=plan.speed,
    )
