"""What the server says, heard while the pipeline works: orders wait in a line, stops act at once."""

from __future__ import annotations

import os
import queue
import threading
from typing import BinaryIO

from .protocol import Garbled, Render, Stop, decode


class Inbox:
    """Reads commands in a thread. When the input ends, the server is gone or done, and so is this process."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._orders: queue.SimpleQueue[Render] = queue.SimpleQueue()
        self._stopped: set[str] = set()

    def open(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._read, daemon=True).start()

    def next(self) -> Render:
        """The next order; waits for it."""
        return self._orders.get()

    def is_stopped(self, order: str) -> bool:
        """Whether the order was told to stop."""
        return order in self._stopped

    def _read(self) -> None:
        for line in self._source:
            try:
                command = decode(line)
            except Garbled:
                continue
            if isinstance(command, Render):
                self._orders.put(command)
            elif isinstance(command, Stop):
                self._stopped.add(command.id)
        os._exit(0)  # in the middle of a step, too: nobody wants it any more
