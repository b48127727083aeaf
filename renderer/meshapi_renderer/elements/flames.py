"""Flames: tongues of hot gas that rise, lick and part, from noise carried upwards ever faster."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import linear, luminance, mix, rgb, smoothstep, to8
from meshapi_renderer.noise import fbm, value_noise
from meshapi_renderer.rng import Rng

_ROWS, _COLUMNS = 250, 190
_SIDE = 256
_LEVELS = 1024
_TONGUES = 7
_BELOW = 0.06
"""How far the window reaches under the fire's foot, as a share of its height."""


def _ramp(wished: tuple[str, ...]) -> Floats:
    """Linear colour by heat from 0 to 1: deep red, orange, yellow, a pale core; or of a wished hue."""
    heat = np.linspace(0, 1, _LEVELS, dtype=np.float32)[:, None]
    if wished:
        tone = linear(wished[0])
        tone = tone * np.float32(0.35 / max(float(luminance(tone)), 0.06))
        low, middle, high = tone * np.float32(0.25), tone * np.float32(1.2), mix(tone * 2, 1.6, 0.35)
        core = mix(tone * 3, 3.0, 0.6)
    else:
        low, middle, high = rgb(0.30, 0.020, 0.002), rgb(1.15, 0.21, 0.014), rgb(2.2, 0.95, 0.13)
        core = rgb(4.2, 3.0, 1.35)
    colour = mix(low, middle, smoothstep(0.10, 0.48, heat))
    colour = mix(colour, high, smoothstep(0.42, 0.78, heat))
    colour = mix(colour, core, smoothstep(0.74, 1.0, heat))
    return np.asarray(colour * smoothstep(0.02, 0.30, heat), np.float32)


@dataclass(frozen=True, slots=True)
class _Tongue:
    """One tongue: where it is rooted, how wide and tall it is (shares of the window), how it breathes."""

    root: float
    wide: float
    tall: float
    pace: float
    phase: float
    row: float


def _tongue(index: int, rng: Rng) -> _Tongue:
    """The middle tongue is the tallest; the others stand around it, lower outwards."""
    side = ((index + 1) // 2) * (1 if index % 2 else -1)
    root = 0.145 * side + 0.03 * rng.uniform(-1, 1)
    return _Tongue(
        root=root,
        wide=0.20 * (1 - 0.45 * abs(root)) * rng.uniform(0.85, 1.15),
        tall=(0.96 - 1.05 * abs(root)) * rng.uniform(0.88, 1.0),
        pace=rng.uniform(3.0, 6.5),
        phase=rng.u() * math.tau,
        row=rng.u() * _SIDE,
    )


class Flames:
    """One fire's flames, drawn as light into a window over its foot."""

    def __init__(self, rng: Rng, width: float, height: float, wished: tuple[str, ...] = ()) -> None:
        """``width`` of the fire's foot and ``height`` of its tallest tongues, in pixels."""
        self._height = height
        self._window = (round(1.9 * width), round(height * (1 + _BELOW)))
        self._low = imaging.Torus(fbm(_SIDE, _SIDE, 5, 3, rng.sub("low"), 0.45))
        self._high = imaging.Torus(fbm(_SIDE, _SIDE, 9, 4, rng.sub("high"), 0.55))
        self._gusts = value_noise(1, 512, 1, 128, rng.sub("gusts"))[0]
        # Display bytes by heat: the table is read at the small size, where a flame has few colours.
        ramp = _ramp(wished)
        self._table = to8(ramp[None])[0]
        self._mean = np.float32(ramp[_LEVELS // 2])
        up = np.linspace(1, -_BELOW, _ROWS, dtype=np.float32)[:, None]
        across = np.linspace(-0.95, 0.95, _COLUMNS, dtype=np.float32)[None]
        self._up, self._across = up, np.broadcast_to(across, (_ROWS, _COLUMNS)).copy()
        rise = np.maximum(up, 0)
        # Hottest over the coals' middle, narrower the higher it reaches.
        narrow = across * (np.float32(3.0) + np.float32(5.0) * rise)
        self._hollow = np.exp(-(narrow**2)) * smoothstep(0.62, 0.02, rise)
        ends = smoothstep(-_BELOW, 0.04, up) * smoothstep(1.0, 0.86, up)
        self._fade = (1 - np.float32(0.30) * rise) * ends * smoothstep(0.95, 0.80, np.abs(across))
        self._phase = rng.u() * _SIDE
        self._tongues = [_tongue(index, rng.sub(f"tongue {index}")) for index in range(_TONGUES)]

    def flicker(self, seconds: float) -> float:
        """How bright the fire burns at that moment, about 0.75 to 1.1."""
        place = 9.0 * seconds
        index, share = int(place) % 512, place - math.floor(place)
        share = share * share * (3 - 2 * share)
        low, high = float(self._gusts[index]), float(self._gusts[(index + 1) % 512])
        return 0.78 + 0.30 * (low + (high - low) * share)

    def heat(self, seconds: float) -> Floats:
        """Heat from 0 to 1 in the window of that moment, (rows, columns)."""
        up, t = self._up, np.float32(seconds)
        rise = np.maximum(up, 0)
        o = np.float32(self._phase)
        # Gas speeds up as it rises: what is above was below, long ago.
        flow = np.sqrt(rise + np.float32(0.02)) * np.float32(104) - t * 92
        curl = self._high.at(self._across * 72 + o, flow * np.float32(1.1) + o) - np.float32(0.5)
        x = self._across + curl * (np.float32(0.05) + np.float32(0.20) * rise)
        cold = np.ones_like(self._across)
        for tongue in self._tongues:
            self._warm(cold, tongue, x, rise, flow, t)
        licks = self._high.at(x * 96 - o, flow * np.float32(1.9) + 2 * o) - np.float32(0.5)
        threads = self._low.at(x * 175 + o, flow * np.float32(0.62) - o) * np.float32(0.6)
        threads += self._high.at(x * 165 - o, flow * np.float32(0.90) + o) * np.float32(0.4)
        threads = smoothstep(0.30, 0.66, threads)
        hollow = self._hollow
        strands = self._strands(x, flow)
        # Gas is clearest where tongues overlap; towards their rims and tips it cools to red.
        body = 1 - cold
        tissue = strands * np.float32(0.6) + threads * np.float32(0.4)
        heat = tissue * (np.float32(0.60) - np.float32(0.30) * rise)
        heat += np.float32(0.20)
        heat += hollow * (np.float32(0.12) + np.float32(0.36) * tissue)
        heat *= body * np.sqrt(body)
        # Higher up the gas parts: the gaps between its strands widen into holes and loose tongues.
        gap = np.float32(0.84) * rise - np.float32(0.15)
        heat *= smoothstep(0.0, 0.34, tissue - gap)
        heat += licks * (np.float32(0.16) + np.float32(0.70) * rise) * np.minimum(body * 3, 1)
        heat *= self._fade
        return np.asarray(np.clip(heat, 0, 1, out=heat))

    def _strands(self, x: Floats, flow: Floats) -> Floats:
        """Bright filaments in the gas, from 0 to 1: drawn out along its way, crossing and parting."""
        one = self._high.at(x * 118 + np.float32(0.5 * self._phase), flow * np.float32(0.55) + x * 20)
        other = self._high.at(x * 134 - np.float32(self._phase), flow * np.float32(0.72) - x * 26)
        ridge = 1 - np.abs(one - other) * np.float32(3.6)
        return np.asarray(np.clip(ridge, 0, 1))

    def _warm(
        self, cold: Floats, tongue: _Tongue, x: Floats, rise: Floats, flow: Floats, t: np.float32
    ) -> None:
        """Lessen ``cold`` by one tongue, in place: a drop of heat that grows, leans and is torn."""
        breath = 0.5 + 0.5 * math.sin(tongue.pace * float(t) + tongue.phase)
        share = rise / np.float32(tongue.tall * (0.72 + 0.30 * breath))
        # The tongue fills the rows below its tip.
        rows = slice(int(np.argmax(share[:, 0] < 1)), len(share))
        share = share[rows]
        row = np.full_like(share, tongue.row)
        bent = self._low.at(flow[rows] * np.float32(0.42) + row, row)
        middle = (
            np.float32(tongue.root) * (1 - np.float32(0.55) * share)
            + (bent - np.float32(0.5)) * np.float32(0.62) * share
        )
        body = np.sqrt(share + np.float32(0.10)) * np.maximum(1 - share, 0) ** np.float32(0.85)
        wide = np.float32(tongue.wide * 1.9) * body + np.float32(1e-3)
        inside = x[rows] - middle
        np.abs(inside, out=inside)
        inside *= -1 / wide
        inside += 1
        np.maximum(inside, 0, out=inside)
        # What is left of the cold: 1 - 0.92 * inside * (2 - inside).
        left = inside * np.float32(0.92)
        left -= np.float32(1.84)
        left *= inside
        left += 1
        cold[rows] *= left

    def draw(self, frame: Bytes8, foot: tuple[float, float], seconds: float, scale: float = 1.0) -> None:
        """Screen the flames of that moment over ``frame``, their foot at (column, row)."""
        wide, high = round(self._window[0] * scale), round(self._window[1] * scale)
        left = round(foot[0] - wide / 2)
        top = round(foot[1] - self._height * scale)
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(frame.shape[1], left + wide), min(frame.shape[0], top + high)
        if x1 - x0 < 2 or y1 - y0 < 2:
            return
        heat = self.heat(seconds)
        index = (heat * np.float32(_LEVELS - 1)).astype(np.int32)
        small = np.take(self._table, index, axis=0)
        halo = imaging.gaussian(imaging.resize(small, _COLUMNS // 4, _ROWS // 4, imaging.AREA), 5.0)
        wide_halo = cv2.convertScaleAbs(imaging.resize(halo, _COLUMNS, _ROWS), alpha=0.30)
        light = imaging.resize(np.asarray(cv2.add(small, wide_halo), np.uint8), wide, high, cv2.INTER_CUBIC)
        window = frame[y0:y1, x0:x1]
        part = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
        # Bright gas hides what is behind it, so that flames keep their colour before a bright ground.
        clear = (255 - np.minimum(heat * np.float32(2.2), 1) * np.float32(200)).astype(np.uint8)
        hidden = imaging.triple(np.ascontiguousarray(imaging.resize(clear, wide, high)[part]))
        cv2.multiply(window, hidden, window, 1 / 255.0)
        dark = cv2.bitwise_not(light[part])
        cv2.bitwise_not(window, window)
        cv2.multiply(window, dark, window, 1 / 255.0)
        cv2.bitwise_not(window, window)
