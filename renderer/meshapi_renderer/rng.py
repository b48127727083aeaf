"""Random numbers that never change: raw PCG64 bits keyed by a hash of names.

NumPy freezes the bit stream of PCG64 but not the distributions of ``Generator`` (NumPy enhancement
proposal 19), so every distribution here is built from the raw bits. Draws are meant in resolution-free
units (fractions of the frame, counts), so that a draft shows the picture of the final.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import TypeVar, overload

import numpy as np

from meshapi_renderer.array_types import Floats

_Item = TypeVar("_Item")
_SEPARATOR = "\x1f"
_UNIT = 1.0 / (1 << 24)


def _key(parts: Sequence[object]) -> int:
    digest = hashlib.blake2b(_SEPARATOR.join(str(part) for part in parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


class Rng:
    """A stream of draws named by its parts: ``Rng("lake", 7)`` is the same stream everywhere, always."""

    __slots__ = ("_bits", "_parts")

    def __init__(self, *parts: object) -> None:
        self._parts = parts
        self._bits = np.random.PCG64(_key(parts))

    @overload
    def u(self) -> float: ...
    @overload
    def u(self, first: int, /, *shape: int) -> Floats: ...
    def u(self, *shape: int) -> float | Floats:
        """Uniform draws in [0, 1) of 24 bits: a float without a shape, a float32 array with one."""
        if not shape:
            # Scenes draw single numbers by the hundred thousand: no array for each, the same 24 bits.
            return (int(self._bits.random_raw()) >> 40) * _UNIT
        raw = np.atleast_1d(self._bits.random_raw(math.prod(shape))) >> np.uint64(40)
        return (raw.astype(np.uint32).astype(np.float32) * np.float32(_UNIT)).reshape(shape)

    @overload
    def uniform(self, low: float, high: float, /) -> float: ...
    @overload
    def uniform(self, low: float, high: float, first: int, /, *shape: int) -> Floats: ...
    def uniform(self, low: float, high: float, /, *shape: int) -> float | Floats:
        """Uniform draws in [low, high)."""
        if shape:
            return self.u(*shape) * np.float32(high - low) + np.float32(low)
        return self.u() * (high - low) + low

    @overload
    def normal(self) -> float: ...
    @overload
    def normal(self, first: int, /, *shape: int) -> Floats: ...
    def normal(self, *shape: int) -> float | Floats:
        """Draws of mean 0 and variance 1, close to normal: the sum of four uniforms, never beyond 3.47."""
        if shape:
            total = self.u(*shape) + self.u(*shape) + self.u(*shape) + self.u(*shape)
            return (total - np.float32(2)) * np.float32(math.sqrt(3))
        return (self.u() + self.u() + self.u() + self.u() - 2.0) * math.sqrt(3)

    def integer(self, count: int) -> int:
        """One integer in [0, count)."""
        return int(self.u() * count) % count

    def pick(self, items: Sequence[_Item]) -> _Item:
        """One of the items, all equally likely."""
        return items[self.integer(len(items))]

    def sign(self) -> float:
        """-1.0 or 1.0."""
        return -1.0 if self.u() < 0.5 else 1.0

    def sub(self, name: str) -> Rng:
        """The named stream below this one; the same however much was drawn here before."""
        return Rng(*self._parts, name)

    def fork(self) -> Rng:
        """A new stream keyed by this one's next draw.

        For code that must use up exactly one draw whatever the picture's size.
        """
        return Rng(*self._parts, "fork", int(self._bits.random_raw()))
