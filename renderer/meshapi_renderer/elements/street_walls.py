"""House fronts along a street, seen aslant to the vanishing point: windows, shops, roofs against the sky.

A wall parallel to the view is all of one distance in every column of the picture, so a whole side of the
street is painted at once from two coordinates: metres along the street and metres above it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import linear, mix, rgb, smoothstep
from meshapi_renderer.elements.city_light import CityLight
from meshapi_renderer.rng import Rng

_STOREY = 3.4
_SHOP = 4.3
"""Height of the ground floor, in metres."""
_CELL = 2.7
_SHELVES, _PLACES = 5, 48
_LETTER = 0.13
"""Metres of one stroke of the writing over a shop."""
_WALLS = (
    "7c4c3a", "a08c70", "56606c", "94664e", "6a5a4c", "8a8780", "4c4550", "b39a78", "7f4a3e", "6f7f78",
)  # fmt: skip
_SHOPS = ("ffd9a0", "ffe8cc", "ffc070", "d8f0ff", "ffb0c8")


@dataclass(frozen=True, slots=True)
class House:
    """One house of a side, from ``near`` to ``far`` metres along the street."""

    near: float
    far: float
    height: float
    wall: Floats
    shop: Floats
    sign: Floats
    lit: Floats
    """Light of every window, (storeys, columns): warm when positive, cool when negative."""
    goods: Floats
    """How bright the things in the show windows are, (shelves, places)."""
    strokes: Floats
    """The writing over the shop as a lattice of strokes, (rows, columns)."""


def row_of_houses(rng: Rng, light: CityLight, first: float, last: float) -> list[House]:
    """Houses from ``first`` to ``last`` metres along one side."""
    houses = []
    place = first
    index = 0
    while place < last:
        own = rng.sub(f"house {index}")
        wide = own.uniform(9.0, 17.0)
        storeys = 3 + own.integer(6) + (4 if own.u() < 0.22 else 0)
        columns = max(2, round((wide - 1.0) / _CELL))
        level = own.u(storeys, columns)
        shown = own.u(storeys, columns) < light.lit * own.uniform(0.55, 1.15)
        warm = np.where(own.u(storeys, columns) < 0.78, 1.0, -1.0)
        houses.append(
            House(
                near=place,
                far=place + wide,
                height=_SHOP + storeys * _STOREY + own.uniform(0.6, 1.6),
                wall=linear(own.pick(_WALLS)) * np.float32(own.uniform(0.6, 1.1)),
                shop=linear(own.pick(_SHOPS)),
                sign=own.pick(light.neon_colours),
                lit=((np.float32(0.25) + level * level) * shown * warm).astype(np.float32),
                goods=own.u(_SHELVES, _PLACES),
                strokes=_writing(own.sub("writing")),
            )
        )
        place += wide
        index += 1
    return houses


def paint_wall(
    houses: list[House], along: Floats, above: Floats, light: CityLight, side_light: Floats, fine: float
) -> tuple[Floats, Floats]:
    """(colour, coverage) of a side: ``along`` metres per column (w,), ``above`` metres per pixel (h, w).

    ``fine`` is metres along the street that one column spans, per metre of distance squared: far windows
    melt into an even glow.
    """
    colour = np.zeros((*above.shape, 3), np.float32)
    cover = np.zeros(above.shape, np.float32)
    for index, house in enumerate(houses):
        columns = np.nonzero((along >= house.near) & (along < house.far))[0]
        if len(columns) == 0:
            continue
        part = slice(int(columns[0]), int(columns[-1]) + 1)
        u = along[part] - np.float32(house.near)
        h = above[:, part]
        blur = np.float32(fine) * along[part] * along[part]
        inside = (h >= -0.02) & (h < np.float32(house.height))
        if not inside.any():
            continue
        rows = np.nonzero(inside.any(1))[0]
        band = slice(int(rows[0]), int(rows[-1]) + 1)
        seen = _front(house, u[None], h[band], blur[None], light, side_light, index)
        mask = inside[band][..., None]
        colour[band, part] = np.where(mask, seen, colour[band, part])
        cover[band, part] = np.maximum(cover[band, part], inside[band])
    return colour, cover


def _pulse(value: Floats, low: float, high: float, soft: Floats | float) -> Floats:
    """1 between low and high, edges ``soft`` wide."""
    width = np.maximum(np.asarray(soft, np.float32), np.float32(0.02))
    rise = np.clip((value - np.float32(low)) / width + np.float32(0.5), 0, 1)
    fall = np.clip((np.float32(high) - value) / width + np.float32(0.5), 0, 1)
    return np.minimum(rise, fall)


def _front(
    house: House, u: Floats, h: Floats, blur: Floats, light: CityLight, side_light: Floats, index: int
) -> Floats:
    """Colour of one house front at metres along it and above the ground."""
    wide = house.far - house.near
    storeys, columns = house.lit.shape
    pitch = wide / columns
    place = np.clip(u / np.float32(pitch), 0, columns - 1e-3)
    level = (h - np.float32(_SHOP)) * np.float32(1 / _STOREY)
    column = np.broadcast_to(place.astype(np.int32), h.shape)
    storey = np.clip(level, 0, storeys - 1).astype(np.int32)
    across = (place - np.floor(place)) * np.float32(pitch)
    up = (level - np.floor(level)) * np.float32(_STOREY)
    upper = (level > 0) & (level < storeys)
    pane = _pulse(across, 0.24 * pitch, 0.76 * pitch, blur) * _pulse(up, 0.85, 2.65, 0.12) * upper
    bars = 1 - np.float32(0.6) * _pulse(across, 0.49 * pitch, 0.53 * pitch, 0.03 + blur)
    mean = np.float32(0.26) * upper
    glass = mix(pane * bars, mean, np.clip(blur * np.float32(1 / 1.6), 0, 1))
    sill = _pulse(up, 0.60, 0.85, 0.08) * _pulse(across, 0.18 * pitch, 0.82 * pitch, blur) * upper
    grime = np.float32(0.85) + np.float32(0.15) * np.sin(h * np.float32(2.1) + u * np.float32(0.9) + index)
    cornice = _pulse(h, house.height - 0.55, house.height + 1, 0.05) + _pulse(h, _SHOP - 0.28, _SHOP, 0.05)
    wall = house.wall * grime[..., None] * (side_light + light.street * _low(h, 7.0)[..., None])
    wall = wall * (1 + np.float32(0.45) * (sill + cornice)[..., None])
    lamp = house.lit[storey, column]
    warm = linear("ffc98a") * np.float32(1.1 * light.window)
    cool = linear("cfe4ff") * np.float32(0.9 * light.window)
    inside = np.maximum(lamp, 0)[..., None] * warm + np.maximum(-lamp, 0)[..., None] * cool
    curtain = np.float32(0.55) + np.float32(0.45) * _pulse(up, 0.85, 2.1, 0.9)
    sky = mix(light.glass_low, light.glass_high, np.clip(h * np.float32(1 / 30), 0, 1)[..., None])
    dark = sky * np.float32(0.35) + rgb(0.004, 0.005, 0.008)
    window = dark + inside * curtain[..., None]
    colour = mix(wall, window, glass[..., None])
    return _shop(house, u, h, blur, light, colour, index)


def _shop(
    house: House, u: Floats, h: Floats, blur: Floats, light: CityLight, colour: Floats, index: int
) -> Floats:
    """The ground floor: show windows, a door, a lit sign over them."""
    wide = house.far - house.near
    open_share = 1.0 if light.dark else 0.55
    front = _pulse(h, 0.55, 3.15, 0.06) * _pulse(u, 0.5, wide - 0.5, 0.1 + blur)
    posts = 1 - _pulse((u % np.float32(2.3)), 0.0, 0.16, 0.04 + blur) * (blur < 0.8)
    glow = house.shop * (_goods(house, u, h, blur) * np.float32(1.15 * light.window * open_share))[..., None]
    inside = glow + light.glass_low * np.float32(0.12)
    colour = mix(colour, inside * posts[..., None] if posts.ndim > 1 else inside, front[..., None])
    plate = _pulse(h, 3.25, 3.95, 0.05) * _pulse(u, 0.8, wide - 0.8, 0.1 + blur)
    rows, columns = house.strokes.shape
    row = np.clip((h - np.float32(3.36)) * np.float32(rows / 0.48), 0, rows - 1).astype(np.int32)
    column = (np.broadcast_to(u, h.shape) * np.float32(1 / _LETTER)).astype(np.int32) % columns
    strokes = house.strokes[row, column] * _pulse(u, 0.25 * wide - 0.5, 0.75 * wide + 0.5, 0.05)
    strokes = mix(strokes, 0.30, np.clip(blur * 4, 0, 1)) * _pulse(h, 3.36, 3.84, 0.04)
    shine = np.float32(1.5 if light.dark else 0.25) * light.window
    sign = house.sign * (np.float32(0.10) + strokes * shine)[..., None]
    return mix(colour, sign + rgb(0.01, 0.01, 0.012), plate[..., None])


def _goods(house: House, u: Floats, h: Floats, blur: Floats) -> Floats:
    """How bright a show window is: a lit back, and goods that stand before it on shelves."""
    back = np.float32(0.42) + np.float32(0.75) * smoothstep(0.6, 2.9, h)
    place = np.broadcast_to(u * np.float32(1 / 0.42), h.shape)
    shelf = np.clip((h - np.float32(0.55)) * np.float32(1 / 0.52), 0, _SHELVES - 1)
    column, row = place.astype(np.int32) % _PLACES, shelf.astype(np.int32)
    tall = house.goods[row, column]
    across, up = place - np.floor(place), shelf - np.floor(shelf)
    there = (up < np.float32(0.25) + np.float32(0.7) * tall) & (np.abs(across - 0.5) < 0.16 + 0.26 * tall)
    hue = house.goods[(row + 2) % _SHELVES, (column + 7) % _PLACES]
    shown = np.where(there & (tall > 0.35), np.float32(0.25) + hue * hue * np.float32(1.1), np.float32(1))
    shown *= 1 - np.float32(0.45) * (up < 0.07)
    return back * mix(shown, 0.72, np.clip(blur * np.float32(3), 0, 1))


def _writing(rng: Rng) -> Floats:
    """Strokes like letters of no alphabet, five rows high, a gap after every letter."""
    letters = []
    for _ in range(12):
        letter = np.zeros((5, 5), np.float32)
        letter[:, 0 if rng.u() < 0.6 else 2] = 1
        letter[rng.integer(5), :4] = 1
        if rng.u() < 0.7:
            letter[rng.integer(5), :4] = 1
        if rng.u() < 0.5:
            letter[rng.integer(3) :, 3] = 1
        letter[:, 4] = 0
        letters.append(letter)
    return np.hstack(letters)


def _low(h: Floats, reach: float) -> Floats:
    return np.asarray(np.exp(-np.maximum(h, 0) * np.float32(1 / reach)))
