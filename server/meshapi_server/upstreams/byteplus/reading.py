"""Ark's task object in our terms. Numbers come as numbers or strings, and fields may be missing."""

from collections.abc import Mapping
from typing import Any

from meshapi_server.upstreams.adapter import Facts, Progress
from meshapi_server.upstreams.refusals import Fault

from .errors import failure


def progress_of(task: Mapping[str, Any]) -> Progress:
    """Where a task stands; Ark gives no fraction. A status that is not known yet is one of a running task."""
    match task.get("status"):
        case "queued":
            return Progress(state="queued")
        case "succeeded":
            return Progress(state="succeeded")
        case "failed":
            return failure(task).progress()
        case "cancelled":
            return Fault(kind="cancelled", charged="no").progress()
        case "expired":
            return Fault(kind="expired", charged="no").progress()
    return Progress(state="running")


def facts_of(task: Mapping[str, Any]) -> Facts:
    """What was really made."""
    usage = task.get("usage") or {}
    audio = task.get("generate_audio")
    return Facts(
        seed=_whole(task.get("seed")),
        resolution=_text(task.get("resolution")),
        ratio=_text(task.get("ratio")),
        duration=_number(task.get("duration")),
        frames=_whole(task.get("frames")),
        fps=_whole(task.get("framespersecond")),
        audio=audio if isinstance(audio, bool) else None,
        total_tokens=_whole(usage.get("completion_tokens")) or _whole(usage.get("total_tokens")),
    )


def _number(value: Any) -> float | None:
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else round(number)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
