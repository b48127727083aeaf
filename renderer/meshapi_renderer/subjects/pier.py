"""A wooden pier at the lower edge of the picture, for those who walk where the setting has only water."""

from __future__ import annotations

import math

import numpy as np

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import rgb
from meshapi_renderer.scene import Scratch
from meshapi_renderer.subjects.curves import Outline, polygon
from meshapi_renderer.subjects.paste import Place, paste
from meshapi_renderer.subjects.role import Lens, Role, fitted
from meshapi_renderer.subjects.sketch import Bounds, Paint, Sketch

_POST_EVERY = 0.34
_POST = 0.030
_DECK = 0.030


class Pier:
    """Planks on posts across the whole width; the walkers' row lies on the planks."""

    def __init__(self, role: Role) -> None:
        self._role = role
        below = (1.0 - role.level.row) * role.canvas.height / role.unit + 0.06
        self._long = 1.3 * role.width
        self._scale = role.unit
        bounds = Bounds(0.0, -below, self._long, 0.012)
        self._cel = role.cel(bounds, self._scale, lambda sketch: _paint(sketch, self._long, below), 0.0)

    def draw(self, frame: Bytes8, lens: Lens, seconds: float, scratch: Scratch) -> None:
        """See `Actor`."""
        row = self._role.level.row
        left, py, zoom = lens.place(-0.15, row, lens.depth_of(row))
        place = Place(left, py, fitted(self._cel, self._scale * zoom))
        paste(frame, self._cel, place)


def _paint(sketch: Sketch, long: float, below: float) -> None:
    wood = Paint(albedo=rgb(0.095, 0.070, 0.050), roundness=0.02)
    posts: list[Outline] = []
    for number in range(math.ceil(long / _POST_EVERY) + 1):
        x = (number + 0.25) * _POST_EVERY
        posts.append(polygon((x, -_DECK), (x, -below), (x + _POST, -below), (x + _POST, -_DECK)))
    sketch.add(posts, wood)
    beam = polygon((0.0, -_DECK - 0.022), (long, -_DECK - 0.022), (long, -_DECK), (0.0, -_DECK))
    sketch.add(beam, Paint(albedo=rgb(0.060, 0.044, 0.032), roundness=0.015))
    deck = polygon((0.0, -_DECK), (long, -_DECK), (long, 0.008), (0.0, 0.008))
    sketch.add(deck, Paint(albedo=rgb(0.13, 0.10, 0.075), texture=_planks, roundness=0.010))


def _planks(x: Floats, y: Floats) -> Floats:
    """Board after board, each of its own tone, seen nearly from the side."""
    slanted = x * np.float32(17) + y * np.float32(6)
    number = np.floor(slanted)
    gap = np.where(np.mod(slanted, 1) < 0.07, np.float32(0.35), np.float32(1.0))
    tone = np.float32(0.82) + np.float32(0.36) * np.mod(
        np.sin(number * np.float32(12.9898)) * np.float32(437.5), 1
    )
    return np.asarray((gap * tone)[..., None] * rgb(0.13, 0.10, 0.075), np.float32)
