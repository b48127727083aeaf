"""A generation of either API, and Luma's errors, in our terms."""

from collections.abc import Mapping
from typing import Any

from meshapi_server.upstreams.adapter import Progress
from meshapi_server.upstreams.refusals import Errors, Fault, Said

# Failure codes are the Agents API's; Dream Machine uses words alone, and so do both with an HTTP error.
ERRORS = Errors(
    codes={
        "content_moderated": "moderated_input",
        "generation_failed": "broken",
        "output_not_found": "broken",
        "rate_limited": "broken",
        "budget_exhausted": "funds",
        "image_too_large": "invalid",
        "unsupported_format": "invalid",
        "corrupt_input": "invalid",
        "invalid_request": "invalid",
    },
    words=(("moderat", "moderated_input"), ("insufficient credit", "funds")),
    charged="no",
)


def progress_of(generation: Mapping[str, Any]) -> Progress:
    """Where a generation stands. A state that is not known yet is one of a running generation."""
    match generation.get("state"):
        case "queued":
            return Progress(state="queued")
        case "completed":
            return Progress(state="succeeded")
        case "failed":
            return _failure(generation).progress()
    return Progress(state="running")


def url_of(generation: Mapping[str, Any]) -> str | None:
    """The video: in the list of outputs (Agents), or among the assets (Dream Machine)."""
    outputs = generation.get("output")
    places = [each for each in outputs if isinstance(each, dict)] if isinstance(outputs, list) else []
    urls = [each.get("url") for each in places if each.get("type", "video") == "video"]
    assets = generation.get("assets")
    urls += [assets.get("video")] if isinstance(assets, dict) else []
    return next((url for url in urls if isinstance(url, str) and url), None)


def _failure(generation: Mapping[str, Any]) -> Fault:
    """Why it failed. Neither API tells whether moderation looked at the input or at the video.

    Of a moderated generation it is therefore said that the request was refused, which is not worth a retry.
    """
    code, reason = generation.get("failure_code"), generation.get("failure_reason")
    said = Said(
        message=reason if isinstance(reason, str) else "",
        code=code if isinstance(code, str) and code else None,
        body={"failure_code": code, "failure_reason": reason},
    )
    kind = ERRORS.kind(said)
    if kind not in {"moderated_input", "invalid"}:
        kind = "broken"
    elif kind == "moderated_input":
        kind = "moderated"
    retryable = False if code == "budget_exhausted" else None
    return Fault(kind=kind, said=said, charged="unknown", retryable=retryable)
