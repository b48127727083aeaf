"""Independent parts of a scene, made side by side before its first frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

_Baked = TypeVar("_Baked")
_THREADS: Final = 2
"""A job draws on two threads by default; more would hold too many unfinished parts in memory."""


def side_by_side(parts: Sequence[Callable[[], _Baked]]) -> list[_Baked]:
    """What every part returns, in their order; the first error of a part is raised.

    Parts must not share random streams or change what others read: then the result does not depend on
    how the threads take turns. NumPy and OpenCV let other threads run while they work on large arrays.
    """
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="baking") as pool:
        return [future.result() for future in [pool.submit(part) for part in parts]]
