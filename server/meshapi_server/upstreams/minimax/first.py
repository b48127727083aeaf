"""The first version: tasks, and files which hold what they made."""

from collections.abc import Mapping
from typing import Any

from meshapi_server.upstreams.adapter import (
    Accepted,
    ContentItem,
    Deferred,
    Facts,
    HttpRequest,
    HttpResponse,
    Job,
    Look,
    Progress,
    Rejected,
    Result,
    Talk,
    TaskError,
    Unreadable,
)
from meshapi_server.upstreams.http import get, post
from meshapi_server.upstreams.refusals import Fault, Said, lost

from .errors import failure, fault_in, unanswered

_NOT_FINISHED = 3.0  # s
_FRAMES = {None: "first_frame_image", "first_frame": "first_frame_image", "last_frame": "last_frame_image"}
_MODERATED = frozenset({"moderated_input", "moderated_output"})


def submit(job: Job) -> Talk[Accepted]:
    """POST; HTTP 200 may hold a refusal."""
    response = yield post("/v1/video_generation", _body(job), headers=(("idempotency-key", job.token),))
    fault = fault_in(response)
    if fault is not None:
        raise fault.exception()
    reference = response.object().get("task_id")
    if not isinstance(reference, str) or not reference:
        raise Unreadable("a task without a task_id")
    return Accepted(reference=reference)


def stand(look: Look) -> Talk[Progress | Exception]:
    """GET the task."""
    response = yield _asked(look)
    return _stands(look, response)


def result(look: Look) -> Talk[Result]:
    """GET the task for its file, and the file for an address that is good now."""
    response = yield _asked(look)
    stands = _stands(look, response)
    if isinstance(stands, Exception):
        raise stands
    if stands.error is not None:
        raise Rejected(stands.error)
    if stands.state != "succeeded":
        raise Deferred("the upstream has not finished after all", retry_after=_NOT_FINISHED)
    task = response.object()
    url = None
    if task.get("file_id"):
        url = yield from _address(str(task["file_id"]))
    if url is None:
        said = Said(message="it finished without a video", body=task)
        raise Rejected(Fault(kind="broken", said=said).error())
    return Result(video=get(url, authorised=False), facts=_facts(task))


def _address(file_id: str) -> Talk[str | None]:
    response = yield get("/v1/files/retrieve", (("file_id", file_id),))
    fault = fault_in(response)
    if fault is not None and fault.kind in {"invalid", "model_gone"}:
        raise Rejected(Fault(kind="lost", said=fault.said).error())
    if fault is not None:
        raise unanswered(fault)
    file = response.object().get("file")
    url = file.get("download_url") if isinstance(file, dict) else None
    return url if isinstance(url, str) and url else None


def _asked(look: Look) -> HttpRequest:
    return get("/v1/query/video_generation", (("task_id", look.reference),))


def _stands(look: Look, response: HttpResponse) -> Progress | Exception:
    fault = fault_in(response)
    if fault is not None and fault.kind in {"invalid", "model_gone"}:
        return lost(look, response)  # the id is all that was asked for
    task = response.object() if response.ok else {}
    status = task.get("status")
    word = status.lower() if isinstance(status, str) else ""
    if word in {"fail", "failed"}:
        said = fault.said if fault else Said()
        return failure(said.code, said.message, task).progress()
    if fault is not None:
        return fault.progress() if fault.kind in _MODERATED else unanswered(fault)
    match word:
        case "preparing" | "queueing":
            return Progress(state="queued")
        case "success":
            return Progress(state="succeeded")
    return Progress(state="running")


def _body(job: Job) -> dict[str, Any]:
    spec = job.spec
    body: dict[str, Any] = {"model": job.model}
    if spec.prompt:
        body["prompt"] = spec.prompt
    for item in spec.content:
        if item.kind != "text":
            _add(body, item, job)
    wishes: tuple[tuple[str, Any], ...] = (
        ("duration", spec.duration),
        ("resolution", None if spec.resolution is None else spec.resolution.upper()),
        ("aigc_watermark", spec.watermark),
        ("callback_url", job.callback_url),
    )
    return body | {name: value for name, value in wishes if value is not None}


def _add(body: dict[str, Any], item: ContentItem, job: Job) -> None:
    if item.kind == "image" and item.role == "reference_image" and "subject_reference" not in body:
        body["subject_reference"] = [{"type": "character", "image": [item.url]}]
        return
    name = _FRAMES.get(item.role) if item.kind == "image" else None
    if name is None or name in body:
        message = f"content {item.index}: {job.model} takes no {item.role or item.kind} here."
        raise Rejected(TaskError(code="invalid_input", message=message, charged="no"))
    body[name] = item.url


def _facts(task: Mapping[str, Any]) -> Facts:
    width, height = task.get("video_width"), task.get("video_height")
    return Facts(
        width=width if isinstance(width, int) else None, height=height if isinstance(height, int) else None
    )
