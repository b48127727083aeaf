"""A studio: seamless paper, a round stage, smooth forms, a light that wanders and the shadows of leaves."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera, Pose
from meshapi_renderer.colour import linear, luminance, mix, rgb, swatch8
from meshapi_renderer.elements.floaters import Floaters
from meshapi_renderer.elements.particles import weather_particles
from meshapi_renderer.elements.softlight import Enlarger
from meshapi_renderer.elements.studio_forms import Form, StudioLight, arch, cone, drum, pale, ring, sphere
from meshapi_renderer.elements.studio_set import Paper, PaperLook, Shadow
from meshapi_renderer.plan import ScenePlan, TimeOfDay
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing

_HORIZON = 0.62
_STAGE_ROW = 0.79
"""Where the middle of the stage's top lies, as a share of the frame's height."""
_SET_DEPTH = 6.0
_GRID_LONG = 256
_SCHEMES = (
    ("f2b8a0", "f7e3d4", "e2725b", "2a9d8f"),
    ("a8c5b5", "e9efe6", "f4a261", "5b7f6b"),
    ("9fb8e8", "e6ecfa", "f28cb1", "4a63c8"),
    ("cbb2e6", "f1e9fa", "ffb35c", "7a55b8"),
    ("e8cf9a", "fbf3df", "d1495b", "3d7ea6"),
)
"""Paper, stage, and two colours of forms."""
_NIGHT_RIMS = (("ff2bb0", "22c8ff"), ("ff7a2b", "6a4cff"), ("20e0c0", "ff4f7a"))
_WARMTH: dict[TimeOfDay, tuple[str, float]] = {
    "sunrise": ("ffd2b0", 0.95), "golden": ("ffdca0", 1.05), "noon": ("fffaf0", 1.35),
    "sunset": ("ffb080", 0.95), "dusk": ("a8a0e0", 0.45), "night": ("8fa0d8", 0.30),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Piece:
    """A form and where it stands: column, row of its foot (shares of the frame), depth and how it hovers."""

    form: Form
    x: float
    y: float
    depth: float
    shadow: float = 0.0
    """Half width of its shadow on the floor, in shares of the width; 0 when it does not stand there."""
    bob: float = 0.0
    """How far it rises and sinks, in shares of the height."""
    legs: float = 0.0
    """Half the way between its two feet, in shares of the width, when it stands on two."""
    orbit: float = 0.0
    """Radius of its way around the stage, in shares of the width."""
    phase: float = 0.0
    below: float = 0.0
    """Half width in pixels of the shadow it throws on the stage straight under it."""


class Studio:
    """See the module."""

    def __init__(self, plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> None:
        self._canvas, self._timing, self._speed = canvas, timing, plan.speed
        self._camera = Camera(plan.camera, plan.speed, timing, canvas, horizon=_HORIZON)
        # Everything on the paper is soft: a coarse grid holds it.
        share = min(1.0, _GRID_LONG / canvas.long)
        self._grid = Canvas(max(2, round(canvas.width * share)), max(2, round(canvas.height * share)))
        self._enlarger = Enlarger(canvas)
        self._tall = min(canvas.height, 1.25 * canvas.width)
        self._dark = plan.time in ("dusk", "night")
        tones = _tones(plan, rng.sub("scheme"))
        self._light = _lights(plan, tones, rng.sub("rims"), self._dark)
        self._paper = Paper(self._grid, _HORIZON, rng.sub("paper"), self._paper_look(plan, tones))
        self._pieces = self._set_up(plan, tones, rng.sub("pieces"))
        self._swing = rng.sub("swing").uniform(0, math.tau)
        dust = swatch8(mix(self._light.key_colour, rgb(1, 1, 1), 0.4) * np.float32(0.6))
        self._dust = Floaters(canvas, rng.sub("dust"), "pollen", (dust,))
        self._falling = weather_particles(plan.weather, canvas, rng.sub("falling"), 0.8, 0.5, plan.speed)

    def _paper_look(self, plan: ScenePlan, tones: tuple[Floats, Floats, Floats, Floats]) -> PaperLook:
        light, dark = self._light, self._dark
        wall = tones[0]
        dim = np.float32(0.40 if dark else 1.0)
        glow = (light.left_rim + light.right_rim) * np.float32(0.10) if dark else wall * np.float32(0.06)
        return PaperLook(
            wall=wall * dim,
            floor=mix(wall, tones[1], 0.25) * dim,
            key=light.key_colour * np.float32(0.95),
            ambient=light.sky * np.float32(0.42),
            glow=glow,
            leaves=0.0 if dark else {"noon": 0.34}.get(plan.time, 0.52),
        )

    def _set_up(
        self, plan: ScenePlan, tones: tuple[Floats, Floats, Floats, Floats], rng: Rng
    ) -> list[_Piece]:
        """All forms, far to near: behind the stage, the stage, what hovers over it, in front."""
        tall, canvas = self._tall, self._canvas
        stage, first, second = tones[1], tones[2], tones[3]
        side = rng.sign()
        unit = tall / canvas.width
        wide = min(1.0, 0.62 * canvas.width / tall)
        row = _STAGE_ROW
        up = tall / canvas.height
        gate = arch(0.36 * tall, 0.52 * tall, 0.030 * tall, pale(first, 0.12), 0.10)
        column = drum(0.075 * tall, 0.30 * tall, pale(stage, 0.25), 0.08)
        disc = ring(0.155 * tall, 0.020 * tall, second, 0.35)
        ball = sphere(0.062 * tall, second, 0.55)
        low = drum(0.36 * tall, 0.030 * tall, pale(stage, 0.10), 0.05)
        high = drum(0.25 * tall, 0.065 * tall, stage, 0.08)
        spread = 0.40 * wide
        pieces = [
            _Piece(gate, 0.5 - side * spread * unit, row - 0.055 * up, 3.4, 0.045 * unit, legs=0.15 * unit),
            _Piece(disc, 0.5 + side * 1.28 * spread * unit, row - 0.045 * up, 3.2, 0.06 * unit),
            _Piece(column, 0.5 + side * spread * unit, row - 0.010 * up, 2.8, 0.08 * unit),
            _Piece(ball, 0.5 + side * spread * unit, row - (0.010 + 0.322) * up, 2.8, bob=0.0),
            _Piece(low, 0.5, row + 0.178 * up, 2.0, 0.37 * unit),
            _Piece(high, 0.5, row + 0.075 * up + 0.022 * up, 2.0),
        ]
        if not plan.is_staged:
            hero = sphere(0.115 * tall, mix(first, rgb(0.9, 0.9, 0.9), 0.08), 0.9)
            pieces.append(_Piece(hero, 0.5, row - 0.052 * up, 2.0, bob=0.020 * up, below=0.105 * tall))
            for index in range(3):
                moon = sphere(
                    (0.020 + 0.009 * index) * tall, (second, pale(stage, 0.4), pale(second, 0.45))[index], 0.7
                )
                pieces.append(
                    _Piece(
                        moon, 0.5, row - 0.12 * up, 2.0, bob=0.03 * up,
                        orbit=(0.20 + 0.035 * index) * unit, phase=math.tau * (index / 3 + 0.1 * rng.u()),
                    )
                )  # fmt: skip
        front_cone = cone(0.055 * tall, 0.13 * tall, pale(second, 0.15), 0.12)
        front_ball = sphere(0.050 * tall, pale(first, 0.25), 0.45)
        pieces.append(
            _Piece(front_cone, 0.5 - side * 1.30 * spread * unit, row + 0.155 * up, 1.0, 0.06 * unit)
        )
        pieces.append(
            _Piece(front_ball, 0.5 + side * 1.22 * spread * unit, row + 0.165 * up, 1.0, 0.05 * unit)
        )
        return pieces

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """The picture at frame ``index``."""
        pose, seconds = self._camera.pose(index), self._timing.seconds(index)
        paced = seconds * self._speed
        light = self._at(paced)
        frame = self._enlarger.bytes(self._background(light, pose, paced), scratch)
        for piece in self._in_order(paced):
            self._place(frame, piece, light, pose, paced)
        self._dust.draw(frame, paced, scratch)
        if self._falling is not None:
            self._falling.draw(frame, seconds, scratch)
        return frame

    def _at(self, seconds: float) -> StudioLight:
        """The lights of a moment: the key swings from side to side."""
        base = self._light
        swing = math.sin(0.8 * seconds + self._swing)
        x, y, z = 0.62 * swing + 0.12, 0.66, 0.55 + 0.15 * (1 - swing * swing)
        norm = math.sqrt(x * x + y * y + z * z)
        return StudioLight(
            key=(x / norm, y / norm, z / norm), key_colour=base.key_colour, sky=base.sky, ground=base.ground,
            left_rim=base.left_rim * np.float32(1.0 - 0.35 * swing),
            right_rim=base.right_rim * np.float32(1.0 + 0.35 * swing),
        )  # fmt: skip

    def _background(self, light: StudioLight, pose: Pose, seconds: float) -> Floats:
        canvas = self._canvas
        shadows: list[Shadow] = []
        for piece in self._pieces:
            if piece.shadow > 0:
                foot = self._foot(piece, pose, seconds)
                x, y = foot[0] / canvas.width, foot[1] / canvas.height - 0.10 * piece.shadow
                strength = 0.55 if self._dark else 0.75
                legs = (-piece.legs, piece.legs) if piece.legs else (0.0,)
                shadows.extend(Shadow(x + leg, y, piece.shadow, strength) for leg in legs)
        _, shift_x, shift_y = self._camera.scale_shift(pose, _SET_DEPTH)
        shift = (shift_x / canvas.width, shift_y / canvas.height)
        return self._paper.light(light.key, seconds, shift, shadows)

    def _in_order(self, seconds: float) -> list[_Piece]:
        """Pieces far to near; what circles the stage passes behind what stands on it, then before it."""
        pieces = [piece for piece in self._pieces if piece.orbit == 0.0]
        behind: list[_Piece] = []
        before: list[_Piece] = []
        for piece in self._pieces:
            if piece.orbit > 0:
                (before if math.cos(0.8 * seconds + piece.phase) > 0 else behind).append(piece)
        hero = next((place for place, piece in enumerate(pieces) if piece.bob > 0), len(pieces))
        return pieces[:hero] + behind + pieces[hero : hero + 1] + before + pieces[hero + 1 :]

    def _foot(self, piece: _Piece, pose: Pose, seconds: float) -> tuple[float, float]:
        """Where the foot of a piece is seen, in pixels."""
        canvas = self._canvas
        x, y = piece.x, piece.y
        if piece.orbit > 0:
            angle = 0.8 * seconds + piece.phase
            x += piece.orbit * math.sin(angle)
            y += 0.30 * piece.orbit * math.cos(angle) * canvas.width / canvas.height
        if piece.bob > 0:
            y -= piece.bob * (1 + math.sin(1.5 * seconds + piece.phase))
        return self._camera.project(pose, piece.depth, x * canvas.width, y * canvas.height)

    def _place(self, frame: Bytes8, piece: _Piece, light: StudioLight, pose: Pose, seconds: float) -> None:
        foot = self._foot(piece, pose, seconds)
        scale, _, _ = self._camera.scale_shift(pose, piece.depth)
        lit = piece.form.lit(light)
        if piece.below > 0:
            self._shade_stage(frame, piece, pose, scale)
        if piece.shadow > 0:
            base = foot[0], foot[1] - 0.05 * piece.form.size[1] * scale
            piece.form.draw(frame, lit, base, scale, 0.20, mirrored=True)
        piece.form.draw(frame, lit, foot, scale)

    def _shade_stage(self, frame: Bytes8, piece: _Piece, pose: Pose, scale: float) -> None:
        """The soft shadow of what hovers over the middle of the stage, in place."""
        canvas = self._canvas
        x, y = self._camera.project(pose, piece.depth, 0.5 * canvas.width, _STAGE_ROW * canvas.height)
        wide, high = 1.5 * piece.below * scale, 0.45 * piece.below * scale
        y += 0.008 * self._tall
        x0, x1 = max(0, math.floor(x - wide)), min(canvas.width, math.ceil(x + wide))
        y0, y1 = max(0, math.floor(y - high)), min(canvas.height, math.ceil(y + high))
        if x1 - x0 < 2 or y1 - y0 < 2:
            return
        across = (np.arange(x0, x1, dtype=np.float32)[None] - np.float32(x)) / np.float32(wide)
        down = (np.arange(y0, y1, dtype=np.float32)[:, None] - np.float32(y)) / np.float32(high)
        fall = np.clip(1 - np.sqrt(across * across + down * down), 0, 1)
        keep = 255 - fall * fall * (3 - 2 * fall) * np.float32(120)
        window = frame[y0:y1, x0:x1]
        cv2.multiply(window, imaging.triple(keep.astype(np.uint8)), window, 1 / 255.0)


def build(plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> Scene:
    """The studio of ``plan``: bright by day, dark with coloured edges by night, in the wished colours."""
    return Studio(plan, canvas, timing, rng)


def _tones(plan: ScenePlan, rng: Rng) -> tuple[Floats, Floats, Floats, Floats]:
    """Paper, stage and two colours of forms; wished colours give the paper, then the forms."""
    paper, stage, first, second = (linear(name) for name in rng.pick(_SCHEMES))
    if plan.colours:
        wished = [linear(colour) for colour in plan.colours]
        paper = mix(wished[0], rgb(0.8, 0.8, 0.8) * max(float(luminance(wished[0])), 0.3), 0.25)
        stage = pale(wished[0], 0.65)
        first = wished[1] if len(wished) > 1 else pale(wished[0], 0.1)
        second = wished[2] if len(wished) > 2 else mix(np.roll(wished[0], 1), wished[0], 0.4)
    return paper, stage, first, second


def _lights(
    plan: ScenePlan, tones: tuple[Floats, Floats, Floats, Floats], rng: Rng, dark: bool
) -> StudioLight:
    name, level = _WARMTH[plan.time]
    # On coloured paper a strongly coloured light would only turn grey.
    key = mix(linear(name), rgb(1, 1, 1), 0.45) * np.float32(level)
    if plan.weather in ("overcast", "fog", "rain", "snow", "storm"):
        key = key * np.float32(0.75)
    sky = mix(rgb(1, 1, 1), tones[0], 0.30) * np.float32(0.10 if dark else 0.62)
    ground = tones[0] * np.float32(0.05 if dark else 0.30)
    left, right = (linear(colour) for colour in rng.pick(_NIGHT_RIMS))
    if plan.colours:
        left, right = linear(plan.colours[0]), linear(plan.colours[-1])
    strength = np.float32(2.4 if dark else 0.0)
    soft = rgb(1, 1, 1) * np.float32(0.0 if dark else 0.16)
    return StudioLight(
        key=(0.0, 1.0, 0.0), key_colour=key, sky=sky, ground=ground,
        left_rim=left * strength + soft, right_rim=right * strength + soft,
    )  # fmt: skip
