"""Where subjects go in each setting: ground to stand on, water to float on, air to cross."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from meshapi_renderer.plan import Setting, Subject, Viewpoint

Medium = Literal["ground", "water", "air", "deep", "space", "pier"]
Surface = Literal["matt", "grass", "gloss", "water", "sea", "none"]


@dataclass(frozen=True, slots=True)
class Level:
    """A place to stand or float: a row of the frame (share of its height) and how large things are there."""

    row: float
    size: float
    surface: Surface


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What one setting offers."""

    horizon: float
    ground: Level | None = None
    podium: Level | None = None
    """Another place for what rests, such as a raised one."""
    water: Level | None = None
    middle: float = 0.5
    """Column, as a share of the width, around which things stand or float."""
    air: tuple[float, float] | None = None
    """Rows between which things fly."""
    deep: bool = False
    """Whether the whole picture is under water."""
    space: bool = False
    """Whether there is no air and no ground."""


STAGES: Final[Mapping[Setting, Stage]] = {
    "lake": Stage(horizon=0.56, water=Level(0.685, 0.8, "water"), air=(0.10, 0.40)),
    "city": Stage(horizon=0.60, water=Level(0.74, 0.8, "water"), air=(0.08, 0.34)),
    "forest": Stage(horizon=0.62, ground=Level(0.885, 0.9, "matt"), air=(0.08, 0.5)),
    "dunes": Stage(horizon=0.54, ground=Level(0.82, 1.0, "matt"), air=(0.08, 0.36)),
    "neon": Stage(horizon=0.66, ground=Level(0.88, 1.15, "gloss"), air=(0.12, 0.5)),
    "aurora": Stage(horizon=0.67, ground=Level(0.90, 0.85, "matt"), air=(0.10, 0.46), middle=0.40),
    "ocean": Stage(horizon=0.50, water=Level(0.655, 0.9, "sea"), air=(0.08, 0.34)),
    "sky": Stage(horizon=0.50, air=(0.12, 0.52)),
    "space": Stage(horizon=0.50, space=True),
    "underwater": Stage(horizon=0.56, deep=True),
    "street": Stage(horizon=0.54, ground=Level(0.83, 0.95, "gloss"), air=(0.06, 0.30)),
    "meadow": Stage(horizon=0.50, ground=Level(0.76, 0.88, "grass"), air=(0.08, 0.36)),
    "beach": Stage(
        horizon=0.50, ground=Level(0.965, 0.95, "matt"), water=Level(0.60, 0.8, "sea"), air=(0.08, 0.36)
    ),
    "waterfall": Stage(horizon=0.60, water=Level(0.83, 0.45, "water"), air=(0.10, 0.42)),
    "studio": Stage(
        horizon=0.62,
        ground=Level(0.955, 1.15, "gloss"),
        podium=Level(0.765, 1.15, "matt"),
        air=(0.12, 0.50),
    ),
    "fire": Stage(
        horizon=0.56, ground=Level(0.985, 1.0, "matt"), podium=Level(0.91, 0.95, "matt"), middle=0.20
    ),
}
"""Stages of the settings; see `stage_of`."""

_SEEN_FROM_ABOVE: Final = frozenset({"beach", "ocean", "lake", "dunes"})
"""Settings whose aerial view looks down: no place for subjects, which are drawn from the side."""

_MEDIA: Final[Mapping[Subject, tuple[Medium, ...]]] = {
    "sailboat": ("water",),
    "birds": ("air",),
    "balloon": ("air",),
    "rocket": ("space", "air"),
    "train": ("water", "ground"),
    "car": ("ground", "pier"),
    "cat": ("ground", "pier"),
    "dog": ("ground", "pier"),
    "fish": ("deep",),
    "butterfly": ("air",),
    "person": ("ground", "pier"),
    "campfire": ("ground",),
}
"""What each subject moves in or stands on, best first."""


def stage_of(setting: Setting, viewpoint: Viewpoint) -> Stage | None:
    """The stage of a setting, or None where nothing can be put into it."""
    if viewpoint == "aerial" and setting in _SEEN_FROM_ABOVE:
        return None
    return STAGES.get(setting)


def medium_of(subject: Subject, setting: Setting, viewpoint: Viewpoint) -> Medium | None:
    """What a subject stands on or moves in; None when it has no place in the setting."""
    stage = stage_of(setting, viewpoint)
    if stage is None:
        return None
    offered: dict[Medium, bool] = {
        "ground": stage.ground is not None,
        "water": stage.water is not None,
        "air": stage.air is not None,
        "deep": stage.deep,
        "space": stage.space,
        "pier": stage.water is not None and stage.ground is None,
    }
    return next((medium for medium in _MEDIA[subject] if offered[medium]), None)


def medium_of_thing(setting: Setting, viewpoint: Viewpoint) -> Medium | None:
    """What anything at all stands on or hovers in, for things that are only known as a picture."""
    stage = stage_of(setting, viewpoint)
    if stage is None:
        return None
    if stage.ground is not None:
        return "ground"
    if stage.water is not None:
        return "water"
    return "deep" if stage.deep else "space" if stage.space else "air"


def has_place(subject: Subject, setting: Setting, viewpoint: Viewpoint) -> bool:
    """Whether a subject can be drawn into a setting seen from there."""
    return medium_of(subject, setting, viewpoint) is not None
