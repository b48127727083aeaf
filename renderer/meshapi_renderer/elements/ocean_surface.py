"""The open sea: rolling waves that hide one another, the sky in them, light through their crests, foam."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera, Pose
from meshapi_renderer.colour import smoothstep, swatch8
from meshapi_renderer.elements.relief_cast import ReliefCaster, Struck
from meshapi_renderer.elements.sea_light import SeaLight, SeaLook, SeaState
from meshapi_renderer.elements.softlight import Enlarger
from meshapi_renderer.elements.swell import Swell, Train, WaveField
from meshapi_renderer.noise import fbm
from meshapi_renderer.raycast import gradients
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scratch
from meshapi_renderer.view import View

_GRID_LONG = 416
_NEAR = 14.0
"""Metres of the plane the camera calls depth 1."""
_FAR = 2600.0
_LONG = 40.0
"""Metres from which on a wave is a swell, not chop."""
_FINE_SIDE = 512
_FINE_METRES = 9.0
_BAND_ROWS = 32
_VECTOR = 16
"""OpenCV looks so many pixels of a row up at a time, and what is left over several times more slowly."""


def swell_trains(wind: float, side: float) -> tuple[Train, ...]:
    """The waves a wind of that strength (1 a light breeze) has raised, coming from ahead and one side."""
    tall = 0.15 + 0.29 * wind
    return (
        Train(
            tile=190, longest=60, shortest=24, height=tall, heading=0.35 * side, spread=0.35,
            pace=5.6 + 0.8 * wind, sharp=0.42,
        ),
        Train(
            tile=83, longest=22, shortest=8, height=0.36 * tall, heading=-0.5 * side, spread=0.6,
            pace=3.4 + 0.5 * wind, sharp=0.38,
        ),
        Train(
            tile=23, longest=6, shortest=1.6, height=0.085 * tall + 0.008, heading=0.8 * side, spread=1.1,
            pace=1.9 + 0.3 * wind, sharp=0.30,
        ),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the rays of one moment see: linear colour and distance, and the state's marks."""

    struck: Struck
    light: Floats
    marks: Floats | None


@dataclass(frozen=True, slots=True)
class Sight:
    """What one frame of the sea shows and where, from the top row of its picture down."""

    depth: Floats
    """How far away every pixel is, full size."""
    small: Floats
    """The same on the grid."""
    marks: tuple[Floats, ...]
    """The state's marks on the grid."""
    turn_x: float
    """Pixels the view has turned."""
    pose: Pose
    scratch: Scratch

    def enlarged(self, values: Floats, name: str) -> Floats:
        """Values on the grid at full size, in the buffer of that name."""
        large = self.scratch.array(name, self.depth.shape, values.dtype)
        rows, columns = self.depth.shape
        cv2.resize(values, (columns, rows), large, interpolation=cv2.INTER_LINEAR)
        return large


def _filled(values: Floats, rows: int) -> Floats:
    """The last ``rows`` rows; what is missing above repeats the first."""
    count = min(rows, values.shape[0])
    if count == rows:
        return np.ascontiguousarray(values[-rows:])
    out = np.empty((rows, *values.shape[1:]), np.float32)
    out[rows - count :] = values
    out[: rows - count] = values[0]
    return out


class OceanSurface:
    """Draws the sea under the horizon of a view."""

    def __init__(self, view: View, rng: Rng, look: SeaLook, grid_long: int = _GRID_LONG) -> None:
        """``grid_long`` is the long side of the grid that rays are cast on."""
        canvas = view.canvas
        self._view, self._look, self._canvas = view, look, canvas
        share = min(1.0, grid_long / canvas.long)
        self._grid = Canvas(max(8, round(canvas.width * share)), max(8, round(canvas.height * share)))
        self._share = self._grid.width / canvas.width
        below = (1 - view.horizon) * self._grid.height + view.margin * self._share
        self._room = Canvas(self._grid.width, max(8, math.ceil(below)))
        self._caster = ReliefCaster(
            self._room, view.focal * self._share, look.eye, _FAR, 0.95 if look.eye < 10 else 0.8
        )
        self._swell = Swell(swell_trains(look.wind, rng.sub("side").sign()), rng.sub("swell"))
        spacing = self._caster.spacing()
        self._runs = [_runs(field, spacing) for field in self._swell.fields]
        # Far waves are too small for the grid: they keep their light and lose their height.
        self._standing = smoothstep(20.0, 5.0, spacing)
        self._light = SeaLight(self._caster, look, self._swell.height, rng.sub("light"))
        self._fine = imaging.Torus(grain_bytes(_fine_ripples(rng.sub("fine"))))
        self._facets = imaging.Torus(_facets(rng.sub("facets")))
        self._enlargers: dict[int, Enlarger] = {}
        self._glint = swatch8(look.glow * np.float32(0.4 + 1.4 * look.glitter))

    def draw(self, frame: Bytes8, camera: Camera, pose: Pose, seconds: float, scratch: Scratch) -> None:
        """Fill ``frame`` below the horizon with the sea of that moment."""
        t = seconds * self._look.speed
        _, shift_x, shift_y = camera.scale_shift(pose, math.inf)
        horizon = self._view.horizon * self._canvas.height + shift_y
        top = min(self._canvas.height - 8, max(0, math.floor(horizon) - round(0.10 * self._canvas.height)))
        caster = self._caster
        ahead = np.broadcast_to(caster.depth[:, None], (caster.steps, self._room.width))
        x, z = _travelled(caster.across(shift_x * self._share), ahead, pose)
        surface = self._surface(x, z, t)
        above = self._room.height - round((self._canvas.height - top) * self._share)
        struck = caster.cast(surface.height * self._standing, (horizon - top) * self._share + above)
        planes = self._shade(surface, (x, z), t)
        seen = caster.carried(struck, np.asarray(cv2.merge([*planes, np.ascontiguousarray(ahead)])))
        marks = None
        if surface.marks:
            marks = caster.carried(struck, np.asarray(cv2.merge(surface.marks)))
        self._compose(frame, _Seen(struck, seen, marks), (camera, pose), t, top, scratch)

    def _surface(self, x: Floats, z: Floats, t: float, first: int = 0) -> SeaState:
        """The waves at places in metres, (steps, columns), from row ``first`` on."""
        steps, columns = x.shape
        total = np.zeros((steps, 4 * columns), np.float32)
        for field, runs in zip(self._swell.fields, self._runs, strict=True):
            for run in runs:
                begin, end = max(run.rows.start, first), run.rows.stop
                if begin >= end:
                    continue
                found = field.at(x[begin:end], z[begin:end], t, run.level).reshape(-1, 4 * columns)
                found *= run.kept[begin - run.rows.start :]
                total[begin:end] += found
        height, slope_x, slope_z, _ = cv2.split(total.reshape(steps, columns, 4))
        return SeaState(np.asarray(height), np.asarray(slope_x), np.asarray(slope_z), first=first)

    def _shade(self, surface: SeaState, place: tuple[Floats, Floats], t: float) -> list[Floats]:
        """Linear red, green and blue of every point, (steps, columns) each."""
        return self._light.planes(surface, place, t)

    def _compose(
        self,
        frame: Bytes8,
        rays: _Seen,
        eye: tuple[Camera, Pose],
        t: float,
        top: int,
        scratch: Scratch,
    ) -> None:
        """Enlarge what the rays see, add ripples and flashes, lay it under the sky."""
        rows, width = frame.shape[0] - top, self._canvas.width
        grid_rows = round(rows * self._share)
        full = _filled(rays.light, grid_rows)
        cover = np.zeros((grid_rows, self._grid.width), np.float32)
        count = min(grid_rows, rays.light.shape[0])
        cover[grid_rows - count :] = rays.struck.cover[-count:]
        enlarger = self._enlargers.get(rows)
        if enlarger is None:
            enlarger = self._enlargers[rows] = Enlarger(Canvas(width, rows))
        picture = enlarger.bytes(np.ascontiguousarray(full[..., :3]), scratch)
        marks: tuple[Floats, ...] = ()
        if rays.marks is not None:
            marks = tuple(np.asarray(m, np.float32) for m in cv2.split(_filled(rays.marks, grid_rows)))
        camera, pose = eye
        _, shift_x, _ = camera.scale_shift(pose, math.inf)
        small = np.ascontiguousarray(full[..., 3])
        depth = scratch.array("sea depth", (rows, width), np.float32)
        cv2.resize(small, (width, rows), depth, interpolation=cv2.INTER_LINEAR)
        self._ripple(picture, Sight(depth, small, marks, shift_x, pose, scratch), t, rows)
        mask = imaging.resize((cover * np.float32(255)).astype(np.uint8), width, rows)
        edge = int(np.argmax((mask == 255).all(1))) if (mask[-1] == 255).all() else rows
        alpha = imaging.triple(mask[:edge])
        if edge > 0:
            cv2.multiply(picture[:edge], alpha, picture[:edge], 1 / 255.0)
            imaging.over(frame[top : top + edge], picture[:edge], np.asarray(cv2.bitwise_not(alpha)))
        frame[top + edge :] = picture[edge:]

    def _ripple(self, picture: Bytes8, sight: Sight, t: float, rows: int) -> None:
        """Fine ripples as light and dark, and the sun's flashes, at full size, in place.

        Only the first ``rows`` rows are changed. They are done in bands that stay in the cache.
        """
        fade = sight.enlarged(np.minimum(np.float32(30.0) / sight.small, 1), "sea fade")
        lane = self._lane(sight) if self._look.glitter > 0.05 else None
        per_metre = np.float32(_FINE_SIDE / _FINE_METRES)
        drift = np.float32(0.6 * t * per_metre)
        for top in range(0, rows, _BAND_ROWS):
            band = slice(top, min(rows, top + _BAND_ROWS))
            x, z = self._places(sight.depth[band], sight)
            x *= per_metre
            z *= per_metre
            shaded(picture[band], self._fine.at(x + drift * np.float32(0.5), z + drift), fade[band])
            if lane is not None:
                self._flash(picture[band], (x, z), lane[band], t)

    def _places(self, depth: Floats, sight: Sight, left: int = 0) -> tuple[Floats, Floats]:
        """Metres right and away of pixels whose rays end at ``depth``, from column ``left`` on."""
        middle = np.float32(0.5 * self._canvas.width + sight.turn_x - left)
        azimuth = (np.arange(depth.shape[1], dtype=np.float32)[None] - middle) * np.float32(
            1 / self._view.focal
        )
        x = depth * azimuth
        x += np.float32(_NEAR * 1.2 * sight.pose.x)
        return x, depth + np.float32(_NEAR * sight.pose.zoom)

    def _lane(self, sight: Sight) -> Bytes8:
        """How far every pixel's facets are turned to the sun already: its path, full size."""
        look, width = self._look, self._canvas.width
        spread = 0.05 + 0.16 * look.wind * (0.4 + look.glow_slope)
        centre = 0.5 * width + sight.turn_x + look.glow_x * self._view.focal
        rows, columns = sight.small.shape
        near = (np.arange(rows, dtype=np.float32)[:, None] + np.float32(0.5)) / np.float32(rows)
        column = (np.arange(columns, dtype=np.float32)[None] + np.float32(0.5)) * np.float32(width / columns)
        away = (column - np.float32(centre)) / np.float32(spread * self._view.focal)
        lane = np.exp(-((away / (np.float32(0.35) + near * np.float32(0.75))) ** 2))
        # So near that a facet would be a large patch, none flashes.
        lane *= np.clip((sight.small - np.float32(17)) * np.float32(1 / 30), 0, 1)
        level = (lane * np.float32(150 * min(1.0, look.glitter))).astype(np.uint8)
        level *= level >= _LEAST_TURNED
        return np.asarray(sight.enlarged(level, "sea lane"), np.uint8)

    def _flash(self, picture: Bytes8, place: tuple[Floats, Floats], level: Bytes8, t: float) -> None:
        """Facets that throw the sun at the viewer, in the columns under it, in place."""
        begin, _, count, _ = cv2.boundingRect(level)
        if count == 0:
            return
        begin, end = begin // _VECTOR * _VECTOR, -(-(begin + count) // _VECTOR) * _VECTOR
        part = np.s_[:, begin:end]
        x, z = place[0][part], place[1][part]
        turn = np.float32(1.3 * t * _FINE_SIDE / _FINE_METRES)
        one = self._facets.at(x * np.float32(1.45) + turn, z * np.float32(0.50) - turn)
        two = self._facets.at(x * np.float32(1.13) - turn, z * np.float32(0.43) + turn)
        flash = cv2.LUT(cv2.add(cv2.multiply(one, two, scale=1 / 255.0), level[part]), _FLASHES)
        if cv2.hasNonZero(flash):
            glow = [cv2.convertScaleAbs(flash, alpha=channel / 255.0) for channel in self._glint]
            cv2.add(picture[part], np.asarray(cv2.merge(glow), np.uint8), picture[part])


_MOST_TILTED = 240
"""The greatest tilt of a facet, as a byte."""
_LEAST_FLASH = 232
"""What the product of two tilts and the lane have to pass."""
_LEAST_TURNED = _LEAST_FLASH - _MOST_TILTED * _MOST_TILTED // 255
"""Where the lane is weaker, no facet flashes."""
_FLASHES = np.clip((np.arange(256) - _LEAST_FLASH) * 6, 0, 255).astype(np.uint8)
"""How bright a facet is by how far it has turned to the sun."""


def shaded(picture: Bytes8, grain: Bytes8, fade: Floats) -> None:
    """Make ``picture`` lighter or darker by a grain in 1/128, as far as the fade leaves of it, in place."""
    faded = cv2.multiply(grain, fade, dtype=cv2.CV_32F)
    level = cv2.addWeighted(faded, 1.0, fade, -128.0, 127.75, dtype=cv2.CV_8U)
    cv2.multiply(picture, imaging.triple(np.asarray(level, np.uint8)), picture, 1 / 128.0)


def grain_bytes(grain: Floats) -> Bytes8:
    """How much lighter or darker, in 1/128, as the factor in bytes that :func:`shaded` takes."""
    return np.asarray(np.clip(grain + np.float32(128.5), 0, 255), np.uint8)


@dataclass(frozen=True, slots=True)
class _Run:
    """Rows that read one coarseness of a family's texture, and how much of its waves is left there."""

    rows: slice
    level: int
    kept: Floats


def _runs(field: WaveField, spacing: Floats) -> list[_Run]:
    levels = [field.level_for(float(space)) for space in spacing[:, 0]]
    # A few rows to a wave show its faces as large blotches: long waves fade before they come to that.
    share = 0.045 if field.train.longest > _LONG else 0.22
    kept = np.clip(np.float32(field.train.longest * share) / spacing, 0.0, 1.0)
    runs: list[_Run] = []
    begin = 0
    for end in range(1, len(levels) + 1):
        if end == len(levels) or levels[end] != levels[begin]:
            if kept[begin:end].max() > 0.12:
                runs.append(_Run(slice(begin, end), levels[begin], kept[begin:end]))
            begin = end
    return runs


def _travelled(x: Floats, z: Floats, pose: Pose) -> tuple[Floats, Floats]:
    """Places in the sea, for an eye that has moved."""
    return x + np.float32(_NEAR * 1.2 * pose.x), z + np.float32(_NEAR * pose.zoom)


def _facets(rng: Rng) -> Bytes8:
    """How far small facets tilt, spread over all bytes."""
    field = fbm(_FINE_SIDE, _FINE_SIDE, 30, 3, rng, 0.5, aspect=0.5)
    even = (field - np.float32(field.mean())) * np.float32(58 / max(float(field.std()), 1e-6))
    return np.asarray(np.clip(even + 150, 0, _MOST_TILTED), np.uint8)


def _fine_ripples(rng: Rng) -> Floats:
    """How much lighter or darker than the rest small ripples are, in 1/128."""
    field = fbm(_FINE_SIDE, _FINE_SIDE, 14, 5, rng, 0.6, aspect=0.6)
    _, along = gradients(field, 1.0)
    even = along * np.float32(17 / max(float(along.std()), 1e-6))
    return np.asarray(np.clip(even, -90, 90))
