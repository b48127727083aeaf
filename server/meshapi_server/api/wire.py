"""The bodies of the wire as types; ``/openapi.json`` is generated from them. No behaviour.

Authority: wire.md sections 2 to 6. Limits that do not depend on a model stand here as constraints.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from meshapi_server.tasks.task import ErrorCode as TaskErrorCode
from meshapi_server.tasks.task import ModerationStage

Text = Annotated[str, Meta(max_length=200_000)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Short = Annotated[str, Meta(max_length=64)]
_NO_NUL = "^[^\\x00]*$"  # U+0000 cannot be searched for in a database's text


# The last three are an older spelling: the role given as the type. Checked in content_items.py, where the
# message can say more than a schema would.
_ITEM_TYPES = [
    "text",
    "image_url",
    "video_url",
    "audio_url",
    "draft_task",
    "first_frame",
    "last_frame",
    "reference_image",
]


class MediaURL(Struct, frozen=True):
    """A medium: an http(s) URL that needs no login, or a data URI with its MIME type."""

    url: Annotated[str, Meta(min_length=1)]


class DraftTask(Struct, frozen=True):
    """A draft of the caller's whose final is wanted."""

    id: Name


class ContentItemBody(Struct, frozen=True, kw_only=True):
    """One item of ``content`` (wire.md section 3). The media keys also take a plain string."""

    type: Annotated[str, Meta(max_length=64, extra_json_schema={"enum": _ITEM_TYPES})]
    text: Text | None = None
    image_url: str | MediaURL | None = None
    video_url: str | MediaURL | None = None
    audio_url: str | MediaURL | None = None
    draft_task: DraftTask | None = None
    role: Short | None = None
    subject: Annotated[str, Meta(max_length=1000)] | None = None


class CreateBody(Struct, frozen=True, kw_only=True):
    """The body of a create call. Null means absent; unknown fields are named in the answer."""

    model: Name
    content: Annotated[list[ContentItemBody], Meta(min_length=1, max_length=64)]
    duration: (
        Annotated[int, Meta(ge=-1, le=86_400, description="Seconds; -1 lets the model decide.")] | None
    ) = None
    frames: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    resolution: Short | None = None
    ratio: Short | None = None
    seed: Annotated[int, Meta(ge=-1, le=4_294_967_295, description="-1 is random.")] | None = None
    generate_audio: bool | None = None
    return_last_frame: bool | None = None
    camera_fixed: bool | None = None
    watermark: bool | None = None
    draft: bool | None = None
    callback_url: Annotated[str, Meta(max_length=2048)] | None = None
    service_tier: Literal["default", "flex"] | None = None
    execution_expires_after: Annotated[int, Meta(ge=60, le=259_200, description="Seconds.")] | None = None
    priority: Annotated[int, Meta(ge=0, le=9, description="Higher is served first.")] | None = None
    safety_identifier: Annotated[str, Meta(max_length=256)] | None = None
    negative_prompt: Annotated[str, Meta(max_length=20_000)] | None = None
    guidance_scale: Annotated[float, Meta(ge=0, le=1000)] | None = None
    num_inference_steps: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    output_format: Short | None = None
    omni_reference_task_type: Short | None = None
    max_cost_usd: (
        Annotated[
            str | int | float,
            Meta(description="Refuse with 402 what may cost more, or whose price is not known."),
        ]
        | None
    ) = None
    dry_run: Annotated[bool, Meta(description="Answer the quote; create nothing.")] | None = None
    metadata: (
        Annotated[
            dict[
                Annotated[str, Meta(min_length=1, max_length=64, pattern=_NO_NUL)],
                Annotated[str, Meta(max_length=512, pattern=_NO_NUL)],
            ],
            Meta(max_length=16),
        ]
        | None
    ) = None


class QuoteLine(Struct, frozen=True, kw_only=True):
    """One item of a quote. Quantities and money are decimal strings."""

    item: str
    quantity: str
    unit: str
    unit_price_usd: str
    cost_usd: str


class QuoteBody(Struct, frozen=True, kw_only=True):
    """What a create costs at most, and why; ``cost_usd`` null is an unknown price with its ``reason``."""

    model: Annotated[str, Meta(description="The model that would serve it.")]
    cost_usd: str | None
    reason: str | None
    lines: list[QuoteLine]
    unsupported_params: list[str] | None
    object: Literal["quote"] = "quote"


class TaskErrorBody(Struct, frozen=True, kw_only=True):
    """Why a task failed. ``provider_error`` holds the upstream's own words, secrets removed.

    ``stage`` and ``item`` tell where a safety check said no, and to what.
    """

    code: TaskErrorCode
    message: str
    provider_code: str | UnsetType = UNSET
    provider_error: dict[str, Any] | UnsetType = UNSET
    retryable: Annotated[bool, Meta(description="Whether asking again makes sense.")] | UnsetType = UNSET
    stage: (
        Annotated[ModerationStage, Meta(description="Whether what was sent or what was made was refused.")]
        | UnsetType
    ) = UNSET
    item: Annotated[str, Meta(description="What was refused, such as image 2.")] | UnsetType = UNSET


class TaskContent(Struct, frozen=True):
    """The result: links to the operator's copy that open without a login for a day."""

    video_url: str
    last_frame_url: str | None = None


class VideoBody(Struct, frozen=True, kw_only=True):
    """The stored video as it was measured, whatever the upstream says of it. Null where it could not be."""

    media_type: str
    size: Annotated[int, Meta(ge=0, description="Bytes.")]
    sha256: Annotated[str, Meta(description="In hexadecimal.")]
    width: int | None = None
    height: int | None = None
    duration: Annotated[float, Meta(description="Seconds.")] | None = None
    fps: float | None = None
    frames: int | None = None
    audio: bool | None = None
    codec: Annotated[str, Meta(description="FFmpeg's name of the video codec, such as h264.")] | None = None


class Usage(Struct, frozen=True):
    """Tokens as the upstream counts them."""

    completion_tokens: int
    total_tokens: int


class TaskBody(Struct, frozen=True, kw_only=True):
    """A task (wire.md section 4). Times are Unix seconds. Null means unknown or not yet."""

    id: str
    status: Literal["pending", "running", "succeeded", "failed"]
    model: str | None
    error: TaskErrorBody | None
    content: TaskContent | None
    created_at: int
    updated_at: int
    completed_at: int | None
    expires_at: int | None
    progress: Annotated[float, Meta(ge=0, le=1)] | None
    queue_position: Annotated[int, Meta(ge=0)] | None
    seed: int | None
    resolution: str | None
    ratio: str | None
    duration: int | None
    frames: int | None
    framespersecond: int | None
    generate_audio: bool | None
    safety_identifier: str | None
    priority: int | None
    draft: bool | None
    draft_task_id: str | None
    service_tier: str | None
    execution_expires_after: int | None
    usage: Usage | None
    cost_usd: Annotated[str, Meta(description="A decimal figure in US dollars.")] | None
    charged: (
        Annotated[
            Literal["yes", "no", "unknown"],
            Meta(description="Of a failed task: whether the upstream bills it."),
        ]
        | None
    )
    metadata: dict[str, str]
    plan: Annotated[dict[str, Any], Meta(description="What the built-in model understood.")] | None
    video: VideoBody | None
    warnings: Annotated[
        list[str], Meta(description="Where the stored video is not what was asked, in words.")
    ]
    request_id: Annotated[str, Meta(description="Of the create call; from version 2026-09.")] | UnsetType = (
        UNSET
    )


class CreatedBody(TaskBody, frozen=True, kw_only=True):
    """The answer of a create: the task, and the parameters that the model does not have."""

    unsupported_params: list[str] | None = None


class TaskList(Struct, frozen=True, kw_only=True):
    """A page of tasks, newest first; ``total`` counts all that the filters select.

    With time or metadata filters it is counted up to 10,000.
    """

    object: Literal["list"]
    data: list[TaskBody]
    has_more: bool
    total: int
    limit: int
    offset: int


class Deleted(Struct, frozen=True, kw_only=True):
    """An ended task that was removed with its files."""

    id: str
    object: Literal["video.generation.deleted"] = "video.generation.deleted"
    deleted: Literal[True] = True
