"""A dark near bank that frames a landscape from one side: rising ground with pines on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meshapi_renderer.array_types import Floats
from meshapi_renderer.colour import mix, rgb, smoothstep
from meshapi_renderer.elements.grass import Tufts
from meshapi_renderer.elements.pines import Grove, PineLight, stamp
from meshapi_renderer.layers import Layer
from meshapi_renderer.noise import fbm, line_noise
from meshapi_renderer.rng import Rng
from meshapi_renderer.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class BankLook:
    """Colours of the bank, linear and exposed."""

    ground: Floats
    ground_lit: Floats
    pines: PineLight
    grass: PineLight | None
    """Light on grass; None under snow."""
    snow: float
    haze: Floats
    haze_share: float


def pine_bank(view: View, rng: Rng, look: BankLook, side: float, depth: float) -> Layer:
    """The bank on the left (side -1) or right (side 1), falling into the water towards the middle."""
    width, height, canvas = view.width, view.height, view.canvas
    light = np.zeros((height, width, 3), np.float32)
    columns = (np.arange(width, dtype=np.float32) + np.float32(0.5) - np.float32(view.margin)) / np.float32(
        canvas.width
    )
    inward = columns if side < 0 else 1 - columns
    uneven = line_noise(1024, 6, 7, rng.sub("outline"), 0.6)
    samples = np.clip((inward + np.float32(0.2)) * np.float32(1024 / 1.4), 0, 1023).astype(np.int64)
    fall = 0.30 * smoothstep(-0.05, 0.62, inward) + (uneven[samples] - np.float32(0.5)) * np.float32(0.06)
    profile = np.float32(view.margin) + np.float32(canvas.height) * (np.float32(0.84) + fall)
    rows = np.arange(height, dtype=np.float32)[:, None]
    alpha = np.clip(rows - profile[None] + 1, 0, 1)
    grass = fbm(512, 512, 40, 3, rng.sub("grass"), 0.6)
    x = (np.arange(width) * 512 / canvas.long).astype(np.int64) % 512
    y = (np.arange(height) * 1100 / canvas.long).astype(np.int64) % 512
    edge = np.exp(-np.maximum(rows - profile[None], 0) / np.float32(0.02 * canvas.long))
    blades = grass[y][:, x] * np.float32(0.8) + edge * np.float32(0.45)
    light[:] = mix(look.ground, look.ground_lit, np.clip(blades, 0, 1.2)[..., None])
    if look.grass is not None:
        _sow_grass(light, alpha, profile, canvas.long, rng.sub("tufts"), look.grass)
    tallest = 0.46 * min(canvas.height, 0.8 * canvas.width)
    grove = Grove(tallest * 1.2, rng.sub("grove"), 5, look.snow, 1.5)
    draws = rng.sub("places")
    places = sorted(
        ((draws.u() ** 1.3, draws.uniform(0.5, 1.25)) for _ in range(10)), key=lambda place: place[1]
    )
    for index, (share, size) in enumerate(places):
        inner = -0.02 + 0.34 * share
        x_foot = view.margin + canvas.width * (inner if side < 0 else 1 - inner)
        column = min(max(int(x_foot), 0), width - 1)
        y_foot = float(profile[column]) + 0.016 * canvas.height
        tall = tallest * size * (1 - 0.45 * share)
        grove.plant(light, alpha, (x_foot, y_foot), tall, rng.sub(f"pine {index}"), look.pines)
    light += (look.haze - light) * np.float32(look.haze_share)
    return Layer.from_linear(light, alpha, depth, view.margin)


def _sow_grass(light: Floats, alpha: Floats, profile: Floats, long: int, rng: Rng, tones: PineLight) -> None:
    """Tufts on the edge of the bank and over its face, larger towards the viewer."""
    size = 0.036 * long
    tufts = Tufts(1.6 * size, rng.sub("sprites"))
    spots = sorted((rng.u() ** 1.4, rng.u(), index) for index in range(130))
    for nearness, across, index in spots:
        own = rng.sub(f"tuft {index}")
        x = len(profile) * across
        foot = float(profile[min(int(x), len(profile) - 1)]) + size * (0.25 + 3.4 * nearness)
        tall = size * (0.45 + 0.4 * own.u()) * (0.7 + 0.8 * nearness)
        sprite, wide = tufts.pick(own)
        stamp(light, alpha, sprite, (x, foot), (tall * wide, tall), tones.varied(own), own.u() < 0.5)


def dark_ground(season_green: Floats, snow: float) -> tuple[Floats, Floats]:
    """(shade, lit) albedo of near ground, from green to snow."""
    shade = mix(season_green * np.float32(0.25), rgb(0.30, 0.33, 0.40), snow)
    lit = mix(season_green, rgb(0.80, 0.84, 0.90), snow)
    return shade, lit
