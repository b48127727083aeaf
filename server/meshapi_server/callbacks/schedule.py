"""When a delivery that failed is tried again (wire.md section 7): pure."""

RETRIES_AFTER = (5, 30, 120, 600, 3600, 21_600, 86_400)  # s
_SPREAD = 0.1  # of the pause, in both directions, so that what failed together does not come back together


def retry_delay(tries: int, chance: float) -> int | None:
    """Milliseconds until the next try after ``tries`` failures; None when that was the last one.

    ``chance``, from 0 to 1, spreads the pause by a tenth in both directions.
    """
    if tries > len(RETRIES_AFTER):
        return None
    pause = RETRIES_AFTER[max(0, tries - 1)]
    return round(pause * 1000 * (1 + _SPREAD * (2 * chance - 1)))
