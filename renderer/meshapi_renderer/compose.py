"""From a job to a scene: the prompt is read, the inputs are checked and sized, the scene is built."""

from __future__ import annotations

from dataclasses import dataclass, replace

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.grade import SAMPLE_SIDE, GradedScene
from meshapi_renderer.i2v import Morph, Parallax
from meshapi_renderer.job import InvalidInput, Job
from meshapi_renderer.pictures import inspect_picture, load_picture
from meshapi_renderer.plan import RENDERER_VERSION, ScenePlan
from meshapi_renderer.reading import read_prompt
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Timing, build
from meshapi_renderer.sizes import FixedRatio, Resolution, fixed_ratio, frame_size
from meshapi_renderer.subjects.staged import StagedScene

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

    return Composition(
        plan=plan_for(job),
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
        ),
    )


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
            understood=(*plan.understood, "reference images: their colours"),
            left_out=(*plan.left_out, "reference images: what they show"),
        )
    return plan


def _plan_for_picture(plan: ScenePlan, *, morph: bool) -> ScenePlan:
    """Return the plan of a video made from pictures: place and subject are theirs, not the prompt's."""
    of_scene: tuple[str, ...] = (
        "setting:",
        "subject:",
        "place:",
        "time:",
        "season:",
        "colour:",
        "also time:",
    )
    if morph:
        of_scene = (*of_scene, "weather:", "camera:", "also camera:")
    left_out = [note for note in plan.left_out if not note.startswith(of_scene)]
    subject = next((note for note in plan.understood if note.startswith("subject:")), None)
    if subject is not None:
        left_out.append(f"what {subject.removeprefix('subject: ')} does: the picture moves as a whole")
    if not morph and plan.weather == "fog":
        left_out.append("weather: fog")
    shown = "first and last frame: one turns into the other" if morph else "first frame: set in motion"
    return replace(
        plan,
        subject=None,
        confidence=max(plan.confidence, _PICTURE_CONFIDENCE),
        understood=(shown, *(note for note in plan.understood if not note.startswith(of_scene))),
        left_out=tuple(left_out),
    )


def build_scene(composition: Composition) -> Scene:
    """Bake the scene of a composition. Takes seconds for scenes, less for pictures."""
    plan, canvas, timing = composition.plan, composition.canvas, composition.timing
    if composition.first is not None and composition.last is not None:
        return Morph(composition.first, composition.last, timing)
    if composition.first is not None:
        return Parallax(composition.first, plan, canvas, timing, composition.random("picture"))
    scene = build(plan, canvas, timing, composition.random("scene"))
    if plan.subject is not None:
        scene = StagedScene(scene, plan, canvas, timing, composition.random(plan.subject))
    if composition.references:
        return GradedScene(scene, timing.frames // 2, composition.references)
    return scene
