"""Outer space: a nebula that streams, stars in depth, a turning planet with a moon, perhaps with rings."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.camera import Camera, Pose
from meshapi_renderer.colour import linear, to8
from meshapi_renderer.elements.nebula import Nebula, nebula_colours
from meshapi_renderer.elements.planet import Planet, planet_look
from meshapi_renderer.elements.rings import Rings
from meshapi_renderer.elements.softlight import Enlarger
from meshapi_renderer.elements.stars import Meteors, Twinkle, star_field
from meshapi_renderer.layers import Layer
from meshapi_renderer.plan import PlanetKind, ScenePlan, TimeOfDay
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing
from meshapi_renderer.view import View

_GRID_LONG = 416
_STAR_DEPTHS = (60.0, 14.0)
_PLANET_DEPTH = 1.25
_MOON_DEPTH = 1.0
_RINGS_CHANCE = 0.7
_RINGED: tuple[PlanetKind, ...] = ("giant", "ice")
_SUN: dict[TimeOfDay, tuple[float, float, float]] = {
    "noon": (-0.55, 0.45, 0.70),
    "golden": (-0.80, 0.35, 0.42),
    "sunrise": (-0.88, 0.42, -0.02),
    "sunset": (0.92, 0.18, 0.10),
    "dusk": (-0.90, -0.20, -0.10),
    "night": (-0.74, 0.44, 0.40),
}
"""To the sun: right, up, towards the viewer. The hour decides how much of the globe lies in the light."""


@dataclass(frozen=True, slots=True)
class _Globe:
    """A globe and where its middle stands, in shares of the frame."""

    planet: Planet
    x: float
    y: float
    depth: float
    drift: tuple[float, float] = (0.0, 0.0)
    """How far it travels in the clip, in shares of the frame."""


class Space:
    """See the module."""

    def __init__(self, plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> None:
        self._canvas, self._timing, self._speed = canvas, timing, plan.speed
        self._camera = Camera(plan.camera, plan.speed, timing, canvas)
        self._view = View(canvas, 0.5)
        share = min(1.0, _GRID_LONG / canvas.long)
        self._grid = Canvas(round(canvas.width * share), round(canvas.height * share))
        self._enlarger = Enlarger(canvas)
        strength = {"noon": 0.5, "golden": 0.8}.get(plan.time, 1.0)
        colours = nebula_colours(plan.colours, rng.sub("colours"))
        self._nebula = Nebula(rng.sub("nebula"), colours, 1.15 * strength)
        self._stars, self._twinkle = _stars(self._view, rng.sub("stars"))
        self._meteors = Meteors(canvas, timing.duration, rng.sub("meteors"), 1)
        light = _unit(_SUN[plan.time])
        rings = _rings(light, plan.ringed, rng.sub("rings"))
        self._globe, self._moon = _globes(canvas, light, rings, plan.planet, rng.sub("globes"))
        ringed = rings is not None and self._globe.planet.kind in _RINGED
        self._rings = self._ring_layers(rings) if rings is not None and ringed else None
        self._sun = _Sun(canvas, light, self._globe) if light[2] < 0.15 else None

    def _ring_layers(self, rings: Rings) -> tuple[Layer, Layer]:
        globe, canvas, margin = self._globe, self._canvas, self._view.margin
        colour, behind, before = rings.draw(_radius(canvas))
        side = colour.shape[0]
        left = round(globe.x * canvas.width - side / 2) + margin
        top = round(globe.y * canvas.height - side / 2) + margin
        layers = []
        for cover in (behind, before):
            sheet = np.zeros((self._view.height, self._view.width, 3), np.uint8)
            alpha = np.zeros(sheet.shape[:2], np.uint8)
            y0, x0 = max(0, top), max(0, left)
            y1, x1 = min(sheet.shape[0], top + side), min(sheet.shape[1], left + side)
            part = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
            alpha[y0:y1, x0:x1] = cover[part]
            sheet[y0:y1, x0:x1] = cv2.multiply(colour[part], imaging.triple(cover[part]), scale=1 / 255.0)
            layers.append(Layer(sheet, 255 - alpha, globe.depth, margin))
        return layers[0], layers[1]

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """The picture at frame ``index``."""
        canvas, camera, margin = self._canvas, self._camera, self._view.margin
        pose, seconds = camera.pose(index), self._timing.seconds(index)
        paced = seconds * self._speed
        _, shift_x, shift_y = camera.scale_shift(pose, 90.0)
        shift = (shift_x / canvas.long - 0.0015 * paced, shift_y / canvas.long)
        frame = self._enlarger.bytes(self._nebula.light(self._grid, shift, paced), scratch)
        for depth, stars in zip(_STAR_DEPTHS, self._stars, strict=True):
            matrix = camera.matrix(pose, depth, margin)
            moved = imaging.warp_affine(stars, matrix, canvas.width, canvas.height)
            cv2.add(frame, cv2.cvtColor(moved, cv2.COLOR_RGBA2RGB), frame)
        matrix = camera.matrix(pose, _STAR_DEPTHS[1], margin)
        self._twinkle.draw(frame, matrix, seconds, canvas.height)
        self._meteors.draw(frame, seconds)
        if self._sun is not None:
            self._sun.draw(frame, camera, pose)
        if self._rings is not None:
            self._rings[0].draw(frame, camera.matrix(pose, _PLANET_DEPTH, margin))
        self._place(frame, self._globe, pose, index)
        if self._rings is not None:
            self._rings[1].draw(frame, camera.matrix(pose, _PLANET_DEPTH, margin))
        self._place(frame, self._moon, pose, index)
        return frame

    def _place(self, frame: Bytes8, globe: _Globe, pose: Pose, index: int) -> None:
        """Draw a globe where the camera sees it."""
        canvas = self._canvas
        progress = self._timing.progress(index) * self._speed
        x = (globe.x + globe.drift[0] * progress) * canvas.width
        y = (globe.y + globe.drift[1] * progress) * canvas.height
        scale, shift_x, shift_y = self._camera.scale_shift(pose, globe.depth)
        side = globe.planet.side
        left, top = scale * (x - side / 2) + shift_x, scale * (y - side / 2) + shift_y
        x0, y0 = max(0, math.floor(left)), max(0, math.floor(top))
        x1 = min(canvas.width, math.ceil(left + scale * side) + 1)
        y1 = min(canvas.height, math.ceil(top + scale * side) + 1)
        if x1 - x0 < 2 or y1 - y0 < 2:
            return
        seen = globe.planet.draw(self._timing.seconds(index) * self._speed)
        matrix = np.array([[scale, 0.0, left - x0], [0.0, scale, top - y0]])
        size = (x1 - x0, y1 - y0)
        moved = cv2.warpAffine(seen, matrix, size, borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0, 255))
        through = imaging.triple(np.asarray(cv2.extractChannel(moved, 3), np.uint8))
        light = np.asarray(cv2.cvtColor(moved, cv2.COLOR_RGBA2RGB), np.uint8)
        imaging.over(frame[y0:y1, x0:x1], light, through)


def build(plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> Scene:
    """Space: the hour says from where the sun lights the planet, wished colours tint the nebula."""
    return Space(plan, canvas, timing, rng)


def _unit(vector: tuple[float, float, float]) -> tuple[float, float, float]:
    norm = math.sqrt(sum(part * part for part in vector))
    return vector[0] / norm, vector[1] / norm, vector[2] / norm


def _radius(canvas: Canvas) -> float:
    """The planet's radius in pixels."""
    return min(0.36 * canvas.short, 0.26 * canvas.long)


def _rings(light: tuple[float, float, float], wished: bool | None, rng: Rng) -> Rings | None:
    """The rings that a planet of a kind with rings has; None for none."""
    chance = rng.u()
    if not (chance < _RINGS_CHANCE if wished is None else wished):
        return None
    lean = chance / _RINGS_CHANCE if wished is None else chance
    return Rings(0.63 * lean - 0.45, rng.uniform(0.16, 0.34), light, rng.sub("bands"))


def _globes(
    canvas: Canvas,
    light: tuple[float, float, float],
    rings: Rings | None,
    wished: PlanetKind | None,
    rng: Rng,
) -> tuple[_Globe, _Globe]:
    """The planet on one side of the middle, the moon on the other, smaller and nearer."""
    side = rng.sign()
    kinds: tuple[PlanetKind, ...] = ("giant", "giant", "earth", "desert", "ice")
    picked = rng.pick(kinds)
    kind = wished or picked
    look = planet_look(kind, rng.sub("look"), familiar=wished is not None)
    radius = _radius(canvas)
    portrait = canvas.height > canvas.width
    x = 0.5 + side * (0.10 if portrait else 0.17)
    y = rng.uniform(0.46, 0.54) + (0.06 if portrait else 0.0)
    shade = rings.shade_globe if rings is not None and kind in _RINGED else None
    planet = _Globe(Planet(radius, light, look, rng.sub("planet"), shade), x, y, _PLANET_DEPTH)
    moon_look = planet_look("desert" if kind != "desert" else "ice", rng.sub("moon look"))
    small = Planet(0.17 * radius, light, moon_look, rng.sub("moon"))
    moon = _Globe(
        small, 0.5 - side * rng.uniform(0.20, 0.34), rng.uniform(0.20, 0.34), _MOON_DEPTH, (0.05 * side, 0.02)
    )
    return planet, moon


def _stars(view: View, rng: Rng) -> tuple[list[Bytes8], Twinkle]:
    """Two sheets of stars, far and near, and the near ones that twinkle."""
    area = view.width * view.height / (view.canvas.width * view.canvas.height)
    far = star_field(view, view.height, rng.sub("far"), round(3600 * area))
    near = star_field(view, view.height, rng.sub("near"), round(420 * area))
    twinkle = Twinkle(view.canvas, near.bright[:120], rng.sub("twinkle"))
    sheets = (to8(far.light * np.float32(0.8)), to8(near.light * np.float32(1.2)))
    # Four channels move in less than half the time of three.
    return [np.asarray(cv2.cvtColor(sheet, cv2.COLOR_RGB2RGBA), np.uint8) for sheet in sheets], twinkle


class _Sun:
    """The sun where it stands behind the planet: a glare around its place, hidden in part by the globe."""

    def __init__(self, canvas: Canvas, light: tuple[float, float, float], globe: _Globe) -> None:
        flat = math.hypot(light[0], light[1])
        reach = _radius(canvas) * 1.02
        x = globe.x * canvas.width + reach * light[0] / flat
        y = globe.y * canvas.height - reach * light[1] / flat
        self._depth = globe.depth
        self._place = (x, y)
        side = round(0.9 * canvas.long)
        yy, xx = np.mgrid[0:side, 0:side].astype(np.float32)
        r = np.sqrt((xx - side / 2) ** 2 + (yy - side / 2) ** 2) / np.float32(canvas.long)
        rays = np.exp(-np.abs(yy - side / 2) / np.float32(0.004 * canvas.long)) * np.exp(-r * np.float32(9))
        glare = np.exp(-r * np.float32(14)) * np.float32(0.8) + np.exp(-r * np.float32(60)) * np.float32(6)
        light3 = (glare + rays * np.float32(0.5))[..., None] * linear("ffe6c0")
        fade = np.clip((np.float32(0.45) - r) * np.float32(8), 0, 1)[..., None]
        self._glare = to8(light3 * fade)

    def draw(self, frame: Bytes8, camera: Camera, pose: Pose) -> None:
        """Add the glare to ``frame``."""
        x, y = camera.project(pose, self._depth, *self._place)
        side = self._glare.shape[0]
        left, top = x - side / 2, y - side / 2
        height, width = frame.shape[:2]
        x0, y0 = max(0, math.floor(left)), max(0, math.floor(top))
        x1, y1 = min(width, math.floor(left + side)), min(height, math.floor(top + side))
        if x1 <= x0 or y1 <= y0:
            return
        matrix = np.array([[1.0, 0.0, left - x0], [0.0, 1.0, top - y0]])
        window = frame[y0:y1, x0:x1]
        cv2.add(window, imaging.warp_affine(self._glare, matrix, x1 - x0, y1 - y0), window)
