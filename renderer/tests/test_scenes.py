"""What all scenes promise, whatever they draw. Small frames: the promises do not depend on size."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, pairwise

import numpy as np
import pytest
from PIL import Image

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.frames import frames_in_order
from meshapi_renderer.plan import (
    CAMERA_MOVES,
    SEASONS,
    SETTINGS,
    TIMES,
    WEATHERS,
    ScenePlan,
    Setting,
    TimeOfDay,
    Weather,
)
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing, build

# A NaN cast to a byte is undefined: it would differ between machines.
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

_CANVAS = Canvas(320, 180)
_TIMING = Timing(24, 49)
_TIME: dict[Setting, TimeOfDay] = {
    "lake": "sunrise",
    "city": "night",
    "beach": "noon",
    "forest": "golden",
    "dunes": "night",
    "neon": "night",
    "aurora": "night",
    "space": "night",
    "underwater": "noon",
    "fire": "night",
    "street": "night",
    "meadow": "noon",
    "studio": "noon",
    "waterfall": "noon",
}


def _difference(left: Bytes8, right: Bytes8) -> float:
    return float(np.abs(left.astype(int) - right).mean())


def _plan(setting: Setting, **slots: object) -> ScenePlan:
    return ScenePlan(**{"setting": setting, "time": _TIME.get(setting, "golden"), **slots})  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=SETTINGS)
def scene(request: pytest.FixtureRequest) -> tuple[Setting, Scene]:
    """Return each scene in turn, drifting camera, built once."""
    return request.param, build(_plan(request.param), _CANVAS, _TIMING, Rng("scenes", 1))


def test_a_frame_depends_on_its_index_alone(scene: tuple[Setting, Scene]) -> None:
    shared = Scratch()
    indices = [0, 7, 24, 48]
    forward = [scene[1].frame(index, shared).copy() for index in indices]
    backward = [scene[1].frame(index, shared).copy() for index in reversed(indices)]
    fresh = [scene[1].frame(index, Scratch()).copy() for index in indices]
    for left, middle, right in zip(forward, reversed(backward), fresh, strict=True):
        assert np.array_equal(left, middle)
        assert np.array_equal(left, right)


def test_threads_change_no_frame(scene: tuple[Setting, Scene]) -> None:
    alone = list(frames_in_order(scene[1], 12, 1, lambda index, frame: frame.copy()))
    together = list(frames_in_order(scene[1], 12, 4, lambda index, frame: frame.copy()))
    assert all(np.array_equal(left, right) for left, right in zip(alone, together, strict=True))


def test_something_moves_in_every_third_of_the_frame_and_nothing_jumps(scene: tuple[Setting, Scene]) -> None:
    frames = [scene[1].frame(index, Scratch()).copy() for index in range(12, 37, 2)]
    steps = [_difference(left, right) for left, right in pairwise(frames)]
    assert min(steps) > 0.1
    assert max(steps) < 3 * float(np.median(steps))
    for third in range(3):
        rows = slice(third * 60, third * 60 + 60)
        assert _difference(frames[0][rows], frames[-1][rows]) > 0.1


def test_the_seed_decides_the_place_and_none_is_broken(scene: tuple[Setting, Scene]) -> None:
    setting, built = scene
    pictures = [built.frame(0, Scratch()).copy()]
    for seed in (1, 2, 3):
        again = build(_plan(setting), _CANVAS, _TIMING, Rng("scenes", seed))
        pictures.append(again.frame(0, Scratch()).copy())
    assert np.array_equal(pictures[0], pictures[1])
    for one, other in combinations(pictures[1:], 2):
        assert _difference(one, other) > 2
    for picture in pictures:
        assert picture.std() > 8, "something can be seen"
        assert (picture.min(axis=2) >= 250).mean() < 0.02
        assert (picture.max(axis=2) <= 4).mean() < 0.02


def test_a_fixed_camera_does_not_stop_the_scene(scene: tuple[Setting, Scene]) -> None:
    setting, moving = scene
    still = build(_plan(setting, camera="fixed"), _CANVAS, _TIMING, Rng("scenes", 1))
    first, last = (still.frame(index, Scratch()).copy() for index in (0, 48))
    assert _difference(first, last) > 0.2
    assert _difference(first, moving.frame(0, Scratch())) < 1, "the camera begins where it would stay"


@lru_cache(maxsize=1)
def _large(setting: Setting) -> Scene:
    """The scene of `scene` as large as the smallest video."""
    return build(_plan(setting), Canvas(864, 480), _TIMING, Rng("scenes", 1))


def test_the_sky_of_a_480p_picture_has_a_thousand_shades(scene: tuple[Setting, Scene]) -> None:
    """The upper 40 %: a gradient of whole bands would have a few dozen."""
    upper = _large(scene[0]).frame(0, Scratch())[:192].reshape(-1, 3).astype(np.uint32)
    assert len(np.unique(upper @ np.array([1 << 16, 1 << 8, 1], np.uint32))) >= 1000


def test_a_small_draft_shows_the_composition_of_the_large_picture(scene: tuple[Setting, Scene]) -> None:
    setting, small = scene
    large = _large(setting)
    for index in (0, 48):
        pictures = [small.frame(index, Scratch()).copy(), large.frame(index, Scratch()).copy()]
        tiny = [np.asarray(Image.fromarray(item).resize((40, 22)), np.float64).ravel() for item in pictures]
        assert float(np.corrcoef(tiny[0], tiny[1])[0, 1]) > 0.97


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "weather"),
    [
        (setting, WEATHERS[(3 * place + turn) % len(WEATHERS)])
        for place, setting in enumerate(SETTINGS)
        for turn in (0, 3)
    ],
)
def test_weathers_hours_seasons_and_moves_combine(setting: Setting, weather: Weather) -> None:
    position = SETTINGS.index(setting) + WEATHERS.index(weather)
    plan = ScenePlan(
        setting=setting,
        weather=weather,
        time=TIMES[position % len(TIMES)],
        season="winter" if weather == "snow" else SEASONS[position % len(SEASONS)],
        viewpoint="aerial" if position % 5 == 0 else "ground",
        camera=CAMERA_MOVES[position % len(CAMERA_MOVES)],
        colours=("ff5fa2", "22d3ee") if position % 2 else (),
    )
    canvas = (Canvas(160, 90), Canvas(90, 160), Canvas(128, 128), Canvas(196, 84))[position % 4]
    built = build(plan, canvas, Timing(24, 13), Rng("scenes", position))
    for index in (0, 12):
        frame = built.frame(index, Scratch())
        assert frame.shape == (canvas.height, canvas.width, 3)
        assert frame.dtype == np.uint8
        assert frame.std() > 4, "something can be seen"
        assert (frame.min(axis=2) >= 250).mean() < 0.25
        assert (frame.max(axis=2) <= 4).mean() < 0.6
