"""The watermark: "AI generated" in the lower right corner."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.scene import Canvas

TEXT: Final = "AI generated"
TEXT_HEIGHT: Final = 0.03
"""Size of the text as a share of the shorter side."""

_MARGIN: Final = 0.03
_SMALLEST: Final = 10
_TEXT_OPACITY: Final = 0.72
_SHADOW_OPACITY: Final = 0.55


class Watermark:
    """A white text with a soft shadow, drawn once and stamped on every frame."""

    def __init__(self, canvas: Canvas) -> None:
        size = max(_SMALLEST, round(canvas.short * TEXT_HEIGHT))
        text = _rendered(TEXT, size)
        light = text * np.float32(_TEXT_OPACITY)
        offset = max(1, size // 14)
        shadow = imaging.gaussian(np.roll(text, (offset, offset), (0, 1)), max(0.5, size / 12))
        dark = shadow * np.float32(_SHADOW_OPACITY)
        # frame * (1 - dark) * (1 - light) + 255 * light
        self._keep = ((1 - dark) * (1 - light))[..., None]
        self._add = (255 * light + np.float32(0.5))[..., None]
        margin = max(4, round(canvas.short * _MARGIN))
        height, width = text.shape
        bottom, right = canvas.height - margin, canvas.width - margin
        self.box = (max(0, right - width), max(0, bottom - height), right, bottom)
        """Left, top, right, bottom in pixels of the stamped area."""

    def stamp(self, frame: Bytes8) -> None:
        """Draw the watermark on an RGB frame in place."""
        left, top, right, bottom = self.box
        window = frame[top:bottom, left:right]
        height, width = window.shape[:2]
        window[...] = (window * self._keep[-height:, -width:] + self._add[-height:, -width:]).astype(np.uint8)


def _rendered(text: str, size: int) -> Floats:
    """Return the text as coverage 0..1, with room around it for the shadow."""
    font = ImageFont.load_default(size=size)
    left, top, right, bottom = font.getbbox(text)
    room = size // 2
    picture = Image.new("L", (round(right - left) + 2 * room, round(bottom - top) + 2 * room), 0)
    ImageDraw.Draw(picture).text((room - left, room - top), text, fill=255, font=font)
    return np.asarray(picture, np.float32) / np.float32(255)
