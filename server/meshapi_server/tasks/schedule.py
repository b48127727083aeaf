"""When to look again: pure functions from what is known to milliseconds."""

CALL_SHARE = 0.7  # of the lease: what one call may take, so that its answer is still ours to save
SOONEST_POLL = 1_000
LONGEST_POLL = 30_000
LONGEST_RETRY = 60_000
_USUAL = 60.0  # s; for a model of which nothing is known
_FIRST_LOOK = 0.4  # of the usual duration: hardly any run ends before
_CALLED_BACK = 3  # where the upstream announces changes, looking is only the safety net


def poll_delay(
    elapsed: int,
    usual_seconds: float | None,
    look_again_in: float | None = None,
    *,
    calls_back: bool = False,
) -> int:
    """Milliseconds until the next look, ``elapsed`` ms after the upstream took the task.

    Looking follows the model's usual duration: first at 0.4 of it, then every twentieth of it, and ever more
    slowly when a run takes longer than usual (a tenth of what it has taken so far), but every 30 s at least,
    since a run may fail early. The upstream's own wish (seconds) wins.
    """
    if look_again_in is not None:
        return max(0, round(look_again_in * 1000))
    usual = (usual_seconds or _USUAL) * 1000
    if elapsed < usual * _FIRST_LOOK:
        wait = usual * _FIRST_LOOK - elapsed
    elif elapsed <= usual * 1.5:
        wait = usual / 20
    else:
        wait = elapsed / 10
    slowed = wait * _CALLED_BACK if calls_back else wait
    return round(min(LONGEST_POLL, max(SOONEST_POLL, slowed)))


def retry_delay(attempt: int, retry_after: float | None = None) -> int:
    """Milliseconds before attempt ``attempt + 1``; never earlier than ``retry_after`` seconds."""
    backoff = min(LONGEST_RETRY, 500 << max(0, min(attempt, 10)))
    return max(backoff, round((retry_after or 0) * 1000))
