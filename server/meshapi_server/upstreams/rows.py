"""A model's card as the row of ``GET /v1/models`` (wire.md section 10).

``pricing`` keeps the public service's field names, whose values are strings or null; it holds one headline
price in US dollars, the one for the card's defaults. All price lines, in any currency, stand in
``video.prices``.
"""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from meshapi_server.upstreams.card import MODEL_DECIDES, ModelCard, ModelType
from meshapi_server.upstreams.limits import Span
from meshapi_server.upstreams.rules import PriceLine, Unit, When

Modality = Literal["text", "image", "video", "audio"]
PricingUnit = Literal["per_second", "per_video", "per_1m_tokens"]

_PRICING_UNITS: dict[Unit, PricingUnit] = {
    "second": "per_second",
    "video": "per_video",
    "million_tokens": "per_1m_tokens",
}


class PricingRow(Struct, frozen=True, kw_only=True):
    """The headline price. All null but ``notes`` where it is not known; zero only for a free model."""

    pricing_unit: PricingUnit | None = None
    input_usd_per_unit: str | None = None
    output_usd_per_unit: str | None = None
    prompt_usd_per_1m: str | None = None
    completion_usd_per_1m: str | None = None
    image_input_usd_per_image: str | None = None
    effective_date: str | None = None
    notes: str | None = None


class PriceRow(Struct, frozen=True, kw_only=True):
    """One price and the conditions under which it holds; the first line that fits a request counts."""

    unit: Unit
    amount: str
    currency: str
    when: When
    note: str | None = None


class VideoRow(Struct, frozen=True, kw_only=True):
    """The limits. Null means that the model has no such parameter, or that its values are not known.

    ``durations`` are seconds, -1 standing for "the model decides"; ``max_images`` is the most images that
    one request may carry, null where that is not known.
    """

    durations: tuple[int, ...] | None
    frames: Span | None
    resolutions: tuple[str, ...] | None
    ratios: tuple[str, ...] | None
    fps: tuple[int, ...] | None
    audio: bool | None
    seed: bool
    camera_fixed: bool
    draft: bool
    max_images: int | None
    prices: tuple[PriceRow, ...]


class ModelRow(Struct, frozen=True, kw_only=True):
    """One model as the public sees it. ``retires`` is a date (ISO 8601), ``successor`` a model id."""

    id: str
    name: str
    description: str
    provider: str
    brand: str
    model_type: ModelType
    is_free: bool
    input_modalities: tuple[Modality, ...]
    output_modalities: tuple[Modality, ...]
    pricing: PricingRow
    supports_video_generation: bool
    supports_video_first_frame: bool
    supports_video_last_frame: bool
    supports_video_reference_image: bool
    supports_video_reference_video: bool
    supports_video_reference_audio: bool
    supports_video_negative_prompt: bool
    video: VideoRow
    retires: str | None
    successor: str | None


def model_row(card: ModelCard) -> ModelRow:
    """The public row of a card. Pure."""
    roles = card.roles
    return ModelRow(
        id=card.id,
        name=card.name,
        description=card.description,
        provider=card.provider,
        brand=card.brand,
        model_type=card.model_type,
        is_free=card.free,
        input_modalities=_input_modalities(card),
        output_modalities=("video",),
        pricing=_pricing(card),
        supports_video_generation=True,
        supports_video_first_frame="first_frame" in roles,
        supports_video_last_frame="last_frame" in roles,
        supports_video_reference_image="reference_image" in roles,
        supports_video_reference_video="reference_video" in roles,
        supports_video_reference_audio="reference_audio" in roles,
        supports_video_negative_prompt="negative_prompt" in card.parameters,
        video=_video(card),
        retires=card.retires.isoformat() if card.retires else None,
        successor=card.successor,
    )


def _input_modalities(card: ModelCard) -> tuple[Modality, ...]:
    roles = card.roles
    taken: dict[Modality, bool] = {
        "text": True,
        "image": bool(roles & {"first_frame", "last_frame", "reference_image"}),
        "video": "reference_video" in roles,
        "audio": "reference_audio" in roles,
    }
    return tuple(name for name, is_taken in taken.items() if is_taken)


def _video(card: ModelCard) -> VideoRow:
    decides = (MODEL_DECIDES,) if card.model_decides_duration else ()
    durations = tuple(card.durations) if card.durations is not None else None
    return VideoRow(
        durations=None if durations is None else (*decides, *durations),
        frames=card.frames,
        resolutions=card.resolutions or None,
        ratios=card.ratios or None,
        fps=card.fps or None,
        audio=None if card.audio is None else card.audio != "never",
        seed="seed" in card.parameters,
        camera_fixed="camera_fixed" in card.parameters,
        draft="draft" in card.parameters,
        max_images=_max_images(card),
        prices=_prices(card),
    )


def _max_images(card: ModelCard) -> int | None:
    references = card.references.images if card.references else 0
    if references is True:
        return None
    frames = len(card.roles & {"first_frame", "last_frame"})
    return frames + references if card.mixes_scenarios else max(frames, references)


def _prices(card: ModelCard) -> tuple[PriceRow, ...]:
    if card.pricing is None:
        return ()
    return tuple(
        PriceRow(
            unit=line.unit,
            amount=_decimal(line.amount),
            currency=card.pricing.currency,
            when=line.when,
            note=line.note,
        )
        for line in card.pricing.lines
    )


def _pricing(card: ModelCard) -> PricingRow:
    if card.free:
        return PricingRow(pricing_unit="per_second", output_usd_per_unit="0")
    if card.pricing is None:
        return PricingRow(notes=card.price_unknown)
    pricing, situation = card.pricing, card.usual_situation
    read_on = pricing.date.isoformat()
    if pricing.currency != "USD":
        return PricingRow(effective_date=read_on, notes=f"Priced in {pricing.currency}; see video.prices.")
    line, image = pricing.output(situation), pricing.input_image(situation)
    unit = _PRICING_UNITS[line.unit] if line else None
    return PricingRow(
        pricing_unit=unit,
        output_usd_per_unit=_amount(line),
        completion_usd_per_1m=_amount(line) if unit == "per_1m_tokens" else None,
        image_input_usd_per_image=_amount(image),
        effective_date=read_on,
        notes=pricing.source if line else f"{pricing.source}; not for the defaults, see video.prices.",
    )


def _amount(line: PriceLine | None) -> str | None:
    return None if line is None else _decimal(line.amount)


def _decimal(amount: Decimal) -> str:
    return format(amount, "f")
