"""Neon on a tower: lit edges, rings, stripes, crowns and screens, as linear light."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import smoothstep
from meshapi_renderer.elements.skyline import Sign, Tower
from meshapi_renderer.noise import fbm

Frame = tuple[float, float, float, float, float]
"""Left, right, top and foot of the tower, and its corner, in pixels."""
_PATTERN = 96


class _Tubes:
    """Coverage of strips on a window of the picture, exact to a fraction of a pixel."""

    def __init__(self, tower: Tower, frame: Frame, window: tuple[slice, slice], unit: float) -> None:
        self.tower = tower
        self.left, self.right, self.top, self.foot, self.corner = frame
        self.tall = self.foot - self.top
        self.thick = 0.34 * tower.pitch_x * unit
        rows, columns = window
        self._rows = np.arange(rows.start, rows.stop, dtype=np.float32)
        self._columns = np.arange(columns.start, columns.stop, dtype=np.float32)

    def down(self, first: float, last: float) -> Floats:
        """Coverage of the rows from ``first`` to ``last``, (h, 1)."""
        share = np.minimum(self._rows + 1, np.float32(last)) - np.maximum(self._rows, np.float32(first))
        return np.asarray(np.clip(share, 0, 1)[:, None], np.float32)

    def across(self, first: float, last: float) -> Floats:
        """Coverage of the columns from ``first`` to ``last``, (1, w)."""
        share = np.minimum(self._columns + 1, np.float32(last)) - np.maximum(self._columns, np.float32(first))
        return np.asarray(np.clip(share, 0, 1)[None], np.float32)

    def front(self) -> tuple[float, float]:
        """First and last column of the front."""
        if self.corner - self.left > self.right - self.corner:
            return self.left, self.corner
        return self.corner, self.right

    def at(self, share: float) -> float:
        """Row at a share of the way down."""
        return self.top + share * self.tall


def _edges(tubes: _Tubes) -> Floats:
    thick = tubes.thick
    cover = tubes.across(tubes.left, tubes.left + thick) + tubes.across(tubes.right - thick, tubes.right)
    if tubes.left < tubes.corner < tubes.right:
        cover = cover + tubes.across(tubes.corner - 0.5 * thick, tubes.corner + 0.5 * thick)
    roof = tubes.down(tubes.top, tubes.top + thick) if tubes.tower.bend < 0.6 else 0.0
    return np.maximum(cover + 0 * tubes.down(tubes.top, tubes.foot), roof + 0 * cover)


def _rings(tubes: _Tubes) -> Floats:
    # On a low building rings would melt into one slab of light: keep them some windows apart.
    step = max(0.06 + 0.10 * tubes.tower.sign_at, 9.0 / tubes.tower.height)
    count = int(0.9 / step)
    rows = sum(
        (
            tubes.down(tubes.at(0.05 + step * i), tubes.at(0.05 + step * i) + tubes.thick)
            for i in range(count)
        ),
        start=np.zeros((1, 1), np.float32),
    )
    return np.asarray(rows * tubes.across(*tubes.front()))


def _stripe(tubes: _Tubes) -> Floats:
    first, last = tubes.front()
    middle = first + (0.3 + 0.4 * tubes.tower.sign_at) * (last - first)
    return tubes.across(middle - 0.6 * tubes.thick, middle + 0.6 * tubes.thick) * tubes.down(
        tubes.at(0.04), tubes.at(0.97)
    )


def _crown(tubes: _Tubes) -> Floats:
    bands = tubes.down(tubes.at(0.010), tubes.at(0.010) + 1.6 * tubes.thick)
    bands = bands + tubes.down(tubes.at(0.045), tubes.at(0.045) + tubes.thick)
    bands = bands + 0.35 * np.exp(-((tubes.down(tubes.at(0.0), tubes.at(0.05)) - 1) ** 2) * 8)
    return bands * tubes.across(tubes.left, tubes.right)


def _screen(tubes: _Tubes) -> Floats:
    first, last = tubes.front()
    wide = last - first
    begin = tubes.at(0.05 + 0.25 * tubes.tower.sign_at)
    end = begin + (0.10 + 0.16 * tubes.tower.bend) * tubes.tall
    cover = tubes.across(first + 0.12 * wide, last - 0.10 * wide) * tubes.down(begin, end)
    pattern = smoothstep(0.38, 0.62, fbm(_PATTERN, _PATTERN, 3, 3, tubes.tower.rng.sub("screen"), 0.6))
    rows = np.clip((np.arange(cover.shape[0]) * _PATTERN) // max(1, cover.shape[0]), 0, _PATTERN - 1)
    columns = np.clip((np.arange(cover.shape[1]) * _PATTERN) // max(1, cover.shape[1]), 0, _PATTERN - 1)
    bright = np.float32(0.14) + np.float32(0.34) * pattern[rows][:, columns]
    return np.asarray(cover * bright, np.float32)


_SIGNS: dict[Sign, Callable[[_Tubes], Floats]] = {
    "edges": _edges,
    "rings": _rings,
    "stripe": _stripe,
    "crown": _crown,
    "screen": _screen,
}


def sign_light(
    tower: Tower, colours: tuple[Floats, ...], frame: Frame, window: tuple[slice, slice], unit: float
) -> Floats:
    """Light of the tower's sign on a window of the picture, (h, w, 3); the tower must carry one."""
    if tower.sign is None:
        raise ValueError("tower: it carries no sign; ask only for towers that do")
    colour = colours[tower.sign_colour % len(colours)]
    cover = np.clip(_SIGNS[tower.sign](_Tubes(tower, frame, window, unit)), 0, 1.4)
    return np.asarray(cover[..., None] * colour * np.float32(1.0 + 1.3 * tower.bend), np.float32)
