"""How feet go: on the ground they stay behind as the body moves on, then swing forward."""

from __future__ import annotations

import math

STANCE = 0.6
"""Share of a cycle in which a foot stands."""


def foot(phase: float, reach: float, lift: float) -> tuple[float, float]:
    """Place of a foot below its hip, forward and up, at ``phase`` of its cycle (0 = heel strikes)."""
    share = phase % 1.0
    if share < STANCE:
        return reach * (1.0 - 2.0 * share / STANCE), 0.0
    swing = (share - STANCE) / (1.0 - STANCE)
    eased = swing * swing * (3.0 - 2.0 * swing)
    return reach * (2.0 * eased - 1.0), lift * math.sin(math.pi * swing)


def way_per_cycle(reach: float) -> float:
    """How far the body moves in one cycle, so that standing feet do not slide."""
    return 2.0 * reach / STANCE
