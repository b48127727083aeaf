"""Letting time pass, the one thing both kinds of client do with different functions."""

import time


def pause(seconds: float) -> None:
    """Wait the given number of seconds."""
    time.sleep(seconds)
