"""What a request costs: decimal US dollars, item by item, or why it is not known. Values only."""

from decimal import Decimal

from msgspec import Struct


class PriceItem(Struct, frozen=True, kw_only=True):
    """One line of a quote: ``quantity`` of ``unit`` at ``unit_price_usd`` each."""

    item: str
    quantity: Decimal
    unit: str
    unit_price_usd: Decimal
    cost_usd: Decimal


class Price(Struct, frozen=True, kw_only=True):
    """The most that a request costs. ``cost_usd`` None means unknown, and ``reason`` says why.

    A ``reason`` beside a known cost qualifies it.
    """

    cost_usd: Decimal | None
    reason: str | None = None
    items: tuple[PriceItem, ...] = ()


FREE = Price(cost_usd=Decimal(0))
