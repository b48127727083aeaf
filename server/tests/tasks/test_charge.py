"""What an end costs: over every way in which a task can end."""

from decimal import Decimal
from typing import Any

import pytest

from meshapi_server.tasks.charge import judged
from meshapi_server.tasks.life import UNKNOWN_SUBMISSION, Step, advance
from meshapi_server.tasks.price import FREE, Price, PriceItem, Tariff, dollars, nano
from meshapi_server.tasks.states import TRANSITIONS, Event, State
from meshapi_server.tasks.task import Charged, Facts, Outcome, Route, StoredFile, Task, TaskError

from .. import samples
from ..samples import NOW

PRICED = Tariff(most=70_000_000)
VIDEO = StoredFile(name="video.mp4", media_type="video/mp4", size=10, sha256="ab" * 32)
FAILURES = sorted(
    (state, event)
    for state, event in TRANSITIONS
    if event in {Event.FAILED, Event.CANCELLED, Event.EXPIRED} and state is not State.CANCELLING
)


def end(
    state: State,
    event: Event,
    *,
    tariff: Tariff | None = PRICED,
    charged: Charged | None = None,
    error: TaskError | None = None,
    **facts: Any,
) -> Task:
    """A priced task after it ended so."""
    route = Route(upstream="first", model="maker/a", upstream_model="a", tariff=tariff)
    task = samples.task(routes=(route,), upstream="first", model="maker/a")
    waits = NOW + 60_000 if state is State.UNKNOWN else None
    held = samples.schedule(upstream="first", state=state, give_up_at=waits)
    outcome = None
    if event is Event.FAILED:
        failed = error or TaskError(code="upstream_error", message="no", charged=charged)
        outcome = Outcome(facts=Facts(**facts), error=failed)
    elif event is Event.STORED:
        outcome = Outcome(facts=Facts(**facts), video=VIDEO)
    moved = advance(task, held, Step(event=event, outcome=outcome), NOW)
    assert moved is not None
    assert moved.task.ended
    return moved.task


@pytest.mark.parametrize(("state", "event"), FAILURES)
def test_every_failed_task_says_whether_it_was_charged_and_its_cost_agrees(
    state: State, event: Event
) -> None:
    task = end(state, event)
    assert task.outcome.error is not None
    assert task.outcome.error.charged == judged(state, event)
    cost = {"no": "0", "unknown": None, "yes": "0.07"}[task.outcome.error.charged]
    assert task.outcome.facts.cost_usd == cost


def test_only_what_no_upstream_has_accepted_is_certain_to_be_free() -> None:
    free = {(state, event) for state, event in FAILURES if judged(state, event) == "no"}
    accepted = {State.POLLING, State.FETCHING}
    assert not [each for each in free if each[0] in accepted]
    assert {state for state, _ in free} == {State.QUEUED, State.RENDERING, State.SENDING, State.UNKNOWN}
    assert (State.UNKNOWN, Event.CANCELLED) not in free
    assert judged(State.FETCHING, Event.CANCELLED) == "yes"


@pytest.mark.parametrize(("state", "event"), [pair for pair in FAILURES if pair[1] is Event.FAILED])
@pytest.mark.parametrize(("said", "cost"), [("yes", "0.07"), ("no", "0"), ("unknown", None)])
def test_what_the_upstream_says_of_a_failure_counts(
    state: State, event: Event, said: Charged, cost: str | None
) -> None:
    outcome = end(state, event, charged=said).outcome
    assert outcome.error is not None
    assert (outcome.error.charged, outcome.facts.cost_usd) == (said, cost)


@pytest.mark.parametrize(("state", "event"), FAILURES)
def test_what_costs_nothing_is_never_charged_whatever_is_said(state: State, event: Event) -> None:
    outcome = end(state, event, tariff=FREE.tariff, charged="unknown").outcome
    assert outcome.error is not None
    assert (outcome.error.charged, outcome.facts.cost_usd) == ("no", "0")


def test_a_submission_whose_answer_is_lost_is_of_unknown_charge() -> None:
    outcome = end(State.SENDING, Event.FAILED, error=UNKNOWN_SUBMISSION).outcome
    assert outcome.error is not None
    assert (outcome.error.charged, outcome.facts.cost_usd) == ("unknown", None)


@pytest.mark.parametrize(
    ("tariff", "facts", "cost"),
    [
        (Tariff(most=70_000_000), {}, "0.07"),
        (Tariff(most=70_000_000), {"cost_usd": "0.0500"}, "0.05"),
        (Tariff(most=70_000_000), {"cost_usd": "a lot"}, "0.07"),
        (Tariff(most=70_000_000), {"total_tokens": 5}, "0.07"),
        (Tariff(most=90_000_000, per_million_tokens=4_300_000_000), {"total_tokens": 10_001}, "0.0430043"),
        (Tariff(most=90_000_000, per_million_tokens=1, besides=7), {"total_tokens": 1}, "0.000000008"),
        (Tariff(most=90_000_000, per_million_tokens=4_300_000_000), {}, "0.09"),
        (Tariff(most=0), {}, "0"),
        (Tariff(most=0), {"cost_usd": "3"}, "0"),
        (None, {}, None),
        (None, {"cost_usd": "0.31"}, "0.31"),
    ],
)
def test_a_success_costs_what_the_upstream_says_or_its_tokens_or_the_quote(
    tariff: Tariff | None, facts: dict[str, Any], cost: str | None
) -> None:
    assert end(State.FETCHING, Event.STORED, tariff=tariff, **facts).outcome.facts.cost_usd == cost


def test_a_price_becomes_a_tariff_with_its_tokens_apart() -> None:
    tokens = PriceItem(
        item="video tokens",
        quantity=Decimal("0.02"),
        unit="million_tokens",
        unit_price_usd=Decimal("4.3"),
        cost_usd=Decimal("0.086"),
    )
    image = PriceItem(
        item="input images",
        quantity=Decimal(2),
        unit="image",
        unit_price_usd=Decimal("0.01"),
        cost_usd=Decimal("0.02"),
    )
    price = Price(cost_usd=Decimal("0.106"), items=(tokens, image))
    assert price.tariff == Tariff(most=106_000_000, per_million_tokens=4_300_000_000, besides=20_000_000)
    assert Price(cost_usd=None, reason="?").tariff is None


@pytest.mark.parametrize(
    ("nanos", "text"),
    [(0, "0"), (1, "0.000000001"), (10**9, "1"), (2_500_000_000, "2.5"), (-5 * 10**8, "-0.5")],
)
def test_nano_dollars_are_told_exactly(nanos: int, text: str) -> None:
    assert dollars(nanos) == text
    if nanos >= 0:
        assert nano(Decimal(text)) == nanos


@pytest.mark.parametrize("sum_", ["-1", "NaN", "Infinity", "1e20"])
def test_what_is_no_sum_of_money_is_refused(sum_: str) -> None:
    with pytest.raises(ValueError, match="no sum of dollars"):
        nano(Decimal(sum_))
