"""The skin of the sea from above: ripples, the net of light in the shallows, and the sun's flashes.

Everything is an 8-bit factor or coverage at half the frame's size, enlarged at the end.
"""

from __future__ import annotations

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import smoothstep
from meshapi_renderer.elements.drift_texture import DriftTexture, to_byte_mask
from meshapi_renderer.elements.swash import Shallows
from meshapi_renderer.noise import fbm
from meshapi_renderer.rng import Rng

FLAT = 128
"""The factor that changes nothing."""
_RIPPLE_SIDE = 0.31
_NET_SIDE = 0.33
_LIFT = 30


class SeaSurface:
    """Ripples over the whole sea and caustics where it is shallow."""

    def __init__(
        self, rng: Rng, layer: tuple[int, int], unit: float, strength: float, sunny: float, flashes: float
    ) -> None:
        """``layer`` and ``unit`` are in pixels of the half-size frame; ``sunny`` 0..1 lights the caustics.

        ``flashes`` 0..1 is how many facets send the sun to the eye.
        """
        side = max(24, round(_RIPPLE_SIDE * unit))
        self._unit = unit
        self._first = DriftTexture(_ripples(side, 22, rng.sub("ripples")), *layer)
        self._second = DriftTexture(_ripples(round(side * 0.66), 20, rng.sub("counter ripples")), *layer)
        net = max(24, round(_NET_SIDE * unit))
        self._net = DriftTexture(_caustics(net, 7, rng.sub("net")), *layer)
        self._counter_net = DriftTexture(_caustics(round(net * 0.84), 6, rng.sub("counter net")), *layer)
        self._sunny = sunny
        self._ripple_table = _ripple_table(0.55 + 0.25 * strength)
        self._flash_table = _flash_table(flashes)
        self._flashes = flashes

    def factor(
        self, shallows: Shallows, seconds: float, matrix: Floats, rows: int, columns: int
    ) -> tuple[Bytes8, Bytes8]:
        """(brightness factor in 1/128, raw ripples), half size, of a moment."""
        pace = self._unit * seconds
        first = self._first.seen(matrix, 0.0040 * pace, 0.0095 * pace, columns, rows)
        second = self._second.seen(matrix, -0.0060 * pace, 0.0050 * pace, columns, rows)
        ripples = np.asarray(cv2.addWeighted(first, 0.5, second, 0.5, 0.0), np.uint8)
        sea = imaging.resize(to_byte_mask(smoothstep(0.0, -0.035, shallows.above)), columns, rows)
        lifted = cv2.multiply(cv2.LUT(ripples, self._ripple_table), sea, scale=1 / 255.0)
        factor = cv2.add(lifted, cv2.LUT(sea, _GROUND_TABLE))
        if self._sunny > 0:
            cv2.add(factor, self._caustics(shallows, pace, matrix, rows, columns), factor)
        return np.asarray(factor, np.uint8), ripples

    def _caustics(
        self, shallows: Shallows, pace: float, matrix: Floats, rows: int, columns: int
    ) -> Bytes8:
        one = self._net.seen(matrix, 0.0065 * pace, 0.0042 * pace, columns, rows)
        two = self._counter_net.seen(matrix, -0.0052 * pace, 0.0061 * pace, columns, rows)
        net = cv2.min(one, two)
        shallow = np.exp(np.minimum(shallows.inland, 0) * np.float32(9)) * smoothstep(0, -0.02, shallows.above)
        where = imaging.resize(to_byte_mask(shallow * np.float32(self._sunny)), columns, rows)
        return np.asarray(cv2.multiply(net, where, scale=0.55 / 255.0), np.uint8)

    def flashes(self, ripples: Bytes8, where: Bytes8) -> Bytes8:
        """Coverage by flashes of the sun, half size; ``where`` is how likely they are, 0 to 255."""
        return np.asarray(cv2.multiply(cv2.LUT(ripples, self._flash_table), where, scale=1 / 255.0), np.uint8)


def _ripples(side: int, cells: int, rng: Rng) -> Bytes8:
    return to_byte_mask(fbm(side, side, cells, 4, rng, 0.55) * np.float32(1.5) - np.float32(0.25))


def _caustics(side: int, cells: int, rng: Rng) -> Bytes8:
    net = fbm(side, side, cells, 4, rng, 0.5, ridge=True)
    return to_byte_mask(np.clip((net - np.float32(0.56)) * np.float32(3.2), 0, 1) ** 1.5)


def _ripple_table(contrast: float) -> Bytes8:
    level = np.arange(256, dtype=np.float32) - np.float32(127.5)
    return np.clip(level * np.float32(contrast) + np.float32(_LIFT), 0, 120).astype(np.uint8)


def _ground_table() -> Bytes8:
    return (np.float32(FLAT) - np.arange(256, dtype=np.float32) * np.float32(_LIFT / 255)).astype(np.uint8)


_GROUND_TABLE = _ground_table()


def _flash_table(amount: float) -> Bytes8:
    level = np.arange(256, dtype=np.float32) / np.float32(255)
    return to_byte_mask((level - np.float32(0.70 - 0.12 * amount)) * np.float32(7))
