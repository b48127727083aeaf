"""A flowering meadow: hills, a lone tree, grass and flowers that bend in the wind."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera
from meshapi_renderer.colour import Palette, linear, luminance, mix, palette, rgb, smoothstep, swatch8
from meshapi_renderer.elements.backdrop import Backdrop, BackdropLook
from meshapi_renderer.elements.broadleaf import grow_tree
from meshapi_renderer.elements.cloud_shadows import CloudShadows
from meshapi_renderer.elements.floaters import Floaters
from meshapi_renderer.elements.meadow_plants import FlowerKind, PlantLight, Sward, sow
from meshapi_renderer.elements.particles import weather_particles
from meshapi_renderer.elements.ranges import Band, Range, Rock, Sunlight, light_vector
from meshapi_renderer.elements.sky import Body
from meshapi_renderer.elements.sway import SwayingSheet
from meshapi_renderer.elements.terrain import hill_field
from meshapi_renderer.elements.wind_waves import WindWaves
from meshapi_renderer.imaging import Torus
from meshapi_renderer.layers import Layer, covered_from, draw_stack
from meshapi_renderer.noise import fbm, line_noise
from meshapi_renderer.plan import ScenePlan, Season, TimeOfDay
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing
from meshapi_renderer.view import View
from meshapi_renderer.weather import air

_HORIZON = 0.50
_KEYS: dict[TimeOfDay, float] = {"noon": 0.75, "night": 0.5, "sunrise": 0.62, "sunset": 0.55, "dusk": 0.6}
"""How much of the sun's or moon's light lies on the plants."""
_GREENS: dict[Season, tuple[str, str]] = {
    "spring": ("2f5a14", "8fc23c"),
    "summer": ("33551a", "a3b84a"),
    "autumn": ("5c4a18", "d0a04a"),
    "winter": ("54503a", "a89a70"),
}
_LEAVES: dict[Season, tuple[str, str]] = {
    "spring": ("2c4a16", "9ccc50"),
    "summer": ("1f3a12", "6f9c38"),
    "autumn": ("6a2c0c", "f09a34"),
    "winter": ("30302c", "6a6a60"),
}
_FLOWERS: dict[Season, tuple[tuple[FlowerKind, str], ...]] = {
    "spring": (("buttercup", "ffd83a"), ("tulip", "ff5f86"), ("daisy", "ffffff"), ("cornflower", "8a6cff")),
    "summer": (("poppy", "f0281e"), ("daisy", "ffffff"), ("cornflower", "4a6cff"), ("lavender", "9a6ae0")),
    "autumn": (("seed", "c89a54"), ("daisy", "f4e4c8"), ("seed", "a8703a")),
    "winter": (("seed", "8a7a58"),),
}
_SWARDS = (
    Sward(depth=6.5, blades=5200, low=0.010, high=0.024, flowers=420, flower=0.026, haze=0.16),
    Sward(depth=2.8, blades=3600, low=0.035, high=0.075, flowers=190, flower=0.085, haze=0.04),
    Sward(depth=1.25, blades=1500, low=0.11, high=0.24, flowers=60, flower=0.25, haze=0.0),
)
_EDGES = (0.035, 0.095, 0.30)
"""How far under the horizon the ground of each sward begins, in reference heights."""


class Meadow:
    """See the module."""

    def __init__(self, plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> None:
        self._canvas, self._timing, self._speed = canvas, timing, plan.speed
        self._view = view = View(canvas, _HORIZON)
        self._tall = min(canvas.height, 1.25 * canvas.width)
        self._snow = plan.weather == "snow" or plan.season == "winter"
        self._season = plan.season
        tones = palette(plan.time, plan.weather)
        self._camera = Camera(plan.camera, plan.speed, timing, canvas, horizon=view.horizon)
        look = BackdropLook(below=0.06, stars=1600, milky_way=0.6 if plan.time == "night" else 0.0)
        self._sky = Backdrop(plan, view, tones, timing, rng.sub("sky"), look)
        wind = air(plan.weather).wind
        self._wind = wind
        light = _plant_light(plan, tones, self._sky.body, self._snow)
        self._hills = _hills(plan, view, tones, self._sky.body, rng.sub("hills"), self._snow)
        edges = [self._edge(drop, rng.sub(f"edge {drop}")) for drop in _EDGES]
        self._ground = [self._plane(index, edges, light, rng) for index in range(len(_SWARDS))]
        kinds = _kinds(plan, self._snow)
        self._swards = [
            self._sward(index, edges, light, kinds, rng.sub(f"sward {index}"))
            for index in range(len(_SWARDS))
        ]
        strength = 0.10 + 0.06 * min(wind, 2.0)
        self._waves = WindWaves(view, rng.sub("waves"), strength, 6.5 * wind * plan.speed, 2.6)
        sunny = plan.weather in ("clear", "cloudy") and plan.time in ("noon", "golden")
        self._shadows = (
            CloudShadows(view, rng.sub("shadows"), 0.30, 26.0 * wind * plan.speed) if sunny else None
        )
        self._floaters = _floaters(plan, canvas, light, rng.sub("floaters"), self._snow)
        brightness = min(1.0, 0.25 + 1.4 * float(tones.horizon.mean()) * tones.exposure)
        self._falling = weather_particles(
            plan.weather, canvas, rng.sub("falling"), brightness, speed=plan.speed
        )

    def _edge(self, drop: float, rng: Rng) -> Floats:
        """Row of the padded picture at which a stretch of ground begins, per column."""
        view = self._view
        columns = (np.arange(view.width, dtype=np.float32) + np.float32(0.5 - view.margin)) / np.float32(
            view.canvas.width
        )
        waves = line_noise(1024, 2, 5, rng, 0.40)
        samples = np.clip((columns + np.float32(0.3)) * np.float32(1024 / 1.6), 0, 1023)
        uneven = np.interp(samples, np.arange(1024), waves).astype(np.float32) - np.float32(0.5)
        rows = view.horizon_row + self._tall * drop + uneven * np.float32(self._tall * (0.05 + 0.30 * drop))
        return np.asarray(rows, np.float32)

    def _plane(self, index: int, edges: list[Floats], light: PlantLight, rng: Rng) -> Layer:
        """The ground of one sward; a tree stands on the far one."""
        view, sward = self._view, _SWARDS[index]
        own = rng.sub(f"ground {index}")
        rows = np.arange(view.height, dtype=np.float32)[:, None]
        below = rows - edges[index][None]
        alpha = np.clip(below + np.float32(0.5), 0, 1)
        texture = Torus(fbm(512, 512, 10, 6, own.sub("texture"), 0.6))
        near = np.float32(0.02 * self._tall) + np.maximum(below, 0)
        x = (np.arange(view.width, dtype=np.float32)[None] - np.float32(view.width / 2)) * np.float32(
            900 / view.canvas.long
        )
        u = x * (1 + np.float32(0.06 * self._tall) / near)
        v = np.log(near / np.float32(0.02 * self._tall)) * np.float32(130)
        tone = texture.at(u, v) * np.float32(0.55) + texture.at(u * np.float32(4.1), v * 4) * np.float32(0.45)
        grass = mix(
            light.root * np.float32(1.1),
            light.tip * np.float32(0.85),
            smoothstep(0.25, 0.75, tone)[..., None],
        )
        if self._snow:
            white = smoothstep(0.30, 0.52, tone + np.float32(0.12))[..., None]
            grass = mix(grass, light.light * rgb(0.62, 0.67, 0.74), white * np.float32(0.9))
        colour = grass + (light.haze - grass) * np.float32(min(0.6, sward.haze + 0.05))
        if index == 0:
            self._tree(colour, alpha, edges[0], light, own.sub("tree"))
        return Layer.from_linear(colour, alpha, sward.depth, view.margin)

    def _tree(self, colour: Floats, alpha: Floats, edge: Floats, light: PlantLight, rng: Rng) -> None:
        view = self._view
        side = -math.copysign(1.0, self._sky.body.x)
        across = 0.5 + side * rng.uniform(0.14, 0.26)
        x = view.margin + across * view.canvas.width
        foot = float(edge[min(max(int(x), 0), view.width - 1)]) + 0.012 * self._tall
        season: Season = "winter" if self._snow else self._season
        dark, bright = (linear(name) * light.light for name in _LEAVES[season])
        bark = rgb(0.045, 0.034, 0.026) * light.light * np.float32(1.2)
        tones = tuple(
            tone + (light.haze - tone) * np.float32(0.14) for tone in (bark, dark * np.float32(0.8), bright)
        )
        grow_tree(
            colour, alpha, (x, foot), 0.40 * self._tall, (tones[0], tones[1], tones[2]),
            -side, rng, 0.0 if season == "winter" else 1.0,
        )  # fmt: skip

    def _sward(
        self,
        index: int,
        edges: list[Floats],
        light: PlantLight,
        kinds: tuple[tuple[FlowerKind, Floats], ...],
        rng: Rng,
    ) -> SwayingSheet:
        view = self._view
        last = index + 1 == len(_SWARDS)
        foot = float(view.height) + 0.10 * self._tall if last else float(edges[index + 1].max())
        sward = _SWARDS[index]
        if self._snow:
            sward = replace(sward, blades=sward.blades // 5, flowers=sward.flowers // 5)
        return sow(view, sward, edges[index], foot, self._tall, light, kinds, rng)

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """The picture at frame ``index``."""
        canvas, camera = self._canvas, self._camera
        frame: Bytes8 = scratch.array("frame", (canvas.height, canvas.width, 3))
        pose, seconds = camera.pose(index), self._timing.seconds(index)
        paced = seconds * self._speed
        planes = [self._hills, *self._ground]
        stack = [(layer, camera.matrix(pose, layer.depth, layer.margin)) for layer in planes]
        self._sky.draw(frame, camera, pose, index, scratch, covered_from(frame, stack))
        draw_stack(frame, stack[:2])
        pace = 5.0 * (0.6 + 0.4 * self._wind)
        lean = min(1.2, 0.35 * self._wind)
        for place, sheet in enumerate(self._swards):
            if place > 0:
                layer, matrix = stack[place + 1]
                layer.draw(frame, matrix)
            sheet.draw(frame, camera.matrix(pose, sheet.depth, sheet.margin), paced, pace, lean)
            if place == 1:
                _, shift_x, shift_y = camera.scale_shift(pose, 4.0)
                self._waves.draw(frame, seconds, (shift_x, shift_y))
                if self._shadows is not None:
                    self._shadows.draw(frame, seconds, (shift_x, shift_y))
        if self._floaters is not None:
            self._floaters.draw(frame, paced, scratch)
        if self._falling is not None:
            self._falling.draw(frame, seconds, scratch)
        return frame


def build(plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> Scene:
    """The meadow of ``plan``: the season chooses its flowers, wished colours replace theirs."""
    return Meadow(plan, canvas, timing, rng)


def _kinds(plan: ScenePlan, snow: bool) -> tuple[tuple[FlowerKind, Floats], ...]:
    season: Season = "winter" if snow else plan.season
    kinds = _FLOWERS[season]
    if not plan.colours:
        # By the moon's light the eye sees little of their colours.
        grey = 0.45 if plan.time == "night" else 0.0
        petals = [(kind, linear(tone)) for kind, tone in kinds]
        return tuple((kind, mix(tone, rgb(1, 1, 1) * luminance(tone), grey)) for kind, tone in petals)
    wished = [linear(colour) for colour in plan.colours]
    return tuple((kind, wished[index % len(wished)]) for index, (kind, _) in enumerate(kinds))


def _plant_light(plan: ScenePlan, tones: Palette, body: Body, snow: bool) -> PlantLight:
    night = plan.time == "night"
    exposure = np.float32(tones.exposure)
    sky = mix(tones.zenith, tones.ambient, 0.6)
    clouded = tones.disc < 0.15 and plan.time not in ("noon", "dusk", "night")
    key = tones.sun * np.float32(_KEYS.get(plan.time, 0.80) if not clouded else 0.35)
    light = sky * np.float32(0.85 if not night else 0.95) + key
    if tones.disc < 0.15:
        light = light + tones.horizon * np.float32(0.25)
    if night:
        light = mix(light, rgb(0.9, 1.0, 1.2) * luminance(light), 0.6)
    # Plants keep some of their own green by a red sun, but their light is the sky's.
    own = 0.12 if plan.time in ("sunrise", "sunset", "dusk") else 0.35
    light = mix(light, rgb(1, 1, 1) * luminance(light), own) * exposure
    season: Season = "winter" if snow else plan.season
    dark, bright = (linear(name) for name in _GREENS[season])
    if night:
        dark, bright = (mix(tone, rgb(1, 1, 1) * luminance(tone), 0.6) for tone in (dark, bright))
    # Grass against a low sun glows: light comes through the blades.
    through = tones.glow * exposure * np.float32(0.35 * tones.disc if not body.moon else 0.0)
    return PlantLight(
        root=dark * light * np.float32(0.42),
        tip=bright * (light * np.float32(0.92) + through),
        dry=linear("d8b468") * light * np.float32(0.8),
        dry_share={"spring": 0.04, "summer": 0.16, "autumn": 0.5, "winter": 0.6}[season],
        light=light * np.float32(0.95) + through * np.float32(0.5),
        haze=mix(tones.horizon, tones.haze, 0.6) * exposure,
        sun=(math.copysign(0.62, body.x), 0.78),
        relief=0.55 if clouded else 0.7 if night else 1.0,
    )


def _hills(plan: ScenePlan, view: View, tones: Palette, body: Body, rng: Rng, snow: bool) -> Layer:
    """Rolling hills behind the meadow, wooded in patches."""
    field = hill_field(512, rng.sub("field"))
    swing = rng.sub("swing").uniform(-0.25, 0.25)

    def envelope(azimuth: Floats) -> Floats:
        away = (azimuth - np.float32(swing)) / np.float32(0.30)
        return np.asarray(np.float32(0.45) + np.float32(0.75) * np.exp(-away * away))

    band = Band(
        near=1500, far=6000, steps=420, field=field, relief=300, sharpness=1.2, sink=45, cell=11.0,
        offset=0, envelope=envelope, rise=1.4, eye=14.0, depth=16.0, snowline=0.05 if snow else 2.0,
        trees=1.0, treeline=1.6, tree_height=3.0,
    )  # fmt: skip
    green = linear(_GREENS["winter" if snow else plan.season][1]) * np.float32(0.42)
    if plan.time == "night":
        green = mix(green, rgb(0.9, 1.0, 1.2) * luminance(green), 0.75) * np.float32(0.6)
    side = math.copysign(1, body.x)
    high = plan.time in ("noon", "golden") or tones.disc < 0.15
    light = Sunlight(
        palette=tones, body=body, towards=light_vector(-0.8 * side if high else 0.9 * side, -0.2, 0.6),
        strength=2.2 if body.moon else 1.5, sky=1.6 if body.moon else 0.95,
        visibility=9000 * air(plan.weather).visibility, mist=0.7 * air(plan.weather).mist, mist_height=40.0,
        tree_colour=green, tree_snow=0.5 if snow else 0.0,
    )  # fmt: skip
    oversampling = 1.5 if view.canvas.scale <= 1.1 else 1.0
    return Range(view, band, Rock(rng.sub("rock")), light, oversampling).layer()


def _floaters(plan: ScenePlan, canvas: Canvas, light: PlantLight, rng: Rng, snow: bool) -> Floaters | None:
    if snow or plan.weather in ("rain", "storm"):
        return None
    if plan.time in ("night", "dusk"):
        return Floaters(canvas, rng, "fireflies", ((255, 232, 120), (210, 255, 130)))
    return Floaters(canvas, rng, "pollen", (swatch8(light.light), (255, 248, 220)))
