"""How a worker's places are shared among its upstreams."""

from hypothesis import given
from hypothesis import strategies as st

from meshapi_server.tasks.places import Places
from meshapi_server.tasks.states import Event

DUTY = Event.CLAIM_POLL


def full(upstreams: list[str], most: int) -> tuple[Places, dict[str, int]]:
    """The places when each upstream in turn took all that it got, again and again, and gave nothing back."""
    places, taken = Places(), dict.fromkeys(upstreams, 0)
    for greedy in upstreams:
        for _ in range(most):
            admitted, count = places.offer(DUTY, upstreams, most)
            if greedy in admitted:
                places.take(DUTY, greedy, count)
                taken[greedy] += count
    return places, taken


def test_a_single_upstream_gets_all_places() -> None:
    places = Places()
    assert places.offer(DUTY, ["only"], 16) == (("only",), 16)
    places.take(DUTY, "only", 16)
    assert places.offer(DUTY, ["only"], 16) == (("only",), 0)


@given(st.integers(2, 500))
def test_no_upstream_gets_more_than_half_of_the_places_and_the_next_half_of_the_rest(most: int) -> None:
    _, taken = full(["first", "second", "third"], most)
    assert taken["first"] == (most + 1) // 2
    assert taken["second"] == (most - taken["first"] + 1) // 2
    assert sum(taken.values()) <= most


@given(st.lists(st.integers(1, 20), min_size=2, max_size=8), st.integers(1, 100))
def test_more_is_never_offered_than_is_free(wishes: list[int], most: int) -> None:
    places, used = Places(), 0
    upstreams = [str(number) for number in range(len(wishes))]
    for name, wish in zip(upstreams, wishes, strict=True):
        admitted, count = places.offer(DUTY, upstreams, most)
        assert 0 <= count <= most - used
        granted = min(wish, count) if name in admitted else 0
        places.take(DUTY, name, granted)
        used += granted


@given(st.integers(1, 100))
def test_places_that_are_given_back_are_offered_again(most: int) -> None:
    places, taken = full(["first", "second"], most)
    for name, count in taken.items():
        places.take(DUTY, name, -count)
    assert places.offer(DUTY, ["first", "second"], most) == (("first", "second"), (most + 1) // 2)


def test_the_places_of_one_duty_are_not_those_of_another() -> None:
    places = Places()
    places.take(DUTY, "only", 16)
    assert places.offer(Event.CLAIM_FETCH, ["only"], 16) == (("only",), 16)
