"""Linear light, the display curve, and the palettes of the six times of day under seven weathers."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import TypeVar

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.plan import TimeOfDay, Weather
from meshapi_renderer.rng import Rng

_GAMMA = 2.2
_DITHER_SIDE = 64
_LUT_TOP = 65535
_BRIGHTEST = 64.0
"""Linear light from which everything is white."""
_Value = TypeVar("_Value", float, Floats)


def rgb(red: float, green: float, blue: float) -> Floats:
    """A linear colour, float32, shape (3,)."""
    return np.array((red, green, blue), np.float32)


def linear(hex6: str) -> Floats:
    """The linear colour, float32, shape (3,), of an sRGB colour written "rrggbb".

    Raises ValueError when the text is not six hexadecimal digits.
    """
    try:
        if len(hex6) != 6:
            raise ValueError(hex6)
        channels = bytes.fromhex(hex6)
    except ValueError:
        raise ValueError(f"colour: {hex6!r} is not six hexadecimal digits like 'ff8c3f'") from None
    return (np.frombuffer(channels, np.uint8).astype(np.float32) / np.float32(255)) ** np.float32(_GAMMA)


def smoothstep(a: float, b: float, x: Floats) -> Floats:
    """0 below ``a``, 1 above ``b``, a smooth cubic between; ``a`` > ``b`` gives the falling step."""
    t = np.clip((x - np.float32(a)) * np.float32(1 / (b - a)), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def mix(a: Floats | float, b: Floats | float, t: Floats | float) -> Floats:
    """``a`` at t = 0, ``b`` at t = 1."""
    if isinstance(t, np.ndarray) and t.ndim == 3 and t.shape[2] == 1 and t.dtype == np.float32:
        to, base = np.asarray(b), np.asarray(a)
        # NumPy is slow along a last axis of three: the same numbers come sooner channel by channel.
        if to.shape == (3,) and base.shape in ((3,), (*t.shape[:2], 3)):
            share = t[..., 0]
            return _planes([base[..., k] + (to[k] - base[..., k]) * share for k in range(3)])
    return np.asarray(a + (b - a) * t, np.float32)


def _planes(channels: list[Floats]) -> Floats:
    return np.asarray(cv2.merge(channels), np.float32)


def luminance(colour: Floats) -> Floats:
    """Relative luminance (Rec. 709) of linear colours along the last axis, that axis dropped."""
    return colour @ rgb(0.2126, 0.7152, 0.0722)


def tonemap(lin: Floats) -> Floats:
    """Film-like curve from [0, inf) to [0, 1]: the ACES fit of Narkowicz (2015) at 0.6 exposure."""
    x = np.maximum(lin, 0) * np.float32(0.6)
    top = x * (np.float32(2.51) * x + np.float32(0.03))
    bottom = x * (np.float32(2.43) * x + np.float32(0.59)) + np.float32(0.14)
    return np.clip(top / bottom, 0, 1)


def _srgb_lut() -> Floats:
    t = np.linspace(0, 1, _LUT_TOP + 1)
    encoded = np.where(t <= 0.0031308, 12.92 * t, 1.055 * t ** (1 / 2.4) - 0.055)
    return (encoded * 255).astype(np.float32)


def _dither_tile() -> Floats:
    """Blue-ish noise in [0, 1): white noise minus its own blur, equalised by rank, three times."""
    tile = Rng("dither").u(_DITHER_SIDE, _DITHER_SIDE)
    count = tile.size
    for _ in range(3):
        blurred = imaging.gaussian(np.tile(tile, (3, 3)), 1.5)
        middle = blurred[_DITHER_SIDE : 2 * _DITHER_SIDE, _DITHER_SIDE : 2 * _DITHER_SIDE]
        order = np.argsort(tile - middle, axis=None, kind="stable")
        ranked = np.empty(count, np.float32)
        ranked[order] = np.arange(count, dtype=np.float32) / np.float32(count)
        tile = ranked.reshape(tile.shape)
    return tile


def _tone_lut() -> Floats:
    """The film curve and the sRGB curve in one, by the square root of linear light up to _BRIGHTEST."""
    root = np.linspace(0, math.sqrt(_BRIGHTEST), _LUT_TOP + 1).astype(np.float32)
    return _LUT[(tonemap(root * root) * np.float32(_LUT_TOP)).astype(np.uint16)]


_LUT = _srgb_lut()
_TONE_LUT = _tone_lut()
_DITHER = _dither_tile()


def to8(lin: Floats, tone: bool = True) -> Bytes8:
    """Linear light to display bytes: film curve (unless ``tone`` is false), sRGB, ordered dither.

    ``lin`` is (h, w) or (h, w, 3); the dither keeps a slow gradient from showing bands.
    """
    if tone:
        root = np.sqrt(np.clip(lin, 0, _BRIGHTEST))
        encoded = _TONE_LUT[(root * np.float32(_LUT_TOP / math.sqrt(_BRIGHTEST))).astype(np.uint16)]
    else:
        encoded = _LUT[(np.clip(lin, 0, 1) * np.float32(_LUT_TOP)).astype(np.uint16)]
    h, w = encoded.shape[:2]
    repeats = (-(-h // _DITHER_SIDE), -(-w // _DITHER_SIDE))
    dither = np.tile(_DITHER, repeats)[:h, :w]
    encoded += dither[..., None] if encoded.ndim == 3 else dither
    return np.minimum(encoded, 255, out=encoded).astype(np.uint8)


def swatch8(colour: Floats) -> tuple[int, int, int]:
    """One linear colour, shape (3,), as display bytes without dither."""
    shown = _LUT[(tonemap(colour) * np.float32(_LUT_TOP)).astype(np.uint16)]
    red, green, blue = (int(channel + np.float32(0.5)) for channel in shown)
    return red, green, blue


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The light of one moment: linear colours, shape (3,), and the numbers that go with them."""

    zenith: Floats
    middle: Floats
    horizon: Floats
    glow: Floats
    """Around the sun or moon."""
    sun: Floats
    """Direct light of the sun or moon."""
    ambient: Floats
    """Light of the whole sky."""
    haze: Floats
    cloud_lit: Floats
    cloud_dark: Floats
    exposure: float
    sun_elevation: float
    """Radians above the horizon."""
    stars: float
    """Visibility of the stars, 0 to 1."""
    disc: float
    """Visibility of the sun's or moon's disc, its glow and its glitter, 0 to 1."""

    def tinted(self, colours: tuple[str, ...]) -> Palette:
        """This palette leaning towards the wished sRGB colours; unchanged without any.

        The first colour tints the horizon and glow, the last one the zenith and ambient light; luminance
        stays, so that night stays night.
        """
        if not colours:
            return self
        warm, cool = linear(colours[0]), linear(colours[-1])

        def lean(base: Floats, wish: Floats, amount: float) -> Floats:
            level = luminance(base) / max(float(luminance(wish)), 0.02)
            return mix(base, wish * np.float32(level), amount)

        return replace(
            self,
            horizon=lean(self.horizon, warm, 0.6),
            glow=lean(self.glow, warm, 0.6),
            haze=lean(self.haze, warm, 0.35),
            middle=lean(self.middle, cool, 0.4),
            zenith=lean(self.zenith, cool, 0.5),
            ambient=lean(self.ambient, cool, 0.25),
        )


def _palette(
    colours: str, exposure: float, sun_elevation: float, stars: float = 0.0, disc: float = 1.0
) -> Palette:
    zenith, middle, horizon, glow, sun, ambient, haze, lit, dark = (linear(c) for c in colours.split())
    return Palette(
        zenith=zenith,
        middle=middle,
        horizon=horizon,
        glow=glow,
        sun=sun,
        ambient=ambient,
        haze=haze,
        cloud_lit=lit,
        cloud_dark=dark,
        exposure=exposure,
        sun_elevation=sun_elevation,
        stars=stars,
        disc=disc,
    )


# zenith middle horizon glow sun ambient haze cloud-lit cloud-dark
_TIMES: dict[TimeOfDay, Palette] = {
    "sunrise": _palette("2a4f8c 8d8fbc f9b884 ffae62 ffbf86 6a84bd b59ab4 ffc9a0 7a7398", 1.12, 0.072),
    "golden": _palette("3a6fa8 9fb4c0 ffd591 ffc56a ffd79a 7f9cc4 e2c39a ffe6c0 9a9aa8", 1.15, 0.17),
    "noon": _palette("1f5fb4 5b9be0 bfe0f5 ffffff fff4e0 8fb4e8 bcd6ea ffffff a9b8cc", 1.15, 0.7, disc=0.0),
    "sunset": _palette("28345f 9a5a78 ff8c3f ff7a30 ff9a55 5d5f95 c4755c ff9a6a 5d4a70", 1.05, 0.065),
    "dusk": _palette("141f4a 4a4a86 d98a8a f08a6a 8a86c0 4a5290 7a6a94 c88a9a 3a3c6a", 0.95, 0.02, 0.25, 0.0),
    "night": _palette("050a1c 0b1734 1d3157 3a5a90 8fb0e8 22365f 1a2c4e 5a76a8 0b1430", 1.0, 0.45, 1.0, 0.6),
}
_GREYS: dict[Weather, Palette] = {
    "overcast": _palette(
        "7d8894 9aa4ae c3c9cd d5d8da c9ced2 a0a8b0 b8bfc4 d8dde1 69727d", 0.95, 0.6, disc=0.0
    ),
    "storm": _palette("2c333d 4a535e 77808a 8a929b 8f98a3 5a646f 69727c 8e97a1 20262f", 0.85, 0.5, disc=0.0),
    "rain": _palette("606b77 7d8893 a3abb1 b4babf aab1b7 848e98 98a1a8 b2bac1 4e5863", 0.92, 0.55, disc=0.0),
    "snow": _palette("8d97a3 a9b2bb cdd3d8 dde1e5 d2d7dc aab3bd c6ccd2 dde2e7 7f8995", 1.0, 0.6, disc=0.0),
    "fog": _palette("a0a8ae b2b9be cbd0d3 d8dbdd cdd1d4 b0b7bc c6cbce d2d6d9 9aa2a8", 0.97, 0.6, disc=0.0),
}
_GREY_SHARE: dict[Weather, float] = {
    "clear": 0.0,
    "cloudy": 0.20,
    "overcast": 0.88,
    "storm": 0.94,
    "rain": 0.88,
    "snow": 0.86,
    "fog": 0.84,
}
# What daylight is left above the clouds, linear.
_DAYLIGHT: dict[TimeOfDay, Floats] = {
    "sunrise": rgb(0.72, 0.56, 0.55),
    "golden": rgb(0.95, 0.80, 0.62),
    "noon": rgb(1.0, 1.0, 1.0),
    "sunset": rgb(0.66, 0.44, 0.42),
    "dusk": rgb(0.22, 0.225, 0.33),
    "night": rgb(0.060, 0.080, 0.135),
}


@lru_cache(maxsize=64)
def palette(time: TimeOfDay, weather: Weather) -> Palette:
    """The palette of a time of day under a weather: the clear sky blended towards that weather's grey."""
    base = _TIMES[time]
    share = _GREY_SHARE[weather]
    if share == 0.0:
        return base
    grey = _GREYS.get(weather, _GREYS["overcast"])
    # A storm is dark by day; at night it keeps what the eye would still find.
    light = _DAYLIGHT[time] ** np.float32(0.72 if weather == "storm" else 1.0)
    blended: dict[str, Floats | float] = {}
    for field in fields(Palette):
        own, veiled = getattr(base, field.name), getattr(grey, field.name)
        if isinstance(own, np.ndarray):
            blended[field.name] = mix(own, veiled * light, share)
        elif field.name in ("stars", "disc"):
            blended[field.name] = own * max(0.0, 1.0 - 1.3 * share)
        elif field.name == "exposure":
            blended[field.name] = own + (veiled - own) * share
    return replace(base, **blended)  # type: ignore[arg-type]
