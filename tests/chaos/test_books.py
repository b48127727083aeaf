"""The audit of the ledger finds what is wrong: each kind of damage, done to books that are right."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from . import books
from .books import PRICE
from .cards import PRICE_USD
from .snapshot import LedgerRow, Moment, Money, SpendingRow, TaskRow, UsageRow, Whole

MODEL = "byteplus/chaos"
PAID = {"byteplus"}


def line(task_id: str, source: str, target: str, amount: int = PRICE) -> LedgerRow:
    return LedgerRow(
        task_id=task_id, key_id="key_1", model=MODEL, source=source, target=target, amount=amount
    )


def task(task_id: str, upstream: str, status: str, cost: str | None, charged: str | None) -> TaskRow:
    return TaskRow(
        id=task_id,
        owner="own_1",
        model=MODEL,
        upstream=upstream,
        status=status,
        version=3,
        error_code=None if status == "succeeded" else "submission_unknown",
        completed_at=1,
        sha256={},
        cost_usd=cost,
        charged=charged,
    )


def right() -> Whole:
    """One success, one refusal, one doubt and one free task, booked as they should be."""
    rows = (
        task("made", "byteplus", "succeeded", PRICE_USD, None),
        task("refused", "byteplus", "failed", "0", "no"),
        task("lost", "byteplus", "failed", None, "unknown"),
        task("free", "sandbox", "succeeded", "0", None),
    )
    ledger = [line(task_id, "key", "held") for task_id in ("made", "refused", "lost")]
    ledger += [line("made", "held", "spent"), line("refused", "held", "key"), line("lost", "held", "unknown")]
    return Whole(
        tasks={row.id: row for row in rows},
        schedules=[],
        pools={},
        attempts={},
        keys={},
        money=Money(
            ledger=ledger,
            spending=[SpendingRow("key_1", -1, 0, 2 * PRICE), SpendingRow("key_1", 20_000, 0, 2 * PRICE)],
            usage=[UsageRow("key_1", MODEL, 3, 0, PRICE, PRICE)],
        ),
    )


def violations(whole: Whole) -> list[str]:
    return books.in_the_end(whole, {"made"}, PAID)


def without_lines(whole: Whole, task_id: str, count: int) -> Whole:
    mine = [row for row in whole.money.ledger if row.task_id == task_id]
    kept = [row for row in whole.money.ledger if row not in mine[len(mine) - count :]]
    return replace(whole, money=replace(whole.money, ledger=kept))


def with_task(whole: Whole, row: TaskRow) -> Whole:
    return replace(whole, tasks={**whole.tasks, row.id: row})


DAMAGES: list[tuple[Callable[[Whole], Whole], str]] = [
    (lambda whole: without_lines(whole, "made", 1), "is held for it"),
    (lambda whole: without_lines(whole, "refused", 2), "no line in the ledger"),
    (lambda whole: with_task(whole, task("refused", "byteplus", "failed", None, None)), "does not say"),
    (lambda whole: with_task(whole, task("made", "byteplus", "failed", "0", "no")), "claims to be free"),
    (
        lambda whole: with_task(whole, task("lost", "byteplus", "succeeded", PRICE_USD, None)),
        "its account is",
    ),
    (lambda whole: with_task(whole, task("made", "byteplus", "succeeded", "0.3", None)), "says that it cost"),
    (lambda whole: with_task(whole, task("free", "sandbox", "failed", None, "unknown")), "is free and cost"),
    (lambda whole: _line_more(whole, line("made", "key", "spent")), f"cost {2 * PRICE}"),
    (lambda whole: _line_more(whole, line("made", "key", "held", 0)), "moves nothing"),
    (
        lambda whole: replace(whole, money=replace(whole.money, spending=whole.money.spending[:1])),
        "has used (0, 0) by day",
    ),
    (lambda whole: replace(whole, money=replace(whole.money, usage=[])), "lines and no usage"),
    (
        lambda whole: replace(
            whole, money=replace(whole.money, usage=[UsageRow("key_1", MODEL, 3, 1, PRICE, PRICE)])
        ),
        "is told, and its lines say",
    ),
]


def _line_more(whole: Whole, row: LedgerRow) -> Whole:
    return replace(whole, money=replace(whole.money, ledger=[*whole.money.ledger, row]))


def test_books_that_are_right_have_no_violation() -> None:
    assert violations(right()) == []


@pytest.mark.parametrize(("damage", "words"), DAMAGES, ids=[words for _, words in DAMAGES])
def test_damage_is_found(damage: Callable[[Whole], Whole], words: str) -> None:
    assert any(words in each for each in violations(damage(right())))


def test_a_settlement_of_what_no_upstream_accepted_is_found() -> None:
    assert books.in_the_end(right(), set(), PAID) == ["made was settled, and no upstream accepted it"]


def test_what_is_held_too_much_or_too_little_is_found_at_once() -> None:
    def look(held: int) -> list[str]:
        going_on = {"byteplus": 2, "sandbox": 5}
        return books.at_any_moment(
            Moment(schedules=[], pools={}, forsaken=[], held=held, going_on=going_on), PAID
        )

    assert look(2 * PRICE) == []
    assert look(PRICE) != []
    assert look(3 * PRICE) != []
