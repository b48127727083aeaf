"""A job as the body of ``POST /videos``."""

from typing import Any

from meshapi_server.upstreams.adapter import ContentItem, Job, Rejected, TaskError

_FRAMES = ("first_frame", "last_frame")
_REFERENCES = {
    "reference_image": ("image", "image_url"),
    "reference_video": ("video", "video_url"),
    "reference_audio": ("audio", "audio_url"),
}


def body_of(job: Job, callback_url: str | None) -> dict[str, Any]:
    """The body, without what was not asked for. Raises Rejected for inputs that have no place in it."""
    frames, references = _inputs(job)
    spec = job.spec
    wishes: tuple[tuple[str, Any], ...] = (
        ("prompt", spec.prompt or None),
        ("duration", spec.duration if spec.duration is None or spec.duration > 0 else None),
        ("resolution", _resolution(spec.resolution)),
        ("aspect_ratio", None if spec.ratio == "adaptive" else spec.ratio),
        ("generate_audio", spec.generate_audio),
        ("seed", None if spec.seed is None else job.seed),
        ("frame_images", frames or None),
        ("input_references", references or None),
        ("callback_url", callback_url),
    )
    body: dict[str, Any] = {"model": job.model}
    return body | {name: value for name, value in wishes if value is not None}


def _inputs(job: Job) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    frames: dict[str, dict[str, Any]] = {}
    references = []
    for item in job.spec.content:
        if item.kind == "text":
            continue
        if (item.url or "")[:5].lower() == "data:":
            raise _untaken(job, item, "takes inputs by public URL only")
        role = item.role or "first_frame"
        kind, name = _REFERENCES.get(role, ("image", "image_url"))
        if item.kind != kind or role in frames:
            raise _untaken(job, item, f"takes no {item.role or item.kind} here")
        part = {"type": name, name: {"url": item.url}}
        if role in _FRAMES:
            frames[role] = {**part, "frame_type": role}
        else:
            references.append(part)
    if frames and references:
        # OpenRouter would make a video of the frames and say nothing of the references.
        first = next(item for item in job.spec.content if item.role in _REFERENCES)
        raise _untaken(job, first, "takes no references beside frames")
    return [frames[role] for role in _FRAMES if role in frames], references


def _resolution(resolution: str | None) -> str | None:
    """OpenRouter's spelling: ``720p``, but ``4K``."""
    return resolution.upper() if resolution is not None and resolution.lower().endswith("k") else resolution


def _untaken(job: Job, item: ContentItem, reason: str) -> Rejected:
    message = f"content {item.index}: {job.model} on OpenRouter {reason}."
    return Rejected(TaskError(code="invalid_input", message=message, charged="no"))
