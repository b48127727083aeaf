"""What a fitted request costs by its model's card: pure arithmetic in decimal, never a guess.

Where the card leaves something open (the model decides the length), the dearest outcome counts, so that
what is held for a task is never less than what it may cost. What cannot be known is None with a reason.
"""

from decimal import Decimal

from meshapi_server.tasks.price import FREE, Price, PriceItem
from meshapi_server.tasks.spec import Spec

from .card import MODEL_DECIDES, ModelCard
from .inputs import read_inputs
from .limits import lines
from .rules import PriceLine, Situation

_MILLION = Decimal(1_000_000)
_CENT_OF_A_CENT = Decimal("0.0001")
_NAMES = {"second": "seconds of video", "video": "video", "million_tokens": "video tokens"}
# ByteDance counts a video's tokens as width x height x frames per second x seconds / 1024.
_PIXELS_PER_TOKEN = 1024
_USUAL_FPS = 24
# Of the ratios that a model offers, 16:9 has about the area of all others at the same resolution.
_WIDE = Decimal(16) / Decimal(9)


def price(spec: Spec, card: ModelCard, *, cny_per_usd: Decimal | None = None) -> Price:
    """The most that ``spec``, fitted to ``card``, costs. ``cny_per_usd`` converts prices in Chinese yuan."""
    if card.free:
        return FREE
    pricing = card.pricing
    if pricing is None:
        return Price(cost_usd=None, reason=card.price_unknown or "No price of this model is public.")
    situation = _situation(spec, card)
    output = pricing.output(situation)
    if output is None:
        return Price(cost_usd=None, reason="The price list does not say what this combination costs.")
    rate = Decimal(1)
    if pricing.currency == "CNY":
        if cny_per_usd is None:
            reason = "The price is in Chinese yuan and no exchange rate (cny_per_usd) is set."
            return Price(cost_usd=None, reason=reason)
        rate = cny_per_usd
    quantity = _quantity(output, spec, card)
    if quantity is None:
        return Price(cost_usd=None, reason="How much this request makes cannot be told in advance.")
    items = [_item(_NAMES[output.unit], quantity, output, rate)]
    per_image = pricing.input_image(situation)
    images = sum(item.kind == "image" for item in spec.content) - (per_image.included if per_image else 0)
    if per_image is not None and images > 0:
        items.append(_item("input images", Decimal(images), per_image, rate))
    return Price(
        cost_usd=sum((item.cost_usd for item in items), Decimal(0)),
        reason=_qualification(spec, output),
        items=tuple(items),
    )


def _situation(spec: Spec, card: ModelCard) -> Situation:
    inputs = read_inputs(spec.content, card)
    return Situation(
        scenario=inputs.scenario,
        roles=inputs.roles,
        resolution=spec.resolution,
        duration=spec.duration,
        generate_audio=spec.generate_audio if card.audio == "switch" else card.audio == "always",
        draft=spec.draft is True,
        service_tier=spec.service_tier or "default",
    )


def _quantity(line: PriceLine, spec: Spec, card: ModelCard) -> Decimal | None:
    """How many units at most; None when it cannot be told."""
    if line.unit == "video":
        return Decimal(1)
    seconds = _seconds(spec, card)
    if seconds is None or line.unit == "second":
        return seconds
    height = lines(spec.resolution or "")
    if height is None:
        return None
    fps = Decimal(max(card.fps, default=_USUAL_FPS))
    pixels = Decimal(height) * (Decimal(height) * _WIDE).to_integral_value()
    return (pixels * fps * seconds / _PIXELS_PER_TOKEN / _MILLION).quantize(Decimal("0.000001"))


def _seconds(spec: Spec, card: ModelCard) -> Decimal | None:
    if spec.frames is not None:
        return Decimal(spec.frames) / Decimal(min(card.fps, default=_USUAL_FPS))
    if spec.duration is None or spec.duration == MODEL_DECIDES:
        return Decimal(max(card.durations)) if card.durations else None
    return Decimal(spec.duration)


def _item(name: str, quantity: Decimal, line: PriceLine, rate: Decimal) -> PriceItem:
    each = line.amount / rate
    cost = (quantity * each).quantize(_CENT_OF_A_CENT) if rate != 1 or quantity % 1 else quantity * each
    return PriceItem(
        item=name,
        quantity=quantity,
        unit=line.unit,
        unit_price_usd=each if rate == 1 else each.quantize(_CENT_OF_A_CENT),
        cost_usd=cost,
    )


def _qualification(spec: Spec, line: PriceLine) -> str | None:
    if line.unit == "video":
        return None
    if spec.frames is None and (spec.duration is None or spec.duration == MODEL_DECIDES):
        return "The model decides the length; this is the price of the longest."
    if line.unit == "million_tokens":
        return "Tokens are estimated from size and length; the upstream counts the real ones."
    return None
