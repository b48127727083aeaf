"""When to look again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshapi_server.tasks.schedule import (
    FIRST_POLL,
    LONGEST_POLL,
    LONGEST_RETRY,
    poll_delay,
    retry_delay,
)


def test_the_first_poll_comes_after_a_second_and_later_ones_grow_to_the_longest() -> None:
    delays = [poll_delay(polls) for polls in range(40)]
    assert delays[0] == FIRST_POLL
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_POLL


@pytest.mark.parametrize(("wish", "delay"), [(0.0, 0), (0.25, 250), (90.0, 90_000), (-1.0, 0)])
def test_the_upstreams_own_wish_wins(wish: float, delay: int) -> None:
    assert poll_delay(7, wish) == delay


def test_retries_double_up_to_a_minute() -> None:
    assert [retry_delay(attempt) for attempt in (0, 1, 2, 3)] == [500, 1000, 2000, 4000]
    assert retry_delay(1000) == LONGEST_RETRY


@given(attempt=st.integers(0, 10_000), wish=st.floats(0, 86_400))
def test_a_retry_is_never_earlier_than_it_was_asked_to_be(attempt: int, wish: float) -> None:
    assert retry_delay(attempt, wish) >= round(wish * 1000)
