"""Corals, sponges and weed, drawn as small sprites: colour before water takes its share, and coverage."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import linear, mix, smoothstep
from meshapi_renderer.noise import fbm
from meshapi_renderer.rng import Rng

CoralKind = Literal["branch", "fan", "brain", "tubes", "table", "soft"]
KINDS: tuple[CoralKind, ...] = ("branch", "fan", "brain", "tubes", "table", "soft")
_TONES: dict[CoralKind, tuple[str, ...]] = {
    "branch": ("ff9a4a", "f2c14e", "ff7aa8", "b58cff"),
    "fan": ("c44cff", "ff4f6e", "ff8a3c"),
    "brain": ("9ccf5a", "e0b45a", "5fc9a8"),
    "tubes": ("ffd24a", "ff8f5c", "c46cff"),
    "table": ("7ec8a8", "d9a0c8", "c8b070"),
    "soft": ("ff8fb0", "ffc07a", "8fe0c0"),
}
_BITS = 4
_ONE = 1 << _BITS
_OVERSAMPLING = 2


@dataclass(frozen=True, slots=True)
class Coral:
    """One sprite: linear colour (h, w, 3) and coverage (h, w); its foot is the middle of the lower edge."""

    colour: Floats
    cover: Floats


def grow_coral(kind: CoralKind, height: float, rng: Rng) -> Coral:
    """A random coral of that kind, ``height`` pixels tall."""
    tall = max(10, round(height)) * _OVERSAMPLING
    wide = round(tall * {"fan": 1.3, "brain": 1.5, "table": 2.0}.get(kind, 1.1))
    pen = _Pen(tall, wide)
    tone = linear(rng.pick(_TONES[kind]))
    draw = {
        "branch": _branch, "fan": _fan, "brain": _brain, "tubes": _tubes, "table": _table, "soft": _soft,
    }[kind]  # fmt: skip
    draw(pen, tone, rng)
    columns, rows = wide // _OVERSAMPLING, tall // _OVERSAMPLING
    cover = imaging.resize(pen.cover, columns, rows, imaging.AREA)
    colour = imaging.resize(pen.colour * pen.cover[..., None], columns, rows, imaging.AREA)
    colour = colour / np.maximum(cover, np.float32(1e-3))[..., None]
    grain = fbm(rows, columns, max(3, rows // 5), 2, rng.sub("grain"), 0.5, aspect=columns / rows)
    return Coral(colour * (np.float32(0.6) + np.float32(0.8) * grain[..., None]), cover)


class _Pen:
    """Draws lines and discs in shares of the sprite's height, x from its middle, y up from its foot."""

    def __init__(self, tall: int, wide: int) -> None:
        self.colour = np.zeros((tall, wide, 3), np.float32)
        self.cover = np.zeros((tall, wide), np.float32)
        self.tall, self.wide = tall, wide

    def at(self, x: float, y: float) -> tuple[int, int]:
        return round((self.wide / 2 + x * self.tall) * _ONE), round((1 - y) * self.tall * _ONE)

    def line(self, a: tuple[float, float], b: tuple[float, float], width: float, tone: Floats) -> None:
        thick = max(1, round(width * self.tall))
        shade = [float(c) for c in tone]
        cv2.line(self.colour, self.at(*a), self.at(*b), shade, thick, cv2.LINE_8, _BITS)
        cv2.line(self.cover, self.at(*a), self.at(*b), 1.0, thick, cv2.LINE_8, _BITS)

    def disc(self, middle: tuple[float, float], radii: tuple[float, float], tone: Floats) -> None:
        axes = round(radii[0] * self.tall * _ONE), round(radii[1] * self.tall * _ONE)
        shade = [float(c) for c in tone]
        cv2.ellipse(self.colour, self.at(*middle), axes, 0, 0, 360, shade, -1, cv2.LINE_8, _BITS)
        cv2.ellipse(self.cover, self.at(*middle), axes, 0, 0, 360, 1.0, -1, cv2.LINE_8, _BITS)


def _branch(pen: _Pen, tone: Floats, rng: Rng) -> None:
    def limb(x: float, y: float, angle: float, length: float, width: float, level: int) -> None:
        bend = angle + rng.uniform(-0.18, 0.18)
        end = (x + length * math.sin(bend), min(0.97, y + length * math.cos(bend)))
        lit = 0.45 + 0.75 * end[1]
        pen.line((x, y), end, width, tone * np.float32(lit * 0.6))
        shine = (x - 0.25 * width, y), (end[0] - 0.25 * width, end[1])
        pen.line(*shine, 0.45 * width, tone * np.float32(lit))
        if level == 0:
            pen.disc(end, (0.55 * width, 0.55 * width), mix(tone, 1.0, 0.5) * np.float32(lit))
            return
        for _ in range(2 + (rng.u() < 0.45)):
            limb(
                *end,
                bend + rng.uniform(-0.75, 0.75),
                length * rng.uniform(0.62, 0.86),
                0.74 * width,
                level - 1,
            )

    for index in range(5):
        limb(0.04 * (index - 2), 0.0, 0.30 * (index - 2) + rng.uniform(-0.1, 0.1), 0.30, 0.062, 3)


def _fan(pen: _Pen, tone: Floats, rng: Rng) -> None:
    def rib(x: float, y: float, angle: float, length: float, width: float, level: int) -> None:
        end = (x + length * math.sin(angle), y + length * math.cos(angle))
        pen.line((x, y), end, width, tone * np.float32(0.35 + 0.6 * end[1]))
        if level > 0:
            for side in (-1, 1):
                turn = angle + side * rng.uniform(0.16, 0.42)
                rib(*end, turn, length * rng.uniform(0.74, 0.92), max(0.006, 0.72 * width), level - 1)

    rib(0, 0, rng.uniform(-0.1, 0.1), 0.17, 0.036, 6)
    # The net between the ribs, thinner towards the rim.
    veil = imaging.gaussian(pen.cover, 0.022 * pen.tall)
    net = smoothstep(0.10, 0.45, veil) * np.float32(0.62)
    soft = imaging.gaussian(pen.colour, 0.022 * pen.tall) / np.maximum(veil, np.float32(0.05))[..., None]
    gap = (pen.cover < 0.5)[..., None]
    pen.colour[...] = np.where(gap, soft * np.float32(0.75), pen.colour)
    np.maximum(pen.cover, net, out=pen.cover)


def _brain(pen: _Pen, tone: Floats, rng: Rng) -> None:
    y, x = np.mgrid[0 : pen.tall, 0 : pen.wide].astype(np.float32)
    x = (x - np.float32(pen.wide / 2)) / np.float32(0.48 * pen.wide)
    y = (np.float32(pen.tall) - y) / np.float32(0.92 * pen.tall)
    inside = 1 - x * x - y * y
    z = np.sqrt(np.maximum(inside, 0))
    maze = fbm(pen.tall, pen.wide, 7, 3, rng.sub("maze"), 0.45, aspect=pen.wide / pen.tall)
    groove = np.abs(np.sin(maze * np.float32(30)))
    light = np.clip(
        np.float32(0.25) + np.float32(0.8) * y + np.float32(0.25) * z - np.float32(0.3) * x, 0.1, 1.3
    )
    light *= np.float32(0.35) + np.float32(0.75) * smoothstep(0.1, 0.7, groove)
    pen.colour[...] = tone * light[..., None]
    pen.cover[...] = smoothstep(0.0, 0.04, inside)


def _tubes(pen: _Pen, tone: Floats, rng: Rng) -> None:
    for index in range(9):
        x = (rng.u() - 0.5) * 0.62
        tall, width = rng.uniform(0.4, 0.95) * (1 - 0.7 * abs(x)), rng.uniform(0.055, 0.085)
        foot, mouth = (0.55 * x, 0.0), (x, tall)
        shade = 0.35 + 0.09 * index
        pen.line(foot, mouth, 2 * width, tone * np.float32(0.45 * shade + 0.15))
        pen.line((foot[0] - 0.4 * width, 0.0), (x - 0.4 * width, tall), width, tone * np.float32(shade))
        pen.disc(mouth, (1.05 * width, 0.55 * width), tone * np.float32(1.15))
        pen.disc(mouth, (0.72 * width, 0.34 * width), tone * np.float32(0.06))


def _table(pen: _Pen, tone: Floats, rng: Rng) -> None:
    pen.line((0, 0), (0, 0.6), 0.10, tone * np.float32(0.25))
    for level in range(3):
        y, reach = 0.45 + 0.2 * level, 0.88 - 0.20 * level + rng.uniform(-0.1, 0.1)
        x = rng.uniform(-0.1, 0.1)
        pen.disc((x, y - 0.035), (reach, 0.085), tone * np.float32(0.22))
        pen.disc((x, y), (reach, 0.075), tone * np.float32(0.65 + 0.15 * level))
        for _ in range(70):
            across = rng.uniform(-0.95, 0.95) * reach
            lift = 0.07 * math.sqrt(max(0.0, 1 - (across / reach) ** 2)) * rng.uniform(-1, 1)
            tip = (x + across, min(0.98, y + lift + 0.05))
            pen.line((x + across, y + lift), tip, 0.018, tone * np.float32(0.75 + 0.4 * rng.u()))


def _soft(pen: _Pen, tone: Floats, rng: Rng) -> None:
    for index in range(46):
        angle = rng.uniform(-1.15, 1.15)
        reach = rng.uniform(0.55, 0.92) * (1 - 0.2 * abs(angle))
        x, y = 0.10 * rng.normal() * 0.5, 0.02
        shade = 0.3 + 0.55 * index / 46
        for step in range(6):
            bend = angle * (0.35 + 0.13 * step)
            end = (x + reach / 6 * math.sin(bend), y + reach / 6 * math.cos(bend))
            pen.line((x, y), end, 0.030 - 0.0025 * step, tone * np.float32(shade * (0.6 + 0.1 * step)))
            x, y = end
        pen.disc((x, y), (0.022, 0.022), mix(tone, 1.0, 0.55) * np.float32(shade + 0.2))
