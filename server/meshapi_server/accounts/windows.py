"""How often something may happen in any so many seconds: a window that slides, counted in small steps.

A fixed window ("60 in every minute of the clock") lets twice as many through around its edge, and the
generic cell rate algorithm either does that, too, or refuses what comes at once. Here no stretch of the
window's length ever sees more than the limit, and the whole limit may be used at once. What that costs is
that a call counts for up to one step (1/120 of the window) too long.
"""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

_STEPS = 120  # of a window

Counts = tuple[tuple[int, int], ...]
"""How many calls there were in which step (numbered since the epoch), oldest first, without empty steps."""
_decode = msgspec.json.Decoder(Counts).decode


class Limit(Struct, frozen=True, kw_only=True):
    """At most ``count`` calls in any ``seconds``; ``name`` is how it is called on the wire."""

    name: str
    count: int
    seconds: int


class Standing(Struct, frozen=True, kw_only=True):
    """How a limit stands: ``remaining`` calls may be made now, and ``resets_at`` (ms) there will be more."""

    limit: Limit
    remaining: int
    resets_at: int


class Verdict(Struct, frozen=True, kw_only=True):
    """Whether a call may be made. ``retry_at`` (ms) is when it could be; None when it may be made now."""

    standings: tuple[Standing, ...]
    retry_at: int | None


def count(
    limits: Sequence[Limit], known: Mapping[int, Counts], now: int
) -> tuple[Verdict, dict[int, Counts]]:
    """Decide on one call, and count it if it may be made: in all of the limits' windows, or in none.

    ``known`` are the counts by the length of their window, in seconds; so is what comes back.
    """
    counts = {limit.seconds: _live(known.get(limit.seconds, ()), limit, now) for limit in limits}
    standings = [_standing(limit, counts[limit.seconds], now) for limit in limits]
    full = [standing.resets_at for standing in standings if not standing.remaining]
    if full:
        return Verdict(standings=tuple(standings), retry_at=max(full)), dict(known)
    after = {limit.seconds: _add(counts[limit.seconds], _step(limit, now)) for limit in limits}
    left = [
        replace(_standing(limit, after[limit.seconds], now), remaining=standing.remaining - 1)
        for limit, standing in zip(limits, standings, strict=True)
    ]
    return Verdict(standings=tuple(left), retry_at=None), {**known, **after}


def encode(counts: Counts) -> str:
    """Counts as the store keeps them."""
    return msgspec.json.encode(counts).decode()


def decode(text: str) -> Counts:
    """Counts from what the store keeps."""
    return _decode(text)


def _width(limit: Limit) -> int:
    """The length of a step, in milliseconds."""
    return limit.seconds * 1000 // _STEPS


def _step(limit: Limit, now: int) -> int:
    return now // _width(limit)


def _live(counts: Counts, limit: Limit, now: int) -> Counts:
    """Those that still count: a call may have been made at the very end of its step."""
    oldest = _step(limit, now) - _STEPS
    return tuple(each for each in counts if each[0] >= oldest)


def _add(counts: Counts, step: int) -> Counts:
    # A clock that went back, or another machine's: what was counted in a later step stays there.
    if counts and counts[-1][0] >= step:
        return (*counts[:-1], (counts[-1][0], counts[-1][1] + 1))
    return (*counts, (step, 1))


def _standing(limit: Limit, counts: Counts, now: int) -> Standing:
    used = sum(calls for _, calls in counts)
    over = max(1, used - limit.count + 1)  # so many must have gone before there is more than now
    resets_at, gone = now, 0
    for step, calls in counts:
        gone += calls
        resets_at = (step + _STEPS + 1) * _width(limit)
        if gone >= over:
            break
    return Standing(limit=limit, remaining=max(0, limit.count - used), resets_at=resets_at)
