"""What one subject is given to play: its stage, its light, its size; and the protocol of those who act."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera, Pose
from meshapi_renderer.colour import linear
from meshapi_renderer.plan import ScenePlan
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scratch, Timing
from meshapi_renderer.subjects.light import Light
from meshapi_renderer.subjects.sketch import Bounds, Cel, Sketch
from meshapi_renderer.subjects.stage import Level, Medium, Stage
from meshapi_renderer.weather import air

_LARGEST_CEL = 640.0
"""Mean side, in pixels, up to which a cel is painted; larger ones are enlarged when drawn."""
_CENTRAL = 0.06


@dataclass(frozen=True, slots=True)
class Lens:
    """The camera at one frame."""

    camera: Camera
    pose: Pose
    canvas: Canvas
    horizon: float

    def place(self, x: float, row: float, depth: float) -> tuple[float, float, float]:
        """Frame pixel and enlargement of a point given in shares of the frame at rest."""
        scale, shift_x, shift_y = self.camera.scale_shift(self.pose, depth)
        return (
            scale * x * self.canvas.width + shift_x,
            scale * row * self.canvas.height + shift_y,
            scale,
        )

    def depth_of(self, row: float) -> float:
        """Depth of the ground at a row: 1 at the lower edge, infinite at the horizon."""
        drop = max(row - self.horizon, 1e-3)
        return max(1.0, (1.0 - self.horizon) / drop)


class Actor(Protocol):
    """A subject in a scene."""

    def draw(self, frame: Bytes8, lens: Lens, seconds: float, scratch: Scratch) -> None:
        """Draw the subject of that moment over ``frame``. A pure function of its arguments."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Everything a subject is made from."""

    plan: ScenePlan
    canvas: Canvas
    timing: Timing
    light: Light
    stage: Stage
    level: Level
    medium: Medium
    rng: Rng

    @property
    def unit(self) -> float:
        """Pixels of a size of 1: the frame's shorter side, less in square frames."""
        area = 0.75 * math.sqrt(self.canvas.width * self.canvas.height)
        return min(float(self.canvas.short), area)

    @property
    def width(self) -> float:
        """Width of the frame in units."""
        return self.canvas.width / self.unit

    @property
    def count(self) -> int:
        """How many are asked for; 0 when the prompt leaves it open."""
        return self.plan.subject_count

    @property
    def side(self) -> float:
        """The side the light comes from, -1.0 left or 1.0 right; drawn by chance where it is central."""
        offset = self.light.source_x - 0.5
        if abs(offset) < _CENTRAL:
            return self.rng.sub("side").sign()
        return math.copysign(1.0, offset)

    @property
    def speed(self) -> float:
        """Pace of all motion."""
        return self.plan.speed

    def colour(self, usual: Floats) -> Floats:
        """The wished colour of the subject as albedo, or its usual one."""
        wished = self.plan.subject_colour
        return usual if wished is None else linear(wished) * np.float32(0.8) + np.float32(0.01)

    def haze(self, share: float) -> float:
        """Share of haze before a subject at a distance that has ``share`` of it on a clear day."""
        visibility = max(air(self.plan.weather).visibility, 0.05)
        return float(min(0.94, 1.0 - (1.0 - share) ** (1.0 / visibility)))

    def cel(self, bounds: Bounds, scale: float, paint: Callable[[Sketch], None], haze_share: float) -> Cel:
        """A figure painted at ``scale`` pixels per figure unit, or as large as is worth while."""
        side = math.sqrt((bounds.right - bounds.left) * (bounds.top - bounds.bottom))
        sketch = Sketch(bounds, min(scale, _LARGEST_CEL / side), self.light)
        paint(sketch)
        return sketch.finish(self.light.haze, self.haze(haze_share))

    def cels(
        self,
        count: int,
        bounds: Bounds,
        scale: float,
        paint: Callable[[Sketch, float], None],
        haze_share: float,
    ) -> list[Cel]:
        """The ``count`` pictures of a motion that repeats; ``paint`` is told the phase, 0 to 1."""

        def painted(phase: float) -> Cel:
            return self.cel(bounds, scale, lambda sketch: paint(sketch, phase), haze_share)

        return [painted(index / count) for index in range(count)]


def fitted(cel: Cel, scale: float) -> float:
    """The enlargement that shows a cel at ``scale`` pixels per figure unit."""
    return scale / cel.scale


def crossing(start: float, pace: float, seconds: float, room: float) -> float:
    """Where something is that crosses the frame and comes back in on the other side.

    Everything in shares of the width; ``room`` is how far outside the frame it turns up.
    """
    span = 1.0 + 2.0 * room
    return (start + room + pace * seconds) % span - room
