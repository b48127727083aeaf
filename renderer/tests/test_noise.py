import numpy as np
import pytest

from meshapi_renderer.imaging import Torus, enlarge
from meshapi_renderer.noise import (
    fbm,
    line_noise,
    perlin,
    remap,
    rotated_perlin,
    value_noise,
    warp,
    wrap_blur,
)
from meshapi_renderer.rng import Rng

GENERATORS = {
    "value": lambda side, rng: value_noise(side, side, 6, 6, rng),
    "perlin": lambda side, rng: perlin(side, side, 6, 6, rng),
    "rotated": lambda side, rng: rotated_perlin(side, 6, rng, 1),
    "fbm": lambda side, rng: fbm(side, side, 4, 5, rng),
    "ridge": lambda side, rng: fbm(side, side, 4, 5, rng, ridge=True),
}


@pytest.fixture(params=sorted(GENERATORS))
def generator(request):
    return GENERATORS[request.param]


def test_noise_tiles_without_a_seam(generator):
    """The step across the edge is no larger than the steps inside."""
    field = generator(96, Rng(1))
    inside_x, inside_y = np.abs(np.diff(field, axis=1)).max(), np.abs(np.diff(field, axis=0)).max()
    assert np.abs(field[:, 0] - field[:, -1]).max() <= inside_x * 1.05
    assert np.abs(field[0] - field[-1]).max() <= inside_y * 1.05


def test_noise_is_about_zero_to_one(generator):
    field = generator(96, Rng(2))
    assert field.dtype == np.float32
    assert field.min() > -0.25
    assert field.max() < 1.25
    assert field.max() - field.min() > 0.3


def test_noise_repeats_for_a_key_and_differs_between_keys(generator):
    first, again, other = (generator(64, Rng(key)) for key in (3, 3, 4))
    assert np.array_equal(first, again)
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.5


@pytest.mark.parametrize("name", ["value", "perlin", "fbm"])
def test_a_small_and_a_large_sampling_show_the_same_noise(name):
    small, large = GENERATORS[name](60, Rng(5)), GENERATORS[name](240, Rng(5))
    shrunk = large.reshape(60, 4, 60, 4).mean((1, 3))
    assert np.corrcoef(small.ravel(), shrunk.ravel())[0, 1] > 0.99


def test_fbm_uses_up_one_draw_whatever_its_size():
    small, large = Rng("s"), Rng("s")
    fbm(16, 16, 4, 8, small)
    fbm(256, 256, 4, 8, large)
    assert small.u() == large.u()


def test_octaves_too_fine_to_show_do_not_change_the_brightness():
    coarse, fine = fbm(32, 32, 4, 9, Rng(6)), fbm(512, 512, 4, 9, Rng(6))
    assert coarse.mean() == pytest.approx(fine.mean(), abs=0.02)


def test_line_noise_is_a_tileable_line():
    line = line_noise(200, 4, 4, Rng(7))
    assert line.shape == (200,)
    assert abs(line[0] - line[-1]) <= np.abs(np.diff(line)).max() * 1.05


def test_wrap_blur_keeps_the_mean_and_wraps():
    field = np.zeros((32, 32), np.float32)
    field[0, 0] = 1.0
    blurred = wrap_blur(field, 2.0)
    assert blurred.sum() == pytest.approx(1.0, rel=1e-3)
    assert blurred[-1, -1] == pytest.approx(blurred[1, 1], rel=1e-4)


def test_warp_by_whole_pixels_rolls_the_torus():
    field = fbm(48, 48, 4, 4, Rng(8))
    moved = warp(field, 5.0, -3.0)
    assert np.allclose(moved, np.roll(field, (3, -5), (0, 1)), atol=1e-6)


def test_a_torus_agrees_with_wrapping_look_ups_far_outside():
    texture = Rng(9).u(32, 48, 3)
    x, y = Rng(10).uniform(-500, 500, 20, 30), Rng(11).uniform(-500, 500, 20, 30)
    # OpenCV rounds coordinates to 1/32 pixel after its own folding: compare on that grid.
    x, y = np.round(x * 32) / np.float32(32), np.round(y * 32) / np.float32(32)
    wrapped = remap(np.ascontiguousarray(texture), np.mod(x, 48), np.mod(y, 32))
    assert np.allclose(Torus(texture).at(x, y), wrapped, atol=2e-2)


def test_a_torus_returns_the_channels_it_was_given():
    at = np.zeros((4, 5), np.float32)
    assert Torus(np.zeros((8, 8), np.float32)).at(at, at).shape == (4, 5)
    for channels in (2, 3, 4):
        assert Torus(np.zeros((8, 8, channels), np.uint8)).at(at, at).shape == (4, 5, channels)


def test_enlarging_keeps_every_small_pixel_over_its_large_ones():
    small = np.arange(12, dtype=np.float32).reshape(3, 4)
    full = enlarge(small, 3, 11, 8)
    assert full.shape == (8, 11)
    assert np.allclose(full[1::3, 1::3], small[:3, :4][: full[1::3].shape[0]])
