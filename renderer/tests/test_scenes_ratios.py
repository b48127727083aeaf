"""Every setting upright and square: composed anew and whole (tiny frames)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.plan import SETTINGS, ScenePlan, Setting, TimeOfDay
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scratch, Timing, build
from meshapi_renderer.subjects.stage import STAGES

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

_WIDE, _UPRIGHT, _SQUARE = Canvas(192, 108), Canvas(108, 192), Canvas(144, 144)
_TIMING = Timing(24, 25)
_TIMES: dict[Setting, TimeOfDay] = {
    "lake": "sunrise", "ocean": "sunset", "sky": "sunset", "beach": "golden", "meadow": "golden",
    "city": "night", "street": "night", "neon": "night", "aurora": "night", "space": "night", "fire": "night",
}  # fmt: skip
Mask = NDArray[np.bool_]


_MOMENTS = (8, 24)


@cache
def _frames(setting: Setting, canvas: Canvas, *, staged: bool = False) -> tuple[Bytes8, ...]:
    """The pictures of two moments; all are kept, since a tiny picture costs less than a scene."""
    plan = ScenePlan(setting=setting, time=_TIMES.get(setting, "noon"), reference_thing=staged)
    scene = build(plan, canvas, _TIMING, Rng("ratios", 1))
    return tuple(scene.frame(index, Scratch()).copy() for index in _MOMENTS)


def _frame(setting: Setting, canvas: Canvas, *, staged: bool = False) -> Bytes8:
    return _frames(setting, canvas, staged=staged)[0]


def _grey(frame: Bytes8) -> Floats:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.float32)


def _along_rows(grey: Floats) -> Floats:
    """What a picture shows from left to right: its rows without their mean."""
    left: Floats = grey - grey.mean(axis=1, keepdims=True)
    return left / np.linalg.norm(left)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize(("canvas", "likeness"), [(_UPRIGHT, 0.7), (_SQUARE, 0.9)])
def test_another_ratio_is_another_composition_and_not_a_crop(
    setting: Setting, canvas: Canvas, likeness: float
) -> None:
    wide = _frame(setting, _WIDE)
    columns = round(_WIDE.height * canvas.width / canvas.height)
    left = (_WIDE.width - columns) // 2
    crop = cv2.resize(
        wide[:, left : left + columns], (canvas.width, canvas.height), interpolation=cv2.INTER_AREA
    )
    composed, cropped = (
        _along_rows(_grey(frame)) for frame in (_frame(setting, canvas), np.asarray(crop, np.uint8))
    )
    assert float((composed * cropped).sum()) < likeness


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("canvas", [_WIDE, _UPRIGHT, _SQUARE])
def test_both_halves_of_the_picture_hold_something_to_see(setting: Setting, canvas: Canvas) -> None:
    grey = _grey(_frame(setting, canvas))
    detail = (np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0)) + np.abs(cv2.Sobel(grey, cv2.CV_32F, 0, 1))).sum(0)
    assert 0.25 < float(detail[: canvas.width // 2].sum() / detail.sum()) < 0.75


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("canvas", [_UPRIGHT, _SQUARE])
def test_light_is_neither_burnt_out_nor_black(setting: Setting, canvas: Canvas) -> None:
    frame = _frame(setting, canvas)
    assert (frame.min(axis=2) >= 250).mean() < 0.02
    assert (frame.max(axis=2) <= 4).mean() < 0.02


@pytest.mark.parametrize("setting", SETTINGS)
def test_something_moves_in_every_third_of_an_upright_picture(setting: Setting) -> None:
    first, last = (frame.astype(int) for frame in _frames(setting, _UPRIGHT))
    for third in range(3):
        rows = slice(third * 64, third * 64 + 64)
        assert np.abs(first[rows] - last[rows]).mean() > 0.1


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_horizon_lies_in_the_middle_or_a_little_lower(setting: Setting) -> None:
    """As a share of the height, and so in every ratio; subjects are placed by it."""
    assert 0.50 <= STAGES[setting].horizon <= 0.68


def _sun(setting: Setting, canvas: Canvas) -> Mask:
    upper = _frame(setting, canvas)[: round(0.57 * canvas.height)].astype(int).sum(axis=2)
    return np.asarray(upper >= upper.max() - 30)


def _globe(setting: Setting, canvas: Canvas) -> Mask:
    """The planet: the one large place without stars."""
    grey = _grey(_frame(setting, canvas))
    starry = (np.abs(grey - cv2.medianBlur(grey, 3)) > 12).astype(np.uint8)
    free = 1 - cv2.dilate(starry, np.ones((5, 5), np.uint8))
    return np.asarray(cv2.morphologyEx(free, cv2.MORPH_OPEN, np.ones((13, 13), np.uint8)) > 0)


def _flames(setting: Setting, canvas: Canvas) -> Mask:
    frame = _frame(setting, canvas)
    return np.asarray((frame[..., 0] > 220) & (frame[..., 1] > 120))


def _windows(setting: Setting, canvas: Canvas) -> Mask:
    frame = _frame(setting, canvas).astype(int)
    return np.asarray((frame[..., 0] > 150) & (frame[..., 0] > 1.5 * frame[..., 2]))


def _falls(setting: Setting, canvas: Canvas) -> Mask:
    """The broad white of the falls over their pool."""
    upper = _frame(setting, canvas)[: round(0.70 * canvas.height), ...]
    white = (upper.min(axis=2) > 150).astype(np.uint8)
    white[: round(0.2 * canvas.height)] = 0
    return np.asarray(cv2.morphologyEx(white, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8)) > 0)


def _hero(setting: Setting, canvas: Canvas) -> Mask:
    """What hovers over the stage, and leaves it to a thing of the caller's."""
    free = _frame(setting, canvas, staged=True).astype(int)
    return np.asarray(np.abs(_frame(setting, canvas).astype(int) - free).sum(axis=2) > 60)


_MAIN_THINGS: dict[Setting, Callable[[Setting, Canvas], Mask]] = {
    "lake": _sun, "ocean": _sun, "sky": _sun, "space": _globe, "fire": _flames, "aurora": _windows,
    "waterfall": _falls, "studio": _hero,
}  # fmt: skip


@pytest.mark.parametrize("setting", _MAIN_THINGS)
@pytest.mark.parametrize("canvas", [_WIDE, _UPRIGHT, _SQUARE])
def test_the_main_thing_stands_inside_the_frame(setting: Setting, canvas: Canvas) -> None:
    """Sun, planet, fire, lit cabin, falls, sphere: none of them touches the left or right edge."""
    mask = _MAIN_THINGS[setting](setting, canvas)
    count, _, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    assert count > 1, "it is there"
    left, _, width, _, area = boxes[1 + int(boxes[1:, cv2.CC_STAT_AREA].argmax())]
    assert area >= 2
    assert left > 0.02 * canvas.width
    assert left + width < 0.98 * canvas.width
