"""A job as the input of one of fal's endpoints."""

from typing import Any

from meshapi_server.upstreams.adapter import ContentItem, Job, Rejected, Spec, TaskError
from meshapi_server.upstreams.http import path

from .models import FAMILIES, UNKNOWN, Family


def endpoint_and_input(job: Job) -> tuple[str, dict[str, Any]]:
    """The path to POST to, and the model's input. Raises Rejected for an input that the model lacks."""
    family = FAMILIES.get(job.model, UNKNOWN)
    body: dict[str, Any] = {"prompt": job.spec.prompt} if job.spec.prompt else {}
    frames = _frames(job, family)
    below = family.image if frames else family.text
    elements = [*job.model.split("/"), *([below] if below else [])]
    return path(*elements), body | frames | _settings(job, family)


def app_of(model: str) -> str:
    """The path of the app that a model's requests are found under: its first two elements, never more."""
    return path(*model.split("/")[:2])


def _frames(job: Job, family: Family) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for item in job.spec.content:
        if item.kind == "text":
            continue
        field = None
        if item.kind == "image":
            field = {None: family.first, "first_frame": family.first, "last_frame": family.last}.get(
                item.role
            )
        if field is None or field in body:
            raise _untaken(job, item)
        body[field] = item.url
    return body


def _settings(job: Job, family: Family) -> dict[str, Any]:
    spec = job.spec
    resolution = spec.resolution.upper() if spec.resolution and family.capitals else spec.resolution
    wishes: tuple[tuple[str | None, Any], ...] = (
        ("duration", _duration(spec, family)),
        ("resolution", resolution),
        (family.ratio, None if spec.ratio == "adaptive" else spec.ratio),
        (family.audio, spec.generate_audio),
        ("seed", None if spec.seed is None else job.seed),
        ("negative_prompt", spec.negative_prompt),
    )
    return {name: value for name, value in wishes if name is not None and value is not None}


def _duration(spec: Spec, family: Family) -> int | str | None:
    if spec.duration is None:
        return None
    if spec.duration < 1:
        return family.decides
    match family.duration:
        case "number":
            return spec.duration
        case "text":
            return str(spec.duration)
    return f"{spec.duration}s"


def _untaken(job: Job, item: ContentItem) -> Rejected:
    message = f"content {item.index}: {job.model} on fal takes no {item.role or item.kind} here."
    return Rejected(TaskError(code="invalid_input", message=message, charged="no"))
