"""``meshapi generate``: from a prompt to a file."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import connection, output
from . import prompt as prompts
from .failure import reported, warn
from .following import follow

if TYPE_CHECKING:
    from meshapi import MeshAPI, VideoTaskResponse

DEFAULT_MAX_WAIT = 1800.0

Output = Annotated[Path | None, typer.Option("-o", "--output", help="Write the video to this file.")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
MaxWait = Annotated[
    float, typer.Option("--timeout", min=0, help="Seconds to wait at most; the task goes on.")
]


def generate(
    prompt: prompts.Prompt,
    to: Output = None,
    model: prompts.ModelId = prompts.DEFAULT_MODEL,
    duration: prompts.Duration = None,
    resolution: prompts.Resolution = None,
    ratio: prompts.Ratio = None,
    seed: prompts.Seed = None,
    image: prompts.Images = None,
    audio: prompts.Audio = None,
    camera_fixed: prompts.CameraFixed = None,
    max_cost: Annotated[
        str | None, typer.Option(metavar="USD", help="Refuse to make a video that costs more.")
    ] = None,
    as_json: AsJSON = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Print the task's id and leave.")] = False,
    max_wait: MaxWait = DEFAULT_MAX_WAIT,
) -> None:
    """Generate a video and wait for it. Ctrl-C leaves the task running and says how to go on."""
    output.checked_output(to)
    if no_wait and to is not None:
        raise typer.BadParameter("there is nothing to write yet with --no-wait", param_hint="--output")
    fields = prompts.fields(
        prompt,
        model=model,
        duration=duration,
        resolution=resolution,
        ratio=ratio,
        seed=seed,
        image=image,
        audio=audio,
        camera_fixed=camera_fixed,
    )
    fields["max_cost_usd"] = max_cost
    lost = "Interrupted. The task may have been created; see: meshapi list"
    with reported(interrupted=lost), connection.client() as client:
        task = client.videos.generate(fields)
        if task.unsupported_params:
            warn(f"{model} has no {', '.join(task.unsupported_params)}; the video is made without")
        if no_wait:
            _leave(task, as_json)
            return
        typer.echo(f"Task {task.id}", err=True)
        finish(client, task.id, to, as_json=as_json, max_wait=max_wait)


def finish(client: MeshAPI, task_id: str, to: Path | None, *, as_json: bool, max_wait: float) -> None:
    """Wait for a task, store its video, print the outcome; a failed task ends with exit status 3."""
    from meshapi import TaskFailedError

    with reported(resume=resume_command(task_id, to)):
        task = follow(client, task_id, max_wait)
        if task.status != "succeeded":
            if as_json:
                output.document(task)
            raise TaskFailedError(task)
        result = None if to is None else client.videos.download(task, to)
    if as_json:
        output.document(task, **({} if to is None else {"output": str(to)}))
    elif result is not None:
        output.saved(result)
    else:
        typer.echo(task.video_url or "")


def resume_command(task_id: str, to: Path | None) -> str:
    """The command that waits for a task again."""
    return shlex.join(["meshapi", "wait", task_id, *(["-o", str(to)] if to is not None else [])])


def _leave(task: VideoTaskResponse, as_json: bool) -> None:
    if as_json:
        output.document(task)
    else:
        typer.echo(task.id)
        typer.echo(f"Wait for it with: {resume_command(task.id, None)} -o video.mp4", err=True)
