"""A school of fish: it turns as one, every fish beating its tail, the far ones lost in the water's colour."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import mix, rgb
from meshapi_renderer.scene import Scratch
from meshapi_renderer.subjects.curves import disc, polygon, smooth
from meshapi_renderer.subjects.paste import Place, paste
from meshapi_renderer.subjects.role import Lens, Role, fitted
from meshapi_renderer.subjects.sketch import Bounds, Paint, Sketch, Texture

_LENGTH = 0.085
"""Length of a near fish in units."""
_BOUNDS = Bounds(-0.62, -0.30, 0.55, 0.32)
_PHASES = 12
_PLANES = ((1.0, 0.05), (0.68, 0.28), (0.44, 0.52))
"""Size and haze of near, middle and far fish."""
_SCHOOL = 34
_KINDS = (
    (rgb(0.62, 0.42, 0.06), rgb(0.10, 0.11, 0.20)),
    (rgb(0.52, 0.16, 0.035), rgb(0.72, 0.68, 0.62)),
    (rgb(0.26, 0.36, 0.44), rgb(0.05, 0.12, 0.22)),
    (rgb(0.10, 0.22, 0.52), rgb(0.60, 0.52, 0.10)),
)


@dataclass(frozen=True, slots=True)
class _Fish:
    plane: int
    ahead: float
    aside: float
    deep: float
    phase: float
    size: float


class School:
    """A school, or as many fish as are asked for."""

    def __init__(self, role: Role) -> None:
        self._role = role
        draws = role.rng.sub("school")
        body, mark = draws.pick(_KINDS)
        body = role.colour(body)
        self._few = 0 < role.count <= 3
        self._scale = _LENGTH * role.unit * (2.6 if self._few else 1.0)

        def painted(sketch: Sketch, phase: float) -> None:
            _paint(sketch, phase, body, mark)

        planes = _PLANES[:1] if self._few else _PLANES
        self._cels = [role.cels(_PHASES, _BOUNDS, self._scale * size, painted, haze) for size, haze in planes]
        count = min(role.count or _SCHOOL, 48)
        self._fish = sorted(
            (self._member(index, count) for index in range(count)), key=lambda fish: -fish.plane
        )
        self._heading = draws.sign()

    def _member(self, index: int, count: int) -> _Fish:
        draws = self._role.rng.sub(f"fish {index}")
        wide = 0.10 + 0.012 * min(count, 24)
        return _Fish(
            plane=0 if self._few else draws.integer(len(_PLANES)),
            ahead=draws.normal() * wide,
            aside=draws.normal() * 0.36 * wide,
            deep=draws.normal(),
            phase=draws.u() * math.tau,
            size=draws.uniform(0.85, 1.15),
        )

    def draw(self, frame: Bytes8, lens: Lens, seconds: float, scratch: Scratch) -> None:
        """See `Actor`."""
        role = self._role
        time = seconds * role.speed
        for fish in self._fish:
            size, _ = _PLANES[fish.plane]
            # Those behind do a moment later what the leaders do.
            own = time - 1.1 * fish.ahead * self._heading + 0.05 * fish.phase
            x, row, turn, facing = self._path(own, fish)
            depth = 2.0 + 5.0 * fish.plane
            px, py, zoom = lens.place(x, row, depth)
            scale = self._scale * size * fish.size * zoom
            beat = int((1.9 * time + fish.phase / math.tau) * _PHASES) % _PHASES
            cel = self._cels[fish.plane][beat]
            narrow = max(0.35, abs(facing))
            place = Place(px, py, fitted(cel, scale), turn, facing < 0, (narrow, 1.0))
            paste(frame, cel, place)

    def _path(self, time: float, fish: _Fish) -> tuple[float, float, float, float]:
        """Share of width and height, turn, and how far to the right it faces (-1..1)."""
        role, heading = self._role, self._heading
        angle = 0.42 * time
        swing = 0.19 * math.sin(angle)
        x = 0.5 + heading * (swing + fish.ahead / role.width)
        x += 0.012 * math.sin(1.3 * time + fish.phase)
        row = 0.47 + 0.055 * math.sin(2 * angle + 0.5) + fish.aside * role.unit / role.canvas.height
        row += 0.012 * math.sin(0.9 * time + 2 * fish.phase)
        facing = heading * math.tanh(3.0 * math.cos(angle))
        climb = -0.11 * math.cos(2 * angle + 0.5)
        turn = math.atan2(climb, 0.45) * (1 if facing >= 0 else -1) * 0.6
        return x, row, turn, facing


def _paint(sketch: Sketch, phase: float, body: Floats, mark: Floats) -> None:
    beat = math.sin(math.tau * phase)
    late = math.sin(math.tau * phase - 0.9)
    fin = Paint(albedo=mix(body, rgb(0.8, 0.7, 0.4), 0.3), roundness=0.05, translucency=0.6)
    reach = -0.40 - 0.14 * (0.72 + 0.28 * late)
    tail = polygon(
        (-0.34, 0.030), (reach, 0.195), (reach + 0.050, 0.060), (reach + 0.055, 0.0), (reach + 0.050, -0.060),
        (reach, -0.195), (-0.34, -0.030),
    )  # fmt: skip
    sketch.add(tail, fin)
    sketch.add(
        smooth((-0.18, 0.13), (-0.10, 0.265 - 0.015 * beat), (0.06, 0.235), (0.16, 0.165), (0.0, 0.13)), fin
    )
    sketch.add(smooth((-0.12, -0.14), (-0.16, -0.235), (-0.02, -0.205), (0.03, -0.15)), fin)
    hull = smooth(
        (0.475, 0.010), (0.40, 0.095), (0.24, 0.170), (0.03, 0.190), (-0.18, 0.130), (-0.35, 0.048),
        (-0.39, 0.0), (-0.35, -0.046), (-0.18, -0.125), (0.03, -0.180), (0.24, -0.150), (0.40, -0.065),
    )  # fmt: skip
    sketch.add(hull, Paint(albedo=body, texture=_scales(body, mark), roundness=0.17, gloss=0.45))
    sketch.add(smooth((0.13, -0.030), (-0.02, -0.055 + 0.03 * beat), (-0.045, -0.115), (0.10, -0.085)), fin)
    sketch.add(disc(0.335, 0.052, 0.042), Paint(albedo=rgb(0.75, 0.72, 0.60), roundness=0.03))
    sketch.add(disc(0.342, 0.052, 0.026), Paint(albedo=rgb(0.012, 0.012, 0.015), roundness=0.02, gloss=1.0))
    mouth = polygon((0.474, -0.004), (0.415, -0.028), (0.417, -0.036), (0.474, -0.014))
    sketch.add(mouth, Paint(albedo=body * np.float32(0.3), roundness=0.01))


def _scales(body: Floats, mark: Floats) -> Texture:
    belly = mix(body, rgb(0.80, 0.78, 0.70), 0.55)

    def scales(x: Floats, y: Floats) -> Floats:
        level = np.clip((np.float32(0.04) - y) * np.float32(6.0), 0, 1)
        tone = mix(body, belly, np.broadcast_to(level, (y.shape[0], x.shape[1]))[..., None])
        band = np.exp(-(((x - np.float32(0.16) + y * np.float32(0.25)) / np.float32(0.040)) ** 2) * 1.2)
        band = np.maximum(
            band, np.exp(-(((x + np.float32(0.14) + y * np.float32(0.2)) / np.float32(0.05)) ** 2) * 1.2)
        )
        rows = np.sin(x * np.float32(120) + np.sin(y * np.float32(110)) * 1.4) * np.sin(y * np.float32(110))
        shaded = mix(tone, mark, (band * np.float32(0.85))[..., None])
        return np.asarray(shaded * (np.float32(1.0) + np.float32(0.10) * rows)[..., None], np.float32)

    return scales
