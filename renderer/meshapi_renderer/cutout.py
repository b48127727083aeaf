"""A thing cut out of a reference picture: by its transparency, or off a plain background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.pictures import load_picture_with_alpha

SIDE: Final = 640
"""Longest side, in pixels, at which a thing is kept."""

_BORDER: Final = 0.03
"""Share of the shorter side that counts as border."""
_PLAIN: Final = 0.90
"""Share of the border that must have one colour."""
_TOLERANCE: Final = 16.0
"""Distance in levels up to which a border pixel has the border's colour."""
_SPREAD: Final = 9
"""How much neighbouring pixels of a background may differ, per channel."""
_SMALLEST, _LARGEST = 0.02, 0.80
"""Shares of the picture a thing may fill."""


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """A thing without its background, cropped to its outline."""

    colour: Bytes8
    """Display bytes, not premultiplied, (h, w, 3)."""
    alpha: Bytes8
    """Coverage, (h, w)."""


def cut_out(path: str, field: str) -> Cutout | None:
    """Return the thing a picture shows, or None when it does not stand free.

    Raises:
        InvalidInput: naming `field`, when the picture cannot be used.
    """
    pixels = load_picture_with_alpha(path, field, SIDE)
    colour, alpha = np.ascontiguousarray(pixels[..., :3]), np.ascontiguousarray(pixels[..., 3])
    if not _stands_free(alpha):
        alpha = _off_plain_background(colour)
    return _cropped(colour, alpha) if _stands_free(alpha) else None


def _stands_free(alpha: Bytes8) -> bool:
    filled = float((alpha > 127).mean())
    return _SMALLEST < filled < _LARGEST


def _off_plain_background(colour: Bytes8) -> Bytes8:
    """Coverage of what differs from a border of one colour; everything when the border is not plain."""
    height, width = colour.shape[:2]
    depth = max(2, round(_BORDER * min(height, width)))
    edge = np.ones((height, width), bool)
    edge[depth:-depth, depth:-depth] = False
    border = colour[edge].astype(np.float32)
    background = np.median(border, axis=0)
    near = np.linalg.norm(border - background, axis=1) < _TOLERANCE
    if float(near.mean()) < _PLAIN:
        return np.full((height, width), 255, np.uint8)
    return _flooded(colour, background.astype(np.float32))


def _flooded(colour: Bytes8, background: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Bytes8:
    """Coverage of what a flood from the border over its colour does not reach."""
    height, width = colour.shape[:2]
    alike = np.linalg.norm(colour.astype(np.float32) - background, axis=2) < 2.2 * _TOLERANCE
    smooth = imaging.gaussian(colour, 1.0)
    # A frame of the background's colour lets one flood start everywhere along the border.
    framed = np.empty((height + 2, width + 2, 3), np.uint8)
    framed[:] = background.astype(np.uint8)
    framed[1:-1, 1:-1] = smooth
    mask = np.zeros((height + 4, width + 4), np.uint8)
    mask[2:-2, 2:-2] = np.where(alike, 0, 1)
    spread = (_SPREAD,) * 3
    cv2.floodFill(framed, mask, (0, 0), (0, 0, 0), spread, spread, 4 | (255 << 8) | cv2.FLOODFILL_MASK_ONLY)
    outside = (mask[2:-2, 2:-2] == 255).astype(np.uint8) * np.uint8(255)
    tidy = cv2.morphologyEx(outside, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.bitwise_not(imaging.gaussian(np.asarray(tidy, np.uint8), 0.9)), np.uint8)


def _cropped(colour: Bytes8, alpha: Bytes8) -> Cutout:
    rows, columns = np.nonzero(alpha > 24)
    window = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return Cutout(np.ascontiguousarray(colour[window]), np.ascontiguousarray(alpha[window]))
