"""What a scene is: built once from a plan, then a pure function from frame number to picture."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.plan import ScenePlan, Setting
from meshapi_renderer.rng import Rng

_REFERENCE_LONG_SIDE = 1280


@dataclass(frozen=True, slots=True)
class Canvas:
    """The size of a frame in pixels."""

    width: int
    height: int

    @property
    def short(self) -> int:
        """The shorter side."""
        return min(self.width, self.height)

    @property
    def long(self) -> int:
        """The longer side."""
        return max(self.width, self.height)

    @property
    def scale(self) -> float:
        """Pixels per reference pixel, the reference being 1280 on the long side."""
        return self.long / _REFERENCE_LONG_SIDE


@dataclass(frozen=True, slots=True)
class Timing:
    """The clock of a clip; the last frame completes every motion."""

    fps: int
    frames: int

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the last."""
        return (self.frames - 1) / self.fps

    def seconds(self, index: int) -> float:
        """Time of frame ``index``."""
        return index / self.fps

    def progress(self, index: int) -> float:
        """0 at the first frame, 1 at the last; 0 for a clip of one frame."""
        return index / (self.frames - 1) if self.frames > 1 else 0.0


class Scratch:
    """Buffers one thread reuses from frame to frame. Contents are undefined: write before reading."""

    __slots__ = ("_arrays",)

    def __init__(self) -> None:
        self._arrays: dict[str, NDArray[Any]] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: DTypeLike = np.uint8) -> NDArray[Any]:
        """The buffer called ``name``, made anew when its shape or type changed."""
        held = self._arrays.get(name)
        if held is None or held.shape != shape or held.dtype != np.dtype(dtype):
            held = np.empty(shape, dtype)
            self._arrays[name] = held
        return held


class Scene(Protocol):
    """A built picture that moves."""

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """Frame ``index`` as RGB bytes, shape (height, width, 3).

        Pure: the same index gives the same bytes in any order and on any thread. The array may belong to
        ``scratch``: copy it before asking for the next frame.
        """
        ...


Builder: TypeAlias = Callable[[ScenePlan, Canvas, Timing, Rng], Scene]

SCENES: dict[Setting, str] = {
    "lake": "meshapi_renderer.scenes.lake",
    "city": "meshapi_renderer.scenes.city",
    "beach": "meshapi_renderer.scenes.beach",
    "forest": "meshapi_renderer.scenes.forest",
    "dunes": "meshapi_renderer.scenes.dunes",
    "neon": "meshapi_renderer.scenes.neon",
    "aurora": "meshapi_renderer.scenes.aurora",
    "ocean": "meshapi_renderer.scenes.ocean",
    "sky": "meshapi_renderer.scenes.sky",
    "space": "meshapi_renderer.scenes.space",
    "underwater": "meshapi_renderer.scenes.underwater",
    "fire": "meshapi_renderer.scenes.fire",
    "street": "meshapi_renderer.scenes.street",
    "meadow": "meshapi_renderer.scenes.meadow",
    "studio": "meshapi_renderer.scenes.studio",
    "waterfall": "meshapi_renderer.scenes.waterfall",
}
"""Setting to module; a module is imported when its setting is first asked for."""


def builder(setting: Setting) -> Builder:
    """The ``build`` of the module that draws ``setting``; ValueError when there is none."""
    if setting not in SCENES:
        raise ValueError(f"setting: {setting!r} is unknown; accepted: {', '.join(sorted(SCENES))}")
    return cast(Builder, importlib.import_module(SCENES[setting]).build)


def build(plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> Scene:
    """The scene of ``plan``, baked for this canvas and clock."""
    return builder(plan.setting)(plan, canvas, timing, rng)
