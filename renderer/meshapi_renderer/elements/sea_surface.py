"""The skin of the sea from above: ripples, and the net of light in the shallows.

Everything is an 8-bit factor at half the frame's size, to be enlarged at the end.
"""

from __future__ import annotations

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import smoothstep
from meshapi_renderer.elements.drift_texture import DriftTexture, to_byte_mask
from meshapi_renderer.elements.lit_tiles import lit_tiles
from meshapi_renderer.elements.swash import Shallows
from meshapi_renderer.noise import fbm
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Scratch

FLAT = 128
"""The factor that changes nothing."""
_RIPPLE_SIDE = 0.31
_NET_SIDE = 0.33
_LIFT = 30


class SeaSurface:
    """Ripples over the whole sea and caustics where it is shallow."""

    def __init__(self, rng: Rng, layer: tuple[int, int], unit: float, strength: float, sunny: float) -> None:
        """``layer`` and ``unit`` are in pixels of the half-size frame; ``sunny`` 0..1 lights the caustics."""
        side = max(24, round(_RIPPLE_SIDE * unit))
        self._unit = unit
        self._first = DriftTexture(_ripples(side, 40, 0.42, rng.sub("ripples")), *layer)
        self._second = DriftTexture(
            _ripples(round(side * 0.66), 28, 0.65, rng.sub("counter ripples")), *layer
        )
        net = max(24, round(_NET_SIDE * unit))
        self._net = DriftTexture(_caustics(net, 15, rng.sub("net")), *layer)
        self._counter_net = DriftTexture(_caustics(round(net * 0.84), 12, rng.sub("counter net")), *layer)
        self._sunny = sunny
        self._ripple_table = _ripple_table(0.12 + 0.11 * strength)

    def factor(
        self, shallows: Shallows, seconds: float, matrix: Floats, size: tuple[int, int], scratch: Scratch
    ) -> Bytes8:
        """Brightness factor in 1/128 of a moment, half size; ``size`` is its (width, height)."""
        width, height = size
        factor: Bytes8 = scratch.array("sea factor", (height, width))
        factor.fill(FLAT)
        sea = imaging.resize(to_byte_mask(smoothstep(0.0, -0.035, shallows.above)), width, height)
        where = self._lit(shallows, size) if self._sunny > 0 else None
        pace = self._unit * seconds
        for tile in lit_tiles(shallows.above < 0, width, height):
            window, local = tile.window, tile.local(matrix)
            first = self._first.seen(local, 0.0040 * pace, 0.0095 * pace, *tile.size)
            second = self._second.seen(local, -0.0060 * pace, 0.0050 * pace, *tile.size)
            ripples = np.asarray(cv2.addWeighted(first, 0.5, second, 0.5, 0.0), np.uint8)
            lifted = cv2.multiply(cv2.LUT(ripples, self._ripple_table), sea[window], scale=1 / 255.0)
            cv2.add(lifted, cv2.LUT(sea[window], _GROUND_TABLE), factor[window])
            if where is not None and cv2.hasNonZero(where[window]):
                threads = self._threads(local, pace, tile.size)
                light = cv2.multiply(threads, where[window], scale=0.30 / 255.0)
                cv2.add(factor[window], light, factor[window])
        return factor

    def _threads(self, matrix: Floats, pace: float, size: tuple[int, int]) -> Bytes8:
        """The net of light on a bed that is bright everywhere."""
        one = self._net.seen(matrix, 0.0065 * pace, 0.0042 * pace, *size)
        two = self._counter_net.seen(matrix, -0.0052 * pace, 0.0061 * pace, *size)
        return np.asarray(cv2.addWeighted(cv2.min(one, two), 0.75, one, 0.25, 0.0), np.uint8)

    def _lit(self, shallows: Shallows, size: tuple[int, int]) -> Bytes8:
        """How much of the net shows: only where the sea is shallow."""
        shallow = np.exp(np.minimum(shallows.inland, 0) * np.float32(9)) * smoothstep(
            0, -0.02, shallows.above
        )
        return imaging.resize(to_byte_mask(shallow * np.float32(self._sunny)), *size)


def _ripples(side: int, cells: int, aspect: float, rng: Rng) -> Bytes8:
    return to_byte_mask(
        fbm(side, side, cells, 3, rng, 0.6, aspect=aspect) * np.float32(1.5) - np.float32(0.25)
    )


def _caustics(side: int, cells: int, rng: Rng) -> Bytes8:
    """Level lines of smooth noise: a net of bright threads, as waves focus light on a shallow bed."""
    net = fbm(side, side, cells, 2, rng, 0.35, ridge=True)
    return to_byte_mask(np.clip((net - np.float32(0.62)) * np.float32(2.7), 0, 1) ** 2)


def _ripple_table(contrast: float) -> Bytes8:
    level = np.arange(256, dtype=np.float32) - np.float32(127.5)
    raised = np.clip(level * np.float32(contrast) + np.float32(_LIFT), 0, 120)
    return np.asarray(raised, np.uint8)


def _ground_table() -> Bytes8:
    return (np.float32(FLAT) - np.arange(256, dtype=np.float32) * np.float32(_LIFT / 255)).astype(np.uint8)


_GROUND_TABLE = _ground_table()
