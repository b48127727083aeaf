"""The state table: every pair of state and event, legal or refused."""

import itertools

import pytest

from meshapi_server.tasks.states import (
    CLAIMS,
    SLOT_STATES,
    TERMINAL_STATUSES,
    TRANSITIONS,
    Event,
    State,
    Status,
    next_state,
)

# Written out a second time on purpose: a change of the table has to be meant twice.
LEGAL = {
    "queued": {
        "claim_render": "rendering",
        "claim_submit": "sending",
        "rerouted": "queued",
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
    "sending": {
        "accepted": "polling",
        "deferred": "queued",
        "rerouted": "queued",
        "failed": "done",
        "lease_lost": "unknown",
    },
    "unknown": {
        "claim_reconcile": "unknown",
        "progressed": "unknown",
        "lease_lost": "unknown",
        "released": "unknown",
        "accepted": "polling",
        "failed": "done",
        "cancelled": "unknown",
        "expired": "unknown",
    },
    "polling": {
        "claim_poll": "polling",
        "progressed": "polling",
        "ready": "fetching",
        "failed": "done",
        "lease_lost": "polling",
        "released": "polling",
        "cancelled": "cancelling",
        "expired": "cancelling",
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
    "cancelling": {
        "claim_cancel": "cancelling",
        "lease_lost": "cancelling",
        "released": "cancelling",
        "let_go": "done",
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


def test_a_claim_begins_in_the_state_that_the_list_of_claims_says_and_nowhere_else() -> None:
    claims = {event: {state for state in State if next_state(state, event)} for event in CLAIMS}
    assert claims == {event: {state} for event, state in CLAIMS.items()}


def test_nothing_but_a_claim_takes_a_task_out_of_the_queue_alive() -> None:
    ways = {event for event in Event if next_state(State.QUEUED, event) not in {None, State.DONE}}
    assert ways == {Event.CLAIM_RENDER, Event.CLAIM_SUBMIT, Event.REROUTED}


def test_only_telling_the_upstream_or_giving_up_lets_a_task_go_that_is_being_stopped() -> None:
    assert [event for event in Event if next_state(State.CANCELLING, event) is State.DONE] == [Event.LET_GO]


def test_two_statuses_are_terminal() -> None:
    assert {Status.SUCCEEDED, Status.FAILED} == TERMINAL_STATUSES
