"""A prediction and Replicate's errors in our terms."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from msgspec.structs import replace

from meshapi_server.upstreams.adapter import HttpResponse, Progress
from meshapi_server.upstreams.refusals import Errors, Fault, Kind, Said

ERRORS = Errors(charged="no")

# A failed prediction has a sentence and no code. Which sentences are moderation is known from practice only.
_MODERATED = ("flagged as sensitive", "(e005)", "content policy", "nsfw")
_RESETS = re.compile(r"resets in ~?(\d+(?:\.\d+)?) ?s")


def refused(response: HttpResponse) -> Exception:
    """What a refusal raises. A throttled call may tell only in words when to come back."""
    fault = ERRORS.fault(response)
    if fault.kind == "rate" and fault.wait is None:
        told = _RESETS.search(fault.said.message)
        fault = replace(fault, wait=float(told[1]) if told else None)
    return fault.exception()


def progress_of(prediction: Mapping[str, Any]) -> Progress:
    """Where a prediction stands. A status that is not known yet is one of a running prediction."""
    match prediction.get("status"):
        case "starting":
            return Progress(state="queued")
        case "succeeded":
            return Progress(state="succeeded")
        case "failed":
            return _failure(prediction).progress()
        case "canceled" | "aborted":
            return Fault(kind="cancelled", charged="unknown").progress()
    return Progress(state="running")


def url_of(prediction: Mapping[str, Any]) -> str | None:
    """The video: the output itself, one of a list (with what led to it), or a part of an object."""
    output = prediction.get("output")
    if isinstance(output, dict):
        output = output.get("video") or output.get("url") or output.get("output")
    if isinstance(output, list):
        urls = [url for url in output if isinstance(url, str) and url]
        videos = [url for url in urls if urlsplit(url).path.lower().endswith(".mp4")]
        output = videos[0] if videos else next(reversed(urls), None)
    return output if isinstance(output, str) and output else None


def _failure(prediction: Mapping[str, Any]) -> Fault:
    error = prediction.get("error")
    words = error if isinstance(error, str) else ""
    said = Said(message=words, body={"status": prediction.get("status"), "error": error})
    return Fault(kind=_kind(words.lower()), said=said, charged="unknown")


def _kind(words: str) -> Kind:
    if not any(part in words for part in _MODERATED):
        return "broken"
    # "The input or output was flagged": what may have been the input is not worth another try.
    return "moderated_output" if "output" in words and "input" not in words else "moderated_input"
