"""Above the clouds: a sea of billows to the horizon, peaks that stand out of it, the sun over all."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera
from meshapi_renderer.colour import Palette, mix, palette, rgb
from meshapi_renderer.elements.backdrop import Backdrop, BackdropLook
from meshapi_renderer.elements.cloud_sea import CloudSea, CloudSeaLook
from meshapi_renderer.elements.ranges import Band, Range, Rock, Sunlight, light_vector
from meshapi_renderer.elements.sky import Body
from meshapi_renderer.elements.terrain import mountain_field
from meshapi_renderer.layers import Layer
from meshapi_renderer.plan import CameraMove, ScenePlan, Weather
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing
from meshapi_renderer.view import View
from meshapi_renderer.weather import air

_FLIGHT: dict[CameraMove, float] = {"fixed": 0.0, "pull": -60.0, "push": 150.0, "aerial": 130.0}
_CRUISE = 110.0
_ABOVE: dict[Weather, Weather] = {"clear": "clear", "cloudy": "clear", "fog": "cloudy", "snow": "cloudy"}
"""What is left of a weather over the clouds; the rest lies below."""


class Sky:
    """See the module."""

    def __init__(self, plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> None:
        self._canvas, self._timing, self._speed = canvas, timing, plan.speed
        self._view = view = View(canvas, 0.50)
        dull = _ABOVE.get(plan.weather, "cloudy")
        above = replace(plan, weather="clear")
        tones = palette(plan.time, dull).tinted(plan.colours)
        if plan.weather in ("storm", "rain"):
            tones = replace(tones, cloud_dark=tones.cloud_dark * np.float32(0.45))
        self._camera = Camera(plan.camera, plan.speed, timing, canvas, horizon=view.horizon)
        look = BackdropLook(
            below=0.16, stars=2200, milky_way=1.0 if plan.time == "night" else 0.0, cover=0.26,
            veils=True,
        )  # fmt: skip
        self._sky = Backdrop(above, view, tones, timing, rng.sub("sky"), look)
        body = self._sky.body
        self._peaks = _peaks(view, tones, body, rng.sub("peaks"))
        flight = _FLIGHT.get(plan.camera, _CRUISE) * plan.speed
        self._sea = CloudSea(view, rng.sub("sea"), _look(plan, tones, body, flight))

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """The picture at frame ``index``."""
        canvas, camera = self._canvas, self._camera
        frame: Bytes8 = scratch.array("frame", (canvas.height, canvas.width, 3))
        pose, seconds = camera.pose(index), self._timing.seconds(index)
        self._sky.draw(frame, camera, pose, index, scratch, canvas.height)
        self._peaks.draw(frame, camera.matrix(pose, self._peaks.depth, self._peaks.margin))
        self._sea.draw(frame, camera, pose, seconds, scratch)
        return frame


def build(plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> Scene:
    """The clouds of ``plan`` from above: the hour lights them, the weather darkens and heaps them."""
    return Sky(plan, canvas, timing, rng)


def _look(plan: ScenePlan, tones: Palette, body: Body, flight: float) -> CloudSeaLook:
    exposure = np.float32(tones.exposure)
    night = body.moon
    lit = tones.cloud_lit + tones.sun * np.float32(0.25)
    dark = mix(tones.cloud_dark, tones.ambient, 0.5)
    if night:
        lit, dark = lit * np.float32(1.3), dark * np.float32(0.9) + rgb(0.004, 0.006, 0.014)
    return CloudSeaLook(
        lit=lit * exposure,
        dark=dark * exposure * np.float32(0.62),
        haze=mix(tones.horizon, tones.haze, 0.4) * exposure,
        glow=tones.glow * exposure * np.float32(0.9 * tones.disc),
        body_x=body.x,
        body_slope=body.slope,
        tan_elevation=max(0.20, min(1.0, body.slope + 0.14)),
        flight=flight,
        wind=62.0 * air(plan.weather).wind * plan.speed,
        towers=1.5 if plan.weather in ("storm", "rain", "cloudy") else 1.0,
    )


def _peaks(view: View, tones: Palette, body: Body, rng: Rng) -> Layer:
    """One far massif whose tops stand out of the clouds, away from the sun."""
    field = mountain_field(512, rng.sub("field"))
    centre = -math.copysign(rng.sub("summit").uniform(0.14, 0.30), body.x)

    def envelope(azimuth: Floats) -> Floats:
        away = (azimuth - np.float32(centre)) / np.float32(0.15)
        far = (azimuth + np.float32(0.9 * centre)) / np.float32(0.10)
        return np.asarray(np.exp(-away * away) + np.float32(0.45) * np.exp(-far * far))

    band = Band(
        near=14000, far=26000, steps=360, field=field, relief=4200, sharpness=1.1, sink=500, cell=44.0,
        offset=0, envelope=envelope, rise=1.2, eye=1250.0, depth=26.0, snowline=0.20, trees=0.0, treeline=0.0,
    )  # fmt: skip
    high_sun = body.slope > 0.3
    light = Sunlight(
        palette=tones, body=body,
        towards=light_vector(
            0.9 * math.copysign(1, body.x), -0.2 if high_sun else 0.28, max(body.slope, 0.12)
        ),
        strength=4.0 if body.moon else (1.7 if high_sun else 2.4), sky=2.4 if body.moon else 0.85,
        visibility=26000, mist=0.9, mist_height=160.0, tree_colour=rgb(0, 0, 0),
    )  # fmt: skip
    oversampling = 1.5 if view.canvas.scale <= 1.1 else 1.0
    return Range(view, band, Rock(rng.sub("rock")), light, oversampling).layer()
