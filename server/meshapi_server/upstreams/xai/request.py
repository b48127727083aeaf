"""A job in xAI's terms. Inputs are ``{"url": …}``; a first frame is ``image``, a video to edit ``video``."""

import re
from typing import Any

from meshapi_server.upstreams.adapter import ContentItem, Job

GENERATE, EDIT = "/videos/generations", "/videos/edits"
_SUBJECT = re.compile(r"@([A-Za-z0-9_-]{1,64})")


def route_and_body(job: Job) -> tuple[str, dict[str, Any]]:
    """Where to POST what. An edit follows its input in length, shape and size, so none of them is sent."""
    spec = job.spec
    body: dict[str, Any] = {"model": job.model, "prompt": _prompt(job)}
    videos = _of_role(job, "reference_video")
    if videos:
        body["video"] = _place(videos[0])
    else:
        body |= _pictures(job)
        body |= {
            "duration": spec.duration if (spec.duration or 0) > 0 else None,
            "aspect_ratio": spec.ratio,
            "resolution": spec.resolution,
            "generate_audio": spec.generate_audio,
        }
    body["user"] = spec.safety_identifier
    return EDIT if videos else GENERATE, {name: value for name, value in body.items() if value is not None}


def _pictures(job: Job) -> dict[str, Any]:
    pictures: dict[str, Any] = {}
    for item in job.spec.content:
        if item.kind != "image":
            continue
        if item.role == "reference_image":
            pictures.setdefault("reference_images", []).append(_place(item))
        else:
            pictures["last_frame" if item.role == "last_frame" else "image"] = _place(item)
    return pictures


def _prompt(job: Job) -> str:
    """The text, with ``@subject`` as xAI cites references: ``<IMAGE_1>`` is the first of them."""
    references = _of_role(job, "reference_image")
    named = {item.subject: f"<IMAGE_{number}>" for number, item in enumerate(references, 1) if item.subject}
    return _SUBJECT.sub(lambda cited: named.get(cited[1], cited[0]), job.spec.prompt)


def _of_role(job: Job, role: str) -> list[ContentItem]:
    return [item for item in job.spec.content if item.role == role]


def _place(item: ContentItem) -> dict[str, Any]:
    return {"url": item.url}
