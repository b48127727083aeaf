"""What a caller asked for, normalised: one frozen value that every later room reads.

The wire's several spellings (wire.md section 3) end here; nothing behind this type knows JSON.
"""

from typing import Literal

from msgspec import Struct

ItemKind = Literal["text", "image", "video", "audio", "draft_task"]
Role = Literal["first_frame", "last_frame", "reference_image", "reference_video", "reference_audio"]


class ContentItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One item of ``content``. ``index`` is its place in the request, for messages that name it."""

    kind: ItemKind
    index: int
    text: str | None = None
    url: str | None = None
    role: Role | None = None
    subject: str | None = None
    task_id: str | None = None


class Spec(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A validated request. ``None`` means the caller left the parameter out (or sent null)."""

    model: str
    content: tuple[ContentItem, ...]
    duration: int | None = None
    frames: int | None = None
    resolution: str | None = None
    ratio: str | None = None
    seed: int | None = None
    generate_audio: bool | None = None
    return_last_frame: bool | None = None
    camera_fixed: bool | None = None
    watermark: bool | None = None
    draft: bool | None = None
    service_tier: str | None = None
    priority: int | None = None
    safety_identifier: str | None = None
    negative_prompt: str | None = None
    guidance_scale: float | None = None
    num_inference_steps: int | None = None
    output_format: str | None = None
    omni_reference_task_type: str | None = None
    execution_expires_after: int | None = None
    callback_url: str | None = None
    metadata: dict[str, str] | None = None

    @property
    def prompt(self) -> str:
        """The text items, in order, joined by line breaks; empty when there is none."""
        return "\n".join(item.text for item in self.content if item.kind == "text" and item.text)
