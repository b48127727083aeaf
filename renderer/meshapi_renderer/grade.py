"""Colours after reference pictures: the scene keeps its drawing and takes on their mood."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.scene import Scene, Scratch

SAMPLE_SIDE: Final = 128
"""References are compared at this size."""

_STRENGTH: Final = 0.6
_NOISE: Final = 12.0
"""Added to every variance, so that a flat reference does not flatten the scene."""
_STEP: Final = 1000.0


class GradedScene:
    """A scene whose colours are moved towards those of reference pictures.

    One linear map of RGB takes mean and covariance of the scene's sample frame towards those of the
    references (the Monge-Kantorovich map between two normal distributions), by a part of the way. The
    same map serves all frames, so light that changes in the scene still changes.
    """

    def __init__(self, scene: Scene, sample_index: int, references: Sequence[Bytes8]) -> None:
        self._scene = scene
        sample = scene.frame(sample_index, Scratch())
        self._map = _colour_map(
            _pixels(sample[::4, ::4]), np.concatenate([_pixels(item) for item in references])
        )

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """Return frame `index` of the scene in the new colours."""
        frame = self._scene.frame(index, scratch)
        graded: Bytes8 = scratch.array("graded", frame.shape)
        cv2.transform(frame, self._map, dst=graded)
        return graded


def _pixels(picture: Bytes8) -> NDArray[np.float64]:
    return picture.reshape(-1, 3).astype(np.float64)


def _colour_map(scene: NDArray[np.float64], references: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the 3x4 matrix that takes scene colours towards the references'."""
    scene_mean, scene_spread = scene.mean(axis=0), np.cov(scene.T) + _NOISE * np.eye(3)
    wanted_mean, wanted_spread = references.mean(axis=0), np.cov(references.T) + _NOISE * np.eye(3)
    root = _power(scene_spread, 0.5)
    inverse = _power(scene_spread, -0.5)
    full = inverse @ _power(root @ wanted_spread @ root, 0.5) @ inverse
    matrix = _STRENGTH * full + (1 - _STRENGTH) * np.eye(3)
    target = _STRENGTH * wanted_mean + (1 - _STRENGTH) * scene_mean
    shift = target - matrix @ scene_mean
    # Linear algebra libraries differ in the last bits between machines; the pictures must not.
    rounded: NDArray[np.float64] = np.round(np.column_stack([matrix, shift]) * _STEP) / _STEP
    return rounded


def _power(spread: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """Return a power of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(spread)
    powered: NDArray[np.float64] = (vectors * np.maximum(values, 1e-6) ** exponent) @ vectors.T
    return powered
