"""A job as a generation of the Agents API, or of Dream Machine."""

import base64
from typing import Any

from meshapi_server.upstreams.adapter import ContentItem, Job, Rejected, Spec, TaskError
from meshapi_server.upstreams.http import decode_data_uri

_FRAMES = {"first_frame": 0, "last_frame": 1}


def agents_body(job: Job) -> dict[str, Any]:
    """The body of ``POST /generations`` of the Agents API. A frame is a URL, or its bytes."""
    spec = job.spec
    video: dict[str, Any] = _given(resolution=spec.resolution, duration=_seconds(spec))
    for place, item in _frames(job):
        video["end_frame" if place else "start_frame"] = _reference(item)
    body = {"model": job.model, "type": "video", "prompt": spec.prompt, **_given(aspect_ratio=_ratio(spec))}
    return {**body, "video": video}


def dream_body(job: Job) -> dict[str, Any]:
    """The body of ``POST /generations/video`` of Dream Machine. A frame is a URL and nothing else."""
    spec = job.spec
    frames: dict[str, Any] = {}
    for place, item in _frames(job):
        if (item.url or "")[:5].lower() == "data:":
            raise _untaken(job, item, "takes images by public https URL only")
        frames[f"frame{place}"] = {"type": "image", "url": item.url}
    wishes = _given(
        prompt=spec.prompt or None,
        aspect_ratio=_ratio(spec),
        duration=_seconds(spec),
        resolution=spec.resolution,
        keyframes=frames or None,
    )
    return {"model": job.model, **wishes}


def _frames(job: Job) -> list[tuple[int, ContentItem]]:
    found: dict[int, ContentItem] = {}
    for item in job.spec.content:
        if item.kind == "text":
            continue
        place = _FRAMES.get(item.role or "first_frame") if item.kind == "image" else None
        if place is None or place in found:
            raise _untaken(job, item, f"takes no {item.role or item.kind} here")
        found[place] = item
    return sorted(found.items(), key=lambda each: each[0])


def _reference(item: ContentItem) -> dict[str, Any]:
    decoded = decode_data_uri(item.url or "")
    if decoded is None:
        return {"url": item.url}
    media_type, data = decoded
    return {"data": base64.b64encode(data).decode(), "media_type": media_type}


def _seconds(spec: Spec) -> str | None:
    return None if spec.duration is None or spec.duration < 1 else f"{spec.duration}s"


def _ratio(spec: Spec) -> str | None:
    return None if spec.ratio == "adaptive" else spec.ratio


def _given(**wishes: Any) -> dict[str, Any]:
    return {name: value for name, value in wishes.items() if value is not None}


def _untaken(job: Job, item: ContentItem, reason: str) -> Rejected:
    message = f"content {item.index}: {job.model} of Luma {reason}."
    return Rejected(TaskError(code="invalid_input", message=message, charged="no"))
