"""Vidu's tasks in our terms."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from meshapi_server.upstreams.adapter import Facts, Job, Look, Progress

from .errors import failure

_CLOCKS_DIFFER = 60_000  # ms


def progress_of(task: Mapping[str, Any]) -> Progress:
    """Where a task stands. A state that is not known yet is one of a running task."""
    match task.get("state"):
        case "created" | "queueing":
            return Progress(state="queued")
        case "success":
            return Progress(state="succeeded")
        case "failed":
            return failure(task).progress()
    return Progress(state="running")


def url_of(task: Mapping[str, Any], *, marked: bool) -> str | None:
    """Where the video is; ``marked``: the one with a watermark, where there are both."""
    creation = _creation(task)
    names = ("watermarked_url", "url") if marked else ("url",)
    found = [creation[name] for name in names if isinstance(creation.get(name), str) and creation[name]]
    return next(iter(found), None)


def facts_of(task: Mapping[str, Any], look: Look) -> Facts:
    """What Vidu tells of the video that it made."""
    video = _creation(task).get("video")
    told = video if isinstance(video, dict) else {}
    size = told.get("resolution")
    size = size if isinstance(size, dict) else {}
    return Facts(
        seed=None if look.job.spec.seed is None else look.job.seed,
        duration=_number(told.get("duration")),
        fps=_whole(told.get("fps")),
        width=_whole(size.get("width")),
        height=_whole(size.get("height")),
    )


def since(job: Job) -> str:
    """From when on a submission may be in the list (RFC 3339, as Vidu writes times)."""
    moment = datetime.fromtimestamp((job.submitted_at - _CLOCKS_DIFFER) / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def candidates(listing: Mapping[str, Any], job: Job) -> Iterator[Mapping[str, Any]]:
    """The listed tasks that may be this submission: by their payload where it is shown, else by their prompt.

    Vidu may show a prompt that it has rewritten, so beside a payload the prompt says nothing.
    """
    tasks = listing.get("tasks")
    for task in tasks if isinstance(tasks, list) else ():
        if not isinstance(task, dict) or identity(task) is None:
            continue
        payload, prompt = task.get("payload"), task.get("prompt")
        if isinstance(payload, str) and payload:
            possible = payload == job.token
        else:
            possible = not isinstance(prompt, str) or prompt in {"", job.spec.prompt}
        if possible:
            yield task


def identity(task: Mapping[str, Any]) -> str | None:
    """The id of a task: a string, or a number in older answers."""
    for name in ("task_id", "id"):
        value = task.get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value):
            return str(value)
    return None


def _creation(task: Mapping[str, Any]) -> Mapping[str, Any]:
    made = task.get("creations")
    first = made[0] if isinstance(made, list) and made else made
    return first if isinstance(first, dict) else {}


def _number(value: Any) -> float | None:
    return None if isinstance(value, bool) or not isinstance(value, (int, float)) else float(value)


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else round(number)
