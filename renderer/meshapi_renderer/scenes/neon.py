"""Abstract: ribbons of light that wave over a glossy floor."""

from __future__ import annotations

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera, Pose, margin
from meshapi_renderer.colour import linear, luminance, mix, palette, rgb, smoothstep
from meshapi_renderer.elements.gloss import GlossyFloor
from meshapi_renderer.elements.motes import Motes
from meshapi_renderer.elements.particles import weather_particles
from meshapi_renderer.elements.ribbons import Placement, Ribbon, add_silk, draw_threads, scatter_ribbons
from meshapi_renderer.elements.softlight import Enlarger, bloom, grid_canvas, light_of_bytes
from meshapi_renderer.noise import fbm
from meshapi_renderer.plan import ScenePlan, TimeOfDay
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing
from meshapi_renderer.weather import air

_SCHEMES = (
    ("00e5ff", "7a2bff", "ff2bb0"),
    ("ff3d81", "ff8a2b", "ffd23f"),
    ("18ffb2", "00b3ff", "5a3cff"),
    ("ff2bd6", "8a2bff", "2b6bff"),
)
_BACKDROP: dict[TimeOfDay, float] = {
    "night": 0.55,
    "dusk": 0.42,
    "sunset": 0.34,
    "sunrise": 0.34,
    "golden": 0.34,
    "noon": 0.40,
}
"""How much of the sky's light fills the room behind the ribbons."""
_HORIZON = 0.655
_BACKDROP_DEPTH = 12.0
_MIST_SIDE = 256


def _scheme(wished: tuple[str, ...], rng: Rng) -> tuple[Floats, ...]:
    """Three linear colours: the wished ones, completed by their neighbours, or a scheme drawn by chance."""
    if not wished:
        return tuple(linear(colour) for colour in rng.pick(_SCHEMES))
    colours = [linear(colour) for colour in wished[:3]]
    while len(colours) < 3:
        colours.append(_neighbour(colours[-1], colours[0]))
    # A wish for black or a very dark colour still has to shine.
    return tuple(_lit(colour) for colour in colours)


def _neighbour(colour: Floats, other: Floats) -> Floats:
    """A colour that goes with ``colour``: half way to its rotated channels."""
    return mix(mix(colour, np.roll(colour, 1), 0.35), other, 0.25)


def _lit(colour: Floats) -> Floats:
    level = float(luminance(colour))
    return colour + np.float32(max(0.0, 0.06 - level))


class Neon:
    """The built scene; see :func:`build`."""

    def __init__(self, plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> None:
        self._canvas, self._timing, self._speed = canvas, timing, plan.speed
        self._grid = grid_canvas(canvas)
        self._camera = Camera(plan.camera, plan.speed, timing, canvas, horizon=_HORIZON)
        self._grid_camera = Camera(plan.camera, plan.speed, timing, self._grid, horizon=_HORIZON)
        conditions = air(plan.weather)
        colours = _scheme(plan.colours, rng.sub("scheme"))
        self._colours = colours
        self._ribbons = scatter_ribbons(rng.sub("ribbons"), colours)
        self._margin = margin(self._grid)
        self._backdrop = _backdrop(plan, self._grid, self._margin, colours)
        self._daylight = float(np.clip(luminance(self._backdrop).mean() * 5.0, 0, 1))
        falling = conditions.falling is not None
        body = rgb(0.004, 0.005, 0.010) + self._backdrop.mean((0, 1)) * np.float32(0.25)
        self._floor = GlossyFloor(rng.sub("floor"), body, 1.0 if falling else 0.25)
        self._mist = imaging.Torus(fbm(_MIST_SIDE, _MIST_SIDE, 4, 5, rng.sub("mist"), 0.5, aspect=0.6))
        self._mist_amount = 0.25 + conditions.mist**2 * 2.2
        self._wind = conditions.wind
        self._motes = Motes(canvas, rng.sub("motes"), colours)
        self._particles = weather_particles(
            plan.weather, canvas, rng.sub("weather"), 0.45 + 0.4 * self._daylight, speed=plan.speed
        )
        self._enlarger = Enlarger(canvas)

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """Frame ``index``; see `Scene`."""
        seconds = self._timing.seconds(index)
        paced = seconds * self._speed
        pose = self._camera.pose(index)
        threads = self._threads(pose, paced, scratch)
        room, silk = self._room_and_silk(pose, paced)
        fine = light_of_bytes(threads, self._grid)
        halo = bloom(silk + fine, 0.42, 0.75)
        room += halo * self._mist_at(pose, paced)[..., None]
        horizon_row, centre = self._vanishing_point(pose)
        lit = self._floor.lay(room + silk + fine + halo, horizon_row, centre, paced, pose.x)
        below = smoothstep(
            horizon_row - 1.0, horizon_row + 2.5, np.arange(self._grid.height, dtype=np.float32)
        )
        share = below[:, None, None]
        # Above the horizon the threads are drawn sharp later on; below it their mirror image is all there is.
        light = lit + (silk + halo) * (share * np.float32(0.9)) - fine * (1 - share)
        picture = self._enlarger.bytes(light, scratch)
        _screen(picture, threads)
        if self._particles is not None:
            self._particles.draw(picture, seconds, scratch)
        return picture

    def _threads(self, pose: Pose, seconds: float, scratch: Scratch) -> Bytes8:
        canvas = self._canvas
        threads: Bytes8 = scratch.array("neon threads", (canvas.height, canvas.width, 3))
        threads[...] = 0
        self._motes.draw(threads, self._camera, pose, seconds)
        for ribbon in self._ribbons:
            placement = _placement(self._camera, pose, ribbon)
            draw_threads(threads, ribbon, canvas, placement, seconds, scratch)
        return threads

    def _room_and_silk(self, pose: Pose, seconds: float) -> tuple[Floats, Floats]:
        """The backdrop as the silk lets it through, and the silk's own light, both on the grid."""
        grid = self._grid
        matrix = self._grid_camera.matrix(pose, _BACKDROP_DEPTH, self._margin)
        room = imaging.warp_affine(self._backdrop, matrix, grid.width, grid.height)
        silk, held = np.zeros((2, 3, grid.height, grid.width), np.float32)
        by_day = self._daylight > 0.15
        for ribbon in self._ribbons:
            placement = _placement(self._grid_camera, pose, ribbon)
            density = add_silk(silk, ribbon, grid, placement, seconds)
            if by_day:
                tint = 1 - mix(ribbon.first, ribbon.second, 0.5)
                for plane, share in zip(held, tint, strict=True):
                    cv2.scaleAdd(density, -3.0 * self._daylight * float(share), plane, plane)
        if by_day:
            cv2.multiply(room, cv2.exp(cv2.merge(list(held))), room)
        return room, np.asarray(cv2.merge(list(silk)), np.float32)

    def _mist_at(self, pose: Pose, seconds: float) -> Floats:
        """How much more of the halo the air shows, patchily, on the grid."""
        grid = self._grid
        scale = np.float32(_MIST_SIDE * 0.8 / grid.long)
        x = np.arange(grid.width, dtype=np.float32)[None] * scale
        y = np.arange(grid.height, dtype=np.float32)[:, None] * scale * np.float32(1.6)
        drift = np.float32(_MIST_SIDE * (0.012 * self._wind * seconds + 0.3 * pose.x))
        first = self._mist.at(x + drift, y)
        second = self._mist.at(x * np.float32(0.6) - drift, y * np.float32(0.7) + drift * np.float32(0.4))
        return np.clip(first + second - np.float32(0.55), 0, 1) * np.float32(self._mist_amount)

    def _vanishing_point(self, pose: Pose) -> tuple[float, float]:
        """Row of the floor's horizon and column of its centre, on the grid."""
        grid = self._grid
        x, y = self._grid_camera.project(pose, _BACKDROP_DEPTH, 0.5 * grid.width, _HORIZON * grid.height)
        return y, x


def _placement(camera: Camera, pose: Pose, ribbon: Ribbon) -> Placement:
    scale, shift_x, shift_y = camera.scale_shift(pose, ribbon.depth)
    return Placement(scale, shift_x, shift_y)


def _screen(picture: Bytes8, light: Bytes8) -> None:
    """Add display bytes so that bright on bright nears white without reaching it, in place."""
    dark = cv2.bitwise_not(light)
    cv2.bitwise_not(picture, picture)
    cv2.multiply(picture, dark, picture, 1 / 255.0)
    cv2.bitwise_not(picture, picture)


def _backdrop(plan: ScenePlan, grid: Canvas, border: int, colours: tuple[Floats, ...]) -> Floats:
    """Light behind the ribbons on the grid with its border: the hour's sky, dimmed, and a coloured glow."""
    sky = palette(plan.time, plan.weather).tinted(plan.colours)
    height, width = grid.height + 2 * border, grid.width + 2 * border
    y = (np.arange(height, dtype=np.float32)[:, None, None] - np.float32(border)) / np.float32(grid.height)
    x = (np.arange(width, dtype=np.float32)[None, :, None] - np.float32(border)) / np.float32(grid.width)
    rise = np.clip((np.float32(_HORIZON) - y) / np.float32(_HORIZON), 0, 1)
    gradient = mix(
        mix(sky.horizon, sky.middle, smoothstep(0.0, 0.5, rise)), sky.zenith, smoothstep(0.35, 1.1, rise)
    )
    glow = np.exp(-(((y - np.float32(0.46)) / np.float32(0.30)) ** 2)) * np.float32(0.10)
    tint = mix(colours[1], colours[2], np.clip(x, 0, 1))
    vignette = 1 - np.float32(0.35) * ((x - np.float32(0.5)) ** 2 + (y - np.float32(0.5)) ** 2)
    base = (
        gradient * np.float32(_BACKDROP[plan.time] * sky.exposure) + glow * tint + rgb(0.0012, 0.0014, 0.004)
    )
    return np.ascontiguousarray(base * vignette, np.float32)


def build(plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> Scene:
    """Ribbons of light over a glossy floor: hour and weather colour the room, the wish the ribbons."""
    return Neon(plan, canvas, timing, rng)
