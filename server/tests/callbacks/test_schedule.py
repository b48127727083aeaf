"""When a delivery that failed is tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from meshapi_server.callbacks.schedule import RETRIES_AFTER, retry_delay, wished_delay


def test_the_pauses_are_those_of_the_wire() -> None:
    pauses = [retry_delay(tries, 0.5) for tries in range(1, 9)]
    assert pauses == [5_000, 30_000, 120_000, 600_000, 3_600_000, 21_600_000, 86_400_000, None]


@given(some.integers(1, len(RETRIES_AFTER)), some.floats(0, 1))
def test_jitter_stays_within_a_tenth(tries: int, chance: float) -> None:
    delay, pause = retry_delay(tries, chance), RETRIES_AFTER[tries - 1] * 1000
    assert delay is not None
    assert 0.9 * pause - 1 <= delay <= 1.1 * pause + 1


NOW = 1_784_000_000_000  # Tue, 14 Jul 2026 03:33:20 GMT


@pytest.mark.parametrize(
    ("header", "milliseconds"),
    [
        (None, 0),
        ("", 0),
        ("0", 0),
        ("90", 90_000),
        (" 90 ", 90_000),
        ("999999999999", 86_400_000),
        ("-5", 0),
        ("1.5", 0),
        ("\u0664", 0),
        ("soon", 0),
        ("Tue, 14 Jul 2026 03:34:20 GMT", 60_000),
        ("Tuesday, 14-Jul-26 03:34:20 GMT", 60_000),
        ("Tue, 14 Jul 2026 03:00:00 GMT", 0),
        ("Tue, 14 Jul 2036 03:00:00 GMT", 86_400_000),
        ("Tue, 99 Jul 2026 03:34:20 GMT", 0),
    ],
)
def test_a_receivers_wish_is_seconds_or_a_date_and_bounded(header: str | None, milliseconds: int) -> None:
    assert wished_delay(header, NOW) == milliseconds


@given(some.text(max_size=64))
def test_no_wish_breaks_anything(header: str) -> None:
    assert 0 <= wished_delay(header, NOW) <= 86_400_000
