"""How much one worker does at once: places, shared so that no upstream keeps all of them."""

from collections.abc import Sequence

from .states import Event


class Places:
    """Counts what is under way for each duty and upstream.

    An upstream that hangs keeps its places until its calls time out. So none may take more places than it
    leaves free: the first gets half of them at most, the next half of the rest, and one that answers always
    finds some.
    """

    def __init__(self) -> None:
        self._taken: dict[Event, dict[str, int]] = {}

    def offer(self, duty: Event, upstreams: Sequence[str], most: int) -> tuple[tuple[str, ...], int]:
        """The upstreams that may take more of ``most`` places, and how many they may take in one go."""
        taken = self._taken.get(duty, {})
        free = most - sum(taken.values())
        if len(upstreams) == 1:
            return tuple(upstreams), max(0, free)
        admitted = tuple(name for name in upstreams if taken.get(name, 0) < free)
        return admitted, min(((free - taken.get(name, 0) + 1) // 2 for name in admitted), default=0)

    def take(self, duty: Event, upstream: str, count: int) -> None:
        """Take ``count`` places; a negative one gives them back."""
        taken = self._taken.setdefault(duty, {})
        taken[upstream] = taken.get(upstream, 0) + count
