"""Which upstreams are worth asking just now: a circuit breaker for each, in one worker's memory.

It only chooses between routes: a task with nowhere else to go is sent all the same, and what an upstream is
owed or has accepted is never touched. After M. Nygard, "Release It!", chapter "Stability Patterns".
"""

from dataclasses import dataclass

from .clock import Clock

TRIPS_AFTER = 5  # failures in a row
SHORTEST_REST = 10_000  # ms
LONGEST_REST = 300_000


@dataclass
class _Circuit:
    failures: int = 0
    rest: int = 0  # ms of the rest that is under way, or was the last one
    rests_until: int = 0


class Health:
    """Counts failures in a row. An upstream that rests is asked again by one task when its rest is over."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._circuits: dict[str, _Circuit] = {}

    def rests(self, upstream: str) -> bool:
        """Whether other routes are preferred. When the rest is over, one caller gets False: the probe."""
        circuit = self._circuits.get(upstream)
        if circuit is None or circuit.failures < TRIPS_AFTER:
            return False
        now = self._clock()
        if now < circuit.rests_until:
            return True
        circuit.rests_until = now + circuit.rest  # whoever asks meanwhile waits for what the probe finds
        return False

    def answered(self, upstream: str) -> None:
        """It accepted or refused a task: it works."""
        self._circuits.pop(upstream, None)

    def failed(self, upstream: str) -> None:
        """It could not be reached, did not serve, or its answer was lost."""
        circuit = self._circuits.setdefault(upstream, _Circuit())
        circuit.failures += 1
        if circuit.failures >= TRIPS_AFTER:
            circuit.rest = min(LONGEST_REST, circuit.rest * 2 or SHORTEST_REST)
            circuit.rests_until = self._clock() + circuit.rest
