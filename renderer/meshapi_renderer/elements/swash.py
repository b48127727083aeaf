"""The moving edge of the sea from above: run-up on the sand, breakers and their lacy foam.

Slow fields (distance from the water's edge, phase of the breakers) are computed on a coarse grid and
enlarged; what is sharp (edges, crests, lace) comes from tables and textures looked up at full size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import smoothstep
from meshapi_renderer.elements.coast import Coast, sample
from meshapi_renderer.elements.drift_texture import DriftTexture, to_byte_mask
from meshapi_renderer.elements.lit_tiles import Tile, lit_tiles
from meshapi_renderer.noise import fbm
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Scratch

Phase16: TypeAlias = NDArray[np.uint16]
_EDGE_REACH = 0.065
"""Units on either side of the waterline that the table of lacy foam covers."""
_RIM_REACH = 0.012
"""The same for the solid white rim, which a large frame shows in finer steps."""
_THIN_FOAM = 34
"""Least coverage by foam between the threads of the lace, in bytes."""
_WAVE_LENGTH = 0.075
_WAVE_PACE = 0.17
"""Breakers per second past a point."""
_PHASE_STEPS = 8192
"""Steps of the 16-bit phase per breaker: eight breakers fit."""
_NEAREST_BREAK = 0.010
"""Units off the water's edge within which no wave breaks any more."""
_NEIGHBOURS = np.ones((3, 3), np.uint8)
_POINTS = 256
_LACE_SIDE = 0.30
"""Units after which a lace texture repeats."""
_PATCH_SIDE = 512


@dataclass(frozen=True, slots=True)
class Shallows:
    """Coarse fields of one moment, on the grid."""

    above: Floats
    """Distance inland from the present water's edge in units, negative in the water."""
    inland: Floats
    """The same from the mean waterline."""
    along: Floats


@dataclass(frozen=True, slots=True)
class Surf:
    """What the waves do at one moment on one tile of the frame, one channel each."""

    tile: Tile
    foam: Bytes8
    """Coverage by foam."""
    face: Bytes8
    """How much darker the steep fronts of the breakers are."""


class Swash:
    """The waves along one coast."""

    def __init__(
        self,
        coast: Coast,
        rng: Rng,
        points: tuple[Floats, Floats],
        layer: tuple[int, int],
        unit: float,
        strength: float,
    ) -> None:
        """``points`` are the padded grid's x and y in units; ``layer`` the padded picture's (rows, columns).

        ``unit`` is in pixels of the frame; ``strength`` 1 is a calm day, 2 a storm.
        """
        self._strength = strength
        self._reach = 0.175 + 0.07 * (strength - 1)
        self._unit = unit
        along, across = coast.locate(*points)
        inland = coast.inland(along, across)
        stretch = sample(coast.broad, along * np.float32(1.7), np.full_like(along, 0.11))
        self._fields = np.dstack([inland, along, stretch]).astype(np.float32)
        self._patches = imaging.Torus(fbm(_PATCH_SIDE, _PATCH_SIDE, 3, 5, rng.sub("patches"), 0.5))
        side = max(32, round(_LACE_SIDE * unit))
        self._coarse_lace = DriftTexture(_lace_tile(side, 16, rng.sub("coarse")), *layer)
        self._fine_lace = DriftTexture(_lace_tile(round(side * 0.62), 22, rng.sub("fine")), *layer)
        self._rim, self._behind = _edge_tables()
        self._crest, self._tail, self._front = _breaker_tables()

    def shallows(self, seconds: float, grid_matrix: Floats, grid: tuple[int, int]) -> Shallows:
        """The coarse fields of a moment on a grid of (rows, columns), seen through ``grid_matrix``."""
        fields = imaging.warp_affine(self._fields, grid_matrix, grid[1], grid[0])
        inland, along, stretch = (np.asarray(plane, np.float32) for plane in cv2.split(fields))
        return Shallows(inland - self._run_up(along, stretch, seconds), inland, along)

    def surf(
        self, shallows: Shallows, seconds: float, matrix: Floats, size: tuple[int, int], scratch: Scratch
    ) -> list[Surf]:
        """The surf of a moment wherever there is any; ``matrix`` maps the padded picture to the frame.

        ``size`` is the frame's (width, height).
        """
        width, height = size
        place = scratch.array("swash place", (height, width), np.float32)
        cv2.resize(shallows.above, size, place, interpolation=cv2.INTER_LINEAR)
        phase, presence = self._breakers(shallows, seconds)
        steps = scratch.array("swash steps", (height, width), np.uint16)
        cv2.resize(phase, size, steps, interpolation=cv2.INTER_LINEAR)
        here = scratch.array("swash presence", (height, width))
        cv2.resize(presence, size, here, interpolation=cv2.INTER_LINEAR)
        near = (shallows.above < _EDGE_REACH) & (shallows.above > -max(self._reach, 1.2 * _EDGE_REACH))
        return [
            self._surf_of(tile, place, steps, here, self._lace(seconds, tile.local(matrix), *tile.size))
            for tile in lit_tiles(near, width, height)
        ]

    def _surf_of(self, tile: Tile, place: Floats, steps: Phase16, here: Bytes8, lace: Bytes8) -> Surf:
        window = tile.window
        foam = self._edge_foam(place[window], lace)
        presence = here[window]
        if not cv2.hasNonZero(presence):
            return Surf(tile, foam, np.zeros_like(foam))
        wave = _wave_index(steps[window], lace)
        breaking = cv2.multiply(cv2.LUT(wave, self._tail), lace, scale=1 / 255.0)
        cv2.max(breaking, cv2.LUT(wave, self._crest), breaking)
        cv2.max(foam, cv2.multiply(breaking, presence, scale=1 / 255.0), foam)
        face = cv2.multiply(cv2.LUT(wave, self._front), presence, scale=1 / 255.0)
        return Surf(tile, foam, np.asarray(face, np.uint8))

    def _run_up(self, along: Floats, stretch: Floats, seconds: float) -> Floats:
        """How far inland the water stands, each stretch of beach in its own phase."""
        phase = stretch * np.float32(5.0) + along * np.float32(0.8)
        long_wave = np.sin(phase + np.float32(0.95 * seconds)) * np.float32(0.019)
        short_wave = np.sin(phase * np.float32(2.3) + np.float32(1.7 * seconds)) * np.float32(0.009)
        total: Floats = (long_wave + short_wave) * np.float32(0.75 + 0.25 * self._strength)
        return total

    def _edge_foam(self, place: Floats, lace: Bytes8) -> Bytes8:
        """The white rim of the water and the net of foam behind it, by the distance from its edge."""
        # The lace pushes the edge about, so that no rim is a drawn line.
        wide = cv2.addWeighted(place, 127.5 / _EDGE_REACH, lace, -0.025, 130.5, dtype=cv2.CV_8U)
        close = cv2.addWeighted(place, 127.5 / _RIM_REACH, lace, -0.135, 143.5, dtype=cv2.CV_8U)
        foam = cv2.multiply(
            cv2.LUT(wide, self._behind), np.maximum(lace, np.uint8(_THIN_FOAM)), scale=1 / 255.0
        )
        return np.asarray(cv2.max(foam, cv2.LUT(close, self._rim)), np.uint8)

    def _breakers(self, shallows: Shallows, seconds: float) -> tuple[Phase16, Bytes8]:
        """Steps of the phase of the incoming waves, and where they break, both on the grid."""
        phases = np.zeros(shallows.above.shape, np.uint16)
        presence = np.zeros(shallows.above.shape, np.uint8)
        within = (shallows.above < -_NEAREST_BREAK) & (shallows.above > -self._reach)
        # One cell more, since enlarging mixes neighbours; then points enough to fill a rectangle.
        spots = np.flatnonzero(cv2.dilate(within.view(np.uint8), _NEIGHBOURS))
        if not len(spots):
            return phases, presence
        spots = np.resize(spots, (-(-len(spots) // _POINTS), _POINTS))
        out, along = -shallows.above.ravel()[spots], shallows.along.ravel()[spots]
        slow = np.float32(0.010 * seconds)
        wobble = self._patch(along, 1.6, out * np.float32(1.6) + slow) - np.float32(0.5)
        finer = self._patch(along, 5.1, out * np.float32(2.0) - slow) - np.float32(0.5)
        bent = out + wobble * np.float32(0.055) + finer * np.float32(0.016)
        phase = bent * np.float32(1 / _WAVE_LENGTH) + np.float32(_WAVE_PACE * seconds)
        # The noise that decides where a wave breaks travels with the wave.
        patch = self._patch(along, 2.2, phase * np.float32(0.17))
        low = 0.46 - 0.12 * self._strength
        breaking = smoothstep(low, low + 0.16, patch)
        zone = smoothstep(_NEAREST_BREAK, 0.030, out) * smoothstep(self._reach, 0.5 * self._reach, out)
        presence.ravel()[spots] = to_byte_mask(breaking * zone)
        first = np.floor(phase.min())
        steps = np.clip((phase - first) * np.float32(_PHASE_STEPS), 0, 65535)
        phases.ravel()[spots] = steps.astype(np.uint16)
        return phases, presence

    def _patch(self, along: Floats, scale: float, v: Floats) -> Floats:
        """The patch noise at ``along`` times ``scale`` and ``v``, both in repeats."""
        u = along * np.float32(scale * _PATCH_SIDE)
        return np.asarray(self._patches.at(u, v * np.float32(_PATCH_SIDE)), np.float32)

    def _lace(self, seconds: float, matrix: Floats, columns: int, rows: int) -> Bytes8:
        """Foam's net of bubbles: two ridged textures that drift apart."""
        pace = self._unit * seconds
        first = self._coarse_lace.seen(matrix, 0.0024 * pace, 0.0040 * pace, columns, rows)
        second = self._fine_lace.seen(matrix, -0.0036 * pace, 0.0016 * pace, columns, rows)
        mixed = cv2.addWeighted(first, 0.58, second, 0.42, 0.0)
        return np.asarray(cv2.LUT(mixed, _LACE_CONTRAST), np.uint8)


def _wave_index(steps: Phase16, lace: Bytes8) -> Bytes8:
    """Share of the way from one crest to the next one out, 0 to 255, ragged by the lace."""
    # Only the fraction is kept: the cast drops whole waves, and the sum may pass from one into the next.
    return np.asarray((steps >> np.uint16(5)).astype(np.uint8) + (lace >> np.uint8(5)), np.uint8)


def _lace_tile(side: int, cells: int, rng: Rng) -> Bytes8:
    return to_byte_mask(fbm(side, side, cells, 4, rng, 0.6, ridge=True))


def _lace_contrast() -> Bytes8:
    level = np.arange(256, dtype=np.float32) / np.float32(255)
    return to_byte_mask((level - np.float32(0.56)) * np.float32(4.6))


_LACE_CONTRAST = _lace_contrast()


def _edge_tables() -> tuple[Bytes8, Bytes8]:
    """(solid rim within its reach, foam as far as lace allows) by distance from the water's edge."""
    level = (np.arange(256, dtype=np.float32) - np.float32(127.5)) * np.float32(1 / 127.5)
    rim = np.exp(-np.abs(level * np.float32(_RIM_REACH) + np.float32(0.0025)) * np.float32(600))
    # The table's ends stand for everything beyond them.
    rim *= smoothstep(1.0, 0.85, np.abs(level)) * np.float32(0.9)
    above = level * np.float32(_EDGE_REACH)
    fading = smoothstep(-_EDGE_REACH, -0.4 * _EDGE_REACH, above)
    behind = np.where(above < 0, np.exp(np.minimum(above, 0) * np.float32(21)), 0) * fading
    return to_byte_mask(rim), to_byte_mask(behind)


def _breaker_tables() -> tuple[Bytes8, Bytes8, Bytes8]:
    """(crest, foam trail, dark front) by share of the way from a crest to the next one out."""
    share = (np.arange(256, dtype=np.float32) + np.float32(0.5)) / np.float32(256)
    ahead = 1 - share
    crest = np.exp(-share * np.float32(22)) + np.exp(-ahead * np.float32(80))
    trail = np.exp(-share * np.float32(3.6)) * smoothstep(1.0, 0.7, share)
    front = np.exp(-(((ahead - np.float32(0.07)) / np.float32(0.055)) ** 2)) * np.float32(0.9)
    return to_byte_mask(crest), to_byte_mask(trail), to_byte_mask(front)
