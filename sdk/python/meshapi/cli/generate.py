"""``meshapi generate``: from a prompt to a file."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import connection, images, output
from .failure import reported, warn
from .following import follow

if TYPE_CHECKING:
    from meshapi import MeshAPI, VideoTaskResponse

DEFAULT_MODEL = "mesh/diorama-1"
DEFAULT_MAX_WAIT = 1800.0

Output = Annotated[Path | None, typer.Option("-o", "--output", help="Write the video to this file.")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
MaxWait = Annotated[
    float, typer.Option("--timeout", min=0, help="Seconds to wait at most; the task goes on.")
]


def generate(
    prompt: Annotated[str, typer.Argument(help="What to show; - reads it from standard input.")],
    to: Output = None,
    model: Annotated[str, typer.Option(help="Model id, see `meshapi models`.")] = DEFAULT_MODEL,
    duration: Annotated[int | None, typer.Option(help="Seconds; -1 lets the model decide.")] = None,
    resolution: Annotated[str | None, typer.Option(help="480p, 720p, 1080p or 4k.")] = None,
    ratio: Annotated[str | None, typer.Option(help="16:9, 4:3, 1:1, 3:4, 9:16, 21:9 or adaptive.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same video.")] = None,
    image: Annotated[
        list[str] | None,
        typer.Option(help="File or URL: one is the first frame, two first and last, more are references."),
    ] = None,
    audio: Annotated[bool | None, typer.Option("--audio/--no-audio", help="With or without sound.")] = None,
    camera_fixed: Annotated[
        bool | None, typer.Option("--camera-fixed", help="Keep the camera still.")
    ] = None,
    as_json: AsJSON = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Print the task's id and leave.")] = False,
    max_wait: MaxWait = DEFAULT_MAX_WAIT,
) -> None:
    """Generate a video and wait for it. Ctrl-C leaves the task running and says how to go on."""
    output.checked_output(to)
    if no_wait and to is not None:
        raise typer.BadParameter("there is nothing to write yet with --no-wait", param_hint="--output")
    text = sys.stdin.read().strip() if prompt == "-" else prompt
    fields: dict[str, Any] = {
        "model": model,
        "content": [{"type": "text", "text": text}, *images.items(image or [])],
        "duration": duration,
        "resolution": resolution,
        "ratio": ratio,
        "seed": seed,
        "generate_audio": audio,
        "camera_fixed": camera_fixed,
    }
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
