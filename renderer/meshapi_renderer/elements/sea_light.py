"""The light of water by the slopes of its waves: the sky in it, the sun, what shines through crests, foam."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import mix, smoothstep
from meshapi_renderer.elements.relief_cast import ReliefCaster
from meshapi_renderer.noise import fbm
from meshapi_renderer.rng import Rng

_TABLE = 1024
_SIDE = 512
_FOAM_METRES = 26.0
_LIGHT_ROWS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SeaLook:
    """Colours (linear, exposed) and temper of the sea."""

    deep: Floats
    crest: Floats
    """Light that shines through thin water."""
    zenith: Floats
    middle: Floats
    horizon: Floats
    glow: Floats
    """Of the sun or moon, on the water."""
    glow_x: float
    glow_slope: float
    glitter: float
    foam: Floats
    wind: float
    eye: float = 3.4
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class SeaState:
    """The waves of a moment on rows of constant distance, (steps, columns) each."""

    height: Floats
    slope_x: Floats
    slope_z: Floats
    marks: tuple[Floats, ...] = ()
    """What else is known of every point and wanted in the picture; at most four."""
    places: tuple[Floats, ...] = ()
    """What else is known of every point and wanted for its light alone."""
    first: int = 0
    """The nearest row that may be water; those before it have neither height nor light."""


class SeaLight:
    """The colour of water by its slopes: sky, sun, light through crests, foam and haze."""

    def __init__(self, caster: ReliefCaster, look: SeaLook, height: float, rng: Rng) -> None:
        """``height`` is the standard deviation of the waves."""
        self._look, self._norm = look, np.float32(1 / max(height, 1e-3))
        x, z = caster.across(0.0), caster.depth[:, None]
        far = np.sqrt(x * x + z * z + np.float32(look.eye**2))
        self._to_x, self._to_y = -x / far, np.float32(look.eye) / far
        self._to_z = -z / far
        haze = (1 - np.exp(far * np.float32(-1 / 750))) * np.float32(0.80)
        self._clear = 1 - haze
        self._haze = [haze * channel for channel in look.horizon]
        self._sun = _unit(look.glow_x, look.glow_slope)
        self._sky = [np.ascontiguousarray(column) for column in _sky_table(look).T]
        self._sheen = _sheen_table(look.glitter)
        self._foam = imaging.Torus(fbm(_SIDE, _SIDE, 7, 6, rng, 0.62, ridge=True))

    def planes(self, surface: SeaState, place: tuple[Floats, Floats], t: float) -> list[Floats]:
        """Linear red, green and blue of every point, (steps, columns) each."""
        steps = len(surface.height)
        planes = [np.zeros_like(surface.height) for _ in range(3)]
        # So few rows at a time that all that is reckoned of them stays in the cache.
        for begin in range(surface.first, steps, _LIGHT_ROWS):
            rows = slice(begin, min(steps, begin + _LIGHT_ROWS))
            for plane, seen in zip(planes, self._rows(surface, place, t, rows), strict=True):
                plane[rows] = seen
        return planes

    def _rows(
        self, surface: SeaState, place: tuple[Floats, Floats], t: float, rows: slice
    ) -> Iterator[Floats]:
        look, lift = self._look, surface.height[rows] * self._norm
        slope_x, slope_z = surface.slope_x[rows], surface.slope_z[rows]
        to_x, to_y, to_z = self._to_x[rows], self._to_y[rows], self._to_z[rows]
        upright = 1 / np.sqrt(slope_x * slope_x + slope_z * slope_z + 1)
        facing = to_y - slope_x * to_x
        facing -= slope_z * to_z
        facing *= upright
        np.clip(facing, 0.02, 1, out=facing)
        twice = facing * upright
        twice *= 2
        up = np.clip(twice - to_y, 0, 1)
        sun_x, sun_y, sun_z = self._sun
        towards = up * np.float32(sun_y)
        towards -= (twice * slope_x + to_x) * np.float32(sun_x)
        towards -= (twice * slope_z + to_z) * np.float32(sun_z)
        grazing = 1 - facing
        square = grazing * grazing
        # Waves too small to see keep a far sea from mirroring like glass.
        mirror = np.minimum(square * square * grazing * np.float32(0.98) + np.float32(0.02), np.float32(0.72))
        entry = (up * np.float32(_TABLE - 1)).astype(np.int32)
        sheen = self._sheen[(np.clip(towards, 0, 1) * np.float32(_TABLE - 1)).astype(np.int32)]
        through = np.clip(lift * np.float32(0.30) + np.float32(0.28), 0, 1)
        through *= np.clip(np.float32(0.55) - slope_z * np.float32(1.3), 0, 1.4)
        caps = self._whitecaps(lift, (place[0][rows], place[1][rows]), t)
        for channel in range(3):
            body = through * look.crest[channel]
            body += look.deep[channel]
            seen = sheen * look.glow[channel]
            seen += self._sky[channel][entry]
            seen -= body
            seen *= mirror
            seen += body
            if caps is not None:
                seen += caps * (look.foam[channel] - seen)
            seen *= self._clear[rows]
            seen += self._haze[channel][rows]
            yield seen

    def _whitecaps(self, lift: Floats, place: tuple[Floats, Floats], t: float) -> Floats | None:
        """Foam on crests and in streaks behind them, 0 to 1; none in light wind."""
        wind = self._look.wind
        if wind < 1.15:
            return None
        per_metre = np.float32(_SIDE / _FOAM_METRES)
        x, z = place
        lace = self._foam.at(x * per_metre, (z + np.float32(1.2 * t)) * (per_metre * np.float32(0.8)))
        # Far lace is finer than the grid: only its mean is left.
        lace = np.float32(0.56) + (lace - np.float32(0.56)) * np.clip(np.float32(45.0) / z, 0, 1)
        bar = np.float32(2.4 - 0.52 * wind)
        crest = smoothstep(-0.35, 0.8, lift - bar) * smoothstep(0.42, 0.66, lace)
        old = smoothstep(-1.8, 1.0, lift - bar) * smoothstep(0.60, 0.80, lace)
        return np.minimum(crest + old * np.float32(min(0.55, 0.20 * wind)), np.float32(0.92))


def _sky_table(look: SeaLook) -> Floats:
    """Colour of the sky by the upward part of a direction, from 0 to 1."""
    up = np.linspace(0, 1, _TABLE, dtype=np.float32)[:, None]
    low = 1 - np.exp(up * np.float32(-5.0))
    return mix(mix(look.horizon, look.middle, low), look.zenith, np.clip(up * 1.6, 0, 1) ** 0.8)


def _sheen_table(glitter: float) -> Floats:
    """The sun in the water by the cosine between the mirrored ray and the sun, from 0 to 1."""
    cosine = np.linspace(0, 1, _TABLE, dtype=np.float64)
    sheen = 0.40 * cosine**40 + 2.0 * cosine**180
    return (sheen * glitter).astype(np.float32)


def _unit(x: float, slope: float) -> tuple[float, float, float]:
    norm = math.sqrt(x * x + slope * slope + 1)
    return x / norm, slope / norm, 1 / norm
