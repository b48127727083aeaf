"""Fire as light: a loop of flame pictures that are added to the frame."""

from __future__ import annotations

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import smoothstep
from meshapi_renderer.noise import fbm
from meshapi_renderer.rng import Rng
from meshapi_renderer.subjects.paste import Place, covered_window, warped

PHASES = 24
"""Pictures of one loop."""
SECONDS = 1.0
"""Length of the loop."""
_ROWS, _COLUMNS = 144, 96
_WARM = np.array(
    [(0, 0, 0), (120, 22, 4), (226, 78, 10), (255, 150, 36), (255, 214, 110), (255, 246, 210)], np.float32
)
_COLD = np.array(
    [(0, 0, 0), (20, 40, 130), (60, 110, 240), (140, 190, 255), (215, 235, 255), (255, 255, 255)], np.float32
)


class Flame:
    """A flame that stands on its foot and licks upwards; the loop has no seam."""

    def __init__(self, rng: Rng, *, cold: bool = False, slender: float = 1.0) -> None:
        """``slender`` above 1 makes a jet, below 1 a broad fire."""
        coarse = fbm(128, 128, 4, 4, rng.sub("coarse"), 0.55)
        fine = fbm(128, 128, 9, 3, rng.sub("fine"), 0.6)
        ramp = _COLD if cold else _WARM
        self._pictures = [_picture(index / PHASES, coarse, fine, slender, ramp) for index in range(PHASES)]

    def draw(
        self,
        frame: Bytes8,
        x: float,
        y: float,
        height: float,
        seconds: float,
        turn: float = 0.0,
        gain: float = 1.0,
    ) -> None:
        """Add the flame with its foot at (x, y), ``height`` pixels tall, turned by ``turn`` radians."""
        picture = self._pictures[int(seconds / SECONDS * PHASES) % PHASES]
        place = Place(x, y, height / _ROWS, turn)
        matrix = place.matrix((_COLUMNS / 2, _ROWS - 4.0))
        window = covered_window(frame, picture.shape, matrix)
        if window is None:
            return
        light = cv2.cvtColor(warped(picture, matrix, window), cv2.COLOR_RGBA2RGB)
        if gain != 1.0:
            light = cv2.convertScaleAbs(light, alpha=gain)
        lit = frame[window]
        cv2.add(lit, np.asarray(light, np.uint8), lit)


def _picture(share: float, coarse: Floats, fine: Floats, slender: float, ramp: Floats) -> Bytes8:
    up = (np.float32(_ROWS) - np.arange(_ROWS, dtype=np.float32)[:, None]) / np.float32(_ROWS)
    across = (np.arange(_COLUMNS, dtype=np.float32)[None] - np.float32(_COLUMNS / 2 - 0.5)) / np.float32(
        _COLUMNS
    )
    rise = np.float32(128 * share)
    # Both textures tile; they rise by whole periods within one loop.
    slow = _tiled(coarse, across * 70, up * 60 - rise)
    quick = _tiled(fine, across * 110, up * 90 - 2 * rise)
    tongue = (slow - np.float32(0.5)) * np.float32(1.1) + (quick - np.float32(0.5)) * np.float32(0.7)
    bent = across + (slow - np.float32(0.5)) * np.float32(0.34) * up
    half = np.float32(0.30 / slender) * np.clip(1.02 - up, 0, 1) ** np.float32(0.72) + np.float32(0.03)
    body = 1 - (bent / half) ** 2
    heat = (
        body * np.float32(0.95) + tongue * (np.float32(0.35) + up) - up * np.float32(0.75) + np.float32(0.12)
    )
    foot = smoothstep(0.0, 0.07, up)
    heat = np.clip(heat, 0, 1) * foot
    edge = smoothstep(0.5, 0.36, np.abs(across)) * smoothstep(1.0, 0.86, up)
    heat = imaging.gaussian(np.asarray(heat * edge, np.float32), 0.8)
    level = np.clip(heat, 0, 1) * np.float32(len(ramp) - 1)
    step = np.minimum(level.astype(np.int64), len(ramp) - 2)
    part = (level - step)[..., None]
    colour = ramp[step] * (1 - part) + ramp[step + 1] * part
    opaque = np.zeros(heat.shape, np.uint8)
    return np.dstack([colour.astype(np.uint8), opaque])


def _tiled(texture: Floats, x: Floats, y: Floats) -> Floats:
    """The texture at any coordinates, wrapped; x (1, w) and y (h, 1) are broadcast."""
    map_x, map_y = np.broadcast_arrays(np.mod(x, 128), np.mod(y, 128))
    padded = np.pad(texture, ((0, 2), (0, 2)), mode="wrap")
    return np.asarray(
        cv2.remap(
            padded,
            np.ascontiguousarray(map_x, np.float32),
            np.ascontiguousarray(map_y, np.float32),
            cv2.INTER_LINEAR,
        ),
        np.float32,
    )


def flicker(seconds: float, phase: float = 0.0) -> float:
    """Brightness of a fire around 1."""
    return float(
        1.0
        + 0.09 * np.sin(9.1 * seconds + phase)
        + 0.06 * np.sin(17.3 * seconds + 2 * phase)
        + 0.04 * np.sin(29.0 * seconds + 3 * phase)
    )
