"""Sets of allowed values, how they read in a message, and which member is nearest to a refused one.

Everything here is arithmetic on values; which sets a model has is its card's business.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

ADAPTIVE = "adaptive"
"""The ratio that follows the input image instead of naming width and height."""

_LINES = re.compile(r"^(\d+)p$")
_THOUSANDS = re.compile(r"^(\d+)k$")
_RATIO = re.compile(r"^(\d+):(\d+)$")
_LINES_OF_2K = 1440
_LINES_PER_K = 540
_FEW = 4


class Span(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole numbers ``min``, ``min + step``, ... up to and including ``max``."""

    min: int
    max: int
    step: int = 1

    def __post_init__(self) -> None:
        if self.step < 1:
            raise ValueError(f"step is {self.step}; it must be at least 1")
        if self.max < self.min:
            raise ValueError(f"max {self.max} is below min {self.min}")
        if (self.max - self.min) % self.step:
            raise ValueError(f"max {self.max} is not reached from min {self.min} in steps of {self.step}")

    def __contains__(self, value: int) -> bool:
        return self.min <= value <= self.max and (value - self.min) % self.step == 0

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.min, self.max + 1, self.step))

    def __len__(self) -> int:
        return (self.max - self.min) // self.step + 1


Numbers = Span | tuple[int, ...]
"""Allowed whole numbers: a range, or a list in which the card's author says each one."""


def nearest_number(value: int, allowed: Iterable[int]) -> int:
    """The allowed number closest to ``value``; of two equally close ones the smaller (the cheaper)."""
    return min(allowed, key=lambda number: (abs(number - value), number))


def lines(resolution: str) -> int | None:
    """The number of picture lines a resolution's name stands for; ``None`` for a name of no known form."""
    spelling = resolution.strip().lower()
    if spelling == "2k":
        return _LINES_OF_2K
    if match := _LINES.match(spelling):
        return int(match.group(1))
    if match := _THOUSANDS.match(spelling):
        return int(match.group(1)) * _LINES_PER_K
    return None


def nearest_resolution(value: str, allowed: Sequence[str]) -> str | None:
    """The allowed resolution with the closest number of lines; ``None`` where that cannot be told."""
    wanted = lines(value)
    ranked = [
        (abs(height - wanted), height, name) for name, height in _with_lines(allowed) if wanted is not None
    ]
    return min(ranked)[2] if ranked else None


def nearest_ratio(value: str, allowed: Sequence[str]) -> str | None:
    """The allowed ratio of the closest shape; ``None`` where that cannot be told."""
    wanted = shape(value)
    ranked = [
        (abs(math.log(form / wanted)), name)
        for name in allowed
        if wanted is not None and (form := shape(name)) is not None
    ]
    return min(ranked)[1] if ranked else None


def shape(ratio: str) -> float | None:
    """Width divided by height; ``None`` for ``adaptive`` and for anything that is not ``W:H``."""
    match = _RATIO.match(ratio)
    if match is None:
        return None
    width, height = int(match.group(1)), int(match.group(2))
    return width / height if width and height else None


def spell_numbers(allowed: Numbers) -> str:
    """``4 to 15``, ``29 to 289 in steps of 4`` or ``4, 6, 8``: the set as a message says it."""
    values = tuple(allowed)
    steps = {after - before for before, after in pairwise(values)}
    if len(values) < _FEW or len(steps) > 1:
        return ", ".join(map(str, values))
    step = steps.pop()
    return f"{values[0]} to {values[-1]}" + ("" if step == 1 else f" in steps of {step}")


def _with_lines(names: Iterable[str]) -> Iterator[tuple[str, int]]:
    for name in names:
        height = lines(name)
        if height is not None:
            yield name, height
