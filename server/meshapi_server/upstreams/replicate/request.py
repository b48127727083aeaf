"""A job as a prediction: which endpoint, and the model's own input."""

import re
from typing import Any

from meshapi_server.upstreams.adapter import ContentItem, Job, Rejected, TaskError
from meshapi_server.upstreams.http import path

from .schema import Schema

# What models call their frames, the plainest name last: some have it for a picture of another purpose.
_FIRST = ("first_frame_image", "start_image", "first_frame", "start_frame", "input_image", "image")
_LAST = ("last_frame_image", "end_image", "last_frame", "end_frame")
_VERSION = re.compile(r"^[0-9a-f]{64}$")
_EVENTS = ("start", "completed")


def schema_place(model: str) -> str | None:
    """Where the model's input schema is; None for a bare version, which does not tell its model."""
    name, _, version = model.partition(":")
    if _VERSION.match(name):
        return None
    place = "/models" + path(*name.split("/"))
    return f"{place}/versions{path(version)}" if version else place


def create_place(model: str) -> str:
    """Where a prediction is made: at the model, or at the door for versions."""
    return "/predictions" if _version(model) else "/models" + path(*model.split("/")) + "/predictions"


def body_of(job: Job, schema: Schema) -> dict[str, Any]:
    """The body of a create call. Raises Rejected for an input that the model does not have."""
    version = _version(job.model)
    body: dict[str, Any] = {"version": version} if version else {}
    body["input"] = _input(job, schema)
    if job.callback_url is not None:
        body |= {"webhook": job.callback_url, "webhook_events_filter": list(_EVENTS)}
    return body


def _version(model: str) -> str | None:
    return model if ":" in model or _VERSION.match(model) else None


def _input(job: Job, schema: Schema) -> dict[str, Any]:
    spec = job.spec
    duration = spec.duration if spec.duration is None or spec.duration > 0 else None
    wishes: tuple[tuple[tuple[str, ...], str | None, Any], ...] = (
        (("duration",), None, duration),
        (("num_frames",), None, spec.frames),
        (("resolution",), None, spec.resolution),
        (("aspect_ratio",), None, None if spec.ratio == "adaptive" else spec.ratio),
        # Beside the switch, models may have an "audio" that is a file to go along with.
        (("generate_audio", "enable_audio", "audio"), "boolean", spec.generate_audio),
        (("seed",), None, None if spec.seed is None else job.seed),
        (("negative_prompt",), None, spec.negative_prompt),
        (("camera_fixed",), None, spec.camera_fixed),
        (("guidance_scale",), None, spec.guidance_scale),
        (("num_inference_steps",), None, spec.num_inference_steps),
    )
    given: dict[str, Any] = {"prompt": spec.prompt} if spec.prompt else {}
    given |= _frames(job, schema)
    for names, kind, value in wishes:
        name = None if value is None else schema.first(names, kind)
        if name is not None:
            given[name] = schema.spelled(name, value)
    return given


def _frames(job: Job, schema: Schema) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for item in job.spec.content:
        if item.kind == "text":
            continue
        names = {None: _FIRST, "first_frame": _FIRST, "last_frame": _LAST}.get(item.role)
        name = schema.first(names) if names and item.kind == "image" else None
        if name is None or name in given:
            raise _untaken(job, item)
        given[name] = item.url
    return given


def _untaken(job: Job, item: ContentItem) -> Rejected:
    message = f"content {item.index}: {job.model} on Replicate takes no {item.role or item.kind} here."
    return Rejected(TaskError(code="invalid_input", message=message, charged="no"))
