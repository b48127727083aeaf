"""Typed, contiguous-in and contiguous-out wrappers of the OpenCV calls the renderer uses.

Coordinates given to :func:`remap` are quantised by OpenCV to 1/32 pixel: use it to move a texture, never
to enlarge a small lattice (that shows as terraces).
"""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from meshapi_renderer.array_types import Bytes8, Floats

WRAP = cv2.BORDER_WRAP
REFLECT = cv2.BORDER_REFLECT_101
REPLICATE = cv2.BORDER_REPLICATE
LINEAR = cv2.INTER_LINEAR
CUBIC = cv2.INTER_CUBIC
AREA = cv2.INTER_AREA

_BAND_PIXELS = 90 * 1280
"""Pixels worked on at a time where several passes follow each other."""
_FOLDED_PIXELS = 24 * 1024
"""The same where the passes are over floats."""

Picture: TypeAlias = NDArray[Any]
_Pixels = TypeVar("_Pixels", Floats, Bytes8, Picture)


def remap(
    image: _Pixels, map_x: Floats, map_y: Floats, interpolation: int = LINEAR, border: int = WRAP
) -> _Pixels:
    """``image`` looked up at pixel coordinates ``(map_x, map_y)``; both maps have the shape of the result.

    For a texture that wraps and is read often, a :class:`Torus` is several times faster.
    """
    x, y = np.broadcast_arrays(map_x, map_y)
    x32, y32 = np.ascontiguousarray(x, np.float32), np.ascontiguousarray(y, np.float32)
    if _slow(image):
        wide = cv2.remap(cv2.cvtColor(image, cv2.COLOR_RGB2RGBA), x32, y32, interpolation, borderMode=border)
        return cast(_Pixels, cv2.cvtColor(wide, cv2.COLOR_RGBA2RGB))
    return cast(_Pixels, cv2.remap(image, x32, y32, interpolation, borderMode=border))


def _slow(image: Picture) -> bool:
    """Whether OpenCV moves these pixels faster with a fourth channel (measured: 4.6 ms, not 1.9)."""
    return image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8


class Torus:
    """A tileable texture made ready for many look-ups.

    OpenCV's own wrapping leaves its fast path for every pixel outside the image, and its two- and
    three-channel look-ups are slow; here coordinates are folded first and channels are filled up to four.
    """

    __slots__ = ("_channels", "_data", "_height", "_width")

    def __init__(self, texture: Picture) -> None:
        """``texture`` is (h, w) or (h, w, 2 to 4), float32 or uint8."""
        self._height, self._width = texture.shape[:2]
        self._channels = texture.shape[2] if texture.ndim == 3 else 0
        edges = ((0, 2), (0, 2)) + ((0, 0),) * (texture.ndim - 2)
        data = np.pad(texture, edges, mode="wrap")
        if self._channels in (2, 3):
            data = np.pad(data, ((0, 0), (0, 0), (0, 4 - self._channels)))
        self._data = np.ascontiguousarray(data)

    def at(self, x: Floats, y: Floats) -> Picture:
        """Bilinear samples at pixel coordinates of any size; x and y are broadcast against each other."""
        rows, columns = np.broadcast_shapes(x.shape, y.shape)
        found = np.empty((rows, columns, *self._data.shape[2:]), self._data.dtype)
        band = max(8, _FOLDED_PIXELS // columns)
        for top in range(0, rows, band):
            part = found[top : top + band]
            across = _part_folded(x, top, part.shape[:2], self._width)
            down = _part_folded(y, top, part.shape[:2], self._height)
            cv2.remap(self._data, across, down, LINEAR, part, borderMode=REPLICATE)
        return found[..., : self._channels] if self._channels in (2, 3) else found


def _part_folded(coordinate: Floats, top: int, shape: tuple[int, ...], period: int) -> Floats:
    """As many rows of a coordinate as the shape has, from row ``top`` on, modulo the period."""
    rows = coordinate if coordinate.shape[0] == 1 else coordinate[top : top + shape[0]]
    folded = _folded(rows, period)
    return folded if folded.shape == shape else np.ascontiguousarray(np.broadcast_to(folded, shape))


def _folded(coordinate: Floats, period: int) -> Floats:
    """The coordinate modulo the period, as float32."""
    turns = coordinate * np.float32(1.0 / period)
    np.floor(turns, out=turns)
    turns *= np.float32(-period)
    turns += coordinate
    return np.asarray(turns)


def resize(image: _Pixels, width: int, height: int, interpolation: int = LINEAR) -> _Pixels:
    """``image`` at ``width`` x ``height``."""
    return cast(_Pixels, cv2.resize(image, (width, height), interpolation=interpolation))


def enlarge(image: _Pixels, step: int, width: int, height: int) -> _Pixels:
    """``image``, whose pixels are ``step`` wide, at full size, cut to ``width`` x ``height``."""
    rows, columns = image.shape[:2]
    return resize(image, columns * step, rows * step)[:height, :width]


def gaussian(image: _Pixels, sigma_x: float, sigma_y: float = 0.0) -> _Pixels:
    """Gaussian blur; ``sigma_y`` 0 means the same as ``sigma_x``."""
    return cast(_Pixels, cv2.GaussianBlur(image, (0, 0), sigma_x, sigmaY=sigma_y))


def triple(mask: Bytes8) -> Bytes8:
    """A one-channel mask as three equal channels."""
    return cast(Bytes8, cv2.cvtColor(mask, cv2.COLOR_GRAY2RGB))


def tint(destination: Bytes8, mask: Bytes8, colour: tuple[int, int, int]) -> None:
    """Mix one colour into ``destination`` (h, w, 3) in place, by an 8-bit mask (h, w)."""
    rows, columns = mask.shape
    # A band's few passes stay in the cache; bands without any of the colour cost next to nothing.
    band = max(8, _BAND_PIXELS // columns)
    for top in range(0, rows, band):
        part = mask[top : top + band]
        if cv2.hasNonZero(part):
            _tint_band(destination[top : top + band], part, colour)


def _tint_band(destination: Bytes8, mask: Bytes8, colour: tuple[int, int, int]) -> None:
    inverse = cv2.cvtColor(cv2.bitwise_not(mask), cv2.COLOR_GRAY2RGB)
    cv2.multiply(destination, inverse, destination, 1 / 255.0)
    scaled = [cv2.convertScaleAbs(mask, alpha=channel / 255.0) for channel in colour]
    cv2.add(destination, cv2.merge(scaled), destination)


def over(destination: Bytes8, colour: Bytes8, inverse_alpha: Bytes8) -> None:
    """Blend premultiplied ``colour`` over ``destination`` in place; all arrays have three channels."""
    cv2.multiply(destination, inverse_alpha, destination, 1 / 255.0)
    cv2.add(destination, colour, destination)


def warp_affine(
    image: _Pixels, matrix: Floats, width: int, height: int, border: int = REPLICATE, outside: float = 0.0
) -> _Pixels:
    """``image`` under a 2x3 map of its pixels to the result's; ``outside`` fills a constant border."""
    size = (width, height)
    value = (outside, outside, outside, outside)
    if _slow(image):
        wide = cv2.cvtColor(image, cv2.COLOR_RGB2RGBA)
        moved = cv2.warpAffine(wide, matrix, size, flags=LINEAR, borderMode=border, borderValue=value)
        return cast(_Pixels, cv2.cvtColor(moved, cv2.COLOR_RGBA2RGB))
    return cast(
        _Pixels, cv2.warpAffine(image, matrix, size, flags=LINEAR, borderMode=border, borderValue=value)
    )
