"""When to look again: pure functions from counts to milliseconds."""

FIRST_POLL = 1_000
LONGEST_POLL = 15_000
LONGEST_RETRY = 60_000


def poll_delay(polls: int, look_again_in: float | None = None) -> int:
    """Milliseconds until the next poll after ``polls`` of them; the upstream's own wish (s) wins."""
    if look_again_in is not None:
        return max(0, round(look_again_in * 1000))
    return min(LONGEST_POLL, round(FIRST_POLL * 1.25 ** min(polls, 30)))


def retry_delay(attempt: int, retry_after: float | None = None) -> int:
    """Milliseconds before attempt ``attempt + 1``; never earlier than ``retry_after`` seconds."""
    backoff = min(LONGEST_RETRY, 500 << min(attempt, 10))
    return max(backoff, round((retry_after or 0) * 1000))
