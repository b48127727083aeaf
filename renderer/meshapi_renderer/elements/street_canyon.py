"""A street between houses in bands of distance, each with its walls, its ground and what hangs over it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Floats
from meshapi_renderer.baking import side_by_side
from meshapi_renderer.colour import luminance, mix, rgb, smoothstep
from meshapi_renderer.elements.city_light import CityLight
from meshapi_renderer.elements.street_things import Brush, StreetEye, bulb_string, jut_out_sign, lamp_post
from meshapi_renderer.elements.street_walls import House, paint_wall, row_of_houses
from meshapi_renderer.layers import Layer
from meshapi_renderer.noise import fbm
from meshapi_renderer.rng import Rng
from meshapi_renderer.view import View

WALL = 7.6
"""Metres from the middle of the road to the houses."""
KERB = 4.6
EYE = 1.55
METRES_PER_DEPTH = 12.0
"""Distance of the plane the camera calls depth 1."""
_SIDE = 512
_SHADOW = 0.25
"""Metres that the shadow of the houses on the right reaches over the street, by their height."""
_ROWS, _COLUMNS = 48, 160
"""Rows of the road and columns of a wall that are painted at a time."""


@dataclass(frozen=True, slots=True)
class StreetBand:
    """One slice of the street, in metres away."""

    near: float
    far: float
    depth: float


BANDS = (
    StreetBand(44.0, 400.0, 6.6),
    StreetBand(22.0, 44.0, 2.6),
    StreetBand(11.0, 22.0, 1.3),
    StreetBand(4.0, 11.0, 1.2),
)


class StreetCanyon:
    """Paints the bands of one street."""

    def __init__(self, view: View, light: CityLight, rng: Rng, wet: float, snow: float) -> None:
        """``wet`` darkens the road, 0 dry to 1 soaked; ``snow`` covers it."""
        self._view, self._light, self._rng = view, light, rng
        self._wet, self._snow = wet, snow
        contrast = float(luminance(light.sunny_side)) / max(float(luminance(light.shady_side)), 1e-4)
        # Under clouds both sides are nearly alike, and nothing throws a shadow.
        self._sunny = 0.0 if light.dark else min(1.0, max(0.0, 0.5 * (contrast - 2.0)))
        self._factor = 2.0 if view.canvas.scale <= 0.8 else 1.5 if view.canvas.scale <= 1.1 else 1.0
        self._asphalt = imaging.Torus(fbm(_SIDE, _SIDE, 9, 6, rng.sub("asphalt"), 0.62))
        self._sides = [row_of_houses(rng.sub(name), light, 3.0, 170.0) for name in ("left", "right")]
        draws = rng.sub("things")
        self._signs = [
            (side, away, draws.sub(f"sign {side} {away}"))
            for side in (-1.0, 1.0)
            for away in _places(draws, 5.5, 95.0, 3.6)
        ]
        self._lamps = [(side, away) for side in (-1.0, 1.0) for away in np.arange(9.5, 110.0, 15.0).tolist()]
        self._strings = [(away, draws.sub(f"string {away}")) for away in (13.0, 18.5, 25.0, 33.0, 43.0)]
        self._festive = draws.u() < 0.6

    def layers(self) -> list[Layer]:
        """All bands, far to near."""
        return side_by_side([partial(self._paint, band, index) for index, band in enumerate(BANDS)])

    def _paint(self, band: StreetBand, index: int) -> Layer:
        view, factor = self._view, self._factor
        width, height = round(view.width * factor), round(view.height * factor)
        eye = StreetEye(view.centre_column * factor, view.horizon_row * factor, view.focal * factor, EYE)
        light = np.zeros((height, width, 3), np.float32)
        alpha = np.zeros((height, width), np.float32)
        self._ground(band, eye, light, alpha)
        for side, houses, lit in ((-1, self._sides[0], "left"), (1, self._sides[1], "right")):
            self._wall(band, eye, side, houses, lit, light, alpha)
        self._things(band, eye, light, alpha)
        if index == 0:
            self._end(eye, light, alpha)
        light *= alpha[..., None]
        cover = imaging.resize(alpha, view.width, view.height, imaging.AREA)
        colour = imaging.resize(light, view.width, view.height, imaging.AREA)
        del light, alpha
        colour /= np.maximum(cover, np.float32(1e-3))[..., None]
        self._add_haze(colour, band)
        _add_glow(colour, cover, view.canvas.scale, self._light)
        return Layer.from_linear(colour, cover, band.depth, view.margin)

    def _wall(
        self,
        band: StreetBand,
        eye: StreetEye,
        side: int,
        houses: list[House],
        name: str,
        light: Floats,
        alpha: Floats,
    ) -> None:
        height, width = alpha.shape
        columns = np.arange(width, dtype=np.float32) + np.float32(0.5)
        away = np.float32(eye.focal * WALL) / np.maximum(
            (columns - np.float32(eye.column)) * np.float32(side), np.float32(1e-3)
        )
        # Bands overlap: what a nearer one uncovers when it moves must be painted behind it.
        chosen = np.nonzero((away >= 0.72 * band.near) & (away < band.far))[0]
        if len(chosen) == 0:
            return
        side_light = self._light.sunny_side if name == "left" else self._light.shady_side
        if self._light.dark:
            side_light = self._light.shady_side
        fine = 1.0 / (eye.focal * WALL)
        rows = np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5)
        rise = (np.float32(eye.row) - rows) * np.float32(1 / eye.focal)
        for begin in range(int(chosen[0]), int(chosen[-1]) + 1, _COLUMNS):
            part = slice(begin, min(int(chosen[-1]) + 1, begin + _COLUMNS))
            above = np.float32(eye.height) + rise * away[part]
            colour, cover = paint_wall(houses, away[part], above, self._light, side_light, fine)
            light[:, part] += (colour - light[:, part]) * cover[..., None]
            np.maximum(alpha[:, part], cover, out=alpha[:, part])

    def _ground(self, band: StreetBand, eye: StreetEye, light: Floats, alpha: Floats) -> None:
        height, width = alpha.shape
        top = int(np.ceil(eye.row + eye.focal * eye.height / min(band.far, 300.0)))
        bottom = height if band.near < 6 else int(eye.row + eye.focal * eye.height / (0.62 * band.near))
        top, bottom = min(max(0, top), height - 1), min(height, bottom)
        if bottom <= top:
            return
        columns = np.arange(width, dtype=np.float32)[None] + np.float32(0.5 - eye.column)
        # A few rows at a time: the many steps of a road's colour stay in the cache.
        for begin in range(top, bottom, _ROWS):
            end = min(bottom, begin + _ROWS)
            rows = np.arange(begin, end, dtype=np.float32)[:, None] + np.float32(0.5)
            away = np.float32(eye.focal * eye.height) / (rows - np.float32(eye.row))
            near = np.nonzero(np.abs(columns[0]) * np.float32(away[-1, 0] / eye.focal) < np.float32(WALL))[0]
            part = np.s_[begin:end, int(near[0]) : int(near[-1]) + 1]
            right = columns[:, part[1]] * away * np.float32(1 / eye.focal)
            inside = np.abs(right) < np.float32(WALL)
            colour = self._road(right, np.broadcast_to(away, right.shape))
            light[part] = np.where(inside[..., None], colour, light[part])
            alpha[part] = np.where(inside, np.float32(1), alpha[part])

    def _road(self, right: Floats, away: Floats) -> Floats:
        """Asphalt, kerbs, pavements and paint at places in metres."""
        lights = self._light
        texels = np.float32(_SIDE / 14.0)
        grain = self._asphalt.at(right * texels, away * texels)
        broad = self._asphalt.at(right * np.float32(9), away * np.float32(9))
        tone = np.float32(0.55) + np.float32(0.6) * grain
        road = rgb(0.060, 0.060, 0.064) * tone[..., None]
        walk = rgb(0.135, 0.130, 0.122) * (np.float32(0.75) + np.float32(0.4) * grain)[..., None]
        slabs = ((away % 1.2) < 0.05) | ((np.abs(right) - np.float32(KERB)) % 1.2 < 0.05)
        walk = walk * (1 - np.float32(0.3) * (slabs & (away < 16)))[..., None]
        side = np.abs(right)
        on_walk = smoothstep(KERB - 0.05, KERB + 0.05, side)[..., None]
        colour = mix(road, walk, on_walk)
        kerb = ((side > KERB - 0.12) & (side < KERB + 0.12))[..., None]
        colour = np.where(kerb, rgb(0.20, 0.19, 0.18) * tone[..., None], colour)
        paint = smoothstep(0.14, 0.10, side) * ((away % 6.0) < 3.2)
        paint = np.maximum(paint, smoothstep(0.12, 0.09, np.abs(side - np.float32(KERB - 0.45))))
        crossing = ((away > 8.6) & (away < 11.8) & (side < KERB - 0.5) & ((right + 50.0) % 1.1 < 0.58)) * 1.0
        marks = np.maximum(paint, crossing) * (np.float32(0.45) + np.float32(0.4) * broad)
        colour = mix(colour, rgb(0.46, 0.46, 0.44), (marks * np.float32(0.8))[..., None])
        colour = colour * np.float32(1 - 0.55 * self._wet)
        if self._snow > 0:
            trodden = smoothstep(0.35, 0.65, broad) * np.float32(self._snow)
            lying = np.maximum(
                trodden * np.float32(0.55), smoothstep(KERB - 1.2, KERB, side) * np.float32(0.85)
            )
            colour = mix(colour, rgb(0.62, 0.65, 0.70), lying[..., None])
        lamp = np.exp(-((((away - 9.5 + 7.5) % 15.0) - 7.5) ** 2) / 12) * np.exp(-((side - 3.4) ** 2) / 5)
        lit = lights.front * np.float32(0.9) + lights.street * np.float32(1.6)
        if self._sunny > 0:
            sun = self._sun_on_ground(right, away)[..., None] * np.float32(self._sunny)
            lit = lit * (np.float32(1 - 0.30 * self._sunny) + np.float32(0.30) * sun)
            lit = lit + (lights.sunny_side - lights.shady_side) * (sun * np.float32(0.95))
        if lights.dark:
            lit = lit + rgb(1.0, 0.72, 0.42) * (lamp * np.float32(0.42))[..., None]
        return np.asarray(colour * lit, np.float32)

    def _sun_on_ground(self, right: Floats, away: Floats) -> Floats:
        """Where the sun comes over the houses on the right, 0 to 1."""
        row = away[:, 0]
        houses = self._sides[1]
        places = np.searchsorted(np.array([house.far for house in houses]), row)
        heights = np.array([house.height for house in houses], np.float32)
        edge = np.float32(WALL) - heights[np.minimum(places, len(houses) - 1)] * np.float32(_SHADOW)
        soft = np.float32(0.10) + np.float32(0.004) * row
        return np.asarray(smoothstep(0.5, -0.5, (right - edge[:, None]) / soft[:, None]), np.float32)

    def _things(self, band: StreetBand, eye: StreetEye, light: Floats, alpha: Floats) -> None:
        """Signs, lamps and strings of this band, far to near, in place."""
        brush = Brush(light, alpha, eye)
        for side, away, rng in sorted(self._signs, key=lambda sign: -sign[1]):
            if band.near <= away < band.far and rng.u() < (0.85 if self._light.dark else 0.6):
                jut_out_sign(brush, side, WALL, away, self._light, rng)
        for side, away in sorted(self._lamps, key=lambda lamp: -lamp[1]):
            if band.near <= away < band.far:
                lamp_post(brush, side, KERB + 0.35, away, self._light)
        for away, rng in reversed(self._strings):
            if self._festive and band.near <= away < band.far:
                bulb_string(brush, WALL, away, self._light, rng)

    def _end(self, eye: StreetEye, light: Floats, alpha: Floats) -> None:
        """Where the street ends: blocks of houses across it, pale with distance, in place."""
        draws = self._rng.sub("end")
        away = 190.0
        place = -30.0
        while place < 30.0:
            wide, tall = draws.uniform(7, 14), draws.uniform(18, 52) * (1 - 0.010 * abs(place))
            x0, y0 = eye.place(place, tall, away)
            x1, y1 = eye.place(place + wide, 0.0, away)
            window = np.s_[max(0, round(y0)) : max(0, round(y1) + 2), max(0, round(x0)) : max(0, round(x1))]
            tone = self._light.shady_side * np.float32(0.10 + 0.06 * draws.u())
            clear = (alpha[window] < 0.5)[..., None]
            high, broad = alpha[window].shape
            if high < 1 or broad < 1:
                place += wide
                continue
            lamps = (draws.u(max(2, round(tall / 3.5)), 5) < 0.7 * self._light.lit).astype(np.float32)
            lamps = imaging.resize(lamps, broad, high)
            seen = tone + lamps[..., None] * rgb(0.5, 0.34, 0.18) * np.float32(0.35 * self._light.window)
            light[window] = np.where(clear, seen, light[window])
            alpha[window] = 1.0
            place += wide

    def _add_haze(self, colour: Floats, band: StreetBand) -> None:
        """Air before the band, thicker for what is far in it, in place."""
        view = self._view
        columns = np.abs(np.arange(view.width, dtype=np.float32) + np.float32(0.5 - view.centre_column))
        away = np.clip(
            np.float32(view.focal * WALL) / np.maximum(columns, 1), band.near, min(band.far, 190.0)
        )
        reach = 150.0 / max(0.4, self._light.haze_power)
        haze = ((1 - np.exp(-away / np.float32(reach))) * np.float32(0.92))[None, :, None]
        colour *= 1 - haze
        colour += self._light.haze * haze


def _places(rng: Rng, first: float, last: float, step: float) -> list[float]:
    places = []
    place = first + rng.u() * step
    while place < last:
        places.append(place)
        place += step * rng.uniform(0.7, 1.9) * (1 + place / 90)
    return places


def _add_glow(colour: Floats, cover: Floats, scale: float, light: CityLight) -> None:
    """Add the glow of the picture's lights around them, in place; only what is covered takes part."""
    bright = np.subtract(colour, np.float32(0.55))
    np.maximum(bright, 0, out=bright)
    bright *= cover[..., None]
    rows, columns = cover.shape
    small = imaging.resize(bright, max(4, columns // 4), max(4, rows // 4), imaging.AREA)
    tight = imaging.gaussian(bright, max(0.8, 3.0 * scale))
    tight *= np.float32(0.30 * light.bloom)
    colour += tight
    small = imaging.gaussian(small, max(0.6, 3.75 * scale)) * np.float32(0.42 * light.bloom)
    colour += imaging.resize(small, columns, rows)
