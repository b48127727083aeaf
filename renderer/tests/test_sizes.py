"""Frame sizes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshapi_renderer.sizes import (
    FRAME_SIZES,
    RATIOS,
    RESOLUTIONS,
    Resolution,
    fixed_ratio,
    frame_size,
    nearest_ratio,
)


@pytest.mark.parametrize(
    ("resolution", "size"),
    [("480p", (864, 480)), ("720p", (1280, 720)), ("1080p", (1920, 1080)), ("4k", (3840, 2160))],
)
def test_widescreen_has_the_customary_sizes(resolution: Resolution, size: tuple[int, int]) -> None:
    assert frame_size(resolution, "16:9") == size


def test_every_size_is_even_and_close_to_its_ratio() -> None:
    for resolution in RESOLUTIONS:
        assert set(FRAME_SIZES[resolution]) == set(RATIOS) - {"adaptive"}
        for ratio, (width, height) in FRAME_SIZES[resolution].items():
            across, down = (int(part) for part in ratio.split(":"))
            assert width % 2 == height % 2 == 0
            assert width / height == pytest.approx(across / down, rel=0.02)


def test_portrait_is_landscape_turned() -> None:
    for sizes in FRAME_SIZES.values():
        assert sizes["9:16"] == sizes["16:9"][::-1]
        assert sizes["3:4"] == sizes["4:3"][::-1]


def test_a_resolution_has_about_as_many_pixels_in_every_ratio() -> None:
    for sizes in FRAME_SIZES.values():
        areas = [width * height for width, height in sizes.values()]
        assert max(areas) / min(areas) < 1.05


@pytest.mark.parametrize(
    ("image", "ratio"),
    [
        ((4000, 3000), "4:3"),
        ((100, 100), "1:1"),
        ((1080, 2400), "9:16"),
        ((5000, 1000), "21:9"),
        ((3, 4), "3:4"),
    ],
)
def test_adaptive_takes_the_ratio_nearest_to_the_image(image: tuple[int, int], ratio: str) -> None:
    assert nearest_ratio(*image) == ratio
    assert fixed_ratio("adaptive", image) == ratio
    assert frame_size("480p", "adaptive", image) == FRAME_SIZES["480p"][nearest_ratio(*image)]


def test_adaptive_without_an_image_is_widescreen() -> None:
    assert fixed_ratio("adaptive") == "16:9"


def test_a_fixed_ratio_ignores_the_image() -> None:
    assert frame_size("480p", "1:1", (4000, 1000)) == (640, 640)


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_turning_an_image_turns_its_ratio(width: int, height: int) -> None:
    turned = {"21:9": "9:16", "16:9": "9:16", "4:3": "3:4", "1:1": "1:1", "3:4": "4:3", "9:16": "16:9"}
    ratio, upright = nearest_ratio(width, height), nearest_ratio(height, width)
    assert upright == turned[ratio] or (ratio == "9:16" and upright == "21:9")


def test_an_image_without_extent_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        nearest_ratio(0, 10)
