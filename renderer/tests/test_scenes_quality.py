"""What a reviewer would check on the frames of every setting, as far as a program can (small frames)."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, pairwise

import cv2
import numpy as np
import pytest

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera
from meshapi_renderer.plan import SETTINGS, CameraMove, ScenePlan, Setting, TimeOfDay
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing, build

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

_CANVAS = Canvas(320, 180)
_TIMING = Timing(24, 121)
_NIGHTLY: frozenset[Setting] = frozenset({"aurora", "space", "street", "fire", "city", "neon"})


def _time(setting: Setting) -> TimeOfDay:
    return "night" if setting in _NIGHTLY else "noon"


@lru_cache(maxsize=40)
def _scene(setting: Setting, camera: CameraMove = "drift", time: TimeOfDay | None = None) -> Scene:
    plan = ScenePlan(setting=setting, camera=camera, time=time or _time(setting))
    return build(plan, _CANVAS, _TIMING, Rng("quality", 1))


@lru_cache(maxsize=400)
def _frame(
    setting: Setting, index: int, camera: CameraMove = "drift", time: TimeOfDay | None = None
) -> Bytes8:
    return _scene(setting, camera, time).frame(index, Scratch()).copy()


def _difference(left: Bytes8, right: Bytes8) -> float:
    return float(np.abs(left.astype(int) - right).mean())


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("camera", ["drift", "fixed"])
def test_no_neighbouring_frames_are_frozen_and_none_jumps(setting: Setting, camera: CameraMove) -> None:
    """Every step is visible (0.2 of 255 when the camera moves) and under twice the usual one of its moment.

    At the beginning, in the middle and at the end; what passes close by may make one moment livelier.
    """
    for begin, end in ((0, 4), (40, 47), (116, 120)):
        frames = [_frame(setting, index, camera) for index in range(begin, end + 1)]
        steps = [_difference(left, right) for left, right in pairwise(frames)]
        assert min(steps) > (0.2 if camera == "drift" else 0.12)
        assert max(steps) < 2 * float(np.median(steps))


@pytest.mark.parametrize("setting", SETTINGS)
def test_something_moves_by_itself_in_every_third_of_the_frame(setting: Setting) -> None:
    """From top to bottom and from left to right."""
    first, last = (_frame(setting, index, "fixed") for index in (40, 88))
    rows = [np.s_[third * 60 : third * 60 + 60] for third in range(3)]
    columns = [np.s_[:, third * 107 : third * 107 + 107] for third in range(3)]
    for part in (*rows, *columns):
        assert _difference(first[part], last[part]) > 0.1


@pytest.mark.parametrize(
    ("setting", "time"),
    [*((setting, None) for setting in SETTINGS), ("ocean", "sunset"), ("meadow", "sunset"), ("sky", "night")],
)
def test_light_is_neither_burnt_out_nor_black(setting: Setting, time: TimeOfDay | None) -> None:
    frame = _frame(setting, 44, time=time)
    assert (frame.min(axis=2) >= 250).mean() < 0.02
    assert (frame.max(axis=2) <= 4).mean() < 0.02


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_upper_part_has_many_shades_and_no_bands(setting: Setting) -> None:
    top = _frame(setting, 44)[: round(0.4 * _CANVAS.height)].reshape(-1, 3)
    assert len(np.unique(top, axis=0)) > 800


@pytest.mark.parametrize(
    ("setting", "size", "move"),
    [
        (setting, ((200, 112), (112, 200), (144, 144), (220, 94))[place % 4], move)
        for place, setting in enumerate(SETTINGS)
        for move in (("tilt_down", "pull"), ("tilt_up", "orbit"))[place % 2]
    ],
)
def test_no_move_uncovers_an_unpainted_pixel(
    setting: Setting, size: tuple[int, int], move: CameraMove
) -> None:
    """A frame drawn over black is the frame drawn over white, at both ends of the fastest move."""
    canvas = Canvas(*size)
    plan = ScenePlan(setting=setting, time=_time(setting), camera=move, speed=1.6)
    scene = build(plan, canvas, Timing(24, 25), Rng("quality", 2))
    for index in (0, 24):
        pictures = []
        for value in (0, 255):
            scratch = Scratch()
            scratch.array("frame", (canvas.height, canvas.width, 3))[...] = value
            pictures.append(scene.frame(index, scratch).copy())
        assert np.array_equal(*pictures)


def _form(setting: Setting) -> Floats:
    """Where a picture is bright and where it has edges, colour and overall brightness left out."""
    grey = cv2.cvtColor(_frame(setting, 44), cv2.COLOR_RGB2GRAY).astype(np.float32)
    edges = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    parts = []
    for field in (grey, np.log1p(edges)):
        small = cv2.resize(field, (24, 14), interpolation=cv2.INTER_AREA).ravel()
        centred = small - small.mean()
        parts.append(centred / np.linalg.norm(centred))
    return np.concatenate(parts) / np.sqrt(2.0)


def test_no_setting_looks_like_another_in_different_colours() -> None:
    forms = {setting: _form(setting) for setting in SETTINGS}
    for one, other in combinations(SETTINGS, 2):
        assert float(forms[one] @ forms[other]) < 0.75, (one, other)


@pytest.mark.parametrize("setting", ["beach", "ocean", "lake", "dunes"])
def test_an_aerial_view_is_another_picture_than_that_from_the_ground(setting: Setting) -> None:
    plan = ScenePlan(setting=setting, time="noon", viewpoint="aerial")
    above = build(plan, _CANVAS, _TIMING, Rng("quality", 1)).frame(44, Scratch()).copy()
    assert _difference(above, _frame(setting, 44)) > 12


@pytest.mark.parametrize(
    ("setting", "waterline", "reach"),
    [("waterfall", 0.735, 0.16), ("street", 0.66, 0.10), ("city", 0.66, 0.2), ("neon", 0.655, 0.3)],
)
def test_reflections_stand_under_what_they_mirror(setting: Setting, waterline: float, reach: float) -> None:
    """Columns under the waterline are as bright as the same columns mirrored above it."""
    frame = _frame(setting, 0).astype(float).mean(2)
    row, rows = round(waterline * _CANVAS.height), round(reach * _CANVAS.height)
    above, below = frame[row - 4 - rows : row - 4].mean(0), frame[row + 4 : row + 4 + rows].mean(0)
    smooth = np.ones(9) / 9
    columns = [np.convolve(part, smooth, "valid") for part in (above, below)]
    shifts = {
        shift: float(np.corrcoef(columns[0][40:-40], np.roll(columns[1], shift)[40:-40])[0, 1])
        for shift in range(-30, 31, 3)
    }
    best = max(shifts, key=lambda shift: shifts[shift])
    assert abs(best) <= 6
    assert shifts[best] > 0.4


_BLOCK_ROWS, _BLOCK_COLUMNS, _REACH = 16, 24, 24
_ROOMS: frozenset[Setting] = frozenset({"neon", "studio"})
"""Settings without a sky: what is farthest there is a wall or a light in the room."""


def _shifts(setting: Setting) -> Floats:
    """How far parts of the last picture stand to the left of where a fixed camera shows them, in pixels.

    Both pictures show the same moment, so that nothing but the camera tells them apart. Parts that are found
    again with certainty count.
    """
    still, moved = (
        cv2.cvtColor(_frame(setting, 120, camera), cv2.COLOR_RGB2GRAY) for camera in ("fixed", "drift")
    )
    found = []
    for top in range(0, _CANVAS.height - _BLOCK_ROWS + 1, 8):
        for left in range(0, _CANVAS.width - _BLOCK_COLUMNS + 1, 8):
            block = still[top : top + _BLOCK_ROWS, left : left + _BLOCK_COLUMNS]
            if block.std() < 6:
                continue
            first = max(0, left - _REACH)
            around = moved[max(0, top - 8) : top + _BLOCK_ROWS + 8, first : left + _BLOCK_COLUMNS + _REACH]
            _, match, _, place = cv2.minMaxLoc(cv2.matchTemplate(around, block, cv2.TM_CCOEFF_NORMED))
            if match > 0.85:
                found.append(left - (first + place[0]))
    return np.array(found, np.float64)


@pytest.mark.parametrize("setting", SETTINGS)
def test_near_parts_drift_three_percent_of_the_width_and_the_sky_stands(setting: Setting) -> None:
    """In a room, where there is no sky, what is farthest moves half as far as what is nearest at most."""
    shifts = np.sort(np.abs(_shifts(setting)))
    assert len(shifts) > 100
    near, far = float(shifts[-4]), float(np.percentile(shifts, 3))
    assert near >= 0.03 * _CANVAS.width
    assert far < (0.5 * near if setting in _ROOMS else 0.005 * _CANVAS.width)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_fixed_camera_keeps_every_solid_part_in_its_place(setting: Setting) -> None:
    """The picture of a fixed camera differs from a drifting one's only by what moves by itself."""
    begin = _difference(_frame(setting, 0, "fixed"), _frame(setting, 0, "drift"))
    end = _difference(_frame(setting, 120, "fixed"), _frame(setting, 120, "drift"))
    assert begin < 0.05
    assert end > 1.0


@pytest.mark.parametrize("setting", ["ocean", "beach", "lake"])
def test_the_glitter_of_a_low_sun_lies_below_the_sun(setting: Setting) -> None:
    """The brightest column of the water is the sun's own, whichever side it stands on."""
    frame = _frame(setting, 0, time="sunset").astype(float)
    sky, water = frame[: _CANVAS.height // 2].max(2), frame[round(0.56 * _CANVAS.height) :].mean(2)
    sun = float(np.nonzero(sky >= sky.max() - 3)[1].mean())
    brightest = np.convolve(np.percentile(water, 98, axis=0), np.ones(15) / 15, "same")
    assert abs(float(brightest.argmax()) - sun) < 0.03 * _CANVAS.width
    assert float(brightest.max()) > 1.15 * float(np.median(brightest))


def test_the_camera_of_every_scene_moves_its_nearest_plane_by_three_percent() -> None:
    camera = Camera("drift", 1.0, _TIMING, _CANVAS)
    near, _ = camera.project(camera.pose(120), 1.0, 160.0, 90.0)
    assert abs(near - 160.0) > 0.03 * 320
