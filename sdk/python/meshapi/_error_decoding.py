"""From an answer that is not a success to an error (contract: error-decoding)."""

import json
import math
from typing import Any

from . import _retry_after, errors
from ._exchange import Answer, Failure, Request

# One odd member must never lose the others: everything here reads one member at a time.
_TEXT_LIMIT = 200
_CLASSES: dict[int, type[errors.APIStatusError]] = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    402: errors.SpendLimitError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    413: errors.RequestTooLargeError,
    422: errors.UnprocessableEntityError,
    429: errors.RateLimitError,
    500: errors.InternalServerError,
    502: errors.UpstreamError,
    503: errors.ServiceUnavailableError,
    504: errors.GatewayTimeoutError,
}
# contract/errors.json, "assumed"; a test compares them.
_ASSUMED_CODES = {
    400: "invalid_request",
    401: "unauthorized",
    402: "spend_limit_exceeded",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "request_too_large",
    415: "unsupported_media_type",
    422: "unprocessable_entity",
    429: "rate_limit_exceeded",
    500: "internal_error",
    502: "upstream_error",
    503: "provider_not_available",
    504: "gateway_timeout",
}


def error_from(answer: Answer, now: float) -> errors.APIStatusError:
    """The error an answer stands for. ``now`` (Unix seconds) turns a Retry-After date into seconds."""
    body = _parsed(answer.body)
    envelope = _envelope(body)
    listed = body.get("detail") if isinstance(body.get("detail"), list) else None
    details = _details(envelope.get("details") if listed is None else listed)
    wishes = (
        _retry_after.seconds(answer.headers.get("retry-after"), now),
        _seconds(envelope.get("retry_after_seconds")),
    )
    return _CLASSES.get(answer.status, errors.APIStatusError)(
        _message(answer, body, envelope, details),
        status=answer.status,
        error_code=_text(envelope.get("code")) or _assumed_code(answer.status, schema_fault=bool(listed)),
        request_id=_text(body.get("request_id")) or answer.headers.get("x-request-id"),
        details=details,
        provider_error=envelope.get("provider_error"),
        retry_after_seconds=max((wish for wish in wishes if wish is not None), default=None),
    )


def failure_error(failure: Failure, request: Request) -> errors.APIConnectionError:
    """The error for a request that got no answer; its cause is the transport's own exception."""
    what = f"{request.method} {request.url.partition('?')[0]}"
    told = str(failure.cause) or type(failure.cause).__name__
    error: errors.APIConnectionError
    if failure.kind == "timed_out":
        error = errors.APITimeoutError(f"{what}: no answer in time ({told})")
    elif failure.kind == "not_sent":
        error = errors.APIConnectionError(f"{what}: cannot connect ({told})")
    else:
        error = errors.APIConnectionError(f"{what}: the connection broke ({told})")
    error.__cause__ = failure.cause
    return error


def retry_after_in_body(body: bytes) -> float | None:
    """``retry_after_seconds`` of an error envelope, None when there is none."""
    return _seconds(_envelope(_parsed(body)).get("retry_after_seconds")) if body else None


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _envelope(body: dict[str, Any]) -> dict[str, Any]:
    error = body.get("error")
    if isinstance(error, dict):
        return error
    return {"message": error if isinstance(error, str) else body.get("message")}


def _message(
    answer: Answer, body: dict[str, Any], envelope: dict[str, Any], details: list[dict[str, Any]]
) -> str:
    if answer.status < 400:
        goal = answer.headers.get("location", "nowhere")
        return f"HTTP {answer.status}: redirected to {goal!r}; set base_url to where the API is"
    told = _text(envelope.get("message")) or _text(body.get("detail"))
    if told:
        return told
    if details:
        return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in details)
    if not body and answer.headers.get("content-type", "").startswith("text/plain"):
        plain = answer.body.decode(errors="replace").strip()[:_TEXT_LIMIT]
        if plain:
            return f"HTTP {answer.status}: {plain}"
    return f"HTTP {answer.status}"


def _assumed_code(status: int, *, schema_fault: bool) -> str:
    if schema_fault:
        return "validation_error"
    return _ASSUMED_CODES.get(status, "invalid_request" if status < 500 else "internal_error")


def _details(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        return []
    return [
        {
            "type": _text(each.get("type")) or "",
            "loc": _loc(each.get("loc")),
            "msg": _text(each.get("msg")) or "",
        }
        for each in value
        if isinstance(each, dict)
    ]


def _loc(value: object) -> list[str | int]:
    parts = value if isinstance(value, list) else [value]
    return [part for part in parts if isinstance(part, str | int) and not isinstance(part, bool)]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None
