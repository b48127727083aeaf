"""A clock that stands still until it is moved, and chance that is no chance."""

from dataclasses import dataclass

from meshapi._exchange import Ambient


@dataclass
class FakeAmbient:
    """Time in seconds; ``random`` is what chance says each time."""

    now: float = 1_785_585_600.0
    random: float = 0.0
    elapsed: float = 0.0

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self.elapsed += seconds

    def value(self) -> Ambient:
        """What decisions are given."""
        return Ambient(lambda: self.elapsed, lambda: self.now + self.elapsed, lambda: self.random)
