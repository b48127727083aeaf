"""A sea of clouds seen from above: billows that hide one another, lit through and shaded by the sun."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera, Pose
from meshapi_renderer.colour import smoothstep
from meshapi_renderer.elements.moving_relief import MovingRelief
from meshapi_renderer.elements.relief_cast import ReliefCaster
from meshapi_renderer.elements.softlight import Enlarger
from meshapi_renderer.noise import fbm, wrap_blur
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scratch
from meshapi_renderer.view import View

_GRID_LONG = 392
_EYE = 1250.0
_FOLD = 0.55
_SINK = 700.0
"""Metres under the mean height from which clouds rise in front."""
_FAR = 60000.0
_NEAR = 2800.0
"""Metres of the plane the camera calls depth 1."""
_SIDE = 512
_SHADOW_REACH = (240.0, 620.0, 1400.0)
"""How far towards the sun the relief is asked whether it stands in the light, in metres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudSeaLook:
    """Colours (linear, exposed) and motion of the clouds."""

    lit: Floats
    dark: Floats
    haze: Floats
    glow: Floats
    """What shines through thin cloud towards the sun."""
    body_x: float
    body_slope: float
    tan_elevation: float
    """Tangent of the light's elevation used for shade; a little above the visible one."""
    flight: float
    """Metres per second forwards."""
    wind: float
    """Metres per second to the right."""
    towers: float = 1.0
    """How high the largest billows rise."""


class CloudSea:
    """Draws the clouds under the horizon of a view."""

    def __init__(self, view: View, rng: Rng, look: CloudSeaLook) -> None:
        canvas = view.canvas
        self._view, self._look = view, look
        share = min(1.0, _GRID_LONG / canvas.long)
        self._share = max(8, round(canvas.width * share)) / canvas.width
        # Billows may rise over the horizon: the grid reaches up to it and beyond.
        below = (1 - view.horizon + 0.25) * canvas.height * self._share + view.margin * self._share
        self._room = Canvas(round(canvas.width * self._share), max(8, math.ceil(below)))
        self._caster = ReliefCaster(self._room, view.focal * self._share, _EYE, _FAR, 1.0)
        self._fields = _fields(rng, look)
        spacing = self._caster.spacing()[:, 0]
        self._runs = [_runs(field, spacing) for field in self._fields]
        far = self._caster.depth[:, None]
        self._rise = smoothstep(0.9 * float(far[0, 0]), 2.1 * float(far[0, 0]), far)
        self._haze = (1 - np.exp(far * np.float32(-1 / 36000))) * np.float32(0.94)
        azimuth = self._caster.across(0.0)[0] / self._caster.depth[0]
        away = np.sqrt((azimuth - np.float32(look.body_x)) ** 2 + np.float32(look.body_slope**2))
        self._towards = np.exp(-away * np.float32(2.0))[None]
        norm = math.sqrt(look.body_x**2 + 1)
        self._to_light = (look.body_x / norm, 1 / norm)
        self._enlargers: dict[int, Enlarger] = {}

    def draw(self, frame: Bytes8, camera: Camera, pose: Pose, seconds: float, scratch: Scratch) -> None:
        """Lay the clouds of that moment over the lower part of ``frame``."""
        _, shift_x, shift_y = camera.scale_shift(pose, math.inf)
        height, width = frame.shape[:2]
        horizon = self._view.horizon * height + shift_y
        caster, room = self._caster, self._room
        top = min(height - 8, max(0, math.floor(horizon - 0.22 * height)))
        above = room.height - round((height - top) * self._share)
        x = caster.across(shift_x * self._share) + np.float32(_NEAR * pose.x)
        z = caster.depth[:, None] + np.float32(_NEAR * pose.zoom + self._look.flight * seconds)
        z = np.broadcast_to(z, x.shape)
        surface = self._surface(x, z, seconds)
        struck = caster.cast(surface[0], (horizon - top) * self._share + above)
        seen = caster.carried(struck, self._light(surface, x, z, seconds))
        rows = height - top
        grid_rows = round(rows * self._share)
        count = min(grid_rows, seen.shape[0])
        full = np.empty((grid_rows, room.width, 4), np.float32)
        full[grid_rows - count :, :, :3] = seen[-count:]
        full[grid_rows - count :, :, 3] = struck.cover[-count:]
        full[: grid_rows - count] = (*self._look.haze, 0.0)
        full[: grid_rows - count, :, :3] = full[grid_rows - count, :, :3]
        full = imaging.gaussian(full, 0.6)
        enlarger = self._enlargers.get(rows)
        if enlarger is None:
            enlarger = self._enlargers[rows] = Enlarger(Canvas(width, rows))
        picture = enlarger.bytes(np.ascontiguousarray(full[..., :3]), scratch)
        mask = imaging.resize((full[..., 3] * np.float32(255.49)).astype(np.uint8), width, rows)
        solid = np.asarray((mask >= 254).all(1))
        edge = rows if not solid[-1] else rows - int(np.argmin(solid[::-1])) if not solid.all() else 0
        if edge > 0:
            alpha = imaging.triple(mask[:edge])
            cv2.multiply(picture[:edge], alpha, picture[:edge], 1 / 255.0)
            imaging.over(frame[top : top + edge], picture[:edge], np.asarray(cv2.bitwise_not(alpha)))
        frame[top + edge :] = picture[edge:]

    def _surface(self, x: Floats, z: Floats, t: float) -> list[Floats]:
        """Height, slope to the right, slope away and the height of the large forms, (steps, columns) each."""
        steps, columns = x.shape
        total = np.zeros((steps, 4 * columns), np.float32)
        large: Floats = np.zeros((steps, columns), np.float32)
        for index, (field, runs) in enumerate(zip(self._fields, self._runs, strict=True)):
            for rows, level, kept in runs:
                # Height folded into the coordinates: billows do not smear down steep faces.
                fold = large[rows] * np.float32(_FOLD) if index else np.float32(0)
                found = field.at(x[rows] + fold, z[rows] + fold, t, level)
                if index == 0:
                    large[rows] = found[..., 0]
                flat = found.reshape(-1, 4 * columns)
                flat *= kept
                total[rows] += flat
        planes = cv2.split(total.reshape(steps, columns, 4))
        # Clouds rise from below at the viewer's feet, or their cut would show as a wall.
        sunk = (np.asarray(planes[0]) + np.float32(_SINK)) * self._rise - np.float32(_SINK)
        return [sunk, np.asarray(planes[1]), np.asarray(planes[2]), large]

    def _light(self, surface: list[Floats], x: Floats, z: Floats, t: float) -> Floats:
        """Linear colour of every point, (steps, columns, 3)."""
        height, slope_x, slope_z, large = surface
        look = self._look
        to_x, to_z = self._to_light
        up = look.tan_elevation
        norm = math.sqrt(1 + up * up)
        # Cloud scatters: slopes are softened, and the shaded side still gets half of the light.
        soft = np.float32(0.75)
        facing = np.float32(up) - (slope_x * np.float32(to_x) + slope_z * np.float32(to_z)) * soft
        facing *= 1 / np.sqrt(1 + (slope_x * slope_x + slope_z * slope_z) * (soft * soft))
        facing *= np.float32(1 / norm)
        shade = np.clip(np.float32(0.30) + np.float32(0.75) * facing, 0, 1)
        hidden = np.zeros_like(height)
        for reach in _SHADOW_REACH:
            far = np.float32(reach)
            other = self._fields[0].height_at(x + far * np.float32(to_x), z + far * np.float32(to_z), t)
            over = (other - large - far * np.float32(up)) * np.float32(1 / (0.35 * reach))
            np.maximum(hidden, over, out=hidden)
        lit = shade * (1 - np.float32(0.72) * np.clip(hidden, 0, 1))
        lift = np.clip(height * np.float32(1 / 520) + np.float32(0.42), 0, 1)
        tone = np.clip(lit * (np.float32(0.30) + np.float32(0.95) * lift), 0, 1.15)
        thin = np.clip(slope_z * np.float32(-0.5) + np.float32(0.25), 0, 1) * lift * self._towards
        planes = []
        keep = 1 - self._haze
        for channel in range(3):
            colour = tone * (look.lit[channel] - look.dark[channel])
            colour += look.dark[channel]
            colour += thin * look.glow[channel]
            air = look.haze[channel] + look.glow[channel] * np.float32(0.35) * self._towards
            colour *= keep
            colour += air * self._haze
            planes.append(colour)
        # Cloud has no edges: without this, steep faces would show the columns they are cast in.
        return imaging.gaussian(np.asarray(cv2.merge(planes)), 2.0, 0.6)


def _fields(rng: Rng, look: CloudSeaLook) -> list[MovingRelief]:
    """Rolling forms, billows and puffs; each drifts at its own pace, so that they change."""
    wide = fbm(_SIDE, _SIDE, 3, 3, rng.sub("wide"), 0.5) - np.float32(0.5)
    large = _heap(rng.sub("large"), 11000.0, 90, (420.0, 1150.0), wide, 0.50 * look.towers)
    large += wide * np.float32(700)
    puffs = _heap(rng.sub("puffs"), 3600.0, 300, (95.0, 300.0), None, 0.52)
    small = _heap(rng.sub("small"), 1100.0, 380, (26.0, 84.0), None, 0.54)
    wind = look.wind
    return [
        MovingRelief(large - np.float32(large.mean()), 11000.0, (wind, 0.0)),
        MovingRelief(puffs - np.float32(puffs.mean()), 3600.0, (1.35 * wind, -0.55 * wind)),
        MovingRelief(small - np.float32(small.mean()), 1100.0, (1.7 * wind, 0.45 * wind)),
    ]


def _heap(
    rng: Rng, tile: float, count: int, radii: tuple[float, float], favoured: Floats | None, steep: float
) -> Floats:
    """Heads of cloud: the upper side of many spheres on a torus, in metres.

    Heads stand where ``favoured`` is high; ``steep`` is their height over their radius.
    """
    scale = _SIDE / tile
    low, high = radii
    field = np.full((_SIDE, _SIDE), -0.2 * low, np.float32)
    for _ in range(count):
        x, z, share, chance = rng.u() * _SIDE, rng.u() * _SIDE, rng.u(), rng.u()
        radius = low * (high / low) ** (share * share)
        lift = 0.0 if favoured is None else float(favoured[int(z), int(x)])
        if favoured is not None and chance > 0.55 + 2.6 * lift:
            continue
        _raise(field, x, z, radius * scale, radius * steep, radius * (0.25 * chance + max(0.0, 1.4 * lift)))
    return wrap_blur(field, 1.7)


def _raise(field: Floats, x: float, z: float, reach: float, tall: float, base: float) -> None:
    """Lift the field to one head where the head is higher, around the torus."""
    span = np.arange(-math.ceil(reach), math.ceil(reach) + 1)
    rows, columns = (span + int(z)) % _SIDE, (span + int(x)) % _SIDE
    across = (span - (x - int(x))).astype(np.float32)[None] / np.float32(reach)
    along = (span - (z - int(z))).astype(np.float32)[:, None] / np.float32(reach)
    inside = np.maximum(1 - across * across - along * along, 0)
    # Less steep at its rim than a sphere: rays see few heights of an upright face, and would smear them.
    head = np.float32(tall) * inside ** np.float32(0.8) + np.float32(base) * smoothstep(0.0, 0.7, inside)
    window = np.ix_(rows, columns)
    field[window] = np.where(inside > 0, np.maximum(field[window], head), field[window])


_Run = tuple[slice, int, Floats]


def _runs(field: MovingRelief, spacing: Floats) -> list[_Run]:
    """Runs of rows by coarseness, each with how much of the field's relief is left there."""
    levels = [field.level_for(float(space)) for space in spacing]
    kept = np.clip(np.float32(field.tile * 0.22) / spacing, 0.0, 1.0)[:, None].astype(np.float32)
    runs: list[_Run] = []
    begin = 0
    for end in range(1, len(levels) + 1):
        if end == len(levels) or levels[end] != levels[begin]:
            if kept[begin] > 0.10:
                runs.append((slice(begin, end), levels[begin], kept[begin:end]))
            begin = end
    return runs
