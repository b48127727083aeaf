"""A job as the form of ``POST /v1/videos``. vLLM-Omni reads forms only; all others read them too."""

from meshapi_server.upstreams.adapter import ContentItem, HttpRequest, Job, Rejected, TaskError
from meshapi_server.upstreams.http import Part, decode_data_uri, post_form
from meshapi_server.upstreams.media import extension_of

_SHORT_EDGES = {"480p": 480, "720p": 720, "1080p": 1080, "4k": 2160}
_GRID = 16  # pixels; video models work on such blocks


def create(url: str, job: Job) -> HttpRequest:
    """The request. Its Idempotency-Key is honoured by proxies that know the header; engines ignore it."""
    spec = job.spec
    values = [("model", job.model), ("prompt", spec.prompt)]
    if spec.duration is not None and spec.duration > 0:
        values.append(("seconds", str(spec.duration)))
    size = size_of(spec.resolution, spec.ratio)
    if size is not None:
        values.append(("size", size))
    further = {
        "num_frames": spec.frames,
        "seed": None if spec.seed is None else job.seed,
        "negative_prompt": spec.negative_prompt,
        "guidance_scale": spec.guidance_scale,
        "num_inference_steps": spec.num_inference_steps,
    }
    values += [(name, str(value)) for name, value in further.items() if value is not None]
    frame = frame_of(job)
    files = [] if frame is None else [_file(frame)]
    return post_form(url, values, files, headers=(("idempotency-key", job.token),))


def frame_of(job: Job) -> ContentItem | None:
    """The first frame, the only input of this protocol. Raises Rejected for any other."""
    media = [item for item in job.spec.content if item.kind != "text"]
    for item in media:
        if item.kind != "image" or item.role not in {None, "first_frame"} or item is not media[0]:
            raise Rejected(
                TaskError(
                    code="invalid_input",
                    message=f"content {item.index}: this upstream takes one first frame and nothing else.",
                    charged="no",
                )
            )
    return media[0] if media else None


def size_of(resolution: str | None, ratio: str | None) -> str | None:
    """Width and height such as ``1280x720``; None when either is left to the model."""
    short = _SHORT_EDGES.get(resolution or "")
    if short is None or ratio is None or ":" not in ratio:
        return None
    across, down = (int(side) for side in ratio.split(":"))
    long = round(short * max(across, down) / min(across, down) / _GRID) * _GRID
    return f"{long}x{short}" if across >= down else f"{short}x{long}"


def _file(frame: ContentItem) -> Part:
    decoded = decode_data_uri(frame.url or "")
    if decoded is None:
        raise ValueError("the first frame is not inlined")
    media_type, data = decoded
    return Part(
        name="input_reference",
        filename=f"input.{extension_of(media_type)}",
        media_type=media_type,
        data=data,
    )
