"""A street in the rain: shop fronts and neon on both sides, wet asphalt, umbrellas, headlights."""

from __future__ import annotations

import math

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.camera import Camera, Pose
from meshapi_renderer.elements.backdrop import Backdrop, BackdropLook, SkyGap
from meshapi_renderer.elements.city_light import city_light
from meshapi_renderer.elements.light_points import LightPoints
from meshapi_renderer.elements.particles import weather_particles
from meshapi_renderer.elements.passing_light import PassingLight
from meshapi_renderer.elements.street_canyon import EYE, KERB, METRES_PER_DEPTH, WALL, StreetCanyon
from meshapi_renderer.elements.street_life import StreetLife
from meshapi_renderer.elements.street_things import StreetEye
from meshapi_renderer.elements.wet_road import WetRoad
from meshapi_renderer.layers import covered_from, draw_stack, open_columns
from meshapi_renderer.plan import ScenePlan, Weather
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing
from meshapi_renderer.view import View

_WET: dict[Weather, float] = {
    "rain": 1.0, "storm": 1.0, "fog": 0.55, "snow": 0.30, "overcast": 0.40, "cloudy": 0.12, "clear": 0.08,
}  # fmt: skip


class Street:
    """See the module."""

    def __init__(self, plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> None:
        self._canvas, self._timing, self._speed = canvas, timing, plan.speed
        self._view = view = View(canvas, 0.54)
        self._camera = Camera(plan.camera, plan.speed, timing, canvas, horizon=view.horizon)
        light = city_light(plan, rng.sub("light"))
        self._sky = Backdrop(
            plan, view, light.tones, timing, rng.sub("sky"), BackdropLook(below=0.12, stars=300, moon=False)
        )
        rain = plan.weather in ("rain", "storm")
        # After dark the ground of a city is seldom dry: it has rained or it has been washed.
        self._wet = max(_WET[plan.weather], 0.62 if light.dark and plan.weather != "snow" else 0.0)
        snow = 1.0 if plan.weather == "snow" else 0.0
        canyon = StreetCanyon(view, light, rng.sub("canyon"), self._wet, snow)
        self._layers = canyon.layers()
        self._road = WetRoad(view, rng.sub("road"), WALL, EYE, self._wet, rain)
        umbrellas = rain or plan.weather == "snow"
        self._life = StreetLife(
            rng.sub("life"),
            KERB + 1.5,
            2.1,
            umbrellas,
            light,
            view.focal,
            self._wet,
            timing.duration * plan.speed,
        )
        self._glimmer = PassingLight(canvas, rng.sub("glimmer"), 0.16, 2.4 if light.dark else 1.3)
        self._falling = weather_particles(
            plan.weather, canvas, rng.sub("falling"), 0.55 if light.dark else 0.9, speed=plan.speed
        )

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """The picture at frame ``index``."""
        canvas, camera = self._canvas, self._camera
        frame: Bytes8 = scratch.array("frame", (canvas.height, canvas.width, 3))
        pose, seconds = camera.pose(index), self._timing.seconds(index)
        paced = seconds * self._speed
        stack = [(layer, camera.matrix(pose, layer.depth, layer.margin)) for layer in self._layers]
        eye = self._eye(pose)
        # Between high houses little of the sky is seen: no more of it is made.
        row = min(canvas.height, max(0, math.ceil(eye.row) + 1))
        gap = SkyGap(open_columns(frame, stack, row), row)
        self._sky.draw(frame, camera, pose, index, scratch, covered_from(frame, stack), gap)
        draw_stack(frame, stack)
        travel = (METRES_PER_DEPTH * pose.x, METRES_PER_DEPTH * pose.zoom)
        self._glimmer.draw(frame, paced, max(1, round(eye.row)))
        if self._road.visible:
            self._road.draw(frame, eye.row, eye.column, travel, paced, scratch)
        cars = self._life.draw(frame, eye, paced, travel[1], self._wet, scratch)
        lights = LightPoints(canvas, scratch)
        self._life.shine(lights, eye, cars, self._wet)
        lights.add_to(frame, canvas.height)
        if self._falling is not None:
            self._falling.draw(frame, seconds, scratch)
        return frame

    def _eye(self, pose: Pose) -> StreetEye:
        """Where the vanishing point stands in the frame."""
        _, shift_x, shift_y = self._camera.scale_shift(pose, math.inf)
        canvas = self._canvas
        row = self._view.horizon * canvas.height + shift_y
        return StreetEye(0.5 * canvas.width + shift_x, row, self._view.focal, EYE)


def build(plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> Scene:
    """The street of ``plan``: the hour lights its windows, rain soaks it, wished colours tint its neon."""
    return Street(plan, canvas, timing, rng)
