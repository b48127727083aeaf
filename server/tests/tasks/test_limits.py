"""What a pool lets through: never more than its limits, and all of it once it may."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from meshapi_server.tasks.limits import UNLIMITED, PoolState, Rate, gcra, passed, room

from ..samples import NOW

DAY = 86_400.0  # s
RATES = st.builds(
    Rate, count=st.integers(1, 500), seconds=st.one_of(st.just(1.0), st.just(60.0), st.floats(0.5, DAY))
)
# How long a caller waits before it comes again, as a share of the rate's window, and how much it wants.
VISITS = st.lists(
    st.tuples(st.one_of(st.just(0.0), st.just(1.0), st.floats(0, 1.2)), st.integers(1, 600)),
    min_size=1,
    max_size=60,
)


def pool(rate: Rate | None = None, **fields: int) -> PoolState:
    """A pool's row, as the store makes it of its settings."""
    interval, burst = gcra(rate)
    return replace(PoolState(name="p", capacity=UNLIMITED, interval=interval, burst=burst), **fields)


def calls(rate: Rate, visits: list[tuple[float, int]]) -> list[int]:
    """The times (ms) of the calls that a pool lets through when somebody wants so many so often."""
    state, now, through = pool(rate), NOW, []
    for share, wanted in visits:
        now += round(share * rate.seconds * 1000)
        granted = min(wanted, room(state, now))
        state = passed(state, granted, now)
        through += [now] * granted
    return through


@given(RATES, VISITS)
def test_no_window_of_a_rate_ever_sees_more_than_its_count(
    rate: Rate, visits: list[tuple[float, int]]
) -> None:
    times = calls(rate, visits)
    for first, beyond in zip(times, times[rate.count :], strict=False):
        assert beyond - first >= rate.seconds * 1000


@given(RATES)
def test_whoever_comes_as_soon_as_there_is_room_never_exceeds_the_rate(rate: Rate) -> None:
    state, now, times = pool(rate), NOW, []
    for _ in range(200):
        while room(state, now) == 0:
            # The earliest moment at which the pool says that there may be room, to the millisecond.
            now = max(now + 1, int(state.full_at - (state.burst - 1) * state.interval))
        state = passed(state, 1, now)
        times.append(now)
    for first, beyond in zip(times, times[rate.count :], strict=False):
        assert beyond - first >= rate.seconds * 1000


@given(RATES, st.integers(0, 10**9))
def test_a_pool_that_rested_for_its_window_lets_a_whole_burst_through(rate: Rate, rest: int) -> None:
    state = pool(rate)
    spent = passed(state, room(state, NOW), NOW)
    later = NOW + round(rate.seconds * 1000) + 1 + rest
    assert room(state, NOW) == state.burst
    assert room(spent, NOW) == 0
    assert room(spent, later) == state.burst


@given(RATES)
def test_a_spent_pool_lets_the_next_call_through_to_the_millisecond(rate: Rate) -> None:
    spent = passed(pool(rate), pool(rate).burst, NOW)
    ready = math.ceil(spent.full_at - (spent.burst - 1) * spent.interval)
    assert room(spent, ready - 1) == 0
    assert room(spent, ready) >= 1


@given(RATES)
def test_no_call_of_a_rate_is_lost_in_the_long_run(rate: Rate) -> None:
    interval, burst = gcra(rate)
    promised = rate.seconds * 1000 / max(1, rate.count - (burst if rate.count > 1 else 0))
    assert promised <= interval <= promised + 0.001


@given(RATES, st.integers(0, 100), st.integers(1, 10**9))
def test_a_paused_pool_lets_nothing_through_and_afterwards_as_much_as_before(
    rate: Rate, used: int, pause: int
) -> None:
    free = pool(rate, capacity=100, used=used)
    paused = replace(free, paused_until=NOW + pause)
    assert room(paused, NOW + pause - 1) == 0
    assert room(paused, NOW + pause) == room(free, NOW + pause)


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_a_pool_lets_as_many_tasks_in_as_it_has_free_slots(capacity: int, used: int) -> None:
    assert room(pool(capacity=capacity, used=used), NOW) == max(0, capacity - used)


@given(RATES, st.integers(0, 20))
def test_both_limits_hold_the_slots_and_the_rate(rate: Rate, capacity: int) -> None:
    state = pool(rate, capacity=capacity)
    assert room(state, NOW) == min(capacity, state.burst)


def test_a_pool_without_a_rate_counts_no_calls() -> None:
    state = pool(capacity=5)
    assert passed(state, 5, NOW) is state


@pytest.mark.parametrize(("count", "seconds"), [(0, 1.0), (-1, 1.0), (1, 0.0), (1, -1.0)])
def test_a_rate_that_allows_nothing_is_refused_with_its_numbers(count: int, seconds: float) -> None:
    with pytest.raises(ValueError, match=f"not {count} in {seconds} s"):
        Rate(count=count, seconds=seconds)
