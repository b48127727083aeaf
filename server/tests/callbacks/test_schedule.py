"""When a delivery that failed is tried again."""

from hypothesis import given
from hypothesis import strategies as some

from meshapi_server.callbacks.schedule import RETRIES_AFTER, retry_delay


def test_the_pauses_are_those_of_the_wire() -> None:
    pauses = [retry_delay(tries, 0.5) for tries in range(1, 9)]
    assert pauses == [5_000, 30_000, 120_000, 600_000, 3_600_000, 21_600_000, 86_400_000, None]


@given(some.integers(1, len(RETRIES_AFTER)), some.floats(0, 1))
def test_jitter_stays_within_a_tenth(tries: int, chance: float) -> None:
    delay, pause = retry_delay(tries, chance), RETRIES_AFTER[tries - 1] * 1000
    assert delay is not None
    assert 0.9 * pause - 1 <= delay <= 1.1 * pause + 1
