"""A reef in planes: mounds of rock grown over with corals, each paler and bluer the farther it lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import mix, rgb, smoothstep
from meshapi_renderer.elements.corals import KINDS, Coral, grow_coral
from meshapi_renderer.elements.sway import SwayingSheet
from meshapi_renderer.elements.undersea_light import WaterColumn
from meshapi_renderer.layers import Layer
from meshapi_renderer.noise import fbm, line_noise
from meshapi_renderer.rng import Rng
from meshapi_renderer.view import View

_SIDE = 512
_SWALLOWED = rgb(0.62, 0.16, 0.10)
"""How much of each colour a unit of depth takes."""


@dataclass(frozen=True, slots=True)
class ReefPlane:
    """One plane. Heights are shares of the reference height, from the horizon down or up."""

    depth: float
    foot: float
    """How far under the horizon the plane meets the ground."""
    mound: float
    """Height of its mounds."""
    gap: float
    """Share of the half width left open in the middle."""
    corals: int
    size: float
    weed: int = 0

    @property
    def camera_depth(self) -> float:
        """Depth for the camera: less spread than for the light, which water swallows within metres."""
        return 1.0 + 0.55 * (self.depth - 1.25)


PLANES = (
    ReefPlane(9.0, 0.055, 0.20, 0.05, 0, 0.0),
    ReefPlane(5.0, 0.110, 0.20, 0.26, 26, 0.085),
    ReefPlane(2.6, 0.215, 0.22, 0.58, 26, 0.150, weed=8),
    ReefPlane(1.25, 0.400, 0.26, 0.92, 20, 0.260, weed=12),
)


class Reef:
    """Paints the planes of one reef."""

    def __init__(self, view: View, column: WaterColumn, rng: Rng, light: float) -> None:
        """``light`` is how brightly corals are lit, 1 at noon."""
        self._view, self._column, self._rng, self._light = view, column, rng, light
        self.tall = min(view.canvas.height, 1.25 * view.canvas.width)
        self._rock = imaging.Torus(fbm(_SIDE, _SIDE, 9, 6, rng.sub("rock"), 0.6))

    def ground(self, depth: float) -> Layer:
        """The sandy floor from the horizon to the viewer."""
        view = self._view
        top = round(view.horizon_row)
        rows = np.arange(top, view.height, dtype=np.float32)[:, None] + np.float32(0.5 - view.horizon_row)
        drop = rows / np.float32(view.focal)
        distance = np.float32(1.8) / np.maximum(drop, np.float32(0.012))
        x = view.azimuths() * distance
        ripples = self._rock.at(x * 34, distance * np.float32(90) + x * 9)
        broad = self._rock.at(x * 7, distance * 11)
        shade = np.float32(0.50) + np.float32(0.42) * broad + (ripples - np.float32(0.5)) * np.float32(0.55)
        sand = rgb(0.74, 0.64, 0.48) * np.float32(1.15 * self._light)
        light = np.zeros((view.height, view.width, 3), np.float32)
        alpha = np.zeros((view.height, view.width), np.float32)
        light[top:] = self._through(sand * shade[..., None], distance * np.float32(0.30), top)
        alpha[top:] = smoothstep(0.0, 0.11 * view.canvas.height, rows)
        return Layer.from_linear(light, alpha, depth, view.margin)

    def layers(self) -> list[tuple[Layer, SwayingSheet | None]]:
        """All planes, far to near, each with the weed that grows before it."""
        found = []
        for index, plane in enumerate(PLANES):
            own = self._rng.sub(f"plane {index}")
            light, alpha, profile = self._mounds(plane, own.sub("mounds"))
            self._plant(plane, light, alpha, profile, own.sub("corals"))
            layer = Layer.from_linear(light, alpha, plane.camera_depth, self._view.margin)
            weed = self._weed(plane, profile, own.sub("weed")) if plane.weed else None
            found.append((layer, weed))
        return found

    def _mounds(self, plane: ReefPlane, rng: Rng) -> tuple[Floats, Floats, Floats]:
        """(light, coverage, row of the upper edge per column) of the plane's rock."""
        view = self._view
        columns = (np.arange(view.width, dtype=np.float32) + np.float32(0.5 - view.margin)) / np.float32(
            view.canvas.width
        )
        waves = line_noise(1024, 5, 6, rng.sub("waves"), 0.55)
        samples = np.clip((columns + np.float32(0.3)) * np.float32(1024 / 1.6), 0, 1023)
        uneven = np.interp(samples, np.arange(1024), waves).astype(np.float32)
        middle = np.float32(0.5 + 0.08 * rng.uniform(-1, 1))
        side = smoothstep(0.8 * plane.gap, 0.8 * plane.gap + 0.55, np.abs(columns - middle) * 2)
        rise = side * (np.float32(0.35) + np.float32(1.3) * uneven) - (1 - side) * np.float32(0.4)
        foot = view.horizon_row + plane.foot * self.tall
        profile = np.float32(foot) - rise * np.float32(plane.mound * self.tall)
        rows = np.arange(view.height, dtype=np.float32)[:, None]
        alpha = np.clip(rows - profile[None] + 1, 0, 1) * (rise > -0.38)
        # Rock ends in the sand: its foot fades into the ground.
        sunk = np.float32(foot + 0.05 * self.tall)
        alpha *= smoothstep(0.05 * self.tall, 0.0, rows - sunk)
        x = np.arange(view.width, dtype=np.float32)[None] * np.float32(
            900 / (view.canvas.long * plane.depth**0.4)
        )
        y = rows * np.float32(900 / (view.canvas.long * plane.depth**0.4))
        coarse, fine = self._rock.at(x, y), self._rock.at(x * 3 + 50, y * 3)
        edge = np.exp(-np.maximum(rows - profile[None], 0) / np.float32(0.05 * self.tall))
        tone = (coarse - np.float32(0.25)) * np.float32(0.9) + (fine - np.float32(0.5)) * np.float32(0.6)
        tone = np.clip(np.float32(0.30) + tone + edge * np.float32(0.6), 0.05, 1.3)
        rock = mix(rgb(0.10, 0.10, 0.11), rgb(0.30, 0.27, 0.25), coarse[..., None])
        light = rock * (tone * np.float32(self._light))[..., None]
        return self._through(light, np.float32(plane.depth * 0.62), 0), alpha.astype(np.float32), profile

    def _through(self, light: Floats, depth: Floats | np.float32, first_row: int) -> Floats:
        """Light as it comes through water: colours swallowed, the water's own glow laid over it."""
        view = self._view
        rows = np.arange(first_row, first_row + light.shape[0], dtype=np.float32)
        height = 1 - (rows - np.float32(view.margin)) / np.float32(view.canvas.height)
        water = self._column.at(np.clip(height, 0, 1))[:, None]
        path = np.asarray(depth, np.float32)
        path = path[..., None] if path.ndim else path
        kept = np.exp(-path * _SWALLOWED * np.float32(0.55))
        veil = 1 - np.exp(-path * np.float32(0.24))
        return np.asarray(light * kept * (1 - veil) + water * veil)

    def _plant(self, plane: ReefPlane, light: Floats, alpha: Floats, profile: Floats, rng: Rng) -> None:
        """Corals along the edge of the rock and down its face, in place."""
        if plane.corals == 0:
            return
        view = self._view
        sprites = [
            grow_coral(kind, plane.size * self.tall, rng.sub(f"{kind} {turn}"))
            for kind in KINDS
            for turn in range(2)
        ]
        spots = []
        for index in range(plane.corals):
            own = rng.sub(f"coral {index}")
            reach = plane.gap * 0.72 + (1.06 - plane.gap * 0.72) * own.u()
            spots.append((own.u() ** 1.5, 0.5 + 0.5 * own.sign() * reach, own))
        for down, across, own in sorted(spots, key=lambda spot: spot[0]):
            x = view.margin + across * view.canvas.width
            column = min(max(int(x), 0), view.width - 1)
            foot = float(profile[column]) + self.tall * plane.mound * (0.10 + 0.75 * down)
            sprite = own.pick(sprites)
            scale = own.uniform(0.55, 1.1)
            self._stamp(light, alpha, sprite, (x, foot), scale, own.u() < 0.5, plane.depth * 0.62)

    def _stamp(
        self,
        light: Floats,
        alpha: Floats,
        coral: Coral,
        foot: tuple[float, float],
        scale: float,
        mirror: bool,
        depth: float,
    ) -> None:
        rows, columns = (max(4, round(side * scale)) for side in coral.cover.shape)
        left, top = round(foot[0] - columns / 2), round(foot[1] - rows)
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(alpha.shape[1], left + columns), min(alpha.shape[0], top + rows)
        if x1 <= x0 or y1 <= y0:
            return
        cover = imaging.resize(coral.cover, columns, rows, imaging.AREA)
        colour = imaging.resize(coral.colour, columns, rows, imaging.AREA)
        if mirror:
            cover, colour = cover[:, ::-1], colour[:, ::-1]
        part = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
        share = cover[part][..., None]
        seen = self._through(colour[part] * np.float32(0.85 * self._light), np.float32(depth), y0)
        window = light[y0:y1, x0:x1]
        window += (seen - window) * share
        np.maximum(alpha[y0:y1, x0:x1], cover[part], out=alpha[y0:y1, x0:x1])

    def _weed(self, plane: ReefPlane, profile: Floats, rng: Rng) -> SwayingSheet:
        """Blades of kelp and sea grass that wave."""
        view = self._view
        light = np.zeros((view.height, view.width, 3), np.float32)
        alpha = np.zeros((view.height, view.width), np.float32)
        bend = np.zeros((view.height, view.width), np.float32)
        for index in range(plane.weed):
            own = rng.sub(f"clump {index}")
            reach = plane.gap * 0.86 + (1.08 - plane.gap * 0.86) * own.u()
            x = view.margin + (0.5 + 0.5 * own.sign() * reach) * view.canvas.width
            column = min(max(int(x), 0), view.width - 1)
            foot = float(profile[column]) + self.tall * plane.mound * own.uniform(0.2, 0.8)
            tall = self.tall * plane.size * own.uniform(1.1, 2.3)
            self._blades((light, alpha, bend), (x, foot), tall, own, plane.depth * 0.62)
        return SwayingSheet(light, alpha, bend, plane.camera_depth, view.margin, rng.sub("sway"))

    def _blades(
        self,
        sheet: tuple[Floats, Floats, Floats],
        foot: tuple[float, float],
        tall: float,
        rng: Rng,
        depth: float,
    ) -> None:
        light, alpha, bend = sheet
        weed = mix(rgb(0.05, 0.10, 0.02), rgb(0.22, 0.26, 0.05), rng.u())
        for _ in range(7):
            own_tall = tall * rng.uniform(0.55, 1.0)
            root, lean = foot[0] + 0.10 * tall * rng.uniform(-1, 1), rng.uniform(-0.10, 0.10)
            wide = own_tall * rng.uniform(0.016, 0.028)
            tone = weed * np.float32(rng.uniform(0.7, 1.4) * self._light * 1.6)
            y0, y1 = max(0, int(foot[1] - own_tall)), min(alpha.shape[0], int(foot[1]) + 1)
            if y1 <= y0:
                continue
            rows = np.arange(y0, y1, dtype=np.float32)
            up = (np.float32(foot[1]) - rows) / np.float32(own_tall)
            curl = np.sin(up * np.float32(9.0) + np.float32(rng.u() * 6)) * np.float32(0.016 * own_tall)
            middle = np.float32(root) + up * np.float32(lean * own_tall) + curl
            half = np.float32(wide) * np.sqrt(np.clip(up * (1 - up) * 4, 0.02, 1))
            x0 = max(0, int(float((middle - half).min())) - 2)
            x1 = min(alpha.shape[1], int(float((middle + half).max())) + 3)
            if x1 <= x0:
                continue
            columns = np.arange(x0, x1, dtype=np.float32)[None]
            away = columns - middle[:, None]
            cover = np.clip(half[:, None] - np.abs(away) + np.float32(0.5), 0, 1)
            ribs = np.float32(0.7) + np.float32(0.45) * smoothstep(-0.9, 0.9, -away / half[:, None])
            shade = (np.float32(0.35) + np.float32(0.9) * up)[:, None] * ribs
            seen = self._through(tone * shade[..., None], np.float32(depth), y0)
            window = light[y0:y1, x0:x1]
            window += (seen - window) * cover[..., None]
            np.maximum(alpha[y0:y1, x0:x1], cover, out=alpha[y0:y1, x0:x1])
            push = (np.float32(0.17 * own_tall) * up ** np.float32(1.5))[:, None]
            near = np.clip(half[:, None] * 3 + 6 - np.abs(away), 0, 1)
            np.maximum(bend[y0:y1, x0:x1], push * near, out=bend[y0:y1, x0:x1])
