"""The contact sheet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from meshapi_renderer.contact_sheet import SHOWCASE, main
from meshapi_renderer.plan import SETTINGS
from meshapi_renderer.reading import read_prompt


def test_the_sheet_has_four_moments_in_three_shapes_and_an_overview(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path / "stills"), "--scenes", "neon"]) == 0
    names = {path.name for path in (tmp_path / "stills").iterdir()}
    shapes = {"16x9": (864, 480), "9x16": (480, 864), "1x1": (640, 640)}
    stills = {f"neon_{shape}_{moment}.png" for shape in shapes for moment in ("0", "1_3", "2_3", "end")}
    assert names == stills | {"overview.png"}
    for shape, size in shapes.items():
        pictures = [Image.open(tmp_path / "stills" / f"neon_{shape}_{moment}.png") for moment in ("0", "end")]
        assert all(picture.size == size for picture in pictures)
        first, last = (np.asarray(picture, np.int16) for picture in pictures)
        assert np.abs(first - last).mean() > 1


def test_the_showcase_prompts_are_read_as_the_scenes_they_show() -> None:
    assert set(SHOWCASE) == set(SETTINGS)
    for setting, prompt in SHOWCASE.items():
        plan = read_prompt(prompt)
        assert plan.setting == setting
        assert plan.confidence > 0.9
        assert plan.left_out == ()
