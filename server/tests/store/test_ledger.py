"""Money in the transaction that changes a task: budgets hold, the ledger adds up, free tasks have none."""

import asyncio
from typing import Any

import pytest

from meshapi_server.accounts.ledger import DAY, EVER
from meshapi_server.accounts.usage import UsageRow
from meshapi_server.store.accounting import Book, check
from meshapi_server.store.plan import Read
from meshapi_server.store.planned import PlannedStore
from meshapi_server.store.stored_money import StoredMoney
from meshapi_server.tasks.errors import OverBudget
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.ports import Idempotency, Query
from meshapi_server.tasks.price import UNLIMITED, Budget, Tariff
from meshapi_server.tasks.states import Event
from meshapi_server.tasks.task import Facts, Outcome, Route, Schedule, Task, TaskError

from .. import samples
from ..samples import NOW, OWNER, HandClock
from .conftest import Another, Sql, Take

TODAY = NOW // DAY
PRICE = 250_000_000  # nano-dollars
PAYS_FOR_3 = Budget(total=3 * PRICE + 1)
ACCOUNTS = """
select task_id, account, sum(amount) from (
  select task_id, source as account, -amount as amount from ledger
  union all select task_id, target, amount from ledger) as both_sides
group by task_id, account order by task_id, account"""


def priced(tariff: Tariff | None = Tariff(most=PRICE), **fields: Any) -> Task:  # noqa: B008 - never changed
    route = Route(upstream=samples.REMOTE, model="sandbox/fails", upstream_model="fails", tariff=tariff)
    return samples.task(routes=(route,), **{"key_id": "key_1", **fields})


async def create(
    store: PlannedStore, budget: Budget = UNLIMITED, key: Idempotency | None = None, **fields: Any
) -> Task:
    task = fields.pop("task", None) or priced(**fields)
    await store.create(task, samples.schedule_of(task), b"{}", key, budget=budget)
    return task


async def refused(store: PlannedStore, budget: Budget, **fields: Any) -> str:
    with pytest.raises(OverBudget) as refusal:
        await create(store, budget, **fields)
    return str(refusal.value)


async def end(store: PlannedStore, task: Task, *, cost: str | None = None, charged: Any = None) -> Task:
    """Run the task to its end: a success, or a failure that says whether it was charged."""
    facts = Facts(cost_usd=cost)
    steps = [Step(event=Event.CLAIM_SUBMIT, worker="w", lease_until=NOW + 30_000)]
    if charged is None:
        steps += [Step(event=Event.ACCEPTED, upstream_ref=f"up-{task.id}"), Step(event=Event.READY)]
        steps.append(Step(event=Event.STORED, outcome=Outcome(facts=facts)))
    else:
        error = TaskError(code="upstream_error", message="no", charged=charged)
        steps.append(Step(event=Event.FAILED, outcome=Outcome(facts=facts, error=error)))
    moved = None
    for step in steps:
        moved = await store.step(task.id, step, NOW + 5)
    assert moved is not None
    assert moved.ended
    return moved


async def balances(sql: Sql, task: Task) -> dict[str, int]:
    return {account: int(amount) for id_, account, amount in await sql(ACCOUNTS) if id_ == task.id}


async def spending(sql: Sql) -> dict[tuple[str, int], tuple[int, int]]:
    rows = await sql("select key_id, day, held, spent from spending order by key_id, day")
    return {(key_id, day): (held, spent) for key_id, day, held, spent in rows}


async def test_a_create_holds_its_price_and_its_end_settles_what_it_cost(
    store: PlannedStore, sql: Sql
) -> None:
    task = await create(store)
    assert await balances(sql, task) == {"key": -PRICE, "held": PRICE}
    assert await spending(sql) == {("key_1", EVER): (PRICE, 0), ("key_1", TODAY): (PRICE, 0)}
    ended = await end(store, task, cost="0.2")
    assert ended.outcome.facts.cost_usd == "0.2"
    assert await balances(sql, task) == {"key": -200_000_000, "held": 0, "spent": 200_000_000}
    assert await spending(sql) == {("key_1", EVER): (0, 200_000_000), ("key_1", TODAY): (0, 200_000_000)}


async def test_a_failure_that_was_not_charged_gives_everything_back(store: PlannedStore, sql: Sql) -> None:
    task = await create(store, Budget(total=PRICE))
    await refused(store, Budget(total=PRICE))
    await end(store, task, charged="no")
    assert await balances(sql, task) == {"key": 0, "held": 0}
    await create(store, Budget(total=PRICE))


async def test_a_doubt_stays_visible_and_counts_against_the_budget(store: PlannedStore, sql: Sql) -> None:
    task = await create(store)
    await end(store, task, charged="unknown")
    assert await balances(sql, task) == {"key": -PRICE, "held": 0, "unknown": PRICE}
    assert "0.25 USD used" in await refused(store, Budget(total=2 * PRICE - 1))
    (row,) = await StoredMoney(store).usage(OWNER, TODAY, TODAY)
    assert (row.tasks, row.held, row.spent, row.unknown, row.doubtful) == (1, 0, 0, PRICE, 1)


async def test_what_does_not_fit_into_the_budget_is_refused_and_nothing_of_it_is_stored(
    store: PlannedStore, sql: Sql
) -> None:
    for _ in range(3):
        await create(store, PAYS_FOR_3)
    words = await refused(store, PAYS_FOR_3, request_id="req_refused")
    assert "costs up to 0.25 USD" in words
    assert "0.75 USD of it held for tasks in flight" in words
    assert "0.000000001 USD left" in words
    assert await store.get_by_request(OWNER, "req_refused") is None
    assert (await store.page(OWNER, Query())).total == 3
    assert await spending(sql) == {("key_1", EVER): (3 * PRICE, 0), ("key_1", TODAY): (3 * PRICE, 0)}


async def test_a_refused_call_may_be_repeated_under_its_idempotency_key_once_it_fits(
    store: PlannedStore,
) -> None:
    key = samples.idempotency()
    first = await create(store, Budget(total=PRICE))
    await refused(store, Budget(total=PRICE), key=key)
    assert await store.replay(OWNER, key) is None
    await end(store, first, charged="no")
    task = await create(store, Budget(total=PRICE), key)
    again = await store.create(priced(), samples.schedule(), b"x", key, budget=Budget(total=PRICE))
    assert (again.task_id, again.replayed) == (task.id, True)


async def test_of_calls_at_once_under_one_key_that_do_not_fit_all_are_refused(store: PlannedStore) -> None:
    key = samples.idempotency()
    await create(store, Budget(total=PRICE))
    calls = [create(store, Budget(total=PRICE), key) for _ in range(5)]
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(each) for each in found} == {OverBudget}
    assert await store.replay(OWNER, key) is None


async def test_the_budget_of_a_day_begins_anew_on_the_next_and_the_total_does_not(
    store: PlannedStore,
) -> None:
    daily, both = Budget(per_day=PRICE), Budget(per_day=PRICE, total=2 * PRICE)
    await create(store, daily)
    assert "per day (UTC)" in await refused(store, daily)
    await create(store, both, created_at=NOW + DAY)
    words = await refused(store, both, created_at=NOW + 2 * DAY)
    assert "budget of 0.5 USD there are 0 USD left" in words


async def test_each_key_has_a_budget_of_its_own(store: PlannedStore) -> None:
    await create(store, Budget(total=PRICE))
    await create(store, Budget(total=PRICE), key_id="key_2")
    await refused(store, Budget(total=PRICE), key_id="key_2")


async def test_a_free_task_fits_into_a_budget_of_nothing_and_writes_no_line(
    store: PlannedStore, sql: Sql
) -> None:
    await create(store, Budget(per_day=0, total=0), tariff=Tariff(most=0))
    assert [
        await sql(f"select count(*) from {table}") for table in ("ledger", "spending", "daily_usage")
    ] == [[(0,)]] * 3


async def test_a_thousand_creates_at_once_on_two_stores_spend_exactly_what_there_is(
    database: str, store: PlannedStore, another: Another, sql: Sql
) -> None:
    stores = [store] if database.startswith("sqlite") else [store, await another()]
    budget = Budget(total=100 * PRICE)
    calls = [create(stores[number % len(stores)], budget) for number in range(1000)]
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(each) for each in found].count(OverBudget) == 900
    assert sum(isinstance(each, Task) for each in found) == 100
    assert (await store.page(OWNER, Query())).total == 100
    assert await spending(sql) == {("key_1", EVER): (100 * PRICE, 0), ("key_1", TODAY): (100 * PRICE, 0)}
    assert await sql("select count(*), cast(sum(amount) as bigint) from ledger") == [(100, 100 * PRICE)]


async def test_a_hold_moves_with_the_task_to_another_upstream_and_shrinks_to_the_one_that_takes_it(
    store: PlannedStore, sql: Sql, take: Take
) -> None:
    routes = (
        Route(upstream=samples.REMOTE, model="maker/a", upstream_model="a", tariff=Tariff(most=2 * PRICE)),
        Route(upstream="other", model="maker/b", upstream_model="b", tariff=Tariff(most=PRICE)),
    )
    task = await create(store, task=samples.task(routes=routes, model="maker/a", key_id="key_1"))
    await store.step(task.id, Step(event=Event.REROUTED), NOW + 1)
    assert await balances(sql, task) == {"key": -2 * PRICE, "held": 2 * PRICE}
    await store.step(task.id, Step(event=Event.CLAIM_SUBMIT, worker="w", lease_until=NOW + 9), NOW + 2)
    await store.step(task.id, Step(event=Event.ACCEPTED, upstream_ref="up-1"), NOW + 3)
    assert await balances(sql, task) == {"key": -PRICE, "held": PRICE}
    usage = await StoredMoney(store).usage(OWNER, TODAY, TODAY)
    assert [(row.model, row.tasks, row.held) for row in usage] == [("maker/b", 1, PRICE)]


async def test_a_task_that_is_cancelled_while_it_waits_costs_nothing(store: PlannedStore, sql: Sql) -> None:
    task = await create(store)
    ended = await store.cancel(OWNER, task.id, NOW + 1)
    assert ended is not None
    assert ended.outcome.error is not None
    assert (ended.outcome.error.charged, ended.outcome.facts.cost_usd) == ("no", "0")
    assert await balances(sql, task) == {"key": 0, "held": 0}


async def test_housekeeping_that_ends_tasks_settles_them_too(
    store: PlannedStore, sql: Sql, clock: HandClock, take: Take
) -> None:
    waiting, sent = await create(store), await create(store)
    await store.step(sent.id, Step(event=Event.CLAIM_SUBMIT, worker="w", lease_until=NOW + 9), NOW + 2)
    await store.step(sent.id, Step(event=Event.ACCEPTED, upstream_ref="up-1"), NOW + 3)
    await store.expire(NOW + samples.EXPIRY + 1)
    assert await balances(sql, waiting) == {"key": 0, "held": 0}
    assert await balances(sql, sent) == {"key": -PRICE, "held": 0, "unknown": PRICE}


async def test_the_ledger_outlives_the_task(store: PlannedStore, sql: Sql) -> None:
    task = await create(store)
    await end(store, task)
    assert await store.delete(OWNER, task.id, NOW) is not None
    assert await balances(sql, task) == {"key": -PRICE, "held": 0, "spent": PRICE}


async def test_usage_is_told_by_owner_day_key_and_model(store: PlannedStore) -> None:
    await end(store, await create(store))
    await end(store, await create(store))
    await create(store, key_id="key_2", created_at=NOW + DAY)
    await create(store, owner="own_2")
    money = StoredMoney(store)
    one = UsageRow(owner=OWNER, day=TODAY, key_id="key_1", model="sandbox/fails", tasks=2, spent=2 * PRICE)
    two = UsageRow(owner=OWNER, day=TODAY + 1, key_id="key_2", model="sandbox/fails", tasks=1, held=PRICE)
    assert await money.usage(OWNER, TODAY, TODAY) == [one]
    assert await money.usage(OWNER, TODAY, TODAY + 1) == [one, two]
    assert [row.owner for row in await money.usage(None, TODAY, TODAY + 1)] == [OWNER, OWNER, "own_2"]


async def test_a_task_of_before_there_were_prices_ends_in_doubt_and_frees_nothing_that_was_not_held(
    store: PlannedStore, sql: Sql
) -> None:
    task = await create(store, tariff=None)
    ended = await end(store, task)
    assert ended.outcome.facts.cost_usd is None
    assert await balances(sql, task) == {"held": 0, "unknown": 0}
    assert await spending(sql) == {}


async def in_doubt(store: PlannedStore, tariff: Tariff | None = Tariff(most=PRICE)) -> Task:  # noqa: B008 - never changed
    """A task that was stopped at its upstream after that had begun."""
    task = await create(store, tariff=tariff)
    for step in (
        Step(event=Event.CLAIM_SUBMIT, worker="w", lease_until=NOW + 30_000),
        Step(event=Event.ACCEPTED, upstream_ref=f"https://up.example/v1/videos/{task.id}"),
        Step(event=Event.CANCELLED),
    ):
        assert await store.step(task.id, step, NOW + 5) is not None
    return task


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (PRICE, {"key": -PRICE, "held": 0, "unknown": 0, "spent": PRICE}),
        (0, {"key": 0, "held": 0, "unknown": 0}),
        (PRICE - 7, {"key": 7 - PRICE, "held": 0, "unknown": 0, "spent": PRICE - 7}),
        (PRICE + 7, {"key": -PRICE - 7, "held": 0, "unknown": 0, "spent": PRICE + 7}),
    ],
)
async def test_an_invoice_decides_a_doubt_once_whoever_books_it(
    store: PlannedStore, sql: Sql, cost: int, expected: dict[str, int]
) -> None:
    task, money = await in_doubt(store), StoredMoney(store)
    (doubt,) = await money.charges_by_reference(samples.REMOTE, [task.id])
    assert (doubt.task_id, doubt.amount, doubt.doubtful) == (task.id, PRICE, True)
    booked = await asyncio.gather(*(money.book(task.id, cost) for _ in range(5)))
    assert sorted(booked) == [False, False, False, False, True]
    assert await balances(sql, task) == expected
    assert await spending(sql) == {("key_1", EVER): (0, cost), ("key_1", TODAY): (0, cost)}
    (row,) = await money.usage(OWNER, TODAY, TODAY)
    assert (row.tasks, row.spent, row.unknown, row.doubtful) == (1, cost, 0, 0)
    for charges in (
        await money.charges_by_reference(samples.REMOTE, [task.id]),
        await money.charges_between(samples.REMOTE, NOW, NOW + 6),
    ):
        assert [(each.amount, each.doubtful) for each in charges] == [(cost, False)]


async def test_a_doubt_is_known_by_the_id_that_its_upstream_tells_after_the_end(
    store: PlannedStore, sql: Sql
) -> None:
    task, money = await create(store), StoredMoney(store)
    for step in (
        Step(event=Event.CLAIM_SUBMIT, worker="w", lease_until=NOW + 30_000),
        Step(event=Event.LEASE_LOST, give_up_at=NOW + 60_000),
        Step(event=Event.CANCELLED),
    ):
        assert await store.step(task.id, step, NOW + 5) is not None
    assert await money.charges_by_reference(samples.REMOTE, ["up-1"]) == []
    late = Step(event=Event.ACCEPTED, upstream_ref="https://up.example/v1/videos/up-1")
    assert await store.step(task.id, late, NOW + 6) is not None
    (doubt,) = await money.charges_by_reference(samples.REMOTE, ["up-1"])
    assert (doubt.task_id, doubt.amount, doubt.doubtful) == (task.id, PRICE, True)
    assert await money.book(task.id, PRICE)
    (settled,) = await money.charges_by_reference(samples.REMOTE, ["up-1"])
    assert (settled.amount, settled.doubtful) == (PRICE, False)
    assert await balances(sql, task) == {"key": -PRICE, "held": 0, "unknown": 0, "spent": PRICE}


def test_keys_with_and_without_a_budget_are_locked_in_the_order_in_which_all_transactions_write_them() -> (
    None
):
    free, unlimited, limited = priced(Tariff(most=0)), priced(key_id="key_a"), priced(key_id="key_b")
    wishes = [(each, samples.schedule_of(each), UNLIMITED) for each in (free, unlimited)]
    assert asked(wishes) == []
    wishes.append((limited, samples.schedule_of(limited), PAYS_FOR_3))
    locked = asked(wishes)
    book = Book()
    for task, schedule, _ in wishes:
        book.accept(task, schedule)
    (written,) = (each.rows for each in book.writes(0) if each.name == "add_spending")
    assert locked == [(row["key_id"], row["day"]) for row in written]
    assert locked == [(key, day) for key in ("key_a", "key_b") for day in (EVER, TODAY)]


def asked(wishes: list[tuple[Task, Schedule, Budget]]) -> list[tuple[str, int]]:
    """What a check of the budgets locks, in order."""
    plan, found = check(wishes), []
    try:
        wish = next(plan)
        while True:
            assert isinstance(wish, Read)
            found.append((wish.values["key_id"], wish.values["day"]))
            wish = plan.send([(0, 0)])
    except StopIteration:
        return found


async def test_a_doubt_of_unknown_price_is_decided_by_the_invoice_too(store: PlannedStore, sql: Sql) -> None:
    task = await in_doubt(store, tariff=None)
    assert await StoredMoney(store).book(task.id, 5)
    assert await balances(sql, task) == {"key": -5, "held": 0, "unknown": 0, "spent": 5}


async def test_only_a_doubt_can_be_booked(store: PlannedStore, sql: Sql) -> None:
    running, settled = await create(store), await create(store)
    await end(store, settled)
    money = StoredMoney(store)
    assert [await money.book(task_id, 0) for task_id in (running.id, settled.id, "task_none")] == [False] * 3
    assert (await balances(sql, settled))["spent"] == PRICE
