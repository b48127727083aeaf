"""Baked picture planes: premultiplied 8-bit colour with inverse alpha, drawn under an affine map.

A frame is a stack of layers, far to near. Each layer knows, column by column, where it starts and from
which row it is opaque down to its end, so drawing touches only the silhouette with a blend, copies below
it, and skips what nearer layers hide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from meshapi_renderer.array_types import Bytes8, Floats, Integers
from meshapi_renderer.colour import to8

_STRIPS = 12
"""Columns of the frame, at most, that are clipped apart from each other while drawing."""
_VECTOR = 16
"""OpenCV warps so many pixels of a row at a time, and what is left over several times more slowly."""
_BLOCKS = 64
"""Columns of a layer whose first and last rows are kept as one."""


def strip_edges(width: int) -> list[int]:
    """The columns at which the strips of a frame begin, and the width as the last."""
    strips = max(1, min(_STRIPS, width // _VECTOR))
    return [*(round(i * width / (strips * _VECTOR)) * _VECTOR for i in range(strips)), width]


class Layer:
    """One plane of the picture, larger than the frame by ``margin`` pixels on every side."""

    __slots__ = (
        "_first", "_height", "_last", "_open", "_pixels", "_solid", "_top", "_width", "depth", "margin",
    )  # fmt: skip

    def __init__(self, colour: Bytes8, inverse_alpha: Bytes8, depth: float, margin: int) -> None:
        """``colour`` is premultiplied, (h, w, 3); ``inverse_alpha`` is 255 where nothing is, (h, w)."""
        self.depth = depth
        self.margin = margin
        self._height, self._width = inverse_alpha.shape
        first, last, solid = _columns(inverse_alpha)
        # Block i holds the columns c with floor(c * blocks / width) == i, as _rows reckons.
        edges = -(-np.arange(_BLOCKS) * self._width // _BLOCKS)
        self._first: list[int] = np.minimum.reduceat(first, edges).tolist()
        self._last: list[int] = np.maximum.reduceat(last, edges).tolist()
        self._solid: list[int] = np.maximum.reduceat(solid, edges).tolist()
        gaps = inverse_alpha > 0
        opened = np.where(gaps.any(0), gaps.argmax(0), self._height)
        self._open: list[int] = np.minimum.reduceat(opened, edges).tolist()
        self._top = min(min(self._first), self._height - 1)
        end = max(max(self._last), self._top + 1)
        # Four channels travel together: OpenCV moves them in less than half the time of three.
        self._pixels = np.dstack([colour[self._top : end], inverse_alpha[self._top : end]])

    @classmethod
    def from_linear(cls, lin: Floats, alpha: Floats, depth: float, margin: int, tone: bool = True) -> Layer:
        """A layer of linear colour (h, w, 3), not premultiplied, with coverage ``alpha`` (h, w) in [0, 1]."""
        coverage = np.clip(alpha, 0, 1)
        colour = to8(lin, tone)
        premultiplied = (colour * coverage[..., None] + np.float32(0.5)).astype(np.uint8)
        inverse = 255 - (coverage * np.float32(255) + np.float32(0.5)).astype(np.uint8)
        return cls(premultiplied, inverse, depth, margin)

    def draw(self, destination: Bytes8, matrix: Floats, hidden: Sequence[int] | None = None) -> None:
        """Blend the layer over ``destination`` in place under a 2x3 map of layer to frame pixels.

        The map may scale, shift and lean sideways, not turn. ``hidden`` gives, per strip, the frame row
        from which nearer layers cover everything; nothing is drawn there.
        """
        height, width = destination.shape[:2]
        for strip, (left, right) in enumerate(pairwise(strip_edges(width))):
            floor = height if hidden is None else min(height, hidden[strip])
            first, solid, last = self._rows(matrix, left, right)
            top, bottom = max(0, first), min(floor, last)
            middle = min(max(solid, top), bottom)
            if top < middle:
                self._blend(destination[top:middle, left:right], matrix, left, top)
            if middle < bottom:
                self._copy(destination[middle:bottom, left:right], matrix, left, middle)

    def solid_from(self, matrix: Floats, width: int, height: int) -> list[int]:
        """Per strip, the frame row from which the layer is opaque to the bottom; ``height`` where never."""
        rows = []
        for left, right in pairwise(strip_edges(width)):
            _, solid, last = self._rows(matrix, left, right)
            rows.append(solid if last >= height else height)
        return rows

    def opaque_down_to(self, matrix: Floats, width: int, row: int) -> list[bool]:
        """Per strip, whether the layer is opaque from the frame's top down to ``row``."""
        vertical, shift_y = float(matrix[1, 1]), float(matrix[1, 2])
        if math.ceil(shift_y) + 1 > 0:
            return [False] * (len(strip_edges(width)) - 1)
        return [
            math.floor(vertical * min(self._open[slice(*self._blocks(matrix, left, right))]) + shift_y) - 1
            >= row
            for left, right in pairwise(strip_edges(width))
        ]

    def _rows(self, matrix: Floats, left: int, right: int) -> tuple[int, int, int]:
        """(first painted row, first opaque row, row after the last) in the frame, for frame columns."""
        begin, end = self._blocks(matrix, left, right)
        vertical, shift_y = float(matrix[1, 1]), float(matrix[1, 2])
        first = math.floor(vertical * min(self._first[begin:end]) + shift_y) - 1
        solid = math.ceil(vertical * max(self._solid[begin:end]) + shift_y) + 1
        last = math.ceil(vertical * max(self._last[begin:end]) + shift_y) + 1
        return first, solid, last

    def _blocks(self, matrix: Floats, left: int, right: int) -> tuple[int, int]:
        """The blocks of the layer's columns that fall on frame columns."""
        scale, shift_x = float(matrix[0, 0]), float(matrix[0, 2])
        per_block = self._width / _BLOCKS
        lean = float(matrix[0, 1]) * self._height
        begin = math.floor(((left - shift_x - max(0.0, lean)) / scale - 2) / per_block)
        end = math.ceil(((right - shift_x - min(0.0, lean)) / scale + 3) / per_block)
        begin = min(max(0, begin), _BLOCKS - 1)
        end = max(min(_BLOCKS, end), begin + 1)
        return begin, end

    def _blend(self, window: Bytes8, matrix: Floats, left: int, top: int) -> None:
        moved = self._moved(matrix, left, top, window, cv2.BORDER_CONSTANT)
        inverse = cv2.cvtColor(cv2.extractChannel(moved, 3), cv2.COLOR_GRAY2RGB)
        cv2.multiply(window, inverse, window, 1 / 255.0)
        cv2.add(window, cv2.cvtColor(moved, cv2.COLOR_RGBA2RGB), window)

    def _copy(self, window: Bytes8, matrix: Floats, left: int, top: int) -> None:
        moved = self._moved(matrix, left, top, window, cv2.BORDER_REPLICATE)
        cv2.cvtColor(moved, cv2.COLOR_RGBA2RGB, window)

    def _moved(self, matrix: Floats, left: int, top: int, window: Bytes8, border: int) -> Bytes8:
        """The part of the layer that falls on the frame window whose corner is (left, top), (h, w, 4)."""
        source = self._pixels
        rows, columns = window.shape[:2]
        scale = float(matrix[0, 0])
        lean = float(matrix[0, 1])
        shift_x = float(matrix[0, 2]) + lean * self._top - left
        shift_y = float(matrix[1, 2]) + scale * self._top - top
        if scale == 1.0 and lean == 0.0 and shift_x == round(shift_x) and shift_y == round(shift_y):
            x, y = -round(shift_x), -round(shift_y)
            fits = x + columns <= source.shape[1] and y + rows <= source.shape[0]
            if x >= 0 and y >= 0 and fits:
                return source[y : y + rows, x : x + columns]
        local = np.array([[scale, lean, shift_x], [0.0, scale, shift_y]])
        return np.asarray(
            cv2.warpAffine(
                source,
                local,
                (columns, rows),
                flags=cv2.INTER_LINEAR,
                borderMode=border,
                borderValue=(0, 0, 0, 255),
            ),
            np.uint8,
        )


def _columns(inverse_alpha: Bytes8) -> tuple[Integers, Integers, Integers]:
    """Per column: first painted row, row after the last, and row from which it is opaque to the layer's end.

    A column that ends before the others do is opaque nowhere: below it, something else may show.
    """
    height = inverse_alpha.shape[0]
    painted = inverse_alpha < 255
    any_painted = painted.any(0)
    first = np.where(any_painted, painted.argmax(0), height)
    last = np.where(any_painted, height - painted[::-1].argmax(0), 0)
    end = max(int(last.max()), 1)
    gaps = inverse_alpha[:end] > 0
    solid = np.where(gaps.any(0), end - gaps[::-1].argmax(0), 0)
    return first, last, np.where(last == end, solid, height)


def swayed(matrix: Floats, lean: float, pivot_row: float) -> Floats:
    """``matrix`` leaning sideways about a row of the layer: what stands above it moves, its foot does not.

    ``lean`` is pixels to the right per pixel above the pivot.
    """
    leaning = matrix.copy()
    scale = float(matrix[0, 0])
    leaning[0, 1] = -lean * scale
    leaning[0, 2] += lean * scale * pivot_row
    return leaning


def draw_stack(destination: Bytes8, stack: Sequence[tuple[Layer, Floats]]) -> None:
    """Draw (layer, matrix) pairs, far to near, skipping what nearer ones hide."""
    for (layer, matrix), hidden in zip(stack, hidden_rows(destination, stack), strict=True):
        layer.draw(destination, matrix, hidden)


def hidden_rows(destination: Bytes8, stack: Sequence[tuple[Layer, Floats]]) -> list[list[int]]:
    """For every layer of a stack, far to near: per strip, the row from which nearer layers hide it."""
    height, width = destination.shape[:2]
    lowest = [height] * (len(strip_edges(width)) - 1)
    hidden: list[list[int]] = []
    for layer, matrix in reversed(stack):
        hidden.append(list(lowest))
        solid = layer.solid_from(matrix, width, height)
        lowest = [min(a, b) for a, b in zip(lowest, solid, strict=True)]
    return hidden[::-1]


def covered_from(destination: Bytes8, stack: Sequence[tuple[Layer, Floats]]) -> int:
    """The row from which the layers of a stack cover the whole width: nothing behind them shows there."""
    height, width = destination.shape[:2]
    lowest = [height] * (len(strip_edges(width)) - 1)
    for layer, matrix in stack:
        solid = layer.solid_from(matrix, width, height)
        lowest = [min(a, b) for a, b in zip(lowest, solid, strict=True)]
    return int(max(lowest))


def open_columns(destination: Bytes8, stack: Sequence[tuple[Layer, Floats]], row: int) -> slice:
    """The columns in which something behind a stack may show above ``row``; all others are covered there."""
    edges = strip_edges(destination.shape[1])
    covered = [False] * (len(edges) - 1)
    for layer, matrix in stack:
        opaque = layer.opaque_down_to(matrix, destination.shape[1], row)
        covered = [one or other for one, other in zip(covered, opaque, strict=True)]
    shown = [strip for strip, hidden in enumerate(covered) if not hidden]
    return slice(edges[shown[0]], edges[shown[-1] + 1]) if shown else slice(0, 0)
