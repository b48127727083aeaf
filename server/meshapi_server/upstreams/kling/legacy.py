"""The older path family ``/v1/videos``: the model is in the body, and each kind of task has its own list."""

from collections.abc import Sequence
from typing import Any

from meshapi_server.upstreams.adapter import Accepted, HttpResponse, Job, Look, Progress, Talk, Unreadable
from meshapi_server.upstreams.http import get, path, post
from meshapi_server.upstreams.refusals import lost, unanswered

from .reading import ERRORS, Task, is_fine, is_unknown, task_of
from .request import frames_of, watermark_of

_MODELS = "kling-v"
_PREFIX = "task_"
_NEWEST = 100  # tasks in one page of a list
_MODES = {"720p": "std", "1080p": "pro", "4k": "4k"}


def has(job: Job) -> bool:
    """Whether the model is one of this family."""
    return job.model.startswith(_MODELS)


def place(job: Job) -> str:
    """Where tasks of this kind are, for creating and for looking."""
    pictured = any(item.kind == "image" for item in job.spec.content)
    return "/v1/videos/image2video" if pictured else "/v1/videos/text2video"


def submit(job: Job) -> Talk[Accepted]:
    """POST; the answer is the task."""
    response = yield post(place(job), _body(job))
    if not is_fine(response):
        raise ERRORS.refusal(response)
    return Accepted(reference=_task(response).reference)


def find(job: Job) -> Talk[Task | None]:
    """The task that carries this submission's token: it may be asked for by that, too."""
    response = yield get(place(job) + path(job.token))
    if is_unknown(response):
        return None
    if not is_fine(response):
        raise unanswered(response, ERRORS)
    task = _task(response)
    return task if task.external == job.token else None


def one(look: Look) -> Talk[Task | Progress | Exception]:
    """One task."""
    response = yield get(place(look.job) + path(look.reference))
    if is_unknown(response):
        return lost(look, response)
    if not is_fine(response):
        return unanswered(response, ERRORS)
    return _task(response)


def many(looks: Sequence[Look]) -> Talk[list[Task]]:
    """The newest tasks of this kind, among which those that still run usually are."""
    query = (("pageNum", "1"), ("pageSize", str(_NEWEST)))
    response = yield get(place(looks[0].job), query)
    if is_unknown(response):
        return []
    if not is_fine(response):
        raise unanswered(response, ERRORS)
    data = response.object().get("data")
    if not isinstance(data, list):
        raise Unreadable("a list that is none")
    return [task_of(each, prefix=_PREFIX) for each in data]


def _body(job: Job) -> dict[str, Any]:
    """The body of a create call; numbers of seconds are text here."""
    spec = job.spec
    first, last = frames_of(job)
    wishes: tuple[tuple[str, Any], ...] = (
        ("model_name", job.model),
        ("mode", _MODES.get(spec.resolution or "")),
        ("prompt", spec.prompt or None),
        ("negative_prompt", spec.negative_prompt),
        ("image", first),
        ("image_tail", last),
        ("duration", None if spec.duration is None else str(spec.duration)),
        ("aspect_ratio", spec.ratio),
        ("cfg_scale", spec.guidance_scale),
        ("sound", None if spec.generate_audio is None else ("on" if spec.generate_audio else "off")),
        ("watermark_info", watermark_of(job)),
        ("callback_url", job.callback_url),
        ("external_task_id", job.token),
    )
    return {name: value for name, value in wishes if value is not None}


def _task(response: HttpResponse) -> Task:
    return task_of(response.object().get("data"), prefix=_PREFIX)
