import math

import numpy as np
import pytest

from meshapi_renderer.camera import STILL, Camera, margin
from meshapi_renderer.plan import CAMERA_MOVES
from meshapi_renderer.scene import Canvas, Timing

RATIOS = [(864, 480), (480, 864), (640, 640), (752, 560), (560, 752), (992, 432)]
TIMING = Timing(24, 121)
WIDE = Canvas(864, 480)


def camera(move, canvas=WIDE, speed=1.0, fixed=False):
    return Camera(move, speed, TIMING, canvas, fixed, horizon=0.56)


@pytest.mark.parametrize("move", CAMERA_MOVES)
def test_every_move_starts_at_rest(move):
    assert camera(move).pose(0) == STILL


@pytest.mark.parametrize("move", CAMERA_MOVES)
def test_a_fixed_camera_never_moves(move):
    fixed = camera(move, fixed=True)
    assert all(fixed.pose(index) == STILL for index in (0, 60, 120))


@pytest.mark.parametrize("move", [move for move in CAMERA_MOVES if move != "fixed"])
@pytest.mark.parametrize("ratio", RATIOS)
def test_no_move_reaches_beyond_the_painted_margin(move, ratio):
    """At the end of the fastest move every corner of the frame still shows a painted pixel."""
    canvas = Canvas(*ratio)
    fastest = camera(move, canvas, speed=1.6)
    edge = margin(canvas)
    padded = (canvas.width + 2 * edge, canvas.height + 2 * edge)
    for depth in (1.0, 2.0, 8.0, math.inf):
        matrix = fastest.matrix(fastest.pose(120), depth, edge)
        corners = np.array([[0, 0], [canvas.width - 1, canvas.height - 1]], float)
        on_layer = (corners - matrix[:, 2]) / matrix[0, 0]
        assert (on_layer >= 0).all()
        assert (on_layer <= np.array(padded) - 1).all()


def test_the_nearest_plane_drifts_three_percent_and_the_sky_hardly():
    drifting = camera("drift")
    end = drifting.pose(120)
    near, _ = drifting.project(end, 1.0, 432.0, 240.0)
    sky, _ = drifting.project(end, math.inf, 432.0, 240.0)
    assert abs(near - 432) >= 0.03 * 864
    assert abs(sky - 432) < 0.005 * 864


@pytest.mark.parametrize("move", ["pan_left", "pan_right", "tilt_up", "tilt_down"])
def test_turning_the_camera_moves_even_the_sky(move):
    turning = camera(move)
    x, y = turning.project(turning.pose(120), math.inf, 432.0, 240.0)
    assert math.hypot(x - 432, y - 240) > 0.02 * 480


def test_panning_right_moves_the_picture_left_and_tilting_up_moves_it_down():
    right, up = camera("pan_right"), camera("tilt_up")
    assert right.project(right.pose(120), 5.0, 432.0, 240.0)[0] < 432
    assert up.project(up.pose(120), 5.0, 432.0, 240.0)[1] > 240


def test_pushing_in_enlarges_the_near_more_than_the_far():
    pushing = camera("push")
    pose = pushing.pose(120)
    assert pushing.scale_shift(pose, 1.0)[0] > pushing.scale_shift(pose, 6.0)[0] > 1.0


def test_matrix_and_projection_agree():
    moving = camera("orbit")
    pose = moving.pose(77)
    matrix = moving.matrix(pose, 3.0, 20)
    x, y = moving.project(pose, 3.0, 100.0, 50.0)
    assert matrix @ (120.0, 70.0, 1.0) == pytest.approx([x, y])


def test_a_move_never_stands_still_nor_leaps():
    pushing = camera("push")
    zooms = [pushing.pose(index).zoom for index in range(121)]
    steps = np.diff(zooms)
    assert steps.min() > 0
    assert steps.max() < 2 * np.median(steps)


def test_speed_scales_the_move():
    slow, normal = camera("push", speed=0.5), camera("push")
    assert slow.pose(120).zoom == pytest.approx(0.5 * normal.pose(120).zoom)
