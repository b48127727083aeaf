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

Picture: TypeAlias = NDArray[Any]
_Pixels = TypeVar("_Pixels", Floats, Bytes8, Picture)


def remap(
    image: _Pixels, map_x: Floats, map_y: Floats, interpolation: int = LINEAR, border: int = WRAP
) -> _Pixels:
    """``image`` looked up at pixel coordinates ``(map_x, map_y)``; both maps have the shape of the result."""
    x, y = np.broadcast_arrays(map_x, map_y)
    x32, y32 = np.ascontiguousarray(x, np.float32), np.ascontiguousarray(y, np.float32)
    return cast(_Pixels, cv2.remap(image, x32, y32, interpolation, borderMode=border))


def resize(image: _Pixels, width: int, height: int, interpolation: int = LINEAR) -> _Pixels:
    """``image`` at ``width`` x ``height``."""
    return cast(_Pixels, cv2.resize(image, (width, height), interpolation=interpolation))


def gaussian(image: _Pixels, sigma_x: float, sigma_y: float = 0.0) -> _Pixels:
    """Gaussian blur; ``sigma_y`` 0 means the same as ``sigma_x``."""
    return cast(_Pixels, cv2.GaussianBlur(image, (0, 0), sigma_x, sigmaY=sigma_y))


def triple(mask: Bytes8) -> Bytes8:
    """A one-channel mask as three equal channels."""
    return cast(Bytes8, cv2.merge([mask, mask, mask]))


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
    return cast(
        _Pixels, cv2.warpAffine(image, matrix, size, flags=LINEAR, borderMode=border, borderValue=value)
    )
