"""Walking through lists that go on behind a cursor: deliveries and events. A decision without I/O."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, Protocol

from ._exchange import Answer, Deliver, Exchange, Outcome


class Row(Protocol):
    """What a page lists."""

    id: str


class Page(Protocol):
    """What a server answers; ``next`` is the cursor where it is told, else it is the id of the last row."""

    has_more: bool | None

    @property
    def data(self) -> Sequence[Row]:
        """The rows."""


def walk(
    after: str | None, fetch: Callable[[str | None], Exchange], decode: Callable[[Answer], Page]
) -> Generator[Any, Outcome, None]:
    """Deliver every row behind ``after``, fetching a page only when it is wanted."""
    while True:
        page = decode((yield from fetch(after)))
        for row in page.data:
            yield Deliver(row)
        following = _behind(page)
        # A cursor that stands still would be asked for for ever.
        if not page.has_more or following in {None, "", after}:
            return
        after = following


def _behind(page: Page) -> str | None:
    told: str | None = getattr(page, "next", None)
    return told or (page.data[-1].id if page.data else None)
