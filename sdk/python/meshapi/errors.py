"""Every error this package raises. The root is ``MeshAPIError``; its attributes are always there.

One class per HTTP status (wire.md section 8), one for connections that fail, one for waits that run out, one
for tasks that fail. Nothing of the HTTP library below leaves this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .types import VideoTaskResponse


class MeshAPIError(Exception):
    """The root of all errors.

    ``status`` is the HTTP status (0 when there was no answer), ``error_code`` the machine-readable code,
    ``details`` a list of ``{"type", "loc", "msg"}``, ``retry_after_seconds`` the server's wish.
    ``task_may_exist`` is true when a create may have been accepted although its answer was lost; sending it
    again with ``idempotency_key`` to a server that honours keys finds that task instead of making another.
    """

    error_code: str = "error"

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        error_code: str | None = None,
        request_id: str | None = None,
        details: list[dict[str, Any]] | None = None,
        provider_error: Any = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.error_code = error_code or type(self).error_code
        self.request_id = request_id
        self.details = details or []
        self.provider_error = provider_error
        self.retry_after_seconds = retry_after_seconds
        self.task_may_exist = False
        self.idempotency_key: str | None = None

    @property
    def code(self) -> str:
        """The same as ``error_code``."""
        return self.error_code

    def __str__(self) -> str:
        text = self.message
        if self.task_may_exist:
            text += (
                " (The task may exist: the answer to the create was lost. Before you create it anew, look"
                " for it in the list, or repeat the call with the same idempotency_key if the server"
                " honours such keys.)"
            )
        return text

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(status={self.status!r}, error_code={self.error_code!r},"
            f" request_id={self.request_id!r}, message={self.message!r})"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword-only arguments would be lost by the default, and errors do cross process borders.
        return _restored, (type(self), self.args, self.__dict__)


def _restored(cls: type[MeshAPIError], args: tuple[Any, ...], state: dict[str, Any]) -> MeshAPIError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigurationError(MeshAPIError, ValueError):
    """The client cannot be built: a missing key, a base URL that is none, a contradiction."""

    error_code = "configuration"


class InvalidIdError(MeshAPIError, ValueError):
    """An id that would not name one task or model; nothing was sent."""

    error_code = "invalid_id"


class APIConnectionError(MeshAPIError):
    """No usable answer: no connection, or one that broke. The cause is the ``__cause__``."""

    error_code = "connection"


class APITimeoutError(APIConnectionError, TimeoutError):
    """No answer in time."""

    error_code = "timeout"


class ResponseDecodingError(MeshAPIError):
    """An answer of 2xx whose body is not what the API sends; often something between client and server."""

    error_code = "undecodable"


class APIStatusError(MeshAPIError):
    """An answer that is not a success. Statuses without a class of their own have this one."""


class BadRequestError(APIStatusError):
    """400: the request cannot be read."""


class AuthenticationError(APIStatusError):
    """401: the key is missing, malformed, unknown or revoked."""


class SpendLimitError(APIStatusError):
    """402: the budget of the key is used up."""


class PermissionDeniedError(APIStatusError):
    """403: the key is suspended."""


class NotFoundError(APIStatusError):
    """404: no such task or model, or it belongs to somebody else."""


class ConflictError(APIStatusError):
    """409: the task is not in a state that allows this."""


class RequestTooLargeError(APIStatusError):
    """413: the body is larger than the server accepts."""


class UnprocessableEntityError(APIStatusError):
    """422: the request does not fit the schema or the model; ``details`` say where."""


class RateLimitError(APIStatusError):
    """429: too many requests; ``retry_after_seconds`` says when to come back."""


class InternalServerError(APIStatusError):
    """500: a defect in the server."""


class UpstreamError(APIStatusError):
    """502: the provider of the model failed, or a proxy did."""


class ServiceUnavailableError(APIStatusError):
    """503: the provider of the model, or the server, is not available."""


class GatewayTimeoutError(APIStatusError):
    """504: the provider of the model did not answer in time."""


class MediaError(MeshAPIError):
    """A picture of this machine that cannot be sent: not there, no picture, or too large."""

    error_code = "media"


class TaskFailedError(MeshAPIError):
    """A task ended without a result; ``task`` is the whole task, its reason in ``task.error``."""

    def __init__(self, task: VideoTaskResponse) -> None:
        reason = task.error
        code = (reason.code if reason else None) or ("failed" if task.status == "failed" else task.status)
        told = (reason.message if reason else None) or "the server gave no reason"
        super().__init__(
            f"Task {task.id} ended {task.status}: {code}: {told}",
            status=200,
            error_code=code,
            request_id=task.request_id,
        )
        self.task = task
        self.task_id = task.id


class WaitTimeoutError(MeshAPIError, TimeoutError):
    """A wait ran out. The task goes on: wait for ``task_id`` again, or cancel it. ``task`` was last seen."""

    error_code = "wait_timeout"

    def __init__(self, task_id: str, seconds: float, task: VideoTaskResponse | None) -> None:
        seen = f"it was last seen {task.status}" if task else "it was never seen"
        super().__init__(
            f"Task {task_id} did not end within {seconds:g} s ({seen}); it goes on and can be waited for",
            request_id=task.request_id if task else None,
        )
        self.task_id = task_id
        self.task = task


class WebhookVerificationError(MeshAPIError):
    """A callback that is not to be believed; ``error_code`` says why.

    ``webhook_missing_header``, ``webhook_malformed_timestamp``, ``webhook_wrong_signature``,
    ``webhook_too_old``, ``webhook_too_new``, or ``webhook_no_task`` for a genuine body that is no task.
    """

    error_code = "webhook"

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message, error_code=f"webhook_{reason}")


class DownloadError(MeshAPIError):
    """A result could not be fetched whole: no file, a broken transfer, or bytes that fail their checksum."""

    error_code = "download"
