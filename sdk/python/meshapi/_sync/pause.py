"""Letting time pass, the one thing both kinds of client do with different functions."""

import time
from collections.abc import Callable
from typing import TypeAlias

Pause: TypeAlias = Callable[[float], None]


def pause(seconds: float) -> None:
    """Wait the given number of seconds."""
    time.sleep(seconds)
