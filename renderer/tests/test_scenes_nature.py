"""What lake, dunes and forest promise beyond the promises of all scenes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import pytest

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.plan import CameraMove, ScenePlan, Season, Setting, TimeOfDay, Weather
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing, build

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

_TIMING = Timing(24, 49)
_WIDE = Canvas(320, 180)
_PLANS: dict[str, ScenePlan] = {
    "lake sunrise": ScenePlan(setting="lake", time="sunrise"),
    "lake night": ScenePlan(setting="lake", time="night", camera="fixed"),
    "dunes night": ScenePlan(setting="dunes", time="night"),
    "dunes noon": ScenePlan(setting="dunes", time="noon", camera="fixed"),
    "forest snow": ScenePlan(setting="forest", time="noon", weather="snow", season="winter"),
    "forest summer": ScenePlan(setting="forest", time="noon", season="summer", camera="fixed"),
    "forest autumn": ScenePlan(setting="forest", time="golden", season="autumn", camera="push"),
}
_NATURE: tuple[Setting, ...] = ("lake", "dunes", "forest")


@lru_cache(maxsize=16)
def _scene(name: str) -> Scene:
    return build(_PLANS[name], _WIDE, _TIMING, Rng("nature", 1))


def _frame(name: str, index: int) -> Bytes8:
    return _scene(name).frame(index, Scratch()).copy()


def _difference(left: Bytes8, right: Bytes8) -> float:
    return float(np.abs(left.astype(int) - right).mean())


@pytest.mark.parametrize("name", _PLANS)
def test_light_is_neither_burnt_out_nor_black(name: str) -> None:
    frame = _frame(name, 20)
    assert (frame.min(axis=2) >= 250).mean() < 0.02
    assert (frame.max(axis=2) <= 4).mean() < 0.02


@pytest.mark.parametrize("name", _PLANS)
def test_the_sky_has_many_shades_and_no_bands(name: str) -> None:
    """The top 40 % holds far more colours than a banded gradient of its rows would."""
    top = _frame(name, 20)[:72].reshape(-1, 3)
    assert len(np.unique(top, axis=0)) > 600


@pytest.mark.parametrize("name", _PLANS)
def test_no_two_neighbouring_frames_are_the_same(name: str) -> None:
    for index in (0, 23, 47):
        assert _difference(_frame(name, index), _frame(name, index + 1)) > 0.02


@pytest.mark.parametrize("name", ["lake sunrise", "dunes night", "forest snow"])
def test_frames_drawn_at_once_on_threads_are_the_frames_drawn_alone(name: str) -> None:
    indices = [40, 3, 17, 3, 40, 28]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda index: _frame(name, index), indices))
    for index, frame in zip(indices, together, strict=True):
        assert np.array_equal(frame, _frame(name, index))


def test_under_a_fixed_camera_the_mountains_stand_while_the_water_runs() -> None:
    first, last = _frame("lake night", 0), _frame("lake night", 48)
    mountains, water = np.s_[72:96], np.s_[110:]
    assert (first[mountains] == last[mountains]).mean() > 0.95
    assert _difference(first[water], last[water]) > 1.0


def test_under_a_fixed_camera_the_dunes_keep_their_skyline() -> None:
    """Clouds, their shadows and blown sand move; the edge between sky and sand does not."""
    first, last = (_frame("dunes noon", index).astype(int) for index in (0, 48))

    def skyline(frame: np.ndarray) -> np.ndarray:
        blue_over_red = frame[60:130, :, 2] - frame[60:130, :, 0]
        return np.argmax(blue_over_red < 0, axis=0)

    assert np.abs(skyline(first) - skyline(last)).mean() < 0.75


def test_the_lake_mirrors_what_stands_over_it() -> None:
    """Under the waterline, columns are as bright as the land and sky above them, mirrored."""
    frame = _frame("lake sunrise", 0).astype(float).mean(2)
    waterline = round(180 * 0.56 + 0.95 * 320 * 10 / 1500)
    above = frame[waterline - 50 : waterline - 4][::-1]
    below = frame[waterline + 4 : waterline + 50]
    smooth = np.ones(9) / 9
    columns = [np.convolve(part.mean(0), smooth, "valid") for part in (above, below)]
    # The near bank with its pines stands before one side of the water.
    left, right = (
        np.corrcoef(columns[0][half], columns[1][half])[0, 1] for half in (np.s_[:150], np.s_[160:])
    )
    assert max(left, right) > 0.7


def _points_of_light(frame: Bytes8) -> int:
    """Pixels of the upper sky much brighter than those two steps away."""
    sky = frame[:60].max(2).astype(float)
    around = (np.roll(sky, 2, 0) + np.roll(sky, -2, 0) + np.roll(sky, 2, 1) + np.roll(sky, -2, 1)) / 4
    return int(((sky - around)[4:-4, 4:-4] > 40).sum())


def test_stars_come_out_at_night_and_only_then() -> None:
    assert _points_of_light(_frame("dunes night", 10)) > 60
    assert _points_of_light(_frame("dunes noon", 10)) < 20


def test_the_forest_wears_its_season() -> None:
    snow, summer, autumn = (
        _frame(name, 0)[110:].astype(float) for name in ("forest snow", "forest summer", "forest autumn")
    )
    assert snow.mean() > 1.4 * summer.mean()
    assert summer[..., 1].mean() > 1.2 * summer[..., 0].mean()
    assert autumn[..., 0].mean() > 1.2 * autumn[..., 1].mean()


@pytest.mark.parametrize("weather", ["snow", "rain"])
def test_what_falls_moves_more_than_the_dry_wood(weather: Weather) -> None:
    steps = []
    for air in (weather, "overcast"):
        plan = ScenePlan(setting="forest", time="noon", weather=air, camera="fixed")  # type: ignore[arg-type]
        scene = build(plan, Canvas(160, 90), _TIMING, Rng("nature", 2))
        first, second = (scene.frame(index, Scratch()).copy() for index in (10, 11))
        steps.append(_difference(first, second))
    assert steps[0] > 2 * steps[1]


@pytest.mark.slow
@pytest.mark.parametrize("setting", _NATURE)
@pytest.mark.parametrize(
    ("move", "size"),
    [
        ("pull", (160, 90)),
        ("pull", (90, 160)),
        ("tilt_down", (128, 128)),
        ("tilt_up", (90, 160)),
        ("pan_left", (196, 84)),
        ("pan_right", (160, 90)),
        ("orbit", (104, 140)),
    ],
)
def test_no_move_uncovers_an_unpainted_pixel(
    setting: Setting, move: CameraMove, size: tuple[int, int]
) -> None:
    """Frames are drawn over magenta, at the end of the fastest move: none of it may show."""
    canvas = Canvas(*size)
    plan = ScenePlan(setting=setting, time="noon", camera=move, speed=1.6)
    scene = build(plan, canvas, _TIMING, Rng("nature", 3))
    scratch = Scratch()
    for index in (24, 48):
        scratch.array("frame", (canvas.height, canvas.width, 3))[...] = (255, 0, 255)
        frame = scene.frame(index, scratch).astype(int)
        assert not ((frame[..., 0] > 200) & (frame[..., 1] < 60) & (frame[..., 2] > 200)).any()
        edge = np.concatenate([frame[0], frame[-1], frame[:, 0], frame[:, -1]])
        assert (edge.max(1) > 3).all(), "nor the black outside of a layer"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "time", "season"),
    [("lake", "sunset", "summer"), ("dunes", "golden", "summer"), ("forest", "noon", "winter")],
)
def test_a_480p_draft_shows_the_picture_of_the_large_final(
    setting: Setting, time: TimeOfDay, season: Season
) -> None:
    plan = ScenePlan(setting=setting, time=time, season=season, weather="clear")
    small, large = (
        build(plan, Canvas(width, height), _TIMING, Rng("nature", 4)).frame(30, Scratch()).copy()
        for width, height in ((384, 216), (960, 540))
    )
    blocks = [
        frame.astype(float).mean(2).reshape(27, frame.shape[0] // 27, 48, frame.shape[1] // 48).mean((1, 3))
        for frame in (small, large)
    ]
    assert np.corrcoef(blocks[0].ravel(), blocks[1].ravel())[0, 1] > 0.98
