"""DashScope's answers in our terms. Only a video that was made is billed."""

from collections.abc import Mapping
from typing import Any

from meshapi_server.upstreams.adapter import Facts, HttpResponse, Progress, Unreadable
from meshapi_server.upstreams.refusals import Errors, Fault, said_of

ERRORS = Errors(
    codes={
        "InvalidParameter": "invalid",
        "UnsupportedOperation": "invalid",
        "DataInspectionFailed": "moderated_input",
        "IPInfringementSuspect": "moderated_input",
        "Arrearage": "funds",
        "InvalidApiKey": "auth",
        "AccessDenied": "auth",
        "AccessDenied.Unpurchased": "model_gone",
        "ModelNotExist": "model_gone",
        "ModelNotFound": "model_gone",
        "Throttling": "rate",
        "InternalError": "unclear",
    },
    charged="no",
)
_ENDS = frozenset({"moderated_input", "moderated_output", "invalid"})


def output_of(response: HttpResponse) -> dict[str, Any]:
    """The part of an answer that is about the task. Raises Unreadable."""
    output = response.object().get("output")
    if not isinstance(output, dict):
        raise Unreadable("an answer without an output")
    return output


def progress_of(output: Mapping[str, Any]) -> Progress:
    """Where a task stands. A status that is not known yet is one of a running task."""
    match output.get("task_status"):
        case "PENDING" | "SUSPENDED":
            return Progress(state="queued")
        case "SUCCEEDED":
            return Progress(state="succeeded")
        case "FAILED":
            return _failure(output).progress()
        case "CANCELED":
            return Fault(kind="cancelled", charged="no").progress()
    return Progress(state="running")


def facts_of(answer: Mapping[str, Any]) -> Facts:
    """What was really made, as far as the bill says so."""
    usage = answer.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    width, height = _sides(usage.get("size"))
    lines = usage.get("SR")
    return Facts(
        duration=_number(usage.get("output_video_duration")) or _number(usage.get("duration")),
        resolution=f"{lines}p" if isinstance(lines, int) else None,
        fps=_whole(usage.get("fps")),
        width=width,
        height=height,
    )


def _failure(output: Mapping[str, Any]) -> Fault:
    """Why a task failed. One code stands for what was refused before and after the making."""
    said = said_of(dict(output))
    kind = ERRORS.kind(said)
    if kind == "moderated_input" and "output" in said.message.lower():
        kind = "moderated_output"
    return Fault(kind=kind if kind in _ENDS else "broken", said=said, charged="no")


def _sides(size: Any) -> tuple[int | None, int | None]:
    width, _, height = size.partition("*") if isinstance(size, str) else ("", "", "")
    return (int(width), int(height)) if width.isdecimal() and height.isdecimal() else (None, None)


def _number(value: Any) -> float | None:
    return None if isinstance(value, bool) or not isinstance(value, (int, float)) else float(value)


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else round(number)
