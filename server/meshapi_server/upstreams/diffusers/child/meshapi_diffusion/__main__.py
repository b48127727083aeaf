"""``python -m meshapi_diffusion FOLDER DEVICE``: load a pipeline, serve orders until the input ends."""

from __future__ import annotations

import importlib
import os
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from .inbox import Inbox
from .pipeline import Halted, LoadedPipeline, Refused, Unusable
from .protocol import Done, Event, Failed, Ready, Render, Step, Stopped, encode

_NICENESS = 5


class Outbox:
    """Writes events, each whole. A reader that has gone away is no error: the input tells of it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, event: Event) -> None:
        """Write one event."""
        line = encode(event)
        with self._lock:
            try:
                while line:
                    line = line[os.write(self._descriptor, line) :]
            except BrokenPipeError:
                return


def main(arguments: list[str]) -> int:
    """Serve until the input ends; 1 when the pipeline cannot be loaded or memory ran out."""
    folder, device = arguments
    outbox = Outbox(_claim_output())
    inbox = Inbox(sys.stdin.buffer)
    inbox.open()
    try:
        pipeline = LoadedPipeline(Path(folder), device)
    except Exception as fault:  # noqa: BLE001 - whatever it was, the server must be told
        traceback.print_exc()
        outbox.send(Failed(None, "not_loaded", _described(fault)))
        return 1
    outbox.send(Ready(pipeline.name, pipeline.device))
    while True:
        event = _render(pipeline, inbox.next(), inbox, outbox)
        outbox.send(event)
        if isinstance(event, Failed) and event.code == "out_of_memory":
            return 1  # what is left of the memory is in pieces; a new process begins anew


def _render(pipeline: LoadedPipeline, order: Render, inbox: Inbox, outbox: Outbox) -> Event:
    def halted() -> bool:
        return inbox.is_stopped(order.id)

    try:
        if halted():
            raise Halted
        clip = pipeline.frames(order, lambda done, total: outbox.send(Step(order.id, done, total)), halted)
        _write(clip, Path(order.output))
    except Halted:
        return Stopped(order.id)
    except Refused as fault:
        return Failed(order.id, "refused", str(fault))
    except Unusable as fault:
        return Failed(order.id, "broken", str(fault))
    except Exception as fault:  # noqa: BLE001 - whatever it was, the server must be told
        traceback.print_exc()
        memory = pipeline.is_out_of_memory(fault)
        return Failed(order.id, "out_of_memory" if memory else "broken", _described(fault))
    frames, height, width, _ = clip.shape
    return Done(order.id, width, height, frames)


def _write(clip: Any, path: Path) -> None:
    """Frame by frame, so that no second copy of the whole video is in memory."""
    numpy: Any = importlib.import_module("numpy")
    with path.open("wb") as file:
        for frame in clip:
            file.write(numpy.rint(numpy.clip(frame, 0, 1) * 255).astype(numpy.uint8).tobytes())


def _claim_output() -> int:
    """Keep standard output for events: whatever a library prints goes to standard error instead."""
    sys.stdout.flush()
    descriptor = os.dup(1)
    os.dup2(2, 1)
    if hasattr(os, "nice"):
        os.nice(_NICENESS)  # the API that started us comes first
    return descriptor


def _described(fault: BaseException) -> str:
    return f"{type(fault).__name__}: {fault}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
