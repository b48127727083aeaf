"""Colours after reference pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.grade import GradedScene
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Scratch


@dataclass
class _Still:
    picture: Bytes8

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        return self.picture


def _speckled(colour: tuple[int, int, int], seed: int) -> Bytes8:
    noise = (Rng("speckle", seed).u(96, 96, 3) - 0.5) * 60
    speckled: Bytes8 = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
    return speckled


def test_a_scene_goes_most_of_the_way_to_the_colours_of_its_references() -> None:
    scene, reference = _speckled((60, 90, 150), 1), _speckled((200, 120, 60), 2)
    graded = GradedScene(_Still(scene), 0, [reference]).frame(0, Scratch())
    before = np.abs(scene.mean(axis=(0, 1)) - reference.mean(axis=(0, 1)))
    after = np.abs(graded.mean(axis=(0, 1)) - reference.mean(axis=(0, 1)))
    assert (after < 0.5 * before).all()
    assert (after > 0.2 * before).all(), "the scene keeps some of its own colour"


def test_a_scene_keeps_its_colours_when_the_reference_has_them_already() -> None:
    scene = _speckled((90, 120, 150), 1)
    graded = GradedScene(_Still(scene), 0, [scene]).frame(0, Scratch())
    assert np.abs(graded.astype(int) - scene).max() <= 3


def test_a_reference_of_one_flat_colour_does_not_erase_the_drawing() -> None:
    scene = _speckled((90, 120, 150), 1)
    flat = np.full((64, 64, 3), 30, np.uint8)
    graded = GradedScene(_Still(scene), 0, [flat]).frame(0, Scratch())
    assert graded.std() > 0.3 * scene.std()
