"""A model of the catalogue (wire.md section 10)."""

from typing import Any

from .lenient import LenientModel


class Model(LenientModel):
    """A video model: what it is, what it can take, what it costs.

    ``pricing`` holds decimal strings. ``video`` holds its limits: durations, resolutions, ratios and so on.
    """

    id: str = ""
    name: str | None = None
    description: str | None = None
    provider: str | None = None
    brand: str | None = None
    model_type: str | None = None
    is_free: bool | None = None
    input_modalities: list[str] | None = None
    output_modalities: list[str] | None = None
    pricing: dict[str, Any] | None = None
    supports_video_generation: bool | None = None
    supports_video_first_frame: bool | None = None
    supports_video_last_frame: bool | None = None
    supports_video_reference_image: bool | None = None
    supports_video_reference_video: bool | None = None
    supports_video_reference_audio: bool | None = None
    supports_video_negative_prompt: bool | None = None
    video: dict[str, Any] | None = None
    request_id: str | None = None


class ModelList(list[Model]):
    """The models, with the id of the request that brought them."""

    request_id: str | None = None
