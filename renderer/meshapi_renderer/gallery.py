"""A folder to judge the settings from: clips with sound, every hour in every shape, and one page of them all.

The page is plain HTML beside its media, without a script and without anything from elsewhere: the folder can
be opened from disk, zipped and sent.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.compose import build_scene, compose
from meshapi_renderer.job import Job
from meshapi_renderer.outputs import Outputs
from meshapi_renderer.plan import TIMES, Setting, TimeOfDay
from meshapi_renderer.render import render
from meshapi_renderer.scene import Canvas, Scratch
from meshapi_renderer.sizes import FixedRatio

SHAPES: Final[Mapping[FixedRatio, Canvas]] = {
    "16:9": Canvas(320, 180), "9:16": Canvas(180, 320), "1:1": Canvas(240, 240),
}  # fmt: skip
"""Sizes of the stills by hour: small, since there are hundreds and a small picture shows the composition."""
_CLIP_FRAMES: Final = 96
_MIDDLE: Final = _CLIP_FRAMES // 2
_TILE_HEIGHT: Final = 120
_GAP: Final = 4
_STYLE: Final = """
:root { color-scheme: dark light; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 1700px; padding: 1.5rem; }
main { display: grid; gap: 2.5rem 1.5rem; }
main { grid-template-columns: repeat(auto-fit, minmax(min(100%, 32rem), 1fr)); }
section { min-width: 0; }
h2 { margin: 0 0 .25rem; text-transform: capitalize; }
p { margin: 0 0 .75rem; opacity: .75; }
video { width: 100%; border-radius: 8px; background: #000; }
div { display: flex; gap: 6px; overflow-x: auto; padding-top: 6px; }
figure { margin: 0; }
img { height: 120px; width: auto; border-radius: 4px; display: block; }
figcaption { font-size: .75rem; opacity: .7; }
""".strip()


@dataclass(frozen=True, slots=True)
class HourStill:
    """One setting at one hour in one shape."""

    setting: Setting
    time: TimeOfDay
    ratio: FixedRatio
    picture: Bytes8

    @property
    def file_name(self) -> str:
        """Such as "lake_dusk_9x16.jpg"."""
        return f"{self.setting}_{self.time}_{self.ratio.replace(':', 'x')}.jpg"


def hour_stills(prompts: Mapping[Setting, str], seed: int) -> Iterator[HourStill]:
    """Yield every setting at every hour in every shape, taken from the middle of a clip."""
    for setting, prompt in prompts.items():
        composition = compose(_clip_job(prompt, seed, "unused.mp4"))
        for time in TIMES:
            for ratio, canvas in SHAPES.items():
                plan = replace(composition.plan, time=time)
                scene = build_scene(replace(composition, plan=plan, canvas=canvas, ratio=ratio))
                yield HourStill(setting, time, ratio, scene.frame(_MIDDLE, Scratch()))


def hours_sheet(shown: Sequence[HourStill]) -> Image.Image:
    """Return one sheet: a row for every setting, its hours from left to right, each in every shape."""
    rows: dict[Setting, list[HourStill]] = {}
    for still in shown:
        rows.setdefault(still.setting, []).append(still)
    font = ImageFont.load_default(size=11)
    strips = []
    for stills in rows.values():
        tiles = [_tile(still) for still in stills]
        strip = Image.new("RGB", (sum(tile.width + _GAP for tile in tiles), _TILE_HEIGHT + _GAP), "black")
        pen, left = ImageDraw.Draw(strip), 0
        for still, tile in zip(stills, tiles, strict=True):
            strip.paste(tile, (left, 0))
            name = f"{still.setting} {still.time}" if still.ratio == "16:9" else ""
            pen.text((left + _GAP, 2), name, "white", font, stroke_width=2, stroke_fill="black")
            left += tile.width + _GAP
        strips.append(strip)
    sheet = Image.new(
        "RGB", (max(strip.width for strip in strips), sum(strip.height for strip in strips)), "black"
    )
    for row, strip in enumerate(strips):
        sheet.paste(strip, (0, row * (_TILE_HEIGHT + _GAP)))
    return sheet


def _tile(still: HourStill) -> Image.Image:
    picture = Image.fromarray(still.picture)
    width = round(picture.width * _TILE_HEIGHT / picture.height)
    return picture.resize((width, _TILE_HEIGHT), Image.Resampling.LANCZOS)


def _clip_job(prompt: str, seed: int, output: str) -> Job:
    return Job(prompt=prompt, seed=seed, frames=_CLIP_FRAMES, output=output, resolution="480p", threads=2)


def write_clips(prompts: Mapping[Setting, str], seed: int, folder: Path) -> Iterator[Path]:
    """Render one clip with sound of every setting and yield its path as soon as it is written."""
    for setting, prompt in prompts.items():
        path = folder / f"{setting}.mp4"
        render(_clip_job(prompt, seed, str(path)), Outputs(), lambda event: None)
        yield path


def page(prompts: Mapping[Setting, str], hours: Sequence[HourStill], folders: tuple[str, str]) -> str:
    """Return the page; ``folders`` are those of the clips and of the stills by hour, relative to it."""
    clips, stills = folders
    sections = []
    for setting, prompt in prompts.items():
        figures = "".join(
            f'<figure><img src="{stills}/{still.file_name}" loading="lazy"'
            f' width="{still.picture.shape[1]}" height="{still.picture.shape[0]}"'
            f' alt="{setting}, {still.time}, {still.ratio}">'
            f"<figcaption>{still.time}, {still.ratio}</figcaption></figure>\n"
            for still in hours
            if still.setting == setting
        )
        sections.append(
            f"<section><h2>{setting}</h2><p>{html.escape(prompt)}</p>\n"
            f'<video src="{clips}/{setting}.mp4" controls autoplay loop muted playsinline>'
            f"</video>\n<div>\n{figures}</div></section>\n"
        )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>mesh/diorama-1</title><style>\n{_STYLE}\n</style></head><body>\n"
        "<h1>mesh/diorama-1</h1>\n<p>A procedural renderer, not a neural model: every setting, as a clip"
        " with sound and at every hour in three shapes.</p>\n<main>\n"
        + "".join(sections)
        + "</main></body></html>\n"
    )
