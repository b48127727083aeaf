"""The watermark."""

from __future__ import annotations

import numpy as np
import pytest

from meshapi_renderer.overlay import TEXT_HEIGHT, Watermark
from meshapi_renderer.scene import Canvas


@pytest.mark.parametrize("canvas", [Canvas(864, 480), Canvas(480, 864), Canvas(640, 640), Canvas(3840, 2160)])
def test_the_watermark_is_small_and_in_the_lower_right_corner(canvas: Canvas) -> None:
    frame = np.full((canvas.height, canvas.width, 3), 90, np.uint8)
    watermark = Watermark(canvas)
    watermark.stamp(frame)
    rows, columns = np.nonzero((frame != 90).any(axis=2))
    left, top, right, bottom = watermark.box
    assert left <= columns.min() <= columns.max() < right <= canvas.width
    assert top <= rows.min() <= rows.max() < bottom <= canvas.height
    assert columns.min() > canvas.width * 0.55
    assert rows.min() > canvas.height * 0.85
    text_rows = np.nonzero((frame > 200).any(axis=(1, 2)))[0]
    assert 0.5 < (text_rows.max() - text_rows.min() + 1) / (TEXT_HEIGHT * canvas.short) < 1.2


@pytest.mark.parametrize("ground", [0, 128, 255])
def test_the_watermark_can_be_seen_on_dark_and_on_white(ground: int) -> None:
    frame = np.full((480, 864, 3), ground, np.uint8)
    Watermark(Canvas(864, 480)).stamp(frame)
    assert np.abs(frame.astype(int) - ground).max() > 35
