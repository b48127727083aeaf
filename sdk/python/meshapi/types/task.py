"""A video generation task as the server tells it (wire.md section 4; contract: task-decoding)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from .content import ContentField
from .lenient import LenientModel, Mend, decimal_text, text, unix_seconds

# contract/states.json; a test compares them. An unknown status is not terminal.
TERMINAL_STATUSES = frozenset({"succeeded", "failed", "expired", "cancelled"})


def _error_object(value: Any) -> dict[str, str] | None:
    return {"message": value} if isinstance(value, str) else None


class VideoTaskError(LenientModel):
    """Why a task failed. The codes are in contract/errors.json under ``task``."""

    code: str | None = None
    message: str | None = None

    _mends: ClassVar[Mapping[str, Mend]] = {"code": text}


class VideoTaskUsage(LenientModel):
    """Tokens as the provider counts them."""

    completion_tokens: int | None = None
    total_tokens: int | None = None


class VideoTaskResponse(LenientModel):
    """A task. ``status`` is ``pending``, ``running``, ``succeeded`` or ``failed``; a hosted one may be other.

    Times are Unix seconds, ``duration`` seconds, ``progress`` 0 to 1, ``cost_usd`` a decimal string. None
    means unknown or not yet. ``charged`` is ``yes``, ``no`` or ``unknown`` for a task that failed: whether it
    has cost anything. ``request_id`` names the HTTP request that brought this value.
    """

    id: str = ""
    status: str = ""
    model: str | None = None
    error: VideoTaskError | None = None
    content: ContentField = None
    created_at: int | None = None
    updated_at: int | None = None
    completed_at: int | None = None
    expires_at: int | None = None
    progress: float | None = None
    queue_position: int | None = None
    seed: int | None = None
    resolution: str | None = None
    ratio: str | None = None
    duration: int | None = None
    frames: int | None = None
    framespersecond: int | None = None
    generate_audio: bool | None = None
    safety_identifier: str | None = None
    priority: int | None = None
    draft: bool | None = None
    draft_task_id: str | None = None
    service_tier: str | None = None
    execution_expires_after: int | None = None
    usage: VideoTaskUsage | None = None
    cost_usd: str | None = None
    metadata: dict[str, str] | None = None
    charged: str | None = None
    plan: dict[str, Any] | None = None
    request_id: str | None = None

    _mends: ClassVar[Mapping[str, Mend]] = {
        "created_at": unix_seconds,
        "updated_at": unix_seconds,
        "completed_at": unix_seconds,
        "expires_at": unix_seconds,
        "cost_usd": decimal_text,
        "error": _error_object,
    }

    @property
    def is_terminal(self) -> bool:
        """Whether the task has ended, one way or another."""
        return self.status in TERMINAL_STATUSES

    @property
    def video_url(self) -> str | None:
        """The video's URL, None while there is none."""
        return self.content.video_url if self.content else None

    @property
    def last_frame_url(self) -> str | None:
        """The last frame's URL, None while there is none."""
        return self.content.last_frame_url if self.content else None


class CreateVideoGenerationResponse(VideoTaskResponse):
    """The task as it was accepted; ``unsupported_params`` names what the model lacks and was dropped."""

    unsupported_params: list[str] | None = None


class DeleteVideoGenerationResponse(VideoTaskResponse):
    """What a delete did: ``deleted`` an ended task, or cancelled a running one, which is told then."""

    deleted: bool = False
