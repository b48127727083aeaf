"""Who is told when a task changes: in-process subscriptions, and a bell for the worker.

A hint, never the truth: a subscriber reads the store first and after any gap.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from .task import Task


class Changes:
    """Fan-out of task snapshots to those who wait for one task. Belongs to one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Queue[Task]]] = {}
        self._bell = asyncio.Event()

    def publish(self, task: Task) -> None:
        """Hand a new snapshot to everyone subscribed to the task."""
        for queue in self._waiting.get(task.id, ()):
            queue.put_nowait(task)

    @contextmanager
    def subscribe(self, task_id: str) -> Iterator[asyncio.Queue[Task]]:
        """A queue of the snapshots published while the block runs."""
        queue: asyncio.Queue[Task] = asyncio.Queue()
        self._waiting.setdefault(task_id, set()).add(queue)
        try:
            yield queue
        finally:
            waiting = self._waiting[task_id]
            waiting.discard(queue)
            if not waiting:
                del self._waiting[task_id]

    def ring(self) -> None:
        """Tell the worker that there is something to claim."""
        self._bell.set()

    async def wait(self, seconds: float) -> None:
        """Until the bell rings or ``seconds`` have passed."""
        try:
            await asyncio.wait_for(self._bell.wait(), seconds)
        except TimeoutError:
            return
        finally:
            self._bell.clear()
