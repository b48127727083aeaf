"""Who may move a task where: one table, and nothing else in the server decides it.

A task has a public *status* (wire.md section 4: pending, running, succeeded, failed) and an internal
*state*, which says what has to happen next. Every change of state is an event looked up in
``TRANSITIONS``; an event that the table does not have for the state is refused, which is what makes a
stale worker, a second cancel or a late answer harmless. This file holds the table and nothing that
does I/O; ``contract/states.json`` publishes the statuses and ``ARCHITECTURE.md`` shows the table.
"""

from enum import StrEnum


class Status(StrEnum):
    """What the caller sees."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


TERMINAL_STATUSES = frozenset({Status.SUCCEEDED, Status.FAILED})


class State(StrEnum):
    """What has to happen next."""

    QUEUED = "queued"  # accepted, waiting for a slot
    RENDERING = "rendering"  # a worker of ours is making the video itself (local models)
    SENDING = "sending"  # the upstream is being asked, once; the intent is committed
    UNKNOWN = "unknown"  # the lease was lost while asking: it may or may not have been accepted
    POLLING = "polling"  # the upstream has it; look again when due
    FETCHING = "fetching"  # the upstream is done; its result is being copied
    CANCELLING = "cancelling"  # ended for the caller; the upstream has yet to be told to stop
    DONE = "done"  # ended; the schedule row is gone


class Event(StrEnum):
    """What happened."""

    CLAIM_RENDER = "claim_render"
    CLAIM_SUBMIT = "claim_submit"
    CLAIM_POLL = "claim_poll"
    CLAIM_FETCH = "claim_fetch"
    CLAIM_RECONCILE = "claim_reconcile"
    CLAIM_CANCEL = "claim_cancel"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REROUTED = "rerouted"
    PROGRESSED = "progressed"
    READY = "ready"
    STORED = "stored"
    FAILED = "failed"
    LEASE_LOST = "lease_lost"
    RELEASED = "released"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    LET_GO = "let_go"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.QUEUED, Event.CLAIM_RENDER): State.RENDERING,
    (State.QUEUED, Event.CLAIM_SUBMIT): State.SENDING,
    (State.QUEUED, Event.REROUTED): State.QUEUED,
    (State.QUEUED, Event.FAILED): State.DONE,
    (State.QUEUED, Event.CANCELLED): State.DONE,
    (State.QUEUED, Event.EXPIRED): State.DONE,
    (State.RENDERING, Event.PROGRESSED): State.RENDERING,
    (State.RENDERING, Event.STORED): State.DONE,
    (State.RENDERING, Event.FAILED): State.DONE,
    # Rendering here costs nothing and gives the same bytes, so a lost lease may simply start again.
    (State.RENDERING, Event.LEASE_LOST): State.QUEUED,
    (State.RENDERING, Event.RELEASED): State.QUEUED,
    (State.RENDERING, Event.CANCELLED): State.DONE,
    (State.RENDERING, Event.EXPIRED): State.DONE,
    (State.SENDING, Event.ACCEPTED): State.POLLING,
    # Only a refusal that is certain to be unbilled comes back as DEFERRED (later) or REROUTED (elsewhere).
    (State.SENDING, Event.DEFERRED): State.QUEUED,
    (State.SENDING, Event.REROUTED): State.QUEUED,
    (State.SENDING, Event.FAILED): State.DONE,
    # Never back to QUEUED: the upstream may have accepted, and is never asked twice.
    (State.SENDING, Event.LEASE_LOST): State.UNKNOWN,
    (State.UNKNOWN, Event.CLAIM_RECONCILE): State.UNKNOWN,
    (State.UNKNOWN, Event.PROGRESSED): State.UNKNOWN,
    (State.UNKNOWN, Event.LEASE_LOST): State.UNKNOWN,
    (State.UNKNOWN, Event.RELEASED): State.UNKNOWN,
    (State.UNKNOWN, Event.ACCEPTED): State.POLLING,
    (State.UNKNOWN, Event.FAILED): State.DONE,
    # The caller's task ends; what the upstream may have accepted is still looked for, so as to stop it.
    (State.UNKNOWN, Event.CANCELLED): State.UNKNOWN,
    (State.UNKNOWN, Event.EXPIRED): State.UNKNOWN,
    (State.POLLING, Event.CLAIM_POLL): State.POLLING,
    (State.POLLING, Event.PROGRESSED): State.POLLING,
    (State.POLLING, Event.READY): State.FETCHING,
    (State.POLLING, Event.FAILED): State.DONE,
    (State.POLLING, Event.LEASE_LOST): State.POLLING,
    (State.POLLING, Event.RELEASED): State.POLLING,
    (State.POLLING, Event.CANCELLED): State.CANCELLING,
    (State.POLLING, Event.EXPIRED): State.CANCELLING,
    (State.FETCHING, Event.CLAIM_FETCH): State.FETCHING,
    (State.FETCHING, Event.PROGRESSED): State.FETCHING,
    (State.FETCHING, Event.STORED): State.DONE,
    (State.FETCHING, Event.FAILED): State.DONE,
    (State.FETCHING, Event.LEASE_LOST): State.FETCHING,
    (State.FETCHING, Event.RELEASED): State.FETCHING,
    (State.FETCHING, Event.CANCELLED): State.DONE,
    (State.FETCHING, Event.EXPIRED): State.DONE,
    (State.CANCELLING, Event.CLAIM_CANCEL): State.CANCELLING,
    (State.CANCELLING, Event.LEASE_LOST): State.CANCELLING,
    (State.CANCELLING, Event.RELEASED): State.CANCELLING,
    (State.CANCELLING, Event.LET_GO): State.DONE,
}

# States in which the task occupies one of its upstream's slots, also while it sleeps upstream.
SLOT_STATES = frozenset(
    {State.RENDERING, State.SENDING, State.UNKNOWN, State.POLLING, State.FETCHING, State.CANCELLING}
)

# What a claim begins with, and which event claims it.
CLAIMS: dict[Event, State] = {
    Event.CLAIM_RENDER: State.QUEUED,
    Event.CLAIM_SUBMIT: State.QUEUED,
    Event.CLAIM_POLL: State.POLLING,
    Event.CLAIM_FETCH: State.FETCHING,
    Event.CLAIM_RECONCILE: State.UNKNOWN,
    Event.CLAIM_CANCEL: State.CANCELLING,
}


def next_state(state: State, event: Event) -> State | None:
    """The state that ``event`` leads to, or None when the table does not allow it."""
    return TRANSITIONS.get((state, event))
