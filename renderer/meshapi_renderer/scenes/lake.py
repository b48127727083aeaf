"""A mountain lake: two ranges and wooded hills mirrored in the water, pines on the near bank."""

from __future__ import annotations

import math

import numpy as np

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera
from meshapi_renderer.colour import Palette, mix, palette, rgb, smoothstep
from meshapi_renderer.elements.backdrop import Backdrop, BackdropLook
from meshapi_renderer.elements.bank import BankLook, dark_ground, pine_bank
from meshapi_renderer.elements.particles import weather_particles
from meshapi_renderer.elements.pines import PineLight
from meshapi_renderer.elements.ranges import Band, Envelope, Range, Rock, Sunlight, light_vector
from meshapi_renderer.elements.sky import Body
from meshapi_renderer.elements.terrain import hill_field, mountain_field
from meshapi_renderer.elements.water import Water, WaterLook, water_rows
from meshapi_renderer.elements.wind import Gusts
from meshapi_renderer.layers import Layer, covered_from, draw_stack, swayed
from meshapi_renderer.plan import ScenePlan, Season, TimeOfDay
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing
from meshapi_renderer.view import View
from meshapi_renderer.weather import air

_EYE, _HIGH_EYE = 10.0, 170.0
"""Metres over the water: from the bank, and from a drone."""
_NEAREST_HILL = 1500.0
_FIELD = 896
_SNOWLINES: dict[Season, float] = {"spring": 0.34, "summer": 0.42, "autumn": 0.36, "winter": 0.10}
_TREES: dict[Season, Floats] = {
    "spring": rgb(0.026, 0.048, 0.016),
    "summer": rgb(0.018, 0.034, 0.018),
    "autumn": rgb(0.030, 0.032, 0.014),
    "winter": rgb(0.016, 0.026, 0.022),
}
_AUTUMN_WOOD = rgb(0.22, 0.085, 0.014)
_GRASS: dict[Season, Floats] = {
    "spring": rgb(0.045, 0.080, 0.020),
    "summer": rgb(0.034, 0.056, 0.018),
    "autumn": rgb(0.075, 0.058, 0.020),
    "winter": rgb(0.050, 0.052, 0.040),
}


class Lake:
    """See the module."""

    def __init__(self, plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> None:
        self._canvas = canvas
        self._timing = timing
        high = plan.viewpoint == "aerial"
        self._eye = _HIGH_EYE if high else _EYE
        self._view = view = View(canvas, 0.36 if high else 0.56)
        tones = palette(plan.time, plan.weather).tinted(plan.colours)
        self._camera = Camera(plan.camera, plan.speed, timing, canvas, horizon=view.horizon)
        look = BackdropLook(milky_way=0.7 if plan.time == "night" else 0.0)
        self._sky = Backdrop(plan, view, tones, timing, rng, look)
        self._far, self._near = _land(plan, view, tones, self._sky.body, self._eye, rng)
        self._gusts = Gusts(rng.sub("gusts"), air(plan.weather).wind * plan.speed)
        self._waterline = view.horizon * canvas.height + view.focal * self._eye / _NEAREST_HILL
        self._water = _water(plan, view, tones, self._sky.body, self._waterline, rng.sub("water"))
        brightness = min(1.0, 0.25 + 1.4 * float(tones.horizon.mean()) * tones.exposure)
        self._falling = weather_particles(
            plan.weather, canvas, rng.sub("falling"), brightness, speed=plan.speed
        )

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """The picture at frame ``index``."""
        canvas, camera, view = self._canvas, self._camera, self._view
        frame: Bytes8 = scratch.array("frame", (canvas.height, canvas.width, 3))
        pose, seconds = camera.pose(index), self._timing.seconds(index)
        stack = [(layer, camera.matrix(pose, layer.depth, layer.margin)) for layer in self._far]
        _, shift_x, shift_y = camera.scale_shift(pose, math.inf)
        waterline = min(canvas.height, max(1, math.floor(self._waterline + shift_y)))
        land = frame[:waterline]
        self._sky.draw(land, camera, pose, index, scratch, covered_from(land, stack))
        draw_stack(land, stack)
        horizon = view.horizon * canvas.height + shift_y
        centre = 0.5 * canvas.width + shift_x
        self._water.draw(frame, waterline, horizon, centre, seconds, scratch, (pose.x, pose.zoom))
        self.draw_foreground(frame, index)
        if self._falling is not None:
            self._falling.draw(frame, seconds, scratch)
        return frame

    def draw_foreground(self, frame: Bytes8, index: int) -> None:
        """Draw the near bank of frame ``index``: what stands before anything on the water."""
        pose, bank = self._camera.pose(index), self._near
        if bank is None:
            return
        matrix = self._camera.matrix(pose, bank.depth, bank.margin)
        foot = self._view.margin + 0.9 * self._canvas.height
        bank.draw(frame, swayed(matrix, self._gusts.lean(self._timing.seconds(index)), foot))


def build(plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> Scene:
    """The lake of ``plan``."""
    return Lake(plan, canvas, timing, rng)


def _bump(azimuth: Floats, at: float, width: float) -> Floats:
    return np.asarray(np.exp(-(((azimuth - np.float32(at)) / np.float32(width)) ** 2)))


def _far_envelope(sun_x: float, rng: Rng) -> Envelope:
    """Summits opposite the sun, a gap where it rises."""
    summit, broad = -sun_x * rng.uniform(0.6, 1.1), rng.uniform(0.20, 0.30)

    def envelope(azimuth: Floats) -> Floats:
        return 0.50 + 0.62 * _bump(azimuth, summit, broad) - 0.32 * _bump(azimuth, sun_x, 0.11)

    return envelope


def _middle_envelope(sun_x: float, rng: Rng) -> Envelope:
    left, right = -sun_x * rng.uniform(1.7, 2.5), sun_x * rng.uniform(2.1, 2.9)

    def envelope(azimuth: Floats) -> Floats:
        return np.asarray(
            0.42
            + 0.55 * _bump(azimuth, left, 0.25)
            + 0.35 * _bump(azimuth, right, 0.22)
            - 0.12 * _bump(azimuth, sun_x, 0.1)
        )

    return envelope


def _hill_envelope(sun_x: float) -> Envelope:
    """Hills open in the middle, so that the ranges stand in the water."""

    def envelope(azimuth: Floats) -> Floats:
        return 0.30 + 0.70 * smoothstep(0.02, 0.42, np.abs(azimuth - np.float32(0.8 * sun_x)))

    return envelope


def _bands(plan: ScenePlan, sun_x: float, eye: float, rng: Rng) -> list[Band]:
    mountains = mountain_field(_FIELD, rng.sub("mountains"))
    hills = hill_field(512, rng.sub("hills"))
    draws = rng.sub("envelopes")
    snowline = _SNOWLINES[plan.season] - (0.18 if plan.weather == "snow" else 0.0)
    hill_snow = 0.02 if plan.weather == "snow" and plan.season == "winter" else 2.0
    return [
        Band(
            near=9000,
            far=21000,
            steps=520,
            field=mountains,
            relief=3050,
            sharpness=1.1,
            sink=400,
            cell=24.0,
            offset=0,
            envelope=_far_envelope(sun_x, draws),
            rise=1.3,
            eye=eye,
            depth=15.0,
            snowline=snowline,
            trees=0.0,
            treeline=0.0,
        ),
        Band(
            near=4200,
            far=9000,
            steps=380,
            field=np.roll(mountains, 272, 0),
            relief=1700,
            sharpness=1.1,
            sink=240,
            cell=14.3,
            offset=1500,
            envelope=_middle_envelope(sun_x, draws),
            rise=1.4,
            eye=eye,
            depth=6.5,
            snowline=snowline + 0.14,
            trees=0.9,
            treeline=0.34,
            tree_height=16,
        ),
        Band(
            near=_NEAREST_HILL,
            far=4200,
            steps=420,
            field=hills,
            relief=420,
            sharpness=1.35,
            sink=70,
            cell=14.0,
            offset=700,
            envelope=_hill_envelope(sun_x),
            rise=1.35,
            eye=eye,
            depth=3.2,
            snowline=hill_snow,
            trees=1.0,
            treeline=1.6,
            tree_height=24,
        ),
    ]


def _key_light(time: TimeOfDay, tones: Palette, side: float, high_sun: bool) -> tuple[float, float, float]:
    """Keyed from the side though the sun stands in the picture: the slopes glow and keep their form."""
    if high_sun:
        return light_vector(-0.8 * side, -0.35, 0.9 if time == "noon" else 0.42)
    return light_vector(0.9 * side, 0.28, max(math.tan(tones.sun_elevation), 0.09))


def _land(
    plan: ScenePlan, view: View, tones: Palette, body: Body, eye: float, rng: Rng
) -> tuple[list[Layer], Layer | None]:
    """Far layers, far to near, and the bank in front of the water, where the eye is low enough for one."""
    side = math.copysign(1, body.x)
    high_sun = plan.time in ("noon", "golden") or tones.disc < 0.15
    snowy = plan.weather == "snow" or plan.season == "winter"
    conditions = air(plan.weather)
    light_from = _key_light(plan.time, tones, side, high_sun)
    light = Sunlight(
        palette=tones,
        body=body,
        towards=light_from,
        strength=4.0 if body.moon else (1.7 if high_sun else 2.4),
        sky=2.4 if body.moon else 0.85,
        visibility=24000 * conditions.visibility,
        mist=conditions.mist,
        mist_height=75.0 if conditions.mist < 0.8 else 220.0,
        tree_colour=_moonlit(_TREES[plan.season]) if body.moon else _TREES[plan.season],
        tree_snow=0.6 if snowy else 0.0,
        wood_variety=_AUTUMN_WOOD if plan.season == "autumn" else None,
    )
    rock = Rock(rng.sub("rock"))
    oversampling = 1.5 if view.canvas.scale <= 1.6 else 1.0
    layers = [
        Range(view, band, rock, light, oversampling).layer()
        for band in _bands(plan, body.x, eye, rng.sub("land"))
    ]
    if eye > _EYE:
        return layers, None
    return layers, _bank(plan, view, tones, body, rng.sub("bank"), snowy)


def _moonlit(colour: Floats) -> Floats:
    """What is left of a colour by moonlight: little hue."""
    return mix(colour, rgb(1.0, 1.0, 1.05) * np.float32(float(colour.mean())), 0.75)


def _bank(plan: ScenePlan, view: View, tones: Palette, body: Body, rng: Rng, snowy: bool) -> Layer:
    side = math.copysign(1, body.x)
    sky = mix(tones.zenith, tones.haze, 0.4) * np.float32(tones.exposure)
    backlight = tones.glow * np.float32(0.10 * tones.exposure * max(tones.disc, 0.2))
    key = tones.sun * np.float32(tones.exposure * {"noon": 0.5, "night": 0.5}.get(plan.time, 0.16))
    if body.moon:
        sky, backlight = sky * np.float32(1.5), backlight * np.float32(2.0)
    ember = rgb(0.018, 0.028, 0.018) + backlight * np.float32(0.5)
    pines = PineLight(
        shade=rgb(0.006, 0.010, 0.010) + sky * np.float32(0.02),
        lit=ember + sky * np.float32(0.05) + key * rgb(0.05, 0.085, 0.03),
        snow_shade=sky * np.float32(0.35),
        snow_lit=sky * np.float32(0.75) + key,
        side=0.7 * side,
    )
    shade, lit = dark_ground(_GRASS[plan.season], 0.9 if snowy else 0.0)
    floor = _GRASS[plan.season]
    grass = PineLight(
        shade=floor * np.float32(0.3) * (sky + key),
        lit=floor * np.float32(1.8) * (sky + key * np.float32(1.6) + backlight),
        snow_shade=pines.snow_shade,
        snow_lit=pines.snow_lit,
        side=0.5 * side,
    )
    look = BankLook(
        ground=shade * (sky + key),
        ground_lit=lit * (sky + key * np.float32(1.6) + backlight),
        pines=pines,
        grass=None if snowy else grass,
        snow=0.75 if snowy else 0.0,
        haze=tones.haze * np.float32(tones.exposure),
        haze_share=0.10 if air(plan.weather).visibility < 0.3 else 0.0,
    )
    return pine_bank(view, rng, look, -side, depth=1.0)


def _water(plan: ScenePlan, view: View, tones: Palette, body: Body, waterline: float, rng: Rng) -> Water:
    deep = mix(tones.zenith, rgb(0.01, 0.05, 0.06), 0.6) * np.float32(0.5)
    wind = air(plan.weather).wind
    look = WaterLook(
        body=deep,
        roughness=(0.30 + 0.25 * wind) * (1.0 if plan.viewpoint == "ground" else 0.45),
        clarity=0.62,
        glitter=(1.2 if body.moon else 1.0) * tones.disc,
        glitter_colour=mix(tones.glow, rgb(0.9, 0.9, 0.8), 0.55) if body.moon else tones.glow,
        glitter_x=body.x,
        speed=plan.speed * (0.7 + 0.3 * wind),
        eye=6.0 if plan.viewpoint == "ground" else 48.0,
    )
    rows = water_rows(view.canvas, waterline, float(view.margin))
    return Water(view.canvas, view.focal, rows, rng, look)
