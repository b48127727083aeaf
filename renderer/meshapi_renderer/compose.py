"""From a job to a scene: the prompt is read, the inputs are checked and sized, the scene is built."""

from __future__ import annotations

from dataclasses import dataclass, replace

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.cutout import Cutout, cut_out
from meshapi_renderer.grade import SAMPLE_SIDE, GradedScene
from meshapi_renderer.i2v import Morph, Parallax
from meshapi_renderer.job import InvalidInput, Job
from meshapi_renderer.pictures import inspect_picture, load_picture
from meshapi_renderer.plan import RENDERER_VERSION, ScenePlan
from meshapi_renderer.reading import read_prompt
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Timing, build
from meshapi_renderer.sizes import FixedRatio, Resolution, fixed_ratio, frame_size
from meshapi_renderer.subjects.stage import medium_of_thing
from meshapi_renderer.subjects.staged import StagedScene

_COLOURS_NOTE = "reference images: their colours"
_CONTENT_NOTE = "reference images: what they show"
_PICTURE_CONFIDENCE = 0.5
"""Least confidence of a video made from a picture: it shows the picture, whatever the prompt says."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Composition:
    """A checked job: what will be drawn, how large and how long, from which pictures."""

    plan: ScenePlan
    canvas: Canvas
    timing: Timing
    resolution: Resolution
    ratio: FixedRatio
    seed: int
    first: Bytes8 | None
    last: Bytes8 | None
    references: tuple[Bytes8, ...]
    """Pictures whose colours the scene takes on."""
    thing: Cutout | None = None
    """What a reference picture shows, cut out, to be put into the scene."""

    def random(self, name: str) -> Rng:
        """Return the named stream of this job.

        The key is the renderer version, the setting and the seed, not the whole plan: the same seed
        shows the same place at another hour, in other weather and at another size.
        """
        return Rng(RENDERER_VERSION, self.plan.setting, self.seed, name)


def compose(job: Job) -> Composition:
    """Read the prompt and the input pictures of a job.

    Raises:
        InvalidInput: an input picture cannot be used.
    """
    if job.reference_images and job.first_frame is not None:
        raise InvalidInput("reference_images", "cannot be combined with first_frame; give one or the other")
    size = None
    if job.first_frame is not None:
        info = inspect_picture(job.first_frame, "first_frame")
        size = (info.width, info.height)
    resolution = job.rendered_resolution
    ratio = fixed_ratio(job.ratio, size)
    width, height = frame_size(resolution, ratio)

    def picture(path: str | None, field: str) -> Bytes8 | None:
        return None if path is None else load_picture(path, field, width, height)

    plan = plan_for(job)
    thing, thing_index = _thing(job, plan)
    return Composition(
        plan=plan if thing is None else _plan_with_thing(plan, thing_index, len(job.reference_images)),
        canvas=Canvas(width, height),
        timing=Timing(job.fps, job.frames),
        resolution=resolution,
        ratio=ratio,
        seed=job.seed,
        first=picture(job.first_frame, "first_frame"),
        last=picture(job.last_frame, "last_frame"),
        references=tuple(
            load_picture(path, f"reference_images[{index}]", SAMPLE_SIDE, SAMPLE_SIDE)
            for index, path in enumerate(job.reference_images)
            if index != thing_index
        ),
        thing=thing,
    )


def _thing(job: Job, plan: ScenePlan) -> tuple[Cutout | None, int]:
    """The first thing among the reference pictures that stands free, and which picture it is (-1: none)."""
    if medium_of_thing(plan.setting, plan.viewpoint) is None:
        return None, -1
    for index, path in enumerate(job.reference_images):
        found = cut_out(path, f"reference_images[{index}]")
        if found is not None:
            return found, index
    return None, -1


def _plan_with_thing(plan: ScenePlan, index: int, count: int) -> ScenePlan:
    """The plan of a job one of whose reference pictures gives a thing to the scene."""
    understood = [note for note in plan.understood if note != _COLOURS_NOTE]
    understood.append(f"reference image {index + 1}: the thing it shows, cut out")
    left_out = [note for note in plan.left_out if note != _CONTENT_NOTE]
    if count > 1:
        understood.append(_COLOURS_NOTE)
        left_out.append("reference images: what the others show")
    return replace(plan, reference_thing=True, understood=tuple(understood), left_out=tuple(left_out))


def plan_for(job: Job) -> ScenePlan:
    """Return the plan of a job: its prompt as read, bent by its other parameters. Reads no file."""
    plan = read_prompt(job.prompt)
    if job.camera_fixed:
        understood = tuple(note for note in plan.understood if not note.startswith("camera:"))
        plan = replace(plan, camera="fixed", understood=(*understood, "camera: fixed (asked for)"))
    if job.first_frame is not None:
        plan = _plan_for_picture(plan, morph=job.last_frame is not None)
    if job.reference_images:
        plan = replace(
            plan,
            understood=(*plan.understood, _COLOURS_NOTE),
            left_out=(*plan.left_out, _CONTENT_NOTE),
        )
    return plan


def _plan_for_picture(plan: ScenePlan, *, morph: bool) -> ScenePlan:
    """Return the plan of a video made from pictures: place and subject are theirs, not the prompt's."""
    of_scene: tuple[str, ...] = (
        "setting:",
        "subject:",
        "place:",
        "season:",
        "colour:",
    )
    if morph:
        of_scene = (*of_scene, "time:", "also time:", "weather:", "camera:", "also camera:")
    left_out = [note for note in plan.left_out if not note.startswith(of_scene)]
    subject = _subject_named(plan)
    if subject is not None:
        left_out.append(f"what {subject} does: the picture moves as a whole")
    shown = "first and last frame: one turns into the other" if morph else "first frame: set in motion"
    return replace(
        plan,
        subject=None,
        confidence=max(plan.confidence, _PICTURE_CONFIDENCE),
        understood=(shown, *(note for note in plan.understood if not note.startswith(of_scene))),
        left_out=tuple(left_out),
    )


def _subject_named(plan: ScenePlan) -> str | None:
    """The first subject the prompt names, be it drawn in a scene or not."""
    notes = [
        note.removeprefix("subject: ")
        for note in (*plan.understood, *plan.left_out)
        if note.startswith("subject: ")
    ]
    return notes[0].split(" (")[0] if notes else None


def build_scene(composition: Composition) -> Scene:
    """Bake the scene of a composition. Takes seconds for scenes, less for pictures."""
    plan, canvas, timing = composition.plan, composition.canvas, composition.timing
    if composition.first is not None and composition.last is not None:
        return Morph(composition.first, composition.last, timing)
    if composition.first is not None:
        light = plan.time if any(note.startswith("time:") for note in plan.understood) else None
        return Parallax(composition.first, plan, canvas, timing, composition.random("picture"), light)
    scene = build(plan, canvas, timing, composition.random("scene"))
    if plan.subject is not None or composition.thing is not None:
        rng = composition.random(plan.subject or "thing")
        scene = StagedScene(scene, plan, canvas, timing, rng, composition.thing)
    if composition.references:
        return GradedScene(scene, timing.frames // 2, composition.references)
    return scene
