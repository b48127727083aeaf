"""Snow and rain: far particles as scrolling tiles, near flakes stamped one by one.

Both are drawn over a finished frame, so they serve a scene and a given picture alike. Counts do not depend
on the size of the frame, sizes and speeds scale with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.elements.lightning import Flashes
from meshapi_renderer.plan import Weather
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scratch
from meshapi_renderer.weather import air

_SUBPIXEL_BITS = 4
_SUBPIXEL = 1 << _SUBPIXEL_BITS
_BAND = 64
"""Rows of rain that are coloured at a time."""
_QUICK = 50.0
"""Reference pixels per second from which whole-pixel steps go unseen."""
Colour8 = tuple[int, int, int]


class Particles(Protocol):
    """Something that falls through the picture."""

    def draw(self, frame: Bytes8, seconds: float, scratch: Scratch) -> None:
        """Draw the particles of that moment over ``frame`` in place."""
        ...


@dataclass(frozen=True, slots=True)
class _Tile:
    """A torus of particles, with one wrapped row and column more than the frame, and how it moves."""

    image: Bytes8
    fall: float
    drift: float
    sway: float
    phase: float


def _fixed_point(value: float) -> int:
    return round(value * _SUBPIXEL)


def _oversampling(canvas: Canvas) -> int:
    """Small frames are drawn larger and averaged, so that a flake thinner than a pixel keeps its weight."""
    return max(1, math.ceil(2.0 / max(canvas.scale, 0.1)) if canvas.scale < 2.0 else 1)


def _closed(image: Bytes8) -> Bytes8:
    """The tile with its first row and column repeated at the end."""
    return np.ascontiguousarray(np.pad(image, ((0, 1), (0, 1)), mode="wrap"))


def _scroll_add(total: Bytes8, tile: Bytes8, shift_x: float, shift_y: float, whole: bool = False) -> None:
    """Add a closed tile, moved right and down, to ``total`` of the same frame size.

    ``whole`` rounds the shift to pixels: enough for what falls several pixels a frame, and far quicker.
    """
    height, width = total.shape
    if whole:
        shift_x, shift_y = float(round(shift_x)), float(round(shift_y))
    start_x, start_y = (-shift_x) % width, (-shift_y) % height
    x, y = int(start_x), int(start_y)
    right, down = start_x - x, start_y - y
    for rows, source_y, target_y in ((height - y, y, 0), (y, 0, height - y)):
        for columns, source_x, target_x in ((width - x, x, 0), (x, 0, width - x)):
            if rows <= 0 or columns <= 0:
                continue
            window = total[target_y : target_y + rows, target_x : target_x + columns]
            part = tile[source_y : source_y + rows + 1, source_x : source_x + columns + 1]
            moved = part[:rows, :columns] if whole else _nudged(part, right, down)
            cv2.add(window, moved, window)


def _nudged(part: Bytes8, right: float, down: float) -> Bytes8:
    """The picture looked up shares of a pixel further right and down, a row and a column smaller.

    Two weighted sums take a fifth of the time of OpenCV's warp of one channel.
    """
    lower = cv2.addWeighted(part[:-1], 1 - down, part[1:], down, 0.0)
    return np.asarray(cv2.addWeighted(lower[:, :-1], 1 - right, lower[:, 1:], right, 0.0), np.uint8)


@dataclass(frozen=True, slots=True)
class _FlakeField:
    """One distance of far snow, in reference pixels of a 1280 pixel wide frame."""

    count: int
    radius: float
    fall: float
    strength: float
    blur: float
    drift: float


_FLAKES = (
    _FlakeField(2600, 0.55, 34, 0.55, 0.5, 0.6),
    _FlakeField(1300, 0.85, 55, 0.75, 0.6, 1.0),
    _FlakeField(520, 1.35, 88, 0.9, 0.8, 1.4),
    _FlakeField(170, 2.2, 130, 0.85, 1.5, 1.8),
)


@dataclass(frozen=True, slots=True)
class _NearFlake:
    """A defocused flake; x and y in fractions of the frame widened by the border it wraps in."""

    x: float
    y: float
    sprite: Floats
    fall: float
    phase: float


class Snow:
    """Falling snow, from far specks to a few defocused flakes."""

    _BORDER = 0.15
    _NEAR = 40

    def __init__(
        self,
        canvas: Canvas,
        rng: Rng,
        amount: float = 1.0,
        wind: float = 0.25,
        colour: Colour8 = (245, 247, 250),
        speed: float = 1.0,
    ) -> None:
        """``amount`` scales the counts, ``wind`` is sideways over downward speed, ``colour`` sRGB."""
        self._canvas = canvas
        self._wind = wind
        self._colour = colour
        self._speed = speed
        self._tiles = [
            self._tile(field, rng.sub(f"far {index}"), amount) for index, field in enumerate(_FLAKES)
        ]
        self._near = self._near_flakes(rng.sub("near"), round(self._NEAR * amount))

    def _tile(self, field: _FlakeField, rng: Rng, amount: float) -> _Tile:
        canvas, factor = self._canvas, _oversampling(self._canvas)
        width, height = canvas.width * factor, canvas.height * factor
        pixel = canvas.scale * factor
        image = np.zeros((height, width), np.uint8)
        count = round(field.count * amount)
        xs, ys = rng.u(count) * width, rng.u(count) * height
        radii = rng.uniform(0.6, 1.25, count) * np.float32(field.radius * pixel)
        values = rng.uniform(0.35, 1.0, count) * np.float32(255 * field.strength)
        for x, y, radius, value in zip(xs, ys, radii, values, strict=True):
            centre = (_fixed_point(float(x)), _fixed_point(float(y)))
            cv2.circle(
                image, centre, _fixed_point(float(radius)), float(value), -1, cv2.LINE_AA, _SUBPIXEL_BITS
            )
        soft = imaging.gaussian(image, field.blur * pixel)
        small = imaging.resize(soft, canvas.width, canvas.height, imaging.AREA) if factor > 1 else soft
        scale = canvas.scale
        phase = rng.u() * math.tau
        return _Tile(_closed(small), field.fall * scale, self._wind, 9 * field.drift * scale, phase)

    def _near_flakes(self, rng: Rng, count: int) -> list[_NearFlake]:
        scale = self._canvas.scale
        return [
            _NearFlake(
                x=rng.u(),
                y=rng.u(),
                sprite=_disc(rng.uniform(4, 12) * scale, rng.uniform(0.10, 0.32)),
                fall=rng.uniform(150, 300) * scale,
                phase=rng.u() * math.tau,
            )
            for _ in range(count)
        ]

    def draw(self, frame: Bytes8, seconds: float, scratch: Scratch) -> None:
        """Draw the snow of that moment over ``frame`` in place."""
        height, width = frame.shape[:2]
        t = seconds * self._speed
        total = scratch.array("snow", (height, width))
        total[...] = 0
        for tile in self._tiles:
            sway = tile.sway * (math.sin(0.7 * t + tile.phase) - math.sin(tile.phase))
            quick = tile.fall * self._speed > _QUICK * self._canvas.scale
            _scroll_add(total, tile.image, tile.drift * tile.fall * t + sway, tile.fall * t, quick)
        imaging.tint(frame, total, self._colour)
        for flake in self._near:
            self._stamp(frame, flake, t)

    def _stamp(self, frame: Bytes8, flake: _NearFlake, t: float) -> None:
        height, width = frame.shape[:2]
        span = 1 + 2 * self._BORDER
        sway = 26 * self._canvas.scale * math.sin(0.9 * t + flake.phase)
        along_x = flake.x * width * span + self._wind * 1.2 * flake.fall * t + sway
        along_y = flake.y * height * span + flake.fall * t
        x = math.floor(along_x % (width * span) - self._BORDER * width)
        y = math.floor(along_y % (height * span) - self._BORDER * height)
        side = flake.sprite.shape[0]
        left, top = max(0, x), max(0, y)
        right, bottom = min(width, x + side), min(height, y + side)
        if right <= left or bottom <= top:
            return
        alpha = flake.sprite[top - y : bottom - y, left - x : right - x, None]
        window = frame[top:bottom, left:right]
        colour = np.array(self._colour, np.float32)
        window[...] = (window * (1 - alpha) + colour * alpha).astype(np.uint8)


def _disc(radius: float, strength: float) -> Floats:
    """A soft out-of-focus disc, a little brighter at its rim, as alpha."""
    reach = max(2, math.ceil(radius * 1.15) + 1)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    distance = np.sqrt(x * x + y * y)
    body = np.clip((radius - distance) / max(0.35 * radius, 0.7), 0, 1)
    alpha = body * (0.75 + 0.25 * np.clip(distance / radius, 0, 1)) * np.float32(strength)
    return np.asarray(alpha, np.float32)


@dataclass(frozen=True, slots=True)
class _StreakField:
    """One distance of rain, in reference pixels."""

    count: int
    length: float
    fall: float
    strength: float
    thickness: float


_STREAKS = (
    _StreakField(1000, 26, 900, 46, 0.8),
    _StreakField(460, 48, 1400, 64, 1.1),
    _StreakField(130, 90, 2100, 68, 1.8),
)


class Rain:
    """Falling rain as light streaks added to the frame."""

    def __init__(
        self,
        canvas: Canvas,
        rng: Rng,
        amount: float = 1.0,
        slant: float = 0.12,
        colour: Colour8 = (235, 242, 250),
        speed: float = 1.0,
        flashes: Flashes | None = None,
    ) -> None:
        """``slant`` is sideways over downward speed; ``colour`` dims and tints the streaks.

        ``flashes`` light up the frame behind the rain, as lightning does.
        """
        self._flashes = flashes
        self._slant = slant
        self._gains = [channel / 255.0 for channel in colour]
        self._speed = speed
        self._tiles = [
            self._tile(canvas, field, rng.sub(f"rain {index}"), amount)
            for index, field in enumerate(_STREAKS)
        ]

    def _tile(self, canvas: Canvas, field: _StreakField, rng: Rng, amount: float) -> _Tile:
        factor = _oversampling(canvas)
        width, height = canvas.width * factor, canvas.height * factor
        pixel = canvas.scale * factor
        image = np.zeros((height, width), np.uint8)
        length = field.length * pixel
        thickness = max(1, round(field.thickness * pixel))
        for _ in range(round(field.count * amount)):
            x, y, value = rng.u() * width, rng.u() * height, field.strength * rng.uniform(0.5, 1.0)
            for around_x in (-width, 0, width):
                for around_y in (-height, 0):
                    start = (_fixed_point(x + around_x), _fixed_point(y + around_y))
                    end = (
                        _fixed_point(x + around_x + self._slant * length),
                        _fixed_point(y + around_y + length),
                    )
                    cv2.line(image, start, end, value, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)
        small = imaging.resize(image, canvas.width, canvas.height, imaging.AREA) if factor > 1 else image
        return _Tile(_closed(small), field.fall * canvas.scale, self._slant, 0.0, 0.0)

    def draw(self, frame: Bytes8, seconds: float, scratch: Scratch) -> None:
        """Draw the rain of that moment over ``frame`` in place."""
        if self._flashes is not None:
            self._flashes.draw(frame, seconds)
        total = scratch.array("rain", frame.shape[:2])
        total[...] = 0
        for tile in self._tiles:
            fall = tile.fall * seconds * self._speed
            _scroll_add(total, tile.image, tile.drift * fall, fall, whole=True)
        # A band's few passes stay in the cache.
        for top in range(0, frame.shape[0], _BAND):
            window, part = frame[top : top + _BAND], total[top : top + _BAND]
            streaks = cv2.merge([cv2.convertScaleAbs(part, alpha=gain) for gain in self._gains])
            cv2.add(window, streaks, window)


def weather_particles(
    weather: Weather,
    canvas: Canvas,
    rng: Rng,
    brightness: float = 1.0,
    amount: float = 1.0,
    speed: float = 1.0,
) -> Particles | None:
    """What falls in ``weather``, or None. ``brightness`` is the light on the particles, 1 by day."""
    conditions = air(weather)
    lean = 0.18 * conditions.wind
    if conditions.falling == "snow":
        return Snow(canvas, rng, amount, lean + 0.05, _dimmed((245, 247, 250), brightness), speed)
    if conditions.falling == "rain":
        flashes = Flashes() if weather == "storm" else None
        colour = _dimmed((235, 242, 250), brightness)
        return Rain(canvas, rng, amount, 0.6 * lean, colour, speed, flashes)
    return None


def _dimmed(colour: Colour8, brightness: float) -> Colour8:
    red, green, blue = (min(255, round(channel * brightness)) for channel in colour)
    return red, green, blue
