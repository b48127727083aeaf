"""When to look again, and when to try again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshapi_server.tasks.schedule import (
    LONGEST_POLL,
    LONGEST_RETRY,
    SOONEST_POLL,
    poll_delay,
    retry_delay,
)

SECONDS = st.floats(min_value=0.1, max_value=3600)


def test_the_first_look_comes_when_the_first_runs_of_the_model_may_end() -> None:
    assert poll_delay(0, 50.0) == 20_000


def test_around_the_usual_end_every_twentieth_of_the_usual_duration_is_looked_at() -> None:
    assert poll_delay(50_000, 100.0) == 5_000


def test_a_run_that_takes_long_is_looked_at_ever_more_slowly() -> None:
    assert poll_delay(120_000, 60.0) < poll_delay(240_000, 60.0)


def test_a_model_of_which_nothing_is_known_counts_as_taking_a_minute() -> None:
    assert poll_delay(30_000, None) == poll_delay(30_000, 60.0)


def test_an_upstream_that_announces_changes_is_looked_at_more_rarely() -> None:
    assert poll_delay(60_000, 60.0, calls_back=True) > poll_delay(60_000, 60.0)


@pytest.mark.parametrize(("wish", "milliseconds"), [(0.0, 0), (0.25, 250), (7.0, 7_000), (-1.0, 0)])
def test_the_upstreams_own_wish_wins(wish: float, milliseconds: int) -> None:
    assert poll_delay(5_000, 60.0, wish) == milliseconds


@given(st.integers(0, 10**9), SECONDS, st.booleans())
def test_a_look_is_never_too_soon_and_never_too_late(elapsed: int, usual: float, calls_back: bool) -> None:
    assert SOONEST_POLL <= poll_delay(elapsed, usual, calls_back=calls_back) <= LONGEST_POLL


@given(SECONDS)
def test_a_run_of_usual_length_is_seen_to_end_within_a_twentieth_of_it_or_the_soonest_look(
    usual: float,
) -> None:
    elapsed = 0
    while elapsed < usual * 1000:
        elapsed += poll_delay(elapsed, usual)
    assert elapsed - usual * 1000 <= max(SOONEST_POLL, min(LONGEST_POLL, usual * 50)) + 1


def test_retries_back_off_to_a_minute() -> None:
    delays = [retry_delay(attempt) for attempt in range(12)]
    assert delays[:4] == [500, 1_000, 2_000, 4_000]
    assert delays[-1] == LONGEST_RETRY
    assert delays == sorted(delays)


@given(st.integers(-5, 50), SECONDS)
def test_a_retry_is_never_earlier_than_the_upstream_asked_for(attempt: int, seconds: float) -> None:
    assert retry_delay(attempt, seconds) >= round(seconds * 1000)
