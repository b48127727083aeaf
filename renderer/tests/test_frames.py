"""Frames from several threads."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import numpy as np
import pytest

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.frames import frames_in_order
from meshapi_renderer.scene import Scratch


@dataclass
class _Counting:
    """A scene of numbers whose even frames take longer, and that counts what it has begun."""

    begun: int = 0
    threads: set[int] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        with self.lock:
            self.begun += 1
            self.threads.add(threading.get_ident())
        if index % 2 == 0:
            time.sleep(0.002)
        buffer: Bytes8 = scratch.array("frame", (4, 4, 3))
        buffer[...] = index
        return buffer


def _value(index: int, frame: Bytes8) -> tuple[int, int]:
    return index, int(frame[0, 0, 0])


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_frames_come_in_order_and_whole(threads: int) -> None:
    scene = _Counting()
    assert list(frames_in_order(scene, 40, threads, _value)) == [(index, index) for index in range(40)]
    assert len(scene.threads) <= threads


def test_no_more_than_a_few_frames_are_begun_ahead_of_the_reader() -> None:
    scene = _Counting()
    frames = frames_in_order(scene, 100, 3, _value)
    for taken in range(1, 6):
        next(frames)
        time.sleep(0.03)
        assert scene.begun <= taken + 3 + 2
    assert len(list(frames)) == 95


def test_a_failing_frame_ends_the_series_with_its_error() -> None:
    def fail_at_five(index: int, frame: Bytes8) -> int:
        if index == 5:
            raise ZeroDivisionError("frame 5")
        return index

    seen: list[int] = []
    with pytest.raises(ZeroDivisionError, match="frame 5"):
        seen.extend(frames_in_order(_Counting(), 20, 2, fail_at_five))
    assert threading.active_count() < 5


def test_threads_have_buffers_of_their_own() -> None:
    scene = _Counting()

    def check(index: int, frame: Bytes8) -> bool:
        time.sleep(0.001)
        return bool(np.all(frame == index))

    assert all(frames_in_order(scene, 60, 4, check))
