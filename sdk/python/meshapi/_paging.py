"""Walking through all tasks (contract: paging). A decision without I/O.

By cursor where the server knows it, which costs the same at any depth; by offset where it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, TypeAlias

from ._exchange import Deliver, Outcome, QueryPairs

if TYPE_CHECKING:
    from .types import VideoTaskList

Fetch: TypeAlias = "Callable[[QueryPairs], Generator[Any, Outcome, VideoTaskList]]"

_ORDER = ("limit", "offset", "after")


def walk(query: QueryPairs, fetch: Fetch) -> Generator[Any, Outcome, None]:
    """Deliver every task the query selects, newest first, fetching a page only when it is wanted."""
    start = int(dict(query).get("offset", "0"))
    by_offset = any(name == "offset" for name, _ in query)
    received = 0
    seen: set[str] = set()
    first_page: set[str] = set()
    asked = query
    while True:
        page = yield from fetch(asked)
        if not by_offset and received and any(task.id in first_page for task in page.data):
            # The server ignored the cursor and began anew: this page is thrown away.
            by_offset = True
            asked = _at(query, "offset", str(start + received))
            continue
        received += len(page.data)
        first_page = first_page or {task.id for task in page.data if task.id}
        for task in page.data:
            if not by_offset or task.id not in seen:
                yield Deliver(task)
        seen.update(task.id for task in page.data if task.id)
        if not page.data or _is_last(page, start + received):
            return
        asked = (
            _at(query, "offset", str(start + received))
            if by_offset
            else _at(query, "after", page.data[-1].id)
        )


def _is_last(page: VideoTaskList, position: int) -> bool:
    if page.has_more is not None:
        return not page.has_more
    if page.total is not None:
        return position >= page.total
    return page.limit is None or len(page.data) < page.limit


def _at(query: QueryPairs, name: str, value: str) -> QueryPairs:
    pairs = [pair for pair in query if pair[0] not in {"offset", "after"}]
    place = sum(pair[0] == "limit" for pair in pairs)
    return [*pairs[:place], (name, value), *pairs[place:]]
