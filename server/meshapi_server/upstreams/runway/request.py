"""A job in Runway's terms: which route, and a body of nothing but what the model takes there."""

import math
from typing import Any

from meshapi_server.upstreams.adapter import ContentItem, Job, Rejected, Spec, TaskError

from .models import MODELS, UNKNOWN, Sizes

_TEXT, _IMAGE, _VIDEO = "/v1/text_to_video", "/v1/image_to_video", "/v1/video_to_video"
_POSITIONS = {"first_frame": "first", "last_frame": "last"}
_REFERENCES = (
    ("reference_image", "references", "references"),
    ("reference_video", "videos", "referenceVideos"),
    ("reference_audio", "audios", "referenceAudio"),
)


def route_and_body(job: Job) -> tuple[str, dict[str, Any]]:
    """Where to POST what. Raises Rejected when the model has no route for what is given."""
    model = MODELS.get(job.model, UNKNOWN)
    media = [item for item in job.spec.content if item.kind != "text"]
    frames = [item for item in media if item.role in _POSITIONS or (item.kind == "image" and not item.role)]
    videos = [item for item in media if item.kind == "video"]
    if frames:
        route, takes = _IMAGE, model.image
    elif model.video is not None and videos and "videos" not in (model.text or ()):
        route, takes = _VIDEO, model.video
    else:
        route, takes = _TEXT, model.text
    if takes is None:
        raise _untaken(job, "it cannot work from what the request gives")
    body: dict[str, Any] = {"model": job.model}
    if job.spec.prompt:
        body["promptText"] = job.spec.prompt
    if frames:
        body["promptImage"] = [_frame(item) for item in frames]
    elif route == _VIDEO:
        body[model.video_field] = videos[0].url
    given = [item for item in media if item not in frames and not (route == _VIDEO and item is videos[0])]
    body |= _inputs(job, given, takes)
    return route, body | _shape(job.spec, model.sizes, takes) | _settings(job, takes)


def _frame(item: ContentItem) -> dict[str, Any]:
    return {"uri": item.url, "position": _POSITIONS.get(item.role or "first_frame")}


def _inputs(job: Job, items: list[ContentItem], takes: frozenset[str]) -> dict[str, Any]:
    """The references. Raises Rejected for one that this route would refuse."""
    body: dict[str, Any] = {}
    for item in items:
        word, field = next(
            ((word, field) for role, word, field in _REFERENCES if role == item.role), ("", "")
        )
        if word not in takes:
            raise _untaken(job, f"it takes no {item.role or item.kind} here", item)
        kind = {} if word == "references" else {"type": item.kind}
        body.setdefault(field, []).append({**kind, "uri": item.url})
    return body


def _shape(spec: Spec, sizes: Sizes, takes: frozenset[str]) -> dict[str, Any]:
    """Resolution and ratio, in the way in which this model is told of them here."""
    ratio = None if spec.ratio == "adaptive" else spec.ratio
    body: dict[str, Any] = {}
    if "auto" in takes:
        body["ratio"] = f"auto_{spec.resolution}" if spec.resolution else None
    elif "sizes" in takes:
        body["ratio"] = size_of(spec.resolution, ratio, sizes) if sizes else ratio
    elif "ratio" in takes:
        body["ratio"] = spec.ratio
    if "shape" in takes:
        body["targetAspectRatio"] = ratio
    if "resolution" in takes:
        body["resolution"] = spec.resolution
    return _given(body)


def size_of(resolution: str | None, ratio: str | None, sizes: Sizes) -> str:
    """The model's own size nearest in shape; its first resolution and first shape where nothing is said."""
    of_resolution = sizes.get(resolution or "") or next(iter(sizes.values()))
    if ratio is None:
        return of_resolution[0]
    wanted = _slope(ratio)
    return min(of_resolution, key=lambda size: abs(_slope(size) - wanted))


def _slope(ratio: str) -> float:
    across, _, down = ratio.partition(":")
    return math.log(int(across) / int(down))


def _settings(job: Job, takes: frozenset[str]) -> dict[str, Any]:
    spec = job.spec
    duration: int | str | None = spec.duration
    if spec.duration is not None and spec.duration < 1:
        duration = "auto" if "any" in takes else None
    wishes = (
        ("duration", "duration", duration),
        ("audio", "audio", spec.generate_audio),
        ("seed", "seed", None if spec.seed is None else job.seed),
        ("negative", "negativePrompt", spec.negative_prompt),
        ("draft", "draft", spec.draft),
        ("format", "outputFormat", spec.output_format),
    )
    return _given({field: value for word, field, value in wishes if word in takes})


def _given(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


def _untaken(job: Job, reason: str, item: ContentItem | None = None) -> Rejected:
    place = "" if item is None else f"content {item.index}: "
    message = f"{place}Runway cannot make this with {job.model}: {reason}."
    return Rejected(TaskError(code="invalid_input", message=message, charged="no"))
