"""How a key's request limits stand, as it is told to the caller."""

from .windows import Verdict


class Admission:
    """A verdict at ``now`` (ms), in the words of the wire."""

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
        return " and ".join(f"{limit.count} per {limit.name}" for limit in full)

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
