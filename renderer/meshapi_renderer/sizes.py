"""Frame sizes: what "720p, 16:9" means in pixels.

The table is the one Seedance 2.0 publishes for its `resolution` and `ratio` parameters, with one
difference: 480p 16:9 is 864x480 (as in Seedance 1.0), not 864x496. All sides are even, which 4:2:0
video needs. This module imports nothing outside the standard library.
"""

from __future__ import annotations

import math
from typing import Final, Literal, get_args

Resolution = Literal["480p", "720p", "1080p", "4k"]
Ratio = Literal["16:9", "4:3", "1:1", "3:4", "9:16", "21:9", "adaptive"]
FixedRatio = Literal["16:9", "4:3", "1:1", "3:4", "9:16", "21:9"]

RESOLUTIONS: Final[tuple[Resolution, ...]] = get_args(Resolution)
RATIOS: Final[tuple[Ratio, ...]] = get_args(Ratio)
DEFAULT_RATIO: Final[FixedRatio] = "16:9"

FRAME_SIZES: Final[dict[Resolution, dict[FixedRatio, tuple[int, int]]]] = {
    "480p": {
        "16:9": (864, 480),
        "4:3": (752, 560),
        "1:1": (640, 640),
        "3:4": (560, 752),
        "9:16": (480, 864),
        "21:9": (992, 432),
    },
    "720p": {
        "16:9": (1280, 720),
        "4:3": (1112, 834),
        "1:1": (960, 960),
        "3:4": (834, 1112),
        "9:16": (720, 1280),
        "21:9": (1470, 630),
    },
    "1080p": {
        "16:9": (1920, 1080),
        "4:3": (1664, 1248),
        "1:1": (1440, 1440),
        "3:4": (1248, 1664),
        "9:16": (1080, 1920),
        "21:9": (2206, 946),
    },
    "4k": {
        "16:9": (3840, 2160),
        "4:3": (3326, 2494),
        "1:1": (2880, 2880),
        "3:4": (2494, 3326),
        "9:16": (2160, 3840),
        "21:9": (4398, 1886),
    },
}

MEMORY_BOUNDS_MB: Final[dict[Resolution, int]] = {"480p": 350, "720p": 600, "1080p": 1000, "4k": 2500}
"""Resident memory a render process may use, by resolution, whatever the duration. A job that passes
its bound is ended with an error; admit jobs to a machine by these figures."""


def frame_size(
    resolution: Resolution, ratio: Ratio, image_size: tuple[int, int] | None = None
) -> tuple[int, int]:
    """Return (width, height) in pixels, both even.

    "adaptive" takes the ratio nearest to `image_size` (width, height), or 16:9 without an image.
    """
    return FRAME_SIZES[resolution][fixed_ratio(ratio, image_size)]


def fixed_ratio(ratio: Ratio, image_size: tuple[int, int] | None = None) -> FixedRatio:
    """Return the ratio that will be rendered: "adaptive" is decided by the image, else 16:9."""
    if ratio != "adaptive":
        return ratio
    return DEFAULT_RATIO if image_size is None else nearest_ratio(*image_size)


def nearest_ratio(width: int, height: int) -> FixedRatio:
    """Return the ratio nearest to width:height, compared on a logarithmic scale.

    The logarithm makes "twice too wide" and "twice too tall" equally far.
    """
    if width < 1 or height < 1:
        raise ValueError(f"width and height must be positive, got {width}x{height}")
    wanted = math.log(width / height)

    def distance(ratio: FixedRatio) -> float:
        across, down = ratio.split(":")
        return abs(math.log(int(across) / int(down)) - wanted)

    return min(FRAME_SIZES["480p"], key=distance)
