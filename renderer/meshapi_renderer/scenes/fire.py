"""A camp fire seen close: flames over logs and stones, embers rising, a wood lit by their flicker."""

from __future__ import annotations

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera, Pose
from meshapi_renderer.colour import Palette, linear, luminance, mix, palette, rgb, swatch8
from meshapi_renderer.elements.backdrop import Backdrop, BackdropLook
from meshapi_renderer.elements.cabin import Smoke
from meshapi_renderer.elements.embers import Embers
from meshapi_renderer.elements.flames import Flames
from meshapi_renderer.elements.hearth import Hearth, HearthLook
from meshapi_renderer.elements.light_points import LightPoints
from meshapi_renderer.elements.particles import weather_particles
from meshapi_renderer.elements.pines import PineLight
from meshapi_renderer.elements.sky import Body
from meshapi_renderer.elements.woodland import Plane, Wood, WoodLight, reference_height, snow_ground
from meshapi_renderer.layers import Layer, covered_from, draw_stack
from meshapi_renderer.plan import ScenePlan
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing
from meshapi_renderer.view import View
from meshapi_renderer.weather import air

_PLANES = (
    Plane(54, 0.30, 0.46, 14.0, 0.72, 0.020, 0.0, 0.0),
    Plane(34, 0.42, 0.66, 8.0, 0.42, 0.045, 0.0, 0.0),
    Plane(16, 0.62, 0.95, 4.2, 0.12, 0.110, 0.34, 0.02, saplings=5, tufts=90, face=1.6),
    Plane(2, 0.04, 0.06, 1.2, 0.0, 0.205, 1.10, 0.03, tufts=150, face=4.2),
)
_HEARTH_DEPTH = 1.1
_COARSE = 32
_BAND = 64
"""Rows that are lit at a time."""


class Fire:
    """See the module."""

    def __init__(self, plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> None:
        self._canvas, self._timing, self._speed = canvas, timing, plan.speed
        self._view = view = View(canvas, 0.56)
        self._camera = Camera(plan.camera, plan.speed, timing, canvas, horizon=view.horizon)
        tones = palette(plan.time, plan.weather)
        tall = reference_height(view)
        snow = plan.weather == "snow" or plan.season == "winter"
        self._sky = Backdrop(plan, view, tones, timing, rng.sub("sky"), BackdropLook(below=0.05, stars=1500))
        # How dark it is decides how much of the light is the fire's.
        self._night = float(np.clip(1.15 - 2.6 * luminance(tones.ambient) * tones.exposure, 0.12, 1.0))
        self._wood = Wood(
            view, _light(plan, tones, self._sky.body, snow, self._night), rng.sub("wood"), _PLANES
        )
        self._layers = self._wood.layers()
        self._foot = ((0.5 + 0.03 * rng.sub("place").uniform(-1, 1)) * canvas.width, self._row())
        self._height, self._radius = 0.66 * tall, 0.30 * tall
        self._hearth = self._lay_hearth(tones, rng.sub("hearth"), snow)
        self._flames = Flames(rng.sub("flames"), 0.48 * tall, self._height, plan.colours)
        self._embers = Embers(rng.sub("embers"), 170, _hues(plan.colours))
        grey = swatch8(mix(tones.haze * np.float32(tones.exposure), rgb(0.10, 0.085, 0.08), 0.55))
        self._smoke = Smoke(rng.sub("smoke"), 0.16 * tall, 0.62 * tall, grey)
        self._wind = air(plan.weather).wind
        brightness = min(1.0, 0.30 + 1.5 * float(tones.horizon.mean()) * tones.exposure)
        self._falling = weather_particles(
            plan.weather, canvas, rng.sub("falling"), max(0.6, brightness), amount=0.7, speed=plan.speed
        )

    def _row(self) -> float:
        view = self._view
        return view.horizon * view.canvas.height + 0.31 * reference_height(view)

    def _lay_hearth(self, tones: Palette, rng: Rng, snow: bool) -> tuple[Layer, Layer]:
        view = self._view
        sky = mix(tones.ambient, tones.zenith, 0.3) * np.float32(tones.exposure) + rgb(0.02, 0.02, 0.03)
        look = HearthLook(
            centre=(view.margin + self._foot[0], view.margin + self._foot[1]),
            radius=self._radius,
            sky=sky * np.float32(0.9),
            fire=0.45 + 0.65 * self._night,
            snow=0.8 if snow else 0.0,
        )
        hearth = Hearth(look, rng)
        layers = []
        for paint in (hearth.behind, hearth.before):
            light = np.zeros((view.height, view.width, 3), np.float32)
            alpha = np.zeros((view.height, view.width), np.float32)
            paint(light, alpha)
            layers.append(Layer.from_linear(light, alpha, _HEARTH_DEPTH, view.margin))
        return layers[0], layers[1]

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """The picture at frame ``index``."""
        canvas, camera = self._canvas, self._camera
        frame: Bytes8 = scratch.array("frame", (canvas.height, canvas.width, 3))
        pose, seconds = camera.pose(index), self._timing.seconds(index)
        paced = seconds * self._speed
        stack = [(layer, camera.matrix(pose, layer.depth, layer.margin)) for layer in self._layers]
        self._sky.draw(frame, camera, pose, index, scratch, covered_from(frame, stack))
        draw_stack(frame, stack)
        foot = camera.project(pose, _HEARTH_DEPTH, *self._foot)
        self._shine(frame, foot, self._flames.flicker(paced))
        behind, before = self._hearth
        matrix = camera.matrix(pose, _HEARTH_DEPTH, behind.margin)
        behind.draw(frame, matrix)
        scale, _, _ = camera.scale_shift(pose, _HEARTH_DEPTH)
        smoke = (foot[0], foot[1] - 0.62 * scale * self._height)
        self._smoke.draw(frame, smoke, paced, self._wind)
        self._flames.draw(frame, (foot[0], foot[1] - 0.05 * self._radius), paced, scale)
        before.draw(frame, matrix)
        self._throw_sparks(frame, foot, paced, scale, pose, scratch)
        if self._falling is not None:
            self._falling.draw(frame, seconds, scratch)
        return frame

    def _throw_sparks(
        self,
        frame: Bytes8,
        foot: tuple[float, float],
        seconds: float,
        scale: float,
        pose: Pose,
        scratch: Scratch,
    ) -> None:
        lights = LightPoints(self._canvas, scratch)
        self._embers.draw(lights, foot, scale * self._height, seconds, self._canvas.scale)
        lights.add_to(frame, self._canvas.height)

    def _shine(self, frame: Bytes8, foot: tuple[float, float], flicker: float) -> None:
        """Darken what the fire does not reach and let the rest waver with it, in place."""
        canvas = self._canvas
        step = max(2, canvas.long // _COARSE)
        x = (
            np.arange(0, canvas.width + step, step, dtype=np.float32)[None] - np.float32(foot[0])
        ) / np.float32(self._height)
        y = (
            np.arange(0, canvas.height + step, step, dtype=np.float32)[:, None] - np.float32(foot[1])
        ) / np.float32(self._height)
        y = y + np.float32(0.28)
        # The sky over the trees has its own light: the fire neither gives nor takes it.
        sky = np.float32(0.40) * np.clip(-y - np.float32(0.35), 0, 1)
        reach = x * x * np.float32(0.55) + y * y * np.float32(1.1)
        lit = np.float32(1.55 * flicker) / (1 + reach * np.float32(1.15))
        night = np.float32(self._night)
        level = (1 - night) + night * (np.float32(0.34) + sky + lit)
        factor = np.clip(level * np.float32(128), 0, 255).astype(np.uint8)
        wide, high = factor.shape[1] * step, factor.shape[0] * step
        full = imaging.resize(factor, wide, high)[: canvas.height, : canvas.width]
        # A band's few passes stay in the cache.
        for top in range(0, canvas.height, _BAND):
            window = frame[top : top + _BAND]
            cv2.multiply(window, imaging.triple(full[top : top + _BAND]), window, 1 / 128.0)


def build(plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> Scene:
    """The fire of ``plan``: the darker the hour, the more of the light is its own."""
    return Fire(plan, canvas, timing, rng)


def _hues(wished: tuple[str, ...]) -> tuple[tuple[float, float, float], tuple[float, float, float]] | None:
    """Young and old spark in the wished colour; None for the usual ones."""
    if not wished:
        return None
    tone = linear(wished[0])
    young = swatch8(mix(tone * np.float32(2.0), rgb(1.5, 1.5, 1.5), 0.4))
    old = swatch8(tone * np.float32(1.2) + np.float32(0.02))
    return (float(young[0]), float(young[1]), float(young[2])), (float(old[0]), float(old[1]), float(old[2]))


def _light(plan: ScenePlan, tones: Palette, body: Body, snow: bool, night: float) -> WoodLight:
    """Trees and ground under the hour's own light and, the darker it is, the fire's."""
    fire = rgb(1.0, 0.46, 0.16) * np.float32(2.0 * night)
    sky = mix(tones.zenith, tones.ambient, 0.6) + rgb(0.010, 0.012, 0.020)
    key = tones.sun * np.float32(0.7 * (1 - night)) + fire
    clear = tones.disc > 0.1
    shade, lit = snow_ground(sky + fire * np.float32(0.12), key * np.float32(0.42))
    green, dry = rgb(0.075, 0.110, 0.040), rgb(0.16, 0.145, 0.060)

    def under(dark: Floats, bright: Floats) -> PineLight:
        return PineLight(
            shade=dark * (sky + fire * np.float32(0.15)), lit=bright * (sky * np.float32(0.8) + key),
            snow_shade=shade * np.float32(0.7), snow_lit=lit, side=0.0,
        )  # fmt: skip

    floor = rgb(0.105, 0.085, 0.050)
    return WoodLight(
        pines=under(rgb(0.022, 0.030, 0.030), green),
        autumn=under(rgb(0.04, 0.018, 0.006), rgb(0.42, 0.20, 0.05)) if plan.season == "autumn" else None,
        grass=None if snow else under(rgb(0.012, 0.020, 0.008), dry),
        ground_shade=shade if snow else floor * (sky + fire * np.float32(0.2)),
        ground_lit=lit if snow else floor * np.float32(1.5) * (sky + key),
        fog=mix(tones.horizon, tones.haze, 0.5) * np.float32(0.9),
        glow=tones.glow * np.float32(0.15 * tones.disc if clear and not body.moon else 0.0),
        body=body,
        # By day the wood stands in its own light: what is left of the fog would only grey it.
        fog_gain=min(2.0, air(plan.weather).visibility ** -0.35) * (0.4 + 0.6 * night),
        exposure=tones.exposure,
        snow=1.0 if snow else 0.0,
    )
