"""What an owner's keys have used: by day, key and model, as JSON or CSV."""

import datetime
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from meshapi_server.accounts.usage import (
    UsageRow,
    UsageStore,
    csv_of,
    date_of,
    day_number,
    grouped,
    total,
)
from meshapi_server.tasks.price import dollars

from . import query
from .call import Answer, Call, Reply
from .operation import Operation, Response
from .operation import query as query_parameter

_encode = msgspec.json.Encoder().encode
_USD = Annotated[str, Meta(description="A decimal figure in US dollars.")]


class UsageFigures(Struct, frozen=True, kw_only=True):
    """What tasks cost that were created in this time. Tasks that cost nothing whatever happens are left out.

    ``held_usd`` is kept for those in flight; ``unknown_usd`` is what the ``unknown_tasks`` may have cost, of
    which nobody could tell whether they were charged, or how much.
    """

    tasks: int
    cost_usd: _USD
    held_usd: _USD
    unknown_usd: _USD
    unknown_tasks: int


class UsageEntry(UsageFigures, frozen=True, kw_only=True):
    """The figures of one group; what is not told apart is null."""

    day: Annotated[str, Meta(description="ISO 8601, UTC.")] | None
    key_id: str | None
    model: str | None


class UsageBody(Struct, frozen=True, kw_only=True):
    """An owner's usage from a day to a day, both included."""

    first: str = msgspec.field(name="from")
    last: str = msgspec.field(name="to")
    data: list[UsageEntry]
    total: UsageFigures
    object: Literal["usage"] = "usage"


class Usage:
    """The usage of the caller's owner."""

    def __init__(self, store: UsageStore, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock

    async def get(self, call: Call) -> Answer:
        """The sums, by what the caller wants told apart."""
        today = datetime.datetime.fromtimestamp(self._clock() / 1000, datetime.UTC).date()
        wanted = query.usage(call.query, call.header(b"accept") or "", today)
        rows = await self._store.usage(call.owner, day_number(wanted.first), day_number(wanted.last))
        found = grouped(rows, wanted.by)
        headers = {"cache-control": "private, no-cache", "vary": "accept"}
        if wanted.as_csv:
            return Reply(csv_of(found, wanted.by).encode(), headers=headers, media_type="text/csv")
        body = UsageBody(
            first=wanted.first.isoformat(),
            last=wanted.last.isoformat(),
            data=[_entry(row) for row in found],
            total=_figures(total(found)),
        )
        return Reply(_encode(body), headers=headers)

    def operations(self) -> tuple[Operation, ...]:
        """What this room serves."""
        return (
            Operation(
                method="GET",
                path="/v1/usage",
                name="getUsage",
                summary="What was spent, by day, key and model",
                tag="account",
                handler=self.get,
                parameters=(
                    query_parameter(
                        "from",
                        "The first day (UTC). Default: 29 days before `to`.",
                        type="string",
                        format="date",
                    ),
                    query_parameter(
                        "to", "The last day, included. Default: today.", type="string", format="date"
                    ),
                    query_parameter(
                        "by",
                        "What to tell apart; may repeat. Default: all of them.",
                        explode=True,
                        type="array",
                        items={"type": "string", "enum": ["day", "key", "model"]},
                    ),
                    query_parameter(
                        "format",
                        "`csv` answers a table, as does `Accept: text/csv`.",
                        type="string",
                        enum=["json", "csv"],
                    ),
                ),
                responses={
                    200: Response(description="The usage.", body=UsageBody, texts=("text/csv",)),
                },
                errors=(403, 422, 429),
            ),
        )


def _figures(row: UsageRow) -> UsageFigures:
    return UsageFigures(**_values(row))


def _entry(row: UsageRow) -> UsageEntry:
    day = None if row.day is None else date_of(row.day).isoformat()
    return UsageEntry(day=day, key_id=row.key_id, model=row.model, **_values(row))


def _values(row: UsageRow) -> dict[str, Any]:
    return {
        "tasks": row.tasks,
        "cost_usd": dollars(row.spent),
        "held_usd": dollars(row.held),
        "unknown_usd": dollars(row.unknown),
        "unknown_tasks": row.doubtful,
    }
