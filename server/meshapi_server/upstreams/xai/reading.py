"""xAI's answers and errors in our terms."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from msgspec.structs import replace

from meshapi_server.upstreams.adapter import HttpResponse, Progress, Unreadable
from meshapi_server.upstreams.refusals import Errors, Fault, said_in, said_of

# Errors come as {"code", "error"}, {"error": {...}} or {"error"}; the codes are sentences, so words decide.
ERRORS = Errors(
    words=(
        ("content moderation", "moderated_input"),
        ("safety", "moderated_input"),
        ("usage guidelines", "moderated_input"),
        ("credits", "funds"),
        ("spending limit", "funds"),
        ("incorrect api key", "auth"),
        ("model not found", "model_gone"),
        ("does not exist", "model_gone"),
    ),
    charged="no",
)


def progress_of(video: Mapping[str, Any]) -> Progress:
    """Where a video stands. A status that is not known yet is one of a running video."""
    match video.get("status"):
        case None if url_of(video):  # some answers have the video and no status
            return Progress(state="succeeded")
        case "done":
            return Progress(state="succeeded") if url_of(video) else _without_video(video).progress()
        case "failed":
            return _failure(video).progress()
        case "expired":
            return Fault(kind="expired", charged=charged(video)).progress()
    done = video.get("progress")
    fraction = None if isinstance(done, bool) or not isinstance(done, (int, float)) else done / 100
    waiting = video.get("status") == "pending" and not fraction
    return Progress(state="queued" if waiting else "running", fraction=fraction)


def url_of(video: Mapping[str, Any]) -> str | None:
    """Where the video is, if it may be had."""
    made = video.get("video")
    url = made.get("url") if isinstance(made, dict) else None
    return url if isinstance(url, str) and url else None


def duration_of(video: Mapping[str, Any]) -> float | None:
    """The length of the video in seconds."""
    made = video.get("video")
    duration = made.get("duration") if isinstance(made, dict) else None
    return None if isinstance(duration, bool) or not isinstance(duration, (int, float)) else float(duration)


def cost_of(video: Mapping[str, Any]) -> str | None:
    """What the video cost in US dollars; xAI counts in ticks of 10^-10 USD."""
    ticks = _ticks(video)
    return None if ticks is None else f"{Decimal(ticks).scaleb(-10):f}"


def is_withheld(response: HttpResponse) -> bool:
    """Whether an answer to a look is about the video, and not about the look."""
    return response.status == 400 and ERRORS.kind(said_in(response)) == "moderated_input"


def withheld(response: HttpResponse) -> Fault:
    """A video that was made and is not given."""
    try:
        spent = charged(response.object())
    except Unreadable:
        spent = "unknown"
    return Fault(kind="moderated_output", said=said_in(response), charged=spent)


def charged(video: Mapping[str, Any]) -> Literal["yes", "no", "unknown"]:
    """Whether it cost anything: a video that moderation rejects does."""
    ticks = _ticks(video)
    if ticks is None:
        return "unknown"
    return "yes" if ticks > 0 else "no"


def _ticks(video: Mapping[str, Any]) -> int | None:
    usage = video.get("usage")
    ticks = usage.get("cost_in_usd_ticks") if isinstance(usage, dict) else None
    return ticks if type(ticks) is int and ticks >= 0 else None


def _without_video(video: Mapping[str, Any]) -> Fault:
    made = video.get("video")
    moderated = isinstance(made, dict) and made.get("respect_moderation") is False
    said = replace(said_of("it finished without a video"), body=dict(video))
    return Fault(kind="moderated_output" if moderated else "broken", said=said, charged=charged(video))


def _failure(video: Mapping[str, Any]) -> Fault:
    error = video.get("error")
    said = replace(said_of(error), body={"error": error} if error else None)
    kind = ERRORS.kind(said)
    return Fault(
        kind="moderated_output" if kind == "moderated_input" else "broken", said=said, charged=charged(video)
    )
