"""A pine forest with a clearing: under snow in winter, green in summer, part golden in autumn."""

from __future__ import annotations

import math

import numpy as np

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera
from meshapi_renderer.colour import Palette, mix, palette, rgb, swatch8
from meshapi_renderer.elements.backdrop import Backdrop, BackdropLook
from meshapi_renderer.elements.floaters import Floaters
from meshapi_renderer.elements.mist import MistSheet
from meshapi_renderer.elements.particles import weather_particles
from meshapi_renderer.elements.pines import PineLight
from meshapi_renderer.elements.shafts import Sunbeams
from meshapi_renderer.elements.sky import Body
from meshapi_renderer.elements.wind import Gusts
from meshapi_renderer.elements.wind_waves import WindWaves
from meshapi_renderer.elements.woodland import Wood, WoodLight, reference_height, snow_ground
from meshapi_renderer.layers import Layer, covered_from, hidden_rows, swayed
from meshapi_renderer.plan import ScenePlan, Season
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing
from meshapi_renderer.view import View
from meshapi_renderer.weather import air

_STILL_BEYOND = 9.0
"""Planes deeper than this do not sway: it would be less than a pixel."""
_NEEDLES: dict[Season, tuple[Floats, Floats]] = {
    "spring": (rgb(0.010, 0.022, 0.010), rgb(0.090, 0.165, 0.042)),
    "summer": (rgb(0.008, 0.019, 0.010), rgb(0.066, 0.130, 0.040)),
    "autumn": (rgb(0.010, 0.018, 0.009), rgb(0.075, 0.105, 0.036)),
    "winter": (rgb(0.008, 0.016, 0.013), rgb(0.050, 0.090, 0.060)),
}
_TURNED = (rgb(0.055, 0.022, 0.004), rgb(0.62, 0.30, 0.045))
_GRASS: dict[Season, tuple[Floats, Floats]] = {
    "spring": (rgb(0.020, 0.045, 0.010), rgb(0.150, 0.230, 0.050)),
    "summer": (rgb(0.018, 0.036, 0.010), rgb(0.130, 0.175, 0.050)),
    "autumn": (rgb(0.050, 0.030, 0.010), rgb(0.360, 0.215, 0.070)),
    "winter": (rgb(0.040, 0.036, 0.024), rgb(0.170, 0.150, 0.100)),
}
_FLOOR: dict[Season, tuple[Floats, Floats]] = {
    "spring": (rgb(0.020, 0.036, 0.010), rgb(0.115, 0.165, 0.045)),
    "summer": (rgb(0.016, 0.028, 0.010), rgb(0.090, 0.120, 0.040)),
    "autumn": (rgb(0.038, 0.020, 0.008), rgb(0.260, 0.115, 0.030)),
    "winter": (rgb(0.030, 0.028, 0.020), rgb(0.110, 0.100, 0.070)),
}


class Forest:
    """See the module."""

    def __init__(self, plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> None:
        self._canvas = canvas
        self._timing = timing
        self._view = view = View(canvas, 0.60)
        tones = palette(plan.time, plan.weather).tinted(plan.colours)
        self._camera = Camera(plan.camera, plan.speed, timing, canvas, horizon=view.horizon)
        snow = plan.weather == "snow" or plan.season == "winter"
        self._sky = Backdrop(plan, view, tones, timing, rng, BackdropLook(below=0.05, stars=1700))
        light = _light(plan, tones, self._sky.body, snow)
        wind = air(plan.weather).wind * plan.speed
        self._layers = [
            (layer, Gusts(rng.sub(f"gusts {layer.depth}"), wind))
            for layer in Wood(view, light, rng.sub("wood")).layers()
        ]
        self._mist = _mist(plan, canvas, light, rng.sub("mist"))
        brightness = min(1.0, 0.30 + 1.5 * float(tones.horizon.mean()) * light.exposure)
        self._falling = weather_particles(
            plan.weather, canvas, rng.sub("falling"), brightness, speed=plan.speed
        )
        self._floaters = _floaters(plan, canvas, light, rng.sub("floaters"), snow)
        # Light runs over the grass of the clearing with the gusts; snow lies still.
        self._waves = None if snow else WindWaves(view, rng.sub("waves"), 0.10, 4.5 * wind, 1.7)
        self._beams = _beams(plan, view, tones, self._sky.body, rng.sub("beams"))

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """The picture at frame ``index``."""
        canvas, camera = self._canvas, self._camera
        frame: Bytes8 = scratch.array("frame", (canvas.height, canvas.width, 3))
        pose, seconds = camera.pose(index), self._timing.seconds(index)
        stack = [(layer, self._place(layer, gusts, index)) for layer, gusts in self._layers]
        self._sky.draw(frame, camera, pose, index, scratch, covered_from(frame, stack))
        for (layer, matrix), hidden in zip(stack, hidden_rows(frame, stack), strict=True):
            layer.draw(frame, matrix, hidden)
            for sheet, behind in self._mist:
                if behind == layer.depth:
                    _, shift_x, shift_y = camera.scale_shift(pose, layer.depth)
                    sheet.draw(frame, seconds, (shift_x, shift_y))
        if self._waves is not None:
            _, shift_x, shift_y = camera.scale_shift(pose, 2.0)
            self._waves.draw(frame, seconds, (shift_x, shift_y))
        if self._beams is not None:
            self._beams.draw(frame, seconds, scratch)
        if self._floaters is not None:
            self._floaters.draw(frame, seconds, scratch)
        if self._falling is not None:
            self._falling.draw(frame, seconds, scratch)
        return frame

    def _place(self, layer: Layer, gusts: Gusts, index: int) -> Floats:
        """Where a plane of trees stands at frame ``index``, leaning in the wind about the horizon."""
        matrix = self._camera.matrix(self._camera.pose(index), layer.depth, layer.margin)
        if layer.depth > _STILL_BEYOND:
            return matrix
        return swayed(matrix, gusts.lean(self._timing.seconds(index)), self._view.horizon_row)


def build(plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> Scene:
    """The forest of ``plan``."""
    return Forest(plan, canvas, timing, rng)


def _moonlit(colour: Floats, night: bool) -> Floats:
    """What is left of a colour at that hour: little hue by moonlight."""
    return (
        mix(colour, rgb(0.9, 1.0, 1.1) * np.float32(float(colour.mean())), 0.8) * np.float32(2.2)
        if night
        else colour
    )


def _light(plan: ScenePlan, tones: Palette, body: Body, snow: bool) -> WoodLight:
    side = math.copysign(1, body.x)
    night, clouded = plan.time == "night", tones.disc < 0.15 and plan.time not in ("noon", "dusk", "night")
    sky = mix(tones.zenith, tones.ambient, 0.6) * np.float32(2.2 if night else 1.0)
    # Under heavy cloud the wood still gets some light, or the near trees would be black shapes.
    sky = sky + tones.horizon * np.float32(0.25 if tones.disc < 0.15 else 0.0)
    if night:
        sky = mix(sky, rgb(1.0, 1.05, 1.25) * np.float32(float(sky.mean())), 0.5)
    key = tones.sun * np.float32(1.1 if night else (0.5 if clouded else 0.9))
    if night:
        key = mix(key, rgb(1.0, 1.03, 1.1) * np.float32(float(key.mean())), 0.5) * np.float32(
            0.25 + tones.disc
        )
    snow_shade, snow_lit = snow_ground(sky, key)

    def under(dark: Floats, bright: Floats) -> PineLight:
        return PineLight(
            shade=_moonlit(dark, night) * (sky + np.float32(0.10) * tones.horizon),
            lit=_moonlit(bright, night) * (sky * np.float32(0.8) + key),
            snow_shade=snow_shade * np.float32(0.85),
            snow_lit=snow_lit * np.float32(1.15),
            side=0.25 * side if clouded else 0.75 * side,
        )

    dark_storm = plan.weather in ("storm", "rain") and plan.time in ("dusk", "night")
    season: Season = "winter" if snow else plan.season
    floor_shade, floor_lit = (_moonlit(tone, night) for tone in _FLOOR[season])
    conditions = air(plan.weather)
    glow = 0.0 if clouded or night else 0.22 * tones.disc
    return WoodLight(
        pines=under(*_NEEDLES[season]),
        autumn=under(*_TURNED) if season == "autumn" else None,
        grass=None if snow else under(*_GRASS[season]),
        ground_shade=snow_shade if snow else floor_shade * (sky + np.float32(0.2) * key),
        ground_lit=snow_lit if snow else floor_lit * (sky + key),
        fog=mix(tones.horizon, tones.haze, 0.55),
        glow=tones.glow * np.float32(glow),
        body=body,
        fog_gain=min(2.6, conditions.visibility**-0.42) * (0.8 if plan.time == "noon" else 1.0),
        exposure=tones.exposure * (1.4 if (snow and clouded) or dark_storm else 1.15),
        snow=1.0 if snow else 0.0,
    )


def _mist(plan: ScenePlan, canvas: Canvas, light: WoodLight, rng: Rng) -> list[tuple[MistSheet, float]]:
    """Sheets with the depth of the plane each one lies in front of."""
    colour = swatch8(light.fog * np.float32(light.exposure))
    density = air(plan.weather).mist
    pace = 0.012 * plan.speed * air(plan.weather).wind
    tall = min(1.0, 1.25 * canvas.width / canvas.height)
    sheets = []
    for index, (behind, middle, height, strength) in enumerate(
        ((15.0, 0.02, 0.24, 0.95), (8.5, 0.06, 0.26, 0.80), (2.3, 0.24, 0.34, 0.42))
    ):
        sheet = MistSheet(
            canvas, rng.sub(f"sheet {index}"), colour, 0.60 + middle * tall, height * tall,
            min(1.0, strength * density * 1.25), pace * (0.6 + 0.5 * index) * (-1 if index == 1 else 1),
        )  # fmt: skip
        sheets.append((sheet, behind))
    return sheets


def _floaters(plan: ScenePlan, canvas: Canvas, light: WoodLight, rng: Rng, snow: bool) -> Floaters | None:
    if snow or plan.weather in ("rain", "storm"):
        return None
    if plan.season == "autumn":
        tones = (rgb(0.75, 0.32, 0.05), rgb(0.55, 0.14, 0.03), rgb(0.80, 0.52, 0.10))
        lit = (
            light.pines.lit
            / np.maximum(light.pines.lit.max(), 1e-3)
            * np.float32(min(1.0, 9 * float(light.pines.lit.max())))
        )
        return Floaters(canvas, rng, "leaves", tuple(swatch8(tone * lit) for tone in tones))
    if plan.time in ("night", "dusk"):
        return Floaters(canvas, rng, "fireflies", ((255, 232, 120), (210, 255, 130)))
    return Floaters(canvas, rng, "pollen", (swatch8(light.fog * 2 + light.glow), (255, 244, 214)))


def _beams(plan: ScenePlan, view: View, tones: Palette, body: Body, rng: Rng) -> Sunbeams | None:
    """Rays where a low sun shines through the trees; none without sun."""
    low_sun = plan.time in ("sunrise", "golden", "sunset") and plan.weather in ("clear", "cloudy", "fog")
    noon = plan.time == "noon" and plan.weather == "clear"
    if not (low_sun or noon):
        return None
    canvas = view.canvas
    tall = reference_height(view)
    x = canvas.width / 2 + body.x * view.focal
    lift = body.slope * view.focal if low_sun else view.horizon * canvas.height + 0.25 * tall
    strength = (0.9 if low_sun else 0.5) * (0.6 if plan.weather == "fog" else 1.0)
    return Sunbeams(canvas, rng, (x, view.horizon * canvas.height - lift), swatch8(tones.glow), strength)
