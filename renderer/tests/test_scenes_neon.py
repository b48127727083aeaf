"""What the ribbons of light promise beyond what every scene does (see test_scenes.py)."""

from __future__ import annotations

import colorsys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera
from meshapi_renderer.colour import linear, rgb
from meshapi_renderer.elements.gloss import GlossyFloor
from meshapi_renderer.elements.ribbons import Placement, add_silk, curves, draw_threads, scatter_ribbons
from meshapi_renderer.elements.softlight import Enlarger, grid_canvas
from meshapi_renderer.plan import CAMERA_MOVES, CameraMove, ScenePlan, TimeOfDay
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing, build

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

_CANVAS = Canvas(320, 180)
_TIMING = Timing(24, 49)
_HORIZON = round(0.655 * _CANVAS.height)


def _neon(
    time: TimeOfDay = "night", seed: int = 1, camera: CameraMove = "drift", colours: tuple[str, ...] = ()
) -> Scene:
    plan = ScenePlan(setting="neon", time=time, camera=camera, colours=colours, speed=1.6)
    return build(plan, _CANVAS, _TIMING, Rng("neon", seed))


def _frame(scene: Scene, index: int) -> Bytes8:
    return scene.frame(index, Scratch()).copy()


def _saturation(pixels: Floats) -> float:
    top = pixels.max(-1)
    return float(((top - pixels.min(-1)) / np.maximum(top, 1)).mean())


def test_frames_drawn_by_threads_in_any_order_are_the_same_bytes() -> None:
    scene = _neon()
    order = [48, 3, 20, 0, 33]
    alone = {index: _frame(scene, index) for index in sorted(order)}
    with ThreadPoolExecutor(3) as threads:
        together = dict(zip(order, threads.map(lambda index: _frame(scene, index), order), strict=True))
    assert all(np.array_equal(alone[index], together[index]) for index in order)


def test_nine_seeds_are_nine_pictures() -> None:
    pictures = [_frame(_neon(seed=seed), 0).astype(int) for seed in range(1, 10)]
    for number, one in enumerate(pictures):
        for other in pictures[number + 1 :]:
            assert float(np.abs(one - other).mean()) > 5


@pytest.mark.parametrize("camera", ["fixed", "orbit"])
def test_no_two_neighbouring_frames_are_frozen_and_none_jumps(camera: CameraMove) -> None:
    scene = _neon(camera=camera)
    frames = [_frame(scene, index).astype(int) for index in range(12, 26)]
    steps = [float(np.abs(left - right).mean()) for left, right in pairwise(frames)]
    assert min(steps) >= 0.2
    assert max(steps) < 2 * float(np.median(steps))


@pytest.mark.parametrize("time", ["sunrise", "golden", "noon", "sunset", "dusk", "night"])
def test_little_is_clipped_at_any_hour(time: TimeOfDay) -> None:
    frame = _frame(_neon(time), 24)
    assert (frame.min(axis=2) >= 254).mean() < 0.02
    assert (frame.max(axis=2) <= 1).mean() < 0.02


def test_the_dark_backdrop_shows_no_bands() -> None:
    plan = ScenePlan(setting="neon", time="night")
    frame = _frame(build(plan, Canvas(864, 480), _TIMING, Rng("neon", 1)), 0)
    upper = frame[: round(0.4 * 480)].reshape(-1, 3)
    assert len(np.unique(upper, axis=0)) >= 1000


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_mirror_image_is_as_colourful_as_the_ribbons(seed: int) -> None:
    frame = _frame(_neon(seed=seed), 0).astype(np.float64)
    above, below = frame[: _HORIZON - 4], frame[_HORIZON + 8 :]
    assert _saturation(below) > 0.9 * _saturation(above)


@pytest.mark.parametrize("wish", ["ff4000", "00c8ff", "30ff30"])
def test_a_wished_colour_rules_the_picture(wish: str) -> None:
    frame = _frame(_neon(colours=(wish,)), 0).astype(np.float64)
    light = frame.reshape(-1, 3)[frame.max(2).ravel() > 90].mean(0) / 255
    red, green, blue = (int(wish[i : i + 2], 16) / 255 for i in (0, 2, 4))
    hue, wished = colorsys.rgb_to_hsv(*light)[0], colorsys.rgb_to_hsv(red, green, blue)[0]
    assert min(abs(hue - wished), 1 - abs(hue - wished)) < 0.14


def test_a_wish_for_black_still_shines() -> None:
    assert _frame(_neon(colours=("000000",)), 0).max() > 80


@pytest.mark.parametrize("move", CAMERA_MOVES)
def test_threads_reach_both_sides_of_the_frame_under_the_fastest_move(move: CameraMove) -> None:
    ribbons = scatter_ribbons(Rng("ends"), (rgb(1, 0, 0), rgb(0, 1, 0), rgb(0, 0, 1)))
    for canvas in (Canvas(320, 180), Canvas(180, 320)):
        camera = Camera(move, 1.6, _TIMING, canvas, horizon=0.655)
        for ribbon in ribbons:
            picture = np.zeros((canvas.height, canvas.width, 3), np.uint8)
            placement = Placement(*camera.scale_shift(camera.pose(48), ribbon.depth))
            draw_threads(picture, ribbon, canvas, placement, 1.0, Scratch())
            assert picture[:, 0].max() > 20
            assert picture[:, -1].max() > 20


def test_a_small_draft_shows_the_ribbons_of_the_large_picture() -> None:
    plan = ScenePlan(setting="neon", time="night", camera="push")
    tiny = []
    for canvas in (Canvas(432, 240), Canvas(960, 540)):
        frame = _frame(build(plan, canvas, _TIMING, Rng("neon", 4)), 48)
        tiny.append(np.asarray(Image.fromarray(frame).resize((64, 36)), np.float64).ravel())
    assert float(np.corrcoef(tiny[0], tiny[1])[0, 1]) > 0.985
    assert abs(float(tiny[0].mean() - tiny[1].mean())) < 8


def test_the_edges_of_a_ribbon_cross_where_it_twists() -> None:
    (ribbon,) = scatter_ribbons(Rng("twist"), (rgb(1, 0, 0), rgb(0, 0, 1)), 1)
    along = np.linspace(-2, 2, 400, dtype=np.float32)[None]
    edges = curves(ribbon, along, np.array([[-1.0], [1.0]], np.float32), 0.0)
    gap = edges[1] - edges[0]
    assert float(gap.min()) < 0 < float(gap.max())


def test_silk_keeps_its_light_whatever_the_grid() -> None:
    """The mean light of a ribbon's surface does not depend on the number of cells it falls on."""
    ribbons = scatter_ribbons(Rng("silk"), (rgb(1, 0, 0), rgb(0, 0, 1)), 2)
    means = []
    for grid in (Canvas(192, 108), Canvas(384, 216)):
        light = np.zeros((3, grid.height, grid.width), np.float32)
        for ribbon in ribbons:
            add_silk(light, ribbon, grid, Placement(1.0, 0.0, 0.0), 0.0)
        means.append(light.mean((1, 2)))
    assert np.allclose(means[0], means[1], rtol=0.08)


def test_the_floor_mirrors_a_light_straight_below_it() -> None:
    light = np.full((120, 160, 3), 0.001, np.float32)
    light[60:66, 40:48] = linear("00e5ff") * 4
    floor = GlossyFloor(Rng("floor"), rgb(0.004, 0.004, 0.008), 0.2)
    laid = floor.lay(light, 80.0, 80.0, 0.0, 0.0)
    below = laid[82:].sum(2)
    row, column = np.unravel_index(int(below.argmax()), below.shape)
    assert abs(int(column) - 44) <= 3
    assert abs(int(row) + 82 - 97) <= 4
    assert np.array_equal(laid[:79], light[:79])


def test_enlarged_light_averages_to_itself() -> None:
    canvas = Canvas(640, 360)
    grid = grid_canvas(canvas)
    shown = Enlarger(canvas).bytes(np.full((grid.height, grid.width, 3), 0.2, np.float32), Scratch())
    assert shown.shape == (360, 640, 3)
    assert int(shown.max()) - int(shown.min()) <= 1
