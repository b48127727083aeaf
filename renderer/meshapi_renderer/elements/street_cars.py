"""Cars of a street as they are met and followed: painted once from the front and from behind, then pasted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.colour import linear, mix, rgb
from meshapi_renderer.elements.city_light import CityLight
from meshapi_renderer.subjects.curves import Outline, disc, polygon, smooth
from meshapi_renderer.subjects.light import Light
from meshapi_renderer.subjects.paste import Place, paste
from meshapi_renderer.subjects.sketch import Bounds, Cel, Paint, Sketch

PAINTS = ("3a4150", "8a1c20", "d8a018", "22406e", "b4b8be")
"""Display colours of the cars; the third is that of taxis."""
_TAXI = 2
_BOUNDS = Bounds(-1.16, -0.20, 1.16, 1.60)
_SHARPEST = 7.0
"""Metres away at which a car is painted as large as it is drawn; nearer ones are enlarged."""
_LEAST_SIDE = 12
"""Rows of the smallest picture of a car; each is half as large as the one before."""
_TYRE = rgb(0.014, 0.014, 0.015)
_HOLLOW = rgb(0.006, 0.006, 0.007)


@dataclass(frozen=True, slots=True)
class CarLook:
    """Which side a car shows, how it is painted (an index into `PAINTS`), and how near it comes."""

    coming: bool
    paint: int
    nearest: float
    """Metres away at its nearest in the video: what stays far is painted small."""


class StreetCars:
    """Pictures of the cars of one street."""

    def __init__(self, looks: Sequence[CarLook], light: CityLight, focal: float, wet: float) -> None:
        """``focal`` is in pixels; ``wet``, 0 to 1, takes the edge off the shadows on the ground."""
        own = _light_on_cars(light)
        dim = 0.86 * (1.0 - 0.25 * wet)

        def levels(look: CarLook) -> list[Cel]:
            cel = _painted(look, own, light, focal / max(_SHARPEST, look.nearest))
            return _smaller(_shaded_ground(cel, dim))

        self._levels = {look: levels(look) for look in looks}

    def draw(self, frame: Bytes8, look: CarLook, x: float, foot: float, unit: float, mirror: bool) -> None:
        """Draw a car whose wheels stand at (x, foot), upright or upside down below its feet."""
        levels = self._levels[look]
        halvings = math.floor(math.log2(max(levels[0].scale / unit, 1.0)) + 0.25)
        cel = levels[min(len(levels) - 1, halvings)]
        size = unit / cel.scale
        paste(frame, cel, Place(x, foot, size, stretch=(1.0, -1.0 if mirror else 1.0)))


def _light_on_cars(light: CityLight) -> Light:
    """The street's light: sky between the roofs, sun along it by day, shop windows and signs after dark."""
    if light.dark:
        shops = rgb(0.30, 0.24, 0.19)
        rim = mix(light.neon_colours[0], light.neon_colours[-1], 0.5) * np.float32(0.55) + shops
        return Light(
            sky=light.front * np.float32(0.9) + light.street * np.float32(0.8) + rgb(0.05, 0.05, 0.07),
            ground=light.street * np.float32(0.9) + shops * np.float32(0.22),
            key=shops * np.float32(0.9) + light.street,
            rim=rim,
            towards=(-0.80, 0.35, 0.49),
            source_x=0.5,
            behind=0.30,
            haze=light.haze,
            exposure=1.0,
            night=1.0,
        )
    sun = np.maximum(light.sunny_side - light.shady_side, 0)
    return Light(
        sky=light.front * np.float32(0.75),
        ground=light.front * np.float32(0.24),
        key=sun * np.float32(0.55) + light.front * np.float32(0.12),
        rim=light.glass_low * np.float32(0.55),
        towards=(0.46, 0.80, 0.39),
        source_x=0.5,
        behind=0.0,
        haze=light.haze,
        exposure=1.0,
        night=0.0,
    )


def _painted(look: CarLook, own: Light, light: CityLight, scale: float) -> Cel:
    sketch = Sketch(_BOUNDS, scale, own)
    albedo = linear(PAINTS[look.paint]) * np.float32(0.85)
    body = Paint(albedo=albedo, roundness=0.26, gloss=0.30)
    _paint_body(sketch, body, look)
    _paint_glass(sketch, light)
    (_paint_front if look.coming else _paint_back)(sketch, albedo)
    if look.paint == _TAXI:
        lamp = rgb(0.9, 0.72, 0.36) * np.float32(1.3 if light.dark else 0.12)
        sign = Paint(albedo=rgb(0.75, 0.72, 0.62), roundness=0.03, emission=lamp)
        sketch.add(smooth((-0.22, 1.455), (-0.20, 1.58), (0.20, 1.58), (0.22, 1.455)), sign)
    return sketch.finish(own.haze, 0.0)


def _both(make: Callable[[float], Outline]) -> list[Outline]:
    """An outline on the left and its mirror image on the right; ``make`` is told the side."""
    return [make(-1.0), make(1.0)]


def _sides(*points: tuple[float, float]) -> list[Outline]:
    """A rounded outline given for the right half, and the same on the left."""
    return _both(lambda side: smooth(*((side * x, y) for x, y in points)))


def _paint_body(sketch: Sketch, body: Paint, look: CarLook) -> None:
    """Tyres, what is dark beneath, roof, mirrors and hull."""
    tyre = Paint(albedo=_TYRE, roundness=0.07)
    sketch.add(
        _sides((0.61, 0.02), (0.58, 0.25), (0.62, 0.52), (0.82, 0.52), (0.865, 0.25), (0.83, 0.02)), tyre
    )
    sketch.add(polygon((-0.70, 0.17), (0.70, 0.17), (0.72, 0.40), (-0.72, 0.40)), Paint(albedo=_HOLLOW))
    roof = smooth(
        (-0.82, 0.88), (-0.745, 1.12), (-0.625, 1.37), (-0.50, 1.445), (0.0, 1.475), (0.50, 1.445),
        (0.625, 1.37), (0.745, 1.12), (0.82, 0.88), (0.0, 0.82),
    )  # fmt: skip
    sketch.add(roof, body)
    mirrors = Paint(albedo=body.albedo * np.float32(0.8), roundness=0.05, gloss=0.2)
    sketch.add(
        _sides((0.79, 0.945), (0.89, 0.935), (0.985, 0.95), (0.995, 1.02), (0.92, 1.035), (0.84, 1.0)),
        mirrors,
    )
    if not look.coming:
        sketch.add(_sides((0.895, 0.96), (0.97, 0.965), (0.975, 1.01), (0.91, 1.015)), Paint(albedo=_HOLLOW))
    hull = smooth(
        (-0.80, 0.235), (-0.895, 0.33), (-0.93, 0.52), (-0.925, 0.72), (-0.885, 0.86), (-0.80, 0.935),
        (-0.60, 0.965), (0.0, 0.98), (0.60, 0.965), (0.80, 0.935), (0.885, 0.86), (0.925, 0.72), (0.93, 0.52),
        (0.895, 0.33), (0.80, 0.235), (0.0, 0.215),
    )  # fmt: skip
    sketch.add(hull, body)


def _paint_glass(sketch: Sketch, light: CityLight) -> None:
    """The window: dark within, seats behind it, the sky and the row of houses mirrored on it."""
    frame = smooth(
        (-0.715, 0.955), (-0.66, 1.13), (-0.565, 1.345), (-0.46, 1.385), (0.0, 1.405), (0.46, 1.385),
        (0.565, 1.345), (0.66, 1.13), (0.715, 0.955), (0.0, 0.945),
    )  # fmt: skip
    sketch.add(frame, Paint(albedo=_HOLLOW, roundness=0.02))
    sky = mix(light.glass_low, light.glass_high, 0.35)
    glass = smooth(
        (-0.675, 0.985), (-0.625, 1.13), (-0.54, 1.315), (-0.44, 1.355), (0.0, 1.372), (0.44, 1.355),
        (0.54, 1.315), (0.625, 1.13), (0.675, 0.985), (0.0, 0.978),
    )  # fmt: skip
    sketch.add(
        glass, Paint(albedo=rgb(0.010, 0.012, 0.015), roundness=0.05, emission=sky * np.float32(0.035))
    )
    seats = Paint(albedo=rgb(0.008, 0.008, 0.009), roundness=0.04)
    for x in (-0.34, 0.34):
        sketch.add(smooth((x - 0.12, 0.99), (x - 0.11, 1.13), (x + 0.11, 1.13), (x + 0.12, 0.99)), seats, 0.8)
        sketch.add(smooth((x - 0.07, 1.12), (x - 0.07, 1.21), (x + 0.07, 1.21), (x + 0.07, 1.12)), seats, 0.8)
    shine = Paint(albedo=_HOLLOW, roundness=0.02, emission=sky * np.float32(0.42))
    roofs = smooth(
        (-0.52, 1.322), (-0.44, 1.345), (0.0, 1.362), (0.44, 1.345), (0.52, 1.322), (0.57, 1.235),
        (0.34, 1.262), (0.12, 1.285), (-0.12, 1.285), (-0.34, 1.262), (-0.57, 1.235),
    )  # fmt: skip
    sketch.add(roofs, shine, 0.75)
    streak = polygon((-0.58, 1.02), (-0.33, 1.02), (-0.10, 1.34), (-0.26, 1.335))
    sketch.add(streak, shine, 0.20)
    sketch.add(polygon((-0.27, 1.02), (-0.19, 1.02), (0.02, 1.345), (-0.05, 1.34)), shine, 0.16)


def _paint_plate(sketch: Sketch, up: float) -> None:
    """A number plate in its frame, with strokes of no alphabet."""
    sketch.add(polygon((-0.285, up - 0.075), (0.285, up - 0.075), (0.285, up + 0.075), (-0.285, up + 0.075)),
               Paint(albedo=_HOLLOW, roundness=0.01))  # fmt: skip
    own = rgb(0.10, 0.09, 0.07) * np.float32(sketch.light.night)
    white = Paint(albedo=rgb(0.55, 0.55, 0.52), roundness=0.01, emission=own)
    sketch.add(
        polygon((-0.262, up - 0.056), (0.262, up - 0.056), (0.262, up + 0.056), (-0.262, up + 0.056)), white
    )
    ink = Paint(albedo=rgb(0.03, 0.03, 0.05), roundness=0.005)
    marks = [
        polygon((x, up - 0.034), (x + wide, up - 0.034), (x + wide, up + 0.034), (x, up + 0.034))
        for x, wide in (
            (-0.215, 0.03),
            (-0.16, 0.05),
            (-0.085, 0.03),
            (0.01, 0.05),
            (0.085, 0.03),
            (0.14, 0.06),
        )
    ]
    sketch.add(marks, ink, 0.85)


def _paint_back(sketch: Sketch, albedo: Floats) -> None:
    """Boot lid, lamps, plate and bumper."""
    dim = Paint(albedo=albedo * np.float32(0.30), roundness=0.01)
    seam = [
        polygon((-0.66, 0.545), (0.66, 0.545), (0.66, 0.555), (-0.66, 0.555)),
        polygon((-0.665, 0.545), (-0.655, 0.545), (-0.70, 0.93), (-0.71, 0.93)),
        polygon((0.665, 0.545), (0.655, 0.545), (0.70, 0.93), (0.71, 0.93)),
    ]
    sketch.add(seam, dim, 0.8)
    lip = smooth((-0.70, 0.915), (-0.5, 0.935), (0.0, 0.945), (0.5, 0.935), (0.70, 0.915), (0.0, 0.915))
    sketch.add(lip, Paint(albedo=albedo * np.float32(0.45), roundness=0.02), 0.6)
    lit = np.float32(0.10 + 0.9 * sketch.light.night)
    dark = Paint(albedo=rgb(0.10, 0.006, 0.006), roundness=0.03, gloss=0.5)
    sketch.add(
        _sides((0.50, 0.72), (0.51, 0.83), (0.70, 0.865), (0.885, 0.84), (0.915, 0.72), (0.72, 0.685)), dark
    )
    red = Paint(
        albedo=rgb(0.44, 0.020, 0.016), roundness=0.03, gloss=0.4, emission=rgb(0.85, 0.03, 0.02) * lit
    )
    sketch.add(
        _sides((0.60, 0.735), (0.61, 0.81), (0.72, 0.835), (0.86, 0.815), (0.885, 0.735), (0.74, 0.71)), red
    )
    clear = Paint(albedo=rgb(0.5, 0.48, 0.46), roundness=0.02, gloss=0.4)
    sketch.add(_sides((0.525, 0.745), (0.53, 0.80), (0.575, 0.805), (0.575, 0.742)), clear, 0.8)
    recess = smooth((-0.36, 0.60), (-0.35, 0.80), (0.35, 0.80), (0.36, 0.60))
    sketch.add(recess, Paint(albedo=albedo * np.float32(0.55), roundness=0.03))
    _paint_plate(sketch, 0.70)
    chrome = Paint(albedo=rgb(0.50, 0.50, 0.52), roundness=0.012, gloss=0.8)
    sketch.add(smooth((-0.36, 0.808), (-0.36, 0.838), (0.36, 0.838), (0.36, 0.808)), chrome)
    sketch.add(disc(0.0, 0.882, 0.032), chrome)
    _paint_bumper(sketch, albedo, 0.50)
    glint = Paint(albedo=rgb(0.30, 0.012, 0.010), roundness=0.01, emission=rgb(0.10, 0.004, 0.003) * lit)
    sketch.add(
        _both(
            lambda side: polygon(
                (side * 0.60, 0.375), (side * 0.80, 0.385), (side * 0.80, 0.42), (side * 0.60, 0.41)
            )
        ),
        glint,
    )
    sketch.add([disc(-0.46, 0.225, 0.045, 0.032), disc(0.46, 0.225, 0.045, 0.032)], chrome)
    sketch.add([disc(-0.46, 0.225, 0.033, 0.022), disc(0.46, 0.225, 0.033, 0.022)], Paint(albedo=_HOLLOW))


def _paint_bumper(sketch: Sketch, albedo: Floats, top: float) -> None:
    """The bumper's own roundness below a crease, and the dark apron under it."""
    curve = smooth(
        (-0.80, 0.245), (-0.885, 0.32), (-0.928, top - 0.10), (-0.925, top - 0.03), (-0.86, top),
        (-0.5, top + 0.01), (0.0, top + 0.012), (0.5, top + 0.01), (0.86, top), (0.925, top - 0.03),
        (0.928, top - 0.10), (0.885, 0.32), (0.80, 0.245), (0.4, 0.23), (-0.4, 0.23),
    )  # fmt: skip
    sketch.add(curve, Paint(albedo=albedo, roundness=0.11, gloss=0.25))
    apron = smooth((-0.66, 0.205), (-0.60, 0.315), (0.0, 0.33), (0.60, 0.315), (0.66, 0.205), (0.0, 0.185))
    sketch.add(apron, Paint(albedo=rgb(0.020, 0.020, 0.022), roundness=0.05))


def _paint_front(sketch: Sketch, albedo: Floats) -> None:
    """Bonnet, lamps, grille, plate and bumper."""
    shade = Paint(albedo=albedo * np.float32(0.55), roundness=0.02)
    sketch.add(smooth((-0.62, 0.945), (0.0, 0.962), (0.62, 0.945), (0.0, 0.935)), shade, 0.7)
    sketch.add(
        _both(
            lambda side: polygon(
                (side * 0.50, 0.80), (side * 0.51, 0.80), (side * 0.60, 0.94), (side * 0.585, 0.94)
            )
        ),
        shade,
        0.7,
    )
    _paint_bumper(sketch, albedo, 0.52)
    grille = smooth((-0.44, 0.56), (-0.48, 0.70), (-0.40, 0.745), (0.40, 0.745), (0.48, 0.70), (0.44, 0.56))
    sketch.add(grille, Paint(albedo=_HOLLOW, roundness=0.03))
    chrome = Paint(albedo=rgb(0.46, 0.46, 0.48), roundness=0.012, gloss=0.8)
    slats = [
        polygon((-0.43, up), (0.43, up), (0.43, up + 0.014), (-0.43, up + 0.014))
        for up in (0.595, 0.64, 0.685)
    ]
    sketch.add(slats, chrome, 0.7)
    sketch.add(disc(0.0, 0.66, 0.052), chrome)
    lit = rgb(1.0, 0.92, 0.76) * np.float32(0.06 + 0.9 * sketch.light.night)
    socket = Paint(albedo=rgb(0.05, 0.05, 0.055), roundness=0.03, gloss=0.6)
    sketch.add(
        _sides((0.53, 0.655), (0.55, 0.745), (0.72, 0.785), (0.875, 0.80), (0.885, 0.71), (0.74, 0.655)),
        socket,
    )
    lamp = Paint(albedo=rgb(0.62, 0.62, 0.60), roundness=0.03, gloss=0.9, emission=lit)
    sketch.add(
        [
            disc(-0.63, 0.705, 0.048),
            disc(0.63, 0.705, 0.048),
            disc(-0.775, 0.725, 0.045),
            disc(0.775, 0.725, 0.045),
        ],
        lamp,
    )
    intake = smooth((-0.56, 0.295), (-0.50, 0.40), (0.50, 0.40), (0.56, 0.295))
    sketch.add(intake, Paint(albedo=_HOLLOW, roundness=0.03))
    sketch.add([disc(-0.72, 0.375, 0.05), disc(0.72, 0.375, 0.05)], socket)
    _paint_plate(sketch, 0.455)


def _shaded_ground(cel: Cel, dim: float) -> Cel:
    """The picture with the shadow under the car: darkest between the wheels, soft at its rim."""
    height, width = cel.pixels.shape[:2]
    x = (np.arange(width, dtype=np.float32)[None] - np.float32(cel.origin[0])) / np.float32(cel.scale)
    y = (np.float32(cel.origin[1]) - np.arange(height, dtype=np.float32)[:, None]) / np.float32(cel.scale)
    wide = np.clip(1 - (x / np.float32(1.15)) ** 2 - ((y - np.float32(0.04)) / np.float32(0.235)) ** 2, 0, 1)
    core = np.clip(1 - (x / np.float32(0.98)) ** 2 - ((y - np.float32(0.06)) / np.float32(0.15)) ** 2, 0, 1)
    clear = (1 - np.float32(dim) * wide * np.sqrt(wide)) * (1 - np.float32(0.8 * dim) * core)
    pixels = cel.pixels.copy()
    pixels[..., 3] = (pixels[..., 3] * clear + np.float32(0.5)).astype(np.uint8)
    return Cel(pixels, cel.origin, cel.scale)


def _smaller(cel: Cel) -> list[Cel]:
    """The picture and its halvings, for what is drawn small."""
    levels = [cel]
    while levels[-1].pixels.shape[0] >= 2 * _LEAST_SIDE:
        last = levels[-1]
        height, width = last.pixels.shape[:2]
        even = np.pad(last.pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        half = cv2.resize(even, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        x, y = last.origin
        levels.append(Cel(np.asarray(half, np.uint8), (0.5 * x - 0.25, 0.5 * y - 0.25), 0.5 * last.scale))
    return levels
