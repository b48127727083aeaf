"""Letting time pass, the one thing both kinds of client do with different functions."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

Pause: TypeAlias = Callable[[float], Awaitable[None]]


async def pause(seconds: float) -> None:
    """Wait the given number of seconds."""
    await asyncio.sleep(seconds)
