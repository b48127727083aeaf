"""Kling's answers in our terms: an envelope with a code, and tasks in the words of two path families."""

from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import Struct

from meshapi_server.upstreams.adapter import HttpResponse, Progress, Unreadable
from meshapi_server.upstreams.refusals import Errors, Fault, Kind, Said

# A 429 is not always worth waiting for: it is also said of arrears and of addresses that are not allowed.
ERRORS = Errors(
    codes={
        **dict.fromkeys(("1000", "1001", "1002", "1003", "1004"), "auth"),
        **dict.fromkeys(("1100", "1101", "1102"), "funds"),
        "1103": "auth",
        "1200": "invalid",
        "1201": "invalid",
        "1202": "invalid",
        "1203": "model_gone",
        "1300": "moderated_input",
        "1301": "moderated_input",
        "1302": "rate",
        "1303": "rate",
        "1304": "auth",
        "5000": "unclear",
        "5001": "overload",
        "5002": "unclear",
    },
    charged="no",
)
# A task that failed has words only. Kling looks at the prompt, its images and the video by one system, and
# says no more than that it was not passed.
_FAILURES = Errors(
    words=(
        ("risk control", "moderated_input"),
        ("moderat", "moderated_input"),
        ("sensitive", "moderated_input"),
        ("content safety", "moderated_input"),
        ("policy", "moderated_input"),
    )
)
_OUTPUT = ("output", "generated", "result")
_DEAREST = 1_000_000  # dollars; a video that costs more is a slip of the pen


class Task(Struct, frozen=True, kw_only=True):
    """One task. ``marked_url`` is the copy with a watermark; ``body`` is what stands in a task's error.

    ``cost`` is in US dollars; None where Kling does not tell, or counts otherwise.
    """

    reference: str
    external: str | None
    status: str
    words: str
    url: str | None
    marked_url: str | None
    duration: float | None
    cost: str | None
    body: dict[str, Any]


def is_fine(response: HttpResponse) -> bool:
    """Whether an answer holds data: HTTP says so, and its code is 0. Raises Unreadable."""
    return response.ok and response.object().get("code") in {0, "0"}


def is_unknown(response: HttpResponse) -> bool:
    """Whether the answer to a look at one id says that there is no such task: nothing else was asked."""
    return not is_fine(response) and ERRORS.fault(response).kind in {"invalid", "model_gone"}


def progress_of(task: Task | Progress | Exception) -> Progress | Exception:
    """Where a task stands. Both families' words for success are taken; a strange one is a running task."""
    if not isinstance(task, Task):
        return task
    match task.status:
        case "submitted":
            return Progress(state="queued")
        case "succeed" | "succeeded":
            return Progress(state="succeeded")
        case "failed":
            return _failure(task).progress()
    return Progress(state="running")


def task_of(value: Any, *, prefix: str = "") -> Task:
    """A task as either family shows it; ``prefix`` stands before the older one's names. Raises Unreadable."""
    if not isinstance(value, dict):
        raise Unreadable("a task that is no object")
    reference = value.get(f"{prefix}id")
    if isinstance(reference, bool) or not isinstance(reference, (str, int)) or reference == "":
        raise Unreadable("a task without an id")
    words = value.get("message") or value.get("task_status_msg")
    video = _video(value)
    status = value.get(f"{prefix}status")
    return Task(
        reference=str(reference),
        external=_text(value.get("external_id"))
        or _text(_object(value, "task_info").get("external_task_id")),
        status=status if isinstance(status, str) else "",
        words=words if isinstance(words, str) else "",
        url=_text(video.get("url")),
        marked_url=_text(video.get("watermark_url")),
        duration=_seconds(video.get("duration")),
        cost=_cost(value.get("billing")),
        body={name: each for name, each in value.items() if name not in {"outputs", "task_result"}},
    )


def _failure(task: Task) -> Fault:
    said = Said(message=task.words, body=task.body)
    kind: Kind = _FAILURES.kind(said) or "broken"
    if kind == "moderated_input":
        kind = "moderated_output" if any(word in task.words.lower() for word in _OUTPUT) else "moderated"
    return Fault(kind=kind, said=said, charged="unknown")


def _video(value: dict[str, Any]) -> dict[str, Any]:
    outputs = value.get("outputs") or _object(value, "task_result").get("videos")
    for output in outputs if isinstance(outputs, list) else ():
        if isinstance(output, dict) and output.get("type", "video") == "video":
            return output
    return {}


def _cost(billing: Any) -> str | None:
    """The sum of a bill that is in dollars alone: units of a resource pack have no price of their own."""
    if not isinstance(billing, list) or not billing:
        return None
    total = Decimal(0)
    for charge in billing:
        if not isinstance(charge, dict) or charge.get("currency") != "USD":
            return None
        try:
            amount = Decimal(str(charge.get("amount")))
        except InvalidOperation:
            return None
        if not amount.is_finite() or not 0 <= amount <= _DEAREST:
            return None
        total += amount
    return f"{total:f}"


def _object(value: dict[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _seconds(value: Any) -> float | None:
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
