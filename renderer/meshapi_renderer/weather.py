"""What a weather does to the air: cloud cover, visibility, mist, wind and what falls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from meshapi_renderer.plan import Weather


@dataclass(frozen=True, slots=True, kw_only=True)
class Air:
    """The air under one weather."""

    cover: float
    """Share of the sky under cloud, 0 to 1."""
    visibility: float
    """Distance one sees, relative to a clear day."""
    mist: float
    """Density of the mist in hollows, 0 to 1."""
    wind: float
    """1 is a light breeze."""
    falling: Literal["snow", "rain"] | None = None


_AIRS: dict[Weather, Air] = {
    "clear": Air(cover=0.34, visibility=1.0, mist=0.45, wind=1.0),
    "cloudy": Air(cover=0.62, visibility=0.9, mist=0.45, wind=1.2),
    "overcast": Air(cover=0.90, visibility=0.6, mist=0.60, wind=1.1),
    "storm": Air(cover=0.94, visibility=0.45, mist=0.50, wind=2.4, falling="rain"),
    "rain": Air(cover=0.94, visibility=0.40, mist=0.65, wind=1.4, falling="rain"),
    "snow": Air(cover=0.90, visibility=0.38, mist=0.55, wind=0.9, falling="snow"),
    "fog": Air(cover=0.88, visibility=0.14, mist=0.92, wind=0.5),
}


def air(weather: Weather) -> Air:
    """The air under ``weather``."""
    return _AIRS[weather]
