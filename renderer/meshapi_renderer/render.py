"""One job, start to finish: compose, bake, draw, encode, and put the files in place."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import cv2
import numpy as np
import PIL
from PIL import Image

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.audio import SAMPLE_RATE, Bed
from meshapi_renderer.compose import Composition, build_scene, compose
from meshapi_renderer.encode import RESTLESS, VideoWriter, video_frame
from meshapi_renderer.formats import FORMATS
from meshapi_renderer.frames import frames_in_order
from meshapi_renderer.job import Done, Event, Job, LastFrame, Planned, Progress, VideoFile
from meshapi_renderer.outputs import Outputs
from meshapi_renderer.overlay import Watermark
from meshapi_renderer.plan import RENDERER_VERSION
from meshapi_renderer.scene import Scene


def versions() -> dict[str, str]:
    """Return the versions that the bytes of a video depend on."""
    return {
        "renderer": RENDERER_VERSION,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "av": av.__version__,
        "ffmpeg": av.ffmpeg_version_info,
        "pillow": PIL.__version__,
    }


def render(job: Job, outputs: Outputs, report: Callable[[Event], None]) -> Done:
    """Render a job and return its result; the files are complete when this returns.

    Reports the plan once and the progress after every encoded frame. Whoever calls decides when an
    unfinished job is discarded (`outputs.discard`).

    Raises:
        InvalidInput: an input picture or an output path cannot be used.
    """
    cv2.setNumThreads(1)
    video_path = outputs.begin(job.output, "output")
    last_path = None
    if job.return_last_frame and job.last_frame_output is not None:
        last_path = outputs.begin(job.last_frame_output, "last_frame_output")
    composition = compose(job)
    report(Planned(composition.plan.to_json()))
    last = _write_video(job, composition, video_path, report)
    last_frame = None
    if last_path is not None and job.last_frame_output is not None:
        Image.fromarray(last).save(last_path, format="PNG")
        last_frame = LastFrame(path=job.last_frame_output, sha256=_sha256(last_path))
    video = VideoFile(
        path=job.output,
        width=composition.canvas.width,
        height=composition.canvas.height,
        resolution=composition.resolution,
        ratio=composition.ratio,
        fps=job.fps,
        frames=job.frames,
        duration=job.frames / job.fps,
        bytes=video_path.stat().st_size,
        sha256=_sha256(video_path),
        has_audio=job.generate_audio,
        output_format=job.output_format,
        media_type=FORMATS[job.output_format].media_type,
    )
    outputs.commit()
    return Done(
        video=video,
        last_frame=last_frame,
        plan=composition.plan.to_json(),
        seed=job.seed,
        versions=versions(),
    )


def _write_video(job: Job, composition: Composition, path: Path, report: Callable[[Event], None]) -> Bytes8:
    """Encode all frames and return the final one as it was before encoding."""
    scene, bed = _bake(job, composition)
    last: list[Bytes8] = []
    with VideoWriter(
        path,
        composition.canvas,
        composition.timing,
        bed,
        draft=job.draft,
        output_format=job.output_format,
        restless=composition.plan.weather in RESTLESS,
    ) as writer:
        for done, (frame, kept) in enumerate(_frames(job, composition, scene), start=1):
            writer.write(frame)
            last = kept
            report(Progress(done, job.frames))
    return last[0]


def _bake(job: Job, composition: Composition) -> tuple[Scene, Bed | None]:
    """What is made before the first frame: the scene and, beside it, the sound."""
    with ThreadPoolExecutor(1, thread_name_prefix="sound") as beside:
        bed = beside.submit(_bed, job, composition)
        scene = build_scene(composition)
        return scene, bed.result()


def _bed(job: Job, composition: Composition) -> Bed | None:
    if not job.generate_audio:
        return None
    sample_count = round(job.frames * SAMPLE_RATE / job.fps)
    return Bed(composition.plan, sample_count, composition.random("audio"))


def _frames(job: Job, composition: Composition, scene: Scene) -> Iterator[tuple[av.VideoFrame, list[Bytes8]]]:
    """Yield encodable frames in order, each with a copy of its picture when it is the final one."""
    watermark = Watermark(composition.canvas) if job.watermark else None

    def finish(index: int, picture: Bytes8) -> tuple[av.VideoFrame, list[Bytes8]]:
        if watermark is not None:
            watermark.stamp(picture)
        kept = [picture.copy()] if index == job.frames - 1 else []
        return video_frame(picture, index, job.fps), kept

    return frames_in_order(scene, job.frames, job.threads, finish)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
