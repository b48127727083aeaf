"""A scene with its subject in it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, Protocol, cast, runtime_checkable

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.camera import Camera
from meshapi_renderer.cutout import Cutout
from meshapi_renderer.plan import ScenePlan, Subject
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Scratch, Timing
from meshapi_renderer.subjects.light import measure
from meshapi_renderer.subjects.pasteboard import Pasteboard
from meshapi_renderer.subjects.pier import Pier
from meshapi_renderer.subjects.role import Actor, Lens, Role
from meshapi_renderer.subjects.stage import Level, Medium, Stage, medium_of, medium_of_thing, stage_of

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
_REFERENCE = "reference image"
_RESTING: Final = frozenset({"cat", "campfire", _REFERENCE})
"""What stays where it is, and may stand on a podium."""


@runtime_checkable
class HasForeground(Protocol):
    """A scene with something before what is on its water, such as the near bank of a lake."""

    def draw_foreground(self, frame: Bytes8, index: int) -> None:
        """Draw what stands before the water in frame ``index``."""
        ...


class StagedScene:
    """A scene and, in front of it, the subject of its plan."""

    def __init__(
        self,
        scene: Scene,
        plan: ScenePlan,
        canvas: Canvas,
        timing: Timing,
        rng: Rng,
        thing: Cutout | None = None,
    ) -> None:
        """The plan's subject, ``thing`` or both must have a place in the plan's setting (`stage.medium_of`).

        Raises:
            ValueError: there is nothing to draw, or no place for it.
        """
        stage = stage_of(plan.setting, plan.viewpoint)
        if plan.subject is None and thing is None:
            raise ValueError("subject: the plan has none")
        self._scene, self._timing, self._canvas = scene, timing, canvas
        picture = scene.frame(0, Scratch())
        self._horizon = stage.horizon if stage else 0.5
        self._camera = Camera(plan.camera, plan.speed, timing, canvas, horizon=self._horizon)
        self._actors: list[Actor] = []
        self._before = False
        if plan.subject is not None:
            medium = medium_of(plan.subject, plan.setting, plan.viewpoint)
            role = self._role(plan, picture, stage, medium, rng, plan.subject)
            if medium == "pier":
                self._actors.append(Pier(role))
            self._actors.append(_maker(plan.subject)(role))
        if thing is not None:
            medium = medium_of_thing(plan.setting, plan.viewpoint)
            role = self._role(plan, picture, stage, medium, rng.sub("thing"), _REFERENCE)
            self._actors.append(Pasteboard(role, thing))

    def _role(
        self,
        plan: ScenePlan,
        picture: Bytes8,
        stage: Stage | None,
        medium: Medium | None,
        rng: Rng,
        name: str,
    ) -> Role:
        if stage is None or medium is None:
            raise ValueError(f"subject: {name} has no place in {plan.setting} ({plan.viewpoint})")
        self._before = self._before or medium == "water"
        level = _dried(_level(stage, medium, rests=name in _RESTING), plan)
        return Role(
            plan=plan,
            canvas=self._canvas,
            timing=self._timing,
            light=measure(picture, plan, stage.horizon, (0.5, level.row)),
            stage=stage,
            level=level,
            medium=medium,
            rng=rng,
        )

    def frame(self, index: int, scratch: Scratch) -> Bytes8:
        """The scene's frame with the subject drawn into it."""
        frame = self._scene.frame(index, scratch)
        lens = Lens(self._camera, self._camera.pose(index), self._canvas, self._horizon)
        for actor in self._actors:
            actor.draw(frame, lens, self._timing.seconds(index), scratch)
        if self._before and isinstance(self._scene, HasForeground):
            self._scene.draw_foreground(frame, index)
        return frame


def _level(stage: Stage, medium: Medium, *, rests: bool) -> Level:
    """Where a medium's things are on a stage."""
    if medium == "ground" and rests and stage.podium is not None:
        return stage.podium
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
