"""The light a subject stands in, measured from the scene it joins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import luminance, mix, palette, tonemap
from meshapi_renderer.plan import ScenePlan, TimeOfDay

_GRID_LONG_SIDE = 96
_KEY: dict[TimeOfDay, float] = {
    "sunrise": 0.85,
    "golden": 1.15,
    "noon": 1.35,
    "sunset": 0.75,
    "dusk": 0.12,
    "night": 0.16,
}
"""Direct light on a subject, relative to the palette's sun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """Linear light, scaled as the scenes scale theirs before the film curve."""

    sky: Floats
    """From above, shape (3,)."""
    ground: Floats
    """From below."""
    key: Floats
    """Direct, from the sun or moon."""
    rim: Floats
    """From the brightest part of the picture, seen along edges that face it."""
    towards: tuple[float, float, float]
    """Unit vector to the key light: right, up, to the viewer."""
    source_x: float
    """Where the brightest part of the picture lies, as a share of its width."""
    behind: float
    """0..1, how far the light comes from behind: subjects turn to silhouettes."""
    haze: Floats
    """The air's colour at the horizon."""
    exposure: float
    night: float
    """0 by day, 1 by night: lamps are lit."""

    @property
    def shadow(self) -> float:
        """Strength of cast shadows, 0..1: direct light against all light."""
        direct = float(luminance(self.key))
        return min(0.6, 0.75 * direct / (direct + float(luminance(self.sky)) + 1e-4))


@lru_cache(maxsize=1)
def _linear_of_byte() -> Floats:
    """Linear light before the film curve, per display byte."""
    lin = np.concatenate([[0.0], np.geomspace(1e-4, 12.0, 4000)]).astype(np.float32)
    shown = tonemap(lin).astype(np.float64)
    encoded = 255 * np.where(shown <= 0.0031308, 12.92 * shown, 1.055 * shown ** (1 / 2.4) - 0.055)
    return np.interp(np.arange(256), encoded, lin).astype(np.float32)


def linear_light(picture: Bytes8) -> Floats:
    """Linear light of display bytes: the inverse of ``colour.to8``."""
    return np.asarray(_linear_of_byte()[picture])


def measure(picture: Bytes8, plan: ScenePlan, horizon: float, spot: tuple[float, float]) -> Light:
    """Measure the light of a scene's picture for a subject at ``spot`` (shares of width and height)."""
    height, width = picture.shape[:2]
    step = max(width, height) / _GRID_LONG_SIDE
    small = linear_light(
        imaging.resize(picture, max(8, round(width / step)), max(8, round(height / step)), imaging.AREA)
    )
    rows = small.shape[0]
    line = min(rows - 2, max(2, round(horizon * rows)))
    above, below = small[:line], small[line:]
    source_x, source_y, bright = _source(above)
    contrast = float(luminance(bright)) / (float(luminance(above.mean((0, 1)))) + 0.02)
    # In an even sky no part is the brightest.
    source_x = 0.5 + (source_x - 0.5) * min(1.0, max(0.0, 4.0 * (contrast - 1.05)))
    tones = palette(plan.time, plan.weather)
    key = tones.sun * np.float32(tones.exposure * _KEY[plan.time] * (0.25 + 0.75 * _direct(plan)))
    aside = min(1.0, max(-1.0, 4.0 * (source_x - spot[0])))
    low = plan.time in ("sunrise", "sunset", "dusk", "golden")
    towards = _unit(0.85 * aside, 0.42 if low else 0.95, 0.12 if low else 0.45)
    sky = mix(above.mean((0, 1)), np.float32(tones.exposure) * tones.ambient, 0.35)
    behind = min(1.0, max(0.0, 0.28 * (contrast - 1.5))) * (1.0 if source_y > 0.3 else 0.6)
    return Light(
        sky=sky,
        ground=_around(below, spot[0]),
        key=key,
        rim=_rim(bright, tones.glow),
        towards=towards,
        source_x=source_x,
        behind=behind,
        haze=_around(small[max(0, line - max(2, rows // 14)) : line], spot[0]),
        exposure=tones.exposure,
        night={"night": 1.0, "dusk": 0.8, "sunset": 0.35, "sunrise": 0.25}.get(plan.time, 0.0),
    )


def _rim(bright: Floats, glow: Floats) -> Floats:
    """Edge light: as strong as the brightest part, in a colour between it and the sun's glow."""
    tinted = glow * np.float32(float(luminance(bright)) / max(float(luminance(glow)), 0.05))
    return np.minimum(mix(bright, tinted, 0.6), 6.0) * np.float32(0.55)


def _direct(plan: ScenePlan) -> float:
    """Share of direct light that a weather lets through."""
    return {"clear": 1.0, "cloudy": 0.8}.get(plan.weather, 0.0)


def _source(above: Floats) -> tuple[float, float, Floats]:
    """Where the brightest part lies (shares of width and of the part above the horizon), and its light."""
    level = luminance(above)
    weight = np.clip(level - np.float32(np.percentile(level, 96)), 0, None) + np.float32(1e-6)
    weight /= weight.sum()
    rows, columns = level.shape
    x = float((weight.sum(0) * (np.arange(columns) + 0.5)).sum() / columns)
    y = float((weight.sum(1) * (np.arange(rows) + 0.5)).sum() / rows)
    return x, y, np.asarray((above * weight[..., None]).sum((0, 1)), np.float32)


def _around(strip: Floats, x: float) -> Floats:
    """Mean light of a strip near ``x``, a share of the width."""
    columns = strip.shape[1]
    left, right = max(0, round((x - 0.2) * columns)), min(columns, round((x + 0.2) * columns) + 1)
    return np.asarray(strip[:, left:right].mean((0, 1)), np.float32)


def _unit(x: float, y: float, z: float) -> tuple[float, float, float]:
    length = math.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length
