"""What was used: the ledger's sums by key, model and day. Values and arithmetic; the store reads the rows."""

import csv
import datetime
import io
from collections.abc import Iterable, Sequence
from typing import Literal, Protocol, get_args

from msgspec import Struct

from meshapi_server.tasks.price import dollars

Dimension = Literal["day", "owner", "key", "model"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
USUAL_DAYS = 30  # what is told when only the end of a time was named, or nothing
_EPOCH = datetime.date(1970, 1, 1)


class UsageRow(Struct, frozen=True, kw_only=True):
    """One sum. ``day`` counts from 1970-01-01, UTC; money is nano-dollars.

    ``unknown`` is what the ``doubtful`` tasks may have cost whose cost is not known. What is not told apart
    is None.
    """

    owner: str | None
    day: int | None
    key_id: str | None
    model: str | None
    tasks: int = 0
    held: int = 0
    spent: int = 0
    unknown: int = 0
    doubtful: int = 0

    def plus(self, other: "UsageRow") -> "UsageRow":
        """The same group with another row's figures added."""
        return UsageRow(
            owner=self.owner,
            day=self.day,
            key_id=self.key_id,
            model=self.model,
            tasks=self.tasks + other.tasks,
            held=self.held + other.held,
            spent=self.spent + other.spent,
            unknown=self.unknown + other.unknown,
            doubtful=self.doubtful + other.doubtful,
        )


class UsageStore(Protocol):
    """Where the sums live."""

    async def usage(self, owner: str | None, first: int, last: int) -> Sequence[UsageRow]:
        """The sums of these days, both included, of one owner or of all; by owner, day, key and model."""
        ...


def grouped(rows: Iterable[UsageRow], by: Iterable[Dimension]) -> list[UsageRow]:
    """The rows added up by these dimensions, in their order; a dimension that is not named is None."""
    wanted = frozenset(by)
    found: dict[tuple[str, int, str, str], UsageRow] = {}
    for row in rows:
        group = UsageRow(
            owner=row.owner if "owner" in wanted else None,
            day=row.day if "day" in wanted else None,
            key_id=row.key_id if "key" in wanted else None,
            model=row.model if "model" in wanted else None,
        )
        place = (group.owner or "", group.day or 0, group.key_id or "", group.model or "")
        found[place] = found.get(place, group).plus(row)
    return [found[place] for place in sorted(found)]


def total(rows: Iterable[UsageRow]) -> UsageRow:
    """All rows together."""
    everything = grouped(rows, ())
    return everything[0] if everything else UsageRow(owner=None, day=None, key_id=None, model=None)


def usual_first(last: datetime.date) -> datetime.date:
    """The first day of the usual time that ends with ``last``; never before the calendar begins."""
    return datetime.date.fromordinal(max(1, last.toordinal() - USUAL_DAYS + 1))


def day_number(date: datetime.date) -> int:
    """The day as it is stored."""
    return (date - _EPOCH).days


def date_of(day: int) -> datetime.date:
    """The day as people write it."""
    return _EPOCH + datetime.timedelta(days=day)


def csv_of(rows: Iterable[UsageRow], by: Sequence[Dimension]) -> str:
    """A table (RFC 4180) with a line for each row; money in decimal US dollars."""
    columns = {"day": "day", "owner": "owner", "key": "key_id", "model": "model"}
    text = io.StringIO()
    writer = csv.writer(text)
    figures = ("tasks", "cost_usd", "held_usd", "unknown_usd", "unknown_tasks")
    writer.writerow([*(columns[each] for each in by), *figures])
    for row in rows:
        named = {
            "day": None if row.day is None else date_of(row.day).isoformat(),
            "owner": row.owner,
            "key": row.key_id,
            "model": row.model,
        }
        money = (dollars(row.spent), dollars(row.held), dollars(row.unknown))
        writer.writerow([*(named[each] for each in by), row.tasks, *money, row.doubtful])
    return text.getvalue()
