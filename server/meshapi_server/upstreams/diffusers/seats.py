"""Who sits where: one child on each device, its pipeline kept loaded until another needs the place."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import structlog

from .process import Child, ChildDied

log = structlog.get_logger("meshapi.diffusers")

_STOP_SECONDS = 30.0
"""How long a stopped order may need to its next step; then the child is killed and loads anew."""


class Seat:
    """A device, and the child on it."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.taken = False
        self.folder: Path | None = None
        self.child: Child | None = None

    def holds(self, folder: Path) -> bool:
        """Whether that folder's pipeline is loaded here."""
        return self.child is not None and self.child.alive and self.folder == folder

    async def seated(self, python: str, folder: Path) -> Child:
        """The child with that folder's pipeline; another one is ended first, and all its memory freed."""
        if not self.holds(folder):
            await self.clear()
            self.child, self.folder = await Child.start(python, folder, self.device), folder
        if self.child is None:
            raise ChildDied("the child was ended while it was started")
        return self.child

    async def clear(self, *, at_once: bool = False) -> None:
        """End the child, if there is one."""
        child, self.child, self.folder = self.child, None, None
        if child is not None:
            await child.end(at_once=at_once)


class Seats:
    """The seats of one server. ``idle`` (s) is how long a child without orders stays."""

    def __init__(self, python: str, devices: tuple[str, ...], idle: float) -> None:
        self._python = python
        self._idle = idle
        self._seats = [Seat(device) for device in devices]
        self._freed = asyncio.Condition()
        self._alarms: dict[Seat, asyncio.TimerHandle] = {}
        self._settling: set[asyncio.Task[None]] = set()
        self._closed = False

    @contextlib.asynccontextmanager
    async def child(self, folder: Path) -> AsyncIterator[Child]:
        """A child with that folder's pipeline, for one order; waits for a free seat.

        The pipeline may still be loading. An order that is left unfinished is stopped; until it has ended,
        nobody else gets the seat.
        """
        seat = await self._take(folder)
        try:
            yield await seat.seated(self._python, folder)
        finally:
            # In a task of its own: whoever was cancelled here does not wait for the end of a step.
            settling = asyncio.create_task(self._settle(seat))
            self._settling.add(settling)
            settling.add_done_callback(self._settling.discard)

    async def close(self) -> None:
        """End every child now."""
        self._closed = True
        for alarm in self._alarms.values():
            alarm.cancel()
        await asyncio.gather(*(seat.clear(at_once=True) for seat in self._seats))
        await asyncio.gather(*self._settling, return_exceptions=True)

    async def _take(self, folder: Path) -> Seat:
        async with self._freed:
            while not (free := [seat for seat in self._seats if not seat.taken]):
                await self._freed.wait()
            # One that has the pipeline, else an empty one, else one whose pipeline has to go.
            seat = min(free, key=lambda each: (not each.holds(folder), each.child is not None))
            seat.taken = True
        alarm = self._alarms.pop(seat, None)
        if alarm is not None:
            alarm.cancel()
        return seat

    async def _settle(self, seat: Seat) -> None:
        child = seat.child
        try:
            if child is not None and child.busy:
                async with asyncio.timeout(_STOP_SECONDS):
                    await child.stop()
            if child is not None and not child.alive:
                await seat.clear()
        except (ChildDied, TimeoutError):
            await seat.clear(at_once=True)
        finally:
            async with self._freed:
                seat.taken = False
                self._freed.notify_all()
            if not self._closed and seat.child is not None:
                loop = asyncio.get_running_loop()
                self._alarms[seat] = loop.call_later(self._idle, self._unload, seat)

    def _unload(self, seat: Seat) -> None:
        self._alarms.pop(seat, None)
        if not seat.taken:
            seat.taken = True  # until the child is gone
            unloading = asyncio.create_task(self._empty(seat))
            self._settling.add(unloading)
            unloading.add_done_callback(self._settling.discard)

    async def _empty(self, seat: Seat) -> None:
        log.info("model unloaded", folder=str(seat.folder), device=seat.device)
        await seat.clear()
        await self._settle(seat)
