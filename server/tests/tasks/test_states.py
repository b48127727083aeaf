"""The state table: every pair of state and event, legal or refused."""

import itertools

import pytest

from meshapi_server.tasks.states import (
    SLOT_STATES,
    TERMINAL_STATUSES,
    TRANSITIONS,
    Event,
    State,
    Status,
    next_state,
    slot_change,
)

# Written out a second time on purpose: a change of the table has to be meant twice.
LEGAL = {
    "queued": {
        "claim_render": "rendering",
        "claim_submit": "sending",
        "failed": "done",
        "cancelled": "done",
        "expired": "done",
    },
    "rendering": {
        "progressed": "rendering",
        "stored": "done",
        "failed": "done",
        "lease_lost": "queued",
        "released": "queued",
        "cancelled": "done",
        "expired": "done",
    },
    "sending": {"accepted": "polling", "deferred": "queued", "failed": "done", "lease_lost": "unknown"},
    "unknown": {"accepted": "polling", "failed": "done", "cancelled": "done", "expired": "done"},
    "polling": {
        "claim_poll": "polling",
        "progressed": "polling",
        "ready": "fetching",
        "failed": "done",
        "lease_lost": "polling",
        "released": "polling",
        "cancelled": "done",
        "expired": "done",
    },
    "fetching": {
        "claim_fetch": "fetching",
        "progressed": "fetching",
        "stored": "done",
        "failed": "done",
        "lease_lost": "fetching",
        "released": "fetching",
        "cancelled": "done",
        "expired": "done",
    },
    "done": {},
}
PAIRS = list(itertools.product(State, Event))


@pytest.mark.parametrize(("state", "event"), PAIRS, ids=[f"{state}-{event}" for state, event in PAIRS])
def test_a_pair_leads_where_the_list_says_and_nowhere_when_it_is_not_listed(
    state: State, event: Event
) -> None:
    wanted = LEGAL[str(state)].get(str(event))
    assert next_state(state, event) == wanted


def test_the_list_and_the_table_have_the_same_number_of_moves() -> None:
    assert len(TRANSITIONS) == sum(len(moves) for moves in LEGAL.values())


def test_nothing_leaves_the_end() -> None:
    assert not [pair for pair in TRANSITIONS if pair[0] is State.DONE]


def test_a_task_that_may_have_reached_the_upstream_never_goes_back_to_the_queue_by_a_lost_lease() -> None:
    assert next_state(State.SENDING, Event.LEASE_LOST) is State.UNKNOWN
    assert not [event for event in Event if next_state(State.UNKNOWN, event) in {State.QUEUED, State.SENDING}]


def test_every_state_in_flight_can_reach_the_end() -> None:
    for state in set(State) - {State.DONE}:
        assert State.DONE in {next_state(state, event) for event in Event}


def test_only_the_states_that_occupy_the_upstream_hold_a_slot() -> None:
    assert set(State) - SLOT_STATES == {State.QUEUED, State.DONE}


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (State.QUEUED, State.RENDERING, 1),
        (State.QUEUED, State.SENDING, 1),
        (State.SENDING, State.UNKNOWN, 0),
        (State.SENDING, State.QUEUED, -1),
        (State.POLLING, State.FETCHING, 0),
        (State.FETCHING, State.DONE, -1),
        (State.QUEUED, State.DONE, 0),
    ],
)
def test_a_slot_is_taken_once_and_given_back_once(before: State, after: State, change: int) -> None:
    assert slot_change(before, after) == change


def test_two_statuses_are_terminal() -> None:
    assert {Status.SUCCEEDED, Status.FAILED} == TERMINAL_STATUSES
