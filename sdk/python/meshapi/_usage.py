"""From days and dimensions to the query of ``GET /v1/usage`` (contract: usage-query). No I/O."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TypeAlias

from ._exchange import QueryPairs
from .errors import ConfigurationError

Day: TypeAlias = "datetime.date | str"


def usage_query(first: Day | None, last: Day | None, by: str | Sequence[str] | None) -> QueryPairs:
    """Name and value pairs, unset ones left out. Raises ConfigurationError for what is no day or dimension.

    Which dimensions there are is the server's to say.
    """
    pairs = [
        (name, _day(name, value)) for name, value in (("from", first), ("to", last)) if value is not None
    ]
    return [*pairs, *(("by", each) for each in _dimensions(by))]


def _day(name: str, value: object) -> str:
    if isinstance(value, datetime.datetime):  # which is a date, too
        if value.tzinfo is None:
            raise ConfigurationError(
                f"{name} is a datetime without a time zone, {value.isoformat()}: its day in UTC cannot be"
                " told; give a date, or datetime.now(datetime.UTC)"
            )
        return value.astimezone(datetime.UTC).date().isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    try:
        if isinstance(value, str):
            return datetime.date.fromisoformat(value.strip()).isoformat()
    except ValueError:
        pass
    raise ConfigurationError(
        f"{name} is no day, {value!r}; expected a date or text such as '2026-11-21' (UTC)"
    )


def _dimensions(by: object) -> list[str]:
    given = [by] if isinstance(by, str) else by
    if given is None:
        return []
    if not isinstance(given, Sequence | set | frozenset) or not all(
        isinstance(each, str) and each for each in given
    ):
        raise ConfigurationError(f"by is {by!r}; expected 'day', 'key' or 'model', or several of them")
    return list(given)
