"""The second version: H3's tasks, in the manner of Ark's, which can be stopped while they wait."""

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
from meshapi_server.upstreams.http import delete, get, path, post
from meshapi_server.upstreams.refusals import Fault, Said, lost

from .errors import failure, fault_in, unanswered

_MODELS = "MiniMax-H"
_OLDER = "MiniMax-Hailuo"
_TASKS = "/v2/video_generation"
_NOT_FINISHED = 3.0  # s
_KEYS = {"image": "image_url", "video": "video_url", "audio": "audio_url"}


def has(model: str) -> bool:
    """Whether this version serves the model: H3 and what comes after it."""
    return model.startswith(_MODELS) and not model.startswith(_OLDER)


def submit(job: Job) -> Talk[Accepted]:
    """POST; only the id comes back."""
    response = yield post(_TASKS, _body(job), headers=(("idempotency-key", job.token),))
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
    """GET the task: every answer has a fresh address."""
    response = yield _asked(look)
    stands = _stands(look, response)
    if isinstance(stands, Exception):
        raise stands
    if stands.error is not None:
        raise Rejected(stands.error)
    if stands.state != "succeeded":
        raise Deferred("the upstream has not finished after all", retry_after=_NOT_FINISHED)
    task = _task(response)
    content = task.get("content")
    url = content.get("url") if isinstance(content, dict) else None
    if not isinstance(url, str) or not url:
        said = Said(message="it finished without a video", body=task)
        raise Rejected(Fault(kind="broken", said=said).error())
    return Result(video=get(url, authorised=False), facts=_facts(task))


def cancel(look: Look) -> Talk[bool]:
    """DELETE stops a queued task, refuses a running one and removes a finished one: so look first."""
    response = yield _asked(look)
    stands = _stands(look, response)
    if isinstance(stands, Exception):
        raise stands
    if stands.state != "queued":
        return False
    response = yield delete(_TASKS + path(look.reference))
    fault = fault_in(response)
    if fault is None:
        return True
    if fault.kind in {"invalid", "model_gone"}:
        return False
    raise unanswered(fault)


def _asked(look: Look) -> HttpRequest:
    return get("/v2/query/video_generation" + path(look.reference))


def _stands(look: Look, response: HttpResponse) -> Progress | Exception:
    fault = fault_in(response)
    if fault is not None:
        # The id is all that was asked for: what is wrong with the request is that there is no such task.
        return lost(look, response) if fault.kind in {"invalid", "model_gone"} else unanswered(fault)
    task = _task(response)
    match task.get("status"):
        case "queued":
            return Progress(state="queued")
        case "succeeded":
            return Progress(state="succeeded")
        case "failed":
            return _failure(task).progress()
        case "cancelled":
            return Fault(kind="cancelled", charged="no").progress()
        case "expired":
            return Fault(kind="expired", charged="no").progress()
    return Progress(state="running")


def _failure(task: dict[str, Any]) -> Fault:
    error = task.get("error")
    error = error if isinstance(error, dict) else {}
    code, words = error.get("code"), error.get("message")
    return failure(str(code) if code else None, words if isinstance(words, str) else "", task)


def _task(response: HttpResponse) -> dict[str, Any]:
    task = response.object().get("task")
    if not isinstance(task, dict):
        raise Unreadable("an answer without a task")
    return task


def _body(job: Job) -> dict[str, Any]:
    spec = job.spec
    content: list[dict[str, Any]] = [{"type": "text", "text": spec.prompt}] if spec.prompt else []
    content += [_media(item, job) for item in spec.content if item.kind != "text"]
    wishes: tuple[tuple[str, Any], ...] = (
        ("resolution", None if spec.resolution is None else spec.resolution.upper()),
        ("duration", spec.duration),
        ("ratio", spec.ratio),
        ("callback_url", job.callback_url),
    )
    return {
        "model": job.model,
        "content": content,
        **{name: value for name, value in wishes if value is not None},
    }


def _media(item: ContentItem, job: Job) -> dict[str, Any]:
    key = _KEYS.get(item.kind)
    if key is None:
        message = f"content {item.index}: {job.model} takes no {item.kind} here."
        raise Rejected(TaskError(code="invalid_input", message=message, charged="no"))
    media: dict[str, Any] = {"type": key, key: {"url": item.url}}
    if item.role is not None:
        media["role"] = item.role
    return media


def _facts(task: Mapping[str, Any]) -> Facts:
    resolution, duration, ratio = task.get("resolution"), task.get("duration"), task.get("ratio")
    return Facts(
        resolution=resolution.lower() if isinstance(resolution, str) and resolution else None,
        duration=float(duration) if isinstance(duration, (int, float)) else None,
        ratio=ratio if isinstance(ratio, str) and ratio else None,
    )
