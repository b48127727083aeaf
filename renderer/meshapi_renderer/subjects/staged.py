"""A scene with its subject in it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, Protocol, cast, runtime_checkable

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.camera import Camera
from meshapi_renderer.plan import ScenePlan, Subject
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing
from meshapi_renderer.subjects.light import measure
from meshapi_renderer.subjects.pier import Pier
from meshapi_renderer.subjects.role import Actor, Lens, Role
from meshapi_renderer.subjects.stage import Level, Medium, Stage, medium_of, stage_of

_MAKERS: Final[Mapping[Subject, tuple[str, str]]] = {
    "sailboat": ("sailboat", "Sailboats"),
    "birds": ("birds", "Birds"),
    "balloon": ("balloon", "Balloons"),
    "rocket": ("rocket", "Rocket"),
    "train": ("train", "Train"),
    "car": ("car", "Car"),
    "cat": ("cat", "Cats"),
    "dog": ("dog", "Dogs"),
    "fish": ("fish", "School"),
    "butterfly": ("butterfly", "Butterflies"),
    "person": ("person", "Walkers"),
    "campfire": ("campfire", "Campfire"),
}
"""Subject to the module and class that act it; imported when first asked for."""

_PIER_ROW = 0.93


@runtime_checkable
class HasForeground(Protocol):
    """A scene with something before its subject, such as the near bank of a lake."""

    def draw_foreground(self, frame: Bytes8, index: int) -> None:
        """Draw what stands before the subject in frame ``index``."""
        ...


class StagedScene:
    """A scene and, in front of it, the subject of its plan."""

    def __init__(self, scene: Scene, plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> None:
        """``plan.subject`` must have a place in the plan's setting; see `stage.medium_of`."""
        if plan.subject is None:
            raise ValueError("subject: the plan has none")
        stage = stage_of(plan.setting, plan.viewpoint)
        medium = medium_of(plan.subject, plan.setting, plan.viewpoint)
        if stage is None or medium is None:
            raise ValueError(f"subject: {plan.subject} has no place in {plan.setting} ({plan.viewpoint})")
        self._scene, self._timing = scene, timing
        self._camera = Camera(plan.camera, plan.speed, timing, canvas, horizon=stage.horizon)
        self._canvas, self._horizon = canvas, stage.horizon
        self._before = medium in ("water", "ground")
        level = _dried(_level(stage, medium), plan)
        picture = scene.frame(0, Scratch())
        light = measure(picture, plan, stage.horizon, (0.5, level.row))
        role = Role(
            plan=plan,
            canvas=canvas,
            timing=timing,
            light=light,
            stage=stage,
            level=level,
            medium=medium,
            rng=rng,
        )
        self._actors: list[Actor] = [Pier(role)] if medium == "pier" else []
        self._actors.append(_maker(plan.subject)(role))

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """The scene's frame with the subject drawn into it."""
        frame = self._scene.frame(index, scratch)
        lens = Lens(self._camera, self._camera.pose(index), self._canvas, self._horizon)
        for actor in self._actors:
            actor.draw(frame, lens, self._timing.seconds(index), scratch)
        if self._before and isinstance(self._scene, HasForeground):
            self._scene.draw_foreground(frame, index)
        return frame


def _level(stage: Stage, medium: Medium) -> Level:
    """Where a medium's things are on a stage."""
    if medium == "ground" and stage.ground is not None:
        return stage.ground
    if medium == "water" and stage.water is not None:
        return stage.water
    if medium == "pier":
        return Level(_PIER_ROW, 1.0, "none")
    top, bottom = stage.air or (0.2, 0.8)
    return Level((top + bottom) / 2, 1.0, "none")


def _dried(level: Level, plan: ScenePlan) -> Level:
    """A street mirrors when it is wet or dark; by day and dry it takes shadows."""
    dry = plan.weather in ("clear", "cloudy") and plan.time in ("sunrise", "golden", "noon", "sunset")
    if plan.setting == "street" and dry:
        return replace(level, surface="matt")
    return level


def _maker(subject: Subject) -> Callable[[Role], Actor]:
    module, name = _MAKERS[subject]
    found = getattr(importlib.import_module(f"meshapi_renderer.subjects.{module}"), name)
    return cast(Callable[[Role], Actor], found)
