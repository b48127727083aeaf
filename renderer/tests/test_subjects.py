"""Subjects: drawn where they belong, lit by the scene, moving, and the same at every size."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import palette, to8
from meshapi_renderer.compose import build_scene, compose
from meshapi_renderer.job import Job
from meshapi_renderer.lexicon import SEVERAL
from meshapi_renderer.plan import SETTINGS, SUBJECTS, ScenePlan, Setting, Subject, TimeOfDay, Weather
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scratch, Timing
from meshapi_renderer.subjects.curves import bend, limb
from meshapi_renderer.subjects.light import measure
from meshapi_renderer.subjects.stage import STAGES, has_place, medium_of, medium_of_thing
from meshapi_renderer.subjects.staged import StagedScene
from meshapi_renderer.subjects.walk import STANCE, foot, way_per_cycle

_CANVAS = Canvas(320, 180)
_TIMING = Timing(24, 120)
_HOME: dict[Subject, Setting] = {
    "sailboat": "lake",
    "birds": "dunes",
    "balloon": "dunes",
    "rocket": "space",
    "train": "lake",
    "car": "dunes",
    "cat": "neon",
    "dog": "dunes",
    "fish": "underwater",
    "butterfly": "forest",
    "person": "dunes",
    "campfire": "dunes",
}


class _Backdrop:
    """A scene that stands still: the sky of a plan over a plain ground, with a sun on the right."""

    def __init__(self, plan: ScenePlan, canvas: Canvas) -> None:
        tones = palette(plan.time, plan.weather)
        stage = STAGES[plan.setting]
        rows = (np.arange(canvas.height, dtype=np.float32)[:, None, None] + 0.5) / canvas.height
        columns = (np.arange(canvas.width, dtype=np.float32)[None, :, None] + 0.5) / canvas.width
        sky = tones.zenith + (tones.horizon - tones.zenith) * rows
        sun = np.exp(-(((columns - 0.75) / 0.04) ** 2) - ((rows - 0.8 * stage.horizon) / 0.06) ** 2)
        above = sky + sun * tones.glow * np.float32(3 * tones.disc)
        below = tones.haze * np.float32(0.5) + 0 * columns
        self.picture = to8(np.where(rows < stage.horizon, above, below) * np.float32(tones.exposure))

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        shown: Bytes8 = scratch.array("backdrop", self.picture.shape)
        shown[...] = self.picture
        return shown


def _plan(subject: Subject, time: TimeOfDay = "noon", **others: object) -> ScenePlan:
    values: dict[str, object] = {"setting": _HOME[subject], "camera": "fixed", **others}
    return ScenePlan(subject=subject, time=time, **values)  # type: ignore[arg-type]


def _staged(plan: ScenePlan, canvas: Canvas = _CANVAS) -> tuple[StagedScene, Bytes8]:
    backdrop = _Backdrop(plan, canvas)
    return StagedScene(backdrop, plan, canvas, _TIMING, Rng("test", 1)), backdrop.picture


def _change(plan: ScenePlan, canvas: Canvas = _CANVAS, index: int = 48) -> Floats:
    """How much the subject changes each pixel, in levels, shape (height, width)."""
    scene, empty = _staged(plan, canvas)
    shown = scene.frame(index, Scratch())
    return np.asarray(np.abs(shown.astype(np.float32) - empty.astype(np.float32)).mean(axis=2))


def test_every_setting_has_a_stage_and_something_can_be_put_on_it() -> None:
    assert set(STAGES) == set(SETTINGS)
    for setting in SETTINGS:
        assert any(has_place(subject, setting, "ground") for subject in SUBJECTS)
        assert medium_of_thing(setting, "ground") is not None


def test_seen_from_straight_above_nothing_is_put_into_a_beach_or_the_sea() -> None:
    for setting in ("beach", "ocean"):
        assert not any(has_place(subject, setting, "aerial") for subject in SUBJECTS)
        assert medium_of_thing(setting, "aerial") is None


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_subject_has_a_place_in_at_least_one_setting_and_shows_there(subject: Subject) -> None:
    assert any(has_place(subject, setting, "ground") for setting in SETTINGS)
    change = _change(_plan(subject))
    assert (change > 12).sum() > 60, "seen"
    assert (change > 12).mean() < 0.5, "and not everywhere"


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_moves_between_any_two_neighbouring_frames_without_a_jump(subject: Subject) -> None:
    scene, _ = _staged(_plan(subject))
    frames = [scene.frame(index, Scratch()).astype(np.int16) for index in range(40, 52)]
    steps = [float(np.abs(left - right).sum()) for left, right in pairwise(frames)]
    assert min(steps) > 0
    assert max(steps) < 6 * float(np.median(steps)) + 500


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_frame_depends_on_nothing_but_the_plan_the_seed_and_its_index(subject: Subject) -> None:
    plan = _plan(subject, "sunset")
    first, _ = _staged(plan)
    second, _ = _staged(plan)
    shared = Scratch()
    forward = [first.frame(index, shared).copy() for index in (0, 30, 119)]
    backward = [second.frame(index, Scratch()).copy() for index in (119, 30, 0)]
    for left, right in zip(forward, reversed(backward), strict=True):
        assert np.array_equal(left, right)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_draft_shows_the_subject_of_the_final(subject: Subject) -> None:
    small = _change(_plan(subject), Canvas(320, 180))
    large = _change(_plan(subject), Canvas(640, 360))
    shrunk = imaging.resize(large, 320, 180, imaging.AREA)
    soft_small, soft_shrunk = imaging.gaussian(small, 2.0), imaging.gaussian(shrunk, 2.0)
    assert float(np.corrcoef(soft_small.ravel(), soft_shrunk.ravel())[0, 1]) > 0.9


@pytest.mark.parametrize("canvas", [Canvas(180, 320), Canvas(240, 240), Canvas(420, 180)], ids=str)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_is_inside_portrait_square_and_wide_frames_at_the_start_and_after_two_seconds(
    subject: Subject, canvas: Canvas
) -> None:
    for index in (0, 48):
        change = _change(_plan(subject), canvas, index) > 12
        columns = np.nonzero(change.any(axis=0))[0]
        middle = float(np.median(columns)) / canvas.width
        assert change.sum() > 40
        assert 0.03 < middle < 0.97


@pytest.mark.parametrize("subject", ["sailboat", "car", "cat", "dog", "person", "balloon"])
def test_the_scene_lights_its_subject(subject: Subject) -> None:
    def tone(time: TimeOfDay) -> Floats:
        scene, _ = _staged(_plan(subject, time))
        shown = scene.frame(48, Scratch()).astype(np.float32)
        mask = _change(_plan(subject, time)) > 12
        return np.asarray(shown[mask].mean(axis=0))

    noon, sunset, night = tone("noon"), tone("sunset"), tone("night")
    assert noon.mean() > 1.25 * night.mean(), "darker by night"
    assert sunset[0] / sunset[2] > noon[0] / noon[2], "warmer at sunset"


def test_haze_swallows_what_is_seen_through_fog() -> None:
    clear = _change(_plan("train", weather="clear"))
    foggy = _change(_plan("train", weather="fog"))
    assert foggy.sum() < 0.8 * clear.sum()


def test_a_boat_is_mirrored_right_below_itself() -> None:
    change = _change(_plan("sailboat"))
    row = round(STAGES["lake"].water.row * _CANVAS.height)  # type: ignore[union-attr]
    above, below = change[: row - 2], change[row + 3 : row + 40]
    assert (below > 4).sum() > 20
    centre_above = np.average(np.arange(320), weights=above.sum(axis=0))
    centre_below = np.average(np.arange(320), weights=below.sum(axis=0))
    assert abs(centre_above - centre_below) < 6


def test_what_stands_on_the_ground_darkens_it() -> None:
    scene, empty = _staged(_plan("dog", "golden"))
    shown = scene.frame(48, Scratch())
    row = round(STAGES["dunes"].ground.row * _CANVAS.height) + 2  # type: ignore[union-attr]
    darker = empty[row:].astype(int).sum(axis=2) - shown[row:].astype(int).sum(axis=2)
    assert darker.max() > 40
    assert darker.min() > -6, "nothing on the ground gets brighter"


def test_a_campfire_lights_the_ground_by_night() -> None:
    scene, empty = _staged(_plan("campfire", "night"))
    shown = scene.frame(48, Scratch())
    row = round(STAGES["dunes"].ground.row * _CANVAS.height) + 4  # type: ignore[union-attr]
    gain = shown[row:].astype(int) - empty[row:].astype(int)
    assert (gain[..., 0] > 8).sum() > 200
    assert gain[..., 0].sum() > 2 * gain[..., 2].sum(), "the light is warm"


@pytest.mark.parametrize("subject", [item for item in SUBJECTS if SEVERAL[item] > 1])
def test_several_show_more_than_one(subject: Subject) -> None:
    one = (_change(_plan(subject, subject_count=1)) > 12).sum()
    several = (_change(_plan(subject, subject_count=SEVERAL[subject])) > 12).sum()
    # A lone bird or fish is shown larger than those of a flock.
    assert several > (0.6 if subject in ("birds", "fish") else 1.15) * one


@pytest.mark.parametrize("subject", ["sailboat", "car", "cat", "balloon", "dog", "butterfly"])
def test_a_wished_colour_shows(subject: Subject) -> None:
    def redness(colour: str | None) -> float:
        scene, empty = _staged(_plan(subject, subject_colour=colour))
        shown = scene.frame(48, Scratch()).astype(np.float32)
        mask = np.abs(shown - empty).mean(axis=2) > 8
        return float((shown[mask][:, 0] - shown[mask][:, 2]).mean())

    assert redness("e5383b") > redness("2f6bff") + 15


def test_a_walker_opens_an_umbrella_in_the_rain() -> None:
    def height(weather: Weather) -> int:
        rows = np.nonzero((_change(_plan("person", weather=weather)) > 10).any(axis=1))[0]
        return int(rows.max() - rows.min())

    assert height("rain") > height("overcast") + 3


def test_with_only_water_walkers_get_a_pier() -> None:
    plan = ScenePlan(setting="lake", subject="person", camera="fixed", time="noon")
    assert medium_of("person", "lake", "ground") == "pier"
    change = _change(plan)
    assert (change[-8:] > 6).mean() > 0.5, "planks across the lower edge"


def test_a_subject_without_a_place_is_refused() -> None:
    plan = ScenePlan(setting="dunes", subject="sailboat")
    with pytest.raises(ValueError, match="sailboat has no place in dunes"):
        StagedScene(_Backdrop(plan, _CANVAS), plan, _CANVAS, _TIMING, Rng("test", 1))
    nobody = ScenePlan(setting="dunes")
    with pytest.raises(ValueError, match="the plan has none"):
        StagedScene(_Backdrop(nobody, _CANVAS), nobody, _CANVAS, _TIMING, Rng("test", 1))


def test_a_prompt_with_a_subject_renders_it_into_the_scene() -> None:
    def middle(prompt: str) -> Bytes8:
        job = Job(prompt=prompt, seed=3, frames=24, output="unused.mp4", resolution="480p", camera_fixed=True)
        return build_scene(compose(job)).frame(12, Scratch()).copy()

    with_dog, without = middle("a dog, abstract neon waves"), middle("abstract neon waves")
    change = np.abs(with_dog.astype(int) - without).mean(axis=2)
    assert 0.001 < (change > 12).mean() < 0.15


def test_the_light_is_found_where_the_sun_stands() -> None:
    plan = _plan("person", "sunset")
    light = measure(_Backdrop(plan, _CANVAS).picture, plan, STAGES["dunes"].horizon, (0.5, 0.8))
    assert light.source_x == pytest.approx(0.75, abs=0.06)
    assert light.towards[0] > 0
    assert light.behind > 0.3
    assert math.hypot(*light.towards) == pytest.approx(1.0)


def test_a_standing_foot_stays_where_it_is_as_the_body_moves_on() -> None:
    reach = 0.2
    for left, right in pairwise([0.0, 0.1, 0.3, 0.55]):
        body = way_per_cycle(reach) * (right - left)
        assert foot(right, reach, 0.1)[0] - foot(left, reach, 0.1)[0] == pytest.approx(-body)
        assert foot(left, reach, 0.1)[1] == 0.0
    assert foot((1 + STANCE) / 2, reach, 0.1)[1] == pytest.approx(0.1)


def test_a_joint_keeps_the_lengths_of_its_limb() -> None:
    knee = bend((0.0, 1.0), (0.1, 0.3), 0.4, 0.38, 1.0)
    assert math.dist((0.0, 1.0), knee) == pytest.approx(0.4)
    assert math.dist((0.1, 0.3), knee) == pytest.approx(0.38)
    assert len(limb(((0.0, 0.0), (0.0, 1.0), (0.5, 1.0)), (0.1, 0.1, 0.1))) == 5
