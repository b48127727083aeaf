import numpy as np
import pytest

from meshapi_renderer.elements.particles import Rain, Snow, weather_particles
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scratch

CANVAS = Canvas(160, 90)


def grey(canvas=CANVAS):
    return np.full((canvas.height, canvas.width, 3), 90, np.uint8)


@pytest.fixture(params=[Snow, Rain])
def falling(request):
    return request.param(CANVAS, Rng("sky"))


def shown(particles, seconds, canvas=CANVAS):
    frame = grey(canvas)
    particles.draw(frame, seconds, Scratch())
    return frame


def test_particles_brighten_the_picture_a_little(falling):
    frame = shown(falling, 1.0)
    assert 90.2 < frame.mean() < 130
    assert frame.min() >= 88


def test_particles_move_between_neighbouring_frames(falling):
    first, second = shown(falling, 1.0), shown(falling, 1.0 + 1 / 24)
    assert np.abs(first.astype(int) - second).mean() > 0.2


def test_a_moment_looks_the_same_whatever_was_drawn_before(falling):
    scratch, frame = Scratch(), grey()
    falling.draw(grey(), 7.0, scratch)
    falling.draw(frame, 1.0, scratch)
    assert np.array_equal(frame, shown(falling, 1.0))


def test_particles_fall_downwards(falling):
    """A little later the picture matches itself shifted down better than shifted up."""
    later = 0.02 if isinstance(falling, Snow) else 0.002
    first, second = shown(falling, 1.0).astype(float), shown(falling, 1.0 + later).astype(float)

    def mismatch(down):
        return np.abs(np.roll(first, down, 0) - second).mean()

    assert mismatch(1) < mismatch(-1)


@pytest.mark.parametrize("kind", [Snow, Rain])
def test_the_weight_of_what_falls_does_not_depend_on_the_size(kind):
    """A draft and a final carry about the same share of flakes."""
    large_canvas = Canvas(480, 270)
    small = shown(kind(CANVAS, Rng("w")), 1.0).mean() - 90
    large = shown(kind(large_canvas, Rng("w")), 1.0, large_canvas).mean() - 90
    assert large == pytest.approx(small, rel=0.45)


def test_only_wet_weather_has_particles():
    kinds = {
        weather: type(weather_particles(weather, CANVAS, Rng(1))).__name__
        for weather in ("clear", "cloudy", "overcast", "fog", "snow", "rain", "storm")
    }
    assert kinds == {
        "clear": "NoneType",
        "cloudy": "NoneType",
        "overcast": "NoneType",
        "fog": "NoneType",
        "snow": "Snow",
        "rain": "Rain",
        "storm": "Rain",
    }


def test_dim_light_dims_the_flakes():
    bright = weather_particles("snow", CANVAS, Rng(2), brightness=1.0)
    dim = weather_particles("snow", CANVAS, Rng(2), brightness=0.3)
    assert bright is not None
    assert dim is not None
    dark = np.zeros((90, 160, 3), np.uint8)
    first, second = dark.copy(), dark.copy()
    bright.draw(first, 1.0, Scratch())
    dim.draw(second, 1.0, Scratch())
    assert second.mean() < 0.5 * first.mean()
