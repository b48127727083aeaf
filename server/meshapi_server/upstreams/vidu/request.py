"""A job as the body of one of Vidu's routes. A route refuses fields that it does not know."""

from typing import Any

from meshapi_server.upstreams.adapter import ContentItem, Job, Rejected, TaskError

_SHAPED = ("/text2video", "/reference2video")  # elsewhere the image gives the shape


def route_and_body(job: Job) -> tuple[str, dict[str, Any]]:
    """The path to POST to, and its body. Raises Rejected for inputs that no route takes."""
    route, images = _route(job)
    spec = job.spec
    wishes: tuple[tuple[str, Any], ...] = (
        ("images", images or None),
        ("prompt", spec.prompt or None),
        ("duration", spec.duration),
        ("resolution", spec.resolution),
        ("aspect_ratio", spec.ratio if route in _SHAPED and spec.ratio != "adaptive" else None),
        ("audio", spec.generate_audio),
        ("seed", None if spec.seed is None else job.seed),
        ("watermark", spec.watermark),
        ("off_peak", True if spec.service_tier == "flex" else None),
        ("payload", job.token),
        ("callback_url", job.callback_url),
    )
    body: dict[str, Any] = {"model": job.model}
    return route, body | {name: value for name, value in wishes if value is not None}


def _route(job: Job) -> tuple[str, list[str]]:
    """The route that these inputs ask for, and its images in its order."""
    frames: dict[str, ContentItem] = {}
    references: list[ContentItem] = []
    for item in job.spec.content:
        if item.kind == "text":
            continue
        if item.kind != "image" or (item.role or "first_frame") in frames:
            raise _untaken(job, item)
        if item.role == "reference_image":
            references.append(item)
        else:
            frames[item.role or "first_frame"] = item
    if not frames and not references:
        return "/text2video", []
    if not frames:
        return "/reference2video", _urls(references)
    if references:
        raise _untaken(job, references[0])
    if "first_frame" not in frames:
        raise _untaken(job, frames["last_frame"])
    if len(frames) == 1:
        return "/img2video", _urls([frames["first_frame"]])
    return "/start-end2video", _urls([frames["first_frame"], frames["last_frame"]])


def _urls(items: list[ContentItem]) -> list[str]:
    return [item.url or "" for item in items]


def _untaken(job: Job, item: ContentItem) -> Rejected:
    message = f"content {item.index}: {job.model} on Vidu takes no {item.role or item.kind} here."
    return Rejected(TaskError(code="invalid_input", message=message, charged="no"))
