"""How often a key may call, over any number of processes."""

from collections.abc import Sequence
from typing import Protocol

from meshapi_server.tasks.clock import Clock

from .key import Key
from .windows import Limit, Verdict


class RequestStore(Protocol):
    """Where requests are counted."""

    async def count_request(self, key_id: str, limits: Sequence[Limit], now: int) -> Verdict:
        """Count a request in all of the limits' windows, or in none if one of them is full."""
        ...


class RequestLimits:
    """Decides whether a key may call now. A key without a limit costs nothing."""

    def __init__(self, store: RequestStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def admit(self, key: Key) -> "Admission | None":
        """Count a call of the key; None when it has no limit."""
        limits = key.request_limits
        if not limits:
            return None
        now = self._clock()
        return Admission(await self._store.count_request(key.id, limits, now), now)


class Admission:
    """A verdict, in the words of the wire."""

    def __init__(self, verdict: Verdict, now: int) -> None:
        self._verdict = verdict
        self._now = now

    @property
    def retry_after(self) -> int | None:
        """Whole seconds after which the call could be made; None when it may be made now."""
        if self._verdict.retry_at is None:
            return None
        return max(1, self._seconds(self._verdict.retry_at))

    def refusal(self) -> str:
        """Which limit is used up."""
        full = [each.limit for each in self._verdict.standings if not each.remaining]
        return " and ".join(f"{limit.count} requests per {limit.name}" for limit in full)

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The RateLimit fields of draft-ietf-httpapi-ratelimit-headers-10, and the three of draft 06.

        The older ones, which more clients know, describe the limit that is nearest to its end.
        """
        standings = self._verdict.standings
        least = min(standings, key=lambda each: (each.remaining, -each.resets_at))
        policy = ", ".join(
            f'"{each.limit.name}";q={each.limit.count};w={each.limit.seconds}' for each in standings
        )
        limits = ", ".join(
            f'"{each.limit.name}";r={each.remaining};t={self._seconds(each.resets_at)}' for each in standings
        )
        fields = {
            "ratelimit-policy": policy,
            "ratelimit": limits,
            "ratelimit-limit": str(least.limit.count),
            "ratelimit-remaining": str(least.remaining),
            "ratelimit-reset": str(self._seconds(least.resets_at)),
        }
        return [(name.encode(), value.encode()) for name, value in fields.items()]

    def _seconds(self, moment: int) -> int:
        return max(0, -((self._now - moment) // 1000))
