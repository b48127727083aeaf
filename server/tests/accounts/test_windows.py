"""Windows that slide: no stretch of their length sees more calls than the limit."""

from hypothesis import given
from hypothesis import strategies as st

from meshapi_server.accounts.windows import Counts, Limit, Standing, count, decode, encode

from ..samples import NOW

MINUTE = Limit(name="minute", count=5, seconds=60)
DAY = Limit(name="day", count=8, seconds=24 * 3600)


class Caller:
    """Calls at given times, and knows which calls were let through."""

    def __init__(self, *limits: Limit) -> None:
        self.limits = limits
        self.known: dict[int, Counts] = {}
        self.let_through: list[int] = []
        self.retry_at: int | None = None
        self.standings: tuple[Standing, ...] = ()

    def call(self, now: int) -> bool:
        verdict, self.known = count(self.limits, self.known, now)
        self.retry_at, self.standings = verdict.retry_at, verdict.standings
        if verdict.retry_at is None:
            self.let_through.append(now)
        return verdict.retry_at is None


def test_the_whole_limit_may_be_used_at_once_and_not_one_call_more() -> None:
    caller = Caller(MINUTE)
    assert [caller.call(NOW) for _ in range(7)] == [True] * 5 + [False] * 2


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=120), st.integers(1, 7))
def test_no_minute_ever_sees_more_than_the_limit(pauses: list[int], most: int) -> None:
    caller, now = Caller(Limit(name="minute", count=most, seconds=60)), NOW
    for pause in pauses:
        now += pause
        caller.call(now)
    for first in caller.let_through:
        assert sum(first <= each < first + 60_000 for each in caller.let_through) <= most


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=80), st.integers(1, 7))
def test_whoever_comes_back_when_told_to_is_let_through_and_not_a_step_earlier_was_full(
    pauses: list[int], most: int
) -> None:
    caller, now = Caller(Limit(name="minute", count=most, seconds=60)), NOW
    for pause in pauses:
        now += pause
        if not caller.call(now):
            assert caller.retry_at is not None
            assert now < caller.retry_at <= now + 60_500
            assert not caller.call(caller.retry_at - 1)
            now = caller.retry_at
            assert caller.call(now)


@given(st.lists(st.integers(0, 3_600_000), min_size=1, max_size=60))
def test_a_call_counts_for_no_longer_than_its_window_and_one_step_more(pauses: list[int]) -> None:
    caller, now = Caller(MINUTE), NOW
    for pause in pauses:
        now += pause
        recent = sum(now - each < 60_500 for each in caller.let_through)
        let_through = caller.call(now)
        assert let_through or recent >= MINUTE.count


def test_a_call_that_one_limit_refuses_counts_in_none() -> None:
    caller = Caller(MINUTE, DAY)
    for _ in range(7):
        caller.call(NOW)
    assert caller.known[MINUTE.seconds][-1][1] == caller.known[DAY.seconds][-1][1] == 5
    later = NOW + 61_000
    assert [caller.call(later) for _ in range(5)] == [True] * 3 + [False] * 2
    assert caller.retry_at is not None
    assert caller.retry_at > NOW + 23 * 3_600_000


def test_what_is_left_counts_down_and_comes_back() -> None:
    caller = Caller(MINUTE)
    left = []
    for _ in range(6):
        caller.call(NOW)
        left.append(caller.standings[0].remaining)
    assert left == [4, 3, 2, 1, 0, 0]
    assert 0 < caller.standings[0].resets_at - NOW <= 60_500
    caller.call(caller.standings[0].resets_at)
    assert caller.standings[0].remaining == 4


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    caller = Caller(MINUTE)
    assert [caller.call(NOW - 400 * step) for step in range(7)] == [True] * 5 + [False] * 2


@given(st.lists(st.integers(0, 700), max_size=300))
def test_what_is_kept_stays_small_and_is_read_back_as_it_was(pauses: list[int]) -> None:
    caller, now = Caller(Limit(name="minute", count=1000, seconds=60)), NOW
    for pause in pauses:
        now += pause
        caller.call(now)
    counts = caller.known.get(60, ())
    assert decode(encode(counts)) == counts
    assert len(encode(counts)) < 2500
