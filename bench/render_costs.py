"""What frames cost, measured in a process of its own: `python bench/render_costs.py scene lake 720p 24`.

Prints one line of JSON. `bench/render.py` starts it in the environment of the render process and puts the
results together.

- `scene SETTING SIZE FRAMES`: frames of the renderer, each encoded as soon as it is drawn, so that both meet
  the same machine. Drawing runs on one thread and is measured by that thread's clock; the encoder's share is
  the rest of the process's CPU time.
- `prototype SCENE SIZE FRAMES`: the same of a folder of prototype scenes, read from the working directory.
- `job SETTING SIZE FRAMES`: a whole job, started as a server starts it: wall time, CPU time, peak memory.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from meshapi_renderer.contact_sheet import SHOWCASE
from meshapi_renderer.job import Done, Failed, Job, command, decode_event, environment
from meshapi_renderer.plan import Setting
from meshapi_renderer.sizes import Resolution, frame_size

PROTOTYPES = {
    "lake": "sunrise", "city": "night", "beach": "noon", "forest": "overcast", "dunes": "night",
    "neon": "night",
}  # fmt: skip
"""Prototype scenes and the hour each is drawn at."""

FPS = 24
Picture = NDArray[np.uint8]


def process_seconds() -> float:
    """CPU time of this process, all threads, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak_mb() -> float:
    """Most memory this process ever held, in MB of 10^6 bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def draw_and_encode(
    size: tuple[int, int], frames: int, draw: Callable[[int], Picture], *, restless: bool = False
) -> dict[str, float]:
    """Return seconds of CPU per frame for drawing and for encoding (conversion, x264, muxing)."""
    from meshapi_renderer.encode import VideoWriter, video_frame
    from meshapi_renderer.scene import Canvas, Timing

    draw(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.mp4"
        begin, drawn = process_seconds(), 0.0
        timing = Timing(FPS, frames)
        with VideoWriter(path, Canvas(*size), timing, None, draft=False, restless=restless) as writer:
            for index in range(frames):
                start = time.thread_time()
                picture = draw(index + 1)
                drawn += time.thread_time() - start
                writer.write(video_frame(picture, index, FPS))
        total = process_seconds() - begin
        megabits = path.stat().st_size * 8 * FPS / frames / 1e6
    return {
        "render": drawn / frames,
        "encode": (total - drawn) / frames,
        "mbit": megabits,
        "peak_mb": peak_mb(),
    }


def of_scene(setting: str, size: str, frames: int) -> dict[str, float]:
    """Return the costs of one setting at one size."""
    import cv2

    from meshapi_renderer.compose import build_scene, compose
    from meshapi_renderer.encode import RESTLESS
    from meshapi_renderer.scene import Scratch

    cv2.setNumThreads(1)
    composition = compose(_job(setting, size, frames + 1, "unused.mp4"))
    start = process_seconds()
    scene = build_scene(composition)
    baked, scratch = process_seconds() - start, Scratch()
    canvas = composition.canvas
    costs = draw_and_encode(
        (canvas.width, canvas.height),
        frames,
        lambda index: scene.frame(index, scratch),
        restless=composition.plan.weather in RESTLESS,
    )
    return costs | {"bake": baked}


def of_prototype(name: str, size: str, frames: int) -> dict[str, float]:
    """Return the costs of one prototype scene, whose modules are taken from the working directory."""
    import cv2

    sys.path.insert(0, str(Path.cwd()))
    cv2.setNumThreads(1)
    core, sky = importlib.import_module("core"), importlib.import_module("sky")
    scene: Any = importlib.import_module(name)
    hour = PROTOTYPES[name]
    width, height = frame_size(cast(Resolution, size), "16:9")
    start = process_seconds()
    built = scene.build(width, height, {"tod": hour, "pal": sky.PAL[hour]}, core.Rng(name, 1))
    baked = process_seconds() - start
    duration = (frames + 1) / FPS
    costs = draw_and_encode(
        (width, height), frames, lambda index: cast(Picture, scene.frame(built, index / FPS, duration))
    )
    return costs | {"bake": baked}


def of_job(setting: str, size: str, frames: int) -> dict[str, float]:
    """Return wall seconds, CPU seconds and peak memory of a whole job on two threads, sound included."""
    with tempfile.TemporaryDirectory() as folder:
        job = _job(setting, size, frames, str(Path(folder) / "bench.mp4"))
        start = time.monotonic()
        child = subprocess.Popen(
            command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(os.environ)
        )
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(job.to_json().encode() + b"\n")
        child.stdin.flush()
        last = [decode_event(line) for line in child.stdout][-1]
        child.stdin.close()
        _, _, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
        child.returncode = 0
    if not isinstance(last, Done):
        raise SystemExit(last.message if isinstance(last, Failed) else "the render process ended early")
    return {
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss * 1024 / 1e6,
    }


def _job(setting: str, size: str, frames: int, output: str) -> Job:
    prompt = SHOWCASE[cast(Setting, setting)]
    return Job(
        prompt=prompt, seed=1, frames=frames, output=output, resolution=cast(Resolution, size), threads=2
    )


def in_own_process(
    kind: str, name: str, size: str, frames: int, folder: Path | None = None
) -> dict[str, float]:
    """Run one measurement of this file in a process of its own; SystemExit with its errors when it fails."""
    run = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), kind, name, size, str(frames)],
        capture_output=True, text=True, env=environment(os.environ), cwd=folder,
    )  # fmt: skip
    if run.returncode:
        raise SystemExit(f"{kind} {name} {size} failed:\n{run.stderr}")
    result: dict[str, float] = json.loads(run.stdout)
    return result


_KINDS = {"scene": of_scene, "prototype": of_prototype, "job": of_job}

if __name__ == "__main__":
    kind, name, size, count = sys.argv[1:]
    print(json.dumps(_KINDS[kind](name, size, int(count))))
