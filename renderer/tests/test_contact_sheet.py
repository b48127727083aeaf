"""The contact sheet."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import av
import numpy as np
from PIL import Image

from meshapi_renderer.contact_sheet import SHOWCASE, main
from meshapi_renderer.gallery import SHAPES
from meshapi_renderer.plan import SETTINGS, TIMES
from meshapi_renderer.reading import read_prompt


def test_the_sheet_has_four_moments_in_three_shapes_and_an_overview(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path / "stills"), "--scenes", "neon", "--parts", "stills"]) == 0
    names = {path.name for path in (tmp_path / "stills").iterdir()}
    shapes = {"16x9": (864, 480), "9x16": (480, 864), "1x1": (640, 640)}
    stills = {f"neon_{shape}_{moment}.png" for shape in shapes for moment in ("0", "1_3", "2_3", "end")}
    assert names == stills | {"overview.png"}
    for shape, size in shapes.items():
        pictures = [Image.open(tmp_path / "stills" / f"neon_{shape}_{moment}.png") for moment in ("0", "end")]
        assert all(picture.size == size for picture in pictures)
        first, last = (np.asarray(picture, np.int16) for picture in pictures)
        assert np.abs(first - last).mean() > 1


class _Media(HTMLParser):
    """Collects what a page shows, and whether it reaches for anything outside its folder."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "poster", "href")]


def test_the_gallery_is_a_folder_of_its_own_with_a_clip_and_all_hours_of_a_scene(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path), "--scenes", "neon", "--parts", "hours", "clips"]) == 0
    page = _Media()
    page.feed((tmp_path / "index.html").read_text("utf-8"))
    assert page.tags.count("video") == 1
    assert page.tags.count("img") == len(TIMES) * len(SHAPES)
    assert not {"script", "link", "iframe"} & set(page.tags)
    assert all((tmp_path / source).is_file() for source in page.sources)
    for time in TIMES:
        for ratio, canvas in SHAPES.items():
            name = f"neon_{time}_{ratio.replace(':', 'x')}.jpg"
            assert Image.open(tmp_path / "hours" / name).size == (canvas.width, canvas.height)
    assert (tmp_path / "hours.png").is_file()
    with av.open(str(tmp_path / "clips" / "neon.mp4")) as clip:
        assert [stream.type for stream in clip.streams] == ["video", "audio"]
        assert sum(1 for _ in clip.decode(video=0)) == 96


def test_the_showcase_prompts_are_read_as_the_scenes_they_show() -> None:
    assert set(SHOWCASE) == set(SETTINGS)
    for setting, prompt in SHOWCASE.items():
        plan = read_prompt(prompt)
        assert plan.setting == setting
        assert plan.confidence > 0.9
        assert plan.left_out == ()
