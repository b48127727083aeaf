"""A thing from a reference picture in the scene: relit, standing on its ground or floating in its air."""

from __future__ import annotations

import math

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import mix, to8
from meshapi_renderer.cutout import Cutout
from meshapi_renderer.scene import Scratch
from meshapi_renderer.subjects.ground import Standing
from meshapi_renderer.subjects.light import Light, linear_light
from meshapi_renderer.subjects.paste import Place, mirror, paste
from meshapi_renderer.subjects.role import Lens, Role, fitted
from meshapi_renderer.subjects.sketch import Cel

_HEIGHT = 0.36
_WIDEST = 0.52
"""Height, and width at most, in units."""
_DARKEST, _BRIGHTEST = 0.10, 1.25
_HAZE = 0.01


class Pasteboard:
    """One thing, upright, alive only by the way it rests: it breathes, bobs or hovers."""

    def __init__(self, role: Role, cutout: Cutout) -> None:
        self._role = role
        height, width = cutout.alpha.shape
        tall = min(_HEIGHT, _WIDEST * height / width) * role.unit * role.level.size
        self._cel = _cel(cutout, tall, role)
        self._scale = self._cel.scale
        self._standing = Standing(role, [self._cel], footprint=0.42 * width / height)
        self._x = role.stage.middle + (0.0 if role.stage.podium else 0.06 * role.side)
        self._phase = role.rng.sub("rest").u() * math.tau

    def draw(self, frame: Bytes8, lens: Lens, seconds: float, scratch: Scratch) -> None:
        """See `Actor`."""
        role = self._role
        time = seconds * role.speed
        sway = 0.012 * math.sin(1.1 * time + self._phase)
        if role.medium == "ground":
            px, py, zoom = lens.place(self._x, role.level.row, lens.depth_of(role.level.row))
            breath = 0.010 * math.sin(1.9 * time + self._phase)
            size = fitted(self._cel, self._scale * zoom)
            place = Place(px, py, size, sway, stretch=(1.0 - 0.5 * breath, 1.0 + breath))
            self._standing.draw(frame, 0, place, seconds, scratch)
            return
        floating = role.medium == "water"
        row = role.level.row if floating else 0.62
        px, py, zoom = lens.place(self._x, row, lens.depth_of(row) if floating else 3.0)
        scale = self._scale * zoom
        rise = (0.015 if floating else 0.05) * math.sin(0.9 * time + self._phase)
        drift = 0.0 if floating else 0.03 * math.sin(0.37 * time + self._phase)
        place = Place(px + drift * scale, py - rise * scale, fitted(self._cel, scale), 2.0 * sway)
        if floating:
            mirror(
                frame, self._cel, place, seconds, scratch,
                clarity=0.55, ripple=0.02 * scale, fade=0.7 * scale,
            )  # fmt: skip
        paste(frame, self._cel, place)


def _cel(cutout: Cutout, tall: float, role: Role) -> Cel:
    """The thing at ``tall`` pixels in the light of the scene; its foot is the origin, its height one unit."""
    height, width = cutout.alpha.shape
    tall = min(tall, float(2 * height))
    size = (max(2, round(width * tall / height)), max(2, round(tall)))
    method = imaging.AREA if tall < height else imaging.CUBIC
    alpha = np.asarray(imaging.resize(cutout.alpha, *size, method), np.float32) * np.float32(1 / 255)
    lit = linear_light(imaging.resize(cutout.colour, *size, method)) * _received(role.light)
    lit = lit + _edge(alpha, role.light)[..., None] * role.light.rim
    shown = to8(mix(np.asarray(lit, np.float32), role.light.haze, role.haze(_HAZE)))
    premultiplied = (shown * alpha[..., None] + np.float32(0.5)).astype(np.uint8)
    inverse = 255 - (alpha * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    pixels = np.pad(np.dstack([premultiplied, inverse]), ((1, 1), (1, 1), (0, 0)))
    pixels[[0, -1], :, 3] = pixels[:, [0, -1], 3] = 255
    return Cel(pixels, (size[0] / 2 + 1, size[1] + 0.0), float(size[1]))


def _received(light: Light) -> Floats:
    """What the scene's light makes of a picture taken in even white light."""
    total = light.sky * np.float32(0.7) + light.ground * np.float32(0.25) + light.key * np.float32(0.45)
    return np.asarray(np.clip(total * np.float32(1.0 - 0.45 * light.behind), _DARKEST, _BRIGHTEST))


def _edge(alpha: Floats, light: Light) -> Floats:
    """Strength of the light along edges that face it."""
    soft = imaging.gaussian(alpha, 1.6)
    across = np.asarray(cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=0.25), np.float32)
    up = np.asarray(cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=0.25), np.float32)
    facing = -across * np.float32(light.towards[0]) + up * np.float32(0.6 * light.towards[1])
    return np.clip(facing, 0, 1) * np.float32(0.2 + 0.6 * light.behind)
