"""A video job of OpenRouter's and its errors in our terms."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from meshapi_server.upstreams.adapter import HttpResponse, Progress, Unreadable
from meshapi_server.upstreams.refusals import Errors, Fault, Kind, Said

_MODERATED = (
    *("moderat", "content filter", "content policy", "content_policy", "flagged", "nsfw"),
    *("safety filter", "safety system", "safety policy"),
)
_MADE = ("output", "generated video", "resulting")
_CLOSED = 499  # the answer to a caller who went away: nobody knows
_ABOUT_CONTENT = frozenset({"flagged_input", "reasons"})  # what the metadata of a moderated request has


class _Refusals(Errors, frozen=True):
    """``{"error": {"code": <HTTP status>, "message", "metadata"}}``; a 403 is moderation, or permission."""

    def fault(self, response: HttpResponse) -> Fault:
        """What an error answer means."""
        fault = super().fault(response)
        if response.status in {400, 403} and _is_moderation(fault.said):
            return replace(fault, kind="moderated_input")
        return fault


REFUSALS = _Refusals(statuses={_CLOSED: "unclear"}, charged="no")


def judged(response: HttpResponse) -> HttpResponse:
    """The answer with the status that its error states, should it call itself good in spite of it."""
    if not response.ok:
        return response
    try:
        answer = response.object()
    except Unreadable:
        return response
    error = None if "id" in answer else answer.get("error")  # a job has an id, and may have failed
    code = error.get("code") if isinstance(error, dict) else None
    is_status = isinstance(code, int) and not isinstance(code, bool) and 400 <= code < 600
    return replace(response, status=code) if is_status else response


def progress_of(job: Mapping[str, Any]) -> Progress:
    """Where a job stands. The list of statuses is open: one that is not known yet keeps it running."""
    match job.get("status"):
        case "pending":
            return Progress(state="queued")
        case "completed":
            return Progress(state="succeeded")
        case "failed":
            return _failed(job).progress()
        case "cancelled":
            return Fault(kind="cancelled", said=_said(job), charged=_charged(job)).progress()
        case "expired":
            return Fault(kind="expired", said=_said(job), charged=_charged(job)).progress()
    return Progress(state="running")


def signed_url(job: Mapping[str, Any]) -> str | None:
    """Where the first output is without a key, when OpenRouter keeps a copy of it."""
    urls = job.get("urls")
    first = urls[0] if isinstance(urls, list) and urls else None
    return first if isinstance(first, str) and first.startswith(("https://", "http://")) else None


def cost_of(job: Mapping[str, Any]) -> str | None:
    """What OpenRouter took for it, in US dollars; None where another account pays the vendor."""
    usage = job.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    cost = usage.get("cost")
    if usage.get("is_byok") is True or isinstance(cost, bool) or not isinstance(cost, (int, float)):
        return None
    return f"{Decimal(str(cost)):f}"


def _failed(job: Mapping[str, Any]) -> Fault:
    """Why it failed, by its words: OpenRouter gives no code, and seldom tells what was looked at."""
    said = _said(job)
    words = said.message.lower()
    kind: Kind = "broken"
    if any(part in words for part in _MODERATED):
        kind = "moderated_output" if any(part in words for part in _MADE) else "moderated"
    return Fault(kind=kind, said=said, charged=_charged(job))


def _said(job: Mapping[str, Any]) -> Said:
    error = job.get("error")
    inner = error.get("message") if isinstance(error, dict) else error
    told = {name: job[name] for name in ("status", "error", "generation_id", "usage") if name in job}
    return Said(message=inner if isinstance(inner, str) else "", body=told)


def _charged(job: Mapping[str, Any]) -> Any:
    usage = job.get("usage")
    cost = usage.get("cost") if isinstance(usage, dict) else None
    if isinstance(cost, bool) or not isinstance(cost, (int, float)):
        return "unknown"
    return "yes" if cost > 0 else "no"


def _is_moderation(said: Said) -> bool:
    if any(part in said.message.lower() for part in _MODERATED):
        return True
    error = (said.body or {}).get("error")
    metadata = error.get("metadata") if isinstance(error, dict) else None
    return isinstance(metadata, dict) and not _ABOUT_CONTENT.isdisjoint(metadata)
