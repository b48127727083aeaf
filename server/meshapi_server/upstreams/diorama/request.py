"""From a task's spec to the renderer's job. Pure.

The spec may have been written for another model (simulation, wire.md section 10), so whatever the renderer
cannot take is left out here instead of refused; the plan on the task says what was understood.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import cast, get_args

from meshapi_renderer.formats import OutputFormat
from meshapi_renderer.job import MAX_FRAMES, InvalidInput
from meshapi_renderer.job import Job as RenderJob
from meshapi_renderer.sizes import Ratio, Resolution
from meshapi_server.upstreams.contract import ContentItem, Job

FPS = 24
DEFAULT_SECONDS = 5
_MAX_REFERENCES = 4
_PLAIN_PROMPT = "abstract"


def images(job: Job) -> list[ContentItem]:
    """The images that the renderer uses: first and last frame, else up to four references."""
    by_role = {item.role: item for item in job.spec.content if item.kind == "image"}
    frames = [by_role[role] for role in ("first_frame", "last_frame") if role in by_role]
    if "first_frame" in by_role:
        return frames
    references = [item for item in job.spec.content if item.role == "reference_image"]
    return references[:_MAX_REFERENCES]


def render_job(job: Job, paths: Mapping[int, Path], workspace: Path, threads: int) -> RenderJob:
    """The renderer's job; ``paths`` are the fetched images by their item's index. Raises InvalidInput."""
    spec = job.spec
    used = images(job)
    by_role = {item.role: str(paths[item.index]) for item in used}
    prompt = spec.prompt
    output_format = _output_format(spec.output_format)
    return RenderJob(
        prompt=prompt if prompt.strip() or "first_frame" in by_role else _PLAIN_PROMPT,
        seed=job.seed,
        frames=_frames(spec.duration, spec.frames),
        output=str(workspace / f"video.{output_format.partition('-')[0]}"),
        output_format=output_format,
        resolution=_resolution(spec.resolution),
        ratio=_ratio(spec.ratio),
        fps=FPS,
        camera_fixed=bool(spec.camera_fixed),
        watermark=bool(spec.watermark),
        draft=bool(spec.draft),
        generate_audio=spec.generate_audio is not False,
        first_frame=by_role.get("first_frame"),
        last_frame=by_role.get("last_frame"),
        reference_images=tuple(str(paths[item.index]) for item in used if item.role == "reference_image"),
        return_last_frame=bool(spec.return_last_frame),
        last_frame_output=str(workspace / "last_frame.png") if spec.return_last_frame else None,
        threads=threads,
    )


def _frames(duration: int | None, frames: int | None) -> int:
    wanted = (
        frames if frames is not None else FPS * (duration if duration and duration > 0 else DEFAULT_SECONDS)
    )
    if wanted > MAX_FRAMES:
        raise InvalidInput(
            "frames", f"{wanted} frames are asked for; the built-in model makes {MAX_FRAMES} at most"
        )
    return wanted


def _resolution(value: str | None) -> Resolution:
    known = get_args(Resolution)
    return cast(Resolution, value if value in known else "720p")


def _output_format(value: str | None) -> OutputFormat:
    return cast(OutputFormat, value if value in get_args(OutputFormat) else "mp4")


def _ratio(value: str | None) -> Ratio:
    known = get_args(Ratio)
    return cast(Ratio, value if value in known else "adaptive")
