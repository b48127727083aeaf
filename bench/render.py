"""What a frame costs: the scenes beside the encoder, in CPU time.

    python bench/render.py --scenes lake city --sizes 480p 720p --frames 24

Every scene and size runs in a process of its own, one thread, in the environment of the render process.
"bake" is the time before the first frame, "encode" is colour conversion, x264 and muxing of the same
frames, and "ratio" is render over encode. CPU time is what counts: wall time on a shared machine is not.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from meshapi_renderer.contact_sheet import SHOWCASE
from meshapi_renderer.job import Job, environment
from meshapi_renderer.plan import Setting
from meshapi_renderer.sizes import RESOLUTIONS, Resolution


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measure(setting: Setting, size: Resolution, frames: int) -> dict[str, float]:
    """Return the costs of one scene at one size; runs in a process of its own."""
    import cv2

    from meshapi_renderer.compose import build_scene, compose
    from meshapi_renderer.encode import VideoWriter, video_frame
    from meshapi_renderer.scene import Scratch

    cv2.setNumThreads(1)
    job = Job(prompt=SHOWCASE[setting], seed=1, frames=frames + 1, output="unused.mp4", resolution=size)
    composition = compose(job)
    start = cpu_seconds()
    scene = build_scene(composition)
    baked = cpu_seconds() - start
    scratch = Scratch()
    scene.frame(0, scratch)
    start = cpu_seconds()
    for index in range(1, frames + 1):
        scene.frame(index, scratch)
    rendered = (cpu_seconds() - start) / frames
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    pictures = [scene.frame(index, scratch).copy() for index in range(1, frames + 1)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.mp4"
        start = cpu_seconds()
        with VideoWriter(path, composition.canvas, composition.timing, None, draft=False) as writer:
            for index, picture in enumerate(pictures):
                writer.write(video_frame(picture, index, job.fps))
        encoded = (cpu_seconds() - start) / frames
        megabits = path.stat().st_size * 8 * job.fps / frames / 1e6
    return {
        "bake": baked,
        "render": rendered,
        "encode": encoded,
        "rss_mb": peak_mb,
        "mbit": megabits,
    }


def in_own_process(setting: str, size: str, frames: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--one", setting, size, "--frames", str(frames)]
    run = subprocess.run(command, capture_output=True, text=True, env=environment(os.environ))
    if run.returncode:
        raise SystemExit(f"{setting} {size} failed:\n{run.stderr}")
    result: dict[str, float] = json.loads(run.stdout)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", nargs="+", choices=list(SHOWCASE), default=list(SHOWCASE))
    parser.add_argument("--sizes", nargs="+", choices=RESOLUTIONS, default=["480p", "720p", "1080p"])
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        setting, size = options.one
        print(json.dumps(measure(setting, size, options.frames)))
        return
    print(f"{'scene':8}{'size':7}{'bake s':>8}{'render ms':>11}{'frames/CPU-s':>14}", end="")
    print(f"{'encode ms':>11}{'ratio':>7}{'Mbit/s':>8}{'RSS MB':>8}")
    for setting in options.scenes:
        for size in options.sizes:
            cost = in_own_process(setting, size, options.frames)
            print(_row(setting, size, cost), flush=True)


def _row(setting: str, size: str, cost: dict[str, float]) -> str:
    render, encode = cost["render"], cost["encode"]
    return (
        f"{setting:8}{size:7}{cost['bake']:8.2f}{render * 1e3:11.1f}{1 / render:14.1f}"
        f"{encode * 1e3:11.1f}{render / encode:7.2f}{cost['mbit']:8.1f}{cost['rss_mb']:8.0f}"
    )


if __name__ == "__main__":
    main()
