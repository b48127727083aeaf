"""Plants that bend as the wind or the water moves them: their roots stay, waves run through their tops."""

from __future__ import annotations

import math

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import to8
from meshapi_renderer.elements.lit_tiles import Tile
from meshapi_renderer.noise import value_noise
from meshapi_renderer.rng import Rng

_STEP = 8
_SIDE = 256
_TILE = 96
_BACKWARDS = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


class SwayingSheet:
    """A baked sheet whose pixels are pushed sideways, the more the higher they stand over their root."""

    def __init__(
        self, light: Floats, alpha: Floats, bend: Floats, depth: float, margin: int, rng: Rng
    ) -> None:
        """``light`` (h, w, 3) is linear, not premultiplied; ``bend`` (h, w) is the greatest push, pixels."""
        self.depth, self.margin = depth, margin
        rows = np.nonzero((alpha > 0.004).any(1))[0]
        self._top = int(rows[0]) if len(rows) else 0
        end = int(rows[-1]) + 1 if len(rows) else 1
        columns = np.nonzero((alpha > 0.004).any(0))[0]
        spare = 3.0 * float(bend.max()) + 4
        self._left = max(0, int(columns[0] - spare)) if len(columns) else 0
        right = min(alpha.shape[1], int(columns[-1] + spare)) if len(columns) else 2
        window = np.s_[self._top : end, self._left : right]
        cover = np.clip(alpha[window], 0, 1)
        colour = (to8(light[window]) * cover[..., None] + np.float32(0.5)).astype(np.uint8)
        self._pixels = np.dstack([colour, (cover * np.float32(255) + np.float32(0.5)).astype(np.uint8)])
        push = np.ascontiguousarray(bend[window], np.float32)
        small = (max(2, -(-push.shape[0] // _STEP)), max(2, -(-push.shape[1] // _STEP)))
        self._bend = imaging.resize(push, small[1], small[0], imaging.AREA)
        self._cells = _touched(cover, push)
        texels = np.float32(_STEP * 60 / max(alpha.shape))
        waves = value_noise(_SIDE, _SIDE, 14, 9, rng.sub("waves")) * np.float32(0.7)
        waves += value_noise(_SIDE, _SIDE, 40, 26, rng.sub("ripples")) * np.float32(0.3)
        self._waves = imaging.Torus((waves - np.float32(waves.mean())) * np.float32(3.0))
        self._rows = np.arange(small[0], dtype=np.float32)[:, None] * texels
        self._columns = np.arange(small[1], dtype=np.float32)[None] * texels

    def draw(self, frame: Bytes8, matrix: Floats, seconds: float, pace: float, lean: float = 0.0) -> None:
        """Blend the sheet of that moment over ``frame`` under a map that scales and shifts.

        Waves run to the right at ``pace`` texels of the wave noise per second; ``lean`` (-1 to 1) is the
        steady part of the push.
        """
        scale = float(matrix[0, 0])
        shift_x = float(matrix[0, 2]) + scale * self._left
        shift_y = float(matrix[1, 2]) + scale * self._top
        height = frame.shape[0]
        left = min(frame.shape[1], max(0, math.floor(shift_x)))
        right = max(left, min(frame.shape[1], math.ceil(shift_x + scale * self._pixels.shape[1])))
        width = right - left
        top = min(height, max(0, math.floor(shift_y)))
        bottom = max(top, min(height, math.ceil(shift_y + scale * self._pixels.shape[0])))
        if bottom - top < 2 or width < 2:
            return
        push = self._push(seconds, pace, lean)
        per_cell = 1 / (scale * _STEP)
        across = (np.arange(left, right, dtype=np.float32) - np.float32(shift_x)) * np.float32(1 / scale)
        down = (np.arange(top, bottom, dtype=np.float32) - np.float32(shift_y)) * np.float32(1 / scale)
        window = frame[top:bottom, left:right]
        for tile in self._painted(scale, (left - shift_x, top - shift_y), (width, bottom - top)):
            part = tile.window
            column, row = left + tile.left + 0.5 - shift_x, top + tile.top + 0.5 - shift_y
            place = np.array([[per_cell, 0, column * per_cell - 0.5], [0, per_cell, row * per_cell - 0.5]])
            pushed = np.asarray(
                cv2.warpAffine(push, place, tile.size, flags=_BACKWARDS, borderMode=cv2.BORDER_REPLICATE)
            )
            # What leans far also hangs lower.
            map_y = down[part[0], None] - np.abs(pushed) * np.float32(0.12)
            self._blend(window[part], across[None, part[1]] - pushed, map_y)

    def _blend(self, window: Bytes8, map_x: Floats, map_y: Floats) -> None:
        moved = cv2.remap(
            self._pixels,
            map_x,
            map_y,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(0, 0, 0, 0),
        )
        alpha = cv2.cvtColor(cv2.bitwise_not(cv2.extractChannel(moved, 3)), cv2.COLOR_GRAY2RGB)
        cv2.multiply(window, alpha, window, 1 / 255.0)
        cv2.add(window, cv2.cvtColor(moved, cv2.COLOR_RGBA2RGB), window)

    def _painted(self, scale: float, corner: tuple[float, float], size: tuple[int, int]) -> list[Tile]:
        """The parts of a window of the sheet in which anything may stand, however it is pushed.

        ``corner`` is the window's left upper corner, in pixels of the frame from that of the sheet.
        """
        width, height = size
        tiles = []
        for left in range(0, width, _TILE):
            right = min(width, left + _TILE)
            first, end = (int((corner[0] + edge) / (scale * _STEP)) for edge in (left, right))
            begin = max(0, first - 1)
            found = self._cells[:, begin : max(begin + 1, end + 2)]
            _, top, _, count = cv2.boundingRect(found)
            if count:
                upper = scale * _STEP * (top - 1) - corner[1]
                lower = scale * _STEP * (top + count + 1) - corner[1]
                box = max(0, math.floor(upper)), min(height, math.ceil(lower))
                if box[0] < box[1]:
                    tiles.append(Tile(left, right, *box))
        return tiles

    def _push(self, seconds: float, pace: float, lean: float) -> Floats:
        """Pixels to the right at the small size."""
        drift = np.float32(pace * seconds)
        wave = self._waves.at(
            self._columns - drift, self._rows * np.float32(0.35) + np.float32(0.31 * pace * seconds)
        )
        return np.asarray(self._bend * (wave + np.float32(lean)), np.float32)


def _touched(cover: Floats, push: Floats) -> Bytes8:
    """Which cells of ``_STEP`` pixels may show anything of a sheet: 1, and 0 elsewhere.

    Something may be pushed to wherever there is a push; a neighbour's reaches into a cell by interpolation.
    """
    rows, columns = (-(-side // _STEP) for side in cover.shape)
    cells = np.zeros((rows * _STEP, columns * _STEP), np.uint8)
    cells[: cover.shape[0], : cover.shape[1]] = (cover > 0) | (push != 0)
    touched = cells.reshape(rows, _STEP, columns, _STEP).max((1, 3))
    return np.asarray(cv2.dilate(touched, np.ones((3, 3), np.uint8)), np.uint8)
