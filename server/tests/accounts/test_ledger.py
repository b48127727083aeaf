"""The ledger as arithmetic: where a task's money is, and how it gets there."""

from collections import Counter
from typing import Any

import pytest

from meshapi_server.accounts.ledger import DAY, EVER, Changes, Line, Position, lines, position
from meshapi_server.tasks.price import Tariff
from meshapi_server.tasks.states import Status
from meshapi_server.tasks.task import Facts, Outcome, Route, Task, TaskError

from .. import samples
from ..samples import NOW

CHEAP, DEAR, UNKNOWN, FREE = Tariff(most=100), Tariff(most=250), None, Tariff(most=0)


def route(tariff: Tariff | None, name: str = "a") -> Route:
    return Route(upstream=name, model=f"{name}/x", upstream_model="x", tariff=tariff)


def task(*routes: Route, **fields: Any) -> Task:
    first = routes[0]
    values = {"upstream": first.upstream, "model": first.model, "key_id": "key_1", **fields}
    return samples.task(routes=routes, **values)


def ended(task: Task, *, cost: str | None, charged: str | None = None) -> Task:
    """The task after its end; ``charged`` None is a success."""
    error = None if charged is None else TaskError(code="upstream_error", message="x", charged=charged)  # type: ignore[arg-type]
    changes = {"outcome": Outcome(facts=Facts(cost_usd=cost), error=error), "completed_at": NOW}
    fields = {name: getattr(task, name) for name in task.__struct_fields__}
    return Task(**{**fields, "status": Status.FAILED if error else Status.SUCCEEDED, **changes})


def at(task: Task, *, accepted: bool = True) -> Position:
    found = position(task, samples.schedule(accepted_at=NOW if accepted else None))
    assert found is not None
    return found


def told(found: list[Line]) -> list[tuple[str, str, str, int]]:
    return [(line.kind, line.source, line.target, line.amount) for line in found]


def test_a_task_that_is_certain_to_cost_nothing_has_no_place_in_the_ledger() -> None:
    assert position(task(route(FREE)), samples.schedule()) is None
    assert position(samples.task(), samples.schedule()) is None


def test_an_accepted_task_holds_the_dearest_of_its_routes_until_one_has_taken_it() -> None:
    routed = task(route(CHEAP, "a"), route(DEAR, "b"))
    waiting, taken = at(routed, accepted=False), at(routed)
    assert (waiting.held, taken.held) == (250, 100)
    assert told(lines(None, waiting)) == [("hold", "key", "held", 250)]
    assert told(lines(waiting, taken)) == [("release", "held", "key", 150)]


def test_a_task_that_another_model_serves_takes_its_hold_along() -> None:
    routes = (route(CHEAP, "a"), route(DEAR, "b"))
    here = at(task(*routes), accepted=False)
    there = at(task(*routes, upstream="b", model="b/x"), accepted=False)
    moved = lines(here, there)
    assert told(moved) == [("release", "held", "key", 250), ("hold", "key", "held", 250)]
    assert [line.bucket.model for line in moved] == ["a/x", "b/x"]


@pytest.mark.parametrize(
    ("cost", "charged", "expected"),
    [
        ("0.0000001", None, [("settle", "held", "spent", 100)]),
        ("0.00000004", None, [("settle", "held", "spent", 40), ("release", "held", "key", 60)]),
        ("0.00000013", None, [("settle", "held", "spent", 100), ("settle", "key", "spent", 30)]),
        ("0.0000001", "yes", [("settle", "held", "spent", 100)]),
        ("0", "no", [("release", "held", "key", 100)]),
        (None, "unknown", [("doubt", "held", "unknown", 100)]),
    ],
)
def test_the_end_settles_what_it_cost_releases_the_rest_and_keeps_a_doubt(
    cost: str | None, charged: str | None, expected: list[tuple[str, str, str, int]]
) -> None:
    begun = task(route(CHEAP))
    assert told(lines(at(begun), at(ended(begun, cost=cost, charged=charged)))) == expected


def test_a_task_of_unknown_price_holds_nothing_and_ends_in_doubt_unless_its_cost_was_told() -> None:
    begun = task(route(UNKNOWN))
    assert lines(None, at(begun)) == []
    silent, telling = at(ended(begun, cost=None)), at(ended(begun, cost="0.5"))
    assert (silent.unknown, silent.doubtful) == (0, 1)
    assert told(lines(at(begun), silent)) == [("doubt", "held", "unknown", 0)]
    assert told(lines(at(begun), telling)) == [("settle", "key", "spent", 500_000_000)]


def test_the_sums_change_by_what_the_lines_say_and_each_shared_row_is_written_once() -> None:
    one, two = task(route(CHEAP)), task(route(DEAR))
    changes = Changes()
    changes.add(None, at(one))
    changes.add(None, at(two))
    changes.add(at(one), at(ended(one, cost="0.00000004")))
    (bucket,) = changes.by_bucket
    sums = changes.by_bucket[bucket]
    assert (sums.tasks, sums.held, sums.spent, sums.unknown, sums.doubtful) == (2, 250, 40, 0, 0)
    assert changes.by_key == {("key_1", EVER): (250, 40), ("key_1", NOW // DAY): (250, 40)}


def test_what_cancels_out_is_not_written() -> None:
    one = task(route(CHEAP))
    changes = Changes()
    changes.add(at(one), at(ended(one, cost="0", charged="no")))
    changes.add(at(ended(one, cost="0", charged="no")), at(one))
    assert (changes.by_bucket, changes.by_key) == ({}, {})


def test_a_task_that_no_key_made_is_summed_for_its_owner_only() -> None:
    changes = Changes()
    changes.add(None, at(task(route(CHEAP), key_id=None)))
    assert Counter(bucket.key_id for bucket in changes.by_bucket) == {"": 1}
    assert changes.by_key == {}
