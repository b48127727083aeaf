"""How plants lean in the wind: slow gusts with a quicker tremble, a different one for every plane."""

from __future__ import annotations

import math

from meshapi_renderer.rng import Rng

_LEAN = 0.0085


class Gusts:
    """The lean of one plane of plants over time."""

    def __init__(self, rng: Rng, wind: float) -> None:
        """``wind`` 1 is a light breeze."""
        self._wind = min(wind, 2.5)
        self._slow = rng.uniform(1.2, 1.6)
        self._quick = rng.uniform(3.2, 4.2)
        self._phase, self._tremble = rng.u() * math.tau, rng.u() * math.tau

    def lean(self, seconds: float) -> float:
        """Pixels to the right per pixel of height at that moment."""
        gust = math.sin(self._slow * seconds + self._phase)
        tremble = 0.45 * math.sin(self._quick * seconds + self._tremble)
        return _LEAN * self._wind * (gust + tremble)
