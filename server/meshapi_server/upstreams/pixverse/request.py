"""A job as one of PixVerse's generations. Images are named by the ids that their uploads gave."""

from collections.abc import Mapping, Sequence
from typing import Any

from meshapi_server.upstreams.adapter import ContentItem, HttpRequest, Job, Rejected, TaskError
from meshapi_server.upstreams.http import Part, decode_data_uri, post_form

_TEXT, _IMAGE, _FRAMES = (f"/video/{kind}/generate" for kind in ("text", "img", "transition"))


def frames_of(job: Job) -> Sequence[ContentItem]:
    """The images to upload: none, the first frame, or the first and the last. Raises Rejected for others."""
    found: dict[str, ContentItem] = {}
    for item in job.spec.content:
        if item.kind == "text":
            continue
        role = item.role or "first_frame"
        if item.kind != "image" or role not in {"first_frame", "last_frame"} or role in found:
            raise _untaken(job, item)
        found[role] = item
    if "last_frame" in found and "first_frame" not in found:
        raise _untaken(job, found["last_frame"])
    return [found[role] for role in ("first_frame", "last_frame") if role in found]


def upload(item: ContentItem) -> HttpRequest:
    """The upload of an image: its bytes, or the URL from which PixVerse gets it."""
    decoded = decode_data_uri(item.url or "")
    if decoded is None:
        return post_form("/image/upload", [("image_url", item.url or "")], harmless=True)
    media_type, data = decoded
    name = f"image.{media_type.partition('/')[2].partition('+')[0] or 'png'}"
    part = Part(name="image", filename=name, media_type=media_type, data=data)
    return post_form("/image/upload", [], [part], harmless=True)


def route_and_body(job: Job, images: Sequence[int]) -> tuple[str, dict[str, Any]]:
    """The path to POST to, and its body. ``images`` are the ids of the frames, in their order."""
    spec = job.spec
    body: dict[str, Any] = {
        "model": job.model,
        "prompt": spec.prompt,
        "duration": spec.duration,
        "quality": spec.resolution,
        "negative_prompt": spec.negative_prompt,
        "seed": None if spec.seed is None else job.seed,
        "water_mark": spec.watermark,
        "generate_audio_switch": spec.generate_audio,
    }
    if not images:
        ratio = None if spec.ratio == "adaptive" else spec.ratio
        return _TEXT, _given(body | {"aspect_ratio": ratio})
    if len(images) == 1:
        return _IMAGE, _given(body | {"img_id": images[0]})
    return _FRAMES, _given(body | {"first_frame_img": images[0], "last_frame_img": images[1]})


def _given(wishes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wishes.items() if value is not None}


def _untaken(job: Job, item: ContentItem) -> Rejected:
    message = f"content {item.index}: {job.model} of PixVerse takes no {item.role or item.kind} here."
    return Rejected(TaskError(code="invalid_input", message=message, charged="no"))
