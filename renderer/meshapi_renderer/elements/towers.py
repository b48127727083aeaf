"""Paints one tower: walls in their light, glass with the sky in it, lit windows, neon, a mast."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import mix, rgb, smoothstep
from meshapi_renderer.elements.city_light import CityLight
from meshapi_renderer.elements.facade import Lattice, lattice, lit_panes, occupancy, panes
from meshapi_renderer.elements.neon_signs import sign_light
from meshapi_renderer.elements.skyline import Facade, Tower
from meshapi_renderer.elements.tower_shapes import coverage

_FILL: dict[Facade, tuple[float, float]] = {
    "punched": (0.58, 0.52),
    "bands": (1.0, 0.50),
    "fins": (0.46, 0.92),
    "curtain": (0.90, 0.84),
}
"""Share of a cell that is glass, across and down."""
_WARM, _COOL = rgb(1.0, 0.66, 0.30), rgb(0.55, 0.80, 1.0)
_STREET_REACH = 70.0
"""Units up a wall that the light of the street climbs."""
Window = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class Beacon:
    """A red light on a mast, at a pixel of the plane."""

    x: float
    y: float
    phase: float


@dataclass(frozen=True, slots=True)
class PlaneSheet:
    """A row of towers in the making: linear light (h, w, 3), coverage (h, w), light that shines (h, w, 3)."""

    light: Floats
    alpha: Floats
    glow: Floats
    unit: float
    centre: float
    """Column of the picture's middle."""
    foot: float
    """Row of the towers' feet."""
    sun: float
    """Column towards which the sun stands."""


def paint_tower(sheet: PlaneSheet, tower: Tower, light: CityLight) -> Beacon | None:
    """Draw the tower over what stands behind it; its beacon when it carries a mast."""
    left, right = (sheet.centre + edge * sheet.unit for edge in (tower.left, tower.right))
    top = sheet.foot - tower.height * sheet.unit
    beacon = _paint_mast(sheet, tower, light, 0.5 * (left + right), top) if tower.spire > 0 else None
    window = _window(sheet, left, right, top)
    if window is None:
        return beacon
    body = _Body.standing(sheet, tower, left, right, top, window)
    lit, glow = body.paint(light)
    mask = coverage(tower, body.u, body.v, right - left, sheet.foot - top)[..., None]
    for plane, value in ((sheet.light, lit), (sheet.glow, glow)):
        plane[window] += (value - plane[window]) * mask
    sheet.alpha[window] = np.maximum(sheet.alpha[window], mask[..., 0])
    return beacon


def _window(sheet: PlaneSheet, left: float, right: float, top: float) -> Window | None:
    """Rows and columns of the sheet that the tower touches; None when it is outside."""
    rows, columns = sheet.alpha.shape
    first, last = max(0, math.floor(left)), min(columns, math.ceil(right) + 1)
    upper, lower = max(0, math.floor(top)), min(rows, math.ceil(sheet.foot) + 1)
    if last - first < 1 or lower - upper < 1:
        return None
    return slice(upper, lower), slice(first, last)


@dataclass(frozen=True, slots=True)
class _Face:
    """One wall: its columns in pixels, the light on it and how its glass mirrors."""

    left: float
    right: float
    light: Floats
    mirror: float
    squeeze: float
    """Factor on the distance between windows: a wall seen at an angle shows them closer."""


@dataclass(frozen=True, slots=True)
class _Body:
    """A tower placed on a sheet."""

    sheet: PlaneSheet
    tower: Tower
    left: float
    right: float
    top: float
    window: Window
    u: Floats
    v: Floats

    @classmethod
    def standing(
        cls, sheet: PlaneSheet, tower: Tower, left: float, right: float, top: float, window: Window
    ) -> _Body:
        rows, columns = (
            np.arange(part.start, part.stop, dtype=np.float32) + np.float32(0.5) for part in window
        )
        u = (columns[None] - np.float32(left)) / np.float32(right - left)
        v = (rows[:, None] - np.float32(top)) / np.float32(sheet.foot - top)
        return cls(sheet, tower, left, right, top, window, u, v)

    def faces(self, light: CityLight) -> list[_Face]:
        """The front and the side that can be seen from the middle of the picture."""
        # No two towers stand quite square to the viewer: some fronts catch more of the sun.
        turned = 0.80 + 0.40 * self.tower.sign_at if not light.dark else 1.0
        front_light = light.front * np.float32(turned)
        if self.tower.shape in ("round", "dome", "taper"):
            return [_Face(self.left, self.right, front_light, 0.40, 1.0)]
        middle = 0.5 * (self.left + self.right)
        half = 0.5 * self.sheet.alpha.shape[1]
        share = 0.14 + 0.26 * min(1.0, abs(middle - self.sheet.centre) / half)
        side_right = middle < self.sheet.centre
        sunny = (self.sheet.sun > middle) == side_right
        side_light = light.sunny_side if sunny else light.shady_side
        corner = (
            self.right - share * (self.right - self.left)
            if side_right
            else self.left + share * (self.right - self.left)
        )
        mirror = 0.75 if sunny else 0.35
        if side_right:
            front, side = (self.left, corner), (corner, self.right)
        else:
            front, side = (corner, self.right), (self.left, corner)
        return [_Face(*front, front_light, 0.40, 1.0), _Face(*side, side_light, mirror, 0.62)]

    def paint(self, light: CityLight) -> tuple[Floats, Floats]:
        """Light of every pixel of the window and what of it shines, (h, w, 3) each."""
        rise = np.clip(1 - self.v, 0, 1)
        climb = np.exp(rise * np.float32(-self.tower.height / _STREET_REACH))
        street = climb[..., None] * light.street
        lit = np.zeros((self.v.shape[0], self.u.shape[1], 3), np.float32)
        glow = np.zeros_like(lit)
        for index, face in enumerate(self.faces(light)):
            strip = self._strip(face)
            if strip is None:
                continue
            colour, shining = self._paint_face(face, index, strip, light, rise, street)
            share = self._share(face, strip)
            columns = slice(strip[1].start - self.window[1].start, strip[1].stop - self.window[1].start)
            lit[:, columns] += colour * share
            glow[:, columns] += shining * share
        if self.tower.sign is not None:
            sign = sign_light(
                self.tower, light.neon_colours, self._frame(light), self.window, self.sheet.unit
            )
            lit += sign
            glow += sign * np.float32(0.9)
        if light.snow > 0 and self.tower.shape in ("box", "notch", "step"):
            cap = smoothstep(3.0, 1.0, self.v * np.float32(self.tower.height)) * np.float32(light.snow)
            lit = mix(lit, light.front * np.float32(0.9), cap[..., None])
        return lit, glow

    def _frame(self, light: CityLight) -> tuple[float, float, float, float, float]:
        """Left, right, top and foot in pixels, and the corner between the faces."""
        faces = self.faces(light)
        corner = faces[0].right if faces[0].left == self.left else faces[0].left
        return self.left, self.right, self.top, self.sheet.foot, corner

    def _strip(self, face: _Face) -> Window | None:
        rows, columns = self.window
        first, last = max(columns.start, math.floor(face.left)), min(columns.stop, math.ceil(face.right) + 1)
        return (rows, slice(first, last)) if last > first else None

    @staticmethod
    def _share(face: _Face, strip: Window) -> Floats:
        """How much of each column belongs to the face, (1, w, 1)."""
        edge = np.arange(strip[1].start, strip[1].stop, dtype=np.float32)
        share = np.minimum(edge + 1, np.float32(face.right)) - np.maximum(edge, np.float32(face.left))
        return np.asarray(np.clip(share, 0, 1)[None, :, None], np.float32)

    def _paint_face(
        self, face: _Face, index: int, strip: Window, light: CityLight, rise: Floats, street: Floats
    ) -> tuple[Floats, Floats]:
        rows, columns = self._lattices(face)
        glass = panes(rows, columns, strip)[..., None]
        wall = self.tower.wall * (
            face.light * (np.float32(0.72) + np.float32(0.28) * rise[..., None]) + street * 4
        )
        sky = mix(light.glass_low, light.glass_high, rise[..., None]) * np.float32(face.mirror)
        if not light.dark:
            wall = wall * self._ledges(rise)[..., None]
            sky = sky * self._mirrored(rows, columns, strip)
        shade = self._round_shade(strip)
        colour = (wall + (sky + street - wall) * glass) * shade
        own = self.tower.rng.sub(f"face {index}")
        share = light.lit * self.tower.busy
        on = occupancy(own, rows.count, columns.count, share, self.tower.warmth)
        pair = lit_panes(rows, columns, on, strip) * np.float32(light.window * (1.0 if index == 0 else 0.6))
        windows = pair[..., :1] * _WARM + pair[..., 1:] * _COOL
        return colour + windows, windows * np.float32(0.5)

    def _ledges(self, rise: Floats) -> Floats:
        """Light and dark of a wall by height, (h, 1): a pale parapet, the storeys' ledges, a darker base."""
        tall = np.float32(self.tower.height)
        below = (1 - rise) * tall
        parapet = np.float32(0.30) * smoothstep(2.6, 1.4, below) - np.float32(0.28) * smoothstep(
            1.0, 0.0, np.abs(below - np.float32(3.4))
        )
        # A setback or a belt every so many storeys tells how tall a tower is.
        belt = np.abs((below / np.float32(self.tower.pitch_y * (6 + self.tower.sign_colour % 5))) % 1 - 0.5)
        belts = np.float32(0.22) * smoothstep(0.46, 0.49, belt)
        base = np.float32(-0.25) * smoothstep(9.0, 5.0, rise * tall)
        return np.asarray(1 + parapet - belts + base, np.float32)

    def _mirrored(self, rows: Lattice, columns: Lattice, strip: Window) -> Floats:
        """How much of the sky every pane mirrors, about 1, (h, w, 1): no two stand quite alike."""
        own = self.tower.rng.sub("mirrored")
        drift = np.cumsum(own.u(rows.count, 1) - np.float32(0.5), 0) * np.float32(0.10)
        level = np.float32(0.82) + np.float32(0.36) * own.u(rows.count, columns.count) + drift
        level = np.clip(level, 0.45, 1.7)[..., None].astype(np.float32)
        glass = panes(rows, columns, strip)[..., None]
        return np.asarray(lit_panes(rows, columns, level, strip) / np.maximum(glass, np.float32(1e-3)))

    def _lattices(self, face: _Face) -> tuple[Lattice, Lattice]:
        fill_x, fill_y = _FILL[self.tower.facade]
        unit = self.sheet.unit
        tall = self.sheet.foot - self.top
        rows = lattice(self.top, tall, self.tower.pitch_y * unit, fill_y)
        pitch = self.tower.pitch_x * unit * face.squeeze
        return rows, lattice(face.left, face.right - face.left, pitch, fill_x)

    def _round_shade(self, strip: Window) -> Floats | float:
        """Brightness across a tower without corners: lit from the sun's side."""
        if self.tower.shape not in ("round", "dome", "taper"):
            return 1.0
        columns = np.arange(strip[1].start, strip[1].stop, dtype=np.float32) + np.float32(0.5)
        across = (columns - np.float32(self.left)) / np.float32(self.right - self.left) * 2 - 1
        towards = 0.45 if self.sheet.sun > 0.5 * (self.left + self.right) else -0.45
        shade = np.sqrt(np.clip(1 - ((across - np.float32(towards)) * np.float32(0.68)) ** 2, 0, 1))
        return np.asarray((np.float32(0.30) + np.float32(0.85) * shade)[None, :, None], np.float32)


def _paint_mast(sheet: PlaneSheet, tower: Tower, light: CityLight, x: float, top: float) -> Beacon | None:
    """A mast that thins upwards; drawn before its tower."""
    peak = top - tower.spire * sheet.unit
    rows, columns = sheet.alpha.shape
    upper, lower = (
        max(0, math.floor(peak)),
        min(rows, math.ceil(top) + math.ceil(0.1 * tower.height * sheet.unit)),
    )
    first, last = max(0, math.floor(x - 3 * sheet.unit)), min(columns, math.ceil(x + 3 * sheet.unit) + 1)
    if upper >= lower or first >= last:
        return None
    row = np.arange(upper, lower, dtype=np.float32)[:, None] + np.float32(0.5)
    column = np.arange(first, last, dtype=np.float32)[None]
    half = sheet.unit * (0.35 + 0.75 * np.clip((row - peak) / max(1.0, top - peak), 0, 1))
    cover = np.clip(np.minimum(column + 1, x + half) - np.maximum(column, x - half), 0, 1)
    window = slice(upper, lower), slice(first, last)
    colour = tower.wall * light.front * np.float32(0.6)
    sheet.light[window] += (colour - sheet.light[window]) * cover[..., None]
    sheet.alpha[window] = np.maximum(sheet.alpha[window], cover)
    return Beacon(x, peak, tower.sign_at)
