"""Image to video: exact ends, real motion, a still camera when asked."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.i2v import Morph, Parallax, guess_depth
from meshapi_renderer.plan import CAMERA_MOVES, CameraMove, ScenePlan, TimeOfDay, Weather
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scratch, Timing

_CANVAS = Canvas(320, 180)
_TIMING = Timing(24, 49)
Painter = Callable[..., Bytes8]


def _parallax(picture: Bytes8, camera: CameraMove, weather: Weather = "clear", frames: int = 49) -> Parallax:
    plan = ScenePlan(setting="lake", camera=camera, weather=weather)
    return Parallax(picture, plan, _CANVAS, Timing(24, frames), Rng("test", 1))


def _difference(left: Bytes8, right: Bytes8) -> float:
    return float(np.abs(left.astype(int) - right).mean())


@pytest.mark.parametrize("camera", CAMERA_MOVES)
@pytest.mark.parametrize("weather", ["clear", "snow", "rain", "fog"])
def test_frame_zero_is_exactly_the_picture(camera: CameraMove, weather: Weather, painted: Painter) -> None:
    picture = painted(320, 180)
    assert np.array_equal(_parallax(picture, camera, weather).frame(0, Scratch()), picture)


@pytest.mark.parametrize("camera", CAMERA_MOVES)
def test_something_moves_between_any_two_neighbouring_frames(camera: CameraMove, painted: Painter) -> None:
    plan = ScenePlan(setting="lake", camera=camera)
    scene = Parallax(painted(864, 480), plan, Canvas(864, 480), Timing(24, 13), Rng("test", 1))
    frames = [scene.frame(index, Scratch()) for index in range(13)]
    steps = [_difference(left, right) for left, right in pairwise(frames)]
    assert min(steps) > 0.05
    assert max(steps) < 3 * float(np.median(steps)), "no pops"


def test_a_moving_camera_goes_far_and_a_fixed_one_stays(painted: Painter) -> None:
    picture = painted(320, 180)
    moved = _difference(_parallax(picture, "push").frame(48, Scratch()), picture)
    stayed = _difference(_parallax(picture, "fixed").frame(48, Scratch()), picture)
    assert stayed > 0.5
    assert moved > 2 * stayed


def test_snow_falls_only_when_the_weather_says_so(painted: Painter) -> None:
    picture = painted(320, 180)
    clear = _parallax(picture, "fixed").frame(30, Scratch())
    snowy = _parallax(picture, "fixed", "snow").frame(30, Scratch())
    assert _difference(clear, snowy) > 0.25


def test_a_frame_depends_on_its_index_alone(painted: Painter) -> None:
    scene = _parallax(painted(320, 180), "orbit", "rain")
    shared = Scratch()
    forward = [scene.frame(index, shared).copy() for index in range(12)]
    backward = [scene.frame(index, shared).copy() for index in reversed(range(12))]
    assert all(np.array_equal(left, right) for left, right in zip(forward, reversed(backward), strict=True))


def test_a_video_of_one_frame_is_the_picture(painted: Painter) -> None:
    picture = painted(320, 180)
    assert np.array_equal(_parallax(picture, "push", frames=1).frame(0, Scratch()), picture)
    assert np.array_equal(Morph(picture, painted(320, 180, 3), Timing(24, 1)).frame(0, Scratch()), picture)


def test_both_ends_of_a_morph_are_exact(painted: Painter) -> None:
    first, last = painted(320, 180), painted(320, 180, seed=3)
    morph = Morph(first, last, _TIMING)
    assert np.array_equal(morph.frame(0, Scratch()), first)
    assert np.array_equal(morph.frame(48, Scratch()), last)


def test_a_morph_leaves_the_first_picture_and_comes_to_the_last(painted: Painter) -> None:
    first, last = painted(320, 180), painted(320, 180, seed=3)
    morph = Morph(first, last, _TIMING)
    frames = [morph.frame(index, Scratch()).copy() for index in range(0, 49, 6)]
    from_first = [_difference(frame, first) for frame in frames]
    to_last = [_difference(frame, last) for frame in frames]
    assert from_first[1] < from_first[4] < from_first[7]
    assert to_last[1] > to_last[4] > to_last[7]


def test_the_sky_is_taken_to_be_far_and_the_ground_near() -> None:
    rows = np.linspace(0, 1, 180)[:, None]
    noise = Rng("ground").u(180, 320) * 120
    grey = np.where(rows < 0.5, 200 + 0 * noise, 40 + noise)
    picture = np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)
    near, sky = guess_depth(picture)
    assert near.shape == sky.shape == (180, 320)
    assert near[:60].mean() < 0.25 < 0.6 < near[140:].mean()
    assert sky[:60].mean() > 0.9
    assert sky[140:].mean() < 0.05


def test_a_flat_picture_has_a_depth_too() -> None:
    flat = np.full((90, 160, 3), 128, np.uint8)
    near, sky = guess_depth(flat)
    assert np.isfinite(near).all()
    assert np.isfinite(sky).all()


def _lit(picture: Bytes8, light: TimeOfDay | None, weather: Weather = "clear", index: int = 48) -> Bytes8:
    plan = ScenePlan(setting="lake", camera="fixed", weather=weather)
    return Parallax(picture, plan, _CANVAS, _TIMING, Rng("test", 1), light).frame(index, Scratch()).copy()


def test_the_light_comes_to_the_hour_of_the_prompt(painted: Painter) -> None:
    picture = painted(320, 180)
    plain, night, sunset = (_lit(picture, hour) for hour in (None, "night", "sunset"))
    assert night.mean() < 0.6 * plain.mean()
    warmth = [float(frame[..., 0].mean() / frame[..., 2].mean()) for frame in (plain, sunset, night)]
    assert warmth[1] > 1.2 * warmth[0]
    assert warmth[2] < warmth[0]


def test_the_light_changes_gradually_from_the_picture_itself(painted: Painter) -> None:
    picture = painted(320, 180)
    levels = [float(_lit(picture, "night", index=index).mean()) for index in (0, 8, 16, 24, 34)]
    assert levels[0] == pytest.approx(float(picture.mean()))
    assert levels == sorted(levels, reverse=True)
    assert levels[0] - levels[1] < 0.5 * (levels[0] - levels[4])


def test_a_dark_picture_is_not_darkened_as_much_again(painted: Painter) -> None:
    bright = painted(320, 180)
    dark = (bright // 5).astype(np.uint8)
    assert _lit(dark, "night").mean() / dark.mean() > 1.3 * _lit(bright, "night").mean() / bright.mean()


def test_fog_hides_what_is_far_and_leaves_what_is_near() -> None:
    rows = np.linspace(0, 1, 180)[:, None]
    noise = Rng("ground").u(180, 320) * 120
    grey = np.where(rows < 0.5, 60 + 0 * noise, 40 + noise)
    picture = np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)
    change = np.abs(_lit(picture, None, "fog").astype(int) - _lit(picture, None)).mean(axis=2)
    assert change[:50].mean() > 4 * change[-40:].mean()
    assert change[:50].mean() > 15


def test_a_storm_darkens_the_picture(painted: Painter) -> None:
    picture = painted(320, 180)
    assert _lit(picture, None, "storm").mean() < 0.85 * _lit(picture, None).mean()
