"""A job as the body of a create call."""

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from meshapi_server.upstreams.adapter import ContentItem, Job, Rejected, TaskError

from .families import SIZES, family_of, has_sound_switch

_VIDEO = "/services/aigc/video-generation/video-synthesis"
_FROM_IMAGES = "/services/aigc/image2video/video-synthesis"
_SUBJECT = re.compile(r"@([A-Za-z0-9_-]{1,64})")
_FIELDS = {
    "sized": {},
    "image": {None: "img_url", "first_frame": "img_url"},
    "frames": {None: "first_frame_url", "first_frame": "first_frame_url", "last_frame": "last_frame_url"},
    "speech": {None: "image_url", "first_frame": "image_url", "reference_audio": "audio_url"},
}
_USUAL_RATIO = "16:9"


def place_of(model: str) -> str:
    """Where a task for the model is created."""
    return _FROM_IMAGES if family_of(model) in {"frames", "speech"} else _VIDEO


def with_uploads(job: Job, places: Mapping[int, str]) -> Job:
    """The job with the places of what was uploaded, by the items' indexes."""
    if not places:
        return job
    items = [replace(item, url=places.get(item.index, item.url)) for item in job.spec.content]
    return replace(job, spec=replace(job.spec, content=tuple(items)))


def body_of(job: Job) -> dict[str, Any]:
    """The body. Raises Rejected for what the model's family cannot be asked for."""
    given: dict[str, Any] = {}
    if job.spec.prompt:
        given["prompt"] = _cited(job)
    if job.spec.negative_prompt:
        given["negative_prompt"] = job.spec.negative_prompt
    return {"model": job.model, "input": given | _media(job), "parameters": _parameters(job)}


def _parameters(job: Job) -> dict[str, Any]:
    spec = job.spec
    wishes: tuple[tuple[str, Any], ...] = (
        *_shape(job),
        ("duration", spec.duration),
        ("audio", spec.generate_audio if has_sound_switch(job.model) else None),
        ("watermark", spec.watermark),
        ("seed", None if spec.seed is None else job.seed),
    )
    return {name: value for name, value in wishes if value is not None}


def _shape(job: Job) -> tuple[tuple[str, str | None], ...]:
    """A size in pixels, or a resolution and a ratio."""
    resolution, ratio = job.spec.resolution, job.spec.ratio
    if family_of(job.model) not in {"sized", "references"}:
        return (("resolution", resolution.upper() if resolution else None), ("ratio", ratio))
    if resolution is None:
        return ()
    size = SIZES.get((resolution, ratio or _USUAL_RATIO))
    if size is None:
        message = f"{job.model} makes no {resolution} videos of {ratio or _USUAL_RATIO}."
        raise Rejected(TaskError(code="invalid_input", message=message, charged="no"))
    return (("size", size),)


def _media(job: Job) -> dict[str, Any]:
    family = family_of(job.model)
    items = [item for item in job.spec.content if item.kind != "text"]
    if family == "media":
        listed = [{"type": _type(item, job), "url": item.url} for item in items]
        return {"media": listed} if listed else {}
    if family == "references":
        for item in items:
            if item.role not in {"reference_image", "reference_video"}:
                raise _untaken(job, item)
        return {"reference_urls": [item.url for item in items]} if items else {}
    given: dict[str, Any] = {}
    for item in items:
        name = _FIELDS[family].get(item.role)
        if name is None or name in given:
            raise _untaken(job, item)
        given[name] = item.url
    return given


def _type(item: ContentItem, job: Job) -> str:
    """The type of a medium. The editor calls its source a video, and frames are driven by an audio."""
    if item.kind not in {"image", "video", "audio"}:
        raise _untaken(job, item)
    if item.role == "reference_video" and job.model.endswith("videoedit"):
        return "video"
    if item.role == "reference_audio" and "i2v" in job.model:
        return "driving_audio"
    return item.role or "first_frame"


def _cited(job: Job) -> str:
    """The prompt, in which ``@subject`` becomes Alibaba's name for the input: Image 2, or character2."""
    names: dict[str, str] = {}
    counts: dict[str, int] = {}
    for item in job.spec.content:
        kind = "character" if family_of(job.model) == "references" else item.kind.capitalize()
        if item.kind == "text":
            continue
        counts[kind] = counts.get(kind, 0) + 1
        if item.subject:
            space = "" if kind == "character" else " "
            names[item.subject] = f"{kind}{space}{counts[kind]}"
    return _SUBJECT.sub(lambda cited: names.get(cited[1], cited[0]), job.spec.prompt)


def _untaken(job: Job, item: ContentItem) -> Rejected:
    message = f"content {item.index}: {job.model} takes no {item.role or item.kind} here."
    return Rejected(TaskError(code="invalid_input", message=message, charged="no"))
