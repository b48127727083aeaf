import numpy as np
import pytest

from meshapi_renderer.layers import Layer, covered_from, draw_stack, hidden_rows, open_columns, swayed
from meshapi_renderer.noise import fbm, line_noise
from meshapi_renderer.rng import Rng

WIDTH, HEIGHT, MARGIN = 160, 96, 14
PADDED = (HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN)


def hills(key, level, holes=False):
    """A layer in the shape the scenes use: nothing, a ragged edge, then solid to the bottom."""
    rng = Rng("hills", key)
    profile = PADDED[0] * (level + 0.3 * (line_noise(PADDED[1], 5, 4, rng) - 0.5))
    rows = np.arange(PADDED[0], dtype=np.float32)[:, None]
    alpha = np.clip((rows - profile[None]) / 3, 0, 1)
    if holes:
        alpha = alpha * (fbm(*PADDED, 6, 3, rng) > 0.45)
    colour = np.dstack([fbm(*PADDED, 5, 4, rng) for _ in range(3)])
    return Layer.from_linear(colour, alpha, 2.0, MARGIN), colour, alpha


def at_rest(scale=1.0, right=0.0, down=0.0):
    return np.array([[scale, 0.0, right - scale * MARGIN], [0.0, scale, down - scale * MARGIN]])


def background():
    return (Rng("back").u(HEIGHT, WIDTH, 3) * 255).astype(np.uint8)


def test_a_layer_at_rest_is_blended_as_over_says():
    layer, colour, alpha = hills(1, 0.5, holes=True)
    frame, behind = background(), background()
    layer.draw(frame, at_rest())
    inner = np.s_[MARGIN:-MARGIN, MARGIN:-MARGIN]
    opaque = Layer.from_linear(colour, np.ones_like(alpha), 2.0, MARGIN)
    solid = background()
    opaque.draw(solid, at_rest())
    share = alpha[inner][..., None]
    expected = solid * share + behind * (1 - share)
    assert np.abs(frame - expected).max() <= 3.0


def test_empty_layers_leave_the_frame_alone():
    empty = Layer(np.zeros((*PADDED, 3), np.uint8), np.full(PADDED, 255, np.uint8), 2.0, MARGIN)
    frame = background()
    empty.draw(frame, at_rest(1.05, 2.5, 1.5))
    assert np.array_equal(frame, background())


def test_whole_pixel_shifts_agree_with_the_warp():
    """The quick path for a still camera shows what a shift of almost nothing shows."""
    layer, _, _ = hills(2, 0.5, holes=True)
    quick, warped = background(), background()
    layer.draw(quick, at_rest(1.0, 3.0, -2.0))
    layer.draw(warped, at_rest(1.0 + 1e-7, 3.0, -2.0))
    assert np.abs(quick.astype(int) - warped).max() <= 1


@pytest.mark.parametrize("pose", [(1.0, 0.0, 0.0), (1.06, 3.7, -2.2), (0.96, -4.1, 3.3)])
def test_skipping_what_is_hidden_changes_no_pixel(pose):
    layers = [
        hills(key, level, holes)[0]
        for key, level, holes in ((1, 0.3, False), (2, 0.5, True), (3, 0.6, False))
    ]
    stack = [(layer, at_rest(*pose)) for layer in layers]
    clipped, whole = background(), background()
    draw_stack(clipped, stack)
    for layer, matrix in stack:
        layer.draw(whole, matrix)
    assert np.array_equal(clipped, whole)


def test_nearer_layers_hide_rows_of_farther_ones():
    layers = [hills(key, level)[0] for key, level in ((1, 0.2), (2, 0.7))]
    stack = [(layer, at_rest()) for layer in layers]
    frame = background()
    hidden = hidden_rows(frame, stack)
    assert max(hidden[0]) < HEIGHT
    assert set(hidden[1]) == {HEIGHT}
    assert covered_from(frame, stack) < 0.6 * HEIGHT


def test_below_the_covered_row_nothing_of_the_background_shows():
    layer, _, _ = hills(4, 0.4)
    stack = [(layer, at_rest(1.02, 1.3, 0.7))]
    bright, dark = np.full((HEIGHT, WIDTH, 3), 255, np.uint8), np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    draw_stack(bright, stack)
    draw_stack(dark, stack)
    row = covered_from(bright, stack)
    assert row < HEIGHT
    assert np.array_equal(bright[row:], dark[row:])


def test_swaying_moves_what_stands_above_the_pivot_and_not_the_pivot():
    matrix = at_rest()
    leaning = swayed(matrix, 0.1, pivot_row=80.0)

    def column(point_y):
        return float(leaning[0] @ (50.0, point_y, 1.0)) - float(matrix[0] @ (50.0, point_y, 1.0))

    assert column(80.0) == pytest.approx(0.0, abs=1e-9)
    assert column(30.0) == pytest.approx(5.0)
    assert leaning[1].tolist() == matrix[1].tolist()


def test_a_swaying_layer_is_drawn_without_gaps():
    """Leaning shifts rows by different amounts: the clipping must still find every painted pixel."""
    layer, _, _ = hills(5, 0.3, holes=True)
    leaning = swayed(at_rest(), 0.15, pivot_row=100.0)
    frame = background()
    layer.draw(frame, leaning)
    reference = background()
    # One strip as wide as the frame: nothing can be clipped away between strips.
    layer._blend(reference, leaning, 0, 0)
    assert np.abs(frame.astype(int) - reference).max() <= 1


def test_only_columns_that_nothing_covers_down_to_a_row_are_open() -> None:
    """Two walls that leave a gap between them, the right one too low to hide the upper rows."""
    width, height = 320, 100
    inverse = np.full((height, width), 255, np.uint8)
    inverse[:80, :96] = 0
    inverse[30:, 224:] = 0
    wall = Layer(np.zeros((height, width, 3), np.uint8), inverse, 1.0, 0)
    frame = np.zeros((height, width, 3), np.uint8)
    still = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, -2.0]], np.float32)
    shown = open_columns(frame, [(wall, still)], 60)
    assert 48 <= shown.start <= 96
    assert shown.stop == width
    assert open_columns(frame, [(wall, still)], 90) == slice(0, width)
