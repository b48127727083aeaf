"""A city of towers across the water, by day or in neon at night."""

from __future__ import annotations

import math

import cv2
import numpy as np

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.camera import Camera, Pose
from meshapi_renderer.colour import linear, mix, rgb, swatch8
from meshapi_renderer.elements.backdrop import Backdrop, BackdropLook
from meshapi_renderer.elements.city_light import CityLight, city_light
from meshapi_renderer.elements.city_plane import CityPlane, bake_plane
from meshapi_renderer.elements.light_points import LightPoints
from meshapi_renderer.elements.mist import MistSheet
from meshapi_renderer.elements.particles import weather_particles
from meshapi_renderer.elements.sky import Body
from meshapi_renderer.elements.skyline import PLANES, raise_skyline, reference_unit
from meshapi_renderer.elements.traffic import Traffic
from meshapi_renderer.elements.water import Water, WaterLook, water_rows
from meshapi_renderer.elements.waterfront import QUAY, Waterfront
from meshapi_renderer.layers import covered_from, draw_stack
from meshapi_renderer.plan import ScenePlan
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing
from meshapi_renderer.view import View
from meshapi_renderer.weather import air

_HORIZON = 0.60
_FEET = (0.5, 1.5, 3.0, 5.5)
"""Units below the horizon of each plane's feet."""
_LEAVES = {"spring": "5d7a34", "summer": "46602f", "autumn": "a8662a", "winter": "6a6152"}
_BEHIND = 2
"""So many far planes are drawn before the far lights."""


class City:
    """The built scene; see :func:`build`."""

    def __init__(self, plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> None:
        self._canvas, self._timing, self._speed = canvas, timing, plan.speed
        self._view = view = View(canvas, _HORIZON)
        self._unit = reference_unit(canvas)
        self._camera = Camera(plan.camera, plan.speed, timing, canvas, horizon=view.horizon)
        light = city_light(plan, rng.sub("light"))
        look = BackdropLook(stars=700, moon=True)
        self._sky = Backdrop(plan, view, light.tones, timing, rng.sub("sky"), look)
        self._planes = _planes(plan, view, light, self._sky.body, self._unit, rng)
        self._foot = _HORIZON * canvas.height + _FEET[-1] * self._unit
        self._waterline = self._foot + QUAY * self._unit
        self._water = _water(plan, view, light, self._sky.body, self._waterline, rng.sub("water"))
        room = _HORIZON * canvas.height / self._unit
        busy = light.dark or light.lit > 0.2
        self._traffic = Traffic(canvas, rng.sub("traffic"), self._unit, room, light.dark)
        self._lit = busy
        self._mist = _mist(plan, canvas, light, rng.sub("mist"))
        brightness = 0.5 if light.dark else 0.9
        self._particles = weather_particles(
            plan.weather, canvas, rng.sub("weather"), brightness, speed=plan.speed
        )

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """Frame ``index``; see `Scene`."""
        canvas, camera = self._canvas, self._camera
        frame: Bytes8 = scratch.array("frame", (canvas.height, canvas.width, 3))
        pose, seconds = camera.pose(index), self._timing.seconds(index)
        waterline = self._waterline_row(pose)
        land = frame[:waterline]
        stack = [
            (plane.layer, camera.matrix(pose, plane.layer.depth, plane.layer.margin))
            for plane in self._planes
        ]
        self._sky.draw(land, camera, pose, index, scratch, covered_from(land, stack))
        draw_stack(land, stack[:_BEHIND])
        self._lights(frame, pose, seconds, scratch, nearest=False)
        self._veil(land, pose, seconds)
        draw_stack(land, stack[_BEHIND:])
        self._lights(frame, pose, seconds, scratch, nearest=True)
        self._mirror(frame, waterline, pose, seconds, scratch)
        if self._particles is not None:
            self._particles.draw(frame, seconds, scratch)
        return frame

    def _waterline_row(self, pose: Pose) -> int:
        _, row = self._camera.project(pose, PLANES[-1].depth, 0.0, self._waterline)
        return min(self._canvas.height, max(1, math.floor(row)))

    def _lights(self, frame: Bytes8, pose: Pose, seconds: float, scratch: Scratch, nearest: bool) -> None:
        """Traffic and beacons of the far planes, or with ``nearest`` of the near ones."""
        lights = LightPoints(self._canvas, scratch)
        paced = seconds * self._speed
        if self._lit:
            self._traffic.draw_behind(lights, self._camera, pose, paced, self._foot, nearest)
        planes = self._planes[_BEHIND:] if nearest else self._planes[:_BEHIND]
        for plane in planes if self._lit else ():
            self._traffic.draw_beacons(
                lights, plane.beacons, plane.layer.depth, self._camera, pose, paced, self._view.margin
            )
        lights.add_to(frame, self._waterline_row(pose))

    def _veil(self, land: Bytes8, pose: Pose, seconds: float) -> None:
        """Banks of fog that drift between the far towers and the near ones."""
        for sheet in self._mist:
            _, shift_x, shift_y = self._camera.scale_shift(pose, PLANES[_BEHIND].depth)
            sheet.draw(land, seconds * self._speed, (shift_x, shift_y))

    def _mirror(self, frame: Bytes8, waterline: int, pose: Pose, seconds: float, scratch: Scratch) -> None:
        """The water, mirroring the city drawn out downwards, as lights are on ripples too small to see."""
        _, shift_x, shift_y = self._camera.scale_shift(pose, math.inf)
        horizon = _HORIZON * self._canvas.height + shift_y
        centre = 0.5 * self._canvas.width + shift_x
        source: Bytes8 = scratch.array("city mirror", frame.shape)
        drawn_out = max(1, round(9 * self._unit)) | 1
        cv2.blur(frame[:waterline], (1, drawn_out), source[:waterline])
        self._water.draw(source, waterline, horizon, centre, seconds, scratch, (pose.x, pose.zoom))
        frame[waterline:] = source[waterline:]


def _planes(
    plan: ScenePlan, view: View, light: CityLight, body: Body, unit: float, rng: Rng
) -> list[CityPlane]:
    """All rows of towers, far to near."""
    room = _HORIZON * view.canvas.height / unit
    half = 0.5 * view.width / unit
    sun = view.centre_column + body.x * view.focal * (1.0 if body.slope < 0.3 else 40.0)
    planes = []
    for index, (spec, foot) in enumerate(zip(PLANES, _FEET, strict=True)):
        towers = raise_skyline(spec, index, half, room, light.neon, rng.sub(f"plane {index}"))
        near = index == len(PLANES) - 1
        front = Waterfront(rng.sub("waterfront"), linear(_LEAVES[plan.season])) if near else None
        row = view.horizon_row + foot * unit
        planes.append(bake_plane(view, spec, towers, light, unit, row, sun, front))
    return planes


def _mist(plan: ScenePlan, canvas: Canvas, light: CityLight, rng: Rng) -> list[MistSheet]:
    """Fog banks, in fog only."""
    if plan.weather != "fog":
        return []
    colour = swatch8(light.haze * np.float32(1.25))
    low = MistSheet(canvas, rng.sub("low"), colour, 0.50, 0.34, 0.85, 0.010)
    high = MistSheet(canvas, rng.sub("high"), colour, 0.24, 0.40, 0.60, -0.006)
    return [high, low]


def _water(plan: ScenePlan, view: View, light: CityLight, body: Body, waterline: float, rng: Rng) -> Water:
    tones = light.tones
    deep = linear("06122e") if light.dark else mix(tones.zenith, rgb(0.02, 0.08, 0.10), 0.6) * np.float32(0.5)
    wind = air(plan.weather).wind
    look = WaterLook(
        body=deep,
        roughness=0.85 + 0.25 * wind,
        clarity=0.42,
        glitter=0.0 if light.dark else 0.8 * tones.disc,
        glitter_colour=tones.glow,
        glitter_x=body.x,
        speed=plan.speed * (0.8 + 0.3 * wind),
    )
    rows = water_rows(view.canvas, waterline, float(view.margin))
    return Water(view.canvas, view.focal, rows, rng, look)


def build(plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> Scene:
    """A skyline across the water: the hour lights it, the weather veils it, wished colours tint its neon."""
    return City(plan, canvas, timing, rng)
