import numpy as np
import pytest

from meshapi_renderer.rng import Rng


def test_the_stream_of_a_name_is_frozen():
    """These values were drawn once; a change of any would change every picture ever promised."""
    assert Rng("lake", 7).u() == 0.31329047679901123
    water = Rng("lake", 7).sub("water").u(3)
    assert water.tolist() == [0.17352348566055298, 0.02583622932434082, 0.9968929290771484]


def test_draws_are_float32_in_zero_to_one():
    draws = Rng(1).u(50, 40)
    assert draws.shape == (50, 40)
    assert draws.dtype == np.float32
    assert float(draws.min()) >= 0.0
    assert float(draws.max()) < 1.0


def test_a_draw_without_a_shape_is_a_python_float():
    assert isinstance(Rng(1).u(), float)
    assert isinstance(Rng(1).uniform(2.0, 3.0), float)
    assert isinstance(Rng(1).normal(), float)


def test_one_by_one_and_at_once_give_the_same_stream():
    one, many = Rng("a"), Rng("a")
    assert [one.u() for _ in range(5)] == many.u(5).tolist()


def test_a_sub_stream_does_not_depend_on_what_was_drawn_before():
    fresh, used = Rng("scene", 3), Rng("scene", 3)
    used.u(1000)
    assert fresh.sub("trees").u(4).tolist() == used.sub("trees").u(4).tolist()


def test_parts_are_kept_apart_in_the_key():
    assert Rng("ab", "c").u() != Rng("a", "bc").u()
    assert Rng("ab").sub("c").u() == Rng("ab", "c").u()


def test_a_fork_uses_up_one_draw_and_differs_from_the_next_fork():
    forked, drawn = Rng("f"), Rng("f")
    first, second = forked.fork(), forked.fork()
    drawn.u()
    drawn.u()
    assert first.u() != second.u()
    assert forked.u() == drawn.u()


def test_uniform_keeps_its_bounds():
    draws = Rng(2).uniform(-3.0, 5.0, 2000)
    assert -3.0 <= float(draws.min()) < -2.9
    assert 4.9 < float(draws.max()) < 5.0


def test_integer_reaches_every_value_and_no_other():
    rng = Rng(3)
    assert {rng.integer(4) for _ in range(200)} == {0, 1, 2, 3}


def test_pick_reaches_every_item():
    rng = Rng(4)
    assert {rng.pick("xyz") for _ in range(100)} == {"x", "y", "z"}


def test_normal_has_mean_zero_and_variance_one():
    draws = Rng(5).normal(40000)
    assert abs(float(draws.mean())) < 0.02
    assert float(draws.std()) == pytest.approx(1.0, abs=0.02)


def test_seeds_give_unrelated_streams():
    first, second = Rng("lake", 1).u(5000), Rng("lake", 2).u(5000)
    assert abs(float(np.corrcoef(first, second)[0, 1])) < 0.05
