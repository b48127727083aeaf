"""A moving height field seen in perspective: cast anew for every frame, on a small grid.

Waves and seas of cloud change their form all the time, so they cannot be baked into layers. Their heights
are sampled on rows of constant distance; the running minimum of the projected rows says which row every
ray of the picture strikes. Whatever is known on the rows (colour, position) is then carried to the picture
by one look-up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Floats
from meshapi_renderer.scene import Canvas


@dataclass(frozen=True, slots=True)
class Struck:
    """What the rays below the highest point of the relief meet."""

    first: int
    """Row of the grid from which rays are answered."""
    step: Floats
    """Which row of constant distance every ray strikes, with a fraction, (rows, columns)."""
    cover: Floats
    """How much of every cell the relief covers, 0 to 1, same shape."""


class ReliefCaster:
    """The geometry of one view of a relief; lengths in metres, rows and columns of the grid."""

    def __init__(self, grid: Canvas, focal: float, eye: float, far: float, density: float = 1.0) -> None:
        """``focal`` in cells; ``far`` is the greatest distance; ``density`` rows of distance per cell."""
        self.grid, self._focal, self._eye = grid, focal, eye
        below = 1.15 * grid.height
        near_rows = np.arange(below, 1.0, -1.0 / density, dtype=np.float32)
        depth = np.float32(focal * eye) / near_rows
        self.depth = depth[depth < far]
        columns = np.arange(grid.width, dtype=np.float32) + np.float32(0.5)
        self._columns = columns - np.float32(0.5 * grid.width)
        self._index = np.arange(grid.width, dtype=np.int64)

    @property
    def steps(self) -> int:
        """Rows of constant distance, near to far."""
        return len(self.depth)

    def spacing(self) -> Floats:
        """Metres between neighbouring rows, (steps, 1)."""
        spacing: Floats = np.gradient(self.depth)[:, None]
        return spacing.astype(np.float32)

    def across(self, turn: float) -> Floats:
        """Metres to the right, (steps, columns), the view turned by ``turn`` cells."""
        azimuth: Floats = (self._columns - np.float32(turn)) * np.float32(1 / self._focal)
        out: Floats = self.depth[:, None] * azimuth[None]
        return out

    def cast(self, heights: Floats, horizon: float) -> Struck:
        """Answer all rays for heights (steps, columns) over the plane and a horizon at that row."""
        height, width = self.grid.height, self.grid.width
        pull = np.float32(self._focal) / self.depth[:, None]
        skyline = np.float32(horizon) + (np.float32(self._eye) - heights) * pull
        np.minimum.accumulate(skyline, axis=0, out=skyline)
        top = min(max(0, int(np.floor(skyline[-1].min())) - 1), height - 2)
        count = height - top
        cells = np.clip(np.ceil(skyline - np.float32(0.5 + top)), 0, count).astype(np.int64)
        cells *= width
        cells += self._index
        risen = np.bincount(cells.ravel(), minlength=(count + 1) * width)
        passed = np.cumsum(risen.reshape(count + 1, width)[:count], 0, dtype=np.int32)
        hit = np.clip(self.steps - passed, 1, self.steps - 1)
        flat = hit.astype(np.int64)
        flat *= width
        flat += self._index
        behind = skyline.ravel()[flat]
        before = skyline.ravel()[flat - width]
        rows = np.arange(top, height, dtype=np.float32)[:, None] + np.float32(0.5)
        share = np.clip((before - rows) / np.maximum(before - behind, np.float32(1e-3)), 0, 1)
        cover = np.clip(rows + np.float32(0.5) - skyline[-1][None], 0, 1)
        return Struck(top, hit - np.float32(1) + share, cover)

    def carried(self, struck: Struck, values: imaging.Picture) -> imaging.Picture:
        """``values``, (steps, columns, channels), as every ray sees them."""
        across = np.broadcast_to(self._index.astype(np.float32)[None], struck.step.shape)
        return imaging.remap(values, across, struck.step, imaging.LINEAR, imaging.REPLICATE)
