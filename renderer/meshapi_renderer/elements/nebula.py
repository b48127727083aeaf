"""Glowing gas between the stars: folds of colour with lanes of dust, slowly streaming."""

from __future__ import annotations

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import linear, luminance, mix, rgb, smoothstep
from meshapi_renderer.noise import fbm, warp
from meshapi_renderer.raycast import gradients
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas

_SIDE = 768
_ACROSS = 1.35
"""Long sides of the frame that one texture spans."""
_TURNOVER = 7.0
"""Seconds after which the stream starts anew, unseen, beneath its other half."""
_REACH = 0.080
"""How far the gas streams in that time, in textures."""
_MEAN = 0.042
_SCHEMES = (
    ("1b4fd8", "b03ad6", "ff8a5c"),
    ("0fa3b1", "3c4fe0", "ff5fa2"),
    ("e0562b", "a3247a", "3d5be8"),
    ("17b890", "2f6bff", "c7f0ff"),
)


def nebula_colours(wished: tuple[str, ...], rng: Rng) -> tuple[Floats, Floats, Floats]:
    """Outer, middle and core colours: the wished ones or a scheme drawn by chance; linear."""
    names = wished if wished else rng.pick(_SCHEMES)
    picked = [linear(names[min(index * len(names) // 3, len(names) - 1)]) for index in range(3)]
    # Gas glows, it is no paint: every colour carries some white.
    pale = [mix(tone, rgb(1, 1, 1) * luminance(tone), 0.18) for tone in picked]
    first, second, third = (tone * np.float32(0.15 / max(float(luminance(tone)), 0.07)) for tone in pale)
    return first, second, third


class Nebula:
    """A torus of light and the way it streams."""

    def __init__(self, rng: Rng, colours: tuple[Floats, Floats, Floats], strength: float) -> None:
        side = _SIDE
        bend = fbm(side, side, 3, 4, rng.sub("bend"), 0.5) - np.float32(0.5)
        other = np.roll(bend, (side // 3, side // 2), (0, 1))
        gas = fbm(side, side, 4, 7, rng.sub("gas"), 0.56)
        gas = warp(gas, bend * 260, other * 260)
        veil = warp(fbm(side, side, 6, 6, rng.sub("veil"), 0.55, ridge=True), other * 190, bend * 190)
        dust = warp(fbm(side, side, 5, 7, rng.sub("dust"), 0.58, ridge=True), bend * 150, other * 150)
        where = fbm(side, side, 2, 3, rng.sub("where"), 0.5)
        where = smoothstep(0.36, 0.70, where)
        fine = fbm(side, side, 14, 6, rng.sub("fine"), 0.6)
        density = smoothstep(0.36, 0.86, gas + (fine - np.float32(0.5)) * np.float32(0.30))
        density *= np.float32(0.12) + np.float32(1.2) * where
        threads = smoothstep(0.62, 0.92, veil) * where * smoothstep(0.35, 0.6, gas)
        lanes = smoothstep(0.58, 0.86, dust) * np.float32(0.92)
        hue = fbm(side, side, 3, 4, rng.sub("hue"), 0.5)
        outer, middle, core = colours
        tone = mix(outer, middle, smoothstep(0.38, 0.62, hue)[..., None])
        hot = smoothstep(0.55, 0.95, density)[..., None]
        tone = mix(tone, core, hot)
        light = tone * (density * np.float32(0.55) + density**3 * np.float32(1.9))[..., None]
        light += core * (threads * np.float32(0.55))[..., None]
        light *= (1 - lanes)[..., None]
        # No seed's nebula is missing or floods the sky.
        even = min(2.5, max(0.6, _MEAN / max(float(light.mean()), 1e-6)))
        light = light * np.float32(strength * even) + rgb(0.0105, 0.0120, 0.0225)
        # Four channels are moved as they are looked up; three would be copied out of four every time.
        self._light = imaging.Torus(np.asarray(cv2.cvtColor(light.astype(np.float32), cv2.COLOR_RGB2RGBA)))
        self._flow = imaging.Torus(np.dstack(_curl(fbm(side // 4, side // 4, 4, 3, rng.sub("flow"), 0.5))))
        self._offset = (rng.u() * side, rng.u() * side)

    def light(self, grid: Canvas, shift: tuple[float, float], seconds: float) -> Floats:
        """Linear light on a grid of the frame's shape; ``shift`` moves it, in shares of the long side."""
        texels = np.float32(_SIDE / (_ACROSS * grid.long))
        y = (np.arange(grid.height, dtype=np.float32)[:, None] - np.float32(shift[1] * grid.long)) * texels
        x = (np.arange(grid.width, dtype=np.float32)[None] - np.float32(shift[0] * grid.long)) * texels
        x = x + np.float32(self._offset[0]) + np.zeros_like(y)
        y = y + np.float32(self._offset[1]) + np.zeros_like(x)
        flow = self._flow.at(x * np.float32(0.25), y * np.float32(0.25))
        flow_x, flow_y = cv2.split(flow)[:2]
        layers = []
        for half in (0.0, 0.5):
            age = (seconds / _TURNOVER + half) % 1.0
            push = _REACH * _SIDE * (age - 0.5)
            across, down = (cv2.scaleAdd(part, -push, at) for part, at in ((flow_x, x), (flow_y, y)))
            layers.append((self._light.at(np.asarray(across), np.asarray(down)), 1 - abs(2 * age - 1)))
        (first, first_weight), (second, second_weight) = layers
        total = cv2.addWeighted(first, first_weight, second, second_weight, 0.0)
        return np.asarray(cv2.cvtColor(total, cv2.COLOR_RGBA2RGB), np.float32)


def _curl(potential: Floats) -> list[Floats]:
    """A flow without sources along the contours of a field, of unit strength on average."""
    right, down = gradients(potential, 1.0)
    size = np.float32(1 / max(float(np.sqrt(down * down + right * right).mean()), 1e-6))
    return [down * size, -right * size]
