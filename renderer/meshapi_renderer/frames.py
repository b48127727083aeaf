"""Frames in order from several threads, never more than a few at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.scene import Scene, Scratch

_Finished = TypeVar("_Finished")
_AHEAD: Final = 2


def frames_in_order(
    scene: Scene, count: int, threads: int, finish: Callable[[int, Bytes8], _Finished]
) -> Iterator[_Finished]:
    """Yield `finish(index, frame)` for frames 0..count in order.

    Both the drawing and `finish` run on worker threads; `finish` may change the frame but must not
    keep it, because it is a buffer of its thread. At most `threads` + 2 frames exist at once. Frames
    are pure functions of their index, so the number of threads changes nothing but the time taken.
    """
    buffers = threading.local()

    def draw(index: int) -> _Finished:
        if not hasattr(buffers, "scratch"):
            buffers.scratch = Scratch()
        return finish(index, scene.frame(index, buffers.scratch))

    pool = ThreadPoolExecutor(threads, thread_name_prefix="frames")
    waiting: deque[Future[_Finished]] = deque()
    try:
        for index in range(count):
            if len(waiting) >= threads + _AHEAD:
                yield waiting.popleft().result()
            waiting.append(pool.submit(draw, index))
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
