"""Mesh API: one API for every video model.

    from meshapi import MeshAPI, VideoGenerationParams, VideoContentItem

Names are loaded when they are first used, so that ``import meshapi`` alone costs next to nothing.
"""

from ._version import __version__

TYPE_CHECKING = False  # type checkers take it for true; importing typing for it would double the cost

if TYPE_CHECKING:
    from . import errors as errors
    from . import testing as testing
    from . import types as types
    from . import webhooks as webhooks
    from ._async.client import (
        AsyncMeshAPI,
    )
    from ._calls import (
        CreateOptions,
        RequestOptions,
    )
    from ._raw import (
        RawResponse,
    )
    from ._retry import (
        RetryPolicy,
    )
    from ._sink import (
        DownloadResult,
    )
    from ._sync.client import (
        MeshAPI,
    )
    from .errors import (
        APIConnectionError,
        APIStatusError,
        APITimeoutError,
        AuthenticationError,
        BadRequestError,
        ConfigurationError,
        ConflictError,
        DownloadError,
        GatewayTimeoutError,
        InternalServerError,
        InvalidIdError,
        MediaError,
        MeshAPIError,
        NotFoundError,
        PermissionDeniedError,
        RateLimitError,
        RequestTooLargeError,
        ResponseDecodingError,
        ServiceUnavailableError,
        SpendLimitError,
        TaskFailedError,
        UnprocessableEntityError,
        UpstreamError,
        WaitTimeoutError,
        WebhookVerificationError,
    )
    from .types import (
        CreateVideoGenerationResponse,
        DeleteVideoGenerationResponse,
        DraftTask,
        ListVideoGenerationsFields,
        ListVideoGenerationsParams,
        MediaURL,
        Model,
        ModelList,
        Quote,
        QuoteLine,
        TaskEvent,
        TaskEventList,
        Timeline,
        TimelineEntry,
        UsageEntry,
        UsageFigures,
        UsageReport,
        VideoContentItem,
        VideoGenerationFields,
        VideoGenerationParams,
        VideoTaskContent,
        VideoTaskContentList,
        VideoTaskError,
        VideoTaskList,
        VideoTaskResponse,
        VideoTaskUsage,
        WebhookAttempt,
        WebhookDelivery,
        WebhookDeliveryList,
        WebhookEndpoint,
        WebhookEndpointDeleted,
        WebhookEndpointList,
        WebhookSecret,
    )
    from .webhooks import (
        WebhookEvent,
    )

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncMeshAPI",
    "AuthenticationError",
    "BadRequestError",
    "ConfigurationError",
    "ConflictError",
    "CreateOptions",
    "CreateVideoGenerationResponse",
    "DeleteVideoGenerationResponse",
    "DownloadError",
    "DownloadResult",
    "DraftTask",
    "GatewayTimeoutError",
    "InternalServerError",
    "InvalidIdError",
    "ListVideoGenerationsFields",
    "ListVideoGenerationsParams",
    "MediaError",
    "MediaURL",
    "MeshAPI",
    "MeshAPIError",
    "Model",
    "ModelList",
    "NotFoundError",
    "PermissionDeniedError",
    "Quote",
    "QuoteLine",
    "RateLimitError",
    "RawResponse",
    "RequestOptions",
    "RequestTooLargeError",
    "ResponseDecodingError",
    "RetryPolicy",
    "ServiceUnavailableError",
    "SpendLimitError",
    "TaskEvent",
    "TaskEventList",
    "TaskFailedError",
    "Timeline",
    "TimelineEntry",
    "UnprocessableEntityError",
    "UpstreamError",
    "UsageEntry",
    "UsageFigures",
    "UsageReport",
    "VideoContentItem",
    "VideoGenerationFields",
    "VideoGenerationParams",
    "VideoTaskContent",
    "VideoTaskContentList",
    "VideoTaskError",
    "VideoTaskList",
    "VideoTaskResponse",
    "VideoTaskUsage",
    "WaitTimeoutError",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookDeliveryList",
    "WebhookEndpoint",
    "WebhookEndpointDeleted",
    "WebhookEndpointList",
    "WebhookEvent",
    "WebhookSecret",
    "WebhookVerificationError",
    "__version__",
]

_MODULES = frozenset({"errors", "testing", "types", "webhooks"})
_HOMES = {
    "AsyncMeshAPI": "._async.client",
    "CreateOptions": "._calls",
    "RequestOptions": "._calls",
    "RawResponse": "._raw",
    "RetryPolicy": "._retry",
    "DownloadResult": "._sink",
    "MeshAPI": "._sync.client",
    "APIConnectionError": ".errors",
    "APIStatusError": ".errors",
    "APITimeoutError": ".errors",
    "AuthenticationError": ".errors",
    "BadRequestError": ".errors",
    "ConfigurationError": ".errors",
    "ConflictError": ".errors",
    "DownloadError": ".errors",
    "GatewayTimeoutError": ".errors",
    "InternalServerError": ".errors",
    "InvalidIdError": ".errors",
    "MediaError": ".errors",
    "MeshAPIError": ".errors",
    "NotFoundError": ".errors",
    "PermissionDeniedError": ".errors",
    "RateLimitError": ".errors",
    "RequestTooLargeError": ".errors",
    "ResponseDecodingError": ".errors",
    "ServiceUnavailableError": ".errors",
    "SpendLimitError": ".errors",
    "TaskFailedError": ".errors",
    "UnprocessableEntityError": ".errors",
    "UpstreamError": ".errors",
    "WaitTimeoutError": ".errors",
    "WebhookVerificationError": ".errors",
    "CreateVideoGenerationResponse": ".types.task",
    "DeleteVideoGenerationResponse": ".types.task",
    "DraftTask": ".types.params",
    "ListVideoGenerationsFields": ".types.listing",
    "ListVideoGenerationsParams": ".types.listing",
    "MediaURL": ".types.params",
    "Model": ".types.model",
    "ModelList": ".types.model",
    "Quote": ".types.quote",
    "QuoteLine": ".types.quote",
    "Timeline": ".types.timeline",
    "TimelineEntry": ".types.timeline",
    "VideoContentItem": ".types.params",
    "VideoGenerationFields": ".types.params",
    "VideoGenerationParams": ".types.params",
    "VideoTaskContent": ".types.content",
    "VideoTaskContentList": ".types.content",
    "VideoTaskError": ".types.task",
    "VideoTaskList": ".types.listing",
    "VideoTaskResponse": ".types.task",
    "VideoTaskUsage": ".types.task",
    "UsageEntry": ".types.usage",
    "UsageFigures": ".types.usage",
    "UsageReport": ".types.usage",
    "TaskEvent": ".types.webhooks",
    "TaskEventList": ".types.webhooks",
    "WebhookAttempt": ".types.webhooks",
    "WebhookDelivery": ".types.webhooks",
    "WebhookDeliveryList": ".types.webhooks",
    "WebhookEndpoint": ".types.webhooks",
    "WebhookEndpointDeleted": ".types.webhooks",
    "WebhookEndpointList": ".types.webhooks",
    "WebhookSecret": ".types.webhooks",
    "WebhookEvent": ".webhooks",
}


if not TYPE_CHECKING:  # a checker that saw this would believe every name to be here

    def __getattr__(name):
        from importlib import import_module

        if name in _MODULES:
            return import_module(f".{name}", __name__)
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(home, __name__), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
