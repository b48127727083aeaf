"""Who is told when a task changes: in-process subscriptions, a bell for the worker, word to other processes.

A hint, never the truth: a subscriber reads the store first and after any gap.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .ports import Hints
from .task import Task

News = Task | None
"""A new snapshot, or None: something changed, look yourself."""


class Changes:
    """Fan-out of task snapshots to those who wait for one task. Belongs to one event loop.

    ``hints`` carries word to and from other processes on the same store, where there are any.
    """

    def __init__(self, hints: Hints | None = None) -> None:
        self._waiting: dict[str, set[asyncio.Queue[News]]] = {}
        self._bell = asyncio.Event()
        self._ended: Callable[[], None] = lambda: None
        self._hints = hints
        self.closed = False
        if hints is not None:
            hints.listen(self._heard, self._bell.set)

    def publish(self, task: Task) -> None:
        """Hand a new snapshot to everyone subscribed to the task."""
        for queue in self._waiting.get(task.id, ()):
            queue.put_nowait(task)
        if task.ended:
            self._ended()
        if self._hints is not None:
            self._hints.announce(task.id)

    def when_ended(self, call: Callable[[], None]) -> None:
        """Call this whenever a task that ended is published here: callbacks are due."""
        self._ended = call

    def close(self) -> None:
        """Let everyone who waits go: nothing will be told here any more."""
        self.closed = True
        for queues in self._waiting.values():
            for queue in queues:
                queue.put_nowait(None)

    def _heard(self, task_id: str) -> None:
        for queue in self._waiting.get(task_id, ()):
            queue.put_nowait(None)

    @contextmanager
    def subscribe(self, task_id: str) -> Iterator[asyncio.Queue[News]]:
        """A queue of what is published while the block runs."""
        queue: asyncio.Queue[News] = asyncio.Queue()
        self._waiting.setdefault(task_id, set()).add(queue)
        try:
            yield queue
        finally:
            waiting = self._waiting[task_id]
            waiting.discard(queue)
            if not waiting:
                del self._waiting[task_id]

    def ring(self) -> None:
        """Tell the workers that there is something to claim."""
        self._bell.set()
        if self._hints is not None:
            self._hints.ring()

    def ring_here(self) -> None:
        """Tell this process's worker only: a place of its own became free."""
        self._bell.set()

    async def wait(self, seconds: float) -> None:
        """Until the bell rings or ``seconds`` have passed."""
        try:
            async with asyncio.timeout(seconds):
                await self._bell.wait()
        except TimeoutError:
            return
        finally:
            self._bell.clear()
