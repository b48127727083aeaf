"""A sandy shore seen from the beach: breakers that rise, fold and run up the sand, foam, wet and dry sand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import smoothstep, swatch8
from meshapi_renderer.elements.drift_texture import to_byte_mask
from meshapi_renderer.elements.lit_tiles import lit_tiles
from meshapi_renderer.elements.ocean_surface import OceanSurface, Sight, grain_bytes, shaded
from meshapi_renderer.elements.sea_light import SeaLook, SeaState
from meshapi_renderer.elements.surf_rhythm import SETS, arrival, run_up
from meshapi_renderer.noise import fbm, line_noise
from meshapi_renderer.rng import Rng
from meshapi_renderer.view import View

_SIDE = 512
_GRID_LONG = 352
_NEAREST = 14.0
"""Metres from the eye to the mean edge of the water."""
_SHARE = 0.46
"""Where that edge is seen, as a share of the way from the horizon down to the lower edge."""
_START = 34.0
"""Metres off the edge at which a breaker is born."""
_RUN = 3.6
"""Metres a wave runs up the sand."""
_LACE_METRES = 5.5
_STRIPS = 5
"""The shore runs across the picture: few strips are enough."""
_FINEST = 60.0
"""Metres beyond which grain and lace are too fine to see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShoreLook:
    """Colours of the shore, linear and exposed."""

    dry: Floats
    wet: Floats
    shallow: Floats
    """Water a hand deep over the sand."""
    foam: Floats
    strength: float
    """Height of the breakers, 1 on a fair day."""


def shore_eye(view: View) -> float:
    """Metres above the water from which the shore is seen at its place in the frame, whatever its ratio."""
    drop = _SHARE * (1 - view.horizon) * view.canvas.height
    return _NEAREST * drop / view.focal


class ShoreSurface(OceanSurface):
    """The sea under the horizon of a view, ending on sand at the viewer's feet."""

    def __init__(self, view: View, rng: Rng, look: SeaLook, shore: ShoreLook) -> None:
        super().__init__(view, rng, look, _GRID_LONG)
        self._shore = shore
        draws = rng.sub("shore")
        self._slant, self._bend = 0.22 * draws.sign() * draws.uniform(0.5, 1), draws.u() * math.tau
        self._lace = imaging.Torus(to_byte_mask(fbm(_SIDE, _SIDE, 8, 5, draws.sub("lace"), 0.6, ridge=True)))
        self._grain = imaging.Torus(grain_bytes(_grain(draws.sub("grain"))))
        wobble = line_noise(_SIDE, 24, 4, draws.sub("wobble"), 0.55) - np.float32(0.5)
        self._foam8 = swatch8(shore.foam)
        self._wobble = imaging.Torus(np.ascontiguousarray(np.repeat(wobble[None], 4, axis=0)))

    def _seaward(self, x: Floats, z: Floats) -> Floats:
        """Metres from the mean edge of the water, positive towards the sea."""
        edge = np.float32(_NEAREST) + x * np.float32(self._slant)
        edge += np.sin(x * np.float32(0.11) + np.float32(self._bend)) * np.float32(1.1)
        return np.asarray(z - edge)

    def _ragged(self, x: Floats, speed: float, seconds: float) -> Floats:
        """Unevenness along the shore, about -1 to 1."""
        along = x * np.float32(9.0) + np.float32(speed * seconds)
        return np.asarray(self._wobble.at(along, np.ones_like(along)) * np.float32(2.2))

    def _surface(self, x: Floats, z: Floats, t: float, first: int = 0) -> SeaState:
        off = self._seaward(x, z)
        nearest, farthest = off.min(1), off.max(1)
        first = max(first, _first(farthest > -_RUN - 1.5))
        state = super()._surface(x, z, t, first)
        calm = np.clip(off * np.float32(1 / 40), 0, 1)
        height, slope_x = state.height * calm, state.slope_x * calm
        slope_z = state.slope_z * (np.float32(0.25) + calm * np.float32(0.75))
        ragged = self._ragged(x, 0.8, t)
        edge = self._edge(off, ragged, t)
        # Foam along the edge that runs up the sand, and in a sheet behind it.
        foam = np.clip(np.float32(0.85) - np.abs(edge - np.float32(0.16)) * np.float32(2.2), 0, 0.75)
        np.maximum(
            foam, np.clip((np.float32(4.6) - edge) * np.float32(0.16), 0, 0.62) * (edge > 0.1), out=foam
        )
        for index in range(SETS):
            away, tall, broken = breaker(t, index)
            if tall < 0.02:
                continue
            # Beyond three of its widths a wave is too low to see.
            touched = (farthest > away - 0.35 * away - 2.5) & (nearest < away + 0.60 * away + 6.5)
            rows = slice(_first(touched), len(touched) - _first(touched[::-1]))
            along = off[rows] - np.float32(away) - ragged[rows] * np.float32(0.055 * away + 0.25)
            # Steep in front, long behind.
            wide = np.where(
                along < 0, np.float32(1 / (0.055 * away + 0.35)), np.float32(1 / (0.14 * away + 1.0))
            )
            share = along * wide
            bump = np.exp(-share * share) * np.float32(tall * self._shore.strength)
            height[rows] += bump
            slope_z[rows] -= bump * share * wide * np.float32(1.4)
            if broken > 0.01:
                crest = np.clip(along * np.float32(1.6) + np.float32(0.8), 0, 1)
                crest *= np.clip(np.float32(1.1) - along * np.float32(1 / (0.8 + 0.12 * away)), 0, 1)
                trail = np.clip(np.float32(0.60) - along * np.float32(0.10), 0, 0.55) * (along > 0)
                np.maximum(foam[rows], np.maximum(crest, trail) * np.float32(broken), out=foam[rows])
        height *= off > 0
        height += np.maximum(-off, 0) * np.float32(0.035)
        marks = (edge, np.asarray(foam, np.float32))
        return SeaState(height, slope_x, slope_z, marks, (off,), first)

    def _shade(self, surface: SeaState, place: tuple[Floats, Floats], t: float) -> list[Floats]:
        planes = super()._shade(surface, place, t)
        (edge, _), (off,) = surface.marks, surface.places
        shore = self._shore
        # Sand shines through water that grows deeper seawards.
        clear = np.exp(np.maximum(off, 0) * np.float32(-0.085)) * np.float32(0.80)
        under = np.clip(edge * np.float32(4) + np.float32(0.6), 0, 1)
        dry = smoothstep(-_RUN - 0.6, -_RUN - 2.6, off)
        shine = (1 - dry) * np.float32(0.20)
        for channel in range(3):
            water = planes[channel] + (np.float32(shore.shallow[channel]) - planes[channel]) * clear
            sand = dry * np.float32(shore.dry[channel] - shore.wet[channel])
            sand += np.float32(shore.wet[channel])
            # Wet sand mirrors the sky a little.
            sand += (np.float32(self._look.horizon[channel]) - sand) * shine
            planes[channel] = sand + (water - sand) * under
        return planes

    @staticmethod
    def _edge(off: Floats, ragged: Floats, t: float) -> Floats:
        """Metres inside the water's edge of the moment: positive under water."""
        high = run_up(t)
        return np.asarray(off + np.float32(_RUN * high) + ragged * np.float32(0.55 * (0.4 + 0.6 * high)))

    def _ripple(self, picture: Bytes8, sight: Sight, t: float, rows: int) -> None:
        """Ripples on the water, grain on the sand, foam over both, at full size."""
        super()._ripple(picture, sight, t, round(_share_beyond(sight.small, _NEAREST - 2.0) * rows))
        edge, foam = sight.marks
        self._lay_grain(picture, sight, edge)
        self._lay_foam(picture, sight, foam, t)

    def _lay_grain(self, picture: Bytes8, sight: Sight, edge: Floats) -> None:
        dry = (edge < 0) & (sight.small < _FINEST)
        per_metre = np.float32(_SIDE / 3.2)
        fade = sight.enlarged(np.minimum(np.float32(7.0) / sight.small, 1) * (edge < 0), "sand fade")
        for tile in lit_tiles(dry, picture.shape[1], picture.shape[0], _STRIPS):
            window = tile.window
            x, z = self._places(sight.depth[window], sight, tile.left)
            x *= per_metre
            z *= per_metre
            shaded(picture[window], self._grain.at(x, z), fade[window])

    def _lay_foam(self, picture: Bytes8, sight: Sight, foam: Floats, t: float) -> None:
        """Foam as lace, at full size, where there is any."""
        per_metre = np.float32(_SIDE / _LACE_METRES)
        large = sight.enlarged(foam, "shore foam")
        frothy = (foam > 0) & (sight.small < _FINEST)
        for tile in lit_tiles(frothy, picture.shape[1], picture.shape[0], _STRIPS):
            window = tile.window
            x, z = self._places(sight.depth[window], sight, tile.left)
            x *= per_metre
            z += np.float32(0.25 * t)
            z *= per_metre * np.float32(0.7)
            lace = self._lace.at(x, z)
            x *= np.float32(0.33)
            x += np.float32(9)
            z *= np.float32(0.29)
            imaging.tint(picture[window], _lathered(lace, self._lace.at(x, z), large[window]), self._foam8)


def _lathered(lace: Bytes8, coarse: Bytes8, foam: Floats) -> Bytes8:
    """Coverage by foam that shows as two laces where it is thin."""
    steep = 5.5
    there = cv2.addWeighted(lace, 1.15 * steep, coarse, 0.5 * steep, -1.31 * steep * 255, dtype=cv2.CV_32F)
    mask = cv2.addWeighted(there, 1.0, foam, steep * 255, 0.0, dtype=cv2.CV_8U)
    mask = cv2.multiply(mask, cv2.convertScaleAbs(foam, alpha=5.0 * 255), scale=1 / 255.0)
    thick = cv2.convertScaleAbs(lace, alpha=150 / 255.0, beta=120.0)
    return np.asarray(np.minimum(cv2.multiply(mask, thick, scale=1 / 255.0), np.uint8(240)), np.uint8)


def _first(rows: NDArray[np.bool_]) -> int:
    """The first row that holds; as many as there are when none does."""
    return int(np.argmax(rows)) if rows.any() else len(rows)


def _share_beyond(depth: Floats, far: float) -> float:
    """Share of the rows, from the top, that lie wholly beyond that distance."""
    near = np.flatnonzero((depth < far).any(1))
    return float(near[0]) / depth.shape[0] if len(near) else 1.0


def _step(a: float, b: float, x: float) -> float:
    """`colour.smoothstep` of one number."""
    t = min(1.0, max(0.0, (x - a) / (b - a)))
    return t * t * (3 - 2 * t)


def breaker(t: float, index: int) -> tuple[float, float, float]:
    """(metres off the edge, height in metres, how far it has broken) of one wave of the set."""
    share = arrival(t, index)
    away = _START * (1 - share) ** 1.15 - 1.2 * share
    rise = _step(0.0, 0.55, share) * (1 - 0.78 * _step(0.62, 0.92, share))
    broken = _step(15.0, 8.0, away) * _step(-0.5, 1.5, away)
    return away, 0.62 * rise * _step(1.0, 0.93, share), broken


def _grain(rng: Rng) -> Floats:
    """How much lighter or darker grains and little ripples of sand are, in 1/128."""
    fine = fbm(_SIDE, _SIDE, 60, 3, rng.sub("fine"), 0.7) - np.float32(0.5)
    broad = fbm(_SIDE, _SIDE, 10, 4, rng.sub("broad"), 0.5) - np.float32(0.5)
    return np.clip(fine * np.float32(60) + broad * np.float32(45), -60, 60).astype(np.float32)
