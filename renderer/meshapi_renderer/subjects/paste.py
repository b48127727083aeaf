"""Putting painted figures into a frame: over it, mirrored in what they stand on, as shadows, as light."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.scene import Scratch
from meshapi_renderer.subjects.sketch import Cel

_GLOW_SIDE = 96
_WIDE_GLOW = 24.0
"""Radius in pixels from which a glow is made smaller and enlarged."""
_NOTHING = (0, 0, 0, 255)
"""A premultiplied pixel that shows nothing."""
_ALPHA_BITS = np.array((0, 0, 0, 255), np.uint8)
"""Exclusive or with these turns inverse alpha into alpha."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how a cel is put: its origin in frame pixels, enlargement, turn and mirroring."""

    x: float
    y: float
    size: float = 1.0
    turn: float = 0.0
    """Radians, counter-clockwise."""
    mirrored: bool = False
    stretch: tuple[float, float] = (1.0, 1.0)
    """Extra scale across and up."""

    def matrix(self, origin: tuple[float, float]) -> Floats:
        """The 2x3 map from the cel's pixels to the frame's."""
        cosine, sine = math.cos(self.turn), math.sin(self.turn)
        across = self.size * self.stretch[0] * (-1 if self.mirrored else 1)
        up = self.size * self.stretch[1]
        linear = np.array([[cosine * across, sine * up], [-sine * across, cosine * up]])
        shift = np.array([self.x, self.y]) - linear @ np.array(origin)
        return np.column_stack([linear, shift])


def paste(frame: Bytes8, cel: Cel, place: Place) -> None:
    """Draw a cel over the frame."""
    matrix = place.matrix(cel.origin)
    window = covered_window(frame, cel.pixels.shape, matrix)
    if window is None:
        return
    moved = warped(cel.pixels, matrix, window)
    _lay(frame[window], moved)


def mirror(
    frame: Bytes8,
    cel: Cel,
    place: Place,
    seconds: float,
    scratch: Scratch,
    *,
    clarity: float,
    ripple: float,
    fade: float,
    about: float | None = None,
) -> None:
    """Draw the mirror image of a cel below its origin, or below the frame row ``about``.

    ``clarity`` is the opacity at the foot, ``ripple`` the sideways waver in pixels, ``fade`` the distance in
    pixels over which the image is lost.
    """
    line = place.y if about is None else about
    flipped = Place(place.x, place.y, place.size, -place.turn, place.mirrored, place.stretch)
    matrix = flipped.matrix(cel.origin)
    matrix[1] = -matrix[1]
    matrix[1, 2] += 2 * line
    window = covered_window(frame, cel.pixels.shape, matrix, room=math.ceil(2 * ripple) + 1)
    if window is None:
        return
    top = max(window[0].start, math.floor(line))
    if top >= window[0].stop:
        return
    # What has faded away is not drawn.
    lost = math.ceil(line + 3.0 * fade)
    if lost <= top:
        return
    window = (slice(top, min(window[0].stop, lost)), window[1])
    moved = _halved(cel.pixels, matrix, window)
    rows = moved.shape[0]
    # A mirror image on ripples holds no fine detail: it is made at half size.
    below = 2 * np.arange(rows, dtype=np.float32)[:, None] + np.float32(top - line)
    if ripple > 0.2:
        moved = _wavered(moved, below, ripple, seconds, scratch)
    shown = np.float32(clarity) * np.exp(-below / np.float32(max(fade, 1.0)))
    if ripple > 0.2:
        glint = np.sin(below * np.float32(2.6 / max(ripple, 1.0)) - np.float32(5.0 * seconds))
        shown = shown * (np.float32(0.82) + np.float32(0.18) * glint)
    _lay_faded(frame[window], moved, shown)


def _halved(pixels: Bytes8, matrix: Floats, window: tuple[slice, slice]) -> Bytes8:
    """A cel's pixels as they fall on a window of the frame, at half its size."""
    rows, columns = window[0].stop - window[0].start, window[1].stop - window[1].start
    local = np.array(matrix, np.float64)
    local[:, 2] -= (window[1].start, window[0].start)
    local *= 0.5
    size = ((columns + 1) // 2, (rows + 1) // 2)
    return np.asarray(
        cv2.warpAffine(
            pixels, local, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=_NOTHING
        ),
        np.uint8,
    )


def _lay_faded(window: Bytes8, moved: Bytes8, shown: Floats) -> None:
    """Blend half-size premultiplied pixels over a window, each row ``shown`` (h, 1) of its opacity."""
    rows, columns = moved.shape[:2]
    strength = np.broadcast_to((shown * np.float32(255)).astype(np.uint8)[..., None], (rows, columns, 4))
    inverted = np.bitwise_xor(moved, _ALPHA_BITS)
    faded = cv2.multiply(inverted, np.ascontiguousarray(strength), scale=1 / 255)
    height, width = window.shape[:2]
    large = imaging.resize(np.asarray(faded, np.uint8), 2 * columns, 2 * rows)[:height, :width]
    cover = cv2.bitwise_not(cv2.extractChannel(large, 3))
    cv2.multiply(window, imaging.triple(np.asarray(cover, np.uint8)), window, 1 / 255.0)
    cv2.add(window, cv2.cvtColor(large, cv2.COLOR_RGBA2RGB), window)


def _wavered(moved: Bytes8, below: Floats, ripple: float, seconds: float, scratch: Scratch) -> Bytes8:
    """The image bent sideways row by row, more so farther from the foot."""
    rows, columns = moved.shape[:2]
    map_x = scratch.array(f"mirror x {columns}", (rows, columns), np.float32)
    map_y = scratch.array(f"mirror y {columns}", (rows, columns), np.float32)
    wave = np.sin(below * np.float32(1.9 / max(ripple, 1.0)) - np.float32(3.1 * seconds))
    wave += np.float32(0.6) * np.sin(below * np.float32(0.77 / max(ripple, 1.0)) + np.float32(2.3 * seconds))
    grown = np.float32(0.5 * ripple) * (1 - np.exp(-below / np.float32(6 * ripple)))
    map_x[...] = np.arange(columns, dtype=np.float32)[None] + grown * wave
    map_y[...] = np.arange(rows, dtype=np.float32)[:, None]
    return np.asarray(
        cv2.remap(
            moved, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=_NOTHING
        ),
        np.uint8,
    )


@dataclass(frozen=True, slots=True)
class ShadowMask:
    """The outline of a cel, small and soft."""

    mask: Bytes8
    origin: tuple[float, float]
    share: float
    """Its pixels per pixel of the cel."""


def shadow_of(cel: Cel, softness: float) -> ShadowMask:
    """The shadow mask of a cel; ``softness`` in pixels of the cel."""
    share = 0.5
    room = math.ceil(2.5 * softness)
    cover = np.pad(255 - cel.pixels[..., 3], room)
    height, width = cover.shape
    small = imaging.resize(cover, max(1, round(width * share)), max(1, round(height * share)), imaging.AREA)
    soft = imaging.gaussian(small, max(0.6, softness * share))
    return ShadowMask(soft, ((cel.origin[0] + room) * share, (cel.origin[1] + room) * share), share)


def cast_shadow(
    frame: Bytes8, shadow: ShadowMask, place: Place, lean: float, length: float, strength: float
) -> None:
    """Darken the ground by a figure's shadow.

    The shadow lies ``length`` times the figure's height towards the viewer (negative: away) and
    ``lean`` times its height to the right.
    """
    size = place.size / shadow.share
    across = size * place.stretch[0] * (-1 if place.mirrored else 1)
    linear = np.array([[across, -lean * size], [0.0, -length * size]])
    matrix = np.column_stack([linear, np.array([place.x, place.y]) - linear @ np.array(shadow.origin)])
    window = covered_window(frame, shadow.mask.shape, matrix)
    if window is None:
        return
    size_xy = (window[1].stop - window[1].start, window[0].stop - window[0].start)
    local = matrix.copy()
    local[:, 2] -= (window[1].start, window[0].start)
    mask = cv2.warpAffine(shadow.mask, local, size_xy, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    keep = np.asarray(cv2.bitwise_not(cv2.convertScaleAbs(mask, alpha=strength)), np.uint8)
    darkened = frame[window]
    cv2.multiply(darkened, imaging.triple(keep), darkened, 1 / 255)


def contact_shadow(frame: Bytes8, x: float, y: float, half_width: float, strength: float) -> None:
    """Darken the ground right under a figure: a soft flat ellipse."""
    radius_x, radius_y = max(2.0, half_width), max(1.5, 0.22 * half_width)
    matrix = np.array(
        [
            [2 * radius_x / _GLOW_SIDE, 0.0, x - radius_x],
            [0.0, 2 * radius_y / _GLOW_SIDE, y - radius_y],
        ]
    )
    window = covered_window(frame, _BLOB.shape, matrix)
    if window is None:
        return
    mask = _moved_blob(matrix, window)
    keep = np.asarray(cv2.bitwise_not(cv2.convertScaleAbs(mask, alpha=strength)), np.uint8)
    darkened = frame[window]
    cv2.multiply(darkened, imaging.triple(keep), darkened, 1 / 255)


def glow(
    frame: Bytes8, x: float, y: float, radius_x: float, radius_y: float, colour: tuple[float, float, float]
) -> None:
    """Add light that fades out from (x, y); ``colour`` in display units, 0..255 a channel."""
    matrix = np.array(
        [
            [2 * radius_x / _GLOW_SIDE, 0.0, x - radius_x],
            [0.0, 2 * radius_y / _GLOW_SIDE, y - radius_y],
        ]
    )
    window = covered_window(frame, _BLOB.shape, matrix)
    if window is None or max(colour) < 0.5:
        return
    lit = frame[window]
    rows, columns = lit.shape[:2]
    # A wide glow holds no detail: it is made at a quarter of its size.
    step = 4 if min(radius_x, radius_y) > _WIDE_GLOW else 1
    mask = _moved_blob(matrix, window, step)
    light = cv2.merge([cv2.convertScaleAbs(mask, alpha=channel / 255) for channel in colour])
    if step > 1:
        light = imaging.enlarge(np.asarray(light, np.uint8), step, columns, rows)
    cv2.add(lit, np.asarray(light, np.uint8), lit)


def _moved_blob(matrix: Floats, window: tuple[slice, slice], step: int = 1) -> Bytes8:
    columns, rows = window[1].stop - window[1].start, window[0].stop - window[0].start
    size = (-(-columns // step), -(-rows // step))
    local = np.array(matrix, np.float64)
    local[:, 2] -= (window[1].start, window[0].start)
    local *= 1 / step
    return np.asarray(
        cv2.warpAffine(_BLOB, local, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), np.uint8
    )


def _blob() -> Bytes8:
    axis = (np.arange(_GLOW_SIDE, dtype=np.float32) + np.float32(0.5)) / np.float32(_GLOW_SIDE / 2) - 1
    distance = np.minimum(axis[None] ** 2 + axis[:, None] ** 2, 1)
    return ((1 - distance) ** 2 * np.float32(255)).astype(np.uint8)


_BLOB = _blob()


def covered_window(
    frame: Bytes8, shape: tuple[int, ...], matrix: Floats, room: int = 1
) -> tuple[slice, slice] | None:
    """Rows and columns of the frame that a picture of ``shape`` covers under ``matrix``; None for nothing."""
    height, width = shape[:2]
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], np.float64) @ matrix.T
    left, top = np.floor(corners.min(0)).astype(int) - room
    right, bottom = np.ceil(corners.max(0)).astype(int) + room
    left, top = max(0, int(left)), max(0, int(top))
    right, bottom = min(frame.shape[1], int(right)), min(frame.shape[0], int(bottom))
    if right <= left or bottom <= top:
        return None
    return slice(top, bottom), slice(left, right)


def warped(pixels: Bytes8, matrix: Floats, window: tuple[slice, slice]) -> Bytes8:
    """A cel's pixels as they fall on a window of the frame."""
    size = (window[1].stop - window[1].start, window[0].stop - window[0].start)
    local = np.array(matrix, np.float64)
    local[:, 2] -= (window[1].start, window[0].start)
    return np.asarray(
        cv2.warpAffine(
            pixels,
            local,
            size,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=_NOTHING,
        ),
        np.uint8,
    )


def _lay(window: Bytes8, moved: Bytes8) -> None:
    """Blend premultiplied pixels with inverse alpha over a window in place."""
    inverse = cv2.cvtColor(cv2.extractChannel(moved, 3), cv2.COLOR_GRAY2RGB)
    cv2.multiply(window, inverse, window, 1 / 255.0)
    cv2.add(window, cv2.cvtColor(moved, cv2.COLOR_RGBA2RGB), window)
