"""A gorge: the wall a fall comes over, two nearer buttresses, boulders at the shore, trees on every edge."""

from __future__ import annotations

import numpy as np

from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import rgb, smoothstep
from meshapi_renderer.elements.broadleaf import grow_tree
from meshapi_renderer.elements.cliffs import Cliff, CliffLight
from meshapi_renderer.layers import Layer
from meshapi_renderer.noise import line_noise
from meshapi_renderer.rng import Rng
from meshapi_renderer.view import View

BACK_DEPTH, SIDE_DEPTH, FRONT_DEPTH = 7.0, 2.4, 1.05
_STRIP = 64


class Gorge:
    """Paints the planes of one gorge."""

    def __init__(
        self,
        view: View,
        light: CliffLight,
        leaves: tuple[Floats, Floats] | None,
        lip: float,
        waterline: float,
        fall_width: float,
        rng: Rng,
    ) -> None:
        """``leaves`` are shaded and lit foliage, None for bare trees; ``lip`` is where the fall leaves the
        wall, as a share of the width; ``waterline`` a share of the height; ``fall_width`` in pixels.
        """
        self._view, self._light, self._leaves, self._rng = view, light, leaves, rng
        self._lip, self._waterline, self._fall_width = lip, waterline, fall_width
        self._tall = min(view.canvas.height, 1.25 * view.canvas.width)
        self._cliff = Cliff(rng.sub("cliff"))
        self._edge_row = np.zeros(view.width, np.float32)
        self.shore = np.zeros(view.width, np.float32)
        """Row of the padded picture at which the near shore begins, per column; set by :meth:`front`."""

    def _wall(
        self, profile: Floats, foot: Floats | float, texel: float, offset: float, haze: float
    ) -> tuple[Floats, Floats]:
        """(colour, coverage) of rock between the row ``profile`` of every column and the row ``foot``."""
        view = self._view
        rows = np.arange(view.height, dtype=np.float32)[:, None]
        below = rows - profile[None]
        alpha = np.clip(below + np.float32(0.5), 0, 1) * np.clip(
            np.asarray(foot) - rows + np.float32(0.5), 0, 1
        )
        scale = np.float32(texel / self._tall)
        x = np.arange(view.width, dtype=np.float32)[None] * scale + np.float32(offset)
        y = rows * scale + np.float32(offset)
        colour = np.zeros((view.height, view.width, 3), np.float32)
        # Rock is painted in strips, and only where it stands: at any size little memory is enough.
        for begin in range(0, view.height, _STRIP):
            strip = slice(begin, min(view.height, begin + _STRIP))
            columns = np.nonzero(alpha[strip].any(0))[0]
            if len(columns) == 0:
                continue
            part = slice(int(columns[0]), int(columns[-1]) + 1)
            share = np.maximum(below[strip, part], 0) / np.float32(self._tall)
            zeros = np.zeros_like(share)
            colour[strip, part] = self._cliff.paint(
                x[:, part] + zeros, y[strip] + zeros, share, self._light, haze
            )
        return colour, np.asarray(alpha, np.float32)

    def _columns(self) -> Floats:
        view = self._view
        columns: Floats = (
            np.arange(view.width, dtype=np.float32) + np.float32(0.5 - view.margin)
        ) / np.float32(view.canvas.width)
        return columns

    def _uneven(self, cells: int, rng: Rng) -> Floats:
        """Noise along the columns of the padded picture, the same for every size, about -0.5 to 0.5."""
        waves = line_noise(1024, cells, 6, rng, 0.52)
        samples = np.clip((self._columns() + np.float32(0.3)) * np.float32(1024 / 1.6), 0, 1023)
        uneven: Floats = np.interp(samples, np.arange(1024), waves).astype(np.float32)
        return uneven - np.float32(0.5)

    def back(self) -> Layer:
        """The wall the water falls over, trees along its edge."""
        rng = self._rng.sub("back")
        view = self._view
        columns = self._columns()
        dip = np.exp(
            -(((columns - np.float32(self._lip)) * np.float32(view.canvas.width / (0.17 * self._tall))) ** 2)
        )
        edge = np.float32(0.17) + self._uneven(5, rng.sub("edge")) * np.float32(0.16) + dip * np.float32(0.05)
        profile = np.float32(view.margin) + edge * np.float32(view.canvas.height)
        foot = view.margin + (self._waterline + 0.06) * view.canvas.height
        self._edge_row = profile - np.float32(view.margin)
        colour, alpha = self._wall(profile, foot, 1050, rng.u() * 600, 0.20)
        self._plant(colour, alpha, profile, (0.11, 0.22), 26, 0.20, rng.sub("trees"), gap=0.13)
        # Rock behind the water is wet and dark.
        away = (columns - np.float32(self._lip)) * np.float32(view.canvas.width / self._fall_width)
        colour *= (1 - np.float32(0.45) * np.exp(-away * away * np.float32(1.6)))[None, :, None]
        return Layer.from_linear(colour, alpha, BACK_DEPTH, view.margin)

    def side(self, side: float) -> Layer:
        """A nearer buttress at one side (-1 left, 1 right), its face turned to the gorge."""
        rng = self._rng.sub(f"side {side}")
        view = self._view
        columns = self._columns()
        reach = columns if side < 0 else 1 - columns
        inward = np.float32(
            0.25 * min(1.0, self._tall / view.canvas.width * 1.55) + 0.05 * rng.uniform(-1, 1)
        )
        uneven = self._uneven(7, rng.sub("edge"))
        rough = self._uneven(34, rng.sub("rough"))
        fall = (reach - inward + uneven * np.float32(0.16) + rough * np.float32(0.05)) / np.float32(0.15)
        rise = np.float32(0.06) + uneven * np.float32(0.12) + np.maximum(fall, -0.6) * np.float32(0.16)
        profile = np.float32(view.margin) + (
            rise + smoothstep(0.0, 1.0, fall) * np.float32(0.62)
        ) * np.float32(view.canvas.height)
        foot = view.margin + (self._waterline + 0.055) * view.canvas.height
        colour, alpha = self._wall(profile, foot, 720, rng.u() * 600, 0.05)
        inside = (reach < inward + np.float32(0.12)).astype(np.float32)
        self._plant(
            colour,
            alpha,
            profile,
            (0.12, 0.26),
            18,
            0.04,
            rng.sub("trees"),
            side=side,
            reach=float(inward) + 0.07,
        )
        shade = 1 - np.float32(0.30) * smoothstep(float(inward) - 0.16, float(inward) + 0.05, reach) * inside
        colour *= shade[None, :, None]
        return Layer.from_linear(colour, alpha, SIDE_DEPTH, view.margin)

    def _plant(
        self,
        colour: Floats,
        alpha: Floats,
        profile: Floats,
        sizes: tuple[float, float],
        count: int,
        haze: float,
        rng: Rng,
        gap: float = 0.0,
        side: float = 0.0,
        reach: float = 1.0,
    ) -> None:
        """Trees along the edge of a wall, in place; ``gap`` keeps the lip of the fall free."""
        view, light = self._view, self._light
        dark, bright = self._leaves if self._leaves is not None else (rgb(0, 0, 0), rgb(0, 0, 0))
        lit = light.key * np.float32(0.75) + light.sky
        tones = [rgb(0.045, 0.034, 0.026) * lit, dark * lit * np.float32(0.8), bright * lit]
        tones = [tone + (light.haze - tone) * np.float32(haze) for tone in tones]
        spots = []
        for index in range(count):
            own = rng.sub(f"tree {index}")
            across = (index + own.u()) / count * 1.16 - 0.08
            if side:
                across = (own.u() * (reach + 0.06) - 0.06) if side < 0 else 1.06 - own.u() * (reach + 0.06)
            if gap and abs(across - self._lip) * view.canvas.width < gap * self._tall:
                continue
            spots.append((own.uniform(*sizes), across, own))
        for size, across, own in sorted(spots, key=lambda spot: spot[0]):
            x = view.margin + across * view.canvas.width
            column = min(max(int(x), 0), view.width - 1)
            foot = float(profile[column]) + (0.03 + 0.25 * size) * self._tall
            grow_tree(
                colour, alpha, (x, foot), size * self._tall, (tones[0], tones[1], tones[2]),
                light.towards[0], own, 0.0 if self._leaves is None else 0.5,
            )  # fmt: skip

    def front(self) -> Layer:
        """Boulders at the near shore, wet and dark."""
        rng = self._rng.sub("front")
        view = self._view
        columns = self._columns()
        side = np.abs(columns - np.float32(0.5)) * 2
        uneven = self._uneven(9, rng.sub("edge"))
        lumps = self._uneven(26, rng.sub("lumps"))
        rise = np.float32(1.02) - smoothstep(0.42, 1.05, side) * np.float32(0.22) + uneven * np.float32(0.10)
        rise += np.abs(lumps) * np.float32(-0.07)
        profile = np.float32(view.margin) + rise * np.float32(view.canvas.height)
        colour, alpha = self._wall(profile, float(view.height + 2), 300, rng.u() * 600, 0.0)
        self.shore = profile
        return Layer.from_linear(colour * np.float32(0.62), alpha, FRONT_DEPTH, view.margin)

    def top_at(self, x: float) -> float:
        """Row of the frame at which the back wall ends above column ``x`` of the frame."""
        column = min(max(round(x) + self._view.margin, 0), self._view.width - 1)
        row: float = float(self._edge_row[column])
        return row + 0.006 * self._view.canvas.height
