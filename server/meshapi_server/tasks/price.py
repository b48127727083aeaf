"""What a request costs: decimal US dollars, item by item, or why it is not known. Values only.

Quotes are decimals. What is stored and added up are whole nano-dollars, which every database counts exactly
(docs/decisions/0009-money-is-counted-in-nano-dollars.md).
"""

from decimal import ROUND_CEILING, Decimal, InvalidOperation

from msgspec import Struct

NANO_PER_DOLLAR = 1_000_000_000
_MOST = 2**62  # nano-dollars that a sum may be; far above any, and below what a column holds
_MILLION = 1_000_000


class Tariff(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one upstream charges for a task, in nano-dollars: at most, and exactly once it tells its tokens.

    ``per_million_tokens`` is None where something else is counted; ``besides`` is what tokens do not cover.
    """

    most: int
    per_million_tokens: int | None = None
    besides: int = 0

    def exact(self, tokens: int | None) -> int:
        """The cost of a video of so many tokens; the quoted one where tokens do not decide."""
        if self.per_million_tokens is None or not tokens:
            return self.most
        return self.besides - (-tokens * self.per_million_tokens // _MILLION)


FREE_OF_CHARGE = Tariff(most=0)


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

    @property
    def tariff(self) -> Tariff | None:
        """The price as it is stored with a task; None when it is unknown."""
        if self.cost_usd is None:
            return None
        most = nano(self.cost_usd)
        tokens = [item for item in self.items if item.unit == "million_tokens"]
        if len(tokens) != 1:
            return Tariff(most=most) if most else FREE_OF_CHARGE
        each = nano(tokens[0].unit_price_usd)
        return Tariff(most=most, per_million_tokens=each, besides=most - nano(tokens[0].cost_usd))


FREE = Price(cost_usd=Decimal(0))


class Budget(Struct, frozen=True, kw_only=True):
    """What a key may spend, in nano-dollars: on one day (UTC), and in all. None is no limit."""

    per_day: int | None = None
    total: int | None = None

    @property
    def limited(self) -> bool:
        """Whether there is any limit."""
        return self.per_day is not None or self.total is not None


UNLIMITED = Budget()


def nano(dollars: Decimal) -> int:
    """Dollars as whole nano-dollars, rounded up. Raises ValueError for what is no sum of money."""
    # Compared before it is multiplied: a figure such as 1e999999 is more than a decimal can hold then.
    if not dollars.is_finite() or not 0 <= dollars <= Decimal(_MOST) / NANO_PER_DOLLAR:
        raise ValueError(f"{dollars} is no sum of dollars; use a decimal from 0 to 4 billion")
    return int((dollars * NANO_PER_DOLLAR).to_integral_value(ROUND_CEILING))


def read_nano(text: str) -> int | None:
    """The sum that an upstream named; None when that is no sum of money."""
    try:
        return nano(Decimal(text))
    except (InvalidOperation, ValueError):
        return None


def dollars(nanos: int) -> str:
    """Nano-dollars as a decimal figure in dollars, exactly and without zeros that say nothing."""
    whole, part = divmod(abs(nanos), NANO_PER_DOLLAR)
    sign = "-" if nanos < 0 else ""
    return f"{sign}{whole}.{part:09}".rstrip("0").rstrip(".")
