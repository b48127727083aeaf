"""Stars, the Milky Way, twinkling and meteors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import mix, rgb, smoothstep
from meshapi_renderer.noise import fbm
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas
from meshapi_renderer.view import View

_BITS = 4
_ONE = 1 << _BITS


@dataclass(frozen=True, slots=True)
class BrightStar:
    """A star worth twinkling, at a pixel of the padded picture; colour as display bytes."""

    x: float
    y: float
    magnitude: float
    colour: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class StarField:
    """Baked stars, linear light, (rows, width, 3), and the bright ones among them."""

    light: Floats
    bright: tuple[BrightStar, ...]


def star_field(view: View, rows: int, rng: Rng, count: int) -> StarField:
    """``count`` stars spread over the sky above ``rows``; positions are shares of that area."""
    width, scale = view.width, view.canvas.scale
    light = np.zeros((rows + 1, width + 1, 3), np.float32)
    x, y = rng.u(count) * width, rng.u(count) * rows
    magnitude = rng.u(count) ** np.float32(9)
    temperature = rng.u(count)[:, None]
    tint = mix(rgb(1.0, 0.78, 0.55), rgb(0.62, 0.78, 1.0), temperature) * np.float32(0.8) + np.float32(0.2)
    # A star's light spreads over fewer pixels of a small frame: keep its flux, within reason.
    flux = np.float32(min(1.6, max(0.55, scale**1.3)))
    value = (np.float32(0.045) + rng.u(count) ** 3 * np.float32(0.28) + magnitude * np.float32(1.2)) * flux
    _splat(light, x, y, tint * value[:, None])
    light = light[:rows, :width]
    bright = np.nonzero(magnitude > 0.80)[0]
    stars = []
    for j in bright:
        centre = (round(float(x[j]) * _ONE), round(float(y[j]) * _ONE))
        radius = round(_ONE * (0.2 + 0.55 * float(magnitude[j])) * scale)
        shade = [float(v) for v in tint[j] * value[j] * np.float32(1.3)]
        cv2.circle(light, centre, max(1, radius), shade, -1, cv2.LINE_AA, _BITS)
        red, green, blue = (float(v) * 255 for v in tint[j])
        stars.append(BrightStar(float(x[j]), float(y[j]), float(magnitude[j]), (red, green, blue)))
    halo = imaging.gaussian(light, 2.6 * scale)
    return StarField(light + halo * np.float32(0.7), tuple(stars))


def _splat(light: Floats, x: Floats, y: Floats, colour: Floats) -> None:
    """Add points at sub-pixel positions, each shared by its four pixels."""
    column, row = x.astype(np.int64), y.astype(np.int64)
    fx, fy = (x - column).astype(np.float32), (y - row).astype(np.float32)
    for right, below, weight in (
        (0, 0, (1 - fx) * (1 - fy)),
        (1, 0, fx * (1 - fy)),
        (0, 1, (1 - fx) * fy),
        (1, 1, fx * fy),
    ):
        np.add.at(light, (row + below, column + right), colour * weight[:, None])


@dataclass(frozen=True, slots=True)
class MilkyWay:
    """Baked band: linear light (rows, width, 3) and its luminance, for crowding stars into it."""

    light: Floats
    density: Floats


def _even(field: Floats) -> Floats:
    """The field with mean 0.5 and deviation 0.14: no seed's galaxy is missing or solid."""
    spread = max(float(field.std()), 1e-6)
    return (field - np.float32(field.mean())) * np.float32(0.14 / spread) + np.float32(0.5)


def milky_way(
    view: View, rows: int, rng: Rng, angle: float, centre: tuple[float, float], width: float, gain: float
) -> MilkyWay:
    """The band of the galaxy through ``centre`` (shares of the frame), tilted by ``angle`` radians."""
    canvas, side = view.canvas, 512
    y = np.arange(rows, dtype=np.float32)[:, None] - np.float32(view.margin + centre[1] * canvas.height)
    x = np.arange(view.width, dtype=np.float32)[None] - np.float32(view.margin + centre[0] * canvas.width)
    cosine, sine = math.cos(angle) / canvas.long, math.sin(angle) / canvas.long
    along, across = (
        x * np.float32(cosine) + y * np.float32(sine),
        y * np.float32(cosine) - x * np.float32(sine),
    )
    coarse, fine = (_even(fbm(side, side, cells, 7, rng, gain)) for cells, gain in ((4, 0.55), (5, 0.6)))

    def sample(texture: Floats, scale: float, offset: float) -> Floats:
        u = (along * np.float32(scale) + np.float32(offset)) * np.float32(side)
        v = (across * np.float32(scale * 1.3) + np.float32(offset)) * np.float32(side)
        return imaging.remap(texture, u, v, imaging.CUBIC)

    a, b = sample(coarse, 1.1, 0.0), sample(fine, 1.9, 0.3)
    bent = across + (a - np.float32(0.5)) * np.float32(0.10)
    core = np.exp(-((bent / width) ** 2)) * (0.35 + 0.65 * np.exp(-(((along + 0.05) / 0.45) ** 2)))
    dust = smoothstep(0.43, 0.60, b * np.float32(0.75) + a * np.float32(0.30))
    dust *= np.exp(-((bent / (width * 0.62)) ** 2))
    density = smoothstep(0.22, 0.68, a) * core * (1 - dust * np.float32(0.85))
    warmth = np.clip(core * np.float32(1.25) - np.float32(0.25), 0, 1)[..., None]
    tint = mix(rgb(0.16, 0.28, 0.70), rgb(0.95, 0.74, 0.62), warmth)
    pink = np.exp(-((bent / (width * 0.35)) ** 2)) * smoothstep(0.5, 0.7, a) * core
    light = density[..., None] * tint * np.float32(0.34 * gain)
    light += pink[..., None] * rgb(0.5, 0.16, 0.28) * np.float32(0.12 * gain)
    return MilkyWay(light.astype(np.float32), density.astype(np.float32))


class Twinkle:
    """Bright stars that flicker, drawn over the baked sky."""

    def __init__(self, canvas: Canvas, stars: tuple[BrightStar, ...], rng: Rng) -> None:
        self._scale = canvas.scale
        self._stars = [(star, rng.u() * math.tau, rng.uniform(1.3, 3.6)) for star in stars]

    def draw(self, frame: Bytes8, matrix: Floats, seconds: float, lowest_row: float) -> None:
        """Draw over ``frame``; ``matrix`` maps the padded sky to the frame, stars below the row are left."""
        height, width = frame.shape[:2]
        for star, phase, pace in self._stars:
            pulse = 0.5 + 0.5 * math.sin(3 * pace * seconds + phase)
            x = float(matrix[0, 0] * star.x + matrix[0, 1] * star.y + matrix[0, 2])
            y = float(matrix[1, 0] * star.x + matrix[1, 1] * star.y + matrix[1, 2])
            if pulse < 0.5 or not (2 < x < width - 2 and 2 < y < min(height - 2, lowest_row)):
                continue
            radius = (pulse - 0.35) * 1.5 * self._scale * (0.6 + 0.4 * star.magnitude)
            colour = [min(255.0, channel * 1.15) for channel in star.colour]
            centre = (round(x * _ONE), round(y * _ONE))
            cv2.circle(frame, centre, max(3, round(radius * _ONE)), colour, -1, cv2.LINE_AA, _BITS)


@dataclass(frozen=True, slots=True)
class _Meteor:
    start: float
    x: float
    y: float


class Meteors:
    """A few shooting stars during the clip."""

    _LASTS = 0.6
    _PIECES = 14

    def __init__(self, canvas: Canvas, duration: float, rng: Rng, count: int = 3) -> None:
        self._canvas = canvas
        begins = [0.10 + 0.8 * (i + rng.u()) / count for i in range(count)]
        self._meteors = [
            _Meteor(begin * duration, 0.12 + 0.6 * rng.u(), 0.05 + 0.2 * rng.u()) for begin in begins
        ]
        self._lean = rng.sign()

    def draw(self, frame: Bytes8, seconds: float) -> None:
        """Draw the meteors of that moment over ``frame``."""
        for meteor in self._meteors:
            age = (seconds - meteor.start) / self._LASTS
            if 0.0 < age < 1.0:
                self._streak(frame, meteor, age)

    def _streak(self, frame: Bytes8, meteor: _Meteor, age: float) -> None:
        width, height, scale = self._canvas.width, self._canvas.height, self._canvas.scale
        reach = 0.20 * self._canvas.long
        begin = meteor.x if self._lean > 0 else 1 - meteor.x
        x, y = width * begin, height * meteor.y
        head, tail = min(1.0, age * 1.4), max(0.0, age * 1.4 - 0.55)
        streak = np.zeros((height // 2, width), np.uint8)

        def at(share: float) -> tuple[int, int]:
            u = tail + (head - tail) * share
            return round((x + self._lean * reach * u) * _ONE), round((y + 0.6 * reach * u) * _ONE)

        for piece in range(self._PIECES):
            value = 235 * (piece / (self._PIECES - 1)) ** 1.5 * (1 - age) ** 0.4
            ends = at(piece / self._PIECES), at((piece + 1) / self._PIECES)
            cv2.line(streak, *ends, value, max(1, round(1.4 * scale)), cv2.LINE_AA, _BITS)
        glow = imaging.gaussian(streak, 0.8 * scale)
        window = frame[: height // 2]  # less where the land begins above the middle
        cv2.add(window, imaging.triple(glow[: window.shape[0]]), window)
