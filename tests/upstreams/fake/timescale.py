"""A clock that can be sped up, stopped and moved forward."""

import time
from collections.abc import Callable


class Timescale:
    """Seconds since the Unix epoch, ``speed`` times as fast as real ones; 0 stands still."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._origin = time.time()
        self._since = time.monotonic()
        self._watchers: list[Callable[[], None]] = []

    @property
    def speed(self) -> float:
        return self._speed

    def __call__(self) -> float:
        return self._origin + (time.monotonic() - self._since) * self._speed

    def set_speed(self, speed: float) -> None:
        """From now on, time passes this fast."""
        self._origin, self._since, self._speed = self(), time.monotonic(), speed
        self._tell()

    def advance(self, seconds: float) -> None:
        """Jump ahead."""
        self._origin += seconds
        self._tell()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call ``watcher`` after every jump and change of speed."""
        self._watchers.append(watcher)

    def _tell(self) -> None:
        for watcher in self._watchers:
            watcher()
