"""The values of the public API. Responses never raise on nulls, missing, odd or unknown fields.

Each is loaded when it is first used.
"""

TYPE_CHECKING = False

if TYPE_CHECKING:
    from .content import (
        VideoTaskContent,
        VideoTaskContentList,
    )
    from .listing import (
        ListVideoGenerationsFields,
        ListVideoGenerationsParams,
        VideoTaskList,
    )
    from .model import (
        Model,
        ModelList,
    )
    from .params import (
        DraftTask,
        MediaURL,
        VideoContentItem,
        VideoGenerationFields,
        VideoGenerationParams,
    )
    from .quote import (
        Quote,
        QuoteLine,
    )
    from .task import (
        CreateVideoGenerationResponse,
        DeleteVideoGenerationResponse,
        VideoTaskError,
        VideoTaskResponse,
        VideoTaskUsage,
    )
    from .timeline import (
        Timeline,
        TimelineEntry,
    )
    from .usage import (
        UsageEntry,
        UsageFigures,
        UsageReport,
    )
    from .webhooks import (
        TaskEvent,
        TaskEventList,
        WebhookAttempt,
        WebhookDelivery,
        WebhookDeliveryList,
        WebhookEndpoint,
        WebhookEndpointDeleted,
        WebhookEndpointList,
        WebhookSecret,
    )

__all__ = [
    "CreateVideoGenerationResponse",
    "DeleteVideoGenerationResponse",
    "DraftTask",
    "ListVideoGenerationsFields",
    "ListVideoGenerationsParams",
    "MediaURL",
    "Model",
    "ModelList",
    "Quote",
    "QuoteLine",
    "TaskEvent",
    "TaskEventList",
    "Timeline",
    "TimelineEntry",
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
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookDeliveryList",
    "WebhookEndpoint",
    "WebhookEndpointDeleted",
    "WebhookEndpointList",
    "WebhookSecret",
]

_HOMES = {
    "VideoTaskContent": ".content",
    "VideoTaskContentList": ".content",
    "ListVideoGenerationsFields": ".listing",
    "ListVideoGenerationsParams": ".listing",
    "VideoTaskList": ".listing",
    "Model": ".model",
    "ModelList": ".model",
    "DraftTask": ".params",
    "MediaURL": ".params",
    "VideoContentItem": ".params",
    "VideoGenerationFields": ".params",
    "VideoGenerationParams": ".params",
    "Quote": ".quote",
    "QuoteLine": ".quote",
    "CreateVideoGenerationResponse": ".task",
    "DeleteVideoGenerationResponse": ".task",
    "VideoTaskError": ".task",
    "VideoTaskResponse": ".task",
    "VideoTaskUsage": ".task",
    "Timeline": ".timeline",
    "TimelineEntry": ".timeline",
    "UsageEntry": ".usage",
    "UsageFigures": ".usage",
    "UsageReport": ".usage",
    "TaskEvent": ".webhooks",
    "TaskEventList": ".webhooks",
    "WebhookAttempt": ".webhooks",
    "WebhookDelivery": ".webhooks",
    "WebhookDeliveryList": ".webhooks",
    "WebhookEndpoint": ".webhooks",
    "WebhookEndpointDeleted": ".webhooks",
    "WebhookEndpointList": ".webhooks",
    "WebhookSecret": ".webhooks",
}


if not TYPE_CHECKING:  # a checker that saw this would believe every name to be here

    def __getattr__(name):
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(home, __name__), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
