"""What a caller asks for (wire.md sections 2 and 3; contract: request-encoding).

Fields that are newer than this package are accepted and sent as they are. Nothing is judged here that the
server judges better: limits are the model's.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from os import PathLike
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeAlias, TypedDict

from pydantic import BaseModel, BeforeValidator, ConfigDict, field_serializer

from meshapi._pictures import OpenImage, address, shortened, url_or_file

# A picture is a URL, or a file, bytes or an open image of this machine, which are sent as a data URI.
Picture: TypeAlias = str | bytes | PathLike[str] | OpenImage
if TYPE_CHECKING:
    PictureURL: TypeAlias = Picture
    PictureMedium: TypeAlias = "Picture | MediaURL | None"
else:
    PictureURL = Annotated[str, BeforeValidator(address)]
    PictureMedium = Annotated["str | MediaURL | None", BeforeValidator(address)]


class MediaURL(BaseModel):
    """A medium: an http(s) URL that needs no login, or a data URI with its MIME type.

    A picture may also be a path, bytes or an open image (PIL's); it is read at once, at most 20 MiB.
    """

    model_config = ConfigDict(extra="allow", defer_build=True)

    url: PictureURL

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        return ((name, shortened(value)) for name, value in super().__repr_args__())


class DraftTask(BaseModel):
    """A draft of yours whose final version is wanted."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    id: str


class VideoContentItem(BaseModel):
    """One item of a prompt.

    ``type`` is ``text``, ``image_url``, ``video_url``, ``audio_url`` or ``draft_task`` and names the member
    that carries the content. Media are a plain URL or an object; ``image_url`` may also be a path, bytes or
    an open image (PIL's), see ``image``. ``role`` is ``first_frame``, ``last_frame``, ``reference_image``,
    ``reference_video`` or ``reference_audio``. ``subject`` names a reference, so that the text can cite
    ``@name``.
    """

    model_config = ConfigDict(extra="allow", defer_build=True)

    type: str
    text: str | None = None
    image_url: PictureMedium = None
    video_url: str | MediaURL | None = None
    audio_url: str | MediaURL | None = None
    draft_task: DraftTask | None = None
    role: str | None = None
    subject: str | None = None

    @classmethod
    def image(cls, source: Picture, *, role: str | None = None, subject: str | None = None) -> Self:
        """A picture: a URL, or the name of a file, a path, bytes or an open image (PIL's) of this machine.

        What is of this machine is read at once and sent within the request, at most 20 MiB a picture and 32
        MiB in all. Raises ``MediaError`` for what is not there, no picture, or too large.
        """
        return cls(type="image_url", image_url=url_or_file(source), role=role, subject=subject)

    @field_serializer("image_url", "video_url", "audio_url")
    def _as_object(self, value: Any) -> dict[str, Any] | None:
        if value is None:
            return None
        return {"url": value} if isinstance(value, str) else dict(value.model_dump(exclude_none=True))

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        return ((name, shortened(value)) for name, value in super().__repr_args__())


class VideoGenerationParams(BaseModel):
    """The parameters of a generation. ``duration`` and ``execution_expires_after`` are seconds.

    What a model lacks is dropped by the server and named in ``unsupported_params`` of the answer; what it
    cannot render is refused with ``UnprocessableEntityError`` before anything is paid. ``max_cost_usd`` is
    the most the task may cost, in US dollars: a decimal string, a Decimal or a number; what would cost more
    is refused with ``SpendLimitError`` before anything is paid.
    """

    model_config = ConfigDict(extra="allow", protected_namespaces=(), defer_build=True)

    model: str
    content: list[VideoContentItem]
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
    callback_url: str | None = None
    service_tier: str | None = None
    execution_expires_after: int | None = None
    priority: int | None = None
    safety_identifier: str | None = None
    negative_prompt: str | None = None
    guidance_scale: float | None = None
    num_inference_steps: int | None = None
    output_format: str | None = None
    omni_reference_task_type: str | None = None
    metadata: dict[str, str] | None = None
    max_cost_usd: str | int | float | Decimal | None = None

    @field_serializer("max_cost_usd")
    def _without_exponent(self, value: str | int | float | Decimal | None) -> str | int | float | None:
        return format(value, "f") if isinstance(value, Decimal) else value

    def to_wire(self) -> dict[str, Any]:
        """The JSON body: what was set, without nulls at any depth, media in the object form."""
        return self.model_dump(mode="json", exclude_none=True)


class VideoGenerationFields(TypedDict, total=False):
    """The same parameters as keyword arguments."""

    model: str
    content: Sequence[VideoContentItem | Mapping[str, Any]]
    duration: int | None
    frames: int | None
    resolution: str | None
    ratio: str | None
    seed: int | None
    generate_audio: bool | None
    return_last_frame: bool | None
    camera_fixed: bool | None
    watermark: bool | None
    draft: bool | None
    callback_url: str | None
    service_tier: str | None
    execution_expires_after: int | None
    priority: int | None
    safety_identifier: str | None
    negative_prompt: str | None
    guidance_scale: float | None
    num_inference_steps: int | None
    output_format: str | None
    omni_reference_task_type: str | None
    metadata: dict[str, str] | None
    max_cost_usd: str | float | Decimal | None
