"""The light of a city at one moment, as a value: sun and sky on its walls, windows, neon and haze."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import Palette, linear, luminance, mix, palette, rgb
from meshapi_renderer.plan import ScenePlan, TimeOfDay, Weather
from meshapi_renderer.rng import Rng
from meshapi_renderer.weather import air

NEON = tuple(linear(c) for c in ("00e5ff", "ff2bd6", "7a5cff", "18ffb2", "ff8a2b", "3d8bff", "ffd23f"))
_GLOWS = (("b03aa0", "3a7fff"), ("7a3ad0", "22c8e8"), ("c8503a", "c040a0"), ("2a6ad8", "b03aa0"))
"""The haze over a lit city and the band at its foot."""

_LIT: dict[TimeOfDay, float] = {
    "sunrise": 0.13,
    "golden": 0.06,
    "noon": 0.02,
    "sunset": 0.24,
    "dusk": 0.50,
    "night": 0.56,
}
"""Share of windows with their lights on."""
_WINDOW: dict[TimeOfDay, float] = {
    "sunrise": 0.55,
    "golden": 0.50,
    "noon": 0.45,
    "sunset": 0.65,
    "dusk": 0.95,
    "night": 1.0,
}
"""Brightness of a lit window."""
_NEON: dict[TimeOfDay, float] = {
    "sunrise": 0.10,
    "golden": 0.03,
    "noon": 0.0,
    "sunset": 0.22,
    "dusk": 0.50,
    "night": 0.58,
}
"""Share of towers with neon."""
_FRONTAL: dict[TimeOfDay, float] = {
    "sunrise": 0.10,
    "golden": 0.35,
    "noon": 0.78,
    "sunset": 0.08,
    "dusk": 0.0,
    "night": 0.0,
}
"""How much of the sun falls on the faces turned to the viewer."""
_DIRECT: dict[Weather, float] = {
    "clear": 1.0,
    "cloudy": 0.8,
    "overcast": 0.12,
    "storm": 0.0,
    "rain": 0.05,
    "snow": 0.15,
    "fog": 0.10,
}
_DIM: dict[Weather, float] = {
    "clear": 0.0,
    "cloudy": 0.0,
    "overcast": 0.06,
    "storm": 0.28,
    "rain": 0.20,
    "snow": 0.14,
    "fog": 0.16,
}
"""Share of windows lit by day because the weather is dark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CityLight:
    """Linear colours, shape (3,), already exposed, and shares."""

    tones: Palette
    dark: bool
    """Whether the city lights itself: dusk and night."""
    front: Floats
    """Light on walls turned to the viewer."""
    sunny_side: Floats
    shady_side: Floats
    glass_high: Floats
    """Sky mirrored by the glass of the upper floors."""
    glass_low: Floats
    street: Floats
    """Light of the streets on the lowest floors."""
    haze: Floats
    haze_power: float
    """Exponent on the clear share of every plane: above 1 for thick air."""
    lit: float
    window: float
    neon: float
    neon_colours: tuple[Floats, ...]
    bloom: float
    snow: float


def city_light(plan: ScenePlan, rng: Rng) -> CityLight:
    """The light of the plan's hour and weather over a city."""
    dark = plan.time in ("dusk", "night")
    tones = palette(plan.time, plan.weather).tinted(plan.colours)
    neon = tuple(_bright(linear(colour)) for colour in plan.colours) or NEON
    glow, foot = (linear(colour) for colour in rng.pick(_GLOWS))
    if plan.colours:
        glow, foot = neon[0], neon[-1]
    if dark:
        tones = _city_night(tones, glow, foot, plan.time, plan.weather)
    exposure = np.float32(tones.exposure)
    direct = 0.0 if dark else _DIRECT[plan.weather]
    sun = tones.sun * exposure * np.float32(direct)
    # Walls see the bright horizon and the street as well as the blue zenith: less hue than the sky alone.
    grey = float(luminance(tones.ambient))
    sky = mix(tones.ambient, rgb(grey, grey, grey), 0.15 if dark else 0.55) * exposure
    conditions = air(plan.weather)
    return CityLight(
        tones=tones,
        dark=dark,
        front=sky * np.float32(0.95) + sun * np.float32(_FRONTAL[plan.time]) + _moonlight(plan, tones),
        sunny_side=sky * np.float32(0.75) + sun * np.float32(1.45),
        shady_side=sky * np.float32(0.50),
        glass_high=mix(tones.middle, tones.zenith, 0.45) * exposure,
        glass_low=mix(tones.horizon, tones.middle, 0.4) * exposure,
        street=_street(plan.time, glow, foot),
        haze=mix(mix(tones.horizon, tones.haze, 0.5), tones.middle, 0.0 if dark else 0.25)
        * exposure
        * np.float32(0.85 if dark else 0.96),
        # By day clear air over a city is thinner than the lit haze of its nights.
        haze_power=conditions.visibility**-0.70 * (1.0 if dark else 0.72),
        lit=min(0.62, _LIT[plan.time] + (0.0 if dark else _DIM[plan.weather])),
        window=_WINDOW[plan.time],
        neon=_NEON[plan.time],
        neon_colours=neon,
        bloom={"night": 1.0, "dusk": 0.8, "sunset": 0.45}.get(plan.time, 0.2)
        * (1.35 if conditions.mist > 0.6 else 1),
        snow=1.0 if plan.weather == "snow" else 0.0,
    )


def _bright(colour: Floats) -> Floats:
    """A wished neon colour at the brightness of a tube, its hue kept."""
    return colour * np.float32(min(4.0, 1.0 / max(float(colour.max()), 0.02)))


def _city_night(tones: Palette, glow: Floats, foot: Floats, time: TimeOfDay, weather: Weather) -> Palette:
    """The sky over a lit city: its own light in the haze, and on the bellies of clouds."""
    share = 1.0 if time == "night" else 0.22
    veil = 1.0 + (0.6 if weather in ("overcast", "rain", "snow", "fog", "storm") else 0.0)
    level = np.float32(share * veil)
    return replace(
        tones,
        zenith=tones.zenith + glow * (np.float32(0.018) * level),
        middle=mix(tones.middle, glow * np.float32(0.16 * veil), 0.55 * share),
        horizon=mix(tones.horizon, glow * np.float32(0.34) + foot * np.float32(0.10), 0.75 * share),
        ambient=tones.ambient + glow * (np.float32(0.05) * level),
        haze=mix(tones.haze, glow * np.float32(0.26) + foot * np.float32(0.06), 0.7 * share),
        cloud_lit=mix(tones.cloud_lit, glow * np.float32(0.20 * veil), 0.75 * share),
        cloud_dark=mix(tones.cloud_dark, glow * np.float32(0.045 * veil), 0.6 * share),
        stars=tones.stars * 0.6,
    )


def _moonlight(plan: ScenePlan, tones: Palette) -> Floats:
    return tones.sun * np.float32(0.05 * tones.disc) if plan.time == "night" else rgb(0, 0, 0)


def _street(time: TimeOfDay, glow: Floats, foot: Floats) -> Floats:
    warm = linear("ffa050")
    level = {"night": 0.20, "dusk": 0.15, "sunset": 0.05, "sunrise": 0.03}.get(time, 0.0)
    mixed = mix(mix(warm, glow, 0.45), foot, 0.15)
    return mixed / np.float32(max(float(luminance(mixed)), 0.05)) * np.float32(level * 0.45)
