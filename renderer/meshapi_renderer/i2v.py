"""Image to video: a given picture set in motion, or turned into a second one.

There is no model here that knows what a picture shows. A first frame is moved by a guess of its depth
(parallax), its sky drifts, its light breathes and comes to the hour of the prompt, and the weather of the
prompt falls and hangs in it. A first and a last frame are joined along the optical flow between them.
Frame 0 is exactly the first picture, and the final frame of a morph exactly the last.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8, Floats
from meshapi_renderer.camera import Camera, Pose
from meshapi_renderer.elements.particles import Particles, weather_particles
from meshapi_renderer.picture_light import PictureLight, Veil, changes_light, veiled
from meshapi_renderer.plan import ScenePlan, TimeOfDay
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scratch, Timing

_ANALYSIS_SIDE: Final = 320
_FLOW_SIDE: Final = 384
_FARTHEST: Final = 0.12
"""Nearness of the farthest pixel: the share of a camera move that it takes."""
_RAMP_SECONDS: Final = 0.8
_SKY_DRIFT: Final = 0.010
"""Way of the sky over the clip, as a share of the width."""
_SWAY: Final = 0.0024
_BREATH: Final = 0.03
_CHANGE_SECONDS: Final = 3.5


class Parallax:
    """A scene made of one picture."""

    def __init__(
        self,
        picture: Bytes8,
        plan: ScenePlan,
        canvas: Canvas,
        timing: Timing,
        rng: Rng,
        light: TimeOfDay | None = None,
    ) -> None:
        """Take `picture` at the size of the canvas; `light` is the hour it shall come to, if any."""
        self._picture = picture
        self._canvas = canvas
        self._timing = timing
        self._camera = Camera(plan.camera, plan.speed, timing, canvas)
        self._speed = plan.speed
        near, sky = guess_depth(picture)
        # Near things reach a little over their edge, so that they cover what lies behind when they move.
        grown = imaging.gaussian(cv2.dilate(near, np.ones((7, 7), np.uint8)).astype(np.float32), 2.0)
        self._near = np.float32(_FARTHEST) + np.float32(1 - _FARTHEST) * grown
        self._open_sky = _away_from_edges(sky)
        self._loose = (1 - sky) * self._near
        self._column = np.arange(canvas.width, dtype=np.float32)[None, :] - np.float32((canvas.width - 1) / 2)
        self._row = np.arange(canvas.height, dtype=np.float32)[:, None] - np.float32((canvas.height - 1) / 2)
        self._light: PictureLight | None = None
        if changes_light(light, plan.weather):
            self._light = PictureLight(picture, light, plan.weather)
        self._veil = Veil(plan, near, picture, rng.sub("veil")) if veiled(plan.weather) else None
        # The change takes most of a short clip, and a few seconds of a long one.
        self._change_seconds = max(0.25, min(_CHANGE_SECONDS, 0.75 * timing.duration))
        brightness = 0.35 + 0.65 * float(picture.mean()) / 255
        self._particles = weather_particles(
            plan.weather, canvas, rng.sub("weather"), brightness, 1.0, plan.speed
        )
        self._closing = self._needed_closing()

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """Return frame `index`; frame 0 is the picture itself."""
        shape = self._picture.shape
        frame: Bytes8 = scratch.array("picture", shape)
        if index == 0:
            frame[...] = self._picture
            return frame
        seconds = self._timing.seconds(index)
        map_x, map_y = self._maps(index, scratch)
        moved = cv2.remap(
            self._picture, map_x, map_y, cv2.INTER_CUBIC, dst=frame, borderMode=cv2.BORDER_REFLECT_101
        )
        gain = 1.0 + _BREATH * math.sin(0.9 * self._speed * seconds)
        changed = _smooth(seconds / self._change_seconds)
        if self._light is None:
            cv2.convertScaleAbs(moved, dst=frame, alpha=gain)
        else:
            cv2.transform(moved, self._light.matrix(changed, gain), dst=frame)
        if self._veil is not None:
            self._veil.draw(frame, changed, seconds, scratch)
        if self._particles is not None:
            self._draw_particles(self._particles, frame, seconds, scratch)
        return frame

    def _draw_particles(self, particles: Particles, frame: Bytes8, seconds: float, scratch: Scratch) -> None:
        """Let the weather fade in, since frame 0 must not show it."""
        shown = _smooth(seconds / _RAMP_SECONDS)
        if shown >= 1.0:
            particles.draw(frame, seconds, scratch)
            return
        weathered: Bytes8 = scratch.array("weathered", frame.shape)
        weathered[...] = frame
        particles.draw(weathered, seconds, scratch)
        cv2.addWeighted(weathered, shown, frame, 1.0 - shown, 0.0, dst=frame)

    def _maps(self, index: int, scratch: Scratch) -> tuple[Floats, Floats]:
        """Return where in the picture each pixel of frame `index` comes from."""
        height, width = self._near.shape
        map_x = scratch.array("map_x", (height, width), np.float32)
        map_y = scratch.array("map_y", (height, width), np.float32)
        factor = scratch.array("factor", (height, width), np.float32)
        pose = self._camera.pose(index)
        share = self._timing.progress(index)
        closing = 1.0 + (self._closing - 1.0) * self._share_of_move(pose)
        self._project(pose, closing, map_x, map_y, factor)

        seconds = self._timing.seconds(index)
        drift = _SKY_DRIFT * self._canvas.width * self._speed * share
        np.multiply(self._open_sky, np.float32(drift), out=factor)
        map_x += factor
        # What is near sways a little, as in a breath of wind, in waves that cross the picture.
        np.multiply(self._loose, np.float32(_SWAY * self._canvas.long), out=factor)
        time = self._speed * seconds
        map_x += factor * _since_start(self._row * np.float32(9 / height), 1.3 * time)
        map_x += factor * _since_start(self._column * np.float32(23 / width), 4.1 * time)
        map_y += factor * _since_start(self._column * np.float32(11 / width), -1.1 * time)
        return map_x, map_y

    def _project(self, pose: Pose, closing: float, map_x: Floats, map_y: Floats, factor: Floats) -> None:
        """Write the camera's map: a pixel of nearness n takes the share n of a move."""
        width, height = self._canvas.width, self._canvas.height
        np.multiply(self._near, np.float32(-pose.zoom / closing), out=factor)
        factor += np.float32(1 / closing)
        for target, offset, turn, way, size in (
            (map_x, self._column, pose.pan, pose.x, width),
            (map_y, self._row, -pose.tilt, -pose.y, height),
        ):
            np.multiply(self._near, np.float32(way * size), out=target)
            target += offset + np.float32(turn * size)
            target *= factor
            target += np.float32((size - 1) / 2)

    def _share_of_move(self, pose: Pose) -> float:
        """Return how much of the whole move a pose has made, 0..1."""
        end = self._camera.pose(self._timing.frames - 1)
        whole = _reach(end)
        return _reach(pose) / whole if whole else 0.0

    def _needed_closing(self) -> float:
        """Return the enlargement at the end of the move that keeps the frame inside the picture."""
        height, width = self._near.shape
        map_x, map_y, factor = (np.empty((height, width), np.float32) for _ in range(3))
        self._project(self._camera.pose(self._timing.frames - 1), 1.0, map_x, map_y, factor)
        over_x = max(-float(map_x.min()), float(map_x.max()) - (width - 1), 0.0)
        over_y = max(-float(map_y.min()), float(map_y.max()) - (height - 1), 0.0)
        closing: float = 1.0 + max(2 * over_x / width, 2 * over_y / height)
        return closing


class Morph:
    """A scene that turns one picture into another."""

    def __init__(self, first: Bytes8, last: Bytes8, timing: Timing) -> None:
        """Take both pictures at the size of the canvas."""
        self._first, self._last = first, last
        self._timing = timing
        height, width = first.shape[:2]
        self._column = np.arange(width, dtype=np.float32)[None, :]
        self._row = np.arange(height, dtype=np.float32)[:, None]
        scale = _FLOW_SIDE / max(width, height)
        small_first, small_last = _flow_picture(first, scale), _flow_picture(last, scale)
        self._forward = _flow(small_first, small_last, width, height)
        self._backward = _flow(small_last, small_first, width, height)

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """Return frame `index`; the first and the final frame are the given pictures."""
        frame: Bytes8 = scratch.array("picture", self._first.shape)
        eased = _smooth(self._timing.progress(index))
        if eased <= 0.0 or eased >= 1.0:
            frame[...] = self._first if eased <= 0.0 else self._last
            return frame
        leaving = self._moved(self._first, self._forward, eased, scratch, "leaving")
        coming = self._moved(self._last, self._backward, 1.0 - eased, scratch, "coming")
        # Bright parts of the last picture come a little earlier: it reads as light that moves.
        ahead = _brightness(coming) * np.float32(0.35 * math.sin(math.pi * eased))
        weight = np.clip(ahead + np.float32(1.5 * eased - 0.25), 0, 1)
        weight *= weight * (np.float32(3) - np.float32(2) * weight)
        frame[...] = cv2.blendLinear(coming, leaving, weight, 1 - weight)
        return frame

    def _moved(self, picture: Bytes8, flow: Floats, share: float, scratch: Scratch, name: str) -> Bytes8:
        shape = picture.shape[:2]
        map_x = scratch.array("map_x", shape, np.float32)
        map_y = scratch.array("map_y", shape, np.float32)
        np.subtract(self._column, flow[..., 0] * np.float32(share), out=map_x)
        np.subtract(self._row, flow[..., 1] * np.float32(share), out=map_y)
        target: Bytes8 = scratch.array(name, picture.shape)
        cv2.remap(picture, map_x, map_y, cv2.INTER_LINEAR, dst=target, borderMode=cv2.BORDER_REFLECT_101)
        return target


def _brightness(picture: Bytes8) -> Floats:
    """Return how bright the picture is around each pixel, -0.5..0.5."""
    height, width = picture.shape[:2]
    scale = _ANALYSIS_SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    grey = cv2.cvtColor(imaging.resize(picture, *size, imaging.AREA), cv2.COLOR_RGB2GRAY)
    soft = imaging.gaussian(grey.astype(np.float32) * np.float32(1 / 255), size[0] / 40)
    return imaging.resize(soft - np.float32(0.5), width, height)


def guess_depth(picture: Bytes8) -> tuple[Floats, Floats]:
    """Guess nearness (0 far, 1 near) and sky (0..1) of a picture, both at its size.

    The cues: what is lower is nearer, what is smooth and touches the upper edge is sky, fine texture
    and the middle of the picture are nearer. A guided filter then makes the guess follow edges.
    """
    height, width = picture.shape[:2]
    scale = _ANALYSIS_SIDE / max(height, width)
    small = imaging.resize(picture, max(1, round(width * scale)), max(1, round(height * scale)), imaging.AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) * np.float32(1 / 255)
    rows = np.linspace(0, 1, grey.shape[0], dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, grey.shape[1], dtype=np.float32)[None, :]
    texture = imaging.gaussian(np.abs(cv2.Laplacian(grey, cv2.CV_32F)), 6)
    texture = np.clip(texture / (np.percentile(texture, 95) + 1e-4), 0, 1).astype(np.float32)
    sky = _sky(texture, rows)
    middle = np.exp(-((columns / 0.55) ** 2) - ((rows - 0.62) / 0.38) ** 2)
    guess = (0.62 * rows**1.4 + 0.20 * texture + 0.28 * middle * (1 - sky)) * (1 - 0.85 * sky)
    guess = _guided(grey, _guided(grey, guess.astype(np.float32), 41, 2e-3), 15, 1e-3)
    low, high = float(guess.min()), float(guess.max())
    near = (guess - np.float32(low)) * np.float32(1 / (high - low + 1e-6))
    return imaging.resize(near, width, height), imaging.resize(sky, width, height)


def _sky(texture: Floats, rows: Floats) -> Floats:
    smooth = (texture < 0.16).astype(np.uint8)
    _, labels = cv2.connectedComponents(smooth)
    at_top = np.unique(labels[:3])
    sky = np.isin(labels, at_top[at_top > 0]) & (rows < 0.8)
    return imaging.gaussian(sky.astype(np.float32), 3)


def _away_from_edges(sky: Floats) -> Floats:
    """Return the part of the sky well clear of its edge, so that a drifting sky bends no skyline."""
    scale = _ANALYSIS_SIDE / max(sky.shape)
    size = (max(1, round(sky.shape[1] * scale)), max(1, round(sky.shape[0] * scale)))
    small = np.pad(imaging.resize(sky, *size), ((16, 0), (16, 16)), mode="edge")
    core = imaging.gaussian(cv2.erode(small, np.ones((31, 31), np.uint8)).astype(np.float32), 5)
    return imaging.resize(np.ascontiguousarray(core[16:, 16:-16]), sky.shape[1], sky.shape[0])


def _guided(guide: Floats, values: Floats, radius: int, epsilon: float) -> Floats:
    """Smooth `values` within the edges of `guide` (guided filter, He, Sun and Tang 2010)."""

    def mean(array: Floats) -> Floats:
        return cv2.blur(array, (radius, radius)).astype(np.float32, copy=False)

    mean_guide, mean_values = mean(guide), mean(values)
    slope = (mean(guide * values) - mean_guide * mean_values) / (
        mean(guide * guide) - mean_guide * mean_guide + np.float32(epsilon)
    )
    smoothed: Floats = mean(slope) * guide + mean(mean_values - slope * mean_guide)
    return smoothed


def _flow_picture(picture: Bytes8, scale: float) -> Bytes8:
    """Return a small grey picture of even contrast, in which flow is sought."""
    height, width = picture.shape[:2]
    size = (max(16, round(width * scale)), max(16, round(height * scale)))
    grey = cv2.cvtColor(imaging.resize(picture, *size, imaging.AREA), cv2.COLOR_RGB2GRAY)
    even = cv2.createCLAHE(2.0, (8, 8)).apply(grey).astype(np.uint8, copy=False)
    return imaging.gaussian(even, 1.5)


def _flow(source: Bytes8, target: Bytes8, width: int, height: int) -> Floats:
    """Return the optical flow between two small pictures in pixels of the full size."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    found = search.calc(source, target, np.zeros((*source.shape, 2), np.float32)).astype(np.float32)
    longest = 0.10 * source.shape[1]
    scale = np.array([width / source.shape[1], height / source.shape[0]], np.float32)
    soft = imaging.gaussian(np.clip(found, -longest, longest), 9) * scale
    return imaging.resize(soft, width, height, imaging.CUBIC)


def _since_start(angle: Floats, change: float) -> Floats:
    """Return half of how far a wave has moved since time zero, where it has not."""
    moved: Floats = np.float32(0.5) * (np.sin(angle + np.float32(change)) - np.sin(angle))
    return moved


def _reach(pose: Pose) -> float:
    return max(abs(value) for value in (pose.x, pose.y, pose.zoom, pose.pan, pose.tilt))


def _smooth(share: float) -> float:
    t = min(max(share, 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)
