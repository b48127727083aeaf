"""When the waves of a shore come: the one clock of its picture and its sound."""

from __future__ import annotations

import math

PERIOD = 5.0
"""Seconds between two waves."""
SETS = 3
"""So many waves are on their way at once."""


def arrival(seconds: float, index: int) -> float:
    """How far the wave ``index`` of the set has come: 0 far out, 1 when it has died on the sand."""
    return (seconds / (PERIOD * SETS) + index / SETS) % 1.0


def run_up(seconds: float) -> float:
    """How far up the sand the water stands, 0 at its lowest to 1 at its highest.

    A wave runs up quickly when it arrives and drains slowly.
    """
    share = (seconds / PERIOD + 0.10) % 1.0
    rise = 0.30
    if share < rise:
        return float(math.sin(0.5 * math.pi * share / rise) ** 1.5)
    return 0.5 + 0.5 * math.cos(math.pi * (share - rise) / (1 - rise))
