"""Everything behind the land: sky, sun or moon, stars, meteors and clouds, chosen from a plan."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera, Pose
from meshapi_renderer.colour import Palette, smoothstep, to8
from meshapi_renderer.elements.clouds import Clouds, CloudStyle, cloud_style
from meshapi_renderer.elements.cumulus import Cumulus
from meshapi_renderer.elements.lightning import Bolts
from meshapi_renderer.elements.sky import Body, Dome, place_body
from meshapi_renderer.elements.stars import BrightStar, Meteors, Twinkle, milky_way, star_field
from meshapi_renderer.plan import ScenePlan
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Scratch, Timing
from meshapi_renderer.view import View
from meshapi_renderer.weather import air


@dataclass(frozen=True, slots=True, kw_only=True)
class BackdropLook:
    """What one setting wants of its sky."""

    below: float = 0.02
    """How far under the horizon the sky is painted, as a share of the frame's height."""
    stars: int = 1500
    milky_way: float = 0.0
    """Brightness of the galaxy's band, 0 for none."""
    meteors: int = 0
    turn: float = 0.0
    """Degrees the stars turn about the pole during the clip."""
    cover: float | None = None
    """Share of sky under cloud when the weather is clear; None takes the weather's own."""
    clear_clouds: bool = True
    veils: bool = False
    """Whether high thin veils stand for the heaped clouds of a fair day."""
    sun_radius: float = 0.016
    moon: bool = True
    """Whether the moon stands in the picture; without it the stars rule."""


@dataclass(frozen=True, slots=True)
class SkyGap:
    """Where a sky shows between things that stand before it."""

    columns: slice
    """All of it that shows above ``row``."""
    row: int


class Backdrop:
    """The sky of one scene."""

    def __init__(
        self, plan: ScenePlan, view: View, tones: Palette, timing: Timing, rng: Rng, look: BackdropLook
    ) -> None:
        self._view = view
        self._timing = timing
        self._turn = look.turn if tones.stars > 0.2 else 0.0
        self.body: Body = place_body(view, tones, rng.sub("body"), plan.time == "night")
        self._rows = min(view.height, math.ceil(view.horizon_row + look.below * view.canvas.height))
        light, bright = self._paint(tones, rng, look)
        self._sky8 = to8(light * np.float32(tones.exposure))
        seen = tuple(star for star in bright if star.y < view.horizon_row - 0.06 * view.canvas.height)
        self._twinkle = Twinkle(view.canvas, seen[:320], rng.sub("twinkle"))
        clear_night = plan.time == "night" and tones.stars > 0.6
        meteors = look.meteors if clear_night else 0
        self._meteors = Meteors(view.canvas, timing.duration, rng.sub("meteors"), meteors)
        self._slab: Clouds | None = None
        self._heaps: Cumulus | None = None
        self._make_clouds(plan, rng.sub("clouds"), tones, look)
        self._bolts = Bolts(view.canvas, view.horizon, rng.sub("bolts")) if plan.weather == "storm" else None

    def _paint(self, tones: Palette, rng: Rng, look: BackdropLook) -> tuple[Floats, tuple[BrightStar, ...]]:
        view, body = self._view, self.body
        dome = Dome(view, tones, body, self._rows, glow=look.moon or not body.moon)
        if body.moon and not look.moon and tones.stars > 0.6:
            dome.deepen_night()
        bright: tuple[BrightStar, ...] = ()
        if tones.stars > 0.05:
            fade = smoothstep(0.01, 0.20, dome.slope)[..., None] * np.float32(tones.stars)
            area = view.width / view.canvas.width
            field = star_field(view, self._rows, rng.sub("stars"), round(look.stars * area))
            dome.light += field.light * fade
            bright = field.bright
            if look.milky_way > 0 and tones.stars > 0.5:
                side = -math.copysign(1, body.x)
                band = milky_way(
                    view,
                    self._rows,
                    rng.sub("galaxy"),
                    -0.95 * side,
                    (0.5 + 0.12 * side, 0.60 * view.horizon),
                    0.115,
                    look.milky_way,
                )
                crowd = star_field(view, self._rows, rng.sub("crowd"), round(2.5 * look.stars * area))
                dome.light += (band.light + crowd.light * band.density[..., None] * np.float32(2.2)) * fade
        if body.moon and look.moon:
            dome.add_moon(rng.sub("moon"))
        elif not body.moon:
            dome.add_sun(look.sun_radius)
        return dome.light, bright

    def _make_clouds(self, plan: ScenePlan, rng: Rng, tones: Palette, look: BackdropLook) -> None:
        pace = 0.0062 * air(plan.weather).wind * plan.speed
        side = rng.sub("wind").sign()
        cover = air(plan.weather).cover if look.cover is None else look.cover
        if plan.weather == "clear" and not look.clear_clouds:
            return
        if not look.veils and plan.weather in ("clear", "cloudy") and plan.time in ("noon", "golden"):
            self._heaps = Cumulus(self._view, tones, self.body, rng, cover, 1.5 * pace * side)
            return
        style = sky_style(plan, cover)
        if style.kind == "sheet":
            pace *= 1.7
        self._slab = Clouds(self._view, tones, self.body, rng, style, (pace * side, 0.35 * pace))

    def draw(
        self,
        frame: Bytes8,
        camera: Camera,
        pose: Pose,
        index: int,
        scratch: Scratch,
        lowest_row: int,
        gap: SkyGap | None = None,
    ) -> None:
        """Paint the sky of frame ``index`` into the rows above ``lowest_row``.

        What is hidden beside a ``gap`` may be left unpainted.
        """
        seconds = self._timing.seconds(index)
        _, shift_x, shift_y = camera.scale_shift(pose, math.inf)
        lowest = min(lowest_row, frame.shape[0])
        rows = max(0, min(lowest, math.floor(self._rows - self._view.margin + shift_y)))
        if rows < lowest:
            # Under its end something may still show through a gap of what stands before it.
            margin = self._view.margin
            frame[rows:lowest] = self._sky8[-1, margin : margin + frame.shape[1]]
        if rows == 0:
            return
        matrix = self._matrix(index, shift_x, shift_y)
        shown = slice(0, frame.shape[1]) if gap is None else gap.columns
        split = 0 if gap is None else min(rows, gap.row)
        self._fill(frame[:split, shown], matrix, (shown.start, 0))
        self._fill(frame[split:rows], matrix, (0, split))
        self._twinkle.draw(frame, matrix, seconds, rows)
        self._meteors.draw(frame[:rows], seconds)
        if self._slab is not None and shown.stop > shown.start:
            shift = (shift_x - shown.start, shift_y)
            self._slab.draw(frame[:, shown], seconds, scratch, shift, rows)
        if self._heaps is not None:
            self._heaps.draw(frame, camera, pose, seconds, rows)
        if self._bolts is not None:
            self._bolts.draw(frame, seconds, (shift_x, shift_y), rows)

    def _fill(self, window: Bytes8, matrix: Floats, corner: tuple[int, int]) -> None:
        """Fill a window of the frame, whose corner is at (column, row), with the sky without its clouds."""
        rows, columns = window.shape[:2]
        if rows == 0 or columns == 0:
            return
        local = matrix.copy()
        local[:, 2] -= corner
        if local[0, 0] == 1.0 and (local[:, 2] == np.round(local[:, 2])).all():
            left, top = (-round(float(shift)) for shift in local[:, 2])
            source = self._sky8[max(0, top) : top + rows, max(0, left) : left + columns]
            if left >= 0 and top >= 0 and source.shape[:2] == (rows, columns):
                window[...] = source
                return
        border = imaging.REPLICATE if self._turn == 0.0 else imaging.REFLECT
        window[...] = imaging.warp_affine(self._sky8, local, columns, rows, border)

    def _matrix(self, index: int, shift_x: float, shift_y: float) -> Floats:
        """Padded sky to frame: the camera's turn and, at night, the stars' about a pole above the frame."""
        margin, canvas = self._view.margin, self._view.canvas
        angle = math.radians(self._turn * (self._timing.progress(index) - 0.5))
        cosine, sine = math.cos(angle), math.sin(angle)
        pole_x, pole_y = self._view.centre_column + 0.1 * canvas.width, margin - 0.35 * canvas.height
        return np.array(
            [
                [cosine, sine, pole_x - cosine * pole_x - sine * pole_y - margin + shift_x],
                [-sine, cosine, pole_y + sine * pole_x - cosine * pole_y - margin + shift_y],
            ]
        )


def sky_style(plan: ScenePlan, cover: float) -> CloudStyle:
    """The slab of clouds of a plan's weather and hour."""
    night = plan.time == "night"
    if plan.weather == "clear":
        return cloud_style("veils", cover + (0.0 if night else 0.08), 0.55 if night else None)
    if plan.weather == "cloudy":
        return cloud_style("heaps", cover, 0.85 if night else None)
    return cloud_style("sheet", cover)
