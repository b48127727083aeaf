import numpy as np
import pytest

from meshapi_renderer.raycast import downsample_window, gradients, hit, sun_shadow

FOCAL, HORIZON, EYE, ROWS, COLUMNS = 100.0, 40.0, 10.0, 90, 12


def cast(surface, near=10.0, far=1000.0, steps=400):
    depths = np.geomspace(near, far, steps).astype(np.float32)
    heights = surface(depths)[:, None] + np.zeros((1, COLUMNS), np.float32)
    return hit(heights.astype(np.float32), depths, FOCAL, HORIZON, EYE, ROWS)


def test_a_plain_is_struck_where_perspective_says():
    found = cast(lambda depth: np.zeros_like(depth))
    rows = found.rows[:, 0]
    below = (rows > HORIZON + 2) & (rows < HORIZON + 0.9 * FOCAL * EYE / 10.0)
    expected = FOCAL * EYE / (rows[below] - HORIZON)
    assert np.allclose(found.depth[below, 0], expected, rtol=0.02)
    assert (found.coverage[below] == 1.0).all()


def test_nothing_covers_the_sky():
    found = cast(lambda depth: np.zeros_like(depth))
    above = found.rows[:, 0] < HORIZON - 1
    assert (found.coverage[above] == 0.0).all()


def test_a_wall_hides_what_lies_behind_it():
    found = cast(lambda depth: np.where((depth > 90) & (depth < 110), 20.0, 0.0))
    wall = (found.rows[:, 0] > HORIZON - 8) & (found.rows[:, 0] < HORIZON + 8)
    assert found.depth[wall].max() < 112
    assert found.depth[wall].min() > 85


def test_rows_over_the_skyline_take_the_depth_of_the_crest():
    found = cast(lambda depth: np.where((depth > 90) & (depth < 110), 20.0, 0.0))
    assert found.depth[found.coverage < 1.0].max() < 112


def test_the_window_stays_inside_the_picture():
    found = cast(lambda depth: np.full_like(depth, 5000.0))
    assert found.top == 0
    assert found.bottom <= ROWS
    assert found.depth.shape == found.coverage.shape == (found.bottom - found.top, COLUMNS)


def test_gradients_are_those_of_a_sine():
    side = 64
    x = np.arange(side) * 2 * np.pi / side
    field = np.broadcast_to(np.sin(x)[None], (side, side)).astype(np.float32)
    along_x, along_z = gradients(field, 2 * np.pi / side)
    assert np.allclose(along_x, np.cos(x)[None], atol=0.01)
    assert np.allclose(along_z, 0, atol=1e-6)


def test_a_block_casts_its_shadow_away_from_the_sun():
    field = np.zeros((64, 64), np.float32)
    field[28:36, 28:36] = 10.0
    lit = sun_shadow(field, 1.0, 1.0, 0.0, 0.5)
    assert lit[32, 20] < 0.1
    assert lit[32, 44] > 0.9
    assert lit[10, 32] > 0.9


def test_the_shadow_ends_where_the_sun_clears_the_block():
    field = np.zeros((128, 128), np.float32)
    field[60:68, 60:68] = 10.0
    lit = sun_shadow(field, 1.0, 1.0, 0.0, 0.5, steps=20)
    assert lit[64, 60 - 12] < 0.2
    assert lit[64, 60 - 26] > 0.8


def test_averaging_keeps_colour_out_of_empty_samples():
    """A white surface over nothing stays white along its edge, only its coverage falls."""
    colour = np.ones((40, 60, 3), np.float32)
    alpha = np.zeros((40, 60), np.float32)
    alpha[15:] = 1
    lin, coverage = downsample_window(colour * alpha[..., None], alpha, 0, 40, 2.0, 30, 20)
    assert lin.shape == (20, 30, 3)
    edge = (coverage > 0.01) & (coverage < 0.99)
    assert edge.any()
    assert np.allclose(lin[coverage > 0.01], 1.0, atol=0.01)


def test_a_window_to_the_bottom_stays_solid_to_the_last_row():
    colour, alpha = np.ones((30, 60, 3), np.float32), np.ones((30, 60), np.float32)
    _, coverage = downsample_window(colour, alpha, 10, 40, 2.0, 30, 20)
    assert coverage[-1] == pytest.approx(np.ones(30))
    assert coverage[:4].max() == 0
