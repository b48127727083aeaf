"""Cats that sit and look at the viewer: the tail sweeps, the head tilts, eyes close for a moment."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import mix, rgb
from meshapi_renderer.scene import Scratch
from meshapi_renderer.subjects.curves import Point, disc, limb, polygon, smooth
from meshapi_renderer.subjects.ground import Standing
from meshapi_renderer.subjects.paste import Place, paste
from meshapi_renderer.subjects.role import Lens, Role, fitted
from meshapi_renderer.subjects.sketch import Bounds, Cel, Paint, Sketch, Texture

_SIZE = 0.25
"""Height to the tips of the ears in units; one figure unit."""
_BODY = Bounds(-0.40, -0.03, 0.40, 0.70)
_HEAD = Bounds(-0.30, -0.20, 0.30, 0.34)
_TAIL = Bounds(-0.06, -0.05, 0.62, 0.62)
_TAIL_PHASES = 40
_TAIL_SECONDS = 3.4
_NECK = (0.0, 0.700)
_MOST = 4
_COATS = (rgb(0.34, 0.155, 0.050), rgb(0.19, 0.165, 0.135), rgb(0.30, 0.29, 0.285), rgb(0.040, 0.036, 0.036))
_EYES = (rgb(0.25, 0.42, 0.08), rgb(0.50, 0.34, 0.04), rgb(0.10, 0.36, 0.40))


@dataclass(frozen=True, slots=True)
class _Cat:
    tail: tuple[Cel, ...]
    body: Standing
    head: Cel
    asleep: Cel
    x: float
    size: float
    phase: float
    mirrored: bool


class Cats:
    """One or more cats, each with its own coat."""

    def __init__(self, role: Role) -> None:
        self._role = role
        self._scale = _SIZE * role.unit * role.level.size
        draws = role.rng.sub("cats")
        first = draws.integer(len(_COATS))
        count = max(1, min(role.count or 1, _MOST))
        spread = min(0.24, 0.8 / count) * min(1.0, 1.6 * role.level.size / role.width * 1.2)
        self._cats = [
            self._made(
                role.colour(_COATS[(first + index) % len(_COATS)]),
                _EYES[draws.integer(len(_EYES))],
                role.stage.middle
                + spread * (index - 0.5 * (count - 1))
                + (0.0 if count > 1 or role.stage.podium else 0.05 * draws.sign()),
                1.0 if index == 0 else draws.uniform(0.82, 0.96),
                draws.u() * math.tau,
            )
            for index in range(count)
        ]

    def _made(self, coat: Floats, eyes: Floats, x: float, size: float, phase: float) -> _Cat:
        role, scale = self._role, self._scale * size

        def swept(sketch: Sketch, phase: float) -> None:
            _paint_tail(sketch, phase, coat)

        tail = tuple(role.cels(_TAIL_PHASES, _TAIL, scale, swept, 0.01))
        body = role.cel(_BODY, scale, lambda s: _paint_body(s, coat), 0.01)
        head = role.cel(_HEAD, scale, lambda s: _paint_head(s, coat, eyes, open_eyes=True), 0.01)
        asleep = role.cel(_HEAD, scale, lambda s: _paint_head(s, coat, eyes, open_eyes=False), 0.01)
        mirrored = role.side < 0
        return _Cat(tail, Standing(role, [body], footprint=0.27), head, asleep, x, size, phase, mirrored)

    def draw(self, frame: Bytes8, lens: Lens, seconds: float, scratch: Scratch) -> None:
        """See `Actor`."""
        role = self._role
        time = seconds * role.speed
        for cat in self._cats:
            px, py, zoom = lens.place(cat.x, role.level.row, lens.depth_of(role.level.row))
            scale = self._scale * cat.size * zoom
            size = fitted(cat.head, scale)
            side = -1.0 if cat.mirrored else 1.0
            breath = 0.006 * math.sin(2.1 * time + cat.phase)
            phase = int((time / _TAIL_SECONDS + cat.phase / math.tau) * _TAIL_PHASES) % _TAIL_PHASES
            tail = cat.tail[phase]
            paste(
                frame, tail, Place(px + side * 0.20 * scale, py - 0.045 * scale, size, mirrored=cat.mirrored)
            )
            cat.body.draw(
                frame,
                0,
                Place(px, py, size, mirrored=cat.mirrored, stretch=(1.0 - breath, 1.0 + breath)),
                seconds,
                scratch,
            )
            tilt = (
                0.10 * math.sin(0.62 * time + cat.phase) * max(0.0, math.sin(0.31 * time + 0.7 * cat.phase))
            )
            look = 0.018 * math.sin(0.45 * time + cat.phase)
            shut = (time + 0.7 * cat.phase) % 2.9 < 0.15
            head = Place(
                px + look * scale, py - (_NECK[1] * (1.0 + 0.7 * breath)) * scale, size, tilt, cat.mirrored
            )
            paste(frame, cat.asleep if shut else cat.head, head)


def _tabby(coat: Floats, turn: float) -> Texture:
    dark = coat * np.float32(0.42)

    def stripes(x: Floats, y: Floats) -> Floats:
        bent = (
            y * np.float32(math.cos(turn))
            + np.abs(x) * np.float32(0.55)
            + np.sin(x * np.float32(19)) * np.float32(0.012)
        )
        wave = np.sin(bent * np.float32(46))
        share = np.clip((wave - np.float32(0.25)) * np.float32(2.2), 0, 1) * np.clip(
            np.abs(x) * np.float32(9), 0, 1
        )
        fine = (
            np.sin(x * np.float32(171) + y * np.float32(37)) * np.sin(y * np.float32(143)) * np.float32(0.025)
            + 1
        )
        return np.asarray(
            mix(coat, dark, (share * np.float32(0.75))[..., None]) * fine[..., None], np.float32
        )

    return stripes


def _paint_tail(sketch: Sketch, phase: float, coat: Floats) -> None:
    sweep = math.sin(math.tau * phase)
    curl = math.sin(math.tau * phase - 0.9)
    joints: list[Point] = []
    x, y, angle = 0.0, 0.0, 0.25
    for number in range(9):
        joints.append((x, y))
        angle += 0.16 + (0.055 + 0.045 * number / 8) * (sweep if number < 5 else 1.6 * curl)
        x, y = x + 0.062 * math.cos(angle), y + 0.062 * math.sin(angle)
    radii = [0.050, 0.050, 0.049, 0.048, 0.047, 0.046, 0.044, 0.040, 0.030]
    sketch.add(limb(joints, radii), Paint(albedo=coat, roundness=0.05, texture=_rings(coat, joints)))


def _rings(coat: Floats, joints: list[Point]) -> Texture:
    def rings(x: Floats, y: Floats) -> Floats:
        far = np.hypot(x - np.float32(joints[0][0]), y - np.float32(joints[0][1]))
        share = np.clip(np.sin(far * np.float32(52)) * 2 - np.float32(0.5), 0, 1) * np.float32(0.6)
        return np.asarray(mix(coat, coat * np.float32(0.45), share[..., None]), np.float32)

    return rings


def _paint_body(sketch: Sketch, coat: Floats) -> None:
    pale = mix(coat, rgb(0.72, 0.66, 0.58), 0.62)
    fur = Paint(albedo=coat, roundness=0.17, texture=_tabby(coat, 0.3))
    soft = Paint(albedo=pale, roundness=0.07)
    sketch.add([disc(-0.215, 0.115, 0.125, 0.130), disc(0.215, 0.115, 0.125, 0.130)], fur)
    sketch.add(
        smooth(
            (-0.245, 0.030), (-0.285, 0.150), (-0.245, 0.330), (-0.165, 0.520), (-0.120, 0.660),
            (0.120, 0.660),
            (0.165, 0.520), (0.245, 0.330), (0.285, 0.150), (0.245, 0.030), (0.0, 0.010),
        ),
        fur,
    )  # fmt: skip
    bib = smooth(
        (-0.095, 0.60), (-0.10, 0.45), (-0.055, 0.32), (0.055, 0.32), (0.10, 0.45), (0.095, 0.60), (0.0, 0.63)
    )
    sketch.add(bib, soft, 0.8)
    for side in (-1.0, 1.0):
        leg = limb(((0.085 * side, 0.40), (0.080 * side, 0.20), (0.078 * side, 0.045)), (0.078, 0.062, 0.056))
        sketch.add(leg, Paint(albedo=coat, roundness=0.06, texture=_tabby(coat, 0.1)))
        sketch.add(disc(0.082 * side, 0.032, 0.072, 0.040), soft)
        sketch.add(disc(0.235 * side, 0.030, 0.088, 0.042), soft)
        toes = Paint(albedo=pale * np.float32(0.35), roundness=0.004)
        for toe in (-0.022, 0.022):
            x = 0.082 * side + toe
            sketch.add(
                polygon((x - 0.003, 0.046), (x + 0.003, 0.046), (x + 0.003, 0.008), (x - 0.003, 0.008)),
                toes,
                0.7,
            )


def _paint_head(sketch: Sketch, coat: Floats, eyes: Floats, *, open_eyes: bool) -> None:
    pale = mix(coat, rgb(0.75, 0.69, 0.62), 0.66)
    fur = Paint(albedo=coat, roundness=0.13, texture=_tabby(coat, 0.0))
    for side in (-1.0, 1.0):
        ear = polygon(
            (0.030 * side, 0.140), (0.135 * side, 0.285), (0.158 * side, 0.280), (0.186 * side, 0.190),
            (0.212 * side, 0.050),
        )  # fmt: skip
        sketch.add(ear, Paint(albedo=coat * np.float32(0.85), roundness=0.05))
        inner = polygon((0.078 * side, 0.138), (0.142 * side, 0.240), (0.184 * side, 0.090))
        sketch.add(inner, Paint(albedo=rgb(0.42, 0.20, 0.17), roundness=0.05, translucency=0.5))
    sketch.add(
        smooth(
            (-0.205, 0.020), (-0.190, 0.110), (-0.105, 0.170), (0.0, 0.182), (0.105, 0.170), (0.190, 0.110),
            (0.205, 0.020), (0.222, -0.045), (0.145, -0.118), (0.0, -0.150), (-0.145, -0.118),
            (-0.222, -0.045),
        ),
        fur,
    )  # fmt: skip
    muzzle = Paint(albedo=pale, roundness=0.05)
    sketch.add(
        [
            disc(-0.048, -0.066, 0.064, 0.050),
            disc(0.048, -0.066, 0.064, 0.050),
            disc(0.0, -0.105, 0.045, 0.032),
        ],
        muzzle,
    )
    for side in (-1.0, 1.0):
        _paint_eye(sketch, side, eyes, open_eyes=open_eyes)
    nose = polygon((-0.026, -0.026), (0.026, -0.026), (0.0, -0.055))
    sketch.add(nose, Paint(albedo=rgb(0.40, 0.13, 0.12), roundness=0.012, gloss=0.5))
    line = Paint(albedo=rgb(0.03, 0.02, 0.02), roundness=0.004)
    sketch.add(polygon((-0.003, -0.052), (0.003, -0.052), (0.003, -0.082), (-0.003, -0.082)), line, 0.8)
    whisker = Paint(albedo=rgb(0.8, 0.8, 0.8), roundness=0.003)
    for side in (-1.0, 1.0):
        for number in range(3):
            y, drop = -0.052 - 0.018 * number, -0.030 * (number - 0.6)
            outline = polygon(
                (0.075 * side, y + 0.0022), (0.265 * side, y + drop), (0.075 * side, y - 0.0022)
            )
            sketch.add(outline, whisker, 0.75)


def _paint_eye(sketch: Sketch, side: float, colour: Floats, *, open_eyes: bool) -> None:
    x, y = 0.090 * side, 0.030
    dark = Paint(albedo=rgb(0.010, 0.009, 0.009), roundness=0.02)
    if not open_eyes:
        lid = smooth((x - 0.045, y), (x, y - 0.018), (x + 0.045, y), (x, y - 0.008))
        sketch.add(lid, dark, 0.9)
        return
    sketch.add(
        smooth((x - 0.054, y - 0.006 * side), (x, y + 0.050), (x + 0.054, y + 0.006 * side), (x, y - 0.042)),
        dark,
    )
    shine = colour * np.float32(0.10 + 0.55 * sketch.light.night)
    sketch.add(
        smooth((x - 0.045, y - 0.005 * side), (x, y + 0.043), (x + 0.045, y + 0.005 * side), (x, y - 0.036)),
        Paint(albedo=colour, roundness=0.03, gloss=0.5, emission=shine),
    )
    wide = 0.011 + 0.012 * sketch.light.night
    sketch.add(disc(x, y + 0.003, wide, 0.036), dark)
    sketch.add(
        disc(x + 0.014, y + 0.019, 0.0085), Paint(albedo=rgb(0.9, 0.9, 0.9), emission=rgb(0.5, 0.5, 0.5))
    )
