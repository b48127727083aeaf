"""The planet that a prompt names is the planet that space shows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.plan import PlanetKind, ScenePlan
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scratch, Timing, build

_CANVAS = Canvas(320, 180)


def _still(planet: PlanetKind, ringed: bool, seed: int) -> Bytes8:
    plan = ScenePlan(setting="space", time="noon", planet=planet, ringed=ringed, camera="fixed")
    return build(plan, _CANVAS, Timing(24, 25), Rng("planets", seed)).frame(12, Scratch())


def _mean_of_the_globe(seed: int, planet: PlanetKind) -> tuple[float, float, float]:
    """The mean colour of what changes with the kind of planet: the brightest third of its disc."""
    frame = _still(planet, ringed=False, seed=seed)
    other = _still("giant" if planet != "giant" else "ice", ringed=False, seed=seed)
    disc = cv2.absdiff(frame, other).max(axis=2) > 24
    pixels = frame[disc]
    lit = pixels[pixels.sum(axis=1) >= np.quantile(pixels.sum(axis=1), 0.66)]
    red, green, blue = lit.mean(axis=0)
    return float(red), float(green), float(blue)


@pytest.mark.parametrize("seed", range(2))
def test_saturn_has_rings_and_jupiter_has_none(seed: int) -> None:
    """Rings reach farther than the globe: 2.2 radii to both sides of a globe of 0.36 of the height."""
    with_rings, without = _still("giant", True, seed), _still("giant", False, seed)
    changed = (cv2.absdiff(with_rings, without).max(axis=2) > 12).any(axis=0)
    columns = np.flatnonzero(changed)
    assert columns.max() - columns.min() > 1.25 * 2 * 0.36 * _CANVAS.height


@pytest.mark.parametrize("seed", range(2))
def test_the_earth_is_blue_and_mars_is_red(seed: int) -> None:
    red, _, blue = _mean_of_the_globe(seed, "desert")
    assert red > blue + 20
    red, _, blue = _mean_of_the_globe(seed, "earth")
    assert blue > red - 15  # white clouds and yellow land lie over the blue
    red, _, blue = _mean_of_the_globe(seed, "giant")
    assert red > blue, "a giant that was named has the colours of Saturn and Jupiter"
