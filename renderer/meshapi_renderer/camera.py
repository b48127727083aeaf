"""Camera moves: how far the eye has gone at each frame, and where that puts a layer.

Depth is relative: 1 is the nearest plane, which takes a move in full; a plane at depth d takes 1/d of it;
``math.inf`` never moves except when the camera turns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from meshapi_renderer.array_types import Floats
from meshapi_renderer.plan import CameraMove
from meshapi_renderer.scene import Canvas, Timing

MARGIN = 0.08
"""Painted border around the frame, in fractions of the long side: no move may reach beyond it."""
_FASTEST = 1.6


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the camera is, in fractions of the frame, relative to the first frame."""

    x: float = 0.0
    """To the right; the nearest plane moves left by this share of the width."""
    y: float = 0.0
    """Up; the nearest plane moves down by this share of the height."""
    zoom: float = 0.0
    """Forward, as a share of the distance to the nearest plane."""
    pan: float = 0.0
    """Turned to the right: every plane moves left by this share of the width."""
    tilt: float = 0.0
    """Turned up: every plane moves down by this share of the height."""


STILL = Pose()

_MOVES: dict[CameraMove, Pose] = {
    "fixed": STILL,
    "drift": Pose(x=0.036, zoom=0.022),
    "push": Pose(x=0.004, zoom=0.095),
    "pull": Pose(x=0.004, zoom=-0.075),
    "pan_left": Pose(x=-0.014, pan=-0.032),
    "pan_right": Pose(x=0.014, pan=0.032),
    "tilt_up": Pose(y=0.004, tilt=0.042),
    "tilt_down": Pose(y=-0.004, tilt=-0.042),
    "orbit": Pose(x=0.048, pan=-0.020, zoom=0.012),
    "aerial": Pose(x=0.020, zoom=0.064),
}
"""Where each move ends at normal speed."""


def margin(canvas: Canvas) -> int:
    """Width in pixels of the painted border around the frame."""
    return math.ceil(MARGIN * canvas.long)


def _ease(t: float) -> float:
    """Starts and ends gently without standing still: half a line, half a smoothstep."""
    return 0.5 * t + 0.5 * t * t * (3.0 - 2.0 * t)


class Camera:
    """One move over one clip."""

    def __init__(
        self,
        move: CameraMove,
        speed: float,
        timing: Timing,
        canvas: Canvas,
        fixed: bool = False,
        horizon: float = 0.5,
    ) -> None:
        """``horizon`` is the height of the vanishing point, as a share of the frame from the top."""
        self._end = STILL if fixed else _MOVES[move]
        self._speed = min(max(speed, 0.0), _FASTEST)
        self._timing = timing
        self._canvas = canvas
        self._centre_x = 0.5 * (canvas.width - 1)
        self._centre_y = horizon * canvas.height

    @property
    def fixed(self) -> bool:
        """Whether the pose is zero in every frame."""
        return self._end == STILL or self._speed == 0.0 or self._timing.frames < 2

    def pose(self, index: int) -> Pose:
        """The pose at frame ``index``; zero at frame 0, and always for a fixed camera."""
        if self.fixed:
            return STILL
        share = self._speed * _ease(self._timing.progress(index))
        end = self._end
        return Pose(end.x * share, end.y * share, end.zoom * share, end.pan * share, end.tilt * share)

    def scale_shift(self, pose: Pose, depth: float) -> tuple[float, float, float]:
        """(scale, x shift, y shift) in frame pixels of a plane at ``depth``: x' = scale * x + x shift."""
        nearness = 1.0 / depth
        scale = 1.0 / (1.0 - pose.zoom * nearness)
        shift_x = (pose.pan + pose.x * nearness) * self._canvas.width
        shift_y = (pose.tilt + pose.y * nearness) * self._canvas.height
        return (
            scale,
            self._centre_x * (1.0 - scale) - shift_x,
            self._centre_y * (1.0 - scale) + shift_y,
        )

    def project(self, pose: Pose, depth: float, x: float, y: float) -> tuple[float, float]:
        """Where the point at frame pixel (x, y) of a plane at ``depth`` appears under ``pose``."""
        scale, shift_x, shift_y = self.scale_shift(pose, depth)
        return scale * x + shift_x, scale * y + shift_y

    def matrix(self, pose: Pose, depth: float, margin: int) -> Floats:
        """The 2x3 map from pixels of a layer with ``margin`` around the frame to frame pixels."""
        scale, shift_x, shift_y = self.scale_shift(pose, depth)
        return np.array(
            [[scale, 0.0, shift_x - scale * margin], [0.0, scale, shift_y - scale * margin]], np.float64
        )
