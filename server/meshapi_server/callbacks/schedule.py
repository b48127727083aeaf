"""When a delivery that failed is tried again (wire.md section 7): pure."""

import datetime
from email.utils import parsedate_to_datetime

RETRIES_AFTER = (5, 30, 120, 600, 3600, 21_600, 86_400)  # s
LONGEST_WISH = 86_400  # s; a receiver cannot put a delivery off for longer than the last pause
_SPREAD = 0.1  # of the pause, in both directions, so that what failed together does not come back together


def retry_delay(tries: int, chance: float) -> int | None:
    """Milliseconds until the next try after ``tries`` failures; None when that was the last one.

    ``chance``, from 0 to 1, spreads the pause by a tenth in both directions.
    """
    if tries > len(RETRIES_AFTER):
        return None
    pause = RETRIES_AFTER[max(0, tries - 1)]
    return round(pause * 1000 * (1 + _SPREAD * (2 * chance - 1)))


def wished_delay(retry_after: str | None, now: int) -> int:
    """Milliseconds for which a receiver asks to be left alone (RFC 9110 section 10.2.3); 0 when it does not.

    ``now`` is milliseconds since the epoch. What is neither seconds nor a date counts for nothing.
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:9])
    else:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError):
            return 0
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
        seconds = zoned.timestamp() - now / 1000
    return round(1000 * min(max(seconds, 0.0), LONGEST_WISH))
