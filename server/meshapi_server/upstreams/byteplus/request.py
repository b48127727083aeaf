"""A job in Ark's terms. Ark refuses a field that a model lacks; the model's card has taken those out."""

import hashlib
import re
from typing import Any

from meshapi_server.upstreams.adapter import ContentItem, Job

_LONGEST_IDENTIFIER = 64
_EXPIRY = (3_600, 259_200)  # s
_KEYS = {"image": "image_url", "video": "video_url", "audio": "audio_url"}
_SUBJECT = re.compile(r"@([A-Za-z0-9_-]{1,64})")
_PLAIN = (
    "return_last_frame",
    "generate_audio",
    "draft",
    "camera_fixed",
    "watermark",
    "resolution",
    "ratio",
    "output_format",
    "omni_reference_task_type",
)


def body_of(job: Job) -> dict[str, Any]:
    """The body of a create call. ``priority`` stays here: our own queue has it, and 1.5 pro refuses it."""
    spec = job.spec
    body: dict[str, Any] = {"model": job.model, "content": [_item(item, job) for item in spec.content]}
    if job.callback_url is not None:
        body["callback_url"] = job.callback_url
    body |= {name: getattr(spec, name) for name in _PLAIN if getattr(spec, name) is not None}
    if spec.seed is not None:
        body["seed"] = job.seed
    if spec.frames is not None:
        body["frames"] = spec.frames
    elif spec.duration is not None:
        body["duration"] = spec.duration
    if is_flex(job):
        body["service_tier"] = "flex"
    if spec.execution_expires_after is not None:
        shortest, longest = _EXPIRY
        body["execution_expires_after"] = min(longest, max(shortest, spec.execution_expires_after))
    body["safety_identifier"] = identifier(job)
    return body


def identifier(job: Job) -> str:
    """Our mark on a submission: its token, then a digest of the caller's own identifier, if there is one.

    Ark has no field of its own for this, and shows this one in its list.
    """
    if job.spec.safety_identifier is None:
        return job.token
    digest = hashlib.sha256(job.spec.safety_identifier.encode()).hexdigest()
    return f"{job.token}.{digest}"[:_LONGEST_IDENTIFIER]


def is_flex(job: Job) -> bool:
    """Whether the task runs in the offline tier, which the list leaves out unless it is asked for."""
    return job.spec.service_tier == "flex"


def _item(item: ContentItem, job: Job) -> dict[str, Any]:
    if item.kind == "text":
        return {"type": "text", "text": _SUBJECT.sub(lambda cited: _name(cited, job), item.text or "")}
    if item.kind == "draft_task":
        return {"type": "draft_task", "draft_task": {"id": item.task_id}}
    key = _KEYS[item.kind]
    media: dict[str, Any] = {"type": key, key: {"url": item.url}}
    if item.role is not None:
        media["role"] = item.role
    return media


def _name(cited: re.Match[str], job: Job) -> str:
    """``@subject`` as Ark cites inputs: "Image 2" is the second image of the request."""
    for kind in ("image", "video", "audio"):
        alike = [item for item in job.spec.content if item.kind == kind]
        for number, item in enumerate(alike, 1):
            if item.subject == cited[1]:
                return f"{kind.capitalize()} {number}"
    return cited[0]
