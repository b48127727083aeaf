"""Letting time pass, the one thing both kinds of client do with different functions."""

import asyncio


async def pause(seconds: float) -> None:
    """Wait the given number of seconds."""
    await asyncio.sleep(seconds)
