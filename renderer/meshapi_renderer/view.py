"""The geometry of a picture: a frame with a painted margin, a horizon and a focal length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meshapi_renderer.array_types import Floats
from meshapi_renderer.camera import margin
from meshapi_renderer.scene import Canvas


@dataclass(frozen=True, slots=True)
class View:
    """A padded picture looked at in perspective.

    ``horizon`` is a share of the frame's height from the top. Rows and columns are those of the padded
    picture: ``margin`` pixels come before the frame on every side.
    """

    canvas: Canvas
    horizon: float

    @property
    def margin(self) -> int:
        """Pixels painted around the frame."""
        return margin(self.canvas)

    @property
    def width(self) -> int:
        """Columns of the padded picture."""
        return self.canvas.width + 2 * self.margin

    @property
    def height(self) -> int:
        """Rows of the padded picture."""
        return self.canvas.height + 2 * self.margin

    @property
    def focal(self) -> float:
        """Focal length in pixels; portrait keeps a wider angle than its width alone would give."""
        return 0.95 * max(self.canvas.width, 0.9 * self.canvas.height)

    @property
    def centre_column(self) -> float:
        """Column straight ahead."""
        return self.width / 2

    @property
    def horizon_row(self) -> float:
        """Row of the horizon."""
        return self.margin + self.horizon * self.canvas.height

    @property
    def headroom(self) -> float:
        """Slope (tangent) of the frame's top edge above the horizon."""
        return self.horizon * self.canvas.height / self.focal

    @property
    def half_width(self) -> float:
        """Tangent of the angle from the middle to the frame's side edge."""
        return 0.5 * self.canvas.width / self.focal

    def azimuths(self, step: int = 1) -> Floats:
        """Tangent to the right of straight ahead, per column, shape (1, ceil(width / step))."""
        columns = np.arange(-(-self.width // step), dtype=np.float32)[None]
        centre = (columns + np.float32(0.5)) * np.float32(step)
        return (centre - np.float32(self.centre_column)) / np.float32(self.focal)

    def slopes(self, rows: int, step: int = 1) -> Floats:
        """Tangent above the horizon, per row, shape (ceil(rows / step), 1)."""
        index = np.arange(-(-rows // step), dtype=np.float32)[:, None]
        centre = (index + np.float32(0.5)) * np.float32(step)
        return (np.float32(self.horizon_row) - centre) / np.float32(self.focal)
