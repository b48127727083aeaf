"""Motes: small points of light that drift through the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera, Pose
from meshapi_renderer.colour import swatch8
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas

_SUBPIXEL_BITS = 4
_SUBPIXEL = 1 << _SUBPIXEL_BITS
_BORDER = 0.1


@dataclass(frozen=True, slots=True)
class _Mote:
    """One point; x and y in shares of the frame, drift in frames per second."""

    x: float
    y: float
    drift: float
    radius: float
    phase: float
    colour: tuple[int, int, int]
    depth: float


class Motes:
    """A handful of glowing specks at different depths."""

    def __init__(self, canvas: Canvas, rng: Rng, colours: tuple[Floats, ...], count: int = 90) -> None:
        """``colours`` are linear, shape (3,)."""
        self._canvas = canvas
        shown = [swatch8(colour * 2 + 0.05) for colour in colours]
        self._motes = [
            _Mote(
                x=rng.u(),
                y=rng.u() * 0.86,
                drift=rng.uniform(0.006, 0.03),
                radius=rng.uniform(0.5, 1.9),
                phase=rng.u() * math.tau,
                colour=rng.pick(shown),
                depth=rng.uniform(1.0, 3.5),
            )
            for _ in range(count)
        ]

    def draw(self, frame: Bytes8, camera: Camera, pose: Pose, seconds: float) -> None:
        """Draw the motes of that moment into ``frame``, a picture of light that will be added to another."""
        width, height = self._canvas.width, self._canvas.height
        span = 1 + 2 * _BORDER
        for mote in self._motes:
            along = (mote.x + mote.drift * seconds / mote.depth) % 1.0
            bob = 0.016 * math.sin(0.8 * seconds + mote.phase)
            x, y = camera.project(pose, mote.depth, (along * span - _BORDER) * width, (mote.y + bob) * height)
            pulse = 0.4 + 0.6 * math.sin(1.3 * seconds + mote.phase) ** 2
            # Fade in and out at the ends of the loop: nothing appears or vanishes at once.
            fade = min(1.0, 12 * along, 12 * (1 - along))
            # A mote smaller than a pixel is drawn as a pixel, only fainter.
            radius = mote.radius * self._canvas.scale / math.sqrt(mote.depth)
            weight = min(1.0, (radius / 0.7) ** 2)
            red, green, blue = (channel * pulse * fade * weight for channel in mote.colour)
            centre = (round(x * _SUBPIXEL), round(y * _SUBPIXEL))
            size = round(max(radius, 0.7) * _SUBPIXEL)
            cv2.circle(frame, centre, size, (red, green, blue), -1, cv2.LINE_AA, _SUBPIXEL_BITS)
