"""Smooth solids for a studio: spheres, drums, arches, cones and rings as normals and coverage.

A form is lit anew for every frame, because in a studio it is the light that moves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import rgb, smoothstep, to8

_SQUAT = 0.30
"""How flat a level disc is seen: its height over its width."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudioLight:
    """Lights of one moment; directions are unit vectors (right, up, towards the viewer), colours linear."""

    key: tuple[float, float, float]
    key_colour: Floats
    sky: Floats
    ground: Floats
    left_rim: Floats
    right_rim: Floats


class Form:
    """One solid in a window of its own; its foot is the middle of the window's lower edge."""

    def __init__(
        self,
        normal: tuple[Floats, Floats, Floats],
        cover: Floats,
        tone: Floats,
        gloss: float,
        dark: Floats | None,
    ) -> None:
        """``cover`` is 0 to 1; ``dark`` is how much of the light a place is hidden from, 0 to 1."""
        self.cover = np.clip(cover, 0, 1).astype(np.float32)
        self._tone, self._gloss = tone, gloss
        # Light changes slowly over a smooth form: half the resolution holds it.
        self._x, self._y, self._z = (_halved(np.asarray(part, np.float32)) for part in normal)
        self._open = 1 - _halved(np.zeros_like(self.cover) if dark is None else np.asarray(dark, np.float32))
        self._alpha = imaging.triple((self.cover * np.float32(255) + np.float32(0.5)).astype(np.uint8))
        self._inverse = np.asarray(cv2.bitwise_not(self._alpha), np.uint8)
        edge = (1 - np.clip(self._z, 0, 1)) ** 3
        self._left = edge * np.clip(-self._x, 0, 1)
        self._right = edge * np.clip(self._x, 0, 1)
        self._up = (np.float32(0.5) + np.float32(0.5) * self._y) * self._open

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.cover.shape[1], self.cover.shape[0]

    def lit(self, light: StudioLight) -> Bytes8:
        """Premultiplied display bytes under a light."""
        kx, ky, kz = (np.float32(part) for part in light.key)
        facing = self._x * kx + self._y * ky
        facing += self._z * kz
        lambert = np.clip(facing * np.float32(0.82) + np.float32(0.18), 0, 1) * self._open
        # Half way between light and viewer: where a polished thing shines.
        half = np.array((kx, ky, kz + 1.0), np.float32)
        half = half / np.float32(math.sqrt(float((half * half).sum())))
        shine = np.clip(self._x * half[0] + self._y * half[1] + self._z * half[2], 0, 1)
        shine = shine * shine
        shine = shine * shine
        shine = shine * shine
        spot = shine**4 * np.float32(self._gloss) + shine * np.float32(0.05 * self._gloss)
        planes = []
        for channel in range(3):
            diffuse = lambert * light.key_colour[channel]
            diffuse += self._up * (light.sky[channel] - light.ground[channel])
            diffuse += light.ground[channel]
            diffuse *= self._tone[channel]
            diffuse += spot * light.key_colour[channel]
            diffuse += self._left * light.left_rim[channel]
            diffuse += self._right * light.right_rim[channel]
            planes.append(diffuse)
        shown = to8(np.asarray(cv2.merge(planes), np.float32))
        full = imaging.resize(shown, *self.size)
        return np.asarray(cv2.multiply(full, self._alpha, scale=1 / 255.0), np.uint8)

    def draw(
        self, frame: Bytes8, lit: Bytes8, foot: tuple[float, float], scale: float = 1.0, faint: float = 1.0,
        mirrored: bool = False,
    ) -> None:  # fmt: skip
        """Blend the lit form over ``frame``, its foot at (column, row), or hanging from there mirrored."""
        width, height = self.size
        inverse = self._inverse
        if mirrored:
            lit, inverse = lit[::-1], inverse[::-1]
        left = foot[0] - 0.5 * scale * width
        top = foot[1] if mirrored else foot[1] - scale * height
        x0, y0 = max(0, math.floor(left)), max(0, math.floor(top))
        x1 = min(frame.shape[1], math.ceil(left + scale * width) + 1)
        y1 = min(frame.shape[0], math.ceil(top + scale * height) + 1)
        if x1 - x0 < 2 or y1 - y0 < 2:
            return
        matrix = np.array([[scale, 0.0, left - x0], [0.0, scale, top - y0]])
        wide, high = x1 - x0, y1 - y0
        colour = imaging.warp_affine(lit, matrix, wide, high, cv2.BORDER_CONSTANT)
        through = imaging.warp_affine(inverse, matrix, wide, high, cv2.BORDER_CONSTANT, 255.0)
        if faint < 1.0:
            # Mirrored in the floor: fainter the farther below.
            fall = np.linspace(faint, 0.0, high, dtype=np.float32)[:, None, None]
            colour = (colour * fall).astype(np.uint8)
            through = (255 - (255 - through.astype(np.float32)) * fall).astype(np.uint8)
        imaging.over(frame[y0:y1, x0:x1], colour, through)


def _halved(field: Floats) -> Floats:
    """A field at half its size."""
    rows, columns = field.shape
    return imaging.resize(np.ascontiguousarray(field), max(2, columns // 2), max(2, rows // 2), imaging.AREA)


def _grid(width: float, height: float) -> tuple[Floats, Floats]:
    """Coordinates of a window in pixels: right of the middle, up from the lower edge."""
    columns, rows = max(4, math.ceil(width) + 4), max(4, math.ceil(height) + 4)
    x = np.arange(columns, dtype=np.float32)[None] + np.float32(0.5 - columns / 2)
    y = np.float32(rows - 2.5) - np.arange(rows, dtype=np.float32)[:, None]
    zeros = np.zeros((rows, columns), np.float32)
    return x + zeros, y + zeros


def sphere(radius: float, tone: Floats, gloss: float) -> Form:
    """A ball whose lowest point is its foot."""
    x, y = _grid(2 * radius, 2 * radius)
    nx, ny = x / np.float32(radius), (y - np.float32(radius)) / np.float32(radius)
    far = np.sqrt(nx * nx + ny * ny)
    nz = np.sqrt(np.clip(1 - far * far, 0, 1))
    dark = smoothstep(-0.2, -1.0, ny) * np.float32(0.45)
    return Form((nx, ny, nz), (1 - far) * np.float32(radius) + np.float32(0.5), tone, gloss, dark)


def drum(radius: float, height: float, tone: Floats, gloss: float) -> Form:
    """A round platform: its top is a level disc."""
    flat = _SQUAT * radius
    x, y = _grid(2 * radius, height + 2 * flat)
    u = np.clip(x / np.float32(radius), -1, 1)
    bow = np.sqrt(np.maximum(1 - u * u, 0)) * np.float32(flat)
    top_y = np.float32(flat + height)
    on_top = (x / np.float32(radius)) ** 2 + ((y - top_y) / np.float32(flat)) ** 2
    lid = np.clip((1 - np.sqrt(on_top)) * np.float32(flat) + np.float32(0.5), 0, 1)
    low = np.float32(flat) - bow
    side = np.clip(y - low + np.float32(0.5), 0, 1) * (y < top_y) * (np.abs(x) <= radius)
    cover = np.maximum(side, lid)
    # A rounded rim catches the light between side and lid.
    rim = np.exp(-((np.sqrt(on_top) - 1) ** 2) * np.float32((flat * 0.28) ** 2)) * (y <= top_y + flat)
    nx = u * (1 - lid)
    ny = lid * np.float32(0.96) + rim * (1 - lid) * np.float32(0.55)
    nz = np.sqrt(np.clip(1 - nx * nx - ny * ny, 0, 1))
    dark = (1 - lid) * smoothstep(0.55 * height, 0.0, y - low) * np.float32(0.30)
    return Form((nx, ny, nz), cover, tone, gloss, dark)


def _tube(
    distance: Floats, out_x: Floats, out_y: Floats, thick: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """(normal x, y, z, coverage) of a tube by the signed distance from its middle line and its direction."""
    share = np.clip(distance / np.float32(thick), -1, 1)
    nz = np.sqrt(np.maximum(1 - share * share, 0))
    cover = np.clip(np.float32(thick) - np.abs(distance) + np.float32(0.5), 0, 1)
    return share * out_x, share * out_y, nz, cover


def arch(width: float, height: float, thick: float, tone: Floats, gloss: float) -> Form:
    """A gate of round stock, open below."""
    radius = width / 2 - thick
    x, y = _grid(width, height)
    knee = np.float32(height - thick - radius)
    above = np.maximum(y - knee, 0)
    reach = np.sqrt(x * x + above * above)
    safe = np.maximum(reach, np.float32(1e-3))
    nx, ny, nz, cover = _tube(reach - np.float32(radius), x / safe, above / safe, thick)
    dark = smoothstep(0.25 * height, 0.0, y) * np.float32(0.25)
    return Form((nx, ny, nz), cover, tone, gloss, dark)


def ring(radius: float, thick: float, tone: Floats, gloss: float) -> Form:
    """A ring that stands upright on its rim."""
    full = radius + thick
    x, y = _grid(2 * full, 2 * full)
    up = y - np.float32(full)
    reach = np.maximum(np.sqrt(x * x + up * up), np.float32(1e-3))
    nx, ny, nz, cover = _tube(reach - np.float32(radius), x / reach, up / reach, thick)
    return Form((nx, ny, nz), cover, tone, gloss, None)


def cone(radius: float, height: float, tone: Floats, gloss: float) -> Form:
    """A cone on a round foot."""
    flat = _SQUAT * radius
    x, y = _grid(2 * radius, height + flat)
    up = np.clip((y - np.float32(flat)) / np.float32(height), 0, 1)
    half = np.float32(radius) * (1 - up)
    u = np.clip(x / np.maximum(half, 1), -1, 1)
    low = np.float32(flat) * (1 - np.sqrt(np.maximum(1 - (x / np.float32(radius)) ** 2, 0)))
    cover = np.clip(half - np.abs(x) + np.float32(0.5), 0, 1) * np.clip(y - low + np.float32(0.5), 0, 1)
    tilt = np.float32(radius / math.hypot(radius, height))
    nx, ny = u * (1 - tilt * tilt), tilt + np.zeros_like(u)
    nz = np.sqrt(np.clip(1 - nx * nx - ny * ny, 0, 1))
    dark = smoothstep(0.3 * height, 0.0, y - low) * np.float32(0.25)
    return Form((nx, ny, nz), cover * (y < flat + height), tone, gloss, dark)


def pale(tone: Floats, share: float) -> Floats:
    """A colour mixed with white."""
    return tone + (rgb(0.85, 0.85, 0.85) - tone) * np.float32(share)
