"""What the beach promises beyond what every scene does (see test_scenes.py)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera, margin
from meshapi_renderer.elements.coast import Coast, points_in_units, unit_pixels
from meshapi_renderer.elements.grove import plant_palms
from meshapi_renderer.plan import CAMERA_MOVES, CameraMove, ScenePlan, TimeOfDay, Weather
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing, build

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

_CANVAS = Canvas(320, 180)
_TIMING = Timing(24, 49)


def _beach(
    time: TimeOfDay = "noon",
    seed: int = 1,
    camera: CameraMove = "drift",
    weather: Weather = "clear",
    speed: float = 1.0,
) -> Scene:
    plan = ScenePlan(
        setting="beach", viewpoint="aerial", time=time, camera=camera, weather=weather, speed=speed
    )
    return build(plan, _CANVAS, _TIMING, Rng("beach", seed))


def _frame(scene: Scene, index: int) -> Bytes8:
    return scene.frame(index, Scratch()).copy()


def _inland(seed: int) -> Floats:
    """Units inland of every pixel of the first frame of the beach of ``seed``."""
    coast = Coast(Rng("beach", seed).sub("coast"))
    x, y = points_in_units(_CANVAS.height, _CANVAS.width, unit_pixels(_CANVAS))
    return coast.inland(*coast.locate(x, y))


def test_frames_drawn_by_threads_in_any_order_are_the_same_bytes() -> None:
    scene = _beach()
    order = [48, 3, 20, 0, 33]
    alone = {index: _frame(scene, index) for index in sorted(order)}
    with ThreadPoolExecutor(3) as threads:
        together = dict(zip(order, threads.map(lambda index: _frame(scene, index), order), strict=True))
    assert all(np.array_equal(alone[index], together[index]) for index in order)


def test_seeds_are_different_beaches() -> None:
    pictures = [_frame(_beach(seed=seed), 0).astype(int) for seed in range(1, 6)]
    for number, one in enumerate(pictures):
        for other in pictures[number + 1 :]:
            assert float(np.abs(one - other).mean()) > 8


def test_no_two_neighbouring_frames_are_frozen_and_none_jumps() -> None:
    scene = _beach(camera="fixed")
    frames = [_frame(scene, index).astype(int) for index in range(12, 26)]
    steps = [float(np.abs(left - right).mean()) for left, right in pairwise(frames)]
    assert min(steps) >= 0.2
    assert max(steps) < 2 * float(np.median(steps))


@pytest.mark.parametrize("time", ["golden", "noon", "night"])
def test_little_is_clipped(time: TimeOfDay) -> None:
    frame = _frame(_beach(time), 24)
    assert (frame.min(axis=2) >= 254).mean() < 0.02
    assert (frame.max(axis=2) <= 1).mean() < 0.02


def test_at_noon_the_sea_is_turquoise_and_the_sand_is_warm() -> None:
    frame, inland = _frame(_beach(seed=3), 0).astype(np.float64), _inland(3)
    sea, sand = frame[inland < -0.15].mean(0), frame[(inland > 0.06) & (inland < 0.12)].mean(0)
    assert sea[1] > 1.5 * sea[0]
    assert sea[2] > 1.5 * sea[0]
    assert sand[0] > sand[1] > sand[2]


@pytest.mark.parametrize("time", ["sunrise", "sunset"])
def test_a_low_sun_does_not_turn_the_sea_green(time: TimeOfDay) -> None:
    """The sky's warm image is mixed into the water, not multiplied with it."""
    frame, inland = _frame(_beach(time, seed=3), 0).astype(np.float64), _inland(3)
    sea = frame[inland < -0.12].mean(0)
    assert sea[1] < 1.12 * max(sea[0], sea[2])


def test_the_edge_of_the_water_runs_up_and_back() -> None:
    scene, inland = _beach(camera="fixed"), _inland(1)
    swash = np.abs(inland) < 0.02
    frames = [_frame(scene, index).astype(int) for index in (0, 16, 32, 48)]
    changes = [float(np.abs(left - right)[swash].mean()) for left, right in pairwise(frames)]
    dry = (inland > 0.06) & (inland < 0.10)
    still = [float(np.abs(left - right)[dry].mean()) for left, right in pairwise(frames)]
    assert min(changes) > 10
    assert min(changes) > 4 * max(still)


def test_a_storm_breaks_more_waves_than_a_calm_day() -> None:
    inland = _inland(5)
    surf = (inland < -0.03) & (inland > -0.20)
    white = []
    for weather in ("overcast", "storm"):
        frame = _frame(_beach(seed=5, weather=weather), 20)
        level = frame.astype(np.float64).mean(2)[surf]
        white.append(float((level > 1.5 * np.median(level)).mean()))
    assert white[1] > 1.5 * white[0]


def test_snow_lies_on_the_land_but_not_on_the_sea() -> None:
    inland = _inland(2)
    clear, snowy = (
        _frame(_beach(seed=2, weather=weather), 0).astype(np.float64) for weather in ("clear", "snow")
    )
    land, sea = inland > 0.14, inland < -0.10

    def warmth(frame: Floats, where: NDArray[np.bool_]) -> float:
        return float(frame[where][:, 0].mean() - frame[where][:, 2].mean())

    assert warmth(clear, land) > 40
    assert warmth(snowy, land) < 5
    assert warmth(snowy, sea) < -20


@pytest.mark.parametrize("move", CAMERA_MOVES)
def test_no_corner_stays_unpainted_under_any_move(move: CameraMove) -> None:
    """Beyond the painted margin the outermost pixels would repeat: the borders must hold texture instead."""
    scene = _beach(camera=move, speed=1.6)
    for index in (24, 48):
        frame = _frame(scene, index).astype(int)
        for strip in (frame[:, :6], frame[:, -6:]):
            assert (np.abs(np.diff(strip, axis=1)).sum(2) > 0).mean() > 0.3
        for strip in (frame[:6], frame[-6:]):
            assert (np.abs(np.diff(strip, axis=0)).sum(2) > 0).mean() > 0.3


@pytest.mark.parametrize("move", CAMERA_MOVES)
def test_ground_and_canopy_reach_beyond_the_frame_under_the_fastest_move(move: CameraMove) -> None:
    for canvas in (Canvas(640, 360), Canvas(360, 640), Canvas(420, 180)):
        border = margin(canvas)
        camera = Camera(move, 1.6, _TIMING, canvas)
        for depth in (1.30, 1.10):
            matrix = camera.matrix(camera.pose(48), depth, border)
            scale, left, top = float(matrix[0, 0]), float(matrix[0, 2]), float(matrix[1, 2])
            assert max(left, top) <= 0
            assert left + scale * (canvas.width + 2 * border) >= canvas.width
            assert top + scale * (canvas.height + 2 * border) >= canvas.height


def test_a_small_draft_shows_the_beach_of_the_large_picture() -> None:
    plan = ScenePlan(setting="beach", viewpoint="aerial", time="noon", camera="push")
    tiny = []
    for canvas in (Canvas(432, 240), Canvas(960, 540)):
        frame = _frame(build(plan, canvas, _TIMING, Rng("beach", 4)), 48)
        tiny.append(np.asarray(Image.fromarray(frame).resize((64, 36)), np.float64).ravel())
    assert float(np.corrcoef(tiny[0], tiny[1])[0, 1]) > 0.985


@pytest.mark.parametrize(("width", "height"), [(320, 180), (180, 320), (240, 240), (336, 144)])
def test_sea_and_land_share_the_picture_in_every_ratio(width: int, height: int) -> None:
    plan = ScenePlan(setting="beach", viewpoint="aerial", time="noon")
    for seed in (1, 2, 3):
        scene = build(plan, Canvas(width, height), _TIMING, Rng("beach", seed))
        frame = _frame(scene, 0).astype(np.float64)
        blue = (frame[..., 2] > 1.15 * frame[..., 0]).mean()
        assert 0.15 < blue < 0.70


def test_palms_stand_on_land_and_apart() -> None:
    coast = Coast(Rng("grove"))
    palms = plant_palms(coast, Rng("palms"), 0.6, 0.4, 40)
    assert len(palms) > 8
    for number, palm in enumerate(palms):
        here = coast.locate(np.full((1, 1), palm.x, np.float32), np.full((1, 1), palm.y, np.float32))
        assert float(coast.inland(*here)[0, 0]) > 0.14
        for other in palms[number + 1 :]:
            gap = np.hypot(palm.x - other.x, palm.y - other.y)
            assert gap > 0.6 * (palm.radius + other.radius)
