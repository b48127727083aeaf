"""Things cut out of reference pictures, and put into a scene."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.compose import build_scene, compose
from meshapi_renderer.cutout import SIDE, cut_out
from meshapi_renderer.job import InvalidInput, Job
from meshapi_renderer.scene import Scratch


def _bottle(path: Path, background: tuple[int, ...] = (250, 250, 248), mode: str = "RGB") -> str:
    picture = Image.new(mode, (300, 400), background)
    ImageDraw.Draw(picture).rounded_rectangle((100, 80, 200, 360), 20, fill=(200, 30, 40))
    picture.save(path)
    return str(path)


def _job(references: tuple[str, ...], prompt: str = "abstract neon waves") -> Job:
    return Job(
        prompt=prompt, seed=1, frames=24, output="unused.mp4", resolution="480p", camera_fixed=True,
        reference_images=references,
    )  # fmt: skip


def test_a_thing_on_a_plain_background_is_cut_out_along_its_edge(tmp_path: Path) -> None:
    found = cut_out(_bottle(tmp_path / "bottle.png"), "reference_images[0]")
    assert found is not None
    assert found.alpha.shape == pytest.approx((281, 101), abs=4)
    assert (found.alpha > 200).mean() > 0.9
    assert found.alpha[0, 0] < 60, "the rounded corner is outside"
    assert np.abs(found.colour[140, 50].astype(int) - (200, 30, 40)).max() < 12


def test_transparency_is_taken_as_it_is(tmp_path: Path) -> None:
    found = cut_out(_bottle(tmp_path / "bottle.png", (0, 0, 0, 0), "RGBA"), "reference_images[0]")
    assert found is not None
    assert (found.alpha == 255).mean() > 0.9


def test_a_hole_of_the_background_colour_inside_a_thing_stays_filled(tmp_path: Path) -> None:
    path = Path(_bottle(tmp_path / "bottle.png"))
    picture = Image.open(path)
    ImageDraw.Draw(picture).rectangle((130, 180, 170, 240), fill=(250, 250, 248))
    picture.save(path)
    found = cut_out(str(path), "reference_images[0]")
    assert found is not None
    assert found.alpha[130, 50] == 255, "a white label is part of the bottle"


def test_a_photograph_gives_no_thing(photo: Callable[..., str]) -> None:
    assert cut_out(photo(), "reference_images[0]") is None


def test_an_empty_wall_gives_no_thing(tmp_path: Path) -> None:
    path = tmp_path / "wall.png"
    Image.new("RGB", (200, 200), (240, 240, 240)).save(path)
    assert cut_out(str(path), "reference_images[0]") is None


def test_a_large_picture_is_kept_at_a_bounded_size(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    picture = Image.new("RGB", (2400, 1600), "white")
    ImageDraw.Draw(picture).ellipse((200, 200, 2200, 1400), fill="navy")
    picture.save(path)
    found = cut_out(str(path), "reference_images[0]")
    assert found is not None
    assert max(found.alpha.shape) <= SIDE


def test_a_page_is_refused_by_its_field(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    path.write_text("<html></html>")
    with pytest.raises(InvalidInput, match=r"reference_images\[2\]: is an HTML page"):
        cut_out(str(path), "reference_images[2]")


def test_the_thing_stands_in_the_scene_in_its_own_colour_and_the_plan_says_so(tmp_path: Path) -> None:
    composition = compose(_job((_bottle(tmp_path / "bottle.png"),)))
    assert composition.references == ()
    assert "reference image 1: the thing it shows, cut out" in composition.plan.understood
    assert not any("reference" in note for note in composition.plan.left_out)
    shown = _middle(_job((_bottle(tmp_path / "bottle.png"),)))
    change = np.abs(shown.astype(int) - _middle(_job(()))).mean(axis=2) > 20
    assert 0.004 < change.mean() < 0.2
    red = shown[change].mean(axis=0)
    assert red[0] > 1.5 * red[1]


def test_a_photograph_beside_a_thing_still_gives_its_colours(
    tmp_path: Path, photo: Callable[..., str]
) -> None:
    composition = compose(_job((photo(), _bottle(tmp_path / "bottle.png"))))
    assert len(composition.references) == 1
    assert composition.thing is not None
    assert "reference images: their colours" in composition.plan.understood
    assert "reference image 2: the thing it shows, cut out" in composition.plan.understood
    assert "reference images: what the others show" in composition.plan.left_out


@pytest.mark.parametrize("prompt", ["outer space", "above the clouds"])
def test_a_thing_hovers_where_there_is_no_ground(tmp_path: Path, prompt: str) -> None:
    job = _job((_bottle(tmp_path / "bottle.png"),), prompt)
    scene = build_scene(compose(job))
    first, last = (scene.frame(index, Scratch()).copy() for index in (0, 23))
    assert np.abs(first.astype(int) - last).mean() > 0.05


def _middle(job: Job) -> Bytes8:
    return build_scene(compose(job)).frame(12, Scratch()).copy()
