"""The current path family: a model is a place to POST to, and ``/tasks`` shows tasks of all models."""

from collections.abc import Sequence
from typing import Any

from meshapi_server.upstreams.adapter import Accepted, HttpResponse, Job, Look, Progress, Talk, Unreadable
from meshapi_server.upstreams.http import get, path, post
from meshapi_server.upstreams.refusals import lost, unanswered

from .reading import ERRORS, Task, is_fine, is_unknown, task_of
from .request import body_of, kind_of

_TASKS = "/tasks"


def submit(job: Job) -> Talk[Accepted]:
    """POST; the answer is the task."""
    response = yield post(path(kind_of(job), job.model), body_of(job))
    if not is_fine(response):
        raise ERRORS.refusal(response)
    return Accepted(reference=task_of(response.object().get("data")).reference)


def find(job: Job) -> Talk[Task | None]:
    """The task that carries this submission's token."""
    response = yield get(_TASKS, (("external_task_ids", job.token),))
    if is_unknown(response):
        return None
    if not is_fine(response):
        raise unanswered(response, ERRORS)
    return next((task for task in _tasks(response) if task.external == job.token), None)


def one(look: Look) -> Talk[Task | Progress | Exception]:
    """One task; what the list does not show is not there any more."""
    response = yield get(_TASKS, (("task_ids", look.reference),))
    if is_unknown(response):
        return lost(look, response)
    if not is_fine(response):
        return unanswered(response, ERRORS)
    known = (task for task in _tasks(response) if task.reference == look.reference)
    return next(known, None) or lost(look, response)


def many(looks: Sequence[Look]) -> Talk[list[Task]]:
    """Those of these tasks that one request shows; none where it is too many for one."""
    ids = ",".join(look.reference for look in looks)
    response = yield get(_TASKS, (("task_ids", ids),))
    if is_unknown(response):
        return []
    if not is_fine(response):
        raise unanswered(response, ERRORS)
    return _tasks(response)


def _tasks(response: HttpResponse) -> list[Task]:
    data: Any = response.object().get("data")
    if not isinstance(data, list):
        raise Unreadable("a look without a list of tasks")
    return [task_of(each) for each in data]
