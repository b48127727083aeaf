"""The Range header (RFC 9110 section 14), for the one form that players and resuming clients use."""

import re

_SINGLE = re.compile(r"^bytes=(?P<first>\d{0,18})-(?P<last>\d{0,18})$", re.ASCII | re.IGNORECASE)


class Unsatisfiable(Exception):
    """The range lies outside the file."""


def single(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte that ``header`` asks for, or None for the whole file.

    A malformed header and several ranges are ignored, as section 14.2 allows. Raises Unsatisfiable.
    """
    match = _SINGLE.match(header.strip()) if header else None
    if match is None or not (match["first"] or match["last"]):
        return None
    if not match["first"]:
        length = int(match["last"])
        if length == 0 or size == 0:
            raise Unsatisfiable
        return max(0, size - length), size - 1
    first = int(match["first"])
    last = int(match["last"]) if match["last"] else size - 1
    if last < first and match["last"]:
        return None
    if first >= size:
        raise Unsatisfiable
    return first, min(last, size - 1)
