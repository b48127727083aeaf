"""A waterfall in a green gorge: rock walls, falling strands, spray, a pool, trees and ferns."""

from __future__ import annotations

import math

import numpy as np

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera, Pose
from meshapi_renderer.colour import Palette, linear, luminance, mix, palette, rgb, swatch8
from meshapi_renderer.elements.backdrop import Backdrop, BackdropLook
from meshapi_renderer.elements.cliffs import CliffLight
from meshapi_renderer.elements.falling_water import FallingWater, FallShape, Spray
from meshapi_renderer.elements.floaters import Floaters
from meshapi_renderer.elements.gorge import BACK_DEPTH, FRONT_DEPTH, Gorge
from meshapi_renderer.elements.meadow_plants import PlantLight, Sward, sow
from meshapi_renderer.elements.particles import weather_particles
from meshapi_renderer.elements.pool_foam import PoolFoam, Rainbow
from meshapi_renderer.elements.sky import Body
from meshapi_renderer.elements.sway import SwayingSheet
from meshapi_renderer.elements.water import Water, WaterLook, water_rows
from meshapi_renderer.layers import covered_from, draw_stack
from meshapi_renderer.plan import ScenePlan, Season
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing
from meshapi_renderer.view import View

_HORIZON = 0.60
_WATERLINE = 0.715
_MOSS: dict[Season, str] = {"spring": "6a9a34", "summer": "4c7a2c", "autumn": "9a7428", "winter": "5c6440"}
_LEAVES: dict[Season, tuple[str, str]] = {
    "spring": ("1f3a14", "86b844"),
    "summer": ("16300f", "5f9434"),
    "autumn": ("5a240a", "e08a2c"),
    "winter": ("2c2e28", "6c6e60"),
}


class Waterfall:
    """See the module."""

    def __init__(self, plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> None:
        self._canvas, self._timing, self._speed = canvas, timing, plan.speed
        self._view = view = View(canvas, _HORIZON)
        self._tall = min(canvas.height, 1.25 * canvas.width)
        self._camera = Camera(plan.camera, plan.speed, timing, canvas, horizon=view.horizon)
        tones = palette(plan.time, plan.weather).tinted(plan.colours)
        self._snow = plan.weather == "snow" or plan.season == "winter"
        self._season: Season = "winter" if self._snow else plan.season
        look = BackdropLook(below=0.12, stars=1300)
        self._sky = Backdrop(plan, view, tones, timing, rng.sub("sky"), look)
        self._light = _cliff_light(plan, tones, self._sky.body, self._season, self._snow)
        self._lip = 0.5 + 0.05 * rng.sub("lip").uniform(-1, 1)
        leaves = None if self._season == "winter" else _foliage(self._season)
        width = self._falls_width()
        gorge = Gorge(view, self._light, leaves, self._lip, _WATERLINE, width, rng.sub("gorge"))
        self._back = gorge.back()
        self._sides = [gorge.side(side) for side in (-1.0, 1.0)]
        self._front = gorge.front()
        self._gorge = gorge
        self._falls = self._make_falls(rng.sub("falls"))
        self._ferns = self._grow_ferns(rng.sub("ferns"))
        self._water = _pool(plan, view, tones, self._sky.body, rng.sub("water"))
        mist = swatch8(
            mix(self._light.sky + self._light.key * np.float32(0.5), self._light.haze, 0.35)
            * np.float32(1.15)
        )
        self._spray = [
            Spray(rng.sub("low spray"), 1.35 * width, 0.17 * self._tall, mist, 0.90),
            Spray(rng.sub("high spray"), 2.4 * width, 0.40 * self._tall, mist, 0.30),
        ]
        self._foam = PoolFoam(canvas, _HORIZON, rng.sub("foam"), mist)
        sunny = plan.weather in ("clear", "cloudy") and plan.time in ("noon", "golden", "sunrise", "sunset")
        glow = 0.045 * (0.4 + float(luminance(self._light.key)))
        self._rainbow = Rainbow(self._tall, glow) if sunny else None
        self._dust = Floaters(canvas, rng.sub("drops"), "pollen", (mist,))
        brightness = min(1.0, 0.25 + 1.4 * float(tones.horizon.mean()) * tones.exposure)
        self._falling = weather_particles(
            plan.weather, canvas, rng.sub("falling"), brightness, speed=plan.speed
        )

    def _falls_width(self) -> float:
        return 0.33 * self._tall

    def _make_falls(self, rng: Rng) -> list[FallingWater]:
        canvas, light = self._canvas, self._light
        body = light.key * np.float32(0.75) + light.sky * np.float32(1.15)
        bright = swatch8(body * rgb(0.95, 0.98, 1.0))
        shade = swatch8(mix(body * rgb(0.36, 0.46, 0.52), light.haze, 0.10))
        pace = 0.85 * self._speed * (0.25 if self._snow and self._season == "winter" else 1.0)
        pace = max(pace, 0.45)
        width, x = self._falls_width(), self._lip * canvas.width
        foot = (_WATERLINE + 0.022) * canvas.height
        shapes = [FallShape(x, self._gorge.top_at(x), foot, width)]
        side = rng.sign()
        for across, share in ((0.80 * side, 0.22), (-0.74 * side, 0.12)):
            place = x + across * width
            shapes.append(
                FallShape(place, self._gorge.top_at(place) + 0.015 * canvas.height, foot, share * width)
            )
        return [
            FallingWater(shape, rng.sub(f"fall {index}"), bright, shade, pace)
            for index, shape in enumerate(shapes)
        ]

    def _grow_ferns(self, rng: Rng) -> SwayingSheet:
        """Blades of grass on the near shore."""
        view, light = self._view, self._light
        green = linear(_MOSS[self._season])
        lit = light.key * np.float32(0.6) + light.sky
        plants = PlantLight(
            root=green * lit * np.float32(0.22), tip=green * lit * np.float32(1.5),
            dry=linear("a88a4a") * lit * np.float32(0.6),
            dry_share=0.4 if self._snow else 0.06, light=lit, haze=light.haze,
        )  # fmt: skip
        sward = Sward(depth=FRONT_DEPTH, blades=900, low=0.05, high=0.13, flowers=0, flower=0.1, haze=0.0)
        edge = self._gorge.shore + np.float32(0.012 * self._tall)
        foot = float(view.height) + 0.06 * self._tall
        return sow(view, sward, edge, foot, self._tall, plants, (), rng)

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """The picture at frame ``index``."""
        canvas, camera = self._canvas, self._camera
        frame: Bytes8 = scratch.array("frame", (canvas.height, canvas.width, 3))
        pose, seconds = camera.pose(index), self._timing.seconds(index)
        paced = seconds * self._speed
        scale, fall_x, fall_y = camera.scale_shift(pose, BACK_DEPTH)
        waterline = min(canvas.height, max(1, math.floor(_WATERLINE * canvas.height + fall_y)))
        land = frame[:waterline]
        back = [(self._back, camera.matrix(pose, BACK_DEPTH, self._back.margin))]
        self._sky.draw(land, camera, pose, index, scratch, covered_from(land, back))
        draw_stack(land, back)
        for fall in self._falls:
            fall.draw(frame, scale, (fall_x, fall_y), seconds)
        sides = [(layer, camera.matrix(pose, layer.depth, layer.margin)) for layer in self._sides]
        draw_stack(land, sides)
        foot = camera.project(pose, BACK_DEPTH, self._lip * canvas.width, (_WATERLINE + 0.01) * canvas.height)
        self._spray[1].draw(frame[:waterline], foot, paced)
        self._mirror(frame, waterline, pose, paced, scratch)
        self._foam.draw(frame, waterline, foot[0], paced)
        self._spray[0].draw(frame, foot, paced)
        if self._rainbow is not None:
            self._rainbow.draw(frame, foot)
        self._front.draw(frame, camera.matrix(pose, FRONT_DEPTH, self._front.margin))
        self._ferns.draw(frame, camera.matrix(pose, FRONT_DEPTH, self._front.margin), paced, 4.5, 0.2)
        self._dust.draw(frame, paced, scratch)
        if self._falling is not None:
            self._falling.draw(frame, seconds, scratch)
        return frame

    def _mirror(self, frame: Bytes8, waterline: int, pose: Pose, seconds: float, scratch: Scratch) -> None:
        canvas = self._canvas
        _, shift_x, shift_y = self._camera.scale_shift(pose, math.inf)
        horizon = _HORIZON * canvas.height + shift_y
        centre = 0.5 * canvas.width + shift_x
        self._water.draw(frame, waterline, horizon, centre, seconds, scratch, (pose.x, pose.zoom))


def build(plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> Scene:
    """The waterfall of ``plan``: the season greens or freezes its gorge, the hour lights the spray."""
    return Waterfall(plan, canvas, timing, rng)


def _foliage(season: Season) -> tuple[Floats, Floats]:
    dark, bright = _LEAVES[season]
    return linear(dark), linear(bright)


def _cliff_light(plan: ScenePlan, tones: Palette, body: Body, season: Season, snow: bool) -> CliffLight:
    exposure = np.float32(tones.exposure)
    night = plan.time == "night"
    clouded = tones.disc < 0.15 and plan.time not in ("noon", "dusk", "night")
    key = tones.sun * np.float32({"noon": 0.85, "night": 1.3}.get(plan.time, 0.35 if clouded else 0.95))
    sky = mix(tones.zenith, tones.ambient, 0.6) * np.float32(2.2 if night else 0.9)
    if tones.disc < 0.15:
        sky = sky + tones.horizon * np.float32(0.22)
    if night:
        sky = mix(sky, rgb(1, 1.05, 1.2) * luminance(sky), 0.5) + rgb(0.010, 0.012, 0.018)
    # Rock and leaves keep their own colours by a red sun.
    key, sky = (mix(tone, rgb(1, 1, 1) * luminance(tone), 0.35) for tone in (key, sky))
    side = math.copysign(1.0, body.x)
    towards = (0.62 * side, 0.58, 0.52)
    norm = math.sqrt(sum(part * part for part in towards))
    return CliffLight(
        towards=(towards[0] / norm, towards[1] / norm, towards[2] / norm),
        key=key * exposure,
        sky=sky * exposure,
        haze=mix(tones.horizon, tones.haze, 0.6) * exposure,
        moss=linear(_MOSS[season]) * np.float32(0.85),
        snow=0.9 if snow else 0.0,
        wet=0.5 if plan.weather in ("rain", "storm") else 0.15,
    )


def _pool(plan: ScenePlan, view: View, tones: Palette, body: Body, rng: Rng) -> Water:
    deep = mix(tones.zenith, linear("1f8a80"), 0.8) * np.float32(0.75 if plan.time != "night" else 0.18)
    look = WaterLook(
        body=deep, roughness=0.60, clarity=1.15, glitter=0.0, glitter_colour=tones.glow, glitter_x=body.x,
        eye=2.4, speed=plan.speed * 0.9,
    )  # fmt: skip
    rows = water_rows(view.canvas, _WATERLINE * view.canvas.height, float(view.margin))
    return Water(view.canvas, view.focal, rows, rng, look)
