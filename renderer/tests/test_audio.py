"""Sound beds: audible, never loud, without clicks, and the same however they are read."""

from __future__ import annotations

import numpy as np
import pytest

from meshapi_renderer.audio import SAMPLE_RATE, Bed, Samples, parts
from meshapi_renderer.elements.surf_rhythm import run_up
from meshapi_renderer.plan import SETTINGS, ScenePlan, Setting, Weather
from meshapi_renderer.rng import Rng
from meshapi_renderer.sounds.air import thunder
from meshapi_renderer.storm_clock import strikes


def _decibels(sound: Samples) -> float:
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-12))


def _bed(setting: Setting, weather: Weather = "clear", seconds: float = 5.0, seed: int = 1) -> Bed:
    plan = ScenePlan(setting=setting, weather=weather, time="night" if setting == "city" else "sunrise")
    return Bed(plan, round(seconds * SAMPLE_RATE), Rng("audio", seed))


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("weather", ["clear", "storm"])
def test_every_bed_is_audible_and_has_headroom(setting: Setting, weather: Weather) -> None:
    sound = _bed(setting, weather).read(0, 5 * SAMPLE_RATE)
    assert sound.shape == (2, 5 * SAMPLE_RATE)
    assert -34 < _decibels(sound) < -16
    assert float(np.abs(sound).max()) < 0.9


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_bed_begins_and_ends_in_silence(setting: Setting) -> None:
    bed = _bed(setting, seconds=2.0)
    sound = bed.read(0, bed.sample_count)
    edge = SAMPLE_RATE // 200
    assert float(np.abs(sound[:, :edge]).max()) < 0.02
    assert float(np.abs(sound[:, -edge:]).max()) < 0.02


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_bed_read_in_blocks_is_the_bed_read_at_once(setting: Setting) -> None:
    bed = _bed(setting, "rain", seconds=0.7)
    whole = bed.read(0, bed.sample_count)
    blocks = [bed.read(start, 1000) for start in range(0, bed.sample_count, 1000)]
    assert np.array_equal(np.concatenate(blocks, axis=1), whole)


def test_a_long_bed_passes_the_seam_of_its_loops_without_a_click() -> None:
    bed = _bed("dunes", seconds=30.0)
    seam = 1 << 19
    around = bed.read(seam - 2000, 4000)[0]
    steps = np.abs(np.diff(around))
    assert float(steps[1990:2010].max()) <= float(steps.max())
    assert float(steps[1999]) < 4 * float(np.median(steps)) + 1e-3


def test_the_seed_changes_the_sound_and_nothing_else_does() -> None:
    same = _bed("lake", seconds=0.5).read(0, 20_000)
    assert np.array_equal(same, _bed("lake", seconds=0.5).read(0, 20_000))
    assert not np.array_equal(same, _bed("lake", seconds=0.5, seed=2).read(0, 20_000))


def test_a_bed_of_one_frame_is_as_long_as_the_frame() -> None:
    assert _bed("city", seconds=1 / 24).read(0, SAMPLE_RATE).shape == (2, 2000)


def test_birds_fall_silent_at_night_and_in_the_snow() -> None:
    def loudest_over_usual(plan: ScenePlan) -> float:
        """Return how far the loudest moment between 2.2 and 5 kHz stands out: birds call in bursts."""
        sound = Bed(plan, 10 * SAMPLE_RATE, Rng("audio", 3)).read(0, 10 * SAMPLE_RATE)
        moments = sound[0, : SAMPLE_RATE * 9].reshape(-1, SAMPLE_RATE // 20).astype(np.float64)
        frequency = np.fft.rfftfreq(moments.shape[1], 1 / SAMPLE_RATE)
        energy = np.abs(np.fft.rfft(moments, axis=1)) ** 2
        band = energy[:, (frequency > 2200) & (frequency < 5000)].sum(axis=1)
        return float(band.max() / np.median(band))

    assert loudest_over_usual(ScenePlan(setting="forest", time="sunrise")) > 30
    winter = ScenePlan(setting="forest", time="noon", weather="snow", season="winter")
    assert loudest_over_usual(winter) < 10
    assert loudest_over_usual(ScenePlan(setting="forest", time="night")) < 10


def _loudness(sound: Samples, moments: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Mean square of equally long moments of a sound."""
    length = sound.shape[1] // moments
    blocks = sound[:, : length * moments].astype(np.float64).reshape(2, moments, length)
    return np.square(blocks).mean((0, 2))


@pytest.mark.parametrize("speed", [1.0, 1.6])
def test_the_surf_is_loud_when_the_water_of_the_picture_stands_high(speed: float) -> None:
    plan = ScenePlan(setting="beach", time="night", speed=speed)
    seconds, moments = 12, 96
    sound = Bed(plan, (seconds + 1) * SAMPLE_RATE, Rng("audio", 4)).read(0, seconds * SAMPLE_RATE)
    high = [run_up((moment + 0.5) * seconds / moments * speed) for moment in range(moments)]
    heard = np.sqrt(_loudness(sound, moments))
    assert float(np.corrcoef(heard[4:], high[4:])[0, 1]) > 0.8


def test_thunder_rolls_after_its_lightning_and_not_before() -> None:
    storm = ScenePlan(setting="lake", weather="storm", time="noon")
    first = next(strikes(0.0, 10.0))
    assert "thunder" in parts(storm)
    layer = thunder(Rng("audio", 5), storm)
    flash, heard = round(first.seconds * SAMPLE_RATE), round(first.thunder * SAMPLE_RATE)
    before = layer.read(0, heard - 400)
    after = layer.read(heard, SAMPLE_RATE)
    assert heard > flash + SAMPLE_RATE // 2
    assert float(np.abs(before).max()) == 0.0
    assert _decibels(after) > -30


def test_every_setting_has_a_sound_of_its_own() -> None:
    mixes = [tuple(sorted(parts(ScenePlan(setting=setting, time="noon")).items())) for setting in SETTINGS]
    assert len(set(mixes)) == len(SETTINGS)


@pytest.mark.parametrize("setting", ["space", "sky", "underwater", "studio"])
def test_what_the_weather_does_not_reach_does_not_sound_of_it(setting: Setting) -> None:
    assert parts(ScenePlan(setting=setting, weather="storm")) == parts(ScenePlan(setting=setting))
