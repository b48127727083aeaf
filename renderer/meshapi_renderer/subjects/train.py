"""A steam train: an engine with turning wheels and working rods, coaches with lit windows, puffs of steam.

On land it runs along a low embankment, over water on a viaduct of arches with its mirror image.
"""

from __future__ import annotations

import math

import numpy as np

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import rgb
from meshapi_renderer.scene import Scratch
from meshapi_renderer.subjects.curves import Outline, disc, moved, polygon, smooth
from meshapi_renderer.subjects.paste import Place, glow, mirror, paste
from meshapi_renderer.subjects.role import Lens, Role, crossing, fitted
from meshapi_renderer.subjects.sketch import Bounds, Paint, Sketch
from meshapi_renderer.subjects.smoke import Smoke

_LENGTH = 0.25
"""Length of the engine in units; one figure unit is the engine's length."""
_COACHES = 4
_COACH = 1.06
_WHEEL = 0.105
_SMALL = 0.058
_AXLES = (-0.20, 0.02, 0.24)
_LEADING = 0.43
_PACE = 0.085
_PUFFS = 8
_PUFF_SECONDS = 0.50
_DECK = 0.055
_ARCH = 0.55
"""Span of one arch of the viaduct."""


class Train:
    """One train."""

    def __init__(self, role: Role) -> None:
        self._role = role
        # The train passes at a distance, well behind where a walker would stand.
        self._water = role.medium == "water"
        horizon = role.stage.horizon
        self._row = role.level.row - (0.0 if self._water else 0.42 * (role.level.row - horizon))
        size = role.level.size * (1.0 if self._water else 0.80)
        self._scale = _LENGTH * role.unit * size
        body = role.colour(rgb(0.030, 0.060, 0.045))
        coach = rgb(0.24, 0.030, 0.026)
        haze = 0.05
        self._engine = role.cel(Bounds(-0.56, 0.0, 0.60, 0.56), self._scale, lambda s: _engine(s, body), haze)
        rake = Bounds(-_COACHES * _COACH - 0.54, 0.0, -_COACH + 0.54, 0.46)
        self._rake = role.cel(rake, self._scale, lambda s: _coaches(s, coach), haze)
        self._wheel = role.cel(_square(_WHEEL), self._scale, lambda s: _wheel(s, _WHEEL), haze)
        self._small = role.cel(_square(_SMALL), self._scale, lambda s: _wheel(s, _SMALL), haze)
        self._rod = role.cel(Bounds(-0.25, -0.02, 0.27, 0.02), self._scale, _rod, haze)
        tile = 2 * _ARCH * self._scale
        self._tiles = math.ceil(1.3 * role.canvas.width / tile) + 1
        bounds = _track_bounds(self._water, self._tiles)
        self._track = role.cel(bounds, self._scale, lambda s: _track(s, self._water, self._tiles), haze)
        self._smoke = Smoke(
            role.rng.sub("steam"), role.light, rgb(0.78, 0.76, 0.74), role.light.haze, role.haze(haze)
        )
        self._heading = role.side
        draws = role.rng.sub("puffs")
        self._puffs = [
            (draws.integer(4), draws.u() * math.tau, draws.uniform(0.8, 1.25)) for _ in range(_PUFFS)
        ]
        self._pace = _PACE * min(1.3, max(0.8, size))

    def _head(self, time: float) -> float:
        """Share of the width at which the engine is."""
        length = (1 + _COACHES * _COACH) * self._scale / self._role.canvas.width
        start = 0.5 + self._heading * 0.02
        return crossing(start, self._heading * self._pace, time, 0.25 + length)

    def draw(self, frame: Bytes8, lens: Lens, seconds: float, scratch: Scratch) -> None:
        """See `Actor`."""
        role = self._role
        time = seconds * role.speed
        depth = lens.depth_of(self._row)
        px, py, zoom = lens.place(self._head(time), self._row, depth)
        scale = self._scale * zoom
        self._draw_track(frame, lens, py, scale, depth, seconds, scratch)
        rail = py - (_viaduct_height() if self._water else _DECK) * scale
        jolt = 0.004 * scale * math.sin(15.0 * time)
        flip = self._heading < 0
        if self._water:
            self._mirror_train(frame, px, rail, py, scale, seconds, scratch)
        paste(frame, self._rake, Place(px, rail + 0.4 * jolt, fitted(self._rake, scale), mirrored=flip))
        self._steam(frame, lens, time, depth, rail)
        paste(frame, self._engine, Place(px, rail + jolt, fitted(self._engine, scale), mirrored=flip))
        self._wheels(frame, px, rail, scale, time)
        if role.light.night > 0.2:
            beam = role.light.night
            front = px + self._heading * 0.56 * scale
            glow(
                frame,
                front,
                rail - 0.31 * scale,
                0.13 * scale,
                0.13 * scale,
                (255 * beam, 225 * beam, 160 * beam),
            )
            glow(frame, front + self._heading * 0.5 * scale, rail - 0.24 * scale, 0.62 * scale, 0.16 * scale,
                 (90 * beam, 78 * beam, 52 * beam))  # fmt: skip

    def _mirror_train(
        self,
        frame: Bytes8,
        px: float,
        rail: float,
        water: float,
        scale: float,
        seconds: float,
        scratch: Scratch,
    ) -> None:
        """The coaches' mirror image in the water, below the viaduct's own."""
        for cel in (self._rake, self._engine):
            place = Place(px, rail, fitted(cel, scale), mirrored=self._heading < 0)
            mirror(
                frame, cel, place, seconds, scratch,
                clarity=0.75, ripple=0.022 * scale, fade=0.75 * scale, about=water,
            )  # fmt: skip

    def _draw_track(
        self,
        frame: Bytes8,
        lens: Lens,
        py: float,
        scale: float,
        depth: float,
        seconds: float,
        scratch: Scratch,
    ) -> None:
        """The line across the whole frame."""
        left, _, _ = lens.place(-0.15, self._row, depth)
        place = Place(left, py, fitted(self._track, scale))
        if self._water:
            mirror(
                frame, self._track, place, seconds, scratch,
                clarity=0.55, ripple=0.020 * scale, fade=1.4 * scale,
            )  # fmt: skip
        paste(frame, self._track, place)

    def _wheels(self, frame: Bytes8, px: float, rail: float, scale: float, time: float) -> None:
        way = self._pace * self._role.canvas.width * time / self._scale
        angle = way / _WHEEL
        size = fitted(self._wheel, scale)
        for axle in _AXLES:
            paste(
                frame,
                self._wheel,
                Place(px + self._heading * axle * scale, rail - _WHEEL * scale, size, -angle * self._heading),
            )
        small = Place(
            px + self._heading * _LEADING * scale, rail - _SMALL * scale, size, -way / _SMALL * self._heading
        )
        paste(frame, self._small, small)
        crank_x = 0.055 * math.cos(angle) * self._heading
        crank_y = 0.055 * math.sin(angle)
        middle = px + self._heading * 0.02 * scale
        paste(
            frame, self._rod,
            Place(middle + crank_x * scale, rail - (_WHEEL - crank_y) * scale, size, 0.0, self._heading < 0),
        )  # fmt: skip

    def _steam(self, frame: Bytes8, lens: Lens, time: float, depth: float, rail: float) -> None:
        """Puffs that stay behind as the train runs on, rising and thinning out."""
        newest = math.floor(time / _PUFF_SECONDS)
        base = rail / frame.shape[0]
        for back in range(_PUFFS - 1, -1, -1):
            number = newest - back
            age = time - number * _PUFF_SECONDS
            kind, spin, large = self._puffs[number % _PUFFS]
            here = self._head(time)
            x = here - self._heading * (self._pace * 0.80) * age
            px, _, zoom = lens.place(x, base, depth)
            scale = self._scale * zoom
            px += self._heading * 0.40 * scale
            py = rail - (0.58 + 0.42 * (1 - math.exp(-0.9 * age)) + 0.05 * age) * scale
            radius = (0.10 + 0.17 * math.sqrt(max(age, 0.0))) * large * scale
            strength = 0.75 * (1 - age / (_PUFFS * _PUFF_SECONDS)) ** 1.3 * min(1.0, age / 0.2)
            self._smoke.draw(frame, px, py, radius, max(0.0, strength), kind, spin + 0.2 * age)


def _square(radius: float) -> Bounds:
    side = radius + 0.006
    return Bounds(-side, -side, side, side)


def _viaduct_height() -> float:
    return 0.46


def _wheel(sketch: Sketch, radius: float) -> None:
    steel = Paint(albedo=rgb(0.10, 0.028, 0.022), roundness=0.012, gloss=0.3)
    angle = np.linspace(0, math.tau, 40)
    outer = np.stack([np.cos(angle), np.sin(angle)], 1) * radius
    sketch.add(np.concatenate([outer, outer[::-1] * 0.84]), steel)
    spokes: list[Outline] = []
    for number in range(4):
        turn = math.pi * number / 4
        along, aside = np.array([math.cos(turn), math.sin(turn)]), np.array([-math.sin(turn), math.cos(turn)])
        half, thin = along * 0.9 * radius, aside * 0.07 * radius
        spokes.append(np.array([half + thin, half - thin, -half - thin, -half + thin]))
    sketch.add([*spokes, disc(0, 0, 0.24 * radius)], steel)


def _rod(sketch: Sketch) -> None:
    bar = polygon((-0.235, -0.010), (0.235, -0.010), (0.235, 0.010), (-0.235, 0.010))
    sketch.add([bar, disc(-0.22, 0, 0.018), disc(0, 0, 0.018), disc(0.22, 0, 0.018)],
               Paint(albedo=rgb(0.40, 0.38, 0.36), roundness=0.01, gloss=0.8))  # fmt: skip


def _engine(sketch: Sketch, body: Floats) -> None:
    iron = Paint(albedo=rgb(0.018, 0.018, 0.020), roundness=0.03, gloss=0.3)
    green = Paint(albedo=body, roundness=0.085, gloss=0.6)
    brass = Paint(albedo=rgb(0.50, 0.30, 0.07), roundness=0.02, gloss=1.0)
    sketch.add(polygon((-0.53, 0.10), (0.53, 0.10), (0.53, 0.15), (-0.53, 0.15)), iron)
    sketch.add(
        smooth((-0.14, 0.16), (-0.14, 0.345), (0.43, 0.345), (0.475, 0.30), (0.475, 0.20), (0.43, 0.16)),
        green,
    )
    sketch.add(polygon((0.43, 0.16), (0.50, 0.175), (0.50, 0.325), (0.43, 0.345)), iron)
    sketch.add(polygon((0.375, 0.33), (0.445, 0.33), (0.450, 0.47), (0.370, 0.47)), iron)
    sketch.add(smooth((0.352, 0.465), (0.468, 0.465), (0.478, 0.505), (0.342, 0.505)), iron)
    sketch.add(smooth((0.165, 0.335), (0.170, 0.40), (0.215, 0.425), (0.260, 0.40), (0.265, 0.335)), brass)
    sketch.add(smooth((-0.03, 0.335), (-0.02, 0.385), (0.02, 0.400), (0.06, 0.385), (0.07, 0.335)), green)
    for x in (-0.05, 0.13, 0.31):
        sketch.add(polygon((x, 0.165), (x + 0.014, 0.165), (x + 0.014, 0.342), (x, 0.342)), brass)
    sketch.add(polygon((-0.52, 0.14), (-0.13, 0.14), (-0.13, 0.475), (-0.52, 0.475)), green)
    sketch.add(smooth((-0.555, 0.470), (-0.50, 0.505), (-0.15, 0.505), (-0.095, 0.470)), iron)
    lamp = np.float32(0.15 + 1.5 * sketch.light.night)
    window = Paint(
        albedo=rgb(0.03, 0.03, 0.03), roundness=0.02, gloss=0.5, emission=rgb(0.85, 0.46, 0.15) * lamp
    )
    sketch.add(polygon((-0.43, 0.325), (-0.245, 0.325), (-0.245, 0.435), (-0.43, 0.435)), window)
    sketch.add(
        disc(0.515, 0.31, 0.035),
        Paint(albedo=rgb(0.5, 0.4, 0.2), roundness=0.02, gloss=1.0, emission=rgb(1.0, 0.8, 0.45) * lamp),
    )
    sketch.add(polygon((0.50, 0.02), (0.59, 0.02), (0.52, 0.14), (0.48, 0.14)), iron)
    sketch.add(polygon((-0.50, 0.02), (-0.30, 0.02), (-0.30, 0.11), (-0.50, 0.11)), iron)
    sketch.add([disc(-0.44, _SMALL, _SMALL), disc(-0.33, _SMALL, _SMALL)], iron)


def _coaches(sketch: Sketch, body: Floats) -> None:
    for number in range(1, _COACHES + 1):
        _coach(sketch, body, -number * _COACH)


def _coach(sketch: Sketch, body: Floats, at: float) -> None:
    """A coach whose middle is at ``at``."""

    def bar(left: float, bottom: float, right: float, top: float) -> Outline:
        return polygon((at + left, bottom), (at + right, bottom), (at + right, top), (at + left, top))

    iron = Paint(albedo=rgb(0.016, 0.016, 0.018), roundness=0.03)
    sketch.add(
        [bar(-0.54, 0.085, 0.54, 0.125), *(disc(at + x, _SMALL, _SMALL) for x in (-0.40, -0.27, 0.27, 0.40))],
        iron,
    )
    sketch.add(bar(-0.505, 0.115, 0.505, 0.395), Paint(albedo=body, roundness=0.05, gloss=0.45))
    roof = smooth((-0.52, 0.39), (-0.49, 0.425), (0.0, 0.437), (0.49, 0.425), (0.52, 0.39))
    sketch.add(moved(roof, at, 0.0), iron)
    sketch.add(bar(-0.505, 0.205, 0.505, 0.218), Paint(albedo=rgb(0.55, 0.45, 0.28), roundness=0.01))
    lamp = np.float32(0.03 + 0.75 * sketch.light.night)
    lit = Paint(
        albedo=rgb(0.03, 0.035, 0.04), roundness=0.012, gloss=0.7, emission=rgb(1.0, 0.50, 0.15) * lamp
    )
    sketch.add(
        [bar(x, 0.250, x + 0.094, 0.350) for x in (-0.465 + 0.138 * number for number in range(7))], lit
    )


def _track_bounds(water: bool, tiles: int) -> Bounds:
    return Bounds(0.0, -0.02, tiles * 2 * _ARCH, _viaduct_height() if water else _DECK + 0.012)


def _track(sketch: Sketch, water: bool, tiles: int) -> None:
    """The line: arches of stone, two a tile, or a bank of gravel, with rails on top."""
    end = tiles * 2 * _ARCH
    if not water:
        bank = polygon((0.0, -0.02), (end, -0.02), (end, _DECK - 0.006), (0.0, _DECK - 0.006))
        sketch.add(bank, Paint(albedo=rgb(0.085, 0.075, 0.065), roundness=0.05))
    else:
        deck = _viaduct_height()
        spans = []
        for number in range(2 * tiles):
            left, right = number * _ARCH, (number + 1) * _ARCH
            angle = np.linspace(math.pi, 0, 16)
            middle, radius = 0.5 * (left + right), 0.40 * _ARCH
            arch = np.stack([middle + radius * np.cos(angle), 0.13 + 0.95 * radius * np.sin(angle)], 1)
            spans.append(
                np.concatenate([
                    [(left, deck - 0.02), (left, -0.02), (middle - radius, -0.02)], arch,
                    [(middle + radius, -0.02), (right, -0.02), (right, deck - 0.02)],
                ])
            )  # fmt: skip
        sketch.add(spans, Paint(albedo=rgb(0.20, 0.165, 0.13), texture=_stone, roundness=0.05))
        coping = polygon((0.0, deck - 0.045), (end, deck - 0.045), (end, deck - 0.008), (0.0, deck - 0.008))
        sketch.add(coping, Paint(albedo=rgb(0.26, 0.22, 0.18), roundness=0.02))
    top = _viaduct_height() - 0.008 if water else _DECK - 0.006
    rail = polygon((0.0, top - 0.004), (end, top - 0.004), (end, top + 0.008), (0.0, top + 0.008))
    sketch.add(rail, Paint(albedo=rgb(0.20, 0.18, 0.17), roundness=0.006, gloss=0.8))


def _stone(x: Floats, y: Floats) -> Floats:
    """Courses of blocks."""
    course = np.floor(y * np.float32(26))
    joint = np.abs(np.mod(y * np.float32(26), 1) - np.float32(0.5)) > np.float32(0.44)
    across = np.mod(x * np.float32(40 / 2.2 / _ARCH) + np.mod(course, 2) * np.float32(0.5), 1)
    upright = np.abs(across - np.float32(0.5)) > np.float32(0.46)
    shade = np.where(joint | upright, np.float32(0.72), np.float32(1.0))
    tone = np.float32(0.92) + np.float32(0.16) * np.mod(
        np.sin(course * np.float32(12.9898)) * np.float32(43.7), 1
    )
    return np.asarray((shade * tone)[..., None] * rgb(0.20, 0.165, 0.13), np.float32)
