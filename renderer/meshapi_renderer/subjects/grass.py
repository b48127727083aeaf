"""Standing in grass: the blades before a figure's feet are those of the scene, laid back over it."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.noise import line_noise
from meshapi_renderer.rng import Rng
from meshapi_renderer.subjects.paste import Place, contact_shadow, covered_window, paste
from meshapi_renderer.subjects.sketch import Cel

_SIDE: Final = 256
_HIDDEN: Final = 0.30
"""Share of a figure's height that the grass reaches at most."""


class Grass:
    """A row of blades, as a mask of what they hide."""

    def __init__(self, rng: Rng) -> None:
        fine = line_noise(_SIDE, 41, 3, rng.sub("blades"), 0.7)
        broad = line_noise(_SIDE, 7, 2, rng.sub("tufts"), 0.6)
        top = np.clip(0.25 + 0.9 * (fine - 0.5) + 0.8 * (broad - 0.5), 0.02, 0.95)
        rows = np.linspace(0, 1, _SIDE, dtype=np.float32)[:, None]
        self._mask = (np.clip((rows - top[None]) * np.float32(9.0), 0, 1) * np.float32(255)).astype(np.uint8)

    def draw_behind(self, frame: Bytes8, cel: Cel, place: Place) -> None:
        """Paste a cel, its feet among the blades that the frame shows there."""
        window = covered_window(frame, cel.pixels.shape, place.matrix(cel.origin))
        if window is None:
            return
        tall = cel.origin[1] * place.size
        first = max(window[0].start, round(place.y - _HIDDEN * tall))
        last = min(frame.shape[0], window[0].stop)
        if last - first < 2:
            paste(frame, cel, place)
            return
        strip = (slice(first, last), window[1])
        before = frame[strip].copy()
        contact_shadow(frame, place.x, place.y, 0.22 * tall, 0.5)
        paste(frame, cel, place)
        rows, columns = before.shape[:2]
        mask = imaging.triple(imaging.resize(self._mask, columns, rows))
        shown = frame[strip]
        cv2.multiply(shown, cv2.bitwise_not(mask), shown, 1 / 255)
        cv2.add(shown, cv2.multiply(before, mask, scale=1 / 255), shown)
