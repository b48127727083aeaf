import numpy as np
import pytest

from meshapi_renderer.colour import (
    linear,
    luminance,
    mix,
    palette,
    rgb,
    smoothstep,
    swatch8,
    to8,
    tonemap,
)
from meshapi_renderer.plan import TIMES, WEATHERS


def test_hex_colours_become_linear():
    assert linear("000000").tolist() == [0.0, 0.0, 0.0]
    assert linear("ffffff").tolist() == [1.0, 1.0, 1.0]
    grey = linear("808080")
    assert grey.dtype == np.float32
    assert float(grey[0]) == pytest.approx((128 / 255) ** 2.2, rel=1e-4)


@pytest.mark.parametrize("text", ["", "fff", "#ffffff", "gg0000", "ff00 0", "ffffff00"])
def test_a_colour_that_is_not_six_hex_digits_is_refused_by_name(text):
    with pytest.raises(ValueError, match=r"colour: .*six hexadecimal digits"):
        linear(text)


def test_smoothstep_rises_falls_and_clips():
    x = np.array([-1.0, 0.0, 0.5, 1.0, 2.0], np.float32)
    assert smoothstep(0, 1, x).tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert smoothstep(1, 0, x).tolist() == [1.0, 1.0, 0.5, 0.0, 0.0]


def test_mix_ends_at_both_colours():
    a, b = rgb(0, 1, 2), rgb(4, 5, 6)
    assert mix(a, b, 0.0).tolist() == a.tolist()
    assert mix(a, b, 1.0).tolist() == b.tolist()


def test_the_film_curve_rises_from_black_to_white():
    ramp = tonemap(np.linspace(0, 40, 400, dtype=np.float32))
    assert float(ramp[0]) == 0.0
    assert float(ramp[-1]) == pytest.approx(1.0, abs=0.01)
    assert (np.diff(ramp) >= 0).all()


def test_display_bytes_follow_the_curve_within_one_level():
    """The table that joins both curves must not drift from the curves themselves."""
    ramp = np.repeat(np.geomspace(1e-4, 20, 512, dtype=np.float32)[None], 64, 0)
    unit = tonemap(ramp)
    exact = 255 * np.where(unit <= 0.0031308, 12.92 * unit, 1.055 * unit ** (1 / 2.4) - 0.055)
    assert np.abs(to8(ramp).mean(0) - exact[0]).max() < 1.0


def test_dither_breaks_a_slow_gradient_into_no_bands():
    """Neighbouring rows of a gradient of a few levels differ in many places, not in one step."""
    gradient = np.broadcast_to(np.linspace(0.20, 0.21, 256, dtype=np.float32)[:, None], (256, 256))
    shown = to8(np.ascontiguousarray(gradient), tone=False)
    mixed_rows = sum(1 for row in shown if len(np.unique(row)) > 1)
    assert mixed_rows > 200


def test_dither_is_the_same_every_time():
    picture = np.full((100, 90, 3), 0.3, np.float32)
    assert np.array_equal(to8(picture), to8(picture))


def test_a_swatch_is_three_plain_bytes():
    assert swatch8(rgb(0, 0, 0)) == (0, 0, 0)
    assert all(isinstance(channel, int) for channel in swatch8(rgb(0.2, 0.4, 0.6)))


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("weather", WEATHERS)
def test_every_palette_is_finite_positive_light(time, weather):
    tones = palette(time, weather)
    for colour in (tones.zenith, tones.middle, tones.horizon, tones.glow, tones.sun, tones.ambient):
        assert colour.shape == (3,)
        assert np.isfinite(colour).all()
        assert (colour > 0).all()
    assert 0 <= tones.stars <= 1
    assert 0 <= tones.disc <= 1


@pytest.mark.parametrize("weather", WEATHERS)
def test_night_is_darker_than_noon(weather):
    assert luminance(palette("night", weather).horizon) < 0.3 * luminance(palette("noon", weather).horizon)


def test_clouds_hide_sun_and_stars():
    assert palette("sunset", "overcast").disc < 0.2
    assert palette("night", "storm").stars < 0.2
    assert palette("night", "clear").stars == 1.0


def test_wished_colours_tint_without_changing_the_light_level():
    plain = palette("dusk", "clear")
    tinted = plain.tinted(("ff00ff", "00ffff"))
    assert luminance(tinted.horizon) == pytest.approx(luminance(plain.horizon), rel=0.05)
    assert tinted.horizon[1] < plain.horizon[1]
    assert plain.tinted(()) is plain
