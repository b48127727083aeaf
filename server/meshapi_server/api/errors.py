"""From a refusal to the wire's error envelope (wire.md section 8)."""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from meshapi_server.tasks import errors as tasks

ErrorCode = Literal[
    "invalid_api_version",
    "invalid_request",
    "unauthorized",
    "spend_limit_exceeded",
    "forbidden",
    "not_found",
    "model_not_found",
    "method_not_allowed",
    "unsupported_media_type",
    "conflict",
    "request_too_large",
    "validation_error",
    "unprocessable_entity",
    "idempotency_mismatch",
    "rate_limit_exceeded",
    "internal_error",
    "upstream_error",
    "provider_not_available",
    "gateway_timeout",
]

STATUS: dict[str, int] = {
    "invalid_api_version": 400,
    "invalid_request": 400,
    "unauthorized": 401,
    "spend_limit_exceeded": 402,
    "forbidden": 403,
    "not_found": 404,
    "model_not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "request_too_large": 413,
    "unsupported_media_type": 415,
    "validation_error": 422,
    "unprocessable_entity": 422,
    "idempotency_mismatch": 422,
    "rate_limit_exceeded": 429,
    "internal_error": 500,
    "upstream_error": 502,
    "provider_not_available": 503,
    "gateway_timeout": 504,
}


class ErrorDetail(Struct, frozen=True, kw_only=True):
    """One complaint: its kind, where it is, and what would be accepted."""

    type: str
    loc: list[str | int]
    msg: str


class ErrorObject(Struct, frozen=True, kw_only=True):
    """What went wrong. ``details`` comes with ``validation_error``."""

    code: ErrorCode
    message: str
    details: list[ErrorDetail] | UnsetType = UNSET
    provider_error: dict[str, Any] | UnsetType = UNSET
    provider_code: str | UnsetType = UNSET
    retry_after_seconds: int | UnsetType = UNSET
    supported_versions: list[str] | UnsetType = UNSET


class ErrorBody(Struct, frozen=True, kw_only=True):
    """The body of every answer that is not a success."""

    error: ErrorObject
    request_id: str


class APIError(Exception):
    """An answer that is not a success. ``retry_after``: the seconds after which another try makes sense."""

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        status: int | None = None,
        details: tuple[tasks.Detail, ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
        supported_versions: tuple[str, ...] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status or STATUS[code]
        self.message = message
        self.details = details
        self.headers = headers
        self.supported_versions = supported_versions
        self.retry_after = retry_after
        if retry_after is not None:
            self.headers = (*headers, ("retry-after", str(retry_after)))

    def body(self, request_id: str) -> bytes:
        """The envelope, encoded."""
        details = [
            ErrorDetail(type=detail.type, loc=list(detail.loc), msg=detail.msg) for detail in self.details
        ]
        error = ErrorObject(
            code=self.code,
            message=self.message,
            details=details or UNSET,
            retry_after_seconds=UNSET if self.retry_after is None else self.retry_after,
            supported_versions=list(self.supported_versions) or UNSET,
        )
        return msgspec.json.encode(ErrorBody(error=error, request_id=request_id))


def invalid(type_: str, loc: tuple[str | int, ...], message: str) -> APIError:
    """A ``validation_error`` with one detail."""
    return validation((tasks.Detail(type_, loc, message),))


def validation(details: tuple[tasks.Detail, ...]) -> APIError:
    """A ``validation_error`` whose message names the first fields at fault."""
    shown = "; ".join(f"{_path(detail.loc)}: {detail.msg}" for detail in details[:3])
    more = f" (and {len(details) - 3} more)" if len(details) > 3 else ""
    return APIError("validation_error", f"{shown}{more}", details=details)


def _path(loc: tuple[str | int, ...]) -> str:
    text = ""
    for part in loc[1:] or loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def from_refusal(refusal: tasks.TaskRefusal) -> APIError:
    """The answer for what the task rooms turn down."""
    match refusal:
        case tasks.RequestInvalid():
            return validation(refusal.details)
        case tasks.ModelUnknown():
            return APIError("model_not_found", str(refusal))
        case tasks.ProviderOff():
            return APIError("provider_not_available", str(refusal))
        case tasks.IdempotencyMismatch():
            return APIError("idempotency_mismatch", str(refusal))
        case tasks.TooExpensive():
            return APIError("spend_limit_exceeded", str(refusal))
        case tasks.TooManyTasks():
            return APIError("rate_limit_exceeded", str(refusal), retry_after=refusal.retry_after)
        case tasks.TaskMissing():
            return APIError("not_found", str(refusal))
        case tasks.TaskEnded() | tasks.TaskBusy():
            return APIError("conflict", str(refusal))
        case _:
            return APIError("unprocessable_entity", str(refusal))
