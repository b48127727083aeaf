"""What a generation would cost: the answer of ``POST /v1/video/quote`` (contract: quote-decoding)."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from .lenient import LenientModel, Mend, decimal_text
from .rows import objects_only


class QuoteLine(LenientModel):
    """One item of a quote: ``quantity`` of ``unit`` at ``unit_price_usd`` make ``cost_usd``.

    Quantities and money are decimal strings, None where they are not known.
    """

    item: str = ""
    quantity: str | None = None
    unit: str | None = None
    unit_price_usd: str | None = None
    cost_usd: str | None = None

    _mends: ClassVar[Mapping[str, Mend]] = {
        "quantity": decimal_text,
        "unit_price_usd": decimal_text,
        "cost_usd": decimal_text,
    }


class Quote(LenientModel):
    """What a generation would cost in US dollars, as a decimal string; nothing was spent and nothing stored.

    ``cost_usd`` is None where the price is unknown; ``reason`` says why. ``unsupported_params`` names what
    the model lacks and would drop.
    """

    object: str = "quote"
    model: str | None = None
    cost_usd: str | None = None
    reason: str | None = None
    lines: Annotated[list[QuoteLine], BeforeValidator(objects_only)] = Field(default_factory=list)
    unsupported_params: list[str] | None = None
    request_id: str | None = None

    _mends: ClassVar[Mapping[str, Mend]] = {"cost_usd": decimal_text}
