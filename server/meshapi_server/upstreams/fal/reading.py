"""fal's answers in our terms. There is no status for a failure: it shows in the result.

Two shapes of errors: a model's ``{"detail": [{loc, msg, type}]}``, the queue's ``{"detail", "error_type"}``.
"""

from collections.abc import Mapping
from typing import Any, Literal

from meshapi_server.upstreams.adapter import Facts, HttpResponse, Progress, Unreadable
from meshapi_server.upstreams.http import retry_after
from meshapi_server.upstreams.refusals import Errors, Fault, Kind, Said, said_in, unanswered

Charged = Literal["yes", "no", "unknown"]

# What a finished request's error means. Everything else with a 4xx is the request's own fault.
ERRORS = Errors(
    codes={
        "content_policy_violation": "moderated_input",
        "no_media_generated": "moderated_output",
        "client_cancelled": "cancelled",
        "generation_timeout": "broken",
        "request_timeout": "broken",
        "startup_timeout": "broken",
        "internal_server_error": "broken",
        "internal_error": "broken",
        "bad_request": "invalid",
    },
    parts=(("runner_", "broken"), ("downstream_service", "broken")),
)
# What the answer to a submission means: the queue takes or leaves it, the model has not seen it yet.
REFUSALS = Errors(charged="no", words=(("exhausted balance", "funds"),))
_IN_PROGRESS = "still in progress"


def refused(response: HttpResponse) -> Exception:
    """What a submission raises that was not accepted."""
    return REFUSALS.refusal(response)


def ended(status: Mapping[str, Any]) -> Progress | None:
    """A COMPLETED that names its failure; None when only the result can tell."""
    code = status.get("error_type")
    if not isinstance(code, str) or not code:
        return None
    words = status.get("error")
    said = Said(message=words if isinstance(words, str) else "", code=code, body=dict(status))
    kind = ERRORS.kind(said)
    if kind is None:
        return None
    return Fault(
        kind=kind, said=said, charged="no" if kind in {"broken", "cancelled"} else "unknown"
    ).progress()


def of_result(response: HttpResponse) -> Progress | Exception:
    """What the result's HTTP status and words say of the request: the model's own word, or none at all."""
    if response.ok:
        return Progress(state="succeeded")
    said, where = _said(response)
    if response.status == 400 and _IN_PROGRESS in said.message:
        return Progress(state="running")
    if (
        response.status in {401, 403, 408, 429}
        or said.body is None
        or (response.status >= 500 and not said.code)
    ):
        return unanswered(response, REFUSALS)
    kind: Kind = ERRORS.kind(said) or ("broken" if response.status >= 500 else "invalid")
    item = _item(where) if kind == "moderated_input" else None
    charged: Charged = "no" if response.status >= 500 or kind == "cancelled" else "unknown"
    return Fault(kind=kind, said=said, item=item, charged=charged, wait=retry_after(response)).progress()


def url_of(result: Mapping[str, Any]) -> str | None:
    """The video's address: models differ in where they put it."""
    videos = result.get("videos")
    places = (
        result.get("video"),
        videos[0] if isinstance(videos, list) and videos else None,
        result.get("output"),
    )
    for place in places:
        url = place.get("url") if isinstance(place, dict) else place
        if isinstance(url, str) and url:
            return url
    return None


def facts_of(result: Mapping[str, Any]) -> Facts:
    """What the model tells of its video, in the result or in its file."""
    video = result.get("video")
    told = {**result, **video} if isinstance(video, dict) else result
    return Facts(
        seed=_whole(told.get("seed")),
        duration=_number(told.get("duration")),
        frames=_whole(told.get("num_frames")),
        fps=_whole(told.get("fps")),
        width=_whole(told.get("width")),
        height=_whole(told.get("height")),
    )


def _said(response: HttpResponse) -> tuple[Said, tuple[Any, ...]]:
    """The words of an error answer, and which field of the input they are about."""
    try:
        value = response.object()
    except Unreadable:
        return said_in(response), ()
    detail = value.get("detail")
    code = value.get("error_type") or response.headers.get("x-fal-error-type")
    where: Any = ()
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        first = detail[0]
        code, detail, where = first.get("type") or code, first.get("msg"), first.get("loc")
    message = detail if isinstance(detail, str) else f"HTTP {response.status}"
    said = Said(message=message, code=code if isinstance(code, str) and code else None, body=value)
    return said, tuple(where) if isinstance(where, list) else ()


def _item(where: tuple[Any, ...]) -> str | None:
    """The refused input in words: ``("body", "image_url")`` is the image."""
    field = next((part for part in where if isinstance(part, str) and part != "body"), None)
    return None if field is None else field.removesuffix("_url").replace("_", " ")


def _number(value: Any) -> float | None:
    return None if isinstance(value, bool) or not isinstance(value, (int, float)) else float(value)


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else round(number)
