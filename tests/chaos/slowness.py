"""How busy the machine is while something is measured: a promise in seconds needs a machine with the time."""

import contextlib
import threading
import time
from collections.abc import Iterator

_BURN = 0.005  # s of CPU in one sample
_REST = 0.02  # s


class Slowness:
    """``factor`` is how much longer than its CPU time some work took meanwhile; 1 on an idle machine."""

    def __init__(self) -> None:
        self._wall = self._cpu = 0.0
        self._over = threading.Event()

    @property
    def factor(self) -> float:
        """At least 1."""
        return max(1.0, self._wall / self._cpu) if self._cpu else 1.0

    @contextlib.contextmanager
    def measured(self) -> Iterator[None]:
        """Sample the machine while the block runs."""
        thread = threading.Thread(target=self._sample, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _sample(self) -> None:
        while not self._over.wait(_REST):
            wall, cpu = time.perf_counter(), time.thread_time()
            while time.thread_time() - cpu < _BURN:
                pass
            self._wall += time.perf_counter() - wall
            self._cpu += time.thread_time() - cpu
