"""The values of the public API. Responses never raise on nulls, missing, odd or unknown fields."""

from .content import VideoTaskContent, VideoTaskContentList
from .listing import ListVideoGenerationsFields, ListVideoGenerationsParams, VideoTaskList
from .model import Model, ModelList
from .params import (
    DraftTask,
    MediaURL,
    VideoContentItem,
    VideoGenerationFields,
    VideoGenerationParams,
)
from .quote import Quote, QuoteLine
from .task import (
    CreateVideoGenerationResponse,
    DeleteVideoGenerationResponse,
    VideoTaskError,
    VideoTaskResponse,
    VideoTaskUsage,
)
from .timeline import Timeline, TimelineEntry

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
    "Timeline",
    "TimelineEntry",
    "VideoContentItem",
    "VideoGenerationFields",
    "VideoGenerationParams",
    "VideoTaskContent",
    "VideoTaskContentList",
    "VideoTaskError",
    "VideoTaskList",
    "VideoTaskResponse",
    "VideoTaskUsage",
]
