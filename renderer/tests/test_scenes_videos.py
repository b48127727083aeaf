"""Every setting all the way to its file, rendered twice by processes of their own (small frames)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.contact_sheet import SHOWCASE
from meshapi_renderer.job import environment
from meshapi_renderer.plan import SETTINGS, Setting

_SIZE = (320, 180)
_FRAMES = 5
_RENDER_ALL = """
import json, sys
from meshapi_renderer import compose
from meshapi_renderer.job import Job
from meshapi_renderer.outputs import Outputs
from meshapi_renderer.render import render

folder, threads, width, height, frames = sys.argv[1], *map(int, sys.argv[2:6])
compose.frame_size = lambda resolution, ratio: (width, height)
hashes = {}
for setting, prompt in json.load(sys.stdin).items():
    job = Job(prompt=prompt, seed=11, frames=frames, output=f"{folder}/{setting}.mp4", resolution="480p",
              threads=threads, return_last_frame=True, last_frame_output=f"{folder}/{setting}.png")
    done = render(job, Outputs(), lambda event: None)
    hashes[setting] = [done.plan["setting"], done.video.sha256, done.last_frame.sha256]
print(json.dumps(hashes))
"""
Hashes = dict[str, list[str]]


def _render_all(folder: Path, threads: int) -> Hashes:
    """Render all settings in one process of the environment every render has; what it was and its hashes."""
    folder.mkdir()
    run = subprocess.run(
        [sys.executable, "-c", _RENDER_ALL, *map(str, (folder, threads, *_SIZE, _FRAMES))],
        input=json.dumps(SHOWCASE), capture_output=True, text=True, env=environment(os.environ), check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    hashes: Hashes = json.loads(run.stdout)
    return hashes


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Hashes]:
    """Return the folder of all settings' files, rendered on one thread, and their hashes."""
    folder = tmp_path_factory.mktemp("videos") / "one thread"
    return folder, _render_all(folder, threads=1)


@pytest.mark.slow
def test_another_run_on_three_threads_gives_the_same_bytes_of_every_setting(
    rendered: tuple[Path, Hashes], tmp_path: Path
) -> None:
    again = _render_all(tmp_path / "three threads", threads=3)
    assert [again[setting][0] for setting in SETTINGS] == list(SETTINGS)
    assert again == rendered[1]


def _decoded(path: Path) -> tuple[list[Bytes8], float]:
    """The pictures of a video and the loudness of its sound, in decibels below full scale."""
    with av.open(str(path)) as container:
        pictures = [
            np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)
        ]
    with av.open(str(path)) as container:
        sound = np.concatenate([block.to_ndarray() for block in container.decode(audio=0)], axis=1)
    assert float(np.abs(sound).max()) < 0.95
    return pictures, 10 * float(np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-12))


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_file_of_every_setting_ends_with_the_returned_last_frame_and_sounds(
    rendered: tuple[Path, Hashes], setting: Setting
) -> None:
    """Decoded back: as many pictures as asked for, none of them another's copy, sound without clipping."""
    folder, _ = rendered
    pictures, loudness = _decoded(folder / f"{setting}.mp4")
    last = np.asarray(Image.open(folder / f"{setting}.png"))
    assert len(pictures) == _FRAMES
    assert pictures[0].shape == last.shape == (_SIZE[1], _SIZE[0], 3)
    error = float(np.mean((pictures[-1].astype(np.float64) - last) ** 2))
    assert 10 * np.log10(255**2 / error) > 27
    assert not np.array_equal(pictures[0], pictures[-1])
    assert -60 < loudness < -10
