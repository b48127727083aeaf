"""Under the sea: a coral reef in blue depth, rays from the surface, caustics, weed, bubbles and fish."""

from __future__ import annotations

import math

import numpy as np

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.camera import Camera
from meshapi_renderer.colour import linear, luminance, mix, palette, swatch8
from meshapi_renderer.elements.floaters import Floaters
from meshapi_renderer.elements.reef import Reef
from meshapi_renderer.elements.sea_life import Bubbles, Jellyfish, Shoal
from meshapi_renderer.elements.softlight import Enlarger, grid_canvas
from meshapi_renderer.elements.undersea_light import Caustics, UnderseaLight, WaterColumn, caustic_texture
from meshapi_renderer.plan import ScenePlan, TimeOfDay
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing
from meshapi_renderer.view import View
from meshapi_renderer.weather import air

_DAYLIGHT: dict[TimeOfDay, float] = {
    "sunrise": 0.55, "golden": 0.80, "noon": 1.0, "sunset": 0.55, "dusk": 0.26, "night": 0.13,
}  # fmt: skip
_FLOOR_DEPTH = 2.0


class Underwater:
    """See the module."""

    def __init__(self, plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> None:
        self._canvas, self._timing, self._speed = canvas, timing, plan.speed
        self._view = view = View(canvas, 0.56)
        self._camera = Camera(plan.camera, plan.speed, timing, canvas, horizon=view.horizon)
        self._grid = grid_canvas(canvas)
        self._enlarger = Enlarger(canvas)
        daylight = _DAYLIGHT[plan.time] * (0.4 + 0.6 * air(plan.weather).visibility ** 0.5)
        column = _column(plan, daylight, rng.sub("sun").uniform(-0.22, 0.22))
        net = caustic_texture(rng.sub("net"))
        self._water = UnderseaLight(view, self._grid, column, rng.sub("rays"), net)
        reef = Reef(view, column, rng.sub("reef"), 0.30 + 0.85 * daylight)
        self._floor = reef.ground(_FLOOR_DEPTH)
        self._reef = reef.layers()
        sunny = plan.time != "night" and plan.weather in ("clear", "cloudy", "snow")
        self._caustics = Caustics(view, net, 1.8, 0.85 if sunny else 0.30)
        self._shoals = _shoals(canvas, column, daylight, rng.sub("shoals"))
        self._bubbles = Bubbles(canvas, rng.sub("bubbles"), swatch8(column.bright * np.float32(2.2) + 0.05))
        speck = swatch8(column.bright * np.float32(1.5) + np.float32(0.02))
        self._specks = Floaters(canvas, rng.sub("specks"), "pollen", (speck, (190, 225, 235)))
        self._jellies: Jellyfish | None = None
        if plan.time in ("night", "dusk"):
            tones = ((90, 210, 255), (220, 120, 255), (120, 255, 210))
            self._jellies = Jellyfish(canvas, rng.sub("jellyfish"), tones)

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """The picture at frame ``index``."""
        camera = self._camera
        pose, seconds = camera.pose(index), self._timing.seconds(index)
        paced = seconds * self._speed
        small = self._grid.width / self._canvas.width
        _, shift_x, shift_y = camera.scale_shift(pose, math.inf)
        frame = self._enlarger.bytes(self._water.light((shift_x * small, shift_y * small), paced), scratch)
        self._floor.draw(frame, camera.matrix(pose, _FLOOR_DEPTH, self._floor.margin))
        # Going forward leaves the horizon where it is: only a tilt moves it.
        floor_x = shift_x - pose.x / _FLOOR_DEPTH * self._canvas.width
        self._caustics.draw(frame, paced, (floor_x, shift_y))
        for place, (layer, weed) in enumerate(self._reef):
            matrix = camera.matrix(pose, layer.depth, layer.margin)
            layer.draw(frame, matrix)
            if place < len(self._shoals):
                self._shoals[place].draw(frame, camera, pose, paced)
            if weed is not None:
                weed.draw(frame, matrix, paced, 4.2)
        if self._jellies is not None:
            self._jellies.draw(frame, camera, pose, paced, scratch)
        self._specks.draw(frame, paced, scratch)
        self._bubbles.draw(frame, paced)
        return frame


def build(plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> Scene:
    """The reef of ``plan``: the hour lights it, wished colours tint the water."""
    return Underwater(plan, canvas, timing, rng)


def _column(plan: ScenePlan, daylight: float, sun_x: float) -> WaterColumn:
    """The water of an hour: turquoise at noon, gold overhead by a low sun, ink by night."""
    tones = palette(plan.time, "clear")
    deep, middle, bright = linear("06304f"), linear("0f6f9f"), linear("4fd0e0")
    if plan.colours:
        wish = linear(plan.colours[0])
        wish = wish * np.float32(0.25 / max(float(luminance(wish)), 0.05))
        deep, middle, bright = mix(deep, wish * 0.25, 0.5), mix(middle, wish, 0.5), mix(bright, wish * 2, 0.4)
    low = plan.time in ("sunrise", "golden", "sunset")
    sun = mix(linear("d8fff4"), tones.glow, 0.55 if low else 0.1)
    if low:
        bright = mix(bright, tones.glow * np.float32(0.8), 0.16)
    dim = np.float32(daylight)
    night = plan.time == "night"
    return WaterColumn(
        deep=deep * (dim * np.float32(0.8) + np.float32(0.12)),
        middle=middle * (dim * np.float32(0.85) + np.float32(0.05)),
        bright=bright * dim * np.float32(1.15),
        sun=sun * dim * np.float32(1.0 if not night else 0.8),
        rays=0.75 if plan.weather in ("clear", "cloudy") else 0.25,
        sun_x=sun_x,
    )


def _shoals(canvas: Canvas, column: WaterColumn, daylight: float, rng: Rng) -> list[Shoal]:
    """A far shoal of shadows and a nearer one in colour."""
    far = swatch8(mix(column.middle, column.deep, 0.55)), swatch8(column.middle * np.float32(1.05))
    gold, pale = linear("ffb52e"), linear("fff0c8")
    dim = np.float32(0.25 + 0.75 * daylight)
    near = (
        swatch8(mix(gold * dim, column.middle, 0.30)),
        swatch8(mix(pale * dim, column.middle, 0.35)),
    )
    return [
        Shoal(canvas, rng.sub("far"), far, 34, 0.012, 7.0),
        Shoal(canvas, rng.sub("near"), near, 15, 0.024, 3.6),
    ]
