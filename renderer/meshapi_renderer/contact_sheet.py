"""Stills and clips of all scenes, to look at: `python -m meshapi_renderer.contact_sheet --out DIR`.

Writes three things, all of them unless `--parts` names some:

- `stills`: every scene at the beginning, after one and two thirds, and at the end of a clip, as landscape,
  portrait and square, and `overview.png` of them all;
- `hours`: every scene at every hour in the three shapes, and `hours.png` of them all;
- `clips`: four seconds of every scene with sound, and `index.html`, a page of clips and hours.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
from PIL import Image, ImageDraw, ImageFont

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.compose import build_scene, compose
from meshapi_renderer.gallery import HourStill, hour_stills, hours_sheet, page, write_clips
from meshapi_renderer.job import Job
from meshapi_renderer.plan import SETTINGS, Setting
from meshapi_renderer.scene import Scratch
from meshapi_renderer.sizes import RESOLUTIONS, FixedRatio, Resolution

SHOWCASE: Final[dict[Setting, str]] = {
    "lake": "A serene mountain lake at sunrise",
    "city": "A futuristic city at night",
    "beach": "A tropical beach at noon, aerial view",
    "forest": "Snow falling in a pine forest",
    "dunes": "Desert dunes under a starry sky",
    "neon": "Abstract neon waves",
    "aurora": "Northern lights on a clear winter night",
    "ocean": "Rolling waves on the open ocean at sunset",
    "sky": "Above the clouds at sunset",
    "space": "A ringed planet in deep space",
    "underwater": "A coral reef under the sea",
    "fire": "Fire and embers at night",
    "street": "A street in the rain at night",
    "meadow": "A meadow in bloom at noon",
    "studio": "A studio with a pedestal",
    "waterfall": "A waterfall at noon",
}
"""One prompt per scene."""

RATIOS: Final[tuple[FixedRatio, ...]] = ("16:9", "9:16", "1:1")
MOMENTS: Final = ("0", "1_3", "2_3", "end")
_FRAMES: Final = 120
_TILE_HEIGHT: Final = 180
_GAP: Final = 6
_PARTS: Final = ("stills", "hours", "clips")
_CLIPS, _HOURS = "clips", "hours"


@dataclass(frozen=True, slots=True)
class Still:
    """One picture of a scene."""

    setting: Setting
    ratio: FixedRatio
    moment: str
    picture: Bytes8

    @property
    def file_name(self) -> str:
        """Such as "lake_16x9_1_3.png"."""
        return f"{self.setting}_{self.ratio.replace(':', 'x')}_{self.moment}.png"


def stills(settings: Sequence[Setting], resolution: Resolution, seed: int) -> Iterator[Still]:
    """Yield the stills of the scenes, each scene built once per ratio."""
    for setting in settings:
        for ratio in RATIOS:
            job = Job(
                prompt=SHOWCASE[setting],
                seed=seed,
                frames=_FRAMES,
                output="unused.mp4",
                resolution=resolution,
                ratio=ratio,
            )
            scene = build_scene(compose(job))
            for part, moment in enumerate(MOMENTS):
                index = round(part * (_FRAMES - 1) / (len(MOMENTS) - 1))
                yield Still(setting, ratio, moment, scene.frame(index, Scratch()))


def overview(shown: Sequence[Still]) -> Image.Image:
    """Return one sheet: a row per scene and ratio group, every tile of the same height."""
    rows: dict[Setting, list[Image.Image]] = {}
    for still in shown:
        picture = Image.fromarray(still.picture)
        if still.ratio != "16:9" and still.moment not in ("0", "end"):
            continue
        width = round(picture.width * _TILE_HEIGHT / picture.height)
        rows.setdefault(still.setting, []).append(
            picture.resize((width, _TILE_HEIGHT), Image.Resampling.LANCZOS)
        )
    widths = [sum(tile.width + _GAP for tile in tiles) for tiles in rows.values()]
    sheet = Image.new("RGB", (max(widths) + _GAP, len(rows) * (_TILE_HEIGHT + _GAP) + _GAP), "black")
    font = ImageFont.load_default(size=14)
    for row, (setting, tiles) in enumerate(rows.items()):
        left, top = _GAP, _GAP + row * (_TILE_HEIGHT + _GAP)
        for tile in tiles:
            sheet.paste(tile, (left, top))
            left += tile.width + _GAP
        ImageDraw.Draw(sheet).text(
            (2 * _GAP, top + _GAP), setting, "white", font, stroke_width=2, stroke_fill="black"
        )
    return sheet


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what is asked for; return the exit code."""
    parser = argparse.ArgumentParser(description="Write stills and clips of the built-in scenes.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures; made when missing")
    parser.add_argument("--resolution", choices=RESOLUTIONS, default="480p", help="of the stills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenes", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--parts", nargs="+", choices=_PARTS, default=list(_PARTS))
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    prompts = {setting: SHOWCASE[setting] for setting in options.scenes}
    if "stills" in options.parts:
        _write_stills(options.scenes, options.resolution, options.seed, options.out)
    hours: list[HourStill] = []
    if "hours" in options.parts:
        hours = _write_hours(prompts, options.seed, options.out)
    if "clips" in options.parts:
        folder = options.out / _CLIPS
        folder.mkdir(exist_ok=True)
        for path in write_clips(prompts, options.seed, folder):
            _say(str(path))
        (options.out / "index.html").write_text(page(prompts, hours, (_CLIPS, _HOURS)), encoding="utf-8")
        _say(str(options.out / "index.html"))
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _write_stills(settings: Sequence[Setting], resolution: Resolution, seed: int, folder: Path) -> None:
    shown = []
    for still in stills(settings, resolution, seed):
        Image.fromarray(still.picture).save(folder / still.file_name)
        shown.append(still)
        _say(still.file_name)
    overview(shown).save(folder / "overview.png")
    _say(str(folder / "overview.png"))


def _write_hours(prompts: dict[Setting, str], seed: int, folder: Path) -> list[HourStill]:
    (folder / _HOURS).mkdir(exist_ok=True)
    shown = []
    for still in hour_stills(prompts, seed):
        path = folder / _HOURS / still.file_name
        Image.fromarray(still.picture).save(path, quality=88)
        shown.append(still)
        _say(str(path))
    hours_sheet(shown).save(folder / "hours.png")
    _say(str(folder / "hours.png"))
    return shown


if __name__ == "__main__":
    sys.exit(main())
