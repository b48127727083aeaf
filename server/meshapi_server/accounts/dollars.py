"""Sums of money as whole nano-dollars (10^-9 USD): exact in every database, finer than any price."""

from decimal import Decimal, InvalidOperation, Overflow

NANO = 1_000_000_000
MOST = 1_000_000_000 * NANO  # a billion dollars; a sum of several of these still fits into 64 bits


def nano_dollars(amount: Decimal | str | int) -> int:
    """An amount in USD as whole nano-dollars. Raises ValueError for what is none, or finer than that."""
    try:
        value = Decimal(amount) * NANO
    except (InvalidOperation, Overflow):
        raise ValueError(f"{amount!r} is no amount; use dollars, such as 2.50") from None
    if not value.is_finite() or value < 0 or value > MOST or value != value.to_integral_value():
        raise ValueError(f"{amount} is no amount in USD from 0 to {MOST // NANO} with 9 decimals at most")
    return int(value)


def dollars(nano: int) -> str:
    """Nano-dollars as a decimal string of USD, without zeros that say nothing: ``"2.5"``."""
    text = f"{Decimal(nano).scaleb(-9):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
