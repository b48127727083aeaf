"""A job in the words of Kling's current path family."""

import re
from typing import Any

from meshapi_server.upstreams.adapter import ContentItem, Job, Rejected, TaskError

_OMNI = ("omni", "kling-o1")
_DATA = re.compile(r"^data:[^,]*;base64,", re.IGNORECASE)
_SUBJECT = re.compile(r"@([A-Za-z0-9_-]{1,64})")
_FRAMES = {None: "first_frame", "first_frame": "first_frame", "last_frame": "last_frame"}


def kind_of(job: Job) -> str:
    """Which kind of task: the first part of the path."""
    if _is_omni(job):
        return "omni-video"
    pictured = any(item.kind == "image" for item in job.spec.content)
    return "image-to-video" if pictured else "text-to-video"


def body_of(job: Job) -> dict[str, Any]:
    """The body of a create call. Text alone is a prompt; with images it is the first of the contents."""
    options: dict[str, Any] = {"external_task_id": job.token}
    if job.callback_url is not None:
        options["callback_url"] = job.callback_url
    watermark = watermark_of(job)
    if watermark is not None:
        options["watermark_info"] = watermark
    start: dict[str, Any]
    if kind_of(job) == "text-to-video":
        for item in job.spec.content:
            if item.kind != "text":
                raise _untaken(job, item)
        start = {"prompt": job.spec.prompt}
    else:
        start = {"contents": _contents(job)}
    return {**start, "settings": _settings(job), "options": options}


def frames_of(job: Job) -> tuple[str | None, str | None]:
    """First and last frame, as a URL or as base64. Raises Rejected for any other input."""
    frames: dict[str, str] = {}
    for item in job.spec.content:
        if item.kind == "text":
            continue
        name = _FRAMES.get(item.role) if item.kind == "image" else None
        if name is None or name in frames:
            raise _untaken(job, item)
        frames[name] = _bare(item)
    return frames.get("first_frame"), frames.get("last_frame")


def watermark_of(job: Job) -> dict[str, bool] | None:
    """The switch for a watermark, where the caller set it."""
    return None if job.spec.watermark is None else {"enabled": job.spec.watermark}


def _contents(job: Job) -> list[dict[str, Any]]:
    contents: list[dict[str, Any]] = []
    if job.spec.prompt:
        contents.append({"type": "prompt", "text": _cited(job)})
    if not _is_omni(job):
        first, last = frames_of(job)
        named = (("first_frame", first), ("last_frame", last))
        return contents + [{"type": name, "url": url} for name, url in named if url is not None]
    number = 0
    for item in job.spec.content:
        if item.kind == "text":
            continue
        if item.kind != "image":
            raise _untaken(job, item)
        if item.role == "reference_image":
            number += 1
            contents.append({"type": "refer_image", "id": f"image_{number}", "url": _bare(item)})
        else:
            contents.append({"type": _FRAMES.get(item.role, "first_frame"), "url": _bare(item)})
    return contents


def _settings(job: Job) -> dict[str, Any]:
    spec = job.spec
    sound = None if spec.generate_audio is None else ("native" if spec.generate_audio else "off")
    wishes: tuple[tuple[str, Any], ...] = (
        ("resolution", spec.resolution),
        ("aspect_ratio", spec.ratio),
        ("duration", spec.duration),
        ("audio", sound),
    )
    return {name: value for name, value in wishes if value is not None}


def _cited(job: Job) -> str:
    """The prompt, in which ``@subject`` becomes Kling's ``<<<image_2>>>`` for the second reference image."""
    references = [item for item in job.spec.content if item.role == "reference_image"]
    numbers = {item.subject: number for number, item in enumerate(references, 1) if item.subject}

    def cited(name: re.Match[str]) -> str:
        number = numbers.get(name[1])
        return name[0] if number is None else f"<<<image_{number}>>>"

    return _SUBJECT.sub(cited, job.spec.prompt)


def _bare(item: ContentItem) -> str:
    """The URL, or the base64 of a data URI: Kling wants that without its head."""
    return _DATA.sub("", item.url or "")


def _is_omni(job: Job) -> bool:
    return any(part in job.model for part in _OMNI)


def _untaken(job: Job, item: ContentItem) -> Rejected:
    message = f"content {item.index}: {job.model} takes no {item.role or item.kind} here."
    return Rejected(TaskError(code="invalid_input", message=message, charged="no"))
