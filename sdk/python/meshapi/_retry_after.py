"""Reading Retry-After (RFC 9110 section 10.2.3; contract: retry-after)."""

import datetime
import math
from email.utils import parsedate_to_datetime


def seconds(value: str | None, now: float) -> float | None:
    """Seconds to wait from ``now`` (Unix seconds), None where the header says nothing usable."""
    text = (value or "").strip()
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        return _until_date(text, now)
    return number if math.isfinite(number) and number >= 0 else None


def _until_date(text: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:  # the asctime form names no zone; RFC 9110 means UTC
        moment = moment.replace(tzinfo=datetime.UTC)
    return max(0.0, moment.timestamp() - now)
