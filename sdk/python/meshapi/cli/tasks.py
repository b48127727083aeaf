"""Commands on tasks that are there: ``get``, ``list``, ``wait``, ``cancel``, ``delete``, ``download``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from . import connection, output
from .failure import reported
from .generate import DEFAULT_MAX_WAIT, AsJSON, MaxWait, Output, finish

TaskId = Annotated[str, typer.Argument(metavar="ID", help="The task's id.")]


def get(task_id: TaskId, as_json: AsJSON = False) -> None:
    """Show a task."""
    with reported(), connection.client() as client:
        task = client.videos.retrieve(task_id)
    if as_json:
        output.document(task)
    else:
        output.task(task)


def list_(
    status: Annotated[
        list[str] | None, typer.Option(help="pending, running, succeeded or failed; may repeat.")
    ] = None,
    model: Annotated[list[str] | None, typer.Option(help="Model id; may repeat.")] = None,
    created_after: Annotated[str | None, typer.Option(help="ISO 8601, inclusive.")] = None,
    created_before: Annotated[str | None, typer.Option(help="ISO 8601, exclusive.")] = None,
    metadata: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="May repeat.")] = None,
    after: Annotated[str | None, typer.Option(metavar="ID", help="Begin behind this task.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many.")] = 20,
    as_json: AsJSON = False,
) -> None:
    """List tasks, newest first."""
    wanted: dict[str, Any] = {
        "limit": limit,
        "after": after,
        "status": status or None,
        "model": model or None,
        "created_after": created_after,
        "created_before": created_before,
        "metadata": dict(_pair(each) for each in metadata) if metadata else None,
    }
    with reported(), connection.client() as client:
        page = client.videos.list(wanted)
    if as_json:
        output.document(page)
        return
    output.tasks(page.data)
    if page.has_more and page.data:
        typer.echo(f"{page.total} in all; more with --after {page.data[-1].id}", err=True)


def wait(
    task_id: TaskId, to: Output = None, as_json: AsJSON = False, max_wait: MaxWait = DEFAULT_MAX_WAIT
) -> None:
    """Wait for a task, and store its video with -o."""
    output.checked_output(to)
    with reported(), connection.client() as client:
        finish(client, task_id, to, as_json=as_json, max_wait=max_wait)


def timeline(task_id: TaskId, as_json: AsJSON = False) -> None:
    """Show what happened to a task, step by step."""
    with reported(), connection.client() as client:
        found = client.videos.timeline(task_id)
    if as_json:
        output.document(found)
    else:
        output.timeline(found)


def cancel(task_id: TaskId, as_json: AsJSON = False) -> None:
    """End a task that has not ended."""
    with reported(), connection.client() as client:
        task = client.videos.cancel(task_id)
    if as_json:
        output.document(task)
    else:
        typer.echo(f"{task.id} is cancelled.")


def delete(task_id: TaskId, as_json: AsJSON = False) -> None:
    """Remove an ended task with its files; cancel one that has not ended."""
    with reported(), connection.client() as client:
        task = client.videos.delete(task_id)
    if as_json:
        output.document(task)
    elif task.deleted:
        typer.echo(f"{task.id} is deleted.")
    else:
        typer.echo(f"{task.id} had not ended and is cancelled; delete it again to remove it.")


def download(
    task_id: TaskId,
    to: Output = None,
    last_frame: Annotated[bool, typer.Option("--last-frame", help="The last frame instead.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Download a task's video (or its last frame) to a file, by default named after the task."""
    path = to or Path(f"{_file_name(task_id)}.{'png' if last_frame else 'mp4'}")
    output.checked_output(path)
    with reported(), connection.client() as client:
        result = client.videos.download(task_id, path, variant="last_frame" if last_frame else "video")
        task = client.videos.retrieve(task_id) if as_json else None
    if task is not None:
        output.document(task, output=str(path), size=result.size, sha256=result.sha256)
    else:
        output.saved(result)


def _pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise typer.BadParameter(f"{text!r} is not KEY=VALUE", param_hint="--metadata")
    return key, value


def _file_name(task_id: str) -> str:
    # An id is the server's word; it must not choose the folder.
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in task_id) or "video"
