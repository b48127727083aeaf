"""The light on a beach seen from above, as a value: colour, shadows, the sky in the water."""

from __future__ import annotations

import math
from dataclasses import dataclass

from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import luminance, mix, palette, rgb
from meshapi_renderer.plan import ScenePlan, TimeOfDay, Weather

_LEVEL: dict[TimeOfDay, float] = {
    "sunrise": 0.62,
    "golden": 0.88,
    "noon": 1.05,
    "sunset": 0.56,
    "dusk": 0.24,
    "night": 0.135,
}
"""Illuminance, relative to a bright day."""
_WEATHER_LEVEL: dict[Weather, float] = {
    "clear": 1.0,
    "cloudy": 0.92,
    "overcast": 0.74,
    "storm": 0.46,
    "rain": 0.60,
    "snow": 0.80,
    "fog": 0.80,
}
_DIRECT: dict[Weather, float] = {
    "clear": 1.0,
    "cloudy": 0.75,
    "overcast": 0.12,
    "storm": 0.0,
    "rain": 0.05,
    "snow": 0.10,
    "fog": 0.08,
}
"""Share of the sun's or moon's beam that comes through."""
_WARMTH: dict[TimeOfDay, float] = {
    "sunrise": 0.55,
    "golden": 0.60,
    "noon": 0.45,
    "sunset": 0.50,
    "dusk": 0.70,
    "night": 0.85,
}
"""How much of the palette's colour the light keeps; the eye adapts to the rest."""
_SKY_IN_WATER: dict[TimeOfDay, float] = {
    "sunrise": 0.40,
    "golden": 0.20,
    "noon": 0.05,
    "sunset": 0.50,
    "dusk": 0.42,
    "night": 0.30,
}
_FLASHES: dict[TimeOfDay, float] = {
    "sunrise": 0.9,
    "golden": 0.42,
    "noon": 0.0,
    "sunset": 1.0,
    "dusk": 0.0,
    "night": 0.35,
}
"""Strength of the sun's or moon's path on the water."""
_GREY_WATER: dict[Weather, float] = {
    "clear": 0.0,
    "cloudy": 0.08,
    "overcast": 0.24,
    "storm": 0.50,
    "rain": 0.40,
    "snow": 0.26,
    "fog": 0.34,
}
"""Least share of the sky in the water: under clouds the sea loses its own colour."""
_SHADOW_LENGTH: dict[TimeOfDay, float] = {
    "sunrise": 2.3,
    "golden": 1.7,
    "noon": 0.75,
    "sunset": 2.5,
    "dusk": 1.2,
    "night": 1.0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BeachLight:
    """One moment's light; colours are linear, shape (3,)."""

    colour: Floats
    """What white paper on the sand sends back."""
    shade: Floats
    """Factor on the light within a shadow."""
    shadow: tuple[float, float]
    """Where the shadow of a thing one unit high falls (x, y)."""
    water: Floats
    """Light that comes back out of the sea's depth: whiter than on land, since the sky shares in it."""
    sky_near_sun: Floats
    """The sky's mirror image on the sun's side of the picture."""
    sky_far: Floats
    """The same on the other side."""
    sky_share: float
    glitter: Floats
    """Colour of the sun's flashes on the water, black for none."""
    lanterns: float
    """Strength of the lamps among the palms, 0 by day."""


def beach_light(plan: ScenePlan, bearing: float) -> BeachLight:
    """The light of the plan's hour and weather; ``bearing`` is where shadows point (radians from +x)."""
    sky = palette(plan.time, plan.weather)
    level = _LEVEL[plan.time] * _WEATHER_LEVEL[plan.weather]
    direct = _DIRECT[plan.weather] * (0.35 if plan.time == "dusk" else 1.0)
    beam = mix(sky.ambient / _grey(sky.ambient), sky.sun / _grey(sky.sun), 0.25 + 0.75 * direct)
    tint = mix(rgb(1, 1, 1), beam / _grey(beam), _WARMTH[plan.time])
    colour = tint / _grey(tint) * level
    # In a shadow only the sky's own, bluer light is left.
    cool = mix(rgb(1, 1, 1), sky.ambient / _grey(sky.ambient), 0.35) / tint
    shade = mix(rgb(1, 1, 1), cool * 0.42, direct)
    reach = _SHADOW_LENGTH[plan.time]
    flash = (sky.sun if plan.time == "night" else sky.glow) * (max(0.0, direct - 0.2) * _FLASHES[plan.time])
    dark = plan.time in ("dusk", "night")
    return BeachLight(
        colour=colour,
        shade=shade,
        shadow=(reach * math.cos(bearing), reach * math.sin(bearing)),
        water=mix(colour, rgb(1, 1, 1) * level, 0.6),
        sky_near_sun=mix(sky.horizon, sky.glow, 0.25) * sky.exposure,
        sky_far=mix(sky.middle, sky.zenith, 0.35) * sky.exposure,
        sky_share=max(_SKY_IN_WATER[plan.time], _GREY_WATER[plan.weather]),
        glitter=flash,
        lanterns=(1.0 if plan.time == "night" else 0.8) if dark else 0.0,
    )


def _grey(colour: Floats) -> float:
    return max(float(luminance(colour)), 1e-4)
