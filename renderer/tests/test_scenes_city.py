"""What the city promises beyond what every scene does (see test_scenes.py)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera, margin
from meshapi_renderer.colour import linear
from meshapi_renderer.elements.city_light import city_light
from meshapi_renderer.elements.facade import Lattice, lit_panes, panes
from meshapi_renderer.elements.neon_signs import sign_light
from meshapi_renderer.elements.skyline import PLANES, raise_skyline, reference_unit
from meshapi_renderer.plan import CAMERA_MOVES, CameraMove, ScenePlan, TimeOfDay
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing, build

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

_CANVAS = Canvas(320, 180)
_TIMING = Timing(24, 49)
_WATERLINE = 0.63


def _city(
    time: TimeOfDay = "night", seed: int = 1, camera: CameraMove = "drift", colours: tuple[str, ...] = ()
) -> Scene:
    plan = ScenePlan(setting="city", time=time, camera=camera, colours=colours)
    return build(plan, _CANVAS, _TIMING, Rng("city", seed))


def _frame(scene: Scene, index: int) -> Bytes8:
    return scene.frame(index, Scratch()).copy()


def _brightness(frame: Bytes8) -> Floats:
    return np.asarray(frame.mean(axis=2), np.float32)


def test_frames_drawn_by_threads_in_any_order_are_the_same_bytes() -> None:
    scene = _city()
    order = [48, 3, 20, 0, 33]
    alone = {index: _frame(scene, index) for index in sorted(order)}
    with ThreadPoolExecutor(3) as threads:
        together = dict(zip(order, threads.map(lambda index: _frame(scene, index), order), strict=True))
    assert all(np.array_equal(alone[index], together[index]) for index in order)


def test_nine_seeds_are_nine_cities() -> None:
    skylines = [_brightness(_frame(_city(seed=seed), 0))[:110] for seed in range(1, 10)]
    for number, one in enumerate(skylines):
        for other in skylines[number + 1 :]:
            assert float(np.abs(one - other).mean()) > 5


def test_no_two_neighbouring_frames_are_frozen_and_none_jumps() -> None:
    scene = _city(camera="fixed")
    frames = [_frame(scene, index).astype(int) for index in range(12, 26)]
    steps = [float(np.abs(left - right).mean()) for left, right in pairwise(frames)]
    assert min(steps) >= 0.2
    assert max(steps) < 2 * float(np.median(steps))


@pytest.mark.parametrize("time", ["noon", "sunset", "night"])
def test_little_is_clipped(time: TimeOfDay) -> None:
    frame = _frame(_city(time), 24)
    assert (frame.min(axis=2) >= 254).mean() < 0.02
    assert (frame.max(axis=2) <= 1).mean() < 0.02


def test_the_water_mirrors_the_towers_above_it() -> None:
    """Column by column, the brightness of the water follows that of the city it mirrors."""
    light = _brightness(_frame(_city(camera="fixed"), 0))
    row = round(_WATERLINE * _CANVAS.height)
    towers, mirror = light[row - 50 : row - 4].mean(0), light[row + 4 : row + 50].mean(0)
    assert float(np.corrcoef(towers, mirror)[0, 1]) > 0.7


def test_by_night_windows_and_neon_outshine_the_sky_and_by_day_the_sky_outshines_the_towers() -> None:
    night, noon = (_brightness(_frame(_city(time), 0)) for time in ("night", "noon"))
    assert night[80:110].mean() > 2 * night[:30].mean()
    assert noon[80:110].mean() < noon[40:70].mean() * 1.15
    assert noon.mean() > 1.5 * night.mean()


def test_a_wished_colour_tints_the_neon() -> None:
    green, red = (_frame(_city(colours=(colour,)), 0).astype(np.float64) for colour in ("00ff40", "ff2010"))
    assert green[..., 1].mean() > 1.1 * green[..., 0].mean()
    assert red[..., 0].mean() > 1.1 * red[..., 1].mean()


def test_wished_neon_keeps_its_hue() -> None:
    plan = ScenePlan(setting="city", time="night", colours=("208040",))
    (neon,) = city_light(plan, Rng("light")).neon_colours
    wished = linear("208040")
    assert np.allclose(neon / neon.max(), wished / wished.max(), atol=1e-5)


@pytest.mark.parametrize("move", CAMERA_MOVES)
def test_every_plane_reaches_beyond_the_frame_under_the_fastest_move(move: CameraMove) -> None:
    for canvas in (Canvas(640, 360), Canvas(360, 640), Canvas(420, 180)):
        border = margin(canvas)
        camera = Camera(move, 1.6, _TIMING, canvas, horizon=0.60)
        for index in (0, 24, 48):
            for plane in PLANES:
                matrix = camera.matrix(camera.pose(index), plane.depth, border)
                scale, left, top = float(matrix[0, 0]), float(matrix[0, 2]), float(matrix[1, 2])
                assert left <= 0
                assert left + scale * (canvas.width + 2 * border) >= canvas.width
                assert top <= 0
                assert top + scale * (canvas.height + 2 * border) >= canvas.height


def test_a_small_draft_shows_the_city_of_the_large_picture() -> None:
    plan = ScenePlan(setting="city", time="night", camera="push")
    tiny = []
    for canvas in (Canvas(432, 240), Canvas(960, 540)):
        frame = _frame(build(plan, canvas, _TIMING, Rng("city", 4)), 48)
        tiny.append(np.asarray(Image.fromarray(frame).resize((64, 36)), np.float64).ravel())
    assert float(np.corrcoef(tiny[0], tiny[1])[0, 1]) > 0.97


@pytest.mark.parametrize(("width", "height"), [(320, 180), (180, 320), (240, 240), (336, 144)])
def test_towers_stand_over_the_whole_width_in_every_ratio(width: int, height: int) -> None:
    canvas = Canvas(width, height)
    unit = reference_unit(canvas)
    half, room = 0.5 * (width + 2 * margin(canvas)) / unit, 0.6 * height / unit
    for index, spec in enumerate(PLANES):
        towers = raise_skyline(spec, index, half, room, 0.5, Rng("skyline", index))
        assert min(tower.left for tower in towers) < -half
        assert max(tower.right for tower in towers) > half
        assert all(0 < tower.height < room for tower in towers)


def test_windows_average_to_the_same_light_at_every_size() -> None:
    rng = Rng("windows")
    values = rng.u(9, 7, 2)
    means = []
    for pixels in (16, 90, 400):
        rows = Lattice(0.0, pixels / 9, 0.5, 9)
        columns = Lattice(0.0, pixels / 7, 0.6, 7)
        window = slice(0, pixels), slice(0, pixels)
        means.append(lit_panes(rows, columns, values, window).mean((0, 1)))
        assert float(panes(rows, columns, window).mean()) == pytest.approx(0.3, abs=1e-3)
    assert np.allclose(means[0], means[1], atol=1e-3)
    assert np.allclose(means[0], values.mean((0, 1)) * 0.3, atol=1e-3)


def test_a_tower_without_a_sign_has_no_sign_to_light() -> None:
    towers = raise_skyline(PLANES[0], 0, 200.0, 300.0, 0.0, Rng("unsigned"))
    window = slice(0, 10), slice(0, 10)
    with pytest.raises(ValueError, match="carries no sign"):
        sign_light(towers[0], (linear("ff0000"),), (0.0, 9.0, 0.0, 9.0, 6.0), window, 1.0)
