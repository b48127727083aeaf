"""From a task's spec to the child's order. Pure."""

from collections.abc import Mapping
from pathlib import Path

from meshapi_renderer.sizes import DEFAULT_RATIO, nearest_ratio
from meshapi_server.upstreams.contract import ContentItem, Job
from meshapi_server.upstreams.limits import ADAPTIVE

from .child.meshapi_diffusion.protocol import Render
from .family import family_of, fps_of, image_pipeline
from .folder import ModelFolder
from .grid import grid_of


def pictures(job: Job) -> dict[str, ContentItem]:
    """The first and the last frame that the request gives, by their role."""
    return {
        item.role: item
        for item in job.spec.content
        if item.kind == "image" and item.role in {"first_frame", "last_frame"}
    }


def size(job: Job, folder: ModelFolder, picture: tuple[int, int] | None) -> tuple[int, int]:
    """Width and height of the video; ``picture`` is that of the first frame, if there is one."""
    family, spec = family_of(folder), job.spec
    ratio = spec.ratio or ADAPTIVE
    if ratio == ADAPTIVE:
        ratio = nearest_ratio(*picture) if picture is not None else DEFAULT_RATIO
    resolution = spec.resolution or (folder.wishes.resolutions or family.resolutions)[0]
    return grid_of(folder).size(resolution, ratio)


def order(
    job: Job, folder: ModelFolder, extent: tuple[int, int], given: Mapping[str, Path], output: Path
) -> Render:
    """The order for the child; ``given`` are the pictures as files of exactly that extent, by role."""
    spec, wishes, fps = job.spec, folder.wishes, fps_of(folder)
    seconds = spec.duration or wishes.seconds or family_of(folder).seconds
    pipeline = image_pipeline(folder) if "first_frame" in given else folder.pipeline
    return Render(
        id=f"{job.task_id}.{job.attempt}",
        pipeline=pipeline or folder.pipeline,
        output=str(output),
        prompt=spec.prompt,
        seed=job.seed,
        width=extent[0],
        height=extent[1],
        frames=grid_of(folder).frames(spec.frames or seconds * fps),
        fps=fps,
        negative_prompt=spec.negative_prompt or wishes.negative_prompt,
        steps=spec.num_inference_steps or wishes.steps,
        guidance=wishes.guidance if spec.guidance_scale is None else spec.guidance_scale,
        first_frame=str(given["first_frame"]) if "first_frame" in given else None,
        last_frame=str(given["last_frame"]) if "last_frame" in given else None,
    )
