"""Where the money of tasks is, and how it moves: double entry in nano-dollars. Pure.

Every line takes an amount from one account of a key and adds it to another, so that all accounts of a key
always sum to nothing. ``key`` is what the key has; from there an accepted task's price is ``held``, and at
its end it becomes ``spent``, goes back, or stays in ``unknown`` where nobody knows whether it was charged.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from msgspec import Struct

from meshapi_server.tasks.price import read_nano
from meshapi_server.tasks.task import Route, Schedule, Task

Account = Literal["key", "held", "spent", "unknown"]
Kind = Literal["hold", "release", "settle", "doubt", "book"]
DAY = 86_400_000  # ms
EVER = -1  # stands for a day where all of them are meant


class Bucket(NamedTuple):
    """What is added up together: a key's tasks of one model that were created on one day.

    ``day`` counts from 1970-01-01, UTC: what a task costs belongs to the day on which it was asked for.
    """

    owner: str
    day: int
    key_id: str
    model: str


class Position(Struct, frozen=True, kw_only=True):
    """Where one task's money is. ``doubtful`` is 1 for a task that ended without its cost being known.

    ``unknown`` is then what it may have cost at most, as far as that is known.
    """

    bucket: Bucket
    held: int = 0
    spent: int = 0
    unknown: int = 0
    doubtful: int = 0


class Line(Struct, frozen=True, kw_only=True):
    """``amount`` goes from the account ``source`` to the account ``target``, both of the bucket's key."""

    kind: Kind
    source: Account
    target: Account
    amount: int
    bucket: Bucket


def position(task: Task, schedule: Schedule) -> Position | None:
    """Where the task's money has to be; None for a task that costs nothing whatever happens.

    Until an upstream has accepted it, the dearest of its routes is held: to ask another one never needs more
    than the caller has been told.
    """
    if not task.metered:
        return None
    bucket = Bucket(task.owner, task.created_at // DAY, task.key_id or "", task.model)
    if not task.ended:
        return Position(bucket=bucket, held=_price(task, narrowed=schedule.accepted_at is not None))
    told = task.outcome.facts.cost_usd
    cost = None if told is None else read_nano(told)
    if cost is not None:
        return Position(bucket=bucket, spent=cost)
    return Position(bucket=bucket, unknown=_price(task, narrowed=True), doubtful=1)


def lines(before: Position | None, after: Position) -> list[Line]:
    """What has to be written for the money to be where it belongs now."""
    if before is None:
        before = Position(bucket=after.bucket)
    if before.bucket != after.bucket:
        # Another model serves it: the hold moves with it, so that the accounts of each model stay true.
        moved = Position(bucket=after.bucket, held=before.held)
        return [
            *lines(before, Position(bucket=before.bucket)),
            *lines(None, moved),
            *lines(moved, after),
        ]
    found: list[Line] = []
    held = before.held
    if after.spent > before.spent:
        held = _take(found, "settle", "spent", after.spent - before.spent, held, after.bucket)
    if after.doubtful > before.doubtful:
        held = _take(found, "doubt", "unknown", after.unknown - before.unknown, held, after.bucket)
    change = after.held - held
    if change > 0:
        found.append(Line(kind="hold", source="key", target="held", amount=change, bucket=after.bucket))
    elif change < 0:
        found.append(Line(kind="release", source="held", target="key", amount=-change, bucket=after.bucket))
    return found


def resolved(doubt: Position, cost: int) -> tuple[Position, list[Line]]:
    """A doubt after its upstream's invoice has decided it: what was paid is spent, and the rest is free."""
    paid = min(cost, doubt.unknown)
    moves: tuple[tuple[Account, Account, int], ...] = (
        ("unknown", "spent", paid),
        ("key", "spent", cost - paid),
        ("unknown", "key", doubt.unknown - paid),
    )
    found = [
        Line(kind="book", source=source, target=target, amount=amount, bucket=doubt.bucket)
        for source, target, amount in moves
        if amount
    ]
    nothing = Line(kind="book", source="unknown", target="key", amount=0, bucket=doubt.bucket)
    return Position(bucket=doubt.bucket, spent=cost), found or [nothing]


class Sums(Struct, frozen=True, kw_only=True):
    """Changes of the sums of one bucket."""

    tasks: int = 0
    held: int = 0
    spent: int = 0
    unknown: int = 0
    doubtful: int = 0

    def __bool__(self) -> bool:
        return any((self.tasks, self.held, self.spent, self.unknown, self.doubtful))


class Changes:
    """Adds up what many tasks change, so that each shared row is written once."""

    def __init__(self) -> None:
        self._sums: dict[Bucket, Sums] = {}

    def add(self, before: Position | None, after: Position) -> None:
        """One task's money moves; ``before`` is None for a task that is new."""
        if before is None:
            self._change(after.bucket, Sums(tasks=1))
        else:
            moves = 0 if before.bucket == after.bucket else 1
            self._change(before.bucket, _sums(before, -1, tasks=-moves))
            self._change(after.bucket, Sums(tasks=moves))
        self._change(after.bucket, _sums(after, 1))

    @property
    def by_bucket(self) -> dict[Bucket, Sums]:
        """The changes that are any, in the order in which every transaction writes them."""
        return {bucket: self._sums[bucket] for bucket in sorted(self._sums) if self._sums[bucket]}

    @property
    def by_key(self) -> dict[tuple[str, int], tuple[int, int]]:
        """By how much what is held, and what is gone, changes for a key: of each day, and of all (``EVER``).

        What may have been charged counts as gone. In the order in which every transaction writes them.
        """
        found: dict[tuple[str, int], tuple[int, int]] = {}
        for bucket, sums in self._sums.items():
            for day in (EVER, bucket.day) if bucket.key_id else ():
                held, gone = found.get((bucket.key_id, day), (0, 0))
                found[bucket.key_id, day] = (held + sums.held, gone + sums.spent + sums.unknown)
        return {place: found[place] for place in sorted(found) if any(found[place])}

    def _change(self, bucket: Bucket, change: Sums) -> None:
        sums = self._sums.get(bucket, Sums())
        self._sums[bucket] = Sums(
            tasks=sums.tasks + change.tasks,
            held=sums.held + change.held,
            spent=sums.spent + change.spent,
            unknown=sums.unknown + change.unknown,
            doubtful=sums.doubtful + change.doubtful,
        )


def _sums(position: Position, sign: int, tasks: int = 0) -> Sums:
    return Sums(
        tasks=tasks,
        held=sign * position.held,
        spent=sign * position.spent,
        unknown=sign * position.unknown,
        doubtful=sign * position.doubtful,
    )


def _take(found: list[Line], kind: Kind, target: Account, amount: int, held: int, bucket: Bucket) -> int:
    """Pay out of what is held, and what that does not cover out of the key; returns what is still held."""
    covered = min(amount, held)
    if covered or not amount:
        found.append(Line(kind=kind, source="held", target=target, amount=covered, bucket=bucket))
    if amount > covered:
        found.append(Line(kind=kind, source="key", target=target, amount=amount - covered, bucket=bucket))
    return held - covered


def _price(task: Task, *, narrowed: bool) -> int:
    """What the task costs at most, as far as that is known: by any route, or by the one that took it."""
    route = task.served_by
    routes: Sequence[Route] = task.routes if route is None or not narrowed else (route,)
    return max((route.tariff.most for route in routes if route.tariff is not None), default=0)
